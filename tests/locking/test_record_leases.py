"""One writer at a time for a record over two processes, as two who share a store."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from gateway.errors import NotWrittenError
from gateway.locking.locks import Locks
from gateway.locking.record_leases import RecordLeases
from gateway.results import ProblemCode
from gateway.store.database import Statement
from gateway.store.errors import StoreUnavailableError
from tests.plain_backend import within
from tests.shifted_clock import ShiftedClock
from tests.store.conftest import database_url, postgres_url, sqlite_url, store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.store import Store
    from gateway.store.database import Transaction
    from gateway.store.leases import Lease
    from gateway.upstream import Exchange

__all__ = ["database_url", "postgres_url", "sqlite_url", "store"]

LONG = 3600.0


def two(store: Store, seconds: float = LONG) -> tuple[Locks, Locks]:
    """The locks of two processes."""
    names = ("one", "other")
    one, other = (
        Locks(RecordLeases(leases=store.leases, holder=name, seconds=seconds)) for name in names
    )
    return one, other


async def test_writers_of_one_key_go_one_after_the_other_over_both(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    both, inside, most, order = two(store), 0, 0, list[int]()
    want, wanted = store.leases.want, asyncio.Event()

    async def wanting(*args: Any, **kwargs: Any) -> None:
        await want(*args, **kwargs)
        wanted.set()

    monkeypatch.setattr(store.leases, "want", wanting)

    async def write(number: int) -> None:
        nonlocal inside, most
        async with both[number % 2].hold("a", within()):
            order.append(number % 2)
            inside += 1
            most = max(most, inside)
            await wanted.wait()
            inside -= 1

    await asyncio.gather(*(write(number) for number in range(12)))
    assert most == 1
    assert len(order) == 12
    turns = sum(1 for before, after in pairwise(order) if before != after)
    assert turns > 1, "neither waits until all of the other are through"


async def test_who_takes_a_free_key_learns_when_the_other_let_go_of_it(store: Store) -> None:
    one, other = two(store)
    async with one.hold("a", within()) as first:
        assert first == 0
        read_at = time.monotonic()
        await asyncio.sleep(0.002)  # SQLite's clock, by which it is let go, counts milliseconds
    async with other.hold("a", within()) as released_at:
        assert released_at > read_at


async def test_a_key_that_the_other_never_let_go_counts_as_held_until_now(store: Store) -> None:
    await store.leases.acquire(["a"], "dead", seconds=0)
    read_at = time.monotonic()
    async with two(store)[0].hold("a", within()) as released_at:
        assert released_at > read_at


async def test_a_key_that_the_other_keeps_too_long_is_a_conflict_worth_repeating(
    store: Store,
) -> None:
    one, other = two(store)
    async with one.hold("a", within()):
        with pytest.raises(NotWrittenError) as raised:
            async with other.hold("a", within(0.3)):
                raise AssertionError("unreachable")
    assert raised.value.problem.code is ProblemCode.CONFLICT
    assert raised.value.problem.retryable
    async with other.hold("a", within()):
        pass


async def test_writes_under_a_key_are_sent_while_its_lease_lasts(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange = within()
    async with two(store)[0].hold("a", exchange):
        assert may_send(exchange)
        ShiftedClock(monkeypatch, "gateway.locking.leased").ahead = LONG
        assert not may_send(exchange)
    assert exchange.held == []


async def test_a_lease_is_renewed_while_it_is_held(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewed = watched(store, monkeypatch, "renew")
    locks, exchange = two(store, seconds=1.5)[0], within()
    async with locks.hold("a", exchange):
        [held] = exchange.held
        before: Any = vars(held)["until"]
        await renewed.wait()
        await asyncio.sleep(0)  # until what was renewed is noted
        assert vars(held)["until"] > before


async def test_a_lease_that_another_took_over_is_known_to_be_lost(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewed = watched(store, monkeypatch, "renew")
    locks, exchange = two(store, seconds=0.3)[0], within()
    async with locks.hold("a", exchange):
        [held] = exchange.held
        await store.database.write(_run_out)
        assert await store.leases.acquire(["a"], "thief", seconds=LONG)
        await renewed.wait()
        await asyncio.sleep(0)  # until what was lost is noted
        assert not may_send(exchange)
        assert vars(held)["lost"]
    assert not await store.leases.acquire(["a"], "next", seconds=LONG), "the thief has it still"


async def test_a_store_that_is_away_keeps_writes_back(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(store.leases, "acquire", broken)
        with pytest.raises(NotWrittenError) as raised:
            async with two(store)[0].hold("a", within()):
                raise AssertionError("unreachable")
    assert raised.value.problem.code is ProblemCode.UNAVAILABLE
    assert raised.value.problem.retryable


async def test_a_store_that_goes_away_meanwhile_changes_nothing_for_who_has_the_key(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    locks = two(store, seconds=0.01)[0]
    monkeypatch.setattr(store.leases, "renew", broken)
    monkeypatch.setattr(store.leases, "release", broken)
    async with locks.hold("a", within()):
        await asyncio.sleep(0.02)  # the lease runs out, for nobody could renew it
    async with locks.hold("a", within()) as released_at:
        assert released_at > 0


async def broken(*_args: Any, **_named: Any) -> None:
    raise StoreUnavailableError("no network")


def may_send(exchange: Exchange) -> bool:
    return all(one.holds for one in exchange.held)


def watched(store: Store, monkeypatch: pytest.MonkeyPatch, name: str) -> asyncio.Event:
    """Tells when something was asked of the leases."""
    done, real = asyncio.Event(), getattr(store.leases, name)

    async def watching(*args: Any, **named: Any) -> Any:
        try:
            return await real(*args, **named)
        finally:
            done.set()

    monkeypatch.setattr(store.leases, name, watching)
    return done


def _run_out() -> Transaction[None]:
    yield Statement("UPDATE lease SET held_until = 0")


async def test_those_who_write_at_once_ask_the_store_together(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    leases = RecordLeases(leases=store.leases, holder="one", seconds=LONG)
    locks, all_inside, taken, given_back = (
        Locks(leases),
        asyncio.Barrier(30),
        list[int](),
        list[int](),
    )
    monkeypatch.setattr(store.leases, "acquire", counting(store.leases.acquire, taken))
    monkeypatch.setattr(store.leases, "release", counting(store.leases.release, given_back))

    async def write(number: int) -> None:
        async with locks.hold(f"record {number}", within()):
            await all_inside.wait()

    await asyncio.gather(*(write(number) for number in range(30)))
    await leases.close()
    assert sum(taken) == sum(given_back) == 30
    assert len(taken) < 10
    assert len(given_back) < 10


async def test_nobody_waits_for_the_store_to_let_go_but_who_writes_the_record_next(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    locks, letting_go, may = two(store)[0], asyncio.Event(), asyncio.Event()
    release = store.leases.release

    async def slowly(leases: Sequence[Lease]) -> frozenset[Lease]:
        letting_go.set()
        await may.wait()
        return await release(leases)

    monkeypatch.setattr(store.leases, "release", slowly)
    async with locks.hold("a", within()):
        pass
    await letting_go.wait()

    async def write_again() -> float:
        async with locks.hold("a", within()) as released_at:
            return released_at

    again = asyncio.create_task(write_again())
    async with locks.hold("b", within()):
        assert not again.done()
    may.set()
    assert await again > 0


async def test_what_is_being_let_go_of_is_let_go_before_the_process_ends(store: Store) -> None:
    leases = RecordLeases(leases=store.leases, holder="one", seconds=LONG)
    async with Locks(leases).hold("a", within()):
        pass
    await leases.close()
    assert await store.leases.acquire(["a"], "next", seconds=LONG)


@pytest.mark.parametrize("end", ["cancelled", "too late"])
async def test_a_lease_that_comes_when_nobody_waits_any_more_is_let_go(
    store: Store, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    asked, may, released = asyncio.Event(), asyncio.Event(), watched(store, monkeypatch, "release")
    acquire = store.leases.acquire

    async def slowly(*args: Any, **named: Any) -> dict[str, Lease]:
        asked.set()
        await may.wait()
        return await acquire(*args, **named)

    monkeypatch.setattr(store.leases, "acquire", slowly)
    writing = asyncio.create_task(
        hold_once(two(store)[0], within(0.05 if end == "too late" else 10.0))
    )
    await asked.wait()
    if end == "cancelled":
        writing.cancel()
    with pytest.raises((NotWrittenError, asyncio.CancelledError)):
        await writing
    may.set()
    async with asyncio.timeout(10):
        await released.wait()
    assert await acquire(["a"], "next", seconds=LONG)


async def test_a_lease_in_hand_is_kept_though_the_next_in_turn_cannot_be_noted(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two ask in one question: the one is given its lease, the other is refused for the second time."""
    monkeypatch.setattr(store.leases, "want", broken)
    one, other = two(store)
    async with one.hold("held", within()):
        waiting = asyncio.create_task(hold_once(other, within(), "held"))
        for number in range(20):
            async with other.hold(f"free {number}", within()):
                await asyncio.sleep(0.005)
        assert not waiting.done()
    await waiting


async def hold_once(locks: Locks, exchange: Exchange, key: str = "a") -> None:
    async with locks.hold(key, exchange):
        pass


def counting(real: Any, asked: list[int]) -> Any:
    """Notes of how many each question to the store is."""

    async def ask(many: Sequence[Any], *args: Any, **named: Any) -> Any:
        asked.append(len(many))
        return await real(many, *args, **named)

    return ask
