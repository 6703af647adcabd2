"""The checks that PUT contacts makes before it queues anything; one failure refuses the whole.

Contract: sendgrid section 4 for the fields, section 11 rule 3 for what is checked here rather than
in the job. Texts of the refusals are ASSUMED unless section 3 has them.
"""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

from gateway.sandbox.sendgrid import merge
from gateway.sandbox.sendgrid.errors import invalid_json, refused, refused_each
from gateway.sandbox.sendgrid.store import IDENTIFIERS, RESERVED_TEXTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from gateway.sandbox.sendgrid.store import Store

MAX_CONTACTS = 30_000
MAX_ALTERNATE_EMAILS = 5
MAX_ADDRESS = 254

_LONGEST = {
    "external_id": MAX_ADDRESS,
    "anonymous_id": MAX_ADDRESS,
    "first_name": 50,
    "last_name": 50,
    "address_line_1": 100,
    "address_line_2": 100,
    "city": 60,
    "state_province_region": 50,
    "country": 50,
}
_TEXTS = (*IDENTIFIERS, *RESERVED_TEXTS)
_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_EMAIL = re.compile(rf"{_LOCAL}(\.{_LOCAL})*@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]+")
_PHONE = re.compile(r"\+?[1-9]\d{6,14}")

Blamed = dict[str, Any]


def check(
    body: Any, store: Store, now: datetime, switches: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Give the contacts and list ids to queue, or raise RefusalError.

    Top-level keys other than `contacts` and `list_ids` are ignored without a word.
    """
    if not isinstance(body, dict):
        raise invalid_json()
    contacts = body.get("contacts")
    if contacts is None:
        raise refused(400, "contacts is required", "contacts")
    if not isinstance(contacts, list) or not all(isinstance(one, dict) for one in contacts):
        raise invalid_json()
    if not 1 <= len(contacts) <= MAX_CONTACTS:
        raise refused(400, f"contacts must have 1 to {MAX_CONTACTS} items", "contacts")
    list_ids = _check_lists(body.get("list_ids") or [], store, switches)
    for contact in contacts:
        _check_shape(contact)
    blamed = [error for index, one in enumerate(contacts) for error in _problems(index, one)]
    if blamed:
        raise refused_each(400, _as_blamed(blamed, str(switches["blame"])))
    _check_custom_fields(contacts, store, now)
    return contacts, list_ids


def is_email(text: str) -> bool:
    """Whether SendGrid takes this for an address; ASSUMED: its usual ASCII form."""
    return len(text) <= MAX_ADDRESS and _EMAIL.fullmatch(text) is not None


def is_uuid(text: str) -> bool:
    """Whether an id has the form of all ids but those of custom fields."""
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def _check_lists(given: Any, store: Store, switches: Mapping[str, Any]) -> list[str]:
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise invalid_json()
    for list_id in given:
        if not is_uuid(list_id):
            raise refused(400, f"'{list_id}' is not a valid list id", "list_ids")
    unknown = [list_id for list_id in given if list_id not in store.lists]
    # ASSUMED: 404, which the vendor's page lists without saying when (contract: section 13).
    if unknown and switches["unknown_list"] != "ignored":
        raise refused(int(switches["unknown_list"]), f"list not found: {unknown[0]}", "list_ids")
    return [list_id for list_id in given if list_id in store.lists]


def _check_shape(contact: dict[str, Any]) -> None:
    for name in _TEXTS:
        if not isinstance(contact.get(name), str | None):
            raise invalid_json()
    addresses = contact.get("alternate_emails") or []
    if not isinstance(addresses, list) or not all(isinstance(one, str) for one in addresses):
        raise invalid_json()
    if not isinstance(contact.get("custom_fields"), dict | None):
        raise invalid_json()


def _problems(index: int, contact: dict[str, Any]) -> Iterator[Blamed]:
    where = f"contacts[{index}]"
    identifiers = merge.given_identifiers(contact)
    if not identifiers:
        yield _blame(f"{where}.identifier", f"at least one of {', '.join(IDENTIFIERS)} is required")
    email = contact.get("email")
    if email and not is_email(email):
        yield _blame(f"{where}.identifier", f"email '{email}' is not valid")
    phone = contact.get("phone_number_id")
    if phone and not _PHONE.fullmatch(phone):
        yield _blame(f"{where}.identifier", f"phone_number_id '{phone}' is not valid")
    for name, longest in _LONGEST.items():
        if len(contact.get(name) or "") > longest:
            yield _blame(f"{where}.{name}", f"{name} has more than {longest} characters")
    addresses = contact.get("alternate_emails") or []
    if len(addresses) > MAX_ALTERNATE_EMAILS:
        yield _blame(f"{where}.alternate_emails", f"more than {MAX_ALTERNATE_EMAILS} addresses")
    for address in addresses:
        if not is_email(address):
            yield _blame(f"{where}.alternate_emails", f"email '{address}' is not valid")


def _blame(field: str, message: str) -> Blamed:
    return {"field": field, "message": message}


def _as_blamed(blamed: list[Blamed], form: str) -> list[Blamed]:
    if form == "all":
        return blamed
    first = blamed[0]
    return [first] if form == "first" else [{"message": first["message"]}]


def _check_custom_fields(contacts: list[dict[str, Any]], store: Store, now: datetime) -> None:
    """Refuse unknown ids (names used as ids, fields made a moment ago) and nulls."""
    given = {key: None for one in contacts for key in one.get("custom_fields") or {}}
    known = {one.id for one in store.fields.values() if one.ready_at <= now}
    unknown = [key for key in given if key not in known]
    if unknown:
        raise refused(400, f"invalid custom field ids supplied - {','.join(unknown)}")
    for contact in contacts:
        for key, value in (contact.get("custom_fields") or {}).items():
            if value is None:
                raise refused(400, f'custom field "{key}" cannot be null')
