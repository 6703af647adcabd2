"""Stored things as SendGrid shows them, which differs from call to call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.sandbox.sendgrid import instants
from gateway.sandbox.sendgrid.store import (
    READ_ONLY_RESERVED,
    RESERVED_DATES,
    RESERVED_FIELDS,
    RESERVED_TEXTS,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.sandbox.sendgrid.store import Contact, ContactList, CustomField, Store

_COUNTED = {
    "AID": "anonymous_id",
    "EID": "email",
    "EXTID": "external_id",
    "PHNID": "phone_number_id",
}


def contact(
    one: Contact, store: Store, base: str, *, keyed_by: str = "name", recent: bool = False
) -> dict[str, Any]:
    """Give a contact as search and look-ups show it, or (`recent`) as GET contacts does.

    Both forms were recorded live (contract: sendgrid section 6). They differ in the empty
    `alternate_emails`, in `segment_ids`, in the digits of `updated_at` and in the self link.
    """
    shown: dict[str, Any] = {"id": one.id, "email": one.identifiers.get("email", "")}
    shown |= {name: one.texts.get(name, "") for name in RESERVED_TEXTS}
    # Identifiers that are not set are absent, unlike plain texts.
    shown |= one.identifiers
    shown["alternate_emails"] = list(one.alternate_emails) or (None if recent else [])
    shown["list_ids"] = list(one.list_ids)
    if not recent:
        shown["segment_ids"] = []
    shown["custom_fields"] = {
        (key if keyed_by == "id" else store.fields[key].name): value
        for key, value in one.custom_fields.items()
    }
    shown["created_at"] = instants.whole_seconds(one.created_at)
    written = instants.nanoseconds if recent else instants.whole_seconds
    shown["updated_at"] = written(one.updated_at)
    part = "contact" if recent else "contacts"
    shown["_metadata"] = {"self": f"{base}/{part}/{one.id}"}
    return shown


def searchable(one: Contact, store: Store) -> dict[str, str | list[str]]:
    """Give a contact as queries see it: texts by field name, and its lists."""
    row: dict[str, str | list[str]] = {"contact_id": one.id, "list_ids": one.list_ids}
    row |= one.texts
    row |= {store.fields[key].name: str(value) for key, value in one.custom_fields.items()}
    row |= one.identifiers
    row["alternate_emails"] = one.alternate_emails
    row["created_at"] = instants.whole_seconds(one.created_at)
    row["updated_at"] = instants.whole_seconds(one.updated_at)
    return row


def contact_list(one: ContactList, count: int, base: str) -> dict[str, Any]:
    """Give a list with the number of its contacts."""
    metadata = {"self": f"{base}/lists/{one.id}"}
    return {"id": one.id, "name": one.name, "contact_count": count, "_metadata": metadata}


def identifier_counts(contacts: Iterable[Contact]) -> dict[str, int]:
    """Count the identifiers by kind, under the short names that were recorded live."""
    held = [one.identifiers for one in contacts]
    return {short: sum(kind in one for one in held) for short, kind in _COUNTED.items()}


def custom_field(one: CustomField, base: str) -> dict[str, Any]:
    """Give a custom field's definition."""
    metadata = {"self": f"{base}/field_definitions/{one.id}"}
    return {"id": one.id, "name": one.name, "field_type": one.field_type, "_metadata": metadata}


def reserved_fields() -> list[dict[str, Any]]:
    """Give the fields that every account has, as recorded live."""
    return [_reserved(number, name) for number, name in enumerate(RESERVED_FIELDS)]


def _reserved(number: int, name: str) -> dict[str, Any]:
    field_type = "Date" if name in RESERVED_DATES else "Text"
    shown: dict[str, Any] = {
        "id": f"_rf{number}_{field_type[0]}",
        "name": name,
        "field_type": field_type,
    }
    return shown | ({"read_only": True} if name in READ_ONLY_RESERVED else {})
