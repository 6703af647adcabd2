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
from gateway.locking.leased import RENEWALS, Leased
from gateway.results import Problem, ProblemCode
from gateway.sending.slots import Slots
from gateway.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from gateway.store.leases import Lease, Leases
    from gateway.upstream import Exchange

log = structlog.get_logger()

FIRST_PAUSE, LONGEST_PAUSE = 0.01, 0.1
"""Seconds between two tries for a lease that another process has; the real ones are random, from
half of that."""
WANTED_FOR = 0.5
"""Seconds for which a lease that has become free is kept for who waits for it."""
MOST = 500
"""Keys in one question to the store at most."""
ASKING, LETTING_GO = 4, 1
"""Questions to the store at a time, of some ten that it has connections for: for leases, which somebody
waits for, and to let go of them. Who comes meanwhile shares the next one."""


@dataclass(kw_only=True, slots=True)
class _Asked:
    """A key that somebody asks for."""

    key: str
    again: bool = False
    """Whether it has been asked for in vain before."""
    gone: bool = False
    """Whether nobody waits for the answer any more."""


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
    _letting_go: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    """Keys that nobody here holds any more, until the store knows."""
    _renewing: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self._acquiring = Slots(together=self._acquire, most=MOST, at_once=ASKING)
        self._releasing = Slots(together=self._release, most=MOST, at_once=LETTING_GO)

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
                self._let_go(held.lease)

    async def close(self) -> None:
        """Let go of what nobody holds, and stop renewing; what is still held ends by itself."""
        if self._letting_go:
            await asyncio.wait(self._letting_go.values())
        if self._renewing is not None:
            self._renewing.cancel()
            with suppress(asyncio.CancelledError):
                await self._renewing

    async def _take(self, key: str, exchange: Exchange) -> tuple[HeldLease, float]:
        asked, pause = _Asked(key=key), FIRST_PAUSE
        until = time.monotonic() + exchange.patience
        while True:
            asked_at = time.monotonic()
            lease = await self._ask(asked, exchange)
            if lease is not None:
                # It was let go at the latest as long before the answer as the database says.
                ago = lease.released_ago
                released_at = 0.0 if ago is None else time.monotonic() - ago
                return HeldLease(lease=lease, until=asked_at + self.seconds), released_at
            if not asked.again:  # at once again, to be the next
                asked.again = True
                continue
            if until - time.monotonic() <= pause:
                raise NotWrittenError(_taken())
            await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - no secrecy needed
            pause = min(LONGEST_PAUSE, pause * 2)

    async def _ask(self, asked: _Asked, exchange: Exchange) -> Lease | None:
        try:
            if (letting_go := self._letting_go.get(asked.key)) is not None:
                await asyncio.wait([letting_go], timeout=exchange.left)
            return await self._acquiring.go(asked, exchange.left)
        except StoreError as error:
            raise NotWrittenError(_store_is_down()) from error
        except TimeoutError as error:
            asked.gone = True
            raise NotWrittenError(_taken() if asked.again else _store_is_down()) from error
        except asyncio.CancelledError:
            asked.gone = True
            raise

    async def _acquire(self, asked: Sequence[_Asked]) -> list[Lease | None]:
        """The leases that these ask for; who was refused before is noted as the next."""
        leases = await self.leases.acquire(
            [one.key for one in asked], self.holder, seconds=self.seconds
        )
        refused = [one.key for one in asked if one.again and one.key not in leases]
        if refused:
            with suppress(StoreError):  # what was acquired is in hand all the same
                await self.leases.want(refused, self.holder, seconds=WANTED_FOR)
        for one in asked:
            if one.gone and (lease := leases.pop(one.key, None)) is not None:
                self._let_go(lease)
        return [leases.get(one.key) for one in asked]

    def _let_go(self, lease: Lease) -> None:
        """Tell the store, without waiting for it: the answer to a write is not kept back for that."""
        task = asyncio.create_task(self._released(lease), name=lease.key)
        self._letting_go[lease.key] = task
        task.add_done_callback(self._has_let_go)

    def _has_let_go(self, task: asyncio.Task[None]) -> None:
        if self._letting_go.get(task.get_name()) is task:
            del self._letting_go[task.get_name()]

    async def _released(self, lease: Lease) -> None:
        try:
            if not await self._releasing.go(lease):
                log.warning("lease on a record lost while it was held")
        except StoreError:
            log.exception("lease on a record not let go; it ends by itself")

    async def _release(self, leases: Sequence[Lease]) -> list[bool]:
        lost = await self.leases.release(leases)
        return [lease not in lost for lease in leases]

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
