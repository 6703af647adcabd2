"""Which contacts a list or query call finds, and in what order (section 3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gateway.sandbox.everbridge.errors import invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from gateway.sandbox.everbridge.values import JsonObject

_SORT_FIELDS = ("lastModifiedDate", "externalId", "lastName")


@dataclass(frozen=True, kw_only=True)
class Search:
    """The criteria of a call; None is a criterion that was not given."""

    contact_ids: Collection[int] | None = None
    external_ids: Collection[str] | None = None
    group_ids: Collection[int] | None = None
    contact_filter_ids: Collection[int] | None = None
    any_criterion: bool = False
    sort_by: str | None = None
    direction: str | None = None


def find_contacts(
    contacts: Iterable[JsonObject], search: Search, *, ignore_filters: bool
) -> list[JsonObject]:
    """The contacts that meet all criteria (with `any_criterion`, one of them), sorted.

    Contact filters are not simulated: none exists, so that their criterion meets nothing.
    """
    criteria: list[Callable[[JsonObject], bool]] = []
    if search.contact_ids is not None and not ignore_filters:
        contact_ids = frozenset(search.contact_ids)
        criteria.append(lambda contact: contact["id"] in contact_ids)
    if search.external_ids is not None and not ignore_filters:
        external_ids = frozenset(search.external_ids)
        criteria.append(lambda contact: contact["externalId"] in external_ids)
    if search.group_ids is not None:
        group_ids = frozenset(search.group_ids)
        criteria.append(lambda contact: not group_ids.isdisjoint(contact.get("groups", [])))
    if search.contact_filter_ids is not None:
        criteria.append(lambda _contact: False)
    meets = any if search.any_criterion and criteria else all
    found = [contact for contact in contacts if meets(test(contact) for test in criteria)]
    return _sorted(found, search.sort_by, search.direction)


def members(contacts: Iterable[JsonObject], group: JsonObject) -> list[JsonObject]:
    """A group's contacts; those of a sequenced group in its order, each with its `seq`."""
    found = sorted(
        (contact for contact in contacts if group["id"] in contact.get("groups", [])),
        key=lambda contact: int(contact["id"]),
    )
    if not group["enableSequencedContact"]:
        return found
    place = {contact_id: seq for seq, contact_id in enumerate(group["members"], start=1)}
    placed = [
        {**contact, "seq": place[contact["id"]]} for contact in found if contact["id"] in place
    ]
    later = [contact for contact in found if contact["id"] not in place]
    return [*sorted(placed, key=lambda contact: int(contact["seq"])), *later]


def _sorted(
    contacts: list[JsonObject], sort_by: str | None, direction: str | None
) -> list[JsonObject]:
    """By id where nothing else is asked for (ASSUMED); `lastModifiedDate` alone is newest first."""
    if sort_by not in (None, *_SORT_FIELDS):
        raise invalid(f"sortBy {sort_by} is invalid.")
    if direction not in (None, "ASC", "DESC"):
        raise invalid(f"direction {direction} is invalid.")

    def key(contact: JsonObject) -> Any:
        return contact["id"] if sort_by is None else (contact[sort_by], contact["id"])

    default = "DESC" if sort_by == "lastModifiedDate" else "ASC"
    return sorted(contacts, key=key, reverse=(direction or default) == "DESC")
