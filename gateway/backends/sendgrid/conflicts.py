"""What speaks against a write to SendGrid: another record, or one that it does not show yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.model import Backend
from gateway.results import Problem, ProblemCode

if TYPE_CHECKING:
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
        f"SendGrid holds this e-mail address with contact {stored.id}, whose externalId is "
        f"{held!r}, not {given.value!r}: a shared mailbox, or the wrong key."
    )
    return [
        Problem(
            backend=Backend.SENDGRID,
            code=ProblemCode.CONFLICT,
            message=message,
            field=write.field_path("external_id"),
        )
    ]


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
