"""Timers for what mostly ends before its time: cheap to set and to cancel.

The loop's own timers are neither, and each write would make several to cancel them. One of those
stands for all of these, and looks for what is due when the first of them is.
"""

from __future__ import annotations

import math
import time
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Collection


class Timer:
    """Something that is to be done when its time comes, unless it is cancelled before."""

    __slots__ = ("_running", "due", "when")

    def __init__(self, when: float, due: Callable[[], None], running: set[Timer]) -> None:
        """`when` is on the clock of `time.monotonic`, and may be put off meanwhile."""
        self.when = when
        self.due = due
        self._running = running
        running.add(self)

    def cancel(self) -> None:
        """Do nothing; also where it is done already."""
        self._running.discard(self)
        self.due = _nothing  # or it and who has set it would keep each other, and a whole request


def _nothing() -> None:
    """Nothing is to be done any more."""


def begin(when: float, due: Callable[[], None], loop: asyncio.AbstractEventLoop) -> Timer:
    """A timer that is set now; `when` is on the clock of `time.monotonic`.

    `loop` is the one that runs: to ask for that is a call to the system in CPython 3.11.
    """
    timers = _known[0]
    if timers is None or timers.loop is not loop:
        timers = _known[0] = _Timers(loop)
    if when < timers.looks_at:
        timers.look_at(when)
    return Timer(when, due, timers.running)


class _Timers:
    """The timers of one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.running: set[Timer] = set()
        self.looks_at = math.inf
        self._timer: asyncio.TimerHandle | None = None

    def look_at(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self.looks_at = when
        self._timer = self.loop.call_later(max(0.0, when - time.monotonic()), self._look)

    def _look(self) -> None:
        self._timer, self.looks_at = None, math.inf
        now = time.monotonic()
        due = [one for one in self.running if one.when <= now]
        try:
            for timer in sorted(due, key=attrgetter("when")):
                self.running.discard(timer)
                timer.due()
        finally:  # one that fails keeps no other from coming
            if self.running:
                self.look_at(min(one.when for one in self.running))


_known: list[_Timers | None] = [None]
"""Those of the event loop that was asked for last: a process has one loop, but for tests."""


async def ended(tasks: Collection[asyncio.Task[Any]], seconds: float) -> None:
    """Wait until all tasks have ended, or so long. There is one at least.

    `asyncio.wait` takes several times as much for it.
    """
    loop = next(iter(tasks)).get_loop()
    over = loop.create_future()
    left = len(tasks)

    def count(_task: asyncio.Task[Any]) -> None:
        nonlocal left
        left -= 1
        if not left:
            stop()

    def stop() -> None:
        if not over.done():
            over.set_result(None)

    for task in tasks:
        task.add_done_callback(count)
    timer = begin(time.monotonic() + seconds, stop, loop)
    try:
        await over
    finally:
        timer.cancel()
