"""A backend's quota: at most so many calls in any window of time, in the order of asking."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol, TypeAlias

MARGIN = 0.05
"""Seconds added to each window: calls do not take equally long to arrive."""


class QuotaError(Exception):
    """The quota is used up for longer than the caller can wait; `seconds` until there is room."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


class QuotaUnknownError(Exception):
    """Nobody can tell now how much of the quota is used up: what keeps it cannot be reached."""


class Window(Protocol):
    """A quota: at most `limit` calls in any `seconds`."""

    limit: int
    seconds: float

    @property
    def ample(self) -> bool:
        """Whether less than half of it is used up, as far as this process knows."""
        ...

    @property
    def free_in(self) -> float:
        """Seconds until there is a turn, as far as this process knows; 0 when there is one now."""
        ...

    async def take(self, patience: float) -> None:
        """Wait for a turn.

        Raises QuotaError when it comes only after `patience` seconds, and QuotaUnknownError.
        """
        ...


NewWindow: TypeAlias = Callable[[str, int, float], Window]
"""Makes a quota of its name, its limit and its seconds."""


class SlidingWindow:
    """At most `limit` calls of this process in any `seconds`; who comes too early waits."""

    def __init__(self, limit: int, seconds: float = 1.0) -> None:
        self.limit = limit
        self.seconds = seconds
        self._turns: deque[float] = deque(maxlen=limit)
        """Those of the last window, however many more the limit allows."""

    @property
    def ample(self) -> bool:
        """Whether less than half of it is used up."""
        self._let_go(time.monotonic())
        return 2 * len(self._turns) < self.limit

    @property
    def free_in(self) -> float:
        """Seconds until there is a turn; 0 when there is one now."""
        now = time.monotonic()
        self._let_go(now)
        if len(self._turns) < self.limit:
            return 0.0
        return max(0.0, self._turns[0] + self.seconds + MARGIN - now)

    async def take(self, patience: float) -> None:
        """Wait for a turn; raises QuotaError when it comes only after `patience` seconds."""
        until = time.monotonic() + patience
        while True:
            now = time.monotonic()
            self._let_go(now)
            turn = now
            if len(self._turns) == self.limit:
                turn = max(now, self._turns[0] + self.seconds + MARGIN)
            if turn > until:
                raise QuotaError(turn - now)
            self._turns.append(turn)
            if turn == now:
                return
            await asyncio.sleep(turn - now)
            if time.monotonic() - turn <= MARGIN:
                return
            # The process stood still: who comes so late would meet those whose turn it is now.

    def _let_go(self, now: float) -> None:
        """Forget the turns that bind nobody any more."""
        while self._turns and self._turns[0] + self.seconds + MARGIN <= now:
            self._turns.popleft()


class RetryBudget:
    """Retries as a share of calls, so that an outage is not made worse by trying again."""

    def __init__(self, *, share: float = 0.2, reserve: float = 20.0) -> None:
        self._share = share
        self._reserve = reserve
        self._left = reserve

    def earn(self) -> None:
        """Take note of a call's first try."""
        self._left = min(self._reserve, self._left + self._share)

    def spend(self) -> bool:
        """Whether one more retry may be made; it is counted then."""
        if self._left < 1:
            return False
        self._left -= 1
        return True
