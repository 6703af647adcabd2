"""One writer at a time for a record, within the request's time."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from gateway.errors import NotWrittenError
from gateway.locking import locks as module
from gateway.locking.locks import Locks
from gateway.results import ProblemCode
from tests.plain_backend import within
from tests.shifted_clock import ShiftedClock

if TYPE_CHECKING:
    from gateway.upstream import Exchange


async def test_writers_of_one_key_go_one_after_the_other() -> None:
    locks, inside, most = Locks(), 0, 0

    async def write() -> None:
        nonlocal inside, most
        async with locks.hold("a", within()):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(write() for _ in range(20)))
    assert most == 1


async def test_writers_of_other_keys_do_not_wait() -> None:
    locks = Locks()
    async with locks.hold("a", within()), locks.hold("b", within(0)) as released_at:
        assert released_at == 0


async def test_a_holder_learns_when_the_key_was_last_let_go() -> None:
    locks = Locks()
    before = time.monotonic()
    async with locks.hold("a", within()) as first:
        assert first == 0
    async with locks.hold("a", within()) as second:
        assert before <= second <= time.monotonic()


async def test_a_key_is_let_go_when_its_holder_fails() -> None:
    locks = Locks()
    with pytest.raises(KeyError):
        async with locks.hold("a", within()):
            raise KeyError
    async with locks.hold("a", within(0)) as released_at:
        assert released_at > 0


async def test_a_key_that_is_not_free_in_time_is_a_conflict_worth_repeating() -> None:
    locks = Locks()
    async with locks.hold("a", within()):
        with pytest.raises(NotWrittenError) as raised:
            async with locks.hold("a", within(0)):
                raise AssertionError("unreachable")
    assert raised.value.problem.code is ProblemCode.CONFLICT
    assert raised.value.problem.retryable
    assert not locks._locks  # and nothing is left of who has gone


async def test_a_waiter_that_is_cancelled_leaves_the_key_to_the_next() -> None:
    locks = Locks()

    async def wait(exchange: Exchange) -> float:
        async with locks.hold("a", exchange) as released_at:
            return released_at

    async with locks.hold("a", within()):
        waiting = [asyncio.create_task(wait(within())) for _ in range(2)]
        await asyncio.sleep(0)
        waiting[0].cancel()
    assert await waiting[1] > 0
    assert waiting[0].cancelled()
    assert not locks._locks


async def test_keys_that_are_held_together_are_let_go_together() -> None:
    locks = Locks()
    async with locks.holding(within()) as held:
        assert [await held.take(key) for key in "ab"] == [0, 0]
        for key in "ab":
            with pytest.raises(NotWrittenError):
                async with locks.hold(key, within(0)):
                    raise AssertionError("unreachable")
    async with locks.holding(within(0)) as held:
        assert all([await held.take(key) > 0 for key in "ba"])


async def test_locks_are_forgotten_once_nobody_can_have_read_before_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = ShiftedClock(monkeypatch, "gateway.locking.locks")
    locks = Locks()
    async with locks.hold("held", within()):
        async with locks.hold("old", within()):
            pass
        clock.ahead = module.REMEMBERED / 2
        async with locks.hold("young", within()):
            pass
        clock.ahead = module.REMEMBERED + 1
        async with locks.hold("other", within()):
            assert set(locks._locks) == {"held", "other"}
            assert set(locks._released) == {hash("young")}


async def test_releases_that_are_too_many_are_remembered_as_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST_REMEMBERED", 3)
    locks = Locks()
    moments = []
    for key in "abcde":
        async with locks.hold(key, within()):
            pass
        moments.append(time.monotonic())
    async with locks.hold("new", within()) as released_at:
        assert moments[0] <= released_at <= moments[1], "it may have been b's"
    async with locks.hold("d", within()) as released_at:
        assert moments[2] <= released_at <= moments[3]
    assert len(locks._released) <= 4
