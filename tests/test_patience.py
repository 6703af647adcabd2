"""What waits for a turn or a lock leaves time for what comes then; what had no time blames nobody."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from gateway.calls import Safety
from gateway.errors import BackendFailure, NotWrittenError
from gateway.locking.locks import Locks
from gateway.results import ProblemCode
from gateway.sending.breaker import THRESHOLD, BreakerState
from gateway.upstream import Exchange, Sender
from tests.plain_backend import PlainDialect, a_call, within


class Impatient(Exchange):
    """Has time, and none of it for waiting."""

    @property
    def patience(self) -> float:
        return 0.0


class AWindow:
    """A quota that notes how long callers would wait."""

    limit, seconds, ample, free_in = 1, 1.0, False, 0.0

    def __init__(self) -> None:
        self.patience: list[float] = []

    async def take(self, patience: float) -> None:
        self.patience.append(patience)


async def _never(_request: httpx.Request) -> httpx.Response:
    await asyncio.Event().wait()
    raise AssertionError("unreachable")


def test_a_quarter_of_the_time_is_kept_for_what_comes_after_the_waiting() -> None:
    assert 70 < within(100).patience <= 75
    assert within(0).patience == 0


async def test_a_call_does_not_wait_for_a_turn_until_its_time_is_over() -> None:
    window = AWindow()
    answer = httpx.MockTransport(lambda _request: httpx.Response(200, json={}))
    client = httpx.AsyncClient(transport=answer)
    sender = Sender(PlainDialect(), client, quota_of=lambda _call: window)
    await sender.send(a_call(Safety.REPEATABLE), within(100))
    [patience] = window.patience
    assert 70 < patience <= 75


async def test_a_write_does_not_wait_for_a_lock_until_its_time_is_over() -> None:
    locks, waits = Locks(), Impatient(deadline=within().deadline)
    async with locks.hold("a", within()):
        with pytest.raises(NotWrittenError) as raised:
            async with locks.hold("a", waits):
                raise AssertionError("unreachable")
    assert raised.value.problem.code is ProblemCode.CONFLICT
    assert waits.left > 0


async def _silence(seconds: float, try_timeout: float) -> BreakerState:
    """The breaker's state after as many calls without an answer as may open it."""
    client = httpx.AsyncClient(transport=httpx.MockTransport(_never))
    sender = Sender(PlainDialect(), client, try_timeout=try_timeout)
    for _ in range(THRESHOLD):
        with pytest.raises(BackendFailure) as raised:
            await sender.send(a_call(Safety.ONCE), within(seconds))
        assert raised.value.problem.code is ProblemCode.TIMEOUT
    return sender.breaker.state


async def test_calls_that_had_hardly_any_time_are_no_outages() -> None:
    assert await _silence(seconds=0.03, try_timeout=10.0) is BreakerState.CLOSED


async def test_calls_that_had_a_tries_time_are_outages() -> None:
    assert await _silence(seconds=30.0, try_timeout=0.01) is BreakerState.OPEN
