"""The look-up calls (section 3.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.sandbox.everbridge.call import Call, Row, instance

if TYPE_CHECKING:
    from gateway.sandbox.everbridge.lookups import Lookups
    from gateway.sandbox.everbridge.store import Store
    from gateway.sandbox.everbridge.values import JsonObject


class LookupCalls:
    """Answers for record types, contact paths, attributes, location types and organizations."""

    def __init__(self, store: Store, lookups: Lookups) -> None:
        self._store = store
        self._lookups = lookups

    def rows(self) -> list[Row]:
        """The routes."""
        return [
            Row("GET", "/organizations", self._organizations),
            Row("GET", "/locationTypes/{organization}", self._location_types),
            Row("GET", "/contactPaths/{organization}", self._contact_paths),
            Row("GET", "/contactPaths/{organization}/{key}", self._contact_path),
            Row("GET", "/recordTypes/{organization}", self._record_types),
            Row("POST", "/recordTypes/{organization}", self._create_record_type),
            Row("GET", "/recordTypes/{organization}/{key}", self._record_type),
            Row("PUT", "/recordTypes/{organization}/{key}", self._update_record_type),
            Row("DELETE", "/recordTypes/{organization}/{key}", self._delete_record_type),
            Row("GET", "/contactAttributes/{organization}", self._attributes),
            Row("POST", "/contactAttributes/{organization}", self._create_attribute),
            Row("GET", "/contactAttributes/{organization}/{key}", self._attribute),
            Row("PUT", "/contactAttributes/{organization}/{key}", self._update_attribute),
            Row("DELETE", "/contactAttributes/{organization}/{key}", self._delete_attribute),
        ]

    def _organizations(self, call: Call) -> JsonObject:
        return call.all_rows(self._store.organizations)

    def _location_types(self, call: Call) -> JsonObject:
        return call.all_rows(self._store.location_types)

    def _contact_paths(self, call: Call) -> JsonObject:
        return call.all_rows(list(self._store.contact_paths.values()), start=1)

    def _contact_path(self, call: Call) -> JsonObject:
        return instance(self._lookups.contact_path(call.path("key"), call.organization))

    def _record_types(self, call: Call) -> JsonObject:
        shown = map(self._lookups.record_type_shown, self._store.record_types.values())
        return call.all_rows(list(shown))

    def _record_type(self, call: Call) -> JsonObject:
        record_type = self._lookups.record_type(call.path("key"))
        return instance(self._lookups.record_type_shown(record_type))

    def _create_record_type(self, call: Call) -> JsonObject:
        return call.modified("recordTypes", self._lookups.write_record_type(call.object(), None))

    def _update_record_type(self, call: Call) -> JsonObject:
        stored = self._lookups.record_type(call.path("key"))
        return call.modified("recordTypes", self._lookups.write_record_type(call.object(), stored))

    def _delete_record_type(self, call: Call) -> JsonObject:
        stored = self._lookups.record_type(call.path("key"))
        return call.modified("recordTypes", self._lookups.delete_record_type(stored))

    def _attributes(self, call: Call) -> JsonObject:
        return call.all_rows(list(self._store.attributes.values()), start=1)

    def _attribute(self, call: Call) -> JsonObject:
        attribute = self._lookups.attribute(call.path("key"))
        if call.switches["attribute_as_collection"]:
            return call.all_rows([attribute], start=1)
        return instance(attribute)

    def _create_attribute(self, call: Call) -> JsonObject:
        return call.modified(
            "contactAttributes", self._lookups.write_attribute(call.object(), None)
        )

    def _update_attribute(self, call: Call) -> JsonObject:
        stored = self._lookups.attribute(call.path("key"))
        written = self._lookups.write_attribute(call.object(), stored)
        return call.modified("contactAttributes", written)

    def _delete_attribute(self, call: Call) -> JsonObject:
        stored = self._lookups.attribute(call.path("key"))
        return call.modified("contactAttributes", self._lookups.delete_attribute(stored))
