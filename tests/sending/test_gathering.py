"""Work that meets at a point leaves in one call, and each gets its own result."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from gateway.sending.gathering import Gathering

if TYPE_CHECKING:
    from collections.abc import Sequence


class Calls:
    """Answers each number with its double; odd ones are errors where that is asked for."""

    def __init__(self, *, odd_fail: bool = False) -> None:
        self.made: list[list[int]] = []
        self.odd_fail = odd_fail

    async def __call__(self, items: Sequence[int]) -> list[int | Exception]:
        self.made.append(list(items))
        await asyncio.sleep(0)
        return [
            ValueError(f"{item} is odd") if self.odd_fail and item % 2 else item * 2
            for item in items
        ]


async def test_those_who_come_together_leave_in_one_call_and_get_their_own_results() -> None:
    calls, gathering = Calls(), Gathering(quiet=0.01, longest=1.0)
    results = await asyncio.gather(
        *(gathering.meet("point", number, calls, most=100) for number in range(5))
    )
    assert results == [0, 2, 4, 6, 8]
    assert calls.made == [[0, 1, 2, 3, 4]]


async def test_a_full_point_leaves_at_once_and_the_rest_go_later() -> None:
    calls, gathering = Calls(), Gathering(quiet=0.01, longest=1.0)
    await asyncio.gather(*(gathering.meet("point", number, calls, most=2) for number in range(5)))
    assert calls.made == [[0, 1], [2, 3], [4]]


async def test_a_call_is_never_heavier_than_allowed() -> None:
    calls, gathering = Calls(), Gathering(quiet=0.01, longest=1.0)
    await asyncio.gather(
        *(
            gathering.meet("point", number, calls, most=9, weight=number, heaviest=5)
            for number in (2, 3, 1, 9, 1)
        )
    )
    assert calls.made == [[2, 3], [1], [9], [1]]


async def test_points_do_not_mix() -> None:
    calls, gathering = Calls(), Gathering(quiet=0.01, longest=1.0)
    await asyncio.gather(
        gathering.meet("a", 1, calls, most=9),
        gathering.meet("b", 2, calls, most=9),
    )
    assert sorted(calls.made) == [[1], [2]]


async def test_an_error_of_one_is_not_that_of_its_neighbours() -> None:
    calls, gathering = Calls(odd_fail=True), Gathering(quiet=0.01, longest=1.0)
    results = await asyncio.gather(
        *(gathering.meet("point", number, calls, most=9) for number in range(3)),
        return_exceptions=True,
    )
    assert [results[0], results[2]] == [0, 4]
    assert isinstance(results[1], ValueError)


async def test_a_call_that_fails_fails_for_all_of_them() -> None:
    async def fail(items: Sequence[int]) -> list[int | Exception]:
        raise OSError(len(items))

    gathering = Gathering(quiet=0.01, longest=1.0)
    results = await asyncio.gather(
        *(gathering.meet("point", number, fail, most=9) for number in range(2)),
        return_exceptions=True,
    )
    assert [str(error) for error in results] == ["2", "2"]


async def test_who_is_cancelled_while_it_waits_does_not_go_along() -> None:
    calls, gathering = Calls(), Gathering(quiet=0.02, longest=1.0)
    going = asyncio.create_task(gathering.meet("point", 1, calls, most=9))
    gone = asyncio.create_task(gathering.meet("point", 2, calls, most=9))
    await asyncio.sleep(0)
    gone.cancel()
    assert await going == 2
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert calls.made == [[1]]


async def test_a_caller_that_goes_after_they_have_left_does_not_end_the_call() -> None:
    left, ended = asyncio.Event(), asyncio.Event()

    async def slow(items: Sequence[int]) -> list[int | Exception]:
        left.set()
        await asyncio.sleep(0.01)
        ended.set()
        return list(items)

    gathering = Gathering(quiet=0.0, longest=1.0)
    caller = asyncio.create_task(gathering.meet("point", 1, slow, most=9))
    await left.wait()
    caller.cancel()
    await asyncio.wait_for(ended.wait(), 5)


async def test_newcomers_do_not_keep_the_first_waiting_for_ever() -> None:
    calls, gathering = Calls(), Gathering(quiet=10.0, longest=0.02)
    assert await asyncio.wait_for(gathering.meet("point", 1, calls, most=9), 5) == 2


async def test_a_point_waits_for_those_who_are_on_the_way_to_it() -> None:
    calls, gathering = Calls(), Gathering(quiet=0.01, longest=0.02)

    async def meet(item: int, behind: str) -> int:
        return await gathering.meet(
            f"after {behind}", item, calls, most=9, behind=behind, patience=1000
        )

    with gathering.on_the_way("reading"):
        first = asyncio.create_task(meet(2, "reading"))
        assert await meet(1, "nothing") == 2  # waits no less than the other has
        second = asyncio.create_task(meet(3, "reading"))
        await asyncio.sleep(0)
    assert [await first, await second] == [4, 6]
    assert calls.made == [[1], [2, 3]]


async def test_a_point_waits_only_so_long_for_those_who_are_on_the_way() -> None:
    calls, gathering = Calls(), Gathering(quiet=0.01, longest=0.02)
    with gathering.on_the_way("reading"):
        assert await gathering.meet("point", 2, calls, most=9, behind="reading", patience=2) == 4


async def test_too_few_results_are_an_error_for_all_of_them() -> None:
    async def forget_one(items: Sequence[int]) -> list[int | Exception]:
        return list(items[1:])

    gathering = Gathering(quiet=0.01, longest=1.0)
    results = await asyncio.gather(
        *(gathering.meet("point", number, forget_one, most=9) for number in range(2)),
        return_exceptions=True,
    )
    assert all(isinstance(result, ValueError) for result in results)


async def test_who_joins_waits_for_nothing_and_is_told_by_the_call() -> None:
    gathering = Gathering(quiet=0.01, longest=1.0)
    told, over = [], asyncio.Event()

    async def leave(items: list[int]) -> None:
        told.append(items)
        over.set()

    for number in range(3):
        gathering.join("point", number, leave, most=100)
    assert told == []
    async with asyncio.timeout(10):
        await over.wait()
    assert told == [[0, 1, 2]]
