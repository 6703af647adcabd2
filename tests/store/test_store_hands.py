"""Of two hands that hold one step in one process, the earlier has lost it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from gateway.operations.hands import Hands
from tests.store.accepting import EVERYTHING, new_item, new_operation

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from gateway.store import Store
    from gateway.store.operation_records import Save


async def test_the_hand_that_lost_its_step_stores_nothing_even_in_one_commit_with_the_other(
    store: Store,
) -> None:
    hands = Hands(operations=store.operations, owner="worker", lease=timedelta(seconds=0))
    await store.operations.submit(new_operation("op-1"), now=hands.clock())
    [first] = [hand for _, hand in await hands.claim(EVERYTHING, 1)]
    [second] = [hand for _, hand in await hands.claim(EVERYTHING, 1)]
    assert (first.step.id, first.lost, second.lost) == (second.step.id, True, False)
    first.lost = False  # as it was when it asked whether the step was its own
    first.step = replace(first.step, intent={"of": "first"})
    second.step = replace(second.step, intent={"of": "second"})
    held = await asyncio.gather(hands.keep(first), hands.keep(second))
    assert tuple(held) == (False, True)
    stored = await store.operations.read_step(second.step.id)
    assert stored is not None
    assert stored.intent == {"of": "second"}


async def test_a_hand_that_is_dropped_leaves_the_other_one_held(store: Store) -> None:
    hands = Hands(operations=store.operations, owner="worker", lease=timedelta(seconds=0))
    await store.operations.submit(new_operation("op-1"), now=hands.clock())
    [first] = [hand for _, hand in await hands.claim(EVERYTHING, 1)]
    [second] = [hand for _, hand in await hands.claim(EVERYTHING, 1)]
    hands.drop(first)
    assert len(hands) == 1
    hands.drop(second)
    assert len(hands) == 0


async def test_a_commit_that_one_step_spoils_is_made_again_for_each(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    hands = Hands(operations=store.operations, owner="worker", lease=timedelta(seconds=9))
    items = [new_item(f"E-{number}") for number in range(3)]
    await store.operations.submit(new_operation("op-1", *items), now=hands.clock())
    held = [hand for _, hand in await hands.claim(EVERYTHING, 3)]
    bad = held[1].step.id
    real = store.operations.save

    async def save(saves: Sequence[Save], **more: Any) -> frozenset[int]:
        if bad in {one.step.id for one in saves}:
            raise TypeError("no JSON")
        return await real(saves, **more)

    monkeypatch.setattr(store.operations, "save", save)
    kept = await asyncio.gather(*(hands.keep(hand) for hand in held), return_exceptions=True)
    assert [kept[0], kept[2]] == [True, True]
    assert isinstance(kept[1], TypeError)
