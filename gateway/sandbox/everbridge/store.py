"""The state of the simulated Everbridge: tables in memory, ids, and the JSON form of it all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from gateway.sandbox.everbridge.seed import seeded_state

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.sandbox.clock import Clock
    from gateway.sandbox.everbridge.values import JsonObject

_FIRST_IDS = {
    "groups": 1200000000001000,
    "contacts": 1300000000001000,
    "record_types": 1100000000001000,
    "attributes": 1400000000001000,
}
"""New objects get the next id of their kind, apart from the seeded ones below these."""


class Store:
    """Tables by id. Contacts hold their group ids; names are looked up when they are shown.

    A deleted contact is forgotten: no call of the API can show or restore it. ASSUMED: a POST with
    its externalId makes a new contact with a new id.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.contacts: dict[int, JsonObject] = {}
        self.groups: dict[int, JsonObject] = {}
        self.record_types: dict[int, JsonObject] = {}
        self.contact_paths: dict[int, JsonObject] = {}
        self.attributes: dict[int, JsonObject] = {}
        self.location_types: list[JsonObject] = []
        self.organizations: list[JsonObject] = []
        self.tokens: dict[str, JsonObject] = {}
        self._last_ids: dict[str, int] = {}
        self._by_external_id: dict[str, int] = {}
        self.reset()

    def reset(self) -> None:
        """Back to the seed data, without tokens."""
        self.load(seeded_state())

    def dump(self) -> dict[str, Any]:
        """A copy of everything, as JSON values."""
        state: dict[str, Any] = {
            "contacts": list(self.contacts.values()),
            "groups": list(self.groups.values()),
            "recordTypes": list(self.record_types.values()),
            "contactPaths": list(self.contact_paths.values()),
            "contactAttributes": list(self.attributes.values()),
            "locationTypes": self.location_types,
            "organizations": self.organizations,
            "tokens": self.tokens,
            "lastIds": self._last_ids,
        }
        copy: dict[str, Any] = orjson.loads(orjson.dumps(state))
        return copy

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over a copy of what `dump` gave."""
        copy = orjson.loads(orjson.dumps(dict(state)))
        self.contacts = {contact["id"]: contact for contact in copy["contacts"]}
        self.groups = {group["id"]: group for group in copy["groups"]}
        self.record_types = {each["id"]: each for each in copy["recordTypes"]}
        self.contact_paths = {each["pathId"]: each for each in copy["contactPaths"]}
        self.attributes = {each["id"]: each for each in copy["contactAttributes"]}
        self.location_types = copy["locationTypes"]
        self.organizations = copy["organizations"]
        self.tokens = copy.get("tokens", {})
        self._last_ids = {**_FIRST_IDS, **copy.get("lastIds", {})}
        self._by_external_id = {each["externalId"]: each["id"] for each in self.contacts.values()}

    def next_id(self, kind: str) -> int:
        """A new id for a row of the table `kind`."""
        self._last_ids[kind] += 1
        return self._last_ids[kind]

    def epoch_ms(self) -> int:
        """The clock's time in milliseconds since 1970."""
        return int(self._clock.now().timestamp() * 1000)

    def contact_with_external_id(self, external_id: str) -> JsonObject | None:
        """The contact that holds `external_id`; capitals count."""
        contact_id = self._by_external_id.get(external_id)
        return None if contact_id is None else self.contacts[contact_id]

    def keep_contact(self, contact: JsonObject) -> None:
        """Store `contact` under its id, in place of what was there."""
        self.forget_contact(contact["id"])
        self.contacts[contact["id"]] = contact
        self._by_external_id[contact["externalId"]] = contact["id"]

    def forget_contact(self, contact_id: int) -> None:
        """Remove a contact, if it is there."""
        stored = self.contacts.pop(contact_id, None)
        if stored is not None:
            del self._by_external_id[stored["externalId"]]

    def contacts_now(self) -> dict[int, JsonObject]:
        """The contacts as they are; a write stores a new object and changes none."""
        return dict(self.contacts)

    def restore_contacts(self, before: Mapping[int, JsonObject]) -> None:
        """Take back all that was stored since `contacts_now` gave these."""
        self.contacts = dict(before)
        self._by_external_id = {each["externalId"]: each["id"] for each in before.values()}

    def shown_since(self, contact: JsonObject, seconds: float) -> bool:
        """Whether a contact was made at least so many seconds ago."""
        age_ms = self.epoch_ms() - int(contact.get("createdDate") or 0)
        return age_ms >= seconds * 1000

    def group_named(self, name: str) -> JsonObject | None:
        """The group of that name. ASSUMED: of several under different parents the oldest."""
        return _named(self.groups, name)

    def record_type_named(self, name: str) -> JsonObject | None:
        """The record type of that name."""
        return _named(self.record_types, name)

    def attribute_named(self, name: str) -> JsonObject | None:
        """The contact attribute of that name."""
        return _named(self.attributes, name)

    def contact_path_prompted(self, prompt: str) -> JsonObject | None:
        """The contact path with that prompt."""
        paths = self.contact_paths.values()
        return next((path for path in paths if path["prompt"] == prompt), None)


def _named(table: Mapping[int, JsonObject], name: str) -> JsonObject | None:
    """ASSUMED: names match exactly, capitals included (contract: everbridge section 5, rule 16)."""
    return next((row for row in table.values() if row["name"] == name), None)
