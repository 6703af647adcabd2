"""How long one operation may run."""

from __future__ import annotations

import asyncio
import math
import time
from typing import TYPE_CHECKING

from graphql import GraphQLError

from gateway.settings import variable

if TYPE_CHECKING:
    from types import TracebackType

    from gateway.api.context import Context


def time_left(context: Context) -> TimeLimit:
    """Ends with TimeoutError what goes on in it for longer than the operation may take."""
    return TimeLimit(context.started + context.account.settings.operation_timeout_seconds)


def too_long(context: Context) -> GraphQLError:
    """The error of an operation that was ended so."""
    seconds = context.account.settings.operation_timeout_seconds
    return GraphQLError(
        f"The operation took longer than {seconds:g} seconds "
        f"({variable('operation_timeout_seconds')}) and was ended. What it wrote until then stays "
        "written.",
        extensions={"code": "TIMED_OUT"},
    )


def cut_off() -> GraphQLError:
    """The error of an operation that a gateway which ends did not wait for any longer."""
    return GraphQLError(
        "The gateway ends, and the operation took longer than it waits for it "
        f"({variable('shutdown_seconds')}). What it wrote until then stays written.",
        extensions={"code": "TIMED_OUT"},
    )


class TimeLimit:
    """Does what `asyncio.timeout` does, by one timer for all operations of an event loop.

    Nearly all of them end long before their time: a timer for each would be made to be cancelled.
    """

    __slots__ = ("_cancelled_before", "_is_over", "_task", "_watch", "when")

    def __init__(self, when: float) -> None:
        """`when` is on the clock of `time.monotonic`, and may be put off meanwhile."""
        self.when = when
        self._is_over = False

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        if task is None:
            raise RuntimeError("only a task has a time limit")
        self._task = task
        self._cancelled_before = task.cancelling()
        self._watch = _watch(loop)
        self._watch.begin(self)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._watch.end(self)
        if not self._is_over:
            return
        cancelled_by_others = self._task.uncancel() > self._cancelled_before
        if kind is asyncio.CancelledError and not cancelled_by_others:
            raise TimeoutError from error

    def expire(self) -> None:
        """The time is over: end what goes on."""
        self._is_over = True
        self._task.cancel()


class _Watch:
    """The limits of one event loop; looks for those that are over when the first of them will be."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._limits: set[TimeLimit] = set()
        self._looks_at = math.inf
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, limit: TimeLimit) -> None:
        self._limits.add(limit)
        if limit.when < self._looks_at:
            self._look_at(limit.when)

    def end(self, limit: TimeLimit) -> None:
        """The timer stays: those that come later are over later."""
        self._limits.discard(limit)

    def _look_at(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._looks_at = when
        self._timer = self.loop.call_later(max(0.0, when - time.monotonic()), self._look)

    def _look(self) -> None:
        self._timer, self._looks_at = None, math.inf
        now = time.monotonic()
        for limit in [one for one in self._limits if one.when <= now]:
            self._limits.discard(limit)
            limit.expire()
        if self._limits:
            self._look_at(min(one.when for one in self._limits))


_watches: list[_Watch] = []
"""The one of the event loop that was asked for last: a process has one loop, but for tests."""


def _watch(loop: asyncio.AbstractEventLoop) -> _Watch:
    for known in _watches:
        if known.loop is loop:
            return known
    made = _Watch(loop)
    _watches[:] = [made]
    return made
