"""Of two hands that hold one step in one process, the earlier has lost it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from gateway.operations.hands import Hands
from tests.store.accepting import EVERYTHING, new_operation

if TYPE_CHECKING:
    from gateway.store import Store


async def test_the_hand_that_lost_its_step_stores_nothing_even_in_one_commit_with_the_other(
    store: Store,
) -> None:
    hands = Hands(operations=store.operations, owner="worker", lease=timedelta(seconds=0))
    await store.operations.submit(new_operation("op-1"), now=hands.clock())
    [first] = [hands.take(one) for one in await hands.claim(EVERYTHING, 1)]
    [second] = [hands.take(one) for one in await hands.claim(EVERYTHING, 1)]
    assert (first.step.id, first.lost, second.lost) == (second.step.id, True, False)
    first.lost = False  # as it was when it asked whether the step was its own
    first.step = replace(first.step, intent={"of": "first"})
    second.step = replace(second.step, intent={"of": "second"})
    held = await asyncio.gather(hands.keep(first, "sending"), hands.keep(second, "sending"))
    assert tuple(held) == (False, True)
    stored = await store.operations.read_step(second.step.id)
    assert stored is not None
    assert stored.intent == {"of": "second"}


async def test_a_hand_that_is_dropped_leaves_the_other_one_held(store: Store) -> None:
    hands = Hands(operations=store.operations, owner="worker", lease=timedelta(seconds=0))
    await store.operations.submit(new_operation("op-1"), now=hands.clock())
    [first] = [hands.take(one) for one in await hands.claim(EVERYTHING, 1)]
    [second] = [hands.take(one) for one in await hands.claim(EVERYTHING, 1)]
    hands.drop(first)
    assert len(hands) == 1
    hands.drop(second)
    assert len(hands) == 0
