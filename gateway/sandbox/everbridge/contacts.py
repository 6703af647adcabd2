"""Writing contacts: replace, merge, patch, delete, and the batch calls (sections 3.1 and 5)."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from gateway.sandbox.everbridge import patch
from gateway.sandbox.everbridge.attributes import show_attribute_values
from gateway.sandbox.everbridge.errors import (
    EverbridgeError,
    contact_not_found,
    contacts_not_in_organization,
    invalid,
)
from gateway.sandbox.everbridge.fields import (
    REQUIRED,
    SERVER_FIELDS,
    check_strictly,
    read_fields,
)
from gateway.sandbox.everbridge.paths import with_kept_quiet_times
from gateway.sandbox.everbridge.values import JsonObject, read_long, read_object, read_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gateway.sandbox.everbridge.store import Store

USER_ID = 1700000000000001
USER_NAME = "sandbox"


class Contacts:
    """The rules of contacts over the store. Each write is checked in full before it is stored."""

    def __init__(self, store: Store, switches: Mapping[str, Any]) -> None:
        self._store = store
        self._switches = switches

    def find(self, key: object, id_type: str) -> JsonObject | None:
        """The contact with that id or, for idType externalId, that external id."""
        if id_type == "externalId":
            return self._store.contact_with_external_id(read_text(key, "externalId"))
        return self._store.contacts.get(read_long(key, "id"))

    def shown(self, contact: JsonObject) -> JsonObject:
        """The contact as it is read.

        ASSUMED: empty arrays are left out, paths come without prompt, the record type without name.
        """
        attributes = show_attribute_values(
            contact.get("contactAttributes", []),
            self._store,
            numbers_as_numbers=self._switches["numbers_as_numbers"],
        )
        whole = {**contact, "contactAttributes": attributes}
        return {name: value for name, value in whole.items() if value != []}

    def upsert(self, body: JsonObject) -> int:
        """POST: overwrite the contact with that externalId, or make one (rule 15).

        ASSUMED: the groups of an overwritten contact are kept, as in a PUT.
        """
        external_id = body.get("externalId")
        if not external_id:
            raise invalid("externalId is required.")
        stored = self._store.contact_with_external_id(read_text(external_id, "externalId"))
        return self._keep(self._replaced(stored, body))

    def replace(self, stored: JsonObject, body: JsonObject) -> int:
        """PUT: what the body leaves out is gone, but for groups and quiet times."""
        return self._keep(self._replaced(stored, body))

    def merge(self, stored: JsonObject, body: JsonObject) -> int:
        """Batch PUT with updateType partial.

        ASSUMED: only the fields that are there are written; an array replaces the stored one, but
        groups are added to and absent quiet times kept. A null empties a field.
        """
        fields = read_fields(body, self._store, self._switches)
        return self._keep(self._laid_over(stored, {**stored, **fields}, fields))

    def patch(self, stored: JsonObject, operations: Sequence[Any]) -> int:
        """PATCH, all operations or none (ASSUMED); memberships can be removed here."""
        document = self._patchable(stored)
        patch.apply(document, operations, self._group_id)
        fields = read_fields(document, self._store, self._switches)
        kept = {name: stored[name] for name in SERVER_FIELDS if name in stored}
        changed = {name: value for name, value in {**kept, **fields}.items() if value is not None}
        # Against no stored paths: quiet times that an operation has taken out stay out.
        changed["paths"] = with_kept_quiet_times(changed.get("paths", []), [])
        if not _lacks_timezone(stored) and _lacks_timezone(changed):
            raise invalid("timezoneId is required with quietTimeFrames.")
        self._check(changed)
        return self._keep(changed)

    def delete(self, contact: JsonObject) -> int:
        """DELETE one contact; it is invisible from now on, in its groups too."""
        contact_id: int = contact["id"]
        self._store.forget_contact(contact_id)
        for group in self._store.groups.values():
            group["members"] = [each for each in group.get("members", []) if each != contact_id]
        return contact_id

    def upsert_rows(self, rows: Sequence[Any]) -> list[str]:
        """Batch POST; one text for each row that failed (ASSUMED: the others are stored)."""
        return self._each_row(rows, self.upsert)

    def update_rows(self, rows: Sequence[Any], id_type: str, *, full: bool) -> list[str]:
        """Batch PUT; each row is found by its own `id` or `externalId` (ASSUMED)."""

        def update(row: JsonObject) -> int:
            key = row.get(id_type)
            if key is None:
                raise invalid(f"{id_type} is required.")
            stored = self.find(key, id_type)
            if stored is None:
                raise contact_not_found(str(key))
            return self.replace(stored, row) if full else self.merge(stored, row)

        return self._each_row(rows, update)

    def delete_all(self, keys: Sequence[Any], id_type: str, organization: str) -> None:
        """Batch DELETE: all of them, or 401 and none when one is not there."""
        found = [self.find(str(key), id_type) for key in keys]
        present = {contact["id"]: contact for contact in found if contact is not None}
        if None in found:
            raise contacts_not_in_organization(organization)
        for contact in present.values():
            self.delete(contact)

    def _each_row(self, rows: Sequence[Any], write: Callable[[JsonObject], int]) -> list[str]:
        failures = []
        before = self._store.contacts_now()
        for number, row in enumerate(rows, start=1):
            try:
                self._check_row(read_object(row))
                write(row)
            except EverbridgeError as refusal:
                # ASSUMED: the form of a row's text; it is not documented.
                name = row.get("externalId", row.get("id")) if isinstance(row, dict) else None
                failures.append(f"Row {number} ({name}): {refusal.message}")
        if failures and self._switches["batch_atomic"]:
            self._store.restore_contacts(before)
        return failures

    def _check_row(self, row: JsonObject) -> None:
        """What only batches mind, by switch."""
        if row.get("externalId") in self._switches["batch_skips"]:
            raise invalid("The row was not processed.")
        if self._switches["batch_strict"]:
            check_strictly(row)

    def _replaced(self, stored: JsonObject | None, body: JsonObject) -> JsonObject:
        fields = read_fields(body, self._store, self._switches)
        before = stored or {}
        kept = {name: before[name] for name in SERVER_FIELDS if name in before}
        wanted = {**kept, **fields}
        if self._switches["keep_absent_paths"] and fields.get("paths") is None:
            wanted["paths"] = before.get("paths")
        return self._laid_over(before, wanted, fields)

    def _laid_over(self, stored: JsonObject, wanted: JsonObject, fields: JsonObject) -> JsonObject:
        """`wanted` with the groups and quiet times that a write cannot remove, checked."""
        contact = {name: value for name, value in wanted.items() if value is not None}
        groups = [*stored.get("groups", []), *(fields.get("groups") or [])]
        contact["groups"] = list(dict.fromkeys(groups))
        written = fields.get("paths") or []
        if "paths" in contact:
            contact["paths"] = with_kept_quiet_times(contact["paths"], stored.get("paths", []))
        # Rule 8 speaks of the body. ASSUMED: an empty list, which clears, needs no time zone.
        if any(path.get("quietTimeFrames") for path in written) and not fields.get("timezoneId"):
            raise invalid("timezoneId is required with quietTimeFrames.")
        self._check(contact)
        return contact

    def _check(self, contact: JsonObject) -> None:
        if contact.get("externalId") in self._switches["refuses"]:
            raise invalid(f"Contact {contact['externalId']} is locked by its organization.")
        missing = [name for name in REQUIRED if not contact.get(name)]
        if missing:
            raise invalid(f"{missing[0]} is required.")
        if contact.get("recordTypeId") is None:
            raise invalid("recordTypeId or recordTypeName is required.")
        holder = self._store.contact_with_external_id(contact["externalId"])
        if holder is not None and holder["id"] != contact.get("id"):
            raise invalid(f"externalId {contact['externalId']} is used by another contact.")

    def _keep(self, contact: JsonObject) -> int:
        now = self._store.epoch_ms()
        if "id" not in contact:
            contact |= {
                "id": self._store.next_id("contacts"),
                "organizationId": self._store.organizations[0]["id"],
                "accountId": 0,
                "resourceBundleId": 0,
                "status": "A",
                "createdDate": now,
                "createdId": USER_ID,
                "createdName": USER_NAME,
            }
        contact |= {
            "lastModifiedDate": now,
            "lastModifiedTime": now,
            "lastModifiedId": USER_ID,
            "lastModifiedName": USER_NAME,
        }
        self._store.keep_contact(contact)
        contact_id: int = contact["id"]
        return contact_id

    def _patchable(self, stored: JsonObject) -> JsonObject:
        """What a PATCH works on: the writable fields, with the names that can address elements."""
        document = deepcopy({k: v for k, v in stored.items() if k not in SERVER_FIELDS})
        document["contactAttributes"] = show_attribute_values(
            document.get("contactAttributes", []), self._store, numbers_as_numbers=False
        )
        for path in document.get("paths", []):
            path["prompt"] = self._store.contact_paths[path["pathId"]]["prompt"]
        return document

    def _group_id(self, name: object) -> int:
        group = self._store.group_named(read_text(name, "groupsName"))
        if group is None:
            raise invalid(f"Group {name} is invalid.")
        group_id: int = group["id"]
        return group_id


def _lacks_timezone(contact: JsonObject) -> bool:
    quiet = any(path.get("quietTimeFrames") for path in contact.get("paths", []))
    return quiet and not contact.get("timezoneId")
