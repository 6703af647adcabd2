"""Which records have durable writes waiting, asked by many at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import pytest

from gateway.model import Backend
from gateway.operations.order import Order
from gateway.operations.waiting import Record, WaitingRecords
from gateway.store import open_store
from gateway.store.errors import StoreUnavailableError
from tests.store.accepting import NOON, new_item, new_operation

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from gateway.store.operations import Operations


class Told:
    """A store that answers when it is told to, and notes what it was asked."""

    def __init__(self, *waiting: Record) -> None:
        self.waiting = set(waiting)
        self.at_version: int | None = None
        self.questions: list[frozenset[Record]] = []
        self.was_asked, self.may_answer = asyncio.Event(), asyncio.Event()

    def version(self) -> int | None:
        return self.at_version

    async def waiting_records(self, records: Collection[Record]) -> frozenset[Record] | None:
        self.questions.append(frozenset(records))
        self.was_asked.set()
        await self.may_answer.wait()
        return frozenset(self.waiting & set(records)) if self.waiting else None


def asked(store: Told) -> WaitingRecords:
    return WaitingRecords(cast("Operations", store))


async def test_those_who_ask_at_once_are_one_question() -> None:
    store = Told(("ivvy", "b"))
    store.may_answer.set()
    records = asked(store)
    found = await asyncio.gather(*(records.includes("ivvy", key) for key in "aba"))
    assert found == [False, True, False]
    assert store.questions == [{("ivvy", "a"), ("ivvy", "b")}]


async def test_those_who_come_while_the_store_answers_are_the_next_question() -> None:
    store = Told()
    records = asked(store)
    first = asyncio.create_task(records.includes("ivvy", "a"))
    await store.was_asked.wait()
    later = [asyncio.create_task(records.includes("ivvy", key)) for key in "ab"]
    await asyncio.sleep(0)
    store.waiting.add(("ivvy", "a"))  # accepted after the first question was asked
    store.may_answer.set()
    await first
    assert [await one for one in later] == [True, False], "an answer is never older than its asking"
    assert store.questions == [{("ivvy", "a")}, {("ivvy", "a"), ("ivvy", "b")}]


async def test_a_key_that_no_database_takes_is_asked_for_by_nobody() -> None:
    store = Told(("IVVY", "externalId:a\0"), ("IVVY", "externalId:\ud800"))
    store.may_answer.set()
    order = Order(operations=cast("Operations", store))
    for key in ("externalId:a\0", "externalId:\ud800"):
        assert not await order.is_waiting(Backend.IVVY, key)
    assert store.questions == []


async def test_a_key_with_what_cannot_be_printed_is_asked_for_with_the_others(
    tmp_path: Path,
) -> None:
    key = "E-1\u200b\n\t\x01\ufeff\x7f"
    async with open_store(f"sqlite:///{tmp_path}/gateway.db") as store:
        await store.operations.submit(new_operation("op-1", new_item(key)), now=NOON)
        records = WaitingRecords(store.operations)
        found = await asyncio.gather(
            *(records.includes("everbridge", one) for one in (key, "E-1", key))
        )
    assert found == [True, False, True]


async def test_one_who_goes_away_takes_the_answer_from_nobody() -> None:
    store = Told(("ivvy", "a"))
    records = asked(store)
    gone, stays = (asyncio.create_task(records.includes("ivvy", "a")) for _ in range(2))
    await store.was_asked.wait()
    gone.cancel()
    store.may_answer.set()
    assert await stays
    assert gone.cancelled()


async def test_a_store_that_fails_is_told_to_all_who_asked() -> None:
    class Failing(Told):
        async def waiting_records(self, records: Collection[Record]) -> frozenset[Record]:
            raise StoreUnavailableError(f"no answer about {len(records)}")

    records = asked(Failing())
    for asking in [asyncio.create_task(records.includes("ivvy", key)) for key in "ab"]:
        with pytest.raises(StoreUnavailableError):
            await asking


async def test_where_nothing_waited_nobody_asks_again_until_something_is_stored() -> None:
    store = Told()
    store.at_version = 7
    store.may_answer.set()
    records = asked(store)
    assert not records.are_none(), "nobody has asked"
    assert not await records.includes("ivvy", "a")
    assert records.are_none()
    assert not await records.includes("ivvy", "b")
    assert store.questions == [{("ivvy", "a")}]

    store.waiting.add(("ivvy", "b"))
    store.at_version = 8
    await asyncio.sleep(0)  # who has heard of it has heard it through the loop
    assert await records.includes("ivvy", "b")
    assert not await records.includes("ivvy", "a"), "it is asked for while anything waits"
    assert not records.are_none()
    assert len(store.questions) == 3


async def test_what_is_stored_while_the_store_says_that_nothing_waits_is_asked_for() -> None:
    store = Told()
    store.at_version = 7
    records = asked(store)
    first = asyncio.create_task(records.includes("ivvy", "a"))
    await store.was_asked.wait()
    store.at_version = 8  # whatever it was, the answer may not have it
    store.may_answer.set()
    await first
    store.waiting.add(("ivvy", "a"))
    assert await records.includes("ivvy", "a")


async def test_a_store_without_versions_is_asked_each_time() -> None:
    store = Told()
    store.may_answer.set()
    records = asked(store)
    for _ in range(2):
        assert not await records.includes("ivvy", "a")
        assert not records.are_none()
    assert len(store.questions) == 2


async def test_who_wants_the_version_in_one_turn_of_the_loop_has_it_asked_once() -> None:
    asked_for = 0

    class Counting(Told):
        def version(self) -> int | None:
            nonlocal asked_for
            asked_for += 1
            return self.at_version

    store = Counting()
    store.at_version = 7
    store.may_answer.set()
    records = asked(store)
    await records.includes("ivvy", "a")
    asked_for = 0
    assert all(records.are_none() for _ in range(3))
    assert asked_for == 1
    await asyncio.sleep(0)
    assert records.are_none()
    assert asked_for == 2


async def test_what_another_process_stores_is_seen_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/gateway.db"
    async with open_store(url) as store, open_store(url, serving=False) as other:
        records = WaitingRecords(store.operations)
        assert not await records.includes("everbridge", "E-1001")
        assert records.are_none()
        await other.operations.submit(new_operation("op-1"), now=NOON)
        assert not records.are_none()
        assert await records.includes("everbridge", "E-1001")
        assert not await records.includes("everbridge", "E-1002")
