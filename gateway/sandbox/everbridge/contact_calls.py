"""The contact calls (section 3.1): from a request to the rules and back to an envelope."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.sandbox.everbridge.call import Call, Row, instance
from gateway.sandbox.everbridge.errors import contact_not_found, contact_not_readable
from gateway.sandbox.everbridge.paging import read_page_wish
from gateway.sandbox.everbridge.search import Search, find_contacts, members
from gateway.sandbox.everbridge.values import JsonObject, read_list, read_long, read_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gateway.sandbox.everbridge.contacts import Contacts
    from gateway.sandbox.everbridge.groups import Groups
    from gateway.sandbox.everbridge.paging import PageWish
    from gateway.sandbox.everbridge.store import Store


class ContactCalls:
    """Answers for `/contacts/...`."""

    def __init__(self, store: Store, contacts: Contacts, groups: Groups) -> None:
        self._store = store
        self._contacts = contacts
        self._groups = groups

    def rows(self) -> list[Row]:
        """The routes, more special ones first; an external id may hold slashes."""
        return [
            Row("GET", "/contacts/groups/{organization}", self._members),
            Row("POST", "/contacts/{organization}/query", self._query),
            Row("POST", "/contacts/{organization}/batch", self._create_batch),
            Row("PUT", "/contacts/{organization}/batch", self._update_batch),
            Row("DELETE", "/contacts/{organization}/batch", self._delete_batch),
            Row("GET", "/contacts/{organization}", self._list),
            Row("GET", "/contacts/{organization}/", self._list),
            Row("POST", "/contacts/{organization}", self._upsert),
            Row("POST", "/contacts/{organization}/", self._upsert),
            Row("GET", "/contacts/{organization}/{key:path}", self._read),
            Row("PUT", "/contacts/{organization}/{key:path}", self._replace),
            Row("PATCH", "/contacts/{organization}/{key:path}", self._patch),
            Row("DELETE", "/contacts/{organization}/{key:path}", self._delete),
        ]

    def _list(self, call: Call) -> JsonObject:
        search = Search(
            contact_ids=_longs(call.query_list("contactIds"), "contactIds"),
            external_ids=call.query_list("externalIds"),
            group_ids=_longs(call.query_list("groupIds"), "groupIds"),
            contact_filter_ids=_longs(call.query_list("contactFilterIds"), "contactFilterIds"),
            any_criterion=call.choice("searchType", ("AND", "OR")) == "OR",
            sort_by=call.query("sortBy"),
            direction=call.query("direction"),
        )
        return self._found(call, search, call.page_wish())

    def _query(self, call: Call) -> JsonObject:
        """The same as list, with the parameters as JSON; it has no searchType."""
        body = call.object()
        names = _listed(body, "externalIds")
        search = Search(
            contact_ids=_longs(_listed(body, "contactIds"), "contactIds"),
            external_ids=names and [read_text(name, "externalIds") for name in names],
            group_ids=_longs(_listed(body, "groupIds"), "groupIds"),
            contact_filter_ids=_longs(_listed(body, "contactFilterIds"), "contactFilterIds"),
            sort_by=body.get("sortBy"),
            direction=body.get("direction"),
        )
        return self._found(
            call, search, read_page_wish(body.get("pageNumber"), body.get("pageSize"))
        )

    def _found(self, call: Call, search: Search, wish: PageWish) -> JsonObject:
        lag = call.switches["search_lag_seconds"]
        ignore_filters = call.switches["ignore_filters"]
        among = self._store.contacts.values() if ignore_filters else self._among(search)
        found = find_contacts(
            (each for each in among if self._store.shown_since(each, lag)),
            search,
            ignore_filters=ignore_filters,
        )
        return self._page(call, found, wish)

    def _among(self, search: Search) -> Iterable[JsonObject]:
        """Those that a search can find: with ids to be met, the few that have one of them."""
        store = self._store
        if search.any_criterion:
            return store.contacts.values()
        if search.contact_ids is not None:
            wanted = [store.contacts.get(each) for each in dict.fromkeys(search.contact_ids)]
        elif search.external_ids is not None:
            names = dict.fromkeys(search.external_ids)
            wanted = [store.contact_with_external_id(each) for each in names]
        else:
            return store.contacts.values()
        return [contact for contact in wanted if contact is not None]

    def _members(self, call: Call) -> JsonObject:
        """Members of a group, named by `groupId` or, as the spec's table says, `groupIds`."""
        by = call.choice("byType", ("id", "name"))
        key = call.query("groupName") if by == "name" else None
        key = key or call.query("groupId") or call.query("groupIds") or call.query("groupName")
        group = self._groups.find(key or "", "name" if by == "name" or not key else "id")
        found = members(self._store.contacts.values(), group)
        return self._page(call, found, call.page_wish())

    def _page(self, call: Call, found: Sequence[JsonObject], wish: PageWish) -> JsonObject:
        envelope = call.page(found, wish)
        data = envelope["page"].get("data")
        if data:
            envelope["page"]["data"] = [self._contacts.shown(contact) for contact in data]
        return envelope

    def _read(self, call: Call) -> JsonObject:
        contact = self._contacts.find(call.path("key"), call.id_type)
        if contact is None:
            raise contact_not_readable(call.path("key"))
        shown = self._contacts.shown(contact)
        return shown if call.switches["bare_contact"] else instance(shown)

    def _upsert(self, call: Call) -> JsonObject:
        return call.modified("contacts", self._contacts.upsert(call.object()))

    def _replace(self, call: Call) -> JsonObject:
        contact_id = self._contacts.replace(self._stored(call), call.object())
        return call.modified("contacts", contact_id)

    def _patch(self, call: Call) -> JsonObject:
        contact_id = self._contacts.patch(self._stored(call), read_list(call.body))
        return call.modified("contacts", contact_id)

    def _delete(self, call: Call) -> JsonObject:
        return call.modified("contacts", self._contacts.delete(self._stored(call)))

    def _create_batch(self, call: Call) -> JsonObject:
        """The old `version` parameter is taken and ignored."""
        rows = call.array()
        return self._batch(call, self._contacts.upsert_rows(rows))

    def _update_batch(self, call: Call) -> JsonObject:
        rows = call.array()
        full = call.choice("updateType", ("partial", "full")) == "full"
        return self._batch(call, self._contacts.update_rows(rows, call.id_type, full=full))

    def _batch(self, call: Call, failures: Sequence[str]) -> JsonObject:
        """The codes of rows; where none is stored because of one, all have failed."""
        atomic = bool(failures) and call.switches["batch_atomic"]
        return call.batch(failures, of=len(failures) if atomic else len(call.array()))

    def _delete_batch(self, call: Call) -> JsonObject:
        self._contacts.delete_all(call.array(), call.id_type, call.organization)
        return call.batch([])

    def _stored(self, call: Call) -> JsonObject:
        contact = self._contacts.find(call.path("key"), call.id_type)
        if contact is None:
            raise contact_not_found(call.path("key"))
        return contact


def _listed(body: JsonObject, name: str) -> list[Any] | None:
    """ASSUMED: an empty array counts as missing, as an empty parameter does."""
    value = body.get(name)
    return None if value is None else read_list(value) or None


def _longs(values: Sequence[object] | None, name: str) -> list[int] | None:
    return None if values is None else [read_long(value, name) for value in values]
