"""So many calls at a time, each for all those who came while the earlier ones were under way.

For work that is not to wait for company, unlike in `gathering.py`: who finds a slot free leaves at
once. Nobody joins a call that has left, because who asks under a lock must ask after it was taken.

Whoever finds none free waits for up to one answer's time. So there are many while the backend's quota
is ample, and few when it gets short: then fewer calls are worth that wait.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from gateway.gathering import go_together

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.gathering import Together

MANY = 48
"""Calls of one kind that leave singly while their quota is ample: about half of the connections to a
backend, so that writes find one free beside them."""

T = TypeVar("T")
R = TypeVar("R")


@dataclass(kw_only=True)
class Slots(Generic[T, R]):
    """Leaves of one kind: what `together` does for many, a few times at once."""

    together: Together[T, R]
    at_once: Callable[[], int]
    """Calls that may be under way at this time."""
    most: int
    """Those who leave in one of them, at most."""
    _waiting: list[tuple[T, asyncio.Future[R]]] = field(default_factory=list)
    _under_way: set[asyncio.Task[None]] = field(default_factory=set)

    async def go(self, item: T) -> R:
        """What `together` brings for this item, with whom else is waiting when a slot is free.

        Who is cancelled before leaving does not go; afterwards the others' call goes on.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[R] = loop.create_future()
        if not self._waiting:
            # One turn of the loop, so that those who come at the same moment leave together.
            loop.call_soon(self._leave)
        self._waiting.append((item, answer))
        return await answer

    def _leave(self) -> None:
        while self._waiting and len(self._under_way) < self.at_once():
            waiting = [(item, answer) for item, answer in self._waiting if not answer.done()]
            there, self._waiting = waiting[: self.most], waiting[self.most :]
            if there:
                task = asyncio.create_task(go_together(self.together, there))
                self._under_way.add(task)
                task.add_done_callback(self._returned)

    def _returned(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._leave()
