"""Fills a store: the named records of seed.json, and numbered ones so that lists need more pages."""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from gateway.sandbox.ivvy import companies, contacts, leads

if TYPE_CHECKING:
    from gateway.sandbox.ivvy.store import Row, Store

STAMP: Final = "2025-01-15 08:30:00"
FILLERS: Final = 130

_FIELD: Final[Row] = {"isActive": True, "selectValues": None, "fileTypes": None}
_USER: Final[Row] = {
    **dict.fromkeys(("salutation", "middleName", "phone", "phoneMobile", "lastLoginDate")),
    "currentStatus": 1,
    "userType": 1,
    "groupId": 1,
    "venueIds": [1],
    "createdDate": STAMP,
    "modifiedDate": STAMP,
}
_INDUSTRY: Final[Row] = {"createdDate": STAMP, "modifiedDate": STAMP}

# What a row of seed.json leaves out.
_DEFAULTS: Final[dict[str, Row]] = {
    "contacts": contacts.blank(STAMP),
    "companies": companies.blank(STAMP),
    "leads": leads.blank(STAMP),
    "contactFields": _FIELD,
    "companyFields": _FIELD,
    "leadFields": _FIELD,
    "industries": _INDUSTRY,
    "users": _USER,
    "leadStages": {"reasons": [], "colour": None, "applyTo": 2, "isEditable": True},
    "leadSources": {
        **dict.fromkeys(("description", "cost", "colour", "defaultType")),
        "isReferral": 0,
        "isEditable": True,
    },
    "leadChannels": {"isEditable": True},
}


def fill(store: Store) -> None:
    """Replace everything in the store with the seed data."""
    store.clear()
    text = resources.files(__package__ or "").joinpath("seed.json").read_text("utf-8")
    tables: dict[str, list[Row]] = json.loads(text)
    for table, rows in tables.items():
        for position, row in enumerate(rows, start=1):
            _put(store, table, {"sortOrder": position, **row} if "Fields" in table else row)
    for number in range(1, FILLERS + 1):
        label = f"{number:03}"
        _put(store, "companies", {"id": 7100 + number, "businessName": f"Company {label}"})
        _put(store, "industries", {"id": 1000 + number, "name": f"Industry {label}"})
        email = f"user{label}@example.com"
        person = {"firstName": "User", "lastName": label, "email": email}
        _put(store, "users", {"id": 2000 + number, **person})


def _put(store: Store, table: str, row: dict[str, Any]) -> None:
    # Through JSON, so that no two rows share a list.
    store.put(table, json.loads(json.dumps({**_DEFAULTS.get(table, {}), **row})))
