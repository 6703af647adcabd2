"""Idempotency keys: one request at a time works on a key, and its receipt outlives it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from gateway.store import KeyLostError
from gateway.store.idempotency import KeyState, KeyUse
from tests.store.accepting import NOON, at, claim, end, new_operation

if TYPE_CHECKING:
    from gateway.store import Store

DAY = 24 * 3600


async def hold(
    store: Store,
    *,
    seconds: float = 0,
    caller: str = "ada",
    input_hash: str = "h1",
    again: bool = False,
) -> KeyUse:
    return await store.keys.hold_key(
        caller,
        "order-7",
        input_hash=input_hash,
        holder=f"request at {seconds}",
        until=at(seconds + 30),
        expires_at=at(seconds + DAY),
        now=at(seconds),
        again=again,
    )


async def finish(store: Store, use: KeyUse) -> None:
    receipt = {"status": "APPLIED"}
    assert await store.keys.save_receipt(use, receipt, 1, finished=True, expires_at=at(DAY))


async def test_of_many_calls_at_once_one_holds_the_key(store: Store) -> None:
    uses = await asyncio.gather(*(hold(store) for _ in range(10)))

    assert sorted(use.state for use in uses) == [KeyState.HELD, *[KeyState.RUNNING] * 9]


async def test_a_finished_key_gives_its_receipt_back(store: Store) -> None:
    await finish(store, await hold(store))

    use = await hold(store, seconds=60)

    assert use.state is KeyState.FINISHED
    assert use.receipt == {"status": "APPLIED"}
    assert use.receipt_version == 1


async def test_another_input_under_the_same_key_is_told(store: Store) -> None:
    await finish(store, await hold(store))

    assert (await hold(store, input_hash="h2")).state is KeyState.REUSED


async def test_two_callers_do_not_share_keys(store: Store) -> None:
    await finish(store, await hold(store))

    assert (await hold(store, caller="grace")).state is KeyState.HELD


async def test_a_dead_requests_key_is_taken_over_with_what_it_had_saved(store: Store) -> None:
    dead = await hold(store)
    await store.keys.save_receipt(dead, {"sent": ["ivvy"]}, 1, finished=False, expires_at=at(DAY))
    assert (await hold(store, seconds=29)).state is KeyState.RUNNING

    use = await hold(store, seconds=30)

    assert use.state is KeyState.HELD
    assert use.taken_over
    assert use.receipt == {"sent": ["ivvy"]}
    assert not await store.keys.save_receipt(dead, {}, 1, finished=True, expires_at=at(DAY))
    assert not await store.keys.renew_key(dead, until=at(99))
    assert not await store.keys.drop_key(dead)


async def test_a_renewed_key_stays_held(store: Store) -> None:
    use = await hold(store)

    assert await store.keys.renew_key(use, until=at(60))

    assert (await hold(store, seconds=59)).state is KeyState.RUNNING


async def test_a_finished_key_can_be_held_again_by_one_request(store: Store) -> None:
    await finish(store, await hold(store))

    uses = await asyncio.gather(*(hold(store, seconds=60, again=True) for _ in range(5)))

    assert sorted(use.state for use in uses) == [KeyState.HELD, *[KeyState.RUNNING] * 4]
    assert not any(use.taken_over for use in uses)


async def test_a_dropped_key_is_new_again(store: Store) -> None:
    assert await store.keys.drop_key(await hold(store))

    use = await hold(store, input_hash="h2")
    assert use.state is KeyState.HELD
    assert not use.taken_over


async def test_an_expired_key_is_new_again(store: Store) -> None:
    await finish(store, await hold(store))
    assert (await hold(store, seconds=DAY - 1)).state is KeyState.FINISHED

    use = await hold(store, seconds=DAY, input_hash="h2")

    assert use.state is KeyState.HELD
    assert use.receipt is None


async def test_expired_keys_are_purged_in_batches(store: Store) -> None:
    await finish(store, await hold(store))
    await finish(store, await hold(store, caller="grace"))
    await hold(store, caller="alan", seconds=DAY)

    counts = [await store.keys.purge_keys(at(DAY + 1), limit=1) for _ in range(3)]

    assert counts == [1, 1, 0]


async def test_a_key_lives_as_long_as_its_operation(store: Store) -> None:
    use = await hold(store)
    assert await store.operations.submit(new_operation("op-1"), now=NOON, key=use)

    found = await hold(store, seconds=DAY + 1)
    assert found.state is KeyState.FINISHED
    assert found.operation_id == "op-1"
    assert await store.keys.purge_keys(at(DAY + 1)) == 0

    await end(store, (await claim(store))[0])
    while await store.operations.purge_operations(at(DAY)):
        pass
    assert await store.keys.purge_keys(at(DAY + 1)) == 1


async def test_an_operation_is_not_stored_for_a_key_that_was_lost(store: Store) -> None:
    lost = await hold(store)
    await hold(store, seconds=30)

    with pytest.raises(KeyLostError):
        await store.operations.submit(new_operation("op-1"), now=NOON, key=lost)

    assert await store.operations.read_operation("op-1") is None
    assert await claim(store) == []
