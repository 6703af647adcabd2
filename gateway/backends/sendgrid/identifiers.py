"""The identifiers of a SendGrid contact: which are sent, and what may not be changed about them.

Every identifier that a contact holds must be in each later write, and none can be changed in place
(contract: sendgrid section 4). So a contact's set is settled when it is made: a write to a stored
contact sends exactly those that it holds, and one that would add or change one is refused, because
an identifier more would bind every other program that writes to the contact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from gateway.fields import refuse_clearing, required
from gateway.model import Backend
from gateway.results import Problem, ProblemCode
from gateway.values import folded_email, read_phone
from gateway.write import input_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from gateway.fields import Laid
    from gateway.write import ContactWrite

Identifier = Literal["email", "external_id"]
"""The identifier that an account is set to use."""

INPUTS = {
    "email": "email",
    "external_id": "external_id",
    "phone_number_id": "sendgrid.phone_number_id",
    "anonymous_id": "sendgrid.anonymous_id",
}
"""SendGrid's identifiers, and the input fields that give them."""

MAX_LENGTH = 254


def held_by(raw: Mapping[str, Any]) -> dict[str, str]:
    """The identifiers in a stored contact; those that are not set are absent or empty."""
    return {kind: str(raw[kind]) for kind in INPUTS if raw.get(kind)}


def holds(raw: Mapping[str, Any], kind: str, value: str) -> bool:
    """Whether a stored contact holds this identifier."""
    return _same(kind, held_by(raw).get(kind), value)


def check_identifiers(write: ContactWrite, identifier: Identifier) -> list[Problem]:
    """What is wrong with the form of the identifiers, before anybody is asked."""
    problems: list[Problem] = []
    phone = write.given(INPUTS["phone_number_id"])
    if phone is not None and phone.value is not None:
        try:
            read_phone(phone.value, write.default_country)
        except ValueError as error:
            problems.append(_wrong(write, "phone_number_id", str(error)))
    for kind in ("anonymous_id", *(("external_id",) if identifier == "external_id" else ())):
        given = write.given(INPUTS[kind])
        text = given.value if given is not None else None
        if text is not None and len(text) > MAX_LENGTH:
            says = f"has {len(text)} characters, and SendGrid keeps at most {MAX_LENGTH}."
            code = ProblemCode.TOO_LONG
            problems.append(_wrong(write, kind, f"{input_name(INPUTS[kind])} {says}", code))
        elif text is not None and not text.strip():
            problems.append(_wrong(write, kind, f"{input_name(INPUTS[kind])} is empty."))
    return problems


def lay_identifiers(
    write: ContactWrite,
    identifier: Identifier,
    key: str | None,
    held: Mapping[str, str] | None,
    laid: Laid,
    *,
    new: bool,
) -> dict[str, str]:
    """The identifiers to send: those that the contact holds, or those given for a new one.

    `held` is None where they are not known: for a new contact (`new`), and where SendGrid was not
    asked. Problems are noted in `laid`.
    """
    _judge_key(write, identifier, key, laid)
    values = dict(held or ())
    if key:
        values[identifier] = key
        name = input_name(identifier)
        if held is None and name not in laid.ignored:  # as a null is that cannot be carried out
            laid.changed.append(name)
    for kind, name in INPUTS.items():
        # In email mode an externalId has nowhere to go; it is reported as ignored.
        if kind == identifier or (kind == "external_id" and identifier == "email"):
            continue
        wish = write.given(name)
        if wish is None:
            continue
        if wish.value is None:
            if not new and (held is None or kind in held):
                refuse_clearing(name, write, Backend.SENDGRID, laid)
            continue
        value = normalised(kind, wish.value, write.default_country)
        if held is None:
            values[kind] = value
            laid.changed.append(input_name(name))
        elif not _same(kind, held.get(kind), value):
            laid.problems.append(_wrong(write, kind, _unchangeable(kind, held.get(kind))))
    return values


def _judge_key(write: ContactWrite, identifier: Identifier, key: str | None, laid: Laid) -> None:
    """The account's identifier can be borrowed, but neither be cleared nor be missing."""
    asked = write.given(identifier)
    nulled = asked is not None and asked.value is None
    if nulled and (key is not None or write.targets_named):
        refuse_clearing(identifier, write, Backend.SENDGRID, laid)
    elif key is None:
        why = f"SendGrid finds and makes contacts by their {input_name(identifier)}."
        laid.problems += required([identifier], write, Backend.SENDGRID, why)


def normalised(kind: str, value: str, country: str | None) -> str:
    """An identifier as it is sent: e-mails in lower case, phone numbers in E.164.

    What is no phone number stays as it is: the input's check tells of it.
    """
    if kind == "email":
        return value.strip().lower()
    if kind != "phone_number_id":
        return value
    try:
        return read_phone(value, country).e164
    except ValueError:
        return value


def _same(kind: str, held: str | None, value: str) -> bool:
    if held is None:
        return False
    if kind == "email":
        return folded_email(held) == folded_email(value)
    # The vendor's samples have phone identifiers with and without the plus sign.
    return held.lstrip("+") == value.lstrip("+") if kind == "phone_number_id" else held == value


def _unchangeable(kind: str, held: str | None) -> str:
    name = input_name(INPUTS[kind])
    # The others may need the address.
    others = " Without SENDGRID in targets the others are written." if kind == "email" else ""
    if held is None:
        return (
            f"SendGrid's contact has no {name}, and an identifier more would be needed in every "
            f"later write to it, by whatever program: leave {name} out, or delete the contact in "
            f"SendGrid first, so that it is made anew with it.{others}"
        )
    return (
        f"SendGrid's contact has another {name}, and no identifier of a contact can be changed: "
        f"give the one that it has, leave {name} out, or delete the contact in SendGrid first (its "
        f"unsubscribes are lost with it).{others}"
    )


def _wrong(
    write: ContactWrite, kind: str, message: str, code: ProblemCode = ProblemCode.INVALID
) -> Problem:
    return Problem(
        backend=Backend.SENDGRID,
        code=code,
        message=message,
        field=write.field_path(INPUTS[kind]),
    )
