"""The group calls (section 3.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.sandbox.everbridge.call import Call, Row, instance

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.sandbox.everbridge.groups import Groups
    from gateway.sandbox.everbridge.store import Store
    from gateway.sandbox.everbridge.values import JsonObject


class GroupCalls:
    """Answers for `/groups/...`."""

    def __init__(self, store: Store, groups: Groups) -> None:
        self._store = store
        self._groups = groups

    def rows(self) -> list[Row]:
        """The routes, more special ones first; a group's name may hold slashes."""
        groups = self._groups
        return [
            Row("GET", "/groups/{organization}", self._list),
            Row("POST", "/groups/{organization}", self._create),
            Row("GET", "/groups/{organization}/pagination", self._pages),
            Row(
                "POST", "/groups/{organization}/contacts/sequence", self._membership(groups.arrange)
            ),
            Row("POST", "/groups/{organization}/contacts", self._membership(groups.add)),
            Row("DELETE", "/groups/{organization}/contacts", self._membership(groups.remove)),
            Row("GET", "/groups/{organization}/{key:path}", self._read),
            Row("PUT", "/groups/{organization}/{key}", self._replace),
            Row("DELETE", "/groups/{organization}/{key}", self._delete),
        ]

    def _list(self, call: Call) -> JsonObject:
        return call.all_rows([self._groups.shown(group) for group in self._store.groups.values()])

    def _pages(self, call: Call) -> JsonObject:
        shown = [self._groups.shown(group) for group in self._store.groups.values()]
        return call.page(shown, call.page_wish())

    def _read(self, call: Call) -> JsonObject:
        group = self._groups.find(call.path("key"), call.choice("queryType", ("id", "name")))
        return instance(self._groups.shown(group))

    def _create(self, call: Call) -> JsonObject:
        return call.modified("groups", self._groups.create(call.object()))

    def _replace(self, call: Call) -> JsonObject:
        group = self._groups.find(call.path("key"), "id")
        return call.modified("groups", self._groups.replace(group, call.object()))

    def _delete(self, call: Call) -> JsonObject:
        group = self._groups.find(call.path("key"), "id")
        return call.modified("groups", self._groups.delete(group))

    def _membership(
        self, change: Callable[[JsonObject, Sequence[Any], str], list[str]]
    ) -> Callable[[Call], JsonObject]:
        """An answer that applies `change` to the group of the query and the contacts of the body.

        ASSUMED: code 200 when a contact is unknown, even when all are.
        """

        def answer(call: Call) -> JsonObject:
            by = call.choice("byType", ("id", "name"))
            key = call.query("groupName" if by == "name" else "groupId")
            group = self._groups.find(key or "", "name" if key is None else by)
            return call.batch(change(group, call.array(), call.id_type))

        return answer
