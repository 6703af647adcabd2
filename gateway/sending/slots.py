"""So many calls at a time, each for all those who came while the earlier ones were under way.

For work that is not to wait for company, unlike in `gathering.py`: who finds a slot free leaves at
once. Nobody joins a call that has left, because who asks under a lock must ask after it was taken.

Whoever finds none free waits for up to one answer's time. So there are many while the backend's quota
is ample, and few when it gets short: then fewer calls are worth that wait. When it is used up, all
who come until the next turn leave in that, instead of a few who wait for the turn on their way.
"""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

from gateway.sending.gathering import go_together
from gateway.timers import begin

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.sending.gathering import Together
    from gateway.sending.quota import Window

MANY, FEW = 48, 2
"""Calls of one kind that may be under way at a time, while their quota is ample and when it is short.
Many are about half of the connections to a backend, so that writes find one free beside them."""

T = TypeVar("T")
R = TypeVar("R")


@dataclass(kw_only=True)
class Slots(Generic[T, R]):
    """Leaves of one kind: what `together` does for many, a few times at once."""

    together: Together[T, R]
    most: int
    """Those who leave in one of them, at most."""
    at_once: int = MANY
    """Calls that are under way at a time, at most."""
    quota: Callable[[], Window | None] = lambda: None
    """What the calls count against."""
    _waiting: list[tuple[T, asyncio.Future[R]]] = field(default_factory=list)
    _under_way: set[asyncio.Task[None]] = field(default_factory=set)
    _next_look: asyncio.TimerHandle | None = None

    async def go(self, item: T, patience: float = math.inf) -> R:
        """What `together` brings for this item, with whom else is waiting when a slot is free.

        Who cannot wait for the quota's next turn, with so many seconds of patience, goes alone, to be
        told so. Who is cancelled before leaving does not go; afterwards the others' call goes on.
        Raises TimeoutError when the patience ends before the answer has come.
        """
        quota = self.quota()
        if quota is not None and quota.free_in > patience:
            async with asyncio.timeout(patience):
                return await _alone(self.together, item)
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[R] = loop.create_future()
        if not self._waiting:
            # One turn of the loop, so that those who come at the same moment leave together.
            loop.call_soon(self._leave)
        self._waiting.append((item, answer))
        if patience == math.inf:
            return await answer
        end = begin(time.monotonic() + patience, partial(_give_up, answer), loop)
        try:
            return await answer
        finally:
            end.cancel()

    def _leave(self) -> None:
        while self._waiting and self._may_leave():
            self._send_off()

    def _send_off(self) -> None:
        """Let those who wait leave, as many as one call takes."""
        waiting = [(item, answer) for item, answer in self._waiting if not answer.done()]
        there, self._waiting = waiting[: self.most], waiting[self.most :]
        if there:
            task = asyncio.create_task(go_together(self.together, there))
            self._under_way.add(task)
            task.add_done_callback(self._returned)

    def _may_leave(self) -> bool:
        """Whether one more call may leave now; if not, it is looked again when that may change."""
        quota = self.quota()
        at_once = self.at_once if quota is None or quota.ample else min(FEW, self.at_once)
        if len(self._under_way) >= at_once:
            return False
        if quota is None or not (seconds := quota.free_in):
            return True
        if self._next_look is None:
            self._next_look = asyncio.get_running_loop().call_later(seconds, self._turn_has_come)
        return False

    def _turn_has_come(self) -> None:
        """Leave in the turn, or, if somebody was quicker, wait for one on the way as everybody does."""
        self._next_look = None
        self._send_off()
        self._leave()

    def _returned(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._leave()


def _give_up(answer: asyncio.Future[R]) -> None:
    if not answer.done():
        answer.set_exception(TimeoutError())


async def _alone(together: Together[T, R], item: T) -> R:
    """What it brings for one."""
    [result] = await together([item])
    if isinstance(result, Exception):
        raise result
    return result
