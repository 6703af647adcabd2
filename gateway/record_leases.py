"""One writer at a time for a record over all processes that share the store.

Beside the lock within the process (`locks.py`), which comes first: so at most one of a process
waits for a lease. A lease is renewed while it is held. One that could not be renewed in time may
be somebody else's: its holder sends nothing more.
"""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from gateway.errors import NotWrittenError
from gateway.leased import RENEWALS, Leased
from gateway.results import Problem, ProblemCode
from gateway.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.store.leases import Lease, Leases
    from gateway.upstream import Exchange

log = structlog.get_logger()

FIRST_PAUSE, LONGEST_PAUSE = 0.01, 0.1
"""Seconds between two tries for a lease that another process has; the real ones are random, from
half of that."""
WANTED_FOR = 0.5
"""Seconds for which a lease that has become free is kept for who waits for it."""


@dataclass(kw_only=True)
class HeldLease(Leased):
    """A lease in hand; writes that leave under it look here first."""

    lease: Lease


@dataclass(kw_only=True)
class RecordLeases:
    """The leases of one process."""

    leases: Leases
    holder: str
    seconds: float
    """How long a lease stays with a process that no longer says anything."""
    _held: dict[str, HeldLease] = field(default_factory=dict)
    _renewing: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def hold(self, key: str, exchange: Exchange) -> AsyncIterator[float]:
        """Hold a key; gives a moment (of `time.monotonic`) by which it had been let go last, or 0.

        The calls of the exchange are sent only while the lease holds. Raises NotWrittenError when
        the key does not become free within the request's time, or the store cannot be used.
        """
        held, released_at = await self._take(key, exchange)
        self._held[key] = held
        exchange.held.append(held)
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.create_task(self._renew())
        try:
            yield released_at
        except asyncio.CancelledError:
            # A write may still be on its way: the lease ends by itself, when that has arrived.
            held.lost = True
            raise
        finally:
            exchange.held.remove(held)
            del self._held[key]
            if not held.lost:
                await self._let_go(held)

    async def close(self) -> None:
        """Stop renewing; what is still held ends by itself."""
        if self._renewing is not None:
            self._renewing.cancel()
            with suppress(asyncio.CancelledError):
                await self._renewing

    async def _take(self, key: str, exchange: Exchange) -> tuple[HeldLease, float]:
        pause, wanted_for = FIRST_PAUSE, 0.0
        until = time.monotonic() + exchange.patience
        while True:
            asked_at = time.monotonic()
            try:
                async with asyncio.timeout(exchange.left):
                    lease = await self.leases.acquire(
                        key, self.holder, seconds=self.seconds, wanted_for=wanted_for
                    )
            except StoreError as error:
                raise NotWrittenError(_store_is_down()) from error
            except TimeoutError as error:
                raise NotWrittenError(_taken() if wanted_for else _store_is_down()) from error
            if lease is not None:
                # It was let go at the latest as long before the answer as the database says.
                ago = lease.released_ago
                released_at = 0.0 if ago is None else time.monotonic() - ago
                return HeldLease(lease=lease, until=asked_at + self.seconds), released_at
            if wanted_for == 0:  # at once again, to be the next
                wanted_for = WANTED_FOR
                continue
            if until - time.monotonic() <= pause:
                raise NotWrittenError(_taken())
            await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - no secrecy needed
            pause = min(LONGEST_PAUSE, pause * 2)

    async def _let_go(self, held: HeldLease) -> None:
        try:
            if not await self.leases.release(held.lease):
                log.warning("lease on a record lost while it was held")
        except StoreError:
            log.exception("lease on a record not let go; it ends by itself")

    async def _renew(self) -> None:
        """Keep what is in hand, until there is nothing."""
        while self._held:
            await asyncio.sleep(self.seconds / RENEWALS)
            held = [one for one in self._held.values() if not one.lost]
            if not held:
                continue
            asked_at = time.monotonic()
            try:
                lost = await self.leases.renew(
                    self.holder, [one.lease for one in held], seconds=self.seconds
                )
            except StoreError:
                log.exception("leases on records not renewed")
                continue
            for one in held:
                one.renewed(until=asked_at + self.seconds, lost=one.lease in lost)


def _taken() -> Problem:
    return Problem(
        code=ProblemCode.CONFLICT,
        message="Writes of another gateway to the same record took all of the request's time.",
        retryable=True,
    )


def _store_is_down() -> Problem:
    return Problem(
        code=ProblemCode.UNAVAILABLE,
        message="The gateway's store, which keeps two gateways from writing one record at once, "
        "cannot be used now: nothing was sent.",
        retryable=True,
    )
