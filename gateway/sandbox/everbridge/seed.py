"""The state at the start: `seed.json` plus generated fillers, so that lists need several pages."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from gateway.sandbox.everbridge.values import JsonObject

FILLER_GROUPS = 130
"""`Region 001` and on: with the named groups more than one page of 100."""

FILLER_CONTACTS = 120
"""`E-9001` and on: with the named contacts more than one page of 100."""

_FIRST_FILLER_GROUP_ID = 1200000000000101
_FIRST_FILLER_CONTACT_ID = 1300000000000101

_FIRST_NAMES = ("Ann", "Bo", "Cleo", "Dan", "Eve", "Finn", "Gus", "Hana", "Ida", "Jon")
_LAST_NAMES = ("Abbot", "Baker", "Cooper", "Draper", "Fisher", "Glover", "Hunter", "Mason")


def seeded_state() -> dict[str, Any]:
    """A fresh copy of the seed state, in the form of the store's `dump`."""
    state: dict[str, Any] = orjson.loads(_seeded_bytes())
    return state


@cache
def _seeded_bytes() -> bytes:
    package = resources.files("gateway.sandbox.everbridge")
    seed: dict[str, Any] = orjson.loads(package.joinpath("seed.json").read_bytes())
    stamps: JsonObject = seed.pop("stamps")
    organization = {"organizationId": seed["organizations"][0]["id"]}
    groups = [*seed["groups"], *map(_filler_group, range(FILLER_GROUPS))]
    contacts = [*seed["contacts"], *map(_filler_contact, range(FILLER_CONTACTS))]
    kinds = ("recordTypes", "contactPaths", "contactAttributes", "locationTypes")
    catalogs = {kind: [{**organization, **row} for row in seed[kind]] for kind in kinds}
    seeded = {
        **seed,
        **catalogs,
        "groups": [{**organization, **_GROUP_DEFAULTS, **stamps, **group} for group in groups],
        "contacts": [
            {**organization, **_CONTACT_DEFAULTS, **stamps, **contact} for contact in contacts
        ],
    }
    return orjson.dumps(seeded)


_GROUP_DEFAULTS: JsonObject = {
    "parentId": -1,
    "accountId": 0,
    "resourceBundleId": 0,
    "status": "A",
    "dirty": False,
    "enableSequencedContact": False,
    "lastSynchronizedTime": 0,
    "members": [],
}

_CONTACT_DEFAULTS: JsonObject = {"accountId": 0, "resourceBundleId": 0, "status": "A"}


def _filler_group(index: int) -> JsonObject:
    return {"id": _FIRST_FILLER_GROUP_ID + index, "name": f"Region {index + 1:03}"}


def _filler_contact(index: int) -> JsonObject:
    """A resident with an e-mail path and one region."""
    number = 9001 + index
    return {
        "id": _FIRST_FILLER_CONTACT_ID + index,
        "externalId": f"E-{number}",
        "firstName": _FIRST_NAMES[index % len(_FIRST_NAMES)],
        "lastName": _LAST_NAMES[index % len(_LAST_NAMES)],
        "recordTypeId": 1100000000000002,
        "country": "GB",
        "groups": [_FIRST_FILLER_GROUP_ID + index % FILLER_GROUPS],
        "paths": [
            {
                "pathId": 241901148045316,
                "value": f"contact{number}@example.org",
                "waitTime": 0,
                "skipValidation": False,
                "pathEnable": True,
                "status": "A",
            }
        ],
    }
