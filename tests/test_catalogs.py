"""What an account's catalogs promise: one fetch, a background refresh, stale when there is need."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
import structlog

from gateway import catalogs as module
from gateway.catalogs import Catalogs
from gateway.entries import CatalogName, Entry
from gateway.errors import NotWrittenError, RefusedError
from gateway.model import Backend
from gateway.results import Problem, ProblemCode
from tests.plain_backend import within
from tests.shifted_clock import ShiftedClock

if TYPE_CHECKING:
    from gateway.upstream import Exchange

GROUPS = CatalogName.GROUPS
TTL = 100.0


def down(code: ProblemCode = ProblemCode.UNAVAILABLE) -> NotWrittenError:
    return NotWrittenError(Problem(backend=Backend.IVVY, code=code, message="down"))


@dataclass
class Lists:
    """A backend's list of groups, with how often and how it is fetched."""

    names: list[str] = field(default_factory=lambda: ["Newsletter"])
    fetches: int = 0
    failure: Exception | None = None
    gate: asyncio.Event | None = None
    """Where a fetch waits, when it is to be slow."""

    async def fetch(self, exchange: Exchange) -> list[Entry]:
        assert exchange.left > 0
        self.fetches += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return [Entry(id=str(place), name=name) for place, name in enumerate(self.names)]

    def catalogs(self) -> Catalogs:
        return Catalogs(Backend.IVVY, {GROUPS: self.fetch}, ttl=TTL)


@pytest.fixture
def lists() -> Lists:
    return Lists()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> ShiftedClock:
    return ShiftedClock(monkeypatch, "gateway.catalogs")


async def settled(catalogs: Catalogs) -> None:
    """Wait for a fetch in the background."""
    running = [kept.fetching for kept in catalogs._kept.values() if kept.fetching]
    await asyncio.gather(*running, return_exceptions=True)
    await asyncio.sleep(0)


async def names(catalogs: Catalogs, seconds: float = 30.0) -> list[str]:
    catalog = await catalogs.read(GROUPS, within(seconds))
    return [entry.name for entry in catalog.entries]


async def test_many_reads_at_once_are_one_fetch(lists: Lists) -> None:
    catalogs = lists.catalogs()
    read = await asyncio.gather(*(names(catalogs) for _ in range(50)))
    assert read == [["Newsletter"]] * 50
    assert lists.fetches == 1


async def test_a_failing_fetch_reaches_all_who_wait_and_the_next_read_tries_again(
    lists: Lists,
) -> None:
    lists.failure = down()
    catalogs = lists.catalogs()
    ends = await asyncio.gather(*(names(catalogs) for _ in range(50)), return_exceptions=True)
    assert all(isinstance(end, NotWrittenError) for end in ends)
    assert lists.fetches == 1
    lists.failure = None
    assert await names(catalogs) == ["Newsletter"]


async def test_a_refused_list_is_a_failure_of_its_backend_not_of_the_input(lists: Lists) -> None:
    lists.failure = RefusedError(down().problem)
    with pytest.raises(NotWrittenError):
        await names(lists.catalogs())


async def test_a_fresh_catalog_is_served_from_memory(lists: Lists, clock: ShiftedClock) -> None:
    catalogs = lists.catalogs()
    await names(catalogs)
    clock.ahead = TTL * 0.79
    await names(catalogs)
    await settled(catalogs)
    assert lists.fetches == 1
    assert TTL * 0.78 < catalogs.ages()[GROUPS] < TTL * 0.8


async def test_a_catalog_late_in_its_life_is_served_and_renewed_in_the_background(
    lists: Lists, clock: ShiftedClock
) -> None:
    catalogs = lists.catalogs()
    await names(catalogs)
    lists.names = ["Newer"]
    clock.ahead = TTL * 0.8
    lists.gate = asyncio.Event()
    assert await asyncio.gather(*(names(catalogs) for _ in range(50))) == [["Newsletter"]] * 50
    lists.gate.set()
    await settled(catalogs)
    assert await names(catalogs) == ["Newer"]
    assert lists.fetches == 2


async def test_a_refresh_that_fails_leaves_the_catalog_and_is_not_tried_by_every_read(
    lists: Lists, clock: ShiftedClock
) -> None:
    catalogs = lists.catalogs()
    await names(catalogs)
    lists.failure = down()
    clock.ahead = TTL * 0.8
    for _ in range(5):
        assert await names(catalogs) == ["Newsletter"]
        await settled(catalogs)
    assert lists.fetches == 2
    clock.ahead += module.REREAD_EVERY
    await names(catalogs)
    await settled(catalogs)
    assert lists.fetches == 3


async def test_an_expired_catalog_is_read_anew(lists: Lists, clock: ShiftedClock) -> None:
    catalogs = lists.catalogs()
    await names(catalogs)
    lists.names = ["Newer"]
    clock.ahead = TTL
    assert await names(catalogs) == ["Newer"]


async def test_an_expired_catalog_is_served_while_its_backend_fails_for_a_bounded_time(
    lists: Lists, clock: ShiftedClock
) -> None:
    catalogs = lists.catalogs()
    await names(catalogs)
    lists.failure = down()
    clock.ahead = TTL + module.STALE_FOR - 1
    assert await names(catalogs) == ["Newsletter"]
    assert await names(catalogs) == ["Newsletter"]
    assert lists.fetches == 2  # the second read did not wait for another failure
    clock.ahead = TTL + module.STALE_FOR
    with pytest.raises(NotWrittenError):
        await names(catalogs)
    lists.failure = None
    assert await names(catalogs) == ["Newsletter"]


async def test_an_expired_catalog_is_served_soon_while_its_backend_hangs(
    lists: Lists, clock: ShiftedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STALE_WAIT", 0.0)
    catalogs = lists.catalogs()
    await names(catalogs)
    clock.ahead = TTL
    lists.gate, lists.names = asyncio.Event(), ["Newer"]
    assert await names(catalogs) == ["Newsletter"]
    lists.gate.set()
    await settled(catalogs)
    assert await names(catalogs) == ["Newer"]
    assert lists.fetches == 2


async def test_a_list_that_is_not_read_in_time_is_a_timeout(lists: Lists) -> None:
    lists.gate = asyncio.Event()
    catalogs = lists.catalogs()
    with pytest.raises(NotWrittenError) as raised:
        await names(catalogs, seconds=0)
    assert raised.value.problem.code is ProblemCode.TIMEOUT
    assert "groups" in raised.value.problem.message
    assert raised.value.problem.retryable
    lists.gate.set()
    assert await names(catalogs) == ["Newsletter"]
    assert lists.fetches == 1


async def test_a_cancelled_reader_does_not_cancel_the_fetch(lists: Lists) -> None:
    lists.gate = asyncio.Event()
    catalogs = lists.catalogs()
    first = asyncio.create_task(names(catalogs))
    second = asyncio.create_task(names(catalogs))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    first.cancel()
    lists.gate.set()
    assert await second == ["Newsletter"]
    assert lists.fetches == 1
    assert first.cancelled()


async def test_a_name_that_is_not_found_fetches_once_in_a_while(
    lists: Lists, clock: ShiftedClock
) -> None:
    catalogs = lists.catalogs()
    seen = await catalogs.read(GROUPS, within())
    assert await catalogs.reread(GROUPS, seen, within()) is seen
    assert lists.fetches == 1
    clock.ahead = module.REREAD_EVERY
    lists.names = ["Newer"]
    newer = await asyncio.gather(*(catalogs.reread(GROUPS, seen, within()) for _ in range(20)))
    assert {entry.name for catalog in newer for entry in catalog.entries} == {"Newer"}
    assert lists.fetches == 2
    assert await catalogs.reread(GROUPS, seen, within()) is newer[0]
    assert await catalogs.reread(GROUPS, newer[0], within()) is newer[0]
    assert lists.fetches == 2


async def test_a_list_that_takes_long_to_read_is_read_less_often_for_names_it_lacks(
    lists: Lists, clock: ShiftedClock
) -> None:
    catalogs = lists.catalogs()
    lists.gate = asyncio.Event()
    reading = asyncio.create_task(catalogs.read(GROUPS, within()))
    await asyncio.sleep(0)
    clock.ahead = 3.0  # while it is read
    lists.gate.set()
    seen = await reading
    clock.ahead = 3.0 / module.SOON_READ * module.REREAD_EVERY - 1.0
    assert await catalogs.reread(GROUPS, seen, within()) is seen
    assert lists.fetches == 1
    clock.ahead *= 9.0
    assert await catalogs.reread(GROUPS, seen, within()) is not seen
    assert lists.fetches == 2


async def test_a_name_cannot_be_judged_while_no_newer_list_can_be_read(
    lists: Lists, clock: ShiftedClock
) -> None:
    catalogs = lists.catalogs()
    seen = await catalogs.read(GROUPS, within())
    clock.ahead = module.REREAD_EVERY
    lists.failure = down()
    for _ in range(3):
        with pytest.raises(NotWrittenError):
            await catalogs.reread(GROUPS, seen, within())
    assert lists.fetches == 2


async def test_a_reader_joins_the_refresh_that_is_under_way(
    lists: Lists, clock: ShiftedClock
) -> None:
    catalogs = lists.catalogs()
    seen = await catalogs.read(GROUPS, within())
    clock.ahead = TTL * 0.8
    lists.names = ["Newer"]
    await catalogs.read(GROUPS, within())
    newer = await catalogs.reread(GROUPS, seen, within())
    assert [entry.name for entry in newer.entries] == ["Newer"]
    assert lists.fetches == 2


async def test_our_own_fault_in_a_refresh_is_logged(lists: Lists, clock: ShiftedClock) -> None:
    catalogs = lists.catalogs()
    await names(catalogs)
    clock.ahead = TTL * 0.8
    lists.failure = KeyError("ours")
    with structlog.testing.capture_logs() as logged:
        await names(catalogs)
        await settled(catalogs)
    assert [event["event"] for event in logged] == ["catalog could not be read"]
    seen = await catalogs.read(GROUPS, within())
    assert await catalogs.reread(GROUPS, seen, within()) is seen


async def test_closing_ends_what_is_being_fetched(lists: Lists) -> None:
    lists.gate = asyncio.Event()
    catalogs = lists.catalogs()
    reading = asyncio.create_task(names(catalogs))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await catalogs.close()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert catalogs.ages() == {}


def test_a_backend_holds_only_its_own_lists(lists: Lists) -> None:
    catalogs = lists.catalogs()
    assert catalogs.holds(GROUPS)
    assert not catalogs.holds(CatalogName.COMPANIES)


async def test_a_list_that_we_have_changed_is_read_anew_at_once(lists: Lists) -> None:
    catalogs = lists.catalogs()
    catalogs.expire(GROUPS)  # nothing is kept yet
    await names(catalogs)
    lists.names = ["Newer"]
    catalogs.expire(GROUPS)
    assert await names(catalogs) == ["Newer"]
    assert lists.fetches == 2


async def test_a_list_is_read_anew_after_a_refused_write_unless_it_is_young(
    lists: Lists, clock: ShiftedClock
) -> None:
    catalogs = lists.catalogs()
    await names(catalogs)
    lists.names = ["Newer"]
    catalogs.doubt()
    assert await names(catalogs) == ["Newsletter"]
    clock.ahead = 61.0
    catalogs.doubt()
    assert await names(catalogs) == ["Newer"]
    assert lists.fetches == 2
