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
    return [name for name in _unknown(resolution) if LIKE_AN_ID.fullmatch(name)]


def held_ids(resolution: Resolution, shown: Iterable[tuple[CatalogName, str]]) -> list[str]:
    """Unknown names of groups that are ids which the record shows."""
    unknown = _unknown(resolution)
    return [each for name, each in shown if name is CatalogName.GROUPS and each in unknown]


def _unknown(resolution: Resolution) -> list[str]:
    """Names of groups that are neither a name nor an id of the list.

    A number may be the name of a group elsewhere and the id of one here: a group that has a name
    goes by that alone.
    """
    listed = resolution.catalogs.get(CatalogName.GROUPS)
    return [
        name
        for catalog, name in resolution.missing
        if catalog is CatalogName.GROUPS and not (listed and name in listed.by_id)
    ]


def with_held(resolution: Resolution, ids: Collection[str]) -> Resolution:
    """The resolution, in which these groups are known by their ids."""
    if not ids:
        return resolution
    found = {(CatalogName.GROUPS, each): Entry(id=each, name=each) for each in ids}
    missing = {key: near for key, near in resolution.missing.items() if key not in found}
    return replace(resolution, found={**resolution.found, **found}, missing=missing)
