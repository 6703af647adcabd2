"""A contact of SendGrid's in the unified model's words. All of it is pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from strawberry import ID
from strawberry.scalars import JSON

from gateway.backends.sendgrid.address import PARTS, held_country
from gateway.entries import CatalogName, folded
from gateway.model import Backend
from gateway.record_values import (
    shown_name,
    shown_phone,
    shown_text,
    shown_values,
)
from gateway.records import Address, ContactRecord, CustomFieldValue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.entries import Catalog

    Catalogs = Mapping[CatalogName, Catalog]

RECORD_CATALOGS = (CatalogName.GROUPS, CatalogName.CUSTOM_FIELDS)


def read_contact(raw: Mapping[str, Any], catalogs: Catalogs) -> ContactRecord:
    """The record of a contact as a look-up shows it."""
    external_id = shown_text(raw.get("external_id"))
    return ContactRecord(
        backend=Backend.SENDGRID,
        id=ID(str(raw["id"])),
        external_id=None if external_id is None else ID(external_id),
        email=shown_text(raw.get("email")),
        first_name=shown_text(raw.get("first_name")),
        last_name=shown_text(raw.get("last_name")),
        phone=shown_phone(raw.get("phone_number")),
        country_code=held_country(raw),
        alternate_emails=[str(email) for email in raw.get("alternate_emails") or []],
        addresses=read_addresses(raw),
        groups_name=[shown_name(catalogs, name, group) for name, group in ids_shown(raw)],
        custom_fields=read_custom_fields(raw, catalogs),
        raw=JSON(dict(raw)),
    )


def ids_shown(raw: Mapping[str, Any]) -> list[tuple[CatalogName, str]]:
    """The ids of the lists that the contact is on."""
    return [(CatalogName.GROUPS, str(group)) for group in raw.get("list_ids") or []]


def read_custom_fields(raw: Mapping[str, Any], catalogs: Catalogs) -> list[CustomFieldValue]:
    """The custom fields that have a value and can be written.

    ASSUMED: contacts key them by name; ids are understood as well. One that the definitions lack
    is known by its key alone.
    """
    catalog = catalogs.get(CatalogName.CUSTOM_FIELDS)
    entries = catalog.entries if catalog else ()
    by_key = {folded(entry.name): entry for entry in entries}
    by_key |= {entry.name: entry for entry in entries} | {entry.id: entry for entry in entries}
    shown = []
    for key, value in (raw.get("custom_fields") or {}).items():
        entry = by_key.get(key) or by_key.get(folded(key))
        info = entry.field if entry else None
        values = shown_values(info, [value])
        if values and (info is None or info.writable):
            field_id, name = (entry.id, entry.name) if entry else (key, None)
            shown.append(CustomFieldValue(id=ID(field_id), name=name, values=values))
    return shown


def read_addresses(raw: Mapping[str, Any]) -> list[Address]:
    """The one address; a country alone is the contact's, and no address."""
    parts: dict[str, Any] = {part.name: shown_text(raw.get(part.at)) for part in PARTS}
    parts["country_code"] = held_country(raw)
    if not any(text for name, text in parts.items() if name != "country_code"):
        return []
    return [Address(**parts)]
