"""A few calls at a time, each for all those who came while the earlier ones were under way.

For work that is not to wait for company, unlike in `gathering.py`: who finds a slot free leaves at
once. Nobody joins a call that has left, because who asks under a lock must ask after it was taken.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from gateway.gathering import go_together

if TYPE_CHECKING:
    from gateway.gathering import Together

T = TypeVar("T")
R = TypeVar("R")


@dataclass(kw_only=True)
class Slots(Generic[T, R]):
    """Leaves of one kind: what `together` does for many, a few times at once."""

    together: Together[T, R]
    at_once: int
    """Calls that are under way at a time."""
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
        while self._waiting and len(self._under_way) < self.at_once:
            waiting = [(item, answer) for item, answer in self._waiting if not answer.done()]
            there, self._waiting = waiting[: self.most], waiting[self.most :]
            if there:
                task = asyncio.create_task(go_together(self.together, there))
                self._under_way.add(task)
                task.add_done_callback(self._returned)

    def _returned(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._leave()
