"""Work that waits for no company: a few calls at a time, and the rest together."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from gateway.slots import Slots

if TYPE_CHECKING:
    from collections.abc import Sequence


class Calls:
    """Answers each number with its double, when it is let go."""

    def __init__(self) -> None:
        self.made: list[list[int]] = []
        self.open = asyncio.Event()

    async def __call__(self, items: Sequence[int]) -> list[int | Exception]:
        self.made.append(list(items))
        await self.open.wait()
        return [ValueError(f"{item} is odd") if item % 2 else item * 2 for item in items]


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_a_lone_one_leaves_at_once() -> None:
    calls = Calls()
    calls.open.set()
    assert await Slots(together=calls, at_once=lambda: 1, most=9).go(2) == 4
    assert calls.made == [[2]]


async def test_who_comes_while_all_slots_are_taken_leaves_together_with_the_others() -> None:
    calls = Calls()
    slots = Slots(together=calls, at_once=lambda: 2, most=3)
    going = []
    for number in range(0, 16, 2):
        going.append(asyncio.create_task(slots.go(number)))
        await turns()
    assert calls.made == [[0], [2]]  # nobody joins a call that has left
    calls.open.set()
    assert await asyncio.gather(*going) == [number * 2 for number in range(0, 16, 2)]
    assert calls.made == [[0], [2], [4, 6, 8], [10, 12, 14]]


async def test_slots_are_as_many_as_may_be_at_the_time() -> None:
    calls, free = Calls(), [3]
    slots = Slots(together=calls, at_once=lambda: free[0], most=9)
    going = []
    for number in range(0, 12, 2):
        going.append(asyncio.create_task(slots.go(number)))
        await turns()
        if number == 2:
            free[0] = 2  # what is under way stays so
    assert calls.made == [[0], [2]]
    free[0] = 4
    going.append(asyncio.create_task(slots.go(12)))
    calls.open.set()
    await asyncio.gather(*going)
    assert calls.made == [[0], [2], [4, 6, 8, 10, 12]]


async def test_those_who_come_at_the_same_moment_leave_together() -> None:
    calls = Calls()
    calls.open.set()
    slots = Slots(together=calls, at_once=lambda: 2, most=9)
    results = await asyncio.gather(*(slots.go(n) for n in (2, 3, 4)), return_exceptions=True)
    assert results[0] == 4
    assert isinstance(results[1], ValueError)
    assert results[2] == 8
    assert calls.made == [[2, 3, 4]]


async def test_who_is_cancelled_before_leaving_does_not_go() -> None:
    calls = Calls()
    slots = Slots(together=calls, at_once=lambda: 1, most=9)
    first, second, third = (asyncio.create_task(slots.go(n)) for n in (2, 4, 6))
    await turns(1)
    second.cancel()
    await turns()
    late = asyncio.create_task(slots.go(8))
    await turns()
    late.cancel()
    calls.open.set()
    assert [await first, await third] == [4, 12]
    for gone in (second, late):
        with pytest.raises(asyncio.CancelledError):
            await gone
    assert calls.made == [[2, 6]]
