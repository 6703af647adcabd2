"""Leases: one holder at a time, over processes and their deaths."""

from __future__ import annotations

import asyncio
from datetime import timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from tests.store.accepting import NOON, at

if TYPE_CHECKING:
    from gateway.store import Store

KEY = "everbridge:E-1001"


async def test_a_held_key_is_refused_until_it_is_released(store: Store) -> None:
    lease = await store.leases.acquire(KEY, "a", until=at(30), now=NOON)
    assert lease is not None
    assert await store.leases.acquire(KEY, "b", until=at(31), now=at(1)) is None

    assert await store.leases.release(lease, at(2))

    assert await store.leases.acquire(KEY, "b", until=at(32), now=at(2)) is not None


async def test_a_time_without_its_zone_is_refused_by_both(store: Store) -> None:
    with pytest.raises(ValueError, match="zone"):
        await store.leases.acquire(KEY, "a", until=at(30).replace(tzinfo=None), now=NOON)
    assert await store.leases.fence_of(KEY) == 0


async def test_times_of_other_zones_are_the_same_moments(store: Store) -> None:
    local = timezone(timedelta(hours=5, minutes=30))
    lease = await store.leases.acquire(KEY, "a", until=at(30).astimezone(local), now=NOON)
    assert lease is not None

    assert await store.leases.acquire(KEY, "b", until=at(59), now=at(29).astimezone(local)) is None
    assert await store.leases.acquire(KEY, "b", until=at(60), now=at(30)) is not None


async def test_of_many_who_want_a_key_at_once_one_gets_it(store: Store) -> None:
    leases = await asyncio.gather(
        *(store.leases.acquire(KEY, f"h{n}", until=at(30), now=NOON) for n in range(20))
    )

    assert sum(lease is not None for lease in leases) == 1


async def test_a_dead_holders_lease_is_taken_over_with_a_greater_fence(store: Store) -> None:
    dead = await store.leases.acquire(KEY, "a", until=at(30), now=NOON)
    assert dead is not None
    assert await store.leases.acquire(KEY, "b", until=at(59), now=at(29)) is None

    taken = await store.leases.acquire(KEY, "b", until=at(60), now=at(30))

    assert taken is not None
    assert taken.fence > dead.fence
    assert not await store.leases.renew(dead, until=at(90), now=at(31))
    assert not await store.leases.release(dead, at(31))
    assert await store.leases.acquire(KEY, "c", until=at(99), now=at(32)) is None


async def test_a_renewed_lease_is_held_longer(store: Store) -> None:
    lease = await store.leases.acquire(KEY, "a", until=at(30), now=NOON)
    assert lease is not None

    assert await store.leases.renew(lease, until=at(60), now=at(29))

    assert await store.leases.acquire(KEY, "b", until=at(99), now=at(59)) is None


async def test_the_last_release_is_told_to_the_next_holder(store: Store) -> None:
    first = await store.leases.acquire(KEY, "a", until=at(30), now=NOON)
    assert first is not None
    assert first.released_at is None
    await store.leases.release(first, at(7))

    second = await store.leases.acquire(KEY, "b", until=at(40), now=at(10))

    assert second is not None
    assert second.released_at == at(7)


async def test_a_holder_that_never_let_go_counts_as_holding_until_it_was_taken_from_it(
    store: Store,
) -> None:
    await store.leases.acquire(KEY, "a", until=at(30), now=NOON)

    taken = await store.leases.acquire(KEY, "b", until=at(80), now=at(50))

    assert taken is not None
    assert taken.released_at == at(50)


async def test_an_unchanged_fence_means_that_nobody_held_the_key_since(store: Store) -> None:
    assert await store.leases.fence_of(KEY) == 0
    first = await store.leases.acquire(KEY, "a", until=at(30), now=NOON)
    assert first is not None
    assert first.previous == 0
    await store.leases.release(first, at(1))
    seen = await store.leases.fence_of(KEY)

    second = await store.leases.acquire(KEY, "b", until=at(40), now=at(2))

    assert second is not None
    assert second.previous == seen
    await store.leases.release(second, at(3))
    third = await store.leases.acquire(KEY, "c", until=at(50), now=at(4))
    assert third is not None
    assert third.previous != seen


async def test_forgotten_keys_start_above_every_fence_they_had(store: Store) -> None:
    old = await store.leases.acquire(KEY, "a", until=at(30), now=NOON)
    assert old is not None
    await store.leases.release(old, at(1))
    held = await store.leases.acquire("held", "a", until=at(30), now=NOON)

    assert await store.leases.forget_idle(at(3600)) == 1

    fresh = await store.leases.acquire(KEY, "b", until=at(3700), now=at(3600))
    assert fresh is not None
    assert fresh.fence > old.fence
    assert not await store.leases.release(old, at(3601))
    assert held is not None
    assert await store.leases.fence_of("held") == held.fence
