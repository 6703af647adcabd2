"""The time that an operation may take: one timer for all, and each ends when its own time is over."""

from __future__ import annotations

import asyncio
import time

import pytest

from gateway.api.time_limit import TimeLimit

LONG = 30.0


async def waits(seconds: float, *, limit: float) -> str:
    """What became of waiting so long within a limit."""
    try:
        with TimeLimit(time.monotonic() + limit):
            await asyncio.sleep(seconds)
    except TimeoutError:
        return "over"
    return "done"


async def test_what_takes_too_long_is_ended_and_nothing_else() -> None:
    first = asyncio.create_task(waits(LONG, limit=0.05))
    found = await asyncio.gather(first, waits(0.1, limit=LONG), waits(0.0, limit=0.01))
    assert [*found] == ["over", "done", "done"]


async def test_one_that_begins_later_may_be_over_sooner() -> None:
    slow = asyncio.create_task(waits(0.2, limit=LONG))
    await asyncio.sleep(0)
    assert await waits(LONG, limit=0.02) == "over"
    assert await slow == "done"


async def test_those_that_begin_later_are_ended_after_the_first_is_gone() -> None:
    assert await waits(0.0, limit=0.05) == "done"
    began = time.monotonic()
    found = await asyncio.gather(*(waits(LONG, limit=0.1 + place / 50) for place in range(5)))
    assert found == ["over"] * 5
    assert 0.17 < time.monotonic() - began < 2


async def test_a_limit_that_is_over_before_it_begins_ends_at_the_first_wait() -> None:
    assert await waits(LONG, limit=-1.0) == "over"


async def test_who_is_cancelled_by_others_stays_cancelled() -> None:
    waiting = asyncio.create_task(waits(LONG, limit=LONG))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_cancelled_by_others_and_over_at_once_is_cancelled() -> None:
    limit = TimeLimit(time.monotonic() + LONG)

    async def within() -> None:
        with limit:
            await asyncio.sleep(LONG)

    waiting = asyncio.create_task(within())
    await asyncio.sleep(0)
    waiting.cancel()
    limit.expire()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_the_inner_of_two_limits_leaves_the_outer_as_it_is() -> None:
    with TimeLimit(time.monotonic() + LONG):
        assert await waits(LONG, limit=0.02) == "over"
        await asyncio.sleep(0.01)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


def test_each_event_loop_has_its_own_timer() -> None:
    assert asyncio.run(waits(LONG, limit=0.02)) == "over"
    assert asyncio.run(waits(LONG, limit=0.02)) == "over"
