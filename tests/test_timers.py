"""Timers that mostly are cancelled: what is due comes in time, and what is cancelled never."""

from __future__ import annotations

import asyncio
import time
from functools import partial

from gateway.timers import begin, ended

LONG = 30.0
SECONDS = 10.0


async def reached(*cancelled: int) -> list[int]:
    """The numbers of those of five timers that come; the last one ends it."""
    came: list[int] = []
    over, loop = asyncio.Event(), asyncio.get_running_loop()
    now = time.monotonic()

    def comes(number: int) -> None:
        came.append(number)
        if number == 4:
            over.set()

    timers = [begin(now + (4 - n) / 50, partial(comes, n), loop) for n in range(4)]
    timers.append(begin(now + 0.15, partial(comes, 4), loop))
    for number in cancelled:
        timers[number].cancel()
    async with asyncio.timeout(SECONDS):
        await over.wait()
    return came


async def test_timers_come_in_their_order_whatever_that_of_their_beginnings() -> None:
    assert await reached() == [3, 2, 1, 0, 4]


async def test_one_that_is_cancelled_does_not_come() -> None:
    assert await reached(3, 1) == [2, 0, 4]


async def test_one_that_fails_keeps_no_other_from_coming() -> None:
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    told: list[BaseException] = []
    loop.set_exception_handler(lambda _loop, context: told.append(context["exception"]))

    def fail() -> None:
        raise ValueError

    now = time.monotonic()
    begin(now, fail, loop)
    begin(now + 0.001, over.set, loop)
    async with asyncio.timeout(SECONDS):
        await over.wait()
    assert [type(error) for error in told] == [ValueError]


async def test_one_that_is_put_off_comes_later() -> None:
    over = asyncio.Event()
    began = time.monotonic()
    timer = begin(began + 0.02, over.set, asyncio.get_running_loop())
    timer.when = began + 0.1
    async with asyncio.timeout(SECONDS):
        await over.wait()
    assert time.monotonic() - began > 0.09


async def test_it_is_waited_for_all_tasks_and_no_longer_than_that() -> None:
    tasks = [asyncio.create_task(asyncio.sleep(seconds)) for seconds in (0, 0.05, 0)]
    async with asyncio.timeout(SECONDS):
        await ended(tasks, LONG)
    assert all(task.done() for task in tasks)


async def test_tasks_that_take_too_long_go_on() -> None:
    slow, quick = asyncio.Event(), asyncio.create_task(asyncio.sleep(0))
    waiting = asyncio.create_task(slow.wait())
    await ended([waiting, quick], 0.02)
    assert quick.done()
    assert not waiting.done()
    slow.set()
    assert await waiting


async def test_nothing_is_kept_of_a_timer_that_is_not_waited_for_any_more() -> None:
    loop = asyncio.get_running_loop()
    await ended([loop.create_task(asyncio.sleep(0))], LONG)
    timer = begin(time.monotonic() + LONG, loop.stop, loop)
    timer.cancel()
    assert not timer._running
