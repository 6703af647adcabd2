"""Quota, retry budget and breaker, on a clock that the tests move."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sending import breaker as breaker_module
from gateway.sending import quota as quota_module
from gateway.sending.breaker import Breaker
from gateway.sending.quota import MARGIN, QuotaError, RetryBudget, SlidingWindow

if TYPE_CHECKING:
    from tests.harness import Gateway


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(quota_module, "time", clock)
    monkeypatch.setattr(quota_module, "asyncio", clock)
    monkeypatch.setattr(breaker_module, "time", clock)
    return clock


async def test_who_comes_late_for_its_turn_takes_another(
    time: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = SlidingWindow(5, 1.0)
    for _ in range(5):
        await window.take(100.0)
    slept: list[float] = []

    async def oversleep(seconds: float) -> None:
        slept.append(seconds)
        time.now += seconds + (2.0 if len(slept) == 1 else 0.0)

    monkeypatch.setattr(time, "sleep", oversleep)
    await window.take(100.0)
    left = [time.now]
    for _ in range(9):
        await window.take(100.0)
        left.append(time.now)
    for start in left:
        assert sum(1 for moment in left if start <= moment < start + 1.0) <= 5


async def test_never_more_than_the_limit_leave_in_any_window(time: Clock) -> None:
    window = SlidingWindow(5, 1.0)
    left: list[float] = []
    for _ in range(23):
        await window.take(100.0)
        left.append(time.now)
    for start in left:
        assert sum(1 for moment in left if start <= moment < start + 1.0) <= 5
    assert left[-1] - left[0] < 5.0, "and no slower than needed"


async def test_a_quota_is_ample_until_half_of_it_is_used_up(time: Clock) -> None:
    window = SlidingWindow(5, 1.0)
    seen = []
    for _ in range(4):
        seen.append(window.ample)
        await window.take(0.0)
    assert seen == [True, True, True, False]
    time.now += 1.0 + MARGIN
    assert window.ample


async def test_a_quota_tells_when_there_is_a_turn(time: Clock) -> None:
    window = SlidingWindow(2, 1.0)
    await window.take(0.0)
    time.now += 0.25
    assert window.free_in == 0
    await window.take(0.0)
    assert window.free_in == pytest.approx(0.75 + MARGIN)
    time.now += window.free_in
    assert window.free_in == pytest.approx(0.0)


async def test_a_high_limit_keeps_no_more_turns_than_there_were(time: Clock) -> None:
    window = SlidingWindow(1_000_000, 1.0)
    for _ in range(300):
        await window.take(0.0)
        time.now += 0.1
    assert len(window._turns) <= 11


async def test_a_turn_that_comes_too_late_is_refused_and_not_taken(time: Clock) -> None:
    window = SlidingWindow(1, 10.0)
    await window.take(0.0)
    with pytest.raises(QuotaError) as refused:
        await window.take(3.0)
    assert refused.value.seconds == pytest.approx(10.0 + MARGIN)
    time.now += 10.0 + MARGIN
    await window.take(0.0)


@given(st.lists(st.floats(0, 0.4), min_size=1, max_size=60), st.integers(1, 6))
def test_the_limit_holds_for_any_arrivals(gaps: list[float], limit: int) -> None:
    clock = Clock()
    window = SlidingWindow(limit, 1.0)
    left: list[float] = []

    async def arrive() -> None:
        for gap in gaps:
            clock.now += gap
            await window.take(1000.0)
            left.append(clock.now)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quota_module, "time", clock)
        patch.setattr(quota_module, "asyncio", clock)
        asyncio.run(arrive())
    assert all(sum(1 for at in left if start <= at < start + 1.0) <= limit for start in left)


def test_retries_are_a_share_of_calls_with_a_reserve() -> None:
    budget = RetryBudget(share=0.5, reserve=2.0)
    assert [budget.spend() for _ in range(3)] == [True, True, False]
    budget.earn()
    assert not budget.spend()
    budget.earn()
    assert [budget.spend() for _ in range(2)] == [True, False]
    for _ in range(100):
        budget.earn()
    assert [budget.spend() for _ in range(3)] == [True, True, False]


def test_the_breaker_opens_after_outages_in_a_row(time: Clock) -> None:
    breaker = Breaker(threshold=3, open_seconds=10.0)
    for failed in (True, True, False, True, True):
        assert breaker.admit() is None
        breaker.note(failed=failed)
    assert breaker.state.value == "closed"
    breaker.note(failed=True)
    assert breaker.state.value == "open"
    time.now += 4.0
    assert breaker.admit() == pytest.approx(6.0)


def test_one_probe_goes_through_and_decides(time: Clock) -> None:
    breaker = Breaker(threshold=1, open_seconds=10.0)
    breaker.note(failed=True)
    time.now += 10.0
    assert breaker.admit() is None
    assert breaker.state.value == "half-open"
    assert breaker.admit() is not None, "the others wait for the probe"
    breaker.note(failed=True)
    assert breaker.admit() == pytest.approx(10.0)
    time.now += 10.0
    assert breaker.admit() is None
    breaker.note(failed=False)
    assert breaker.state.value == "closed"
    assert [breaker.admit() for _ in range(3)] == [None] * 3


def test_a_probe_that_tells_nothing_leaves_room_for_the_next(time: Clock) -> None:
    breaker = Breaker(threshold=1, open_seconds=1.0)
    breaker.note(failed=True)
    time.now += 1.0
    assert breaker.admit() is None
    breaker.forget()
    assert breaker.state.value == "open"
    assert breaker.admit() is None


async def test_a_backend_that_keeps_failing_is_left_alone(gateway: Gateway) -> None:
    gateway.sandbox.faults.add({"backend": "everbridge", "times": 500, "status": 503})
    for _ in range(2):
        answer = await gateway.upsert({"externalId": "E-1001", "lastName": "X"})
        assert answer.outcomes()["EVERBRIDGE"] == "FAILED"
        assert answer.outcomes()["IVVY"] in {"UPDATED", "UNCHANGED"}
    gateway.sandbox.calls.clear()
    answer = await gateway.upsert({"externalId": "E-1001", "lastName": "Y"})
    [problem] = answer.errors
    assert (problem["code"], problem["retryable"]) == ("UNAVAILABLE", True)
    assert 0 < problem["retryAfterSeconds"] <= 10
    assert gateway.calls("everbridge") == []


async def test_refusals_of_the_input_are_no_outage(gateway: Gateway) -> None:
    gateway.sandbox.faults.add(
        {
            "backend": "everbridge",
            "times": 500,
            "status": 400,
            "body": {"status": 400, "message": "no"},
        }
    )
    for _ in range(8):
        await gateway.upsert({"externalId": "E-1001", "lastName": "X"}, targets=["EVERBRIDGE"])
    gateway.sandbox.faults.clear()
    answer = await gateway.upsert({"externalId": "E-1001", "lastName": "X"}, targets=["EVERBRIDGE"])
    assert answer.outcomes() == {"EVERBRIDGE": "UPDATED"}
