"""Claims: one worker for a step, one step for a record, in order, and nothing lost with a worker."""

from __future__ import annotations

import asyncio
import random
import re
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gateway.store import claims
from gateway.store.database import Statement
from gateway.store.operation_records import BULK_CONTACT, StepState, Which
from tests.store.accepting import BACKENDS, NOON, at, claim, end, new_item, new_operation, save

if TYPE_CHECKING:
    from gateway.store import Store
    from gateway.store.database import Transaction
    from gateway.store.operation_records import ClaimedStep, NewItem


async def submit(store: Store, *names: str, record: str = "E-1001") -> None:
    for name in names:
        await store.operations.submit(new_operation(name, new_item(record)), now=NOON)


def in_bulk(item: NewItem) -> NewItem:
    return replace(item, steps=[replace(step, name=BULK_CONTACT) for step in item.steps])


def operations(steps: list[ClaimedStep]) -> list[str]:
    return [claimed.step.operation_id for claimed in steps]


async def test_steps_on_one_record_go_one_after_the_other_as_accepted(store: Store) -> None:
    await submit(store, "op-1", "op-2", "op-3")

    for name in ("op-1", "op-2", "op-3"):
        (step,) = await claim(store)
        assert step.step.operation_id == name
        assert await claim(store, "other") == []
        await end(store, step)


async def test_records_and_backends_do_not_wait_for_each_other(store: Store) -> None:
    await store.operations.submit(
        new_operation("op-1", new_item("E-1001", "ivvy", "sendgrid"), new_item("E-1002")), now=NOON
    )

    assert len(await claim(store)) == 3


async def test_a_worker_gets_only_the_backends_it_asks_for(store: Store) -> None:
    await store.operations.submit(
        new_operation("op-1", new_item("E-1001", "ivvy", "sendgrid")), now=NOON
    )

    steps = await store.operations.claim_steps(
        "worker", Which(backends=["sendgrid"]), until=at(30), now=NOON
    )

    assert [claimed.step.backend for claimed in steps] == ["sendgrid"]


@pytest.mark.parametrize("bulk", [True, False])
async def test_steps_of_bulks_and_all_others_are_claimed_apart(store: Store, *, bulk: bool) -> None:
    await submit(store, "op-single", record="E-1001")
    await store.operations.submit(new_operation("op-bulk", in_bulk(new_item("E-1002"))), now=NOON)

    steps = await claim(store, bulk=bulk)

    assert operations(steps) == ["op-bulk" if bulk else "op-single"]


async def test_a_job_of_a_bulk_is_not_followed_only_after_all_others_were_sent(
    store: Store,
) -> None:
    items = [in_bulk(new_item(f"E-{number}")) for number in range(3)]
    await store.operations.submit(new_operation("op-bulk", *items), now=NOON)
    sent, _ = await claim(store, bulk=True, limit=2)
    await save(store, sent, state=StepState.FOLLOWING, due_at=at(10))

    steps = await claim(store, bulk=True, seconds=10, limit=1)

    states = [(one.step.position, one.step.state) for one in steps]
    assert states == [(0, StepState.FOLLOWING), (2, StepState.QUEUED)]


@pytest.mark.parametrize(
    ("bulk", "indexes"),
    [(True, ["step_due_followed", "step_due_bulk"]), (False, ["step_due_singly"])],
)
async def test_a_claim_goes_through_what_is_due_of_its_kind_alone(
    store: Store, indexes: list[str], *, bulk: bool
) -> None:
    """Whoever looks each second must not pass the hundreds of thousands of steps of another kind."""
    plans = await store.database.write(plans_of_a_claim, Which(backends=BACKENDS, bulk=bulk))

    for plan, index in zip(plans, indexes, strict=True):
        assert index in plan
        assert not re.search(r"(SCAN|Seq Scan on step) mine", plan)


def plans_of_a_claim(which: Which) -> Transaction[list[str]]:
    """How the database goes about it; PostgreSQL goes through a table this small without an index."""
    yield Statement("SET LOCAL enable_seqscan = off", lock_only=True)
    sqlite = yield Statement(
        "SELECT 1 AS found FROM {tables} AS known WHERE name = 'sqlite_sequence'"
    )
    explain, column = ("EXPLAIN QUERY PLAN", "detail") if sqlite else ("EXPLAIN", "QUERY PLAN")
    plans: list[str] = []
    claiming = claims.claim_due("worker", which, at(30), NOON, 100)
    statement = next(claiming)
    with suppress(StopIteration):
        while True:
            assert isinstance(statement, Statement)
            rows = yield replace(statement, sql=f"{explain} {statement.sql}")
            plans.append(" / ".join(str(row[column]) for row in rows))
            statement = claiming.send([])
    return plans


async def test_one_record_twice_in_one_operation_keeps_the_order_of_its_items(
    store: Store,
) -> None:
    await store.operations.submit(
        new_operation("op-1", new_item("E-1001"), new_item("E-1001")), now=NOON
    )

    (first,) = await claim(store)
    await end(store, first)
    (second,) = await claim(store)

    assert (first.step.position, second.step.position) == (0, 1)


async def test_a_step_that_waits_for_its_next_attempt_holds_the_later_ones_back(
    store: Store,
) -> None:
    await submit(store, "op-1", "op-2")
    (step,) = await claim(store)

    await save(store, step, due_at=at(60), result={"error": "503"})

    assert await claim(store, seconds=59) == []
    asked = {("everbridge", "E-1001"), ("everbridge", "E-1002"), ("ivvy", "E-1001")}
    assert await store.operations.waiting_records(asked) == frozenset({("everbridge", "E-1001")})
    assert await store.operations.waiting_records({("ivvy", "E-1001")}) == frozenset()
    (again,) = await claim(store, seconds=60)
    assert again.step.operation_id == "op-1"
    assert again.step.attempts == 2
    assert again.step.result == {"error": "503"}


@pytest.mark.parametrize("state", [StepState.NEEDS_ATTENTION, StepState.DONE])
async def test_a_step_that_ends_unknown_or_failed_lets_the_next_one_go(
    store: Store, state: StepState
) -> None:
    await submit(store, "op-1", "op-2")
    (step,) = await claim(store)

    await save(store, step, state=state, outcome="FAILED")

    (later,) = await claim(store)
    assert later.step.operation_id == "op-2"
    await end(store, later)
    asked = {("everbridge", "E-1001")}
    assert await store.operations.waiting_records(asked) is None, "nothing at all waits"


@pytest.mark.parametrize(("holds", "expected"), [(True, []), (False, ["op-2"])])
async def test_a_followed_job_holds_its_record_only_when_told_to(
    store: Store, holds: bool, expected: list[str]
) -> None:
    await submit(store, "op-1", "op-2")
    (step,) = await claim(store)

    await save(
        store, step, state=StepState.FOLLOWING, holds_record=holds, jobs=("j1",), due_at=at(60)
    )

    assert operations(await claim(store, seconds=59)) == expected
    (followed,) = [
        claimed
        for claimed in await claim(store, "other", seconds=60)
        if claimed.step.operation_id == "op-1"
    ]
    assert followed.step.jobs == ("j1",)
    assert followed.step.attempts == 1


async def test_a_step_put_back_by_a_person_waits_for_the_one_that_went_before_it(
    store: Store,
) -> None:
    await submit(store, "op-1", "op-2")
    (first,) = await claim(store)
    await save(store, first, state=StepState.NEEDS_ATTENTION, outcome="UNKNOWN")
    (second,) = await claim(store)
    settled = await store.operations.claim_for_person(
        first.step.id, "person", until=at(60), now=at(2)
    )
    assert settled is not None
    with pytest.raises(ValueError, match="gives its lease back"):
        await save(store, settled, state=StepState.QUEUED, outcome=None, keep=60)
    assert await save(store, settled, state=StepState.QUEUED, outcome=None, due_at=NOON)

    assert await claim(store, seconds=3) == []

    await end(store, second)
    assert operations(await claim(store, seconds=4)) == ["op-1"]


async def test_a_dead_workers_step_is_taken_over_and_its_late_result_refused(
    store: Store,
) -> None:
    await submit(store, "op-1")
    (dead,) = await claim(store, "dead", lease=30)
    assert await claim(store, "heir", seconds=29) == []

    (taken,) = await claim(store, "heir", seconds=30)

    assert taken.step.fence > dead.step.fence
    assert not await end(store, dead, "FAILED")
    assert await store.operations.renew_steps([dead.step], until=at(90)) == {dead.step.id}
    assert await end(store, taken)
    step = await store.operations.read_step(taken.step.id)
    assert step is not None
    assert (step.outcome, step.owner) == ("UPDATED", None)


async def test_what_a_worker_renews_is_not_taken_over(store: Store) -> None:
    await submit(store, "op-1")
    (step,) = await claim(store, lease=30)

    assert await store.operations.renew_steps([step.step], until=at(60)) == frozenset()

    assert await claim(store, "other", seconds=59) == []
    assert await end(store, step)


async def test_a_saved_step_cannot_be_saved_again_without_a_new_claim(store: Store) -> None:
    await submit(store, "op-1")
    (step,) = await claim(store)
    await save(store, step, due_at=at(60))

    assert not await end(store, step)


async def test_one_lost_step_does_not_spoil_its_neighbours(store: Store) -> None:
    await submit(store, "op-1")
    await submit(store, "op-2", record="E-1002")
    first, second = await claim(store, lease=30)
    await store.operations.renew_steps([second.step], until=at(90))
    await claim(store, "heir", seconds=30)

    assert not await end(store, first)
    assert await end(store, second)


async def test_many_workers_share_the_steps_without_one_being_given_twice(store: Store) -> None:
    items = [new_item(f"E-{number % 20}", "ivvy", "everbridge") for number in range(60)]
    await store.operations.submit(new_operation("op-1", *items), now=NOON)
    delivered: list[tuple[str, str, int]] = []
    in_hand: set[tuple[str, str]] = set()
    pick = random.Random(7)

    async def work(owner: str) -> None:
        while len(delivered) < 120:
            for claimed in await claim(store, owner, limit=pick.randint(1, 9)):
                step = claimed.step
                record = (step.backend, step.record_key)
                assert record not in in_hand
                in_hand.add(record)
                await asyncio.sleep(0)
                in_hand.remove(record)
                delivered.append((*record, step.position))
                assert await end(store, claimed)

    await asyncio.gather(*(work(f"worker-{number}") for number in range(6)))

    assert len(set(delivered)) == len(delivered) == 120
    for record in {entry[:2] for entry in delivered}:
        positions = [entry[2] for entry in delivered if entry[:2] == record]
        assert positions == sorted(positions)
    operation = await store.operations.read_operation("op-1")
    assert operation is not None
    assert (operation.completed, operation.failed, operation.status) == (60, 0, "SUCCEEDED")
    assert operation.revision == 1 + 1 + 120
