"""Subscription groups: the list, and membership changes with an outcome for each contact."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from gateway.sandbox.ivvy import errors
from gateway.sandbox.ivvy.errors import ApiError
from gateway.sandbox.ivvy.parameters import Parameter, read, whole_number, whole_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.sandbox.ivvy.store import Row, Store

MEMBERSHIP: Final = (
    Parameter(name="contacts", convert=whole_numbers, required="always"),
    Parameter(name="group", convert=whole_number, required="always"),
)


def get_subscription_group_list(store: Store, _params: Mapping[str, Any]) -> list[Row]:
    """Answer getSubscriptionGroupList: a bare array, not paged (contract: section 5.5)."""
    counts = Counter(
        membership["groupId"]
        for contact in store.tables["contacts"]
        if not contact.get("deleted")
        for membership in contact["groups"]
    )
    return [
        {
            "id": row["id"],
            "groupName": row["groupName"],
            "memberCount": counts[row["id"]],
            "tagColour": row["tagColour"],
        }
        for row in store.tables["groups"]
    ]


def add_contacts(store: Store, params: Mapping[str, Any]) -> list[Row]:
    """Answer addContactsToSubscriptionGroup."""
    return _change(store, params, member=True)


def remove_contacts(store: Store, params: Mapping[str, Any]) -> list[Row]:
    """Answer removeContactsFromSubscriptionGroup."""
    return _change(store, params, member=False)


def membership(store: Store, stored: list[Row], group_ids: list[int]) -> list[Row]:
    """Give the memberships after a full replacement; those that stay keep their join date."""
    joined = {entry["groupId"]: entry for entry in stored}
    return [
        joined.get(group_id, {"groupId": group_id, "joinDate": store.stamp()})
        for group_id in group_ids
    ]


def _change(store: Store, params: Mapping[str, Any], *, member: bool) -> list[Row]:
    given = read(params, MEMBERSHIP, store.switches)
    if store.get("groups", given["group"]) is None:
        # ASSUMED: the pages name no failure; a per-contact status cannot say this.
        raise ApiError(400, errors.UNKNOWN_GROUP, "Subscription group not found")
    return [
        {"contactId": key, "status": _change_one(store, key, given["group"], member=member)}
        for key in given["contacts"]
    ]


def _change_one(store: Store, key: int, group_id: int, *, member: bool) -> bool:
    # ASSUMED: a contact that is already as asked counts as done.
    contact = store.get("contacts", key)
    if contact is None or key in store.switches["group_refuses"]:
        return False
    kept = [entry["groupId"] for entry in contact["groups"]]
    if (group_id in kept) is not member:
        wanted = [*kept, group_id] if member else [other for other in kept if other != group_id]
        memberships = membership(store, contact["groups"], wanted)
        store.put("contacts", {**contact, "groups": memberships, "modifiedDate": store.stamp()})
    return True
