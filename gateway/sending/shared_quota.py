"""A backend's quota that several processes keep together, by turns that the store gives away.

A process asks once for all who wait, in the order of their asking; turns later than now are its
own too, so that waiting costs nothing. While calls keep coming it asks for a few more than wait.
Each turn has an end: a call that has not left by then takes another one.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from gateway.sending.quota import QuotaError, QuotaUnknownError
from gateway.store.errors import StoreError
from gateway.store.quotas import Ask

if TYPE_CHECKING:
    from gateway.store.quotas import Turns

SHORTEST, LONGEST = 0.1, 3.0
"""Seconds for which a turn may be used, by the length of the window: SHARE of it."""
SHARE = 0.05
ARRIVING = 0.15
"""Seconds that a call may take from here to the backend; calls do not take equally long."""


class GivesTurns(Protocol):
    """What keeps quotas for all processes: the store's `Quotas`."""

    async def take(self, name: str, ask: Ask) -> Turns:
        """Turns of a quota; raises StoreError when nobody knows."""
        ...


@dataclass(frozen=True, slots=True)
class _Turn:
    """When a call may leave, on the clock of `time.monotonic`."""

    start: float
    end: float


@dataclass(kw_only=True, slots=True)
class _Waiter:
    """Somebody without a turn."""

    until: float
    turn: asyncio.Future[_Turn]


@dataclass(kw_only=True)
class SharedWindow:
    """At most `limit` calls in any `seconds`, over all processes that share the store."""

    quotas: GivesTurns
    name: str
    limit: int
    seconds: float
    _turns: deque[_Turn] = field(default_factory=deque)
    """Turns that nobody has taken yet."""
    _waiting: deque[_Waiter] = field(default_factory=deque)
    _asking: asyncio.Task[None] | None = None
    _taken: deque[float] = field(default_factory=deque)
    """When the last turns were taken."""
    _round_trip: float = 0.0
    """Seconds that the store took to answer last."""
    _short_until: float = 0.0
    """Until when half of the quota and more is used up, for all that the store has said."""
    _next_at: float = 0.0
    """When the next turn begins, by the same."""

    @property
    def ample(self) -> bool:
        """Whether less than half of it is used up, as the store told when it was asked last."""
        return time.monotonic() >= self._short_until

    @property
    def free_in(self) -> float:
        """Seconds until there is a turn, as the store told when it was asked last."""
        return 0.0 if self._turns else max(0.0, self._next_at - time.monotonic())

    async def take(self, patience: float) -> None:
        """Wait for a turn.

        Raises QuotaError when it comes only after `patience` seconds, and QuotaUnknownError when
        the store does not answer: then nobody knows what the other processes have sent.
        """
        until = time.monotonic() + patience
        turn: _Turn | None = None
        while turn is None or time.monotonic() > turn.end:  # too late for its turn: another one
            turn = self._spare() or await self._asked_for(until)
            try:
                await asyncio.sleep(max(0.0, turn.start - time.monotonic()))
            except asyncio.CancelledError:
                self._turns.appendleft(turn)
                raise
        self._taken.append(turn.start)

    def _spare(self) -> _Turn | None:
        """A turn that can be used now, if nobody has waited longer for it."""
        now = time.monotonic()
        while self._turns and self._turns[0].end < now:
            self._turns.popleft()
        if self._waiting or not self._turns or self._turns[0].start > now:
            return None
        return self._turns.popleft()

    async def _asked_for(self, until: float) -> _Turn:
        waiter = _Waiter(until=until, turn=asyncio.get_running_loop().create_future())
        self._waiting.append(waiter)
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        try:
            async with asyncio.timeout_at(
                asyncio.get_running_loop().time() + until - time.monotonic()
            ):
                return await waiter.turn
        except TimeoutError:
            self._give_back(waiter)
            raise QuotaUnknownError from None
        except asyncio.CancelledError:
            self._give_back(waiter)
            raise
        finally:
            if waiter in self._waiting:
                self._waiting.remove(waiter)

    def _give_back(self, waiter: _Waiter) -> None:
        """A turn that was found for somebody who waits no more."""
        if waiter.turn.done() and not waiter.turn.cancelled() and not waiter.turn.exception():
            self._turns.appendleft(waiter.turn.result())

    async def _ask(self) -> None:
        """Ask the store for turns until nobody waits."""
        while waiting := [one for one in self._waiting if not one.turn.done()]:
            usable = min(LONGEST, max(SHORTEST, SHARE * self.seconds, 3 * self._round_trip))
            asked_at = time.monotonic()
            ask = Ask(
                wanted=len(waiting),
                ahead=self._expected(asked_at - usable),
                limit=self.limit,
                taken_for=self.seconds + usable + ARRIVING,
                patience=max(one.until for one in waiting) - asked_at,
            )
            try:
                turns = await self.quotas.take(self.name, ask)
            except StoreError as error:
                self._fail(waiting, error)
                continue
            heard_at = time.monotonic()
            self._round_trip = heard_at - asked_at
            self._short_until = 0.0 if turns.ample else heard_at + self.seconds
            self._next_at = heard_at + turns.next_start
            # The store's "now" lies between the two moments: the later one for the beginning, the
            # earlier one for the end.
            self._turns.extend(
                _Turn(heard_at + start, asked_at + start + usable) for start in turns.starts
            )
            self._hand_out(waiting, turns, heard_at)

    def _hand_out(self, waiting: list[_Waiter], turns: Turns, now: float) -> None:
        """Give the turns to those who wait, first come, first served."""
        for waiter in waiting:
            if waiter.turn.done() or waiter not in self._waiting:
                continue
            self._waiting.remove(waiter)
            start = self._turns[0].start if self._turns else now + turns.next_start
            if self._turns and start <= waiter.until:
                waiter.turn.set_result(self._turns.popleft())
            else:
                waiter.turn.set_exception(QuotaError(max(0.0, start - now)))

    def _fail(self, waiting: list[_Waiter], error: StoreError) -> None:
        for waiter in waiting:
            if waiter in self._waiting:
                self._waiting.remove(waiter)
            if not waiter.turn.done():
                failure = QuotaUnknownError()
                failure.__cause__ = error
                waiter.turn.set_exception(failure)

    def _expected(self, since: float) -> int:
        """Turns that will be wanted soon, if calls go on as since then; a tenth of the quota at most."""
        while self._taken and self._taken[0] < since:
            self._taken.popleft()
        return min(self.limit // 10, len(self._taken))
