"""Work that waits for no company: a few calls at a time, and the rest together."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from gateway.sending.slots import Slots

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
    assert await Slots(together=calls, at_once=1, most=9).go(2) == 4
    assert calls.made == [[2]]


async def test_who_comes_while_all_slots_are_taken_leaves_together_with_the_others() -> None:
    calls = Calls()
    slots = Slots(together=calls, at_once=2, most=3)
    going = []
    for number in range(0, 16, 2):
        going.append(asyncio.create_task(slots.go(number)))
        await turns()
    assert calls.made == [[0], [2]]  # nobody joins a call that has left
    calls.open.set()
    assert await asyncio.gather(*going) == [number * 2 for number in range(0, 16, 2)]
    assert calls.made == [[0], [2], [4, 6, 8], [10, 12, 14]]


class Kept:
    """A quota as a test says."""

    limit, seconds = 10, 1.0
    ample = True
    free_in = 0.0

    async def take(self, patience: float) -> None:
        """Always a turn."""


async def come(slots: Slots[int, int], numbers: Sequence[int]) -> list[asyncio.Task[int]]:
    """Ask for each, one after the other."""
    going = []
    for number in numbers:
        going.append(asyncio.create_task(slots.go(number, 10.0)))
        await turns()
    return going


async def test_fewer_are_under_way_while_the_quota_is_short() -> None:
    calls, quota = Calls(), Kept()
    slots = Slots(together=calls, most=9, quota=lambda: quota)
    going = await come(slots, [0, 2, 4])
    quota.ample = False
    going += await come(slots, [6, 8])
    assert calls.made == [[0], [2], [4]]
    calls.open.set()
    assert await asyncio.gather(*going) == [0, 4, 8, 12, 16]
    assert calls.made == [[0], [2], [4], [6, 8]]


async def test_who_comes_when_the_quota_is_used_up_leaves_with_others_in_the_next_turn() -> None:
    calls, quota = Calls(), Kept()
    calls.open.set()
    slots = Slots(together=calls, most=9, quota=lambda: quota)
    quota.ample, quota.free_in = False, 0.05
    going = await come(slots, [2, 4])
    quota.free_in = 0.02
    going += await come(slots, [6])
    assert calls.made == []
    quota.free_in = 0.0
    assert await asyncio.gather(*going) == [4, 8, 12]
    assert calls.made == [[2, 4, 6]]


async def test_who_finds_the_turn_taken_waits_for_one_with_everybody_else() -> None:
    calls, quota = Calls(), Kept()
    slots = Slots(together=calls, most=9, quota=lambda: quota)
    calls.open.set()
    quota.ample, quota.free_in = False, 0.01  # somebody else is always quicker
    assert await asyncio.wait_for(slots.go(2, 10.0), 5) == 4


async def test_who_cannot_wait_for_the_next_turn_is_told_so_at_once() -> None:
    calls, quota = Calls(), Kept()
    calls.open.set()
    slots = Slots(together=calls, most=9, quota=lambda: quota)
    quota.ample, quota.free_in = False, 30.0
    assert await asyncio.wait_for(slots.go(2, 10.0), 5) == 4
    with pytest.raises(ValueError, match="odd"):
        await slots.go(3, 10.0)


async def test_whose_patience_ends_is_told_so_and_the_others_go_on() -> None:
    calls = Calls()
    slots = Slots(together=calls, most=9)
    patient = asyncio.create_task(slots.go(2))
    with pytest.raises(TimeoutError):
        await slots.go(4, 0.01)
    calls.open.set()
    assert await patient == 4
    assert calls.made == [[4, 2]]


async def test_those_who_come_at_the_same_moment_leave_together() -> None:
    calls = Calls()
    calls.open.set()
    slots = Slots(together=calls, at_once=2, most=9)
    results = await asyncio.gather(*(slots.go(n) for n in (2, 3, 4)), return_exceptions=True)
    assert results[0] == 4
    assert isinstance(results[1], ValueError)
    assert results[2] == 8
    assert calls.made == [[2, 3, 4]]


async def test_who_is_cancelled_before_leaving_does_not_go() -> None:
    calls = Calls()
    slots = Slots(together=calls, at_once=1, most=9)
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
