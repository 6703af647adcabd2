"""Leases: one holder at a time, over processes and their deaths."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.store import Store
    from gateway.store.leases import Lease

KEY = "everbridge:E-1001"
LONG = 3600.0
OVER = 0.0
"""Seconds of a lease that has run out as soon as it is taken, as a dead holder's has in the end."""


async def acquire(
    store: Store, key: str, holder: str, *, seconds: float, wanted_for: float | None = None
) -> Lease | None:
    """One lease; where it is refused, it is wanted for so long."""
    lease = (await store.leases.acquire([key], holder, seconds=seconds)).get(key)
    if lease is None and wanted_for is not None:
        await store.leases.want([key], holder, seconds=wanted_for)
    return lease


async def release(store: Store, lease: Lease) -> bool:
    """Whether one was let go."""
    return not await store.leases.release([lease])


async def test_a_held_key_is_refused_until_it_is_released(store: Store) -> None:
    lease = await acquire(store, KEY, "a", seconds=LONG)
    assert lease is not None
    assert await acquire(store, KEY, "b", seconds=LONG) is None

    assert await release(store, lease)

    assert await acquire(store, KEY, "b", seconds=LONG) is not None


async def test_of_many_who_want_a_key_at_once_one_gets_it(store: Store) -> None:
    leases = await asyncio.gather(*(acquire(store, KEY, f"h{n}", seconds=LONG) for n in range(20)))

    assert sum(lease is not None for lease in leases) == 1


async def test_a_dead_holders_lease_is_taken_over_with_a_greater_fence(store: Store) -> None:
    dead = await acquire(store, KEY, "a", seconds=OVER)
    assert dead is not None

    taken = await acquire(store, KEY, "b", seconds=LONG)

    assert taken is not None
    assert taken.fence > dead.fence
    assert await store.leases.renew("a", [dead], seconds=LONG) == {dead}
    assert not await release(store, dead)
    assert await acquire(store, KEY, "c", seconds=LONG) is None


async def test_a_holder_that_has_lost_a_key_and_has_it_again_has_lost_the_first_lease(
    store: Store,
) -> None:
    first = await acquire(store, KEY, "a", seconds=OVER)
    second = await acquire(store, KEY, "a", seconds=LONG)
    assert first is not None
    assert second is not None

    assert await store.leases.renew("a", [first, second], seconds=LONG) == {first}
    assert not await release(store, first)
    assert await release(store, second)


async def test_renewed_leases_are_held_longer_even_when_they_had_run_out(store: Store) -> None:
    leases = [await acquire(store, key, "a", seconds=OVER) for key in ("one", "two")]

    lost = await store.leases.renew("a", [one for one in leases if one], seconds=LONG)

    assert lost == frozenset()
    for key in ("one", "two"):
        assert await acquire(store, key, "b", seconds=LONG) is None


async def test_the_last_release_is_told_to_the_next_holder(store: Store) -> None:
    first = await acquire(store, KEY, "a", seconds=LONG)
    assert first is not None
    assert first.released_ago is None
    await release(store, first)

    second = await acquire(store, KEY, "b", seconds=LONG)

    assert second is not None
    assert second.released_ago is not None
    assert 0 <= second.released_ago < LONG


async def test_a_holder_that_never_let_go_counts_as_holding_until_it_was_taken_from_it(
    store: Store,
) -> None:
    await acquire(store, KEY, "a", seconds=OVER)

    taken = await acquire(store, KEY, "b", seconds=LONG)

    assert taken is not None
    assert taken.released_ago is not None
    assert taken.released_ago <= 0.001  # the moment at which it was taken, as the clock ticks


async def test_a_key_that_was_asked_for_in_vain_is_kept_for_who_asked(store: Store) -> None:
    held = await acquire(store, KEY, "a", seconds=LONG)
    assert held is not None
    assert await acquire(store, KEY, "b", seconds=LONG, wanted_for=LONG) is None
    assert await acquire(store, KEY, "c", seconds=LONG, wanted_for=LONG) is None
    await release(store, held)

    assert await acquire(store, KEY, "a", seconds=LONG) is None, "who had it is not next"
    assert await acquire(store, KEY, "c", seconds=LONG, wanted_for=LONG) is None
    next_ = await acquire(store, KEY, "b", seconds=LONG, wanted_for=LONG)
    assert next_ is not None
    await release(store, next_)
    assert await acquire(store, KEY, "a", seconds=LONG) is not None, "kept once"


async def test_a_key_is_kept_no_longer_than_it_was_wanted(store: Store) -> None:
    held = await acquire(store, KEY, "a", seconds=LONG)
    assert held is not None
    assert await acquire(store, KEY, "b", seconds=LONG, wanted_for=0.001) is None
    await release(store, held)
    await asyncio.sleep(0.01)

    assert await acquire(store, KEY, "a", seconds=LONG) is not None


async def test_forgotten_keys_start_above_every_fence_they_had(store: Store) -> None:
    old = await acquire(store, KEY, "a", seconds=LONG)
    assert old is not None
    await release(store, old)
    held = await acquire(store, "held", "a", seconds=LONG)
    assert held is not None

    assert await store.leases.forget_idle(LONG) == 0
    assert await store.leases.forget_idle(-LONG) == 1

    fresh = await acquire(store, KEY, "b", seconds=LONG)
    assert fresh is not None
    assert fresh.fence > old.fence
    assert not await release(store, old)
    assert await release(store, held), "what is held is not forgotten"


async def test_of_many_keys_the_free_ones_are_given_and_the_held_ones_left(store: Store) -> None:
    assert await acquire(store, "held", "a", seconds=LONG) is not None
    last = await acquire(store, "was held", "a", seconds=LONG)
    assert last is not None
    await release(store, last)

    given = await store.leases.acquire(["new", "held", "was held"], "b", seconds=LONG)

    assert set(given) == {"new", "was held"}
    assert given["new"].released_ago is None
    assert given["was held"].released_ago is not None
    assert given["was held"].fence == last.fence + 1


async def test_of_many_that_are_released_those_that_were_lost_are_told(store: Store) -> None:
    lost = await acquire(store, "lost", "a", seconds=OVER)
    held = await acquire(store, "held", "a", seconds=LONG)
    thief = await acquire(store, "lost", "b", seconds=LONG)
    assert held is not None
    assert lost is not None
    assert thief is not None

    assert await store.leases.release([held, lost]) == {lost}

    assert await acquire(store, "held", "c", seconds=LONG) is not None
    assert await acquire(store, "lost", "c", seconds=LONG) is None, "the thief has it still"


async def test_many_holders_of_the_same_keys_never_wait_for_each_other(store: Store) -> None:
    keys = [f"key-{number}" for number in range(40)]
    inside: dict[str, str] = {}

    async def work(holder: str, keys: list[str]) -> int:
        done = 0
        for _ in range(20):
            given = await store.leases.acquire(keys, holder, seconds=LONG)
            for key in given:
                assert inside.setdefault(key, holder) == holder, "a key has one holder"
            await store.leases.want(keys, holder, seconds=0.01)
            assert not await store.leases.renew(holder, list(given.values()), seconds=LONG)
            for key in given:
                del inside[key]
            assert not await store.leases.release(list(given.values())[::-1])
            done += len(given)
        return done

    async with asyncio.timeout(20):  # a deadlock is noticed after a second each
        done = await asyncio.gather(
            *(work(f"h{n}", keys if n % 2 else keys[::-1]) for n in range(6))
        )

    assert sum(done) > 0
