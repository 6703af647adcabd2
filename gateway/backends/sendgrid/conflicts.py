"""What speaks against a write to SendGrid: another record, or one that it does not show yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.model import Backend
from gateway.results import Problem, ProblemCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.backends.adapter import Stored
    from gateway.backends.sendgrid.sought import Sought
    from gateway.write import ContactWrite


def other_record(write: ContactWrite, found: Sought) -> list[Problem]:
    """The conflict of an address that belongs to a record with another externalId."""
    given = write.given("external_id")
    stored = found.stored
    if given is None or given.value is None or stored is None:
        return []
    held = stored.external_id
    if not held or held == str(given.value):
        return []
    message = (
        f"SendGrid holds this e-mail address with contact {stored.id}, which has another "
        f"externalId than {given.value!r}: a shared mailbox, or the wrong key. Give that contact's "
        "externalId, or another e-mail, or leave SENDGRID out of targets."
    )
    return [
        Problem(
            backend=Backend.SENDGRID,
            code=ProblemCode.CONFLICT,
            message=message,
            field=write.field_path("external_id"),
        )
    ]


def taken_email(taken: Stored, path: Sequence[str]) -> Problem:
    """The conflict of a new contact whose address another contact has."""
    if taken.external_id:
        held = "which has another externalId"
        remedy = "give that one, or another e-mail"
    else:
        held = "which has no externalId, and gets none by a write"
        remedy = (
            "give another e-mail, or delete that contact in SendGrid first, so that it is made "
            "anew with this externalId (its unsubscribes are lost with it)"
        )
    return Problem(
        backend=Backend.SENDGRID,
        code=ProblemCode.CONFLICT,
        message=f"SendGrid holds this e-mail address with contact {taken.id}, {held}, and an "
        f"address belongs to one contact only: {remedy}.",
        field=list(path),
    )


def taken_identifier(taken: Stored, path: Sequence[str]) -> Problem:
    """The conflict of a new contact of which another contact has the phone or anonymous identifier."""
    return Problem(
        backend=Backend.SENDGRID,
        code=ProblemCode.CONFLICT,
        message=f"SendGrid's contact {taken.id} has this {path[-1]}, and an identifier belongs to "
        "one contact only: give another, or leave it out.",
        field=list(path),
    )


def not_readable(found: Sought) -> Problem:
    """The problem of a list that is to be left by a contact that SendGrid does not show yet."""
    return Problem(
        backend=Backend.SENDGRID,
        code=ProblemCode.UNAVAILABLE,
        message="SendGrid does not show this contact yet, though it has accepted it, and a list "
        "can only be left by a contact that it shows: nothing was written there.",
        retryable=True,
        retry_after_seconds=found.readable_in,
    )
