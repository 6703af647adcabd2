"""A contact in iVvy's words: the field table, and what a table cannot say. All of it is pure.

`contact_body` gives the body of addOrUpdateContact for a contact of its own and for one inside a
lead; `plan_contact` makes the calls of a contact of its own. Custom field values stand in
`custom_values.py`, links in `external_urls.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from gateway.backends.adapter import KeyKind, Plan
from gateway.backends.ivvy import client
from gateway.backends.ivvy.belonging import (
    group_calls,
    lay_companies,
    lay_groups,
    stored_groups,
)
from gateway.backends.ivvy.compared import as_text, compared_email, compared_number
from gateway.backends.ivvy.consent import lay_consent
from gateway.backends.ivvy.custom_values import lay_custom_fields
from gateway.backends.ivvy.external_urls import in_turns, lay_external_urls
from gateway.backends.ivvy.ids import is_id
from gateway.calls import FromReply
from gateway.fields import (
    EMPTY_LIST,
    EMPTY_TEXT,
    IMPOSSIBLE,
    NULL,
    Clear,
    Field,
    Table,
    required,
    to_backend,
)
from gateway.matching import borrowed_key, has_key, has_wrong_key, keys_of
from gateway.model import Backend, EmailStatus, SmsStatus
from gateway.results import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.backends.adapter import Found, Key, Stored
    from gateway.names import Resolution
    from gateway.results import Problem
    from gateway.write import ContactWrite

NATIVE_ID = "ivvy.id"
KEYS = (KeyKind.NATIVE_ID, KeyKind.EXTERNAL_ID, KeyKind.EMAIL)
REQUIRED = ("first_name", "last_name", "email")
NOTHING = Clear(says="null changes nothing", left_out=True)

# "No Marketing" is 5 for e-mail and 4 for text messages; e-mail status 4 (Registering) is iVvy's own
# and has not been writable since 2022-10-20 (contract: ivvy section 5.7).
EMAIL_STATUS = {
    EmailStatus.SUBSCRIBED: 1,
    EmailStatus.UNSUBSCRIBED: 2,
    EmailStatus.BOUNCED: 3,
    EmailStatus.NO_MARKETING: 5,
}
SMS_STATUS = {
    SmsStatus.SUBSCRIBED: 1,
    SmsStatus.UNSUBSCRIBED: 2,
    SmsStatus.FAILED: 3,
    SmsStatus.NO_MARKETING: 4,
}


def _laid(name: str, at: str, clear: Clear, note: str = "") -> Field:
    """The row of a field that a function lays."""
    return Field(name=name, at=at, clear=clear, by_function=True, note=note)


@cache
def field_rows(text_clear: str | None = "") -> Table:
    """Where each unified field goes; `text_clear` is what clearing a text sends.

    ASSUMED: an empty text clears; iVvy does not say whether "" or null does.
    """
    cleared = EMPTY_TEXT if text_clear == "" else NULL
    values_cleared = Clear(
        says=f"text and choice {cleared.says}, several choices `[]`, date and number `null`"
    )
    return Table(
        Field(
            name="external_id",
            at="externalId",
            clear=cleared,
            compared=as_text,
            note="what clears it is ASSUMED",
        ),
        Field(name="email", at="email", clear=IMPOSSIBLE, compared=compared_email),
        Field(name="first_name", at="firstName", clear=IMPOSSIBLE, compared=as_text),
        Field(name="last_name", at="lastName", clear=IMPOSSIBLE, compared=as_text),
        Field(
            name="phone",
            at="phone",
            clear=cleared,
            to=lambda phone: phone.e164,
            compared=compared_number,
            note="E.164, compared by number; what clears it is ASSUMED",
        ),
        _laid(
            *("groups_name", "groups", EMPTY_LIST),
            "the whole set. ASSUMED: an empty list takes the contact out of all groups",
        ),
        _laid("add_groups_name", client.ADD_TO_GROUP, NOTHING, "a call for each group"),
        _laid("remove_groups_name", client.REMOVE_FROM_GROUP, NOTHING, "a call for each group"),
        _laid(
            *("custom_fields", "customFields", values_cleared),
            "`{fieldId, value}` of the fields that change; what clears them is ASSUMED. "
            "Address, file and static text cannot be written",
        ),
        _laid(
            *("companies_name", "companies", EMPTY_LIST),
            "the whole set. ASSUMED: a sent list replaces the stored one",
        ),
        _status("email_status", "status", EMAIL_STATUS),
        _status("sms_status", "smsStatus", SMS_STATUS),
        _laid(
            *("external_urls", "externalUrls", NULL),
            "merged by ref; `{ref, url: null}` removes one; at most three",
        ),
        _laid(
            *("privacy_consent", "privacyConsent", IMPOSSIBLE),
            "a consent that iVvy holds already is kept as it is. What false does to it is not "
            "documented: it is sent, with a warning",
        ),
        _laid("ivvy.id", "id", NOTHING, "finds the contact; never changed"),
        _laid("ivvy.group_ids", "groups", EMPTY_LIST),
        _laid("ivvy.company_ids", "companies", EMPTY_LIST),
        _laid("ivvy.custom_fields", "customFields", Clear(says="as for customFields")),
        _laid(
            *("ivvy.update_if_exists", "updateIfExists"),
            Clear(says="`true`, the default", value=True),
            "for new contacts only",
        ),
    )


def _status(name: str, at: str, numbers: Mapping[Any, int]) -> Field:
    return Field(
        name=name,
        at=at,
        clear=IMPOSSIBLE,
        to=numbers.__getitem__,
        compared=as_text,
        defaulted=True,
    )


FIELDS = field_rows()


# ---------------------------------------------------------------- the body


@dataclass(kw_only=True)
class ContactBody:
    """What a write comes to in one contact of iVvy's."""

    parameters: dict[str, Any]
    """addOrUpdateContact's parameters, `id` or `updateIfExists` included; empty where nothing
    changes."""
    joins: list[str] = field(default_factory=list)
    """Groups to join by a call of their own."""
    leaves: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def contact_body(
    write: ContactWrite,
    stored: Stored | None,
    resolution: Resolution,
    asked_by: Sequence[Key] = (),
    *,
    linked_to: str | None = None,
    text_clear: str | None = "",
) -> ContactBody:
    """The body of addOrUpdateContact: for a stored contact its id and only what changes.

    A new contact gets those of the keys it was looked for by that a sibling gave. `linked_to` is the
    company of a lead that links it to its contact.
    """
    raw = stored.raw if stored else None
    laid = to_backend(field_rows(text_clear), write, Backend.IVVY, raw)
    borrowed: dict[str, str] = {}
    if stored is None:
        borrowed = {key.kind.value: key.value for key in asked_by if not key.path}
        laid.values |= borrowed
        laid.changed += borrowed
    missing = _missing(write, stored, borrowed)
    if missing:
        blamed = [problem.field for problem in missing]
        laid.problems = missing + [one for one in laid.problems if one.field not in blamed]
    current = stored_groups(raw)
    groups = lay_groups(laid, write, current, resolution)
    lay_companies(laid, write, raw, resolution, linked_to)
    lay_custom_fields(laid, write, raw, resolution, text_clear=text_clear)
    lay_external_urls(laid, write, raw, text_clear)
    warnings = lay_consent(laid, write, raw)
    return ContactBody(
        parameters=_parameters(write, stored, laid.values),
        joins=groups.joining(current) if groups.exact is None else [],
        leaves=groups.leaving(current) if groups.exact is None else [],
        changed=laid.changed,
        ignored=laid.ignored,
        problems=laid.problems,
        warnings=warnings,
    )


def _parameters(
    write: ContactWrite, stored: Stored | None, values: Mapping[str, Any]
) -> dict[str, Any]:
    if stored is not None:
        return {"id": int(stored.id), **values} if values else {}
    asked = write.given("ivvy.update_if_exists")
    return {**values, "updateIfExists": asked is None or asked.value is not False}


def keys(write: ContactWrite, siblings: Mapping[Backend, Found]) -> list[Key]:
    """The keys that the contact is looked for by.

    A sibling's e-mail stands last where the input has none: a new contact would get it, and
    updateIfExists must not match, through it, a contact that was never looked at.
    """
    known = keys_of(write, NATIVE_ID, KEYS, siblings)
    if _with_email(known):
        return known
    email = borrowed_key(write, KeyKind.EMAIL, siblings)
    return known if email is None else [*known, email]


def lacks_email(write: ContactWrite, known: Sequence[Key]) -> bool:
    """Whether a new contact could not be made of these keys, and a sibling's e-mail is welcome."""
    return not write.mentions("email") and not _with_email(known)


def has_only_wrong_keys(write: ContactWrite) -> bool:
    """Whether nobody can be looked for, because of what is told of the keys already."""
    native = write.text(NATIVE_ID)
    if native is not None:
        return not is_id(native)
    return has_wrong_key(write, KEYS) and not has_key(write, NATIVE_ID, KEYS)


def _with_email(known: Sequence[Key]) -> bool:
    return KeyKind.EMAIL in [key.kind for key in known]


def _missing(
    write: ContactWrite, stored: Stored | None, borrowed: Mapping[str, str]
) -> list[Problem]:
    """Fields that a new contact needs, and so does a REPLACE, whose e-mail may be the stored one."""
    if stored is not None and not write.replaces:
        return []
    kept = write.given("email") is None and bool(
        borrowed.get("email") or (stored is not None and stored.email)
    )
    names = [name for name in REQUIRED if not (kept and name == "email")]
    why = (
        "iVvy holds no such contact, and a new one needs it."
        if stored is None
        else "a REPLACE gives the whole contact, and iVvy needs it."
    )
    return required(names, write, Backend.IVVY, why)


# ---------------------------------------------------------------- the calls


def plan_contact(
    write: ContactWrite,
    found: Found,
    resolution: Resolution,
    *,
    text_clear: str | None = "",
) -> Plan:
    """The calls that bring the contact to what the write says: itself first, then single groups."""
    stored = found.stored
    body = contact_body(write, stored, resolution, found.asked_by, text_clear=text_clear)
    first, then = in_turns(body.parameters, stored.raw if stored else None)
    calls = [client.save_contact(first)] if first else []
    if then is not None:
        calls.append(replace(client.save_contact(then), carries=("externalUrls",)))
    contact = int(stored.id) if stored else FromReply(call=0, key="id", whole=True)
    calls += group_calls(contact, body.joins, body.leaves)
    updated = Outcome.UPDATED if calls else Outcome.UNCHANGED
    return Plan(
        outcome=Outcome.CREATED if stored is None else updated,
        calls=tuple(calls),
        id=stored.id if stored else None,
        matched_by=found.matched_by,
        changed=tuple(dict.fromkeys(body.changed)),
        ignored=tuple(dict.fromkeys(body.ignored)),
        problems=tuple(body.problems),
        warnings=tuple(body.warnings),
    )
