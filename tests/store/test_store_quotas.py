"""Turns of a quota: never more at once than it has, by the clock of the database."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from gateway.store.leases import MICROS
from gateway.store.quotas import Ask, give

if TYPE_CHECKING:
    from gateway.store import Store


def ask(
    wanted: int = 1, *, limit: int = 5, taken_for: float = 3600.0, ahead: int = 0, **more: float
) -> Ask:
    patience = more.get("patience", 1_000_000.0)
    return Ask(wanted=wanted, ahead=ahead, limit=limit, taken_for=taken_for, patience=patience)


async def test_turns_of_all_who_ask_at_once_keep_one_quota(store: Store) -> None:
    asked = await asyncio.gather(*(store.quotas.take("q", ask(3)) for _ in range(6)))

    starts = sorted(start for turns in asked for start in turns.starts)
    assert len(starts) == 18
    assert [round(start / 3600) for start in starts] == [0] * 5 + [1] * 5 + [2] * 5 + [3] * 3


async def test_turns_that_come_too_late_are_not_taken(store: Store) -> None:
    first = await store.quotas.take("q", ask(9, patience=10.0))
    again = await store.quotas.take("q", ask(1, patience=10.0))

    assert first.starts == [0.0] * 5
    assert again.starts == []
    assert 3590 < again.next_start <= first.next_start <= 3600


async def test_quotas_of_other_names_are_others(store: Store) -> None:
    await store.quotas.take("q", ask(5))
    other = await store.quotas.take("other", ask(1))

    assert other.starts == [0.0]


async def test_turns_are_free_again_when_their_time_is_over(store: Store) -> None:
    await store.quotas.take("q", ask(5, taken_for=0.0))
    again = await store.quotas.take("q", ask(5))

    assert again.starts == [0.0] * 5


def test_turns_ahead_are_given_only_of_the_quotas_first_half() -> None:
    taken, turns = give([], 0, ask(2, limit=20, ahead=4))
    assert len(turns.starts) == 6
    taken, turns = give(taken, 0, ask(2, limit=20, ahead=4))
    assert len(turns.starts) == 6, "12 are taken now"
    _taken, turns = give(taken, 0, ask(2, limit=20, ahead=4))
    assert len(turns.starts) == 2


Asked = st.tuples(
    st.integers(0, 2 * MICROS),  # microseconds since the one before
    st.integers(1, 8),  # turns wanted
    st.integers(0, 3),  # and ahead
    st.floats(0, 3),  # patience
    st.floats(0, 1),  # where in its time a call arrives
)


@given(st.lists(Asked, min_size=1, max_size=40), st.integers(1, 12), st.floats(0.05, 0.5))
def test_no_window_holds_more_calls_than_the_quota_wherever_in_its_turn_each_arrives(
    asked: list[tuple[int, int, int, float, float]], limit: int, late: float
) -> None:
    now, taken, arrived = 0, list[int](), list[float]()
    for gap, wanted, ahead, patience, share in asked:
        now += gap
        taken, turns = give(
            taken, now, ask(wanted, limit=limit, taken_for=1 + late, ahead=ahead, patience=patience)
        )
        assert all(start <= patience for start in turns.starts)
        arrived += [now / MICROS + start + share * late for start in turns.starts]
    tick = 2 / MICROS
    assert all(sum(1 for at in arrived if x <= at < x + 1 - tick) <= limit for x in arrived)
