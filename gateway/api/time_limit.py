"""How long one operation may run."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

from graphql import GraphQLError

from gateway.settings import variable
from gateway.timers import begin

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
    """Does what `asyncio.timeout` does, by a timer that is cheap to cancel."""

    __slots__ = ("_cancelled_before", "_is_over", "_task", "_timer", "_when")

    def __init__(self, when: float) -> None:
        """`when` is on the clock of `time.monotonic`."""
        self._when = when
        self._is_over = False

    def __enter__(self) -> Self:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        if task is None:
            raise RuntimeError("only a task has a time limit")
        self._task = task
        self._cancelled_before = task.cancelling()
        self._timer = begin(self._when, self.expire, loop)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        if not self._is_over:
            return
        cancelled_by_others = self._task.uncancel() > self._cancelled_before
        if kind is asyncio.CancelledError and not cancelled_by_others:
            raise TimeoutError from error

    def put_off(self, when: float) -> None:
        """End what goes on at a later moment instead."""
        self._timer.when = when

    def expire(self) -> None:
        """The time is over: end what goes on."""
        self._is_over = True
        self._task.cancel()
