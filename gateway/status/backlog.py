"""What the store has not delivered, asked for at most every few seconds however many look."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from gateway.store.errors import StoreError

if TYPE_CHECKING:
    from gateway.store.opening import Store
    from gateway.store.operation_records import Backlog

log = structlog.get_logger()

KEPT_SECONDS = 5.0
"""How long one answer is told again."""
ASK_SECONDS = 3.0
"""What the store has to answer."""


class KnownBacklog:
    """One gateway's view of the backlog."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._asking = asyncio.Lock()
        self._asked_at = -KEPT_SECONDS
        self.known: Backlog | None = None
        """As it was when it was last asked for; None while the store cannot tell."""

    async def read(self) -> Backlog | None:
        """The backlog, a few seconds old at most; None when the store cannot tell."""
        async with self._asking:
            if time.monotonic() - self._asked_at >= KEPT_SECONDS:
                self.known = await self._ask()
                self._asked_at = time.monotonic()
        return self.known

    async def _ask(self) -> Backlog | None:
        try:
            async with asyncio.timeout(ASK_SECONDS):
                return await self._store.operations.read_backlog(datetime.now(UTC))
        except (StoreError, TimeoutError) as error:
            log.warning("backlog not readable", error=type(error).__name__)
            return None
