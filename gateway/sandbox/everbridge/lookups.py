"""Record types, contact attributes and contact paths: what a contact write refers to (section 3.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.sandbox.everbridge.attributes import LONGEST_NAME
from gateway.sandbox.everbridge.errors import (
    attribute_not_found,
    contact_path_not_found,
    invalid,
    record_type_not_found,
)
from gateway.sandbox.everbridge.values import (
    JsonObject,
    read_boolean,
    read_list,
    read_long,
    read_text,
)

if TYPE_CHECKING:
    from gateway.sandbox.everbridge.store import Store

_DATA_TYPES = ("STRING", "NUMBER", "DATE")
_DISPLAY_FORMATS = ("F", "L", "S")
_PORTAL_FLAGS = ("mandatory", "editable", "expose")


class Lookups:
    """Reading them, and writing the two kinds that can be written by API."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def contact_path(self, key: str, organization: str) -> JsonObject:
        """A contact path. ASSUMED: by its pathId or by the id of its row."""
        number = read_long(key, "id")
        for path in self._store.contact_paths.values():
            if number in (path["pathId"], path["id"]):
                return path
        raise contact_path_not_found(key, organization)

    def record_type(self, key: str) -> JsonObject:
        """A record type, 404 when there is none."""
        found = self._store.record_types.get(read_long(key, "id"))
        if found is None:
            raise record_type_not_found(key)
        return found

    def record_type_shown(self, record_type: JsonObject) -> JsonObject:
        """The record type as it is read, with the number of its contacts."""
        contacts = self._store.contacts.values()
        count = sum(contact["recordTypeId"] == record_type["id"] for contact in contacts)
        return {**record_type, "cachedContactCount": count}

    def write_record_type(self, body: JsonObject, stored: JsonObject | None) -> int:
        """Create or rename. ASSUMED: names are unique; a repeated one gets 400."""
        name = body.get("name")
        if not name:
            raise invalid("name is required.")
        holder = self._store.record_type_named(read_text(name, "name"))
        if holder is not None and holder is not stored:
            raise invalid(f"Record type {name} exists.")
        record_type = stored or {
            "id": self._store.next_id("record_types"),
            "organizationId": self._store.organizations[0]["id"],
            "recordType": "CUSTOMIZE",
            "status": "A",
        }
        record_type["name"] = name
        if body.get("fillColor") is not None:
            record_type["fillColor"] = read_text(body["fillColor"], "fillColor")
        record_type_id: int = record_type["id"]
        self._store.record_types[record_type_id] = record_type
        return record_type_id

    def delete_record_type(self, record_type: JsonObject) -> int:
        """Remove it. ASSUMED: not while a contact has it, because a contact must have one."""
        if self.record_type_shown(record_type)["cachedContactCount"]:
            raise invalid(f"Record type {record_type['name']} is in use.")
        record_type_id: int = record_type["id"]
        del self._store.record_types[record_type_id]
        return record_type_id

    def attribute(self, key: str) -> JsonObject:
        """A contact attribute, 404 when there is none."""
        found = self._store.attributes.get(read_long(key, "id"))
        if found is None:
            raise attribute_not_found(key)
        return found

    def write_attribute(self, body: JsonObject, stored: JsonObject | None) -> int:
        """Create or replace a definition. ASSUMED: names are unique; stored values stay."""
        fields = _read_attribute(body)
        holder = self._store.attribute_named(fields["name"])
        if holder is not None and holder is not stored:
            raise invalid(f"Contact attribute {fields['name']} exists.")
        fixed = ("id", "organizationId", "status", "seq")
        base = {name: stored[name] for name in fixed} if stored else self._new_attribute()
        attribute_id: int = base["id"]
        self._store.attributes[attribute_id] = {**base, **fields}
        return attribute_id

    def delete_attribute(self, attribute: JsonObject) -> int:
        """Remove a definition. ASSUMED: with the values that contacts hold of it."""
        attribute_id: int = attribute["id"]
        del self._store.attributes[attribute_id]
        for contact in self._store.contacts.values():
            values = contact.get("contactAttributes", [])
            kept = [each for each in values if each["orgAttrId"] != attribute_id]
            contact["contactAttributes"] = kept
        return attribute_id

    def _new_attribute(self) -> JsonObject:
        return {
            "id": self._store.next_id("attributes"),
            "organizationId": self._store.organizations[0]["id"],
            "status": "A",
            "seq": len(self._store.attributes) + 1,
        }


def _read_attribute(body: JsonObject) -> JsonObject:
    """Name, type and format; definedValues are needed for L and S only, as the page says."""
    if not body.get("name"):
        raise invalid("name is required.")
    data_type, display = body.get("dataType"), body.get("displayFormat")
    if data_type not in _DATA_TYPES:
        raise invalid(f"dataType {data_type} is invalid.")
    if display not in _DISPLAY_FORMATS:
        raise invalid(f"displayFormat {display} is invalid.")
    fields: dict[str, Any] = {
        "name": read_text(body["name"], "name", LONGEST_NAME),
        "dataType": data_type,
        "displayFormat": display,
    }
    if display != "F":
        values = read_list(body.get("definedValues") or [])
        if not values:
            raise invalid(f"definedValues are required for displayFormat {display}.")
        fields["definedValues"] = [read_text(value, "definedValues") for value in values]
    for flag in _PORTAL_FLAGS:
        given = body.get(flag)
        fields[flag] = False if given is None else read_boolean(given, flag)
    return fields
