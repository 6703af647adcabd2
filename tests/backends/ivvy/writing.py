"""Writes, catalogs and stored contacts of iVvy's tests, said briefly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from strawberry import Some

from gateway.backends.adapter import Found, Stored
from gateway.backends.ivvy.belonging import NATIVE_GROUPS, wanted_companies
from gateway.backends.ivvy.catalog import read_field
from gateway.backends.ivvy.contact import plan_contact
from gateway.backends.ivvy.custom_values import NATIVE as NATIVE_FIELDS
from gateway.checks import check_contact
from gateway.custom_fields import wanted_custom_fields
from gateway.entries import Catalog, CatalogName, Entry
from gateway.memberships import wanted_groups
from gateway.model import ContactInput, IvvyContactInput
from gateway.names import Resolution

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.backends.adapter import Key, Plan
    from gateway.write import ContactWrite

DEFINITIONS: list[dict[str, Any]] = [
    {"fieldId": 501, "fieldType": 2, "displayName": "Shift", "selectValues": {"1": "Day", "2": "Night"}},
    {"fieldId": 502, "fieldType": 3, "displayName": "Dietary", "selectValues": {"a": "Vegan", "b": "Nuts"}},
    {"fieldId": 503, "fieldType": 5, "displayName": "Member since", "selectValues": None},
    {"fieldId": 504, "fieldType": 8, "displayName": "Badge number", "selectValues": []},
    {"fieldId": 505, "fieldType": 1, "displayName": "Notes"},
    {"fieldId": 507, "fieldType": 7, "displayName": "Info"},
    {"fieldId": 508, "fieldType": 4, "displayName": "Office address"},
    {"fieldId": 511, "fieldType": 9, "displayName": "Market", "selectValues": {"DE": "Germany"}},
]  # fmt: skip

CATALOGS = {
    CatalogName.GROUPS: Catalog(
        entries=(Entry(id="301", name="Newsletter"), Entry(id="302", name="Berlin Office"))
    ),
    CatalogName.CUSTOM_FIELDS: Catalog(
        entries=tuple(entry for entry in map(read_field, DEFINITIONS) if entry)
    ),
    CatalogName.COMPANIES: Catalog(
        entries=(Entry(id="7001", name="Engines"), Entry(id="7002", name="Hotels"))
    ),
}

STORED: dict[str, Any] = {
    "id": 40001,
    "externalId": "E-1001",
    "firstName": "Ada",
    "lastName": "Byron",
    "email": "ada@example.com",
    "phone": "+44 7700 900101",
    "status": 4,
    "smsStatus": 1,
    "groups": [{"contactId": 40001, "groupId": 301, "joinDate": "2024-03-01 09:00:00"}],
    "companies": [7001],
    "customFields": [
        {"fieldId": 501, "displayName": "Shift", "value": "1"},
        {"fieldId": 502, "displayName": "Dietary", "value": [""]},
        {"fieldId": 503, "displayName": "Member since", "value": "2022-08-30 10:00:00 UTC"},
        {"fieldId": 504, "displayName": "Badge number", "value": 1815},
        {"fieldId": 505, "displayName": "Notes", "value": ""},
    ],
    "externalUrls": [],
    "privacyConsentData": None,
}

NEW: dict[str, Any] = {"first_name": "Eve", "last_name": "Moore", "email": "eve@example.com"}


def contact(*, ivvy: Mapping[str, Any] | None = None, **fields: Any) -> ContactInput:
    """An input in which the named fields are given; None is null."""
    given = {name: Some(value) for name, value in fields.items()}
    if ivvy is not None:
        native = IvvyContactInput(**{name: Some(value) for name, value in ivvy.items()})
        return ContactInput(**given, ivvy=Some(native))
    return ContactInput(**given)


def write_of(given: ContactInput, **how: Any) -> ContactWrite:
    """The write of an input that passes the checks."""
    write, problems = check_contact(given, default_country="GB", **how)
    assert problems == []
    return write


def resolved(write: ContactWrite) -> Resolution:
    """What the catalogs above say of the write's names."""
    wanted = [
        *wanted_groups(write, NATIVE_GROUPS),
        *wanted_custom_fields(write, NATIVE_FIELDS),
        *wanted_companies(write),
    ]
    named = [(want.catalog, want.name) for want in wanted if want.name is not None]
    matches = {key: CATALOGS[key[0]].matches(key[1]) for key in named}
    return Resolution(
        found={key: entries[0] for key, entries in matches.items() if entries},
        missing={key: [] for key, entries in matches.items() if not entries},
        catalogs={want.catalog: CATALOGS[want.catalog] for want in wanted},
    )


def stored(**changes: Any) -> Stored:
    """Ada as getContact shows her."""
    raw = {**STORED, **changes}
    return Stored(
        id=str(raw["id"]),
        external_id=raw["externalId"],
        email=raw["email"],
        raw=raw,
        read_at=0.0,
    )


def plan(
    write: ContactWrite,
    record: Stored | None,
    *,
    asked_by: tuple[Key, ...] = (),
    text_clear: str | None = "",
) -> Plan:
    """The plan of a write for a stored contact, or for a new one."""
    found = Found(stored=record, matched_by="externalId" if record else None, asked_by=asked_by)
    return plan_contact(write, found, resolved(write), text_clear=text_clear)


def bodies(made: Plan) -> list[tuple[str, Any]]:
    """Action and body of each call."""
    return [(dict(call.query)["action"], call.body) for call in made.calls]


def sent(made: Plan) -> dict[str, Any]:
    """The body of the one addOrUpdateContact, without the id."""
    [(action, body)] = bodies(made)
    assert action == "addOrUpdateContact"
    return {key: value for key, value in body.items() if key != "id"}
