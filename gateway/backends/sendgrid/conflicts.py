"""Whose address is it: what speaks against a write to SendGrid, or is to be said beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.backends.sendgrid.identifiers import former_email, may_create_new
from gateway.model import Backend
from gateway.results import Problem, ProblemCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.backends.adapter import Found
    from gateway.backends.sendgrid.sought import Sought
    from gateway.fields import Laid
    from gateway.write import ContactWrite


def changed_address(
    write: ContactWrite, found: Sought, siblings: Mapping[Backend, Found], laid: Laid
) -> tuple[Problem, ...]:
    """Refuse a changed e-mail, or warn of the contact that stays behind where it is allowed.

    SendGrid knows the contact by its address alone: under another one it makes a second contact.
    """
    former = former_email(write, siblings)
    if former is None:
        return ()
    backend, address = former
    path = write.field_path("email")
    if not may_create_new(write):
        laid.problems.append(
            Problem(
                backend=Backend.SENDGRID,
                code=ProblemCode.INVALID,
                message=f"{backend.value} holds this contact with the e-mail {address!r}, and "
                "SendGrid cannot change an address in place: give sendgrid.emailChange CREATE_NEW "
                "to make a second contact there, or leave SENDGRID out of targets.",
                field=path,
            )
        )
        return ()
    kept = f"the contact {found.former.id}" if found.former else "a contact, if there is one,"
    return (
        Problem(
            backend=Backend.SENDGRID,
            code=ProblemCode.CONFLICT,
            message=f"SendGrid keeps {kept} with the former e-mail {address!r}, its lists and its "
            "unsubscribes; none of them pass to the contact with the new address.",
            field=path,
        ),
    )


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
