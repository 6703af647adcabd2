"""The lists of names that records need, read for all records of a request at once."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gateway.errors import BackendFailure

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gateway.backends.adapter import Adapter, Stored
    from gateway.entries import Catalog, CatalogName
    from gateway.model import Backend
    from gateway.results import Problem
    from gateway.upstream import Exchange


@dataclass(kw_only=True)
class Names:
    """What one backend's lists say."""

    catalogs: dict[CatalogName, Catalog] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    """Lists that could not be read: ids stand for their names."""


async def read_names(
    records: Iterable[tuple[Adapter, Stored]], exchange: Exchange
) -> Mapping[Backend, Names]:
    """The lists of each backend that has records; one that lacks an id is read anew once."""
    held: dict[Backend, list[Stored]] = defaultdict(list)
    adapters: dict[Backend, Adapter] = {}
    for adapter, stored in records:
        held[adapter.backend].append(stored)
        adapters[adapter.backend] = adapter
    read = await asyncio.gather(
        *(_of_backend(adapters[backend], stored, exchange) for backend, stored in held.items())
    )
    return dict(zip(held, read, strict=True))


async def _of_backend(adapter: Adapter, stored: Sequence[Stored], exchange: Exchange) -> Names:
    names = Names()
    shown: dict[CatalogName, set[str]] = defaultdict(set)
    for record in stored:
        for name, entry_id in adapter.ids_shown(record):
            shown[name].add(entry_id)

    async def read(name: CatalogName) -> None:
        try:
            catalog = await adapter.catalogs.read(name, exchange)
        except BackendFailure as failure:
            names.problems.append(_unread(name, adapter.backend, failure.problem))
            return
        if not shown[name] <= catalog.by_id.keys():
            catalog = await adapter.catalogs.reread(name, catalog, exchange)
        names.catalogs[name] = catalog

    await asyncio.gather(*map(read, adapter.record_catalogs))
    return names


def _unread(name: CatalogName, backend: Backend, problem: Problem) -> Problem:
    return replace(
        problem,
        backend=backend,
        message=f"{backend.value}'s {name.value} could not be read, so their ids stand for their "
        f"names: {problem.message}",
    )
