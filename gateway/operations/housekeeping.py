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
OLD = timedelta(minutes=15)
"""Unfinished work of this age is worth a line in the log."""
IDLE_LEASE = timedelta(days=1)
BATCH = 500
"""Rows removed in one commit, so that others need not wait long."""


@dataclass(frozen=True, kw_only=True)
class Housekeeping:
    """What is done beside the work."""

    store: Store
    keep_operations: timedelta
    """How long an operation is kept once it has ended."""
    clock: Callable[[], datetime] = utc_now

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
        """Remove ended operations, expired keys and idle leases, in batches."""
        now = self.clock()
        operations, before = self.store.operations, now - self.keep_operations
        await _until_none(lambda: operations.purge_operations(before, BATCH))
        await _until_none(lambda: self.store.keys.purge_keys(now, BATCH))
        await _until_none(lambda: self.store.leases.forget_idle(IDLE_LEASE.total_seconds(), BATCH))

    async def tell(self) -> None:
        """Log what waits for a person, and what is old and not done."""
        now = self.clock()
        backlog = await self.store.operations.read_backlog(now)
        age = None if backlog.oldest is None else now - backlog.oldest
        if backlog.attention or (age is not None and age > OLD):
            log.warning(
                "durable work is stuck: see docs/operating.md",
                operations=backlog.operations,
                oldest_seconds=None if age is None else round(age.total_seconds()),
                steps_due=backlog.due,
                steps_needing_attention=backlog.attention,
            )


async def _until_none(remove: Callable[[], Awaitable[int]]) -> None:
    removed = 1
    while removed:
        removed = await remove()
