"""Groups by their ids where names are asked for: a record shows so what has left its list. Pure."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.entries import CatalogName, Entry

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from gateway.names import Resolution

LIKE_AN_ID = re.compile(r"[0-9]{1,16}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def maybe_ids(resolution: Resolution) -> list[str]:
    """Unknown names of groups that may be the ids of groups which the record is in."""
    return [
        name
        for catalog, name in resolution.missing
        if catalog is CatalogName.GROUPS and LIKE_AN_ID.fullmatch(name)
    ]


def held_ids(resolution: Resolution, shown: Iterable[tuple[CatalogName, str]]) -> list[str]:
    """Unknown names of groups that are ids which the record shows.

    It shows so a group that has left its list, and any group while the list cannot be read.
    """
    return [
        entry_id
        for catalog, entry_id in shown
        if catalog is CatalogName.GROUPS and (catalog, entry_id) in resolution.missing
    ]


def with_held(resolution: Resolution, ids: Collection[str]) -> Resolution:
    """The resolution, in which these groups are known by their ids."""
    if not ids:
        return resolution
    found = {(CatalogName.GROUPS, each): Entry(id=each, name=each) for each in ids}
    missing = {key: near for key, near in resolution.missing.items() if key not in found}
    return replace(resolution, found={**resolution.found, **found}, missing=missing)
