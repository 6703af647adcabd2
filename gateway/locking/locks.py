"""One writer at a time for a record: within this process, and over all that share its store.

A lock remembers when it was last let go: whoever read a record before that moment, and takes the
lock after it, has read something old even though it did not have to wait.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from gateway.errors import NotWrittenError
from gateway.results import Problem, ProblemCode

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from types import TracebackType

    from gateway.locking.record_leases import RecordLeases
    from gateway.upstream import Exchange

REMEMBERED = 60.0
"""Seconds that a lock's last release is remembered: longer than any request takes."""
MOST_REMEMBERED = 8_192
"""Releases that are remembered one by one: those of several seconds, where most requests take less."""


@dataclass(kw_only=True, slots=True)
class _Lock:
    turns: asyncio.Lock | None = None
    """Held by who has the key, as soon as another wants it; mostly nobody does."""
    wanted_by: int = 0
    released_at: float = 0.0

    async def wait(self, patience: float) -> None:
        """Wait for the turn of one who is not the first."""
        if self.turns is None:
            self.turns = asyncio.Lock()
            await self.turns.acquire()  # for the first, at once
        async with asyncio.timeout(patience):
            await self.turns.acquire()


class Locks:
    """Locks by key, for as long as they are wanted; some time longer it is known when they were held.

    Of a key that nobody wants only its hash and a moment are kept: thousands are let go of in a
    second. If two keys ever had one hash, a record would be read once more than is needed; so it is
    where a key may have been among the releases that were too many to be remembered one by one.
    """

    def __init__(self, leases: RecordLeases | None = None) -> None:
        self._leases = leases
        self._locks: dict[str, _Lock] = {}
        self._released: OrderedDict[int, float] = OrderedDict()
        """When each was last let go, by the hash of its key; the oldest first. In a plain dict the first
        is looked for behind the places of all that were taken from its front."""
        self._earlier = 0.0
        """When any other key may have been let go last."""

    @asynccontextmanager
    async def hold(self, key: str, exchange: Exchange) -> AsyncIterator[float]:
        """Hold one key; gives what `Holding.take` does."""
        async with self.holding(exchange) as held:
            yield await held.take(key)

    def holding(self, exchange: Exchange) -> Holding:
        """Hold what is taken within, for the calls of an exchange."""
        return Holding(self, self._leases, exchange)

    async def acquire(self, key: str, exchange: Exchange) -> float:
        """Lock a key within this process; gives the moment when it was last let go, or 0.

        Raises NotWrittenError when the request's time is used up before that.
        """
        self._sweep()
        lock = self._locks.get(key)
        if lock is None:
            released_at = self._released.pop(hash(key), self._earlier)
            lock = self._locks[key] = _Lock(released_at=released_at)
        lock.wanted_by += 1
        try:
            if lock.wanted_by > 1:
                await lock.wait(exchange.patience)
        except BaseException as error:
            self._forget(key, lock)
            if isinstance(error, TimeoutError):
                raise NotWrittenError(_others_write()) from None
            raise
        return lock.released_at

    def release(self, key: str) -> None:
        """Let go of a key that was acquired."""
        lock = self._locks[key]
        lock.released_at = time.monotonic()
        if lock.turns is not None:
            lock.turns.release()
        self._forget(key, lock)

    def _forget(self, key: str, lock: _Lock) -> None:
        """Want it no longer, and keep no lock that nobody wants."""
        lock.wanted_by -= 1
        if lock.wanted_by == 0:
            del self._locks[key]
            if lock.released_at:
                self._released[hash(key)] = lock.released_at

    def _sweep(self) -> None:
        """Forget the releases that nobody can have read before, and what is too many."""
        before = time.monotonic() - REMEMBERED
        while self._released:
            oldest, released_at = next(iter(self._released.items()))
            if released_at > before:
                if len(self._released) <= MOST_REMEMBERED:
                    return
                self._earlier = max(self._earlier, released_at)
            del self._released[oldest]


class Holding:
    """Keys held for one piece of work, taken one after the other and let go of together."""

    def __init__(self, locks: Locks, leases: RecordLeases | None, exchange: Exchange) -> None:
        self._locks = locks
        self._leases = leases
        self._exchange = exchange
        self._keys: list[str] = []
        self._elsewhere = AsyncExitStack() if leases is not None else None
        """The same keys over all processes."""

    async def __aenter__(self) -> Self:
        return self

    async def take(self, key: str) -> float:
        """Hold a key; gives the moment (of `time.monotonic`) when it was last let go, or 0.

        Raises NotWrittenError when the request's time is used up before the key is free, and when
        the store cannot say whether another process holds it.
        """
        released_at = await self._locks.acquire(key, self._exchange)
        self._keys.append(key)
        if self._leases is None or self._elsewhere is None:
            return released_at
        lease = self._leases.hold(key, self._exchange)
        return max(released_at, await self._elsewhere.enter_async_context(lease))

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Let go of all."""
        try:
            if self._elsewhere is not None:
                await self._elsewhere.__aexit__(kind, error, traceback)
        finally:
            for key in reversed(self._keys):
                self._locks.release(key)


def _others_write() -> Problem:
    return Problem(
        code=ProblemCode.CONFLICT,
        message="Other writes to the same record took all of the request's time.",
        retryable=True,
    )
