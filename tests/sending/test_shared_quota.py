"""A quota of several processes, as one of them sees it: the store is asked for all who wait."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING

import pytest

from gateway.sending.quota import QuotaError, QuotaUnknownError
from gateway.sending.shared_quota import SharedWindow, _Turn
from gateway.store.errors import StoreUnavailableError
from gateway.store.leases import MICROS
from gateway.store.quotas import Ask, Turns, give

if TYPE_CHECKING:
    from tests.harness import Gateway


class Kept:
    """What the store does, without a database."""

    def __init__(self) -> None:
        self.taken: list[int] = []
        self.asked: list[Ask] = []
        self.away = False

    async def take(self, name: str, ask: Ask) -> Turns:
        assert name == "q"
        if self.away:
            raise StoreUnavailableError("no network")
        self.asked.append(ask)
        self.taken, turns = give(self.taken, round(time.monotonic() * MICROS), ask)
        await asyncio.sleep(0)
        return turns


@pytest.fixture
def kept() -> Kept:
    return Kept()


def window(kept: Kept, limit: int = 5, seconds: float = 3600.0) -> SharedWindow:
    return SharedWindow(quotas=kept, name="q", limit=limit, seconds=seconds)


async def test_it_is_short_when_all_processes_together_have_used_half_of_it(kept: Kept) -> None:
    here, there = window(kept, limit=6, seconds=0.05), window(kept, limit=6, seconds=0.05)
    await asyncio.gather(*(there.take(1.0) for _ in range(3)))
    seen = [here.ample]  # nobody has asked yet
    await here.take(1.0)
    seen.append(here.ample)
    await asyncio.sleep(0.06)
    assert [*seen, here.ample] == [True, False, True]


async def test_it_tells_when_there_is_a_turn(kept: Kept) -> None:
    here, there = window(kept, limit=4), window(kept, limit=4)
    seen = []
    for one in (there, there, there, here):
        seen.append(one.free_in)
        await one.take(1.0)
    assert seen == [0.0] * 4
    assert 3000 < here.free_in < 4000


async def test_all_who_wait_are_asked_for_at_once(kept: Kept) -> None:
    shared = window(kept)
    await asyncio.gather(*(shared.take(1.0) for _ in range(5)))
    assert [ask.wanted for ask in kept.asked] == [5]


async def test_who_gives_up_while_the_store_is_asked_is_forgotten(kept: Kept) -> None:
    shared = window(kept)
    asking, going_on = asyncio.Event(), asyncio.Event()
    real = kept.take

    async def slow(name: str, ask: Ask) -> Turns:
        asking.set()
        await going_on.wait()
        return await real(name, ask)

    kept.take = slow  # type: ignore[method-assign]
    first = asyncio.create_task(shared.take(5.0))
    await asking.wait()
    gone = asyncio.create_task(shared.take(5.0))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    going_on.set()
    await first
    await asyncio.gather(*(shared.take(5.0) for _ in range(3)))
    assert [ask.wanted for ask in kept.asked] == [1, 3]


async def test_two_processes_have_one_quota_together(kept: Kept) -> None:
    one, other = window(kept), window(kept)
    await asyncio.gather(*(one.take(1.0) for _ in range(3)), *(other.take(1.0) for _ in range(2)))
    for shared in (one, other):
        with pytest.raises(QuotaError) as refused:
            await shared.take(1.0)
        assert 3500 < refused.value.seconds < 3700


async def test_a_turn_that_comes_too_late_for_one_is_anothers(kept: Kept) -> None:
    shared = window(kept, limit=1, seconds=0.05)
    await shared.take(1.0)
    late, patient = await asyncio.gather(
        shared.take(0.01), shared.take(30.0), return_exceptions=True
    )
    assert isinstance(late, QuotaError)
    assert patient is None


async def test_a_process_that_is_busy_asks_for_more_than_it_needs_now(kept: Kept) -> None:
    shared = window(kept, limit=100)
    for _ in range(30):
        await shared.take(1.0)
    assert len(kept.asked) < 15
    assert all(ask.ahead <= 10 for ask in kept.asked)


async def test_who_goes_leaves_its_turn_to_the_next(kept: Kept) -> None:
    shared = window(kept, limit=2)
    first = asyncio.create_task(shared.take(1.0))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await asyncio.gather(*(shared.take(1.0) for _ in range(2)))


async def test_a_turn_whose_time_is_over_is_not_used(kept: Kept) -> None:
    shared = window(kept, limit=20)
    for _ in range(4):
        await shared.take(1.0)
    asked = len(kept.asked)
    shared._turns = deque(_Turn(0.0, 0.0) for _ in shared._turns)
    await shared.take(1.0)
    assert len(kept.asked) == asked + 1


async def test_without_the_store_nobody_knows_and_nothing_is_sent(kept: Kept) -> None:
    shared = window(kept)
    kept.away = True
    with pytest.raises(QuotaUnknownError):
        await shared.take(1.0)
    kept.away = False
    await shared.take(1.0)


async def test_calls_are_kept_back_while_the_store_is_away(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, kept: Kept
) -> None:
    everbridge = next(
        adapter
        for backend, adapter in gateway.app.state.account.adapters.items()
        if backend.value == "EVERBRIDGE"
    )
    kept.away = True
    monkeypatch.setattr(everbridge.sender, "_quota_of", lambda _call: window(kept))
    answer = await gateway.upsert({"externalId": "E-1001", "lastName": "King"})
    result = answer.result("EVERBRIDGE")
    assert result["outcome"] == "FAILED"
    [problem] = result["errors"]
    assert (problem["code"], problem["retryable"]) == ("UNAVAILABLE", True)
    assert gateway.calls("everbridge") == []
