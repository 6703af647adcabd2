"""Operations: stored whole, followed to their end, seen by their owner, cleared away in time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gateway.store.database import Statement
from gateway.store.operation_records import NewItem, NewStep, OperationStatus, Save, StepState
from tests.store.accepting import (
    NOON,
    at,
    claim,
    end,
    new_item,
    new_operation,
    save,
    summarize,
)

if TYPE_CHECKING:
    from gateway.store import Store
    from gateway.store.database import Transaction
    from gateway.store.operation_records import NewOperation, Operation


async def stored(store: Store, operation: NewOperation, *, seconds: float = 0) -> Operation:
    assert await store.operations.submit(operation, now=at(seconds))
    found = await store.operations.read_operation(operation.id)
    assert found is not None
    return found


async def reread(store: Store, operation_id: str = "op-1") -> Operation:
    found = await store.operations.read_operation(operation_id)
    assert found is not None
    return found


async def test_a_stored_operation_reads_back_as_it_was_given(store: Store) -> None:
    operation = await stored(
        store,
        new_operation("op-1", new_item("E-1001", "ivvy", "everbridge"), new_item("E-1002")),
    )

    assert operation.status is OperationStatus.PENDING
    assert (operation.total, operation.completed, operation.failed) == (2, 0, 0)
    assert (operation.submitted_at, operation.completed_at) == (NOON, None)
    assert operation.payload == {"mode": "PATCH"}
    items = await store.operations.read_items("op-1")
    assert [item.external_id for item in items] == ["E-1001", "E-1002"]
    assert items[0].payload == {"externalId": "E-1001"}
    assert [step.backend for step in items[0].steps] == ["ivvy", "everbridge"]
    assert all(step.state is StepState.QUEUED for item in items for step in item.steps)


async def test_the_same_id_is_stored_once(store: Store) -> None:
    await stored(store, new_operation("op-1"))

    assert not await store.operations.submit(new_operation("op-1"), now=at(1))
    assert len(await claim(store, seconds=2)) == 1


async def test_a_worker_gets_all_that_it_needs_to_deliver(store: Store) -> None:
    await stored(store, new_operation("op-1"))

    (claimed,) = await claim(store)

    assert claimed.caller == "ada"
    assert claimed.kind == "CONTACTS"
    assert claimed.shared == {"mode": "PATCH"}
    assert claimed.payload == {"externalId": "E-1001"}
    assert (claimed.payload_version, claimed.external_id) == (1, "E-1001")
    assert (claimed.step.name, claimed.step.attempts) == ("upsert_contact", 1)
    assert (await reread(store)).status is OperationStatus.RUNNING


async def test_an_operation_ends_with_its_last_step(store: Store) -> None:
    await stored(store, new_operation("op-1", new_item("E-1001", "ivvy", "everbridge")))
    first, second = await claim(store)

    await end(store, first)
    assert (await reread(store)).completed == 0
    await end(store, second)

    operation = await reread(store)
    assert operation.status is OperationStatus.SUCCEEDED
    assert (operation.completed, operation.completed_at) == (1, at(1))
    (item,) = await store.operations.read_items("op-1")
    assert item.status == "APPLIED"
    assert await claim(store, seconds=3600) == []


@pytest.mark.parametrize(
    ("outcomes", "status", "failed"),
    [
        (["UPDATED", "FAILED"], OperationStatus.PARTIAL, 1),
        (["FAILED", "FAILED"], OperationStatus.FAILED, 2),
    ],
)
async def test_failed_items_are_counted(
    store: Store, outcomes: list[str], status: OperationStatus, failed: int
) -> None:
    await stored(store, new_operation("op-1", new_item("E-1001"), new_item("E-1002")))

    for step, outcome in zip(await claim(store), outcomes, strict=True):
        await end(store, step, outcome)

    operation = await reread(store)
    assert operation.status is status
    assert (operation.completed, operation.failed) == (2, failed)


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        (["UPDATED FAILED"], OperationStatus.PARTIAL),
        (["UPDATED FAILED", "FAILED UPDATED", "UPDATED FAILED"], OperationStatus.PARTIAL),
        (["UPDATED FAILED", "FAILED FAILED", "FAILED FAILED"], OperationStatus.PARTIAL),
        (["FAILED FAILED", "FAILED FAILED"], OperationStatus.FAILED),
    ],
)
async def test_an_operation_of_which_something_was_written_has_not_failed_whole(
    store: Store, outcomes: list[str], status: OperationStatus
) -> None:
    items = [new_item(f"E-{place}", "ivvy", "everbridge") for place in range(len(outcomes))]
    await stored(store, new_operation("op-1", *items))
    ends = " ".join(outcomes).split()
    steps = sorted(await claim(store), key=lambda claimed: claimed.step.id)

    # The steps end side by side, as several workers end them: whoever is last tells it for all.
    saved = [end(store, step, outcome) for step, outcome in zip(steps, ends, strict=True)]
    assert all(await asyncio.gather(*saved))

    operation = await reread(store)
    total = len(outcomes)
    assert operation.status is status
    assert (operation.total, operation.completed, operation.failed) == (total, total, total)
    assert operation.completed_at == at(1)


async def test_operations_that_end_in_one_save_are_told_each_by_its_own_items(store: Store) -> None:
    await stored(store, new_operation("op-1", new_item("E-1", "ivvy", "everbridge")))
    await stored(store, new_operation("op-2", new_item("E-2", "ivvy", "everbridge")))
    written = ("op-1", "ivvy")
    changes = [
        Save(
            step=replace(
                claimed.step,
                state=StepState.DONE,
                outcome="UPDATED"
                if (claimed.step.operation_id, claimed.step.backend) == written
                else "FAILED",
            ),
        )
        for claimed in await claim(store)
    ]

    assert not await store.operations.save(changes, summarize=summarize, now=at(1))

    assert (await reread(store, "op-1")).status is OperationStatus.PARTIAL
    assert (await reread(store, "op-2")).status is OperationStatus.FAILED


@pytest.mark.parametrize(
    ("written", "status"),
    [
        ("PARTIAL", OperationStatus.PARTIAL),
        ("UNKNOWN", OperationStatus.PARTIAL),
        ("FAILED", OperationStatus.FAILED),
    ],
)
async def test_an_operation_that_has_ended_when_it_is_stored_tells_what_was_written_before(
    store: Store, written: str, status: OperationStatus
) -> None:
    kept = NewStep(backend="ivvy", name="upsert_contact", record_key="E-1", outcome="UPDATED")
    before = NewItem(external_id="E-1", status=written, payload={}, steps=[kept], failed=True)
    rejected = NewItem(external_id="E-2", status="REJECTED", payload={}, steps=[], failed=True)

    operation = await stored(store, new_operation("op-1", before, rejected))

    assert operation.status is status
    assert (operation.completed, operation.failed) == (2, 2)
    assert operation.completed_at == NOON


async def test_rejected_inputs_are_items_that_have_ended_already(store: Store) -> None:
    rejected = NewItem(
        external_id="E-2001",
        status="REJECTED",
        payload={},
        steps=[],
        result={"code": "INVALID"},
        failed=True,
    )
    operation = await stored(store, new_operation("op-1", rejected, new_item("E-1002")))
    assert (operation.completed, operation.failed) == (1, 1)
    assert operation.status is OperationStatus.PENDING

    await end(store, (await claim(store))[0])

    assert (await reread(store)).status is OperationStatus.PARTIAL
    (item,) = await store.operations.read_items("op-1", status="REJECTED")
    assert item.result == {"code": "INVALID"}
    alone = await stored(store, new_operation("op-2", rejected))
    assert alone.status is OperationStatus.FAILED
    assert alone.completed_at == NOON


async def test_a_step_that_waits_for_a_person_keeps_its_operation_open(store: Store) -> None:
    await stored(store, new_operation("op-1"))
    (step,) = await claim(store)

    await save(store, step, state=StepState.NEEDS_ATTENTION, outcome="UNKNOWN")

    operation = await reread(store)
    assert operation.status is OperationStatus.NEEDS_ATTENTION
    assert operation.completed_at is None
    assert await claim(store, seconds=3600) == []
    backlog = await store.operations.read_backlog(at(3600))
    assert (backlog.operations, backlog.oldest, backlog.attention) == (1, NOON, 1)
    assert backlog.due == 0  # it is nothing that a worker could do


async def test_a_person_settles_a_step(store: Store) -> None:
    await stored(store, new_operation("op-1"))
    (step,) = await claim(store)
    claim_it = store.operations.claim_for_person
    until = at(60)
    assert await claim_it(step.step.id, "person", until=until, now=NOON) is None
    await save(store, step, state=StepState.NEEDS_ATTENTION, outcome="UNKNOWN")

    settled = await claim_it(step.step.id, "person", until=until, now=at(2))
    assert settled is not None
    assert await claim_it(step.step.id, "other", until=until, now=at(3)) is None
    assert await end(store, settled)

    operation = await reread(store)
    assert operation.status is OperationStatus.SUCCEEDED
    assert (await store.operations.read_backlog(at(9))).attention == 0


async def test_an_intent_and_a_job_survive_their_worker(store: Store) -> None:
    await stored(store, new_operation("op-1"))
    (step,) = await claim(store)

    await save(store, step, keep=30, intent={"call": "addOrUpdateLead"}, jobs=("job-1", "job-2"))

    (taken,) = await claim(store, "other", seconds=30)
    assert taken.step.intent == {"call": "addOrUpdateLead"}
    assert taken.step.jobs == ("job-1", "job-2")
    assert taken.step.attempts == 2


async def test_the_revision_grows_with_each_change(store: Store) -> None:
    await stored(store, new_operation("op-1"))
    (step,) = await claim(store)
    await save(store, step, keep=30, intent={"call": "PUT"})
    await end(store, step)

    assert (await reread(store)).revision == 4  # stored, begun, saved twice


async def test_operations_are_listed_newest_first_page_by_page(store: Store) -> None:
    for number in range(5):
        seconds = 0 if number < 2 else number  # two of the same moment
        await stored(store, new_operation(f"op-{number}"), seconds=seconds)
    await stored(store, new_operation("op-other", caller="grace"), seconds=9)

    seen: list[str] = []
    last: Operation | None = None
    while page := await store.operations.list_operations(caller="ada", first=2, after=last):
        seen += [operation.id for operation in page]
        last = page[-1]

    assert seen == ["op-4", "op-3", "op-2", "op-1", "op-0"]
    everyone = await store.operations.list_operations(first=1)
    assert everyone[0].id == "op-other"
    running = OperationStatus.RUNNING
    assert await store.operations.list_operations(status=running) == []


async def test_items_are_read_page_by_page(store: Store) -> None:
    items = [new_item(f"E-{number}") for number in range(5)]
    await stored(store, new_operation("op-1", *items))

    first = await store.operations.read_items("op-1", first=3)
    rest = await store.operations.read_items("op-1", first=3, after=first[-1].position)

    assert [item.position for item in first + rest] == [0, 1, 2, 3, 4]
    assert all(len(item.steps) == 1 for item in first + rest)


def _event_of_an_older_gateway() -> Transaction[None]:
    yield Statement(
        "INSERT INTO event (operation_id, number, at, kind) VALUES ('op-old', 1, $1, 'submitted')",
        (NOON,),
    )


async def test_ended_operations_are_purged_in_batches_and_open_ones_stay(store: Store) -> None:
    items = [new_item(f"E-{number}") for number in range(4)]
    await stored(store, new_operation("op-old", *items))
    for step in await claim(store):
        await end(store, step)
    await store.database.write(_event_of_an_older_gateway)
    await stored(store, new_operation("op-open"), seconds=1)
    (step,) = await claim(store, seconds=1)
    assert await store.operations.purge_operations(at(1)) == 0

    batches = []
    while removed := await store.operations.purge_operations(at(2), limit=5):
        batches.append(removed)

    assert sum(batches) == 1 + 4 + 4 + 1  # operation, items, steps, the older gateway's event
    assert max(batches) == 5
    assert await store.operations.read_operation("op-old") is None
    assert await store.operations.read_step(step.step.id) is not None
    assert await end(store, replace(step))


async def test_the_backlog_tells_the_oldest_and_what_is_due(store: Store) -> None:
    empty = await store.operations.read_backlog(NOON)
    assert (empty.operations, empty.oldest, empty.due) == (0, None, 0)
    await stored(store, new_operation("op-1"), seconds=5)
    await stored(store, new_operation("op-2", new_item("E-1002")), seconds=6)
    await claim(store, seconds=6, limit=1)

    backlog = await store.operations.read_backlog(at(7))

    assert (backlog.operations, backlog.oldest, backlog.due) == (2, at(5), 1)


async def test_the_backlog_tells_steps_by_backend_and_state(store: Store) -> None:
    assert (await store.operations.read_backlog(NOON)).steps == ()
    await stored(store, new_operation("op-1"), seconds=5)
    await stored(store, new_operation("op-2", new_item("E-1002")), seconds=6)
    await stored(store, new_operation("op-3", new_item("E-1003")), seconds=7)
    first, second = await claim(store, seconds=8, limit=2)
    await save(store, first, state=StepState.NEEDS_ATTENTION, outcome="UNKNOWN")
    assert await end(store, second)

    backlog = await store.operations.read_backlog(at(9))

    told = {(one.state, one.number, one.oldest) for one in backlog.steps}
    assert told == {
        (StepState.NEEDS_ATTENTION, 1, at(5)),
        (StepState.QUEUED, 1, at(7)),
    }
    assert {one.backend for one in backlog.steps} == {first.step.backend}
    assert backlog.undelivered_since == at(7)
