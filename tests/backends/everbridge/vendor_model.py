"""What Everbridge does with a PUT and a membership call, by the contract alone.

Two worlds with the same rules: a model that keeps every JSON value as it came, so that fields which
nobody knows can be watched, and the simulated Everbridge, which also refuses what the vendor does.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any, Protocol

from gateway.sandbox.clock import ManualClock
from gateway.sandbox.everbridge.contacts import Contacts
from gateway.sandbox.everbridge.groups import Groups
from gateway.sandbox.everbridge.store import Store
from gateway.sandbox.everbridge.switches import defaults

if TYPE_CHECKING:
    from gateway.calls import Call

SERVER = ("id", "organizationId", "createdDate", "lastModifiedDate", "status")


class World(Protocol):
    """Where one contact is kept."""

    def read(self) -> dict[str, Any]:
        """The contact as a GET shows it."""
        ...

    def send(self, call: Call) -> None:
        """Carry out a writing call."""
        ...


class Model:
    """Rules 1 to 8 and 18 of the contract's section 5, over any JSON."""

    def __init__(self, contact: dict[str, Any]) -> None:
        self._contact = deepcopy(contact)

    def read(self) -> dict[str, Any]:
        return deepcopy(self._contact)

    def send(self, call: Call) -> None:
        body = deepcopy(call.body)
        if call.method == "DELETE":
            assert body == [self._contact["id"]]
            left = int(dict(call.query)["groupId"])
            self._contact["groups"] = [each for each in self._contact["groups"] if each != left]
            return
        assert call.method == "PUT"
        assert call.path.endswith(f"/{self._contact['id']}")
        before = self._contact
        after = {name: value for name, value in body.items() if name not in SERVER}
        after |= {name: before[name] for name in SERVER if name in before}
        groups = [*before.get("groups", []), *body.get("groups", [])]
        after["groups"] = list(dict.fromkeys(groups))
        if "paths" in body:
            after["paths"] = [self._kept(path) for path in body["paths"]]
            quiet = any(path.get("quietTimeFrames") for path in body["paths"])
            assert body.get("timezoneId") or not quiet, "rule 8"
        self._contact = after

    def _kept(self, path: dict[str, Any]) -> dict[str, Any]:
        """Rules 6 and 7: absent quiet times are those of the stored path with this pathId."""
        if "quietTimeFrames" in path:
            return path
        stored = [
            each["quietTimeFrames"]
            for each in self._contact.get("paths", [])
            if each["pathId"] == path["pathId"] and each.get("quietTimeFrames")
        ]
        return {**path, "quietTimeFrames": stored[0]} if stored else path


class Simulated:
    """The simulated Everbridge's own rules, without its HTTP side."""

    _store = Store(ManualClock())

    def __init__(self, contact: dict[str, Any]) -> None:
        self._store.contacts.clear()
        self._store._by_external_id.clear()
        self._store.keep_contact(deepcopy(contact))
        self._id: int = contact["id"]
        self._contacts = Contacts(self._store, defaults())
        self._groups = Groups(self._store, self._contacts)

    def read(self) -> dict[str, Any]:
        return deepcopy(self._contacts.shown(self._store.contacts[self._id]))

    def send(self, call: Call) -> None:
        body = deepcopy(call.body)
        if call.method == "DELETE":
            group = self._groups.find(dict(call.query)["groupId"], "id")
            assert self._groups.remove(group, body, "id") == []
            return
        self._contacts.replace(self._store.contacts[self._id], body)
