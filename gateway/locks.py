"""One writer at a time for a record: within this process, and over all that share its store.

A lock remembers when it was last let go: whoever read a record before that moment, and takes the
lock after it, has read something old even though it did not have to wait.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.errors import NotWrittenError
from gateway.results import Problem, ProblemCode

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.record_leases import RecordLeases
    from gateway.upstream import Exchange

REMEMBERED = 60.0
"""Seconds that a lock's last release is remembered: longer than any request takes."""


@dataclass(kw_only=True, slots=True)
class _Lock:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    wanted_by: int = 0
    released_at: float = 0.0


class Locks:
    """Locks by key, for as long as they are wanted; some time longer it is known when they were held.

    Of a key that nobody wants only its hash and a moment are kept: thousands are let go of in a
    second. If two keys ever had one hash, a record would be read once more than is needed.
    """

    def __init__(self, leases: RecordLeases | None = None) -> None:
        self._leases = leases
        self._locks: dict[str, _Lock] = {}
        self._released: dict[int, float] = {}
        """When each was last let go, by the hash of its key; the oldest first."""

    @asynccontextmanager
    async def hold(self, key: str, exchange: Exchange) -> AsyncIterator[float]:
        """Hold a key; gives the moment (of `time.monotonic`) when it was last let go, or 0.

        Raises NotWrittenError when the request's time is used up before the key is free, and when
        the store cannot say whether another process holds it.
        """
        self._sweep()
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = _Lock(released_at=self._released.pop(hash(key), 0.0))
        lock.wanted_by += 1
        try:
            try:
                async with asyncio.timeout(exchange.left):
                    await lock.lock.acquire()
            except TimeoutError:
                raise NotWrittenError(
                    Problem(
                        code=ProblemCode.CONFLICT,
                        message="Other writes to the same record took all of the request's time.",
                        retryable=True,
                    )
                ) from None
            try:
                if self._leases is None:
                    yield lock.released_at
                else:
                    async with self._leases.hold(key, exchange) as elsewhere:
                        yield max(lock.released_at, elsewhere)
            finally:
                lock.released_at = time.monotonic()
                lock.lock.release()
        finally:
            lock.wanted_by -= 1
            if lock.wanted_by == 0:
                del self._locks[key]
                if lock.released_at:
                    self._released[hash(key)] = lock.released_at

    def _sweep(self) -> None:
        """Forget the releases that nobody can have read before."""
        before = time.monotonic() - REMEMBERED
        while self._released:
            oldest = next(iter(self._released))
            if self._released[oldest] > before:
                return
            del self._released[oldest]
