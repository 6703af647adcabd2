"""Groups and who is in them (section 3.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.sandbox.everbridge.contacts import USER_ID, USER_NAME
from gateway.sandbox.everbridge.errors import group_not_found, invalid
from gateway.sandbox.everbridge.values import JsonObject, read_long, read_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.sandbox.everbridge.contacts import Contacts
    from gateway.sandbox.everbridge.store import Store

_ROOT = -1


class Groups:
    """The rules of groups over the store; a membership is written in its contact."""

    def __init__(self, store: Store, contacts: Contacts) -> None:
        self._store = store
        self._contacts = contacts

    def find(self, key: object, by: str) -> JsonObject:
        """The group with that id or, with `by` name, that name; 404 when there is none."""
        if by == "name":
            group = self._store.group_named(str(key))
        else:
            group = self._store.groups.get(read_long(key, "groupId"))
        if group is None:
            raise group_not_found(str(key))
        return group

    def shown(self, group: JsonObject) -> JsonObject:
        """The group as it is read."""
        return {name: value for name, value in group.items() if name != "members"}

    def create(self, body: JsonObject) -> int:
        """Make a group from `name`, `parentId`, `description` and `calendarId`."""
        fields = self._read(body, own_id=None)
        now = self._store.epoch_ms()
        group: JsonObject = {
            "id": self._store.next_id("groups"),
            "organizationId": self._store.organizations[0]["id"],
            "accountId": 0,
            "resourceBundleId": 0,
            "status": "A",
            "dirty": False,
            "enableSequencedContact": False,
            "createdDate": now,
            "createdId": USER_ID,
            "createdName": USER_NAME,
            "lastSynchronizedTime": now,
            "members": [],
        }
        return self._keep({**group, **fields})

    def replace(self, group: JsonObject, body: JsonObject) -> int:
        """Give a group new fields. ASSUMED: what the body leaves out is gone, as in a contact."""
        fields = self._read(body, own_id=group["id"])
        optional = ("description", "calendarId")
        kept = {name: value for name, value in group.items() if name not in optional}
        return self._keep({**kept, **fields})

    def delete(self, group: JsonObject) -> int:
        """Remove a group and its memberships. ASSUMED: groups below it move to the root."""
        group_id: int = group["id"]
        del self._store.groups[group_id]
        for below in self._store.groups.values():
            if below["parentId"] == group_id:
                below["parentId"] = _ROOT
        for contact in self._store.contacts.values():
            _leave(contact, group_id)
        return group_id

    def add(self, group: JsonObject, keys: Sequence[Any], id_type: str) -> list[str]:
        """Put contacts into a group; one text for each key that is no contact.

        ASSUMED: to add a member again changes nothing and is no error.
        """
        found, unknown = self._find_contacts(keys, id_type)
        for contact in found:
            if group["id"] not in contact.get("groups", []):
                contact["groups"] = [*contact.get("groups", []), group["id"]]
        if group["enableSequencedContact"]:
            ids = [*group["members"], *(contact["id"] for contact in found)]
            group["members"] = list(dict.fromkeys(ids))
        return unknown

    def remove(self, group: JsonObject, keys: Sequence[Any], id_type: str) -> list[str]:
        """Take contacts out of a group; one text for each key that is no contact.

        ASSUMED: to remove a contact that is no member changes nothing and is no error.
        """
        found, unknown = self._find_contacts(keys, id_type)
        for contact in found:
            _leave(contact, group["id"])
        gone = {contact["id"] for contact in found}
        group["members"] = [each for each in group["members"] if each not in gone]
        return unknown

    def arrange(self, group: JsonObject, keys: Sequence[Any], id_type: str) -> list[str]:
        """Make exactly these contacts, in this order, the members of a sequenced group.

        ASSUMED: the call makes a plain group a sequenced one; with an unknown contact the others
        are still arranged.
        """
        found, unknown = self._find_contacts(keys, id_type)
        group["enableSequencedContact"] = True
        group["members"] = list(dict.fromkeys(contact["id"] for contact in found))
        for contact in self._store.contacts.values():
            _leave(contact, group["id"])
        for contact in found:
            contact["groups"] = [*contact.get("groups", []), group["id"]]
        return unknown

    def _find_contacts(
        self, keys: Sequence[Any], id_type: str
    ) -> tuple[list[JsonObject], list[str]]:
        """The contacts, each once, and a text for every key without one (ASSUMED text)."""
        by_id: dict[int, JsonObject] = {}
        unknown = []
        for key in keys:
            contact = self._contacts.find(str(key), id_type)
            if contact is None:
                unknown.append(f"Contact {key} not found.")
            else:
                by_id[contact["id"]] = contact
        return list(by_id.values()), unknown

    def _read(self, body: JsonObject, own_id: int | None) -> JsonObject:
        """The writable fields. ASSUMED: a name is unique under its parent."""
        if not body.get("name"):
            raise invalid("name is required.")
        parent = body.get("parentId")
        fields: JsonObject = {
            "name": read_text(body["name"], "name"),
            "parentId": _ROOT if parent is None else read_long(parent, "parentId"),
        }
        if fields["parentId"] != _ROOT and fields["parentId"] not in self._store.groups:
            raise invalid(f"Group {fields['parentId']} is invalid.")
        if fields["parentId"] == own_id:
            raise invalid("A group cannot be its own parent.")
        for group in self._store.groups.values():
            place = (group["name"], group["parentId"])
            if place == (fields["name"], fields["parentId"]) and group["id"] != own_id:
                raise invalid(f"Group {fields['name']} exists.")
        if body.get("description") is not None:
            fields["description"] = read_text(body["description"], "description")
        if body.get("calendarId") is not None:
            fields["calendarId"] = read_long(body["calendarId"], "calendarId")
        return fields

    def _keep(self, group: JsonObject) -> int:
        now = self._store.epoch_ms()
        group |= {
            "lastModifiedDate": now,
            "lastModifiedTime": now,
            "lastModifiedId": USER_ID,
            "lastModifiedName": USER_NAME,
        }
        self._store.groups[group["id"]] = group
        group_id: int = group["id"]
        return group_id


def _leave(contact: JsonObject, group_id: int) -> None:
    contact["groups"] = [each for each in contact.get("groups", []) if each != group_id]
