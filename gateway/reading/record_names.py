"""The lists of names that records need, read for all records of a request at once."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import structlog

from gateway.errors import BackendFailure
from gateway.model import title

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gateway.backends.adapter import Adapter, Stored
    from gateway.entries import Catalog, CatalogName
    from gateway.model import Backend
    from gateway.results import Problem
    from gateway.upstream import Exchange

log = structlog.get_logger()


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
        for name, entry_id in ids_shown(adapter, record):
            shown[name].add(entry_id)

    async def read(name: CatalogName) -> None:
        try:
            catalog = await adapter.catalogs.read(name, exchange)
            names.catalogs[name] = catalog
            if not shown[name] <= catalog.by_id.keys():
                names.catalogs[name] = await adapter.catalogs.reread(name, catalog, exchange)
        except BackendFailure as failure:
            # Of a list that could not be read again, the names that were known stay.
            known = name in names.catalogs
            names.problems.append(_unread(name, adapter.backend, failure.problem, known=known))

    await asyncio.gather(*map(read, adapter.record_catalogs))
    return names


def ids_shown(adapter: Adapter, record: Stored) -> Iterable[tuple[CatalogName, str]]:
    """The ids that a record shows; none of one that cannot be shown, of which is told elsewhere."""
    try:
        return adapter.ids_shown(record)
    except Exception:
        log.debug("ids cannot be read", backend=adapter.backend.value, exc_info=True)
        return ()


def _unread(name: CatalogName, backend: Backend, problem: Problem, *, known: bool) -> Problem:
    how = (
        "read again, so ids stand for names that are new"
        if known
        else "read, so their ids stand for their names"
    )
    return replace(
        problem,
        backend=backend,
        message=f"{title(backend)}'s {name.value} could not be {how}: {problem.message}",
    )
