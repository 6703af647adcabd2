"""How many items of bulks are taken in hand: fewer where a backend is slow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.operations.bulk_delivering import LEAST, MOST, SECONDS, next_part
from tests.operations.bulk import outcomes_of, people, until_tried, upsert_all

if TYPE_CHECKING:
    import pytest

    from tests.harness import Gateway


def test_a_slow_backend_gets_smaller_parts_and_a_quick_one_larger_again() -> None:
    part, sizes = MOST, []
    for seconds in (290.0, 160.0, 300.0, 10.0, 10.0, 10.0, 10.0):
        part = next_part(part, seconds)
        sizes.append(part)
    assert sizes == [500, 250, 125, 250, 500, 1000, 1000]
    for _ in range(9):
        part = next_part(part, SECONDS)
    assert part == LEAST


async def test_the_worker_takes_a_part_of_that_size_next(
    quick: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[int] = []

    def one_less(part: int, seconds: float) -> int:
        heard.append(part)
        assert 0.0 < seconds < SECONDS
        return part - 1

    monkeypatch.setattr("gateway.operations.worker.next_part", one_less)
    for number in range(2):
        payload = await upsert_all(quick, people(1, start=number), targets=["EVERBRIDGE"])
        [item] = await until_tried(quick, payload["operation"]["id"])
        assert outcomes_of(item) == {"EVERBRIDGE": "CREATED"}
    assert heard[:1] == [MOST]
    assert quick.app.state.account.worker._part < MOST
