"""A changed e-mail: in SendGrid it makes a second contact, which nobody may get unasked.

SendGrid knows a contact by its address alone. That the address changes can be seen only where a
sibling finds the contact by another key and holds another address; where such a sibling does not
answer, nobody can tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.errors import NotWrittenError
from gateway.model import ORDER, Backend, EmailChange, title
from gateway.results import Problem, ProblemCode
from gateway.values import folded_email, same_email

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.backends.adapter import Found
    from gateway.backends.sendgrid.sought import Sought
    from gateway.fields import Laid
    from gateway.write import ContactWrite


_OWN_IDS = ((Backend.IVVY, "ivvy.id"), (Backend.EVERBRIDGE, "everbridge.id"))


def may_create_new(write: ContactWrite) -> bool:
    """Whether the caller allows a second contact where the address changes."""
    choice = write.given("sendgrid.email_change")
    return choice is not None and choice.value is EmailChange.CREATE_NEW


def former_emails(
    write: ContactWrite, siblings: Mapping[Backend, Found]
) -> list[tuple[Backend, str]]:
    """The addresses, other than the input's, with which siblings hold the contact."""
    email = write.email.value if siblings and write.email else None
    if email is None:
        return []
    held = [(backend, siblings[backend].stored) for backend in ORDER if backend in siblings]
    return [
        (backend, stored.email)
        for backend, stored in held
        if stored and stored.email and not same_email(stored.email, email)
    ]


def tellers(write: ContactWrite) -> list[Backend]:
    """The siblings that may find the contact under another address, because of another key."""
    if write.email is None or write.email.value is None:
        return []
    shared = write.mentions("external_id")
    return [backend for backend, own_id in _OWN_IDS if shared or write.mentions(own_id)]


def addresses_to_ask(write: ContactWrite, siblings: Mapping[Backend, Found]) -> Sequence[str]:
    """The addresses of which SendGrid must say whether it has them; for most writes none.

    In lower case, the input's own included where only that tells whether a contact is made.
    """
    former = [address for _, address in former_emails(write, siblings)]
    email = write.email.value if write.email else None
    if email is None or not (former or _silent(write, siblings)):
        return ()
    asked = former if may_create_new(write) else [email, *former]
    return tuple(dict.fromkeys(_as_asked(address) for address in asked))


def judge_address(
    write: ContactWrite, found: Sought, siblings: Mapping[Backend, Found], laid: Laid
) -> tuple[Problem, ...]:
    """Refuse a changed e-mail, or warn of the contact that stays behind where it is allowed.

    It is no change any more where SendGrid has the new address and none of the former ones: then
    nothing new is made.
    """
    changes = former_emails(write, siblings)
    if not changes:
        return ()
    path = write.field_path("email")
    if may_create_new(write):
        return tuple(_stays(found, *change, path) for change in _once(changes))
    free = all(_is_free(found, address) for _, address in changes)
    if free and _has_new(write, found):
        return ()
    backend, _ = changes[0]
    laid.problems.append(
        Problem(
            backend=Backend.SENDGRID,
            code=ProblemCode.INVALID,
            message=f"{title(backend)} holds this contact with another e-mail address, and "
            "SendGrid cannot change one in place: give sendgrid.emailChange CREATE_NEW "
            "to make a second contact there. Without SENDGRID in targets the others are written; "
            "a later write to SendGrid with the new address then makes that contact.",
            field=path,
        )
    )
    return ()


def refuse_a_guess(write: ContactWrite, found: Sought, siblings: Mapping[Backend, Found]) -> None:
    """Raise NotWrittenError where a contact would be made and a silent sibling may know it."""
    silent = _silent(write, siblings)
    if not silent or may_create_new(write) or _has_new(write, found):
        return
    names = " and ".join(map(title, silent))
    email = write.email.value if write.email else None
    told = email is not None and _as_asked(email) in found.holders
    shown = "shows none" if told else "does not tell whether it has one"
    raise NotWrittenError(
        Problem(
            backend=Backend.SENDGRID,
            code=ProblemCode.UNAVAILABLE,
            message=f"{names} did not answer and may hold this contact with another e-mail; "
            f"SendGrid {shown} with the new one, and might make a second contact: nothing was "
            "written there. Try again, or give sendgrid.emailChange CREATE_NEW where a second "
            "contact does no harm.",
            field=write.field_path("email"),
            retryable=True,
        )
    )


def _silent(write: ContactWrite, siblings: Mapping[Backend, Found]) -> list[Backend]:
    """The siblings that could tell of another address, when none of them has answered.

    One answer is enough to go on: a backend that is down must not hold up every new contact.
    """
    if not siblings:
        return []
    asked = [backend for backend in write.once(tellers) if backend in siblings]
    if any(siblings[backend].answered for backend in asked):
        return []
    return asked


def _has_new(write: ContactWrite, found: Sought) -> bool:
    """Whether SendGrid surely has a contact with the input's address."""
    if found.stored is not None or found.accepted is not None:
        return True
    email = write.email.value if write.email else None
    return email is not None and bool(found.holders.get(_as_asked(email)))


def _is_free(found: Sought, address: str) -> bool:
    """Whether SendGrid was asked for an address and has it not."""
    return found.holders.get(_as_asked(address), "not asked") is None


def _as_asked(address: str) -> str:
    """An address as SendGrid keeps it."""
    return address.strip().lower()


def _once(changes: Sequence[tuple[Backend, str]]) -> list[tuple[Backend, str]]:
    return list({folded_email(change[1]): change for change in changes}.values())


def _stays(found: Sought, backend: Backend, address: str, path: list[str]) -> Problem:
    holder = found.holders.get(_as_asked(address)) or "a contact, if there is one,"
    return Problem(
        backend=Backend.SENDGRID,
        code=ProblemCode.CONFLICT,
        message=f"SendGrid keeps {holder} with the former e-mail address (that of "
        f"{title(backend)}'s record), its lists and its unsubscribes; none of them pass to the contact "
        "with the new address.",
        field=path,
    )
