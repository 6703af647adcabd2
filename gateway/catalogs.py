"""The catalogs that an account keeps: fetched once however many wait, renewed, served stale.

Per-request look-ups of names stand in `names.py`; this is the store under them.
"""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import structlog

from gateway.entries import Catalog, CatalogName, Entry
from gateway.errors import BackendFailure, NotWrittenError, RefusedError
from gateway.model import title
from gateway.results import Problem, ProblemCode
from gateway.upstream import Exchange

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from gateway.model import Backend

log = structlog.get_logger()

REFRESH_AT = 0.8
"""The share of a catalog's life after which a read renews it in the background."""
STALE_FOR = 3600.0
"""Seconds that an expired catalog is still served while its backend does not answer."""
REREAD_EVERY = 5.0
"""Seconds between two fetches for names that are not found, or after a fetch that failed while there
is a catalog to serve: neither a typo nor an outage makes every request hammer a backend."""
SOON_READ = 0.5
"""Seconds that a fetch may take for that pause to do; after a longer one, of a list of many pages
say, the pause grows with it."""
DOUBT_AFTER = 60.0
"""Seconds for which a catalog is relied on even where a backend refuses a write."""
STALE_WAIT = 1.0
"""Seconds that a read waits for a newer catalog when there is an expired one to serve."""
FETCH_TIMEOUT = 30.0
"""Seconds that one fetch of all pages may take."""


@dataclass(kw_only=True)
class _Kept:
    """One catalog with its fetch, where one is under way."""

    catalog: Catalog | None = None
    fetching: asyncio.Task[Catalog] | None = field(default=None)
    tried_at: float = -math.inf
    """When the last fetch began, on the clock of `time.monotonic`."""
    took: float = 0.0
    """Seconds that the last fetch took; 0 when it failed."""
    problem: Problem | None = None
    """Why the last fetch failed; None when it did not."""

    @property
    def lately_tried(self) -> bool:
        """Whether a fetch ended that began a moment ago."""
        pause = REREAD_EVERY * max(1.0, self.took / SOON_READ)
        return self.fetching is None and time.monotonic() - self.tried_at < pause


class Catalogs:
    """One backend's catalogs for one set of credentials."""

    def __init__(
        self,
        backend: Backend,
        fetches: Mapping[CatalogName, Callable[[Exchange], Awaitable[list[Entry]]]],
        *,
        ttl: float,
        id_fields: Mapping[CatalogName, str] = MappingProxyType({}),
    ) -> None:
        """`id_fields` are the input fields that take ids of a list's entries instead of names."""
        self.backend = backend
        self._id_fields = id_fields
        self._fetches = fetches
        self._ttl = ttl
        self._kept = {name: _Kept() for name in fetches}

    def holds(self, name: CatalogName) -> bool:
        """Whether this backend has such a list at all."""
        return name in self._fetches

    def id_field(self, name: CatalogName) -> str:
        """The input field that takes a list's ids; at the least, they are in the backend's section."""
        return self._id_fields.get(name, self.backend.value.lower())

    def ages(self) -> dict[CatalogName, float]:
        """Seconds since each catalog was read, for those that were."""
        now = time.monotonic()
        return {
            name: now - kept.catalog.read_at for name, kept in self._kept.items() if kept.catalog
        }

    def fresh(self, name: CatalogName) -> Catalog | None:
        """The catalog where it is in memory and need not be renewed yet; else None."""
        catalog = self._kept[name].catalog
        if catalog is None or time.monotonic() - catalog.read_at >= self._ttl * REFRESH_AT:
            return None
        return catalog

    async def read(self, name: CatalogName, exchange: Exchange) -> Catalog:
        """The catalog, from memory while it is fresh.

        Raises NotWrittenError when it cannot be read and no stale copy may be served.
        """
        kept = self._kept[name]
        if kept.catalog is None:
            return await self._fetched(name, exchange.left)
        age = time.monotonic() - kept.catalog.read_at
        if age < self._ttl:
            if age >= self._ttl * REFRESH_AT and not kept.lately_tried:
                self._start(name)
            return kept.catalog
        if age >= self._ttl + STALE_FOR:
            return await self._fetched(name, exchange.left)
        if kept.lately_tried:
            return kept.catalog
        try:
            return await self._fetched(name, min(STALE_WAIT, exchange.left))
        except BackendFailure:
            return kept.catalog

    async def reread(self, name: CatalogName, seen: Catalog, exchange: Exchange) -> Catalog:
        """A newer catalog than `seen`, in which a name was not found; `seen` if it is too young.

        Raises NotWrittenError when no newer one can be read: then nobody knows whether the name
        exists.
        """
        kept = self._kept[name]
        if kept.catalog is not None and kept.catalog is not seen:
            return kept.catalog
        if kept.lately_tried:
            if kept.problem is not None:
                raise NotWrittenError(kept.problem)
            return seen
        return await self._fetched(name, exchange.left)

    def expire(self, name: CatalogName) -> None:
        """Let the next read fetch the catalog again, because we have just changed what is in it."""
        kept = self._kept[name]
        if kept.catalog is not None:
            expired = min(kept.catalog.read_at, time.monotonic() - self._ttl)
            kept.catalog = replace(kept.catalog, read_at=expired)
            kept.tried_at = -math.inf

    def doubt(self) -> None:
        """Let the next reads fetch anew what is not young: a write was refused.

        Perhaps it named what the backend has no more, which the next write is to be told by its name.
        """
        for name, age in self.ages().items():
            if age >= DOUBT_AFTER:
                self.expire(name)

    async def close(self) -> None:
        """Stop what is being fetched."""
        running = [kept.fetching for kept in self._kept.values() if kept.fetching]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _fetched(self, name: CatalogName, seconds: float) -> Catalog:
        """What the running fetch brings; a new one is started where none is running."""
        task = self._start(name)
        done, _ = await asyncio.wait({task}, timeout=seconds)
        if not done:
            raise NotWrittenError(
                Problem(
                    backend=self.backend,
                    code=ProblemCode.TIMEOUT,
                    message=f"{title(self.backend)}'s {name.value} could not be read in time.",
                    retryable=True,
                )
            )
        return task.result()

    def _start(self, name: CatalogName) -> asyncio.Task[Catalog]:
        """The fetch of a catalog: a task of its own, so that no caller's end cancels it."""
        kept = self._kept[name]
        if kept.fetching is None:
            kept.tried_at = time.monotonic()
            kept.fetching = asyncio.create_task(self._fetch(name), name=f"catalog {name.value}")
            kept.fetching.add_done_callback(lambda task: self._settle(kept, task))
        return kept.fetching

    async def _fetch(self, name: CatalogName) -> Catalog:
        exchange = Exchange(deadline=time.monotonic() + FETCH_TIMEOUT)
        read_at = time.monotonic()
        try:
            entries = await self._fetches[name](exchange)
        except RefusedError as error:
            raise NotWrittenError(self._refused(name, error.problem)) from error
        return Catalog(entries=tuple(entries), read_at=read_at)

    def _refused(self, name: CatalogName, refusal: Problem) -> Problem:
        """The problem of a list whose reading was refused: no fault of the input that needs it."""
        told = f"{title(self.backend)}'s {name.value} could not be read: {refusal.message}"
        return replace(refusal, code=ProblemCode.BACKEND_ERROR, message=told, retryable=True)

    @staticmethod
    def _settle(kept: _Kept, task: asyncio.Task[Catalog]) -> None:
        kept.fetching = None
        # Asking for the exception also marks it as seen: nobody may be waiting for a refresh.
        if task.cancelled():
            return
        error = task.exception()
        kept.took = time.monotonic() - kept.tried_at if error is None else 0.0
        kept.problem = error.problem if isinstance(error, BackendFailure) else None
        if error is None:
            kept.catalog = task.result()
        elif kept.problem is None:
            log.error("catalog could not be read", exc_info=error)
