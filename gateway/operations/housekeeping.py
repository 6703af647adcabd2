"""Clears away what is past its time, and says what is stuck."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from gateway.operations.keyed import utc_now
from gateway.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from gateway.store.opening import Store

log = structlog.get_logger()

EVERY_SECONDS = 60.0
AGAIN = timedelta(minutes=15)
"""Between two lines that say the same."""
IDLE_LEASE = timedelta(days=1)
OLD_NOTE = timedelta(minutes=15)
BATCH = 500
"""Rows removed in one commit, so that others need not wait long."""


@dataclass(frozen=True, kw_only=True)
class _Told:
    """The last line about what is stuck."""

    at: datetime
    attention: int
    """Steps that waited for a person."""


@dataclass(kw_only=True)
class Housekeeping:
    """What is done beside the work."""

    store: Store
    keep_operations: timedelta
    """How long an operation is kept once it has ended."""
    old: timedelta = timedelta(minutes=15)
    """The age from which an undelivered write is worth a line in the log."""
    clock: Callable[[], datetime] = utc_now
    _told: _Told | None = None

    async def run(self) -> None:
        """Look after the store for as long as the process lives."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                await self.tidy()
                await self.tell()
            except StoreError:
                log.exception("housekeeping failed")

    async def tidy(self) -> None:
        """Remove ended operations, expired keys, idle leases and old notes, in batches."""
        now = self.clock()
        operations, before = self.store.operations, now - self.keep_operations
        await _until_none(lambda: operations.purge_operations(before, BATCH))
        await _until_none(lambda: self.store.keys.purge_keys(now, BATCH))
        await _until_none(lambda: self.store.leases.forget_idle(IDLE_LEASE.total_seconds(), BATCH))
        await _until_none(lambda: self.store.notes.forget(OLD_NOTE.total_seconds(), BATCH))

    async def tell(self) -> None:
        """Log what waits for a person, and what is old and not delivered.

        Said when it begins, when more steps wait for a person, and then every now and again; once
        more when it is over.
        """
        now = self.clock()
        backlog = await self.store.operations.read_backlog(now)
        since = backlog.undelivered_since
        age = None if since is None else now - since
        if not backlog.attention and (age is None or age <= self.old):
            if self._told is not None:
                log.info("durable work is not stuck any more")
            self._told = None
            return
        told = self._told
        if told and backlog.attention <= told.attention and now - told.at < AGAIN:
            return
        self._told = _Told(at=now, attention=backlog.attention)
        log.warning(
            "durable work is stuck: see docs/operating.md",
            operations=backlog.operations,
            oldest_undelivered_seconds=None if age is None else round(age.total_seconds()),
            steps_due=backlog.due,
            steps_needing_attention=backlog.attention,
        )


async def _until_none(remove: Callable[[], Awaitable[int]]) -> None:
    removed = 1
    while removed:
        removed = await remove()
