"""Whether the store can be used: what a load balancer asks every second."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gateway.store.errors import StoreError
from gateway.store.migrations import read_version, try_to_write

if TYPE_CHECKING:
    from gateway.store.database import Database

SECONDS = 2.0
"""How long a store that is well may take to answer."""


@dataclass(kw_only=True)
class Readiness:
    """Asks the store one question at a time.

    A server that has fallen silent holds a question for longer than anybody here wants to wait, and
    its cancelling as well. So the question goes on, and whoever comes meanwhile waits for the same.
    """

    database: Database
    shared: bool
    """Whether it is a server, which may go on answering after it has ceased to take writes."""
    _question: asyncio.Task[Any] | None = field(default=None, init=False)

    async def of_store(self) -> bool:
        """Whether the store can be used, and says so in time."""
        if self._question is None or self._question.done():
            self._question = asyncio.create_task(self._ask())
        await asyncio.wait({self._question}, timeout=SECONDS)
        return self._question.done() and self._question.result()

    async def _ask(self) -> bool:
        try:
            if self.shared:
                await self.database.write(try_to_write)
            else:  # a file's one writer may be busy for seconds, and is well
                await self.database.read(read_version)
        except StoreError:
            return False
        return True
