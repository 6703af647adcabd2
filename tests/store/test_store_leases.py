"""Leases: one holder at a time, over processes and their deaths."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.store import Store

KEY = "everbridge:E-1001"
LONG = 3600.0
OVER = 0.0
"""Seconds of a lease that has run out as soon as it is taken, as a dead holder's has in the end."""


async def test_a_held_key_is_refused_until_it_is_released(store: Store) -> None:
    lease = await store.leases.acquire(KEY, "a", seconds=LONG)
    assert lease is not None
    assert await store.leases.acquire(KEY, "b", seconds=LONG) is None

    assert await store.leases.release(lease)

    assert await store.leases.acquire(KEY, "b", seconds=LONG) is not None


async def test_of_many_who_want_a_key_at_once_one_gets_it(store: Store) -> None:
    leases = await asyncio.gather(
        *(store.leases.acquire(KEY, f"h{n}", seconds=LONG) for n in range(20))
    )

    assert sum(lease is not None for lease in leases) == 1


async def test_a_dead_holders_lease_is_taken_over_with_a_greater_fence(store: Store) -> None:
    dead = await store.leases.acquire(KEY, "a", seconds=OVER)
    assert dead is not None

    taken = await store.leases.acquire(KEY, "b", seconds=LONG)

    assert taken is not None
    assert taken.fence > dead.fence
    assert await store.leases.renew("a", [dead], seconds=LONG) == {dead}
    assert not await store.leases.release(dead)
    assert await store.leases.acquire(KEY, "c", seconds=LONG) is None


async def test_a_holder_that_has_lost_a_key_and_has_it_again_has_lost_the_first_lease(
    store: Store,
) -> None:
    first = await store.leases.acquire(KEY, "a", seconds=OVER)
    second = await store.leases.acquire(KEY, "a", seconds=LONG)
    assert first is not None
    assert second is not None

    assert await store.leases.renew("a", [first, second], seconds=LONG) == {first}
    assert not await store.leases.release(first)
    assert await store.leases.release(second)


async def test_renewed_leases_are_held_longer_even_when_they_had_run_out(store: Store) -> None:
    leases = [await store.leases.acquire(key, "a", seconds=OVER) for key in ("one", "two")]

    lost = await store.leases.renew("a", [one for one in leases if one], seconds=LONG)

    assert lost == frozenset()
    for key in ("one", "two"):
        assert await store.leases.acquire(key, "b", seconds=LONG) is None


async def test_the_last_release_is_told_to_the_next_holder(store: Store) -> None:
    first = await store.leases.acquire(KEY, "a", seconds=LONG)
    assert first is not None
    assert first.released_ago is None
    await store.leases.release(first)

    second = await store.leases.acquire(KEY, "b", seconds=LONG)

    assert second is not None
    assert second.released_ago is not None
    assert 0 <= second.released_ago < LONG


async def test_a_holder_that_never_let_go_counts_as_holding_until_it_was_taken_from_it(
    store: Store,
) -> None:
    await store.leases.acquire(KEY, "a", seconds=OVER)

    taken = await store.leases.acquire(KEY, "b", seconds=LONG)

    assert taken is not None
    assert taken.released_ago is not None
    assert taken.released_ago <= 0.001  # the moment at which it was taken, as the clock ticks


async def test_a_key_that_was_asked_for_in_vain_is_kept_for_who_asked(store: Store) -> None:
    held = await store.leases.acquire(KEY, "a", seconds=LONG)
    assert held is not None
    assert await store.leases.acquire(KEY, "b", seconds=LONG, wanted_for=LONG) is None
    assert await store.leases.acquire(KEY, "c", seconds=LONG, wanted_for=LONG) is None
    await store.leases.release(held)

    assert await store.leases.acquire(KEY, "a", seconds=LONG) is None, "who had it is not next"
    assert await store.leases.acquire(KEY, "c", seconds=LONG, wanted_for=LONG) is None
    next_ = await store.leases.acquire(KEY, "b", seconds=LONG, wanted_for=LONG)
    assert next_ is not None
    await store.leases.release(next_)
    assert await store.leases.acquire(KEY, "a", seconds=LONG) is not None, "kept once"


async def test_a_key_is_kept_no_longer_than_it_was_wanted(store: Store) -> None:
    held = await store.leases.acquire(KEY, "a", seconds=LONG)
    assert held is not None
    assert await store.leases.acquire(KEY, "b", seconds=LONG, wanted_for=0.001) is None
    await store.leases.release(held)
    await asyncio.sleep(0.01)

    assert await store.leases.acquire(KEY, "a", seconds=LONG) is not None


async def test_forgotten_keys_start_above_every_fence_they_had(store: Store) -> None:
    old = await store.leases.acquire(KEY, "a", seconds=LONG)
    assert old is not None
    await store.leases.release(old)
    held = await store.leases.acquire("held", "a", seconds=LONG)
    assert held is not None

    assert await store.leases.forget_idle(LONG) == 0
    assert await store.leases.forget_idle(-LONG) == 1

    fresh = await store.leases.acquire(KEY, "b", seconds=LONG)
    assert fresh is not None
    assert fresh.fence > old.fence
    assert not await store.leases.release(old)
    assert await store.leases.release(held), "what is held is not forgotten"
