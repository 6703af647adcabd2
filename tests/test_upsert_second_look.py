"""Locks, second looks, callers that go away, and dry runs."""

from __future__ import annotations

import asyncio
import time

import pytest
from strawberry import Some

from gateway.model import MissingPolicy
from gateway.results import Outcome, ProblemCode
from tests.memory_backend import write_of
from tests.memory_world import ADA, EVERBRIDGE, IVVY, World, of, outcomes
from tests.plain_backend import within


@pytest.fixture
def world() -> World:
    return World()


# ---------------------------------------------------------------- locks and second looks


async def test_a_fresh_look_is_not_repeated_under_the_lock(world: World) -> None:
    await world.upsert(write_of(**ADA), IVVY)
    assert world.memory(IVVY).reads() == 1


async def test_a_look_that_is_too_old_is_repeated_under_the_lock(world: World) -> None:
    world.adapters[IVVY].fresh = -1.0
    receipt = await world.upsert(write_of(**ADA), IVVY)
    assert of(receipt, IVVY).outcome is Outcome.CREATED
    assert world.memory(IVVY).reads() == 2


async def test_nothing_is_looked_at_again_where_nothing_is_written(world: World) -> None:
    world.adapters[IVVY].fresh = -1.0
    world.memory(IVVY).hold("1", externalId="E-1", firstName="Ada")
    receipt = await world.upsert(write_of(**ADA), IVVY)
    assert of(receipt, IVVY).outcome is Outcome.UNCHANGED
    assert world.memory(IVVY).reads() == 1


async def test_writers_of_one_new_record_make_it_once(world: World) -> None:
    receipts = await asyncio.gather(
        *(world.upsert(write_of(**ADA), IVVY) for _ in range(10)),
    )
    results = [of(receipt, IVVY).outcome for receipt in receipts]
    assert sorted(result.value for result in results) == ["CREATED", *["UNCHANGED"] * 9]
    assert world.memory(IVVY).writes() == ["POST /records"]


async def test_a_record_let_go_since_the_look_is_looked_at_again(world: World) -> None:
    """Nobody has to wait for the lock here, and yet what was read is old."""

    def meanwhile() -> None:
        released = world.writer.locks._released
        assert hash("IVVY:externalId E-1") in released
        released[hash("IVVY:externalId E-1")] = time.monotonic() + 1
        world.memory(IVVY).hold("5", externalId="E-1", firstName="Other")

    await world.upsert(write_of(external_id=Some("E-1"), first_name=Some("x")), IVVY)
    world.memory(IVVY).records.clear()
    world.adapters[IVVY].after_plan = meanwhile
    receipt = await world.upsert(write_of(**ADA), IVVY)
    assert of(receipt, IVVY).outcome is Outcome.UPDATED
    assert of(receipt, IVVY).id == "5"


async def test_a_record_found_by_the_second_look_is_locked_by_its_own_id_too(
    world: World,
) -> None:
    """The first look saw no record; the second one holds the lock on the externalId alone."""
    world.adapters[IVVY].fresh = -1.0
    held: list[str] = []
    memory = world.memory(IVVY)

    def created_by_somebody() -> None:
        memory.before["GET"] = lambda: memory.hold("5", externalId="E-1", firstName="Other")

    memory.before["GET"] = created_by_somebody
    memory.after_write = lambda: held.extend(world.writer.locks._locks)
    receipt = await world.upsert(write_of(**ADA), IVVY)
    assert of(receipt, IVVY).outcome is Outcome.UPDATED
    assert held == ["IVVY:externalId E-1", "IVVY:id 5"]
    assert not world.writer.locks._locks


async def test_a_second_look_that_speaks_against_the_write_ends_it(world: World) -> None:
    world.adapters[IVVY].fresh = -1.0
    memory = world.memory(IVVY)

    def doubled() -> None:
        memory.hold("5", externalId="E-1")
        memory.hold("6", externalId="E-1")

    def doubled_next_time() -> None:
        memory.before["GET"] = doubled

    memory.before["GET"] = doubled_next_time
    receipt = await world.upsert(write_of(**ADA), IVVY)
    assert of(receipt, IVVY).outcome is Outcome.REJECTED
    assert receipt.errors[0].code is ProblemCode.CONFLICT
    assert memory.writes() == []


async def test_a_record_that_is_gone_at_the_second_look_is_left_out_by_skip(world: World) -> None:
    world.adapters[IVVY].fresh = -1.0
    memory = world.memory(IVVY)
    memory.hold("1", externalId="E-1", firstName="Old")

    def gone_next_time() -> None:
        memory.before["GET"] = memory.records.clear

    memory.before["GET"] = gone_next_time
    receipt = await world.upsert(write_of(**ADA, if_missing=MissingPolicy.SKIP), IVVY)
    assert of(receipt, IVVY).outcome is Outcome.SKIPPED
    assert memory.writes() == []


async def test_a_lock_that_is_not_free_in_time_fails_the_target(world: World) -> None:
    async with world.writer.locks.hold("IVVY:externalId E-1", within()):
        receipt = await world.upsert(write_of(**ADA), IVVY, seconds=1.0)
    [problem] = of(receipt, IVVY).errors
    assert (problem.code, problem.backend) == (ProblemCode.CONFLICT, IVVY)
    assert of(receipt, IVVY).outcome is Outcome.FAILED


async def test_a_write_without_a_lock_is_delivered_as_it_is(world: World) -> None:
    email = Some("ada@example.com")
    receipt = await world.upsert(write_of(email=email, first_name=Some("Ada")), IVVY)
    assert of(receipt, IVVY).outcome is Outcome.CREATED
    assert world.writer.locks._locks == {}


# ---------------------------------------------------------------- callers that go away


async def test_a_write_goes_on_when_its_caller_goes_away(world: World) -> None:
    arrived, answer = asyncio.Event(), asyncio.Event()
    memory = world.memory(IVVY)
    memory.before["POST"] = arrived.set
    memory.silent["POST"] = answer
    calling = asyncio.create_task(world.upsert(write_of(**ADA), IVVY))
    await arrived.wait()
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    assert memory.records == {}
    answer.set()
    await world.writer.drain()
    assert memory.records["n1"]["firstName"] == "Ada"
    await asyncio.sleep(0)
    assert world.writer.running == set()


@pytest.mark.parametrize("silent", ["GET", "GROUPS"])
async def test_a_caller_that_goes_away_before_the_write_ends_the_look_ups(
    world: World, silent: str
) -> None:
    arrived = asyncio.Event()
    memory = world.memory(IVVY)
    memory.before["GET"] = arrived.set
    memory.silent = {silent: asyncio.Event()}
    write = write_of(**ADA, add_groups_name=Some(["VIP"]))
    calling = asyncio.create_task(world.upsert(write, IVVY))
    await arrived.wait()
    await asyncio.sleep(0)
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    await world.adapters[IVVY].catalogs.close()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert left == set()
    assert world.written() == []


# ---------------------------------------------------------------- dry runs


async def test_a_dry_run_shows_the_calls_and_sends_none(world: World) -> None:
    world.memory(EVERBRIDGE).hold("7", externalId="E-1", firstName="Ada")
    receipt = await world.upsert(write_of(**ADA), IVVY, EVERBRIDGE, dry=True)
    assert set(outcomes(receipt).values()) == {Outcome.PLANNED}
    [call] = of(receipt, IVVY).calls
    assert (call.method, call.path, call.attempts, call.status_code) == (
        "POST",
        "/records",
        0,
        None,
    )
    assert of(receipt, EVERBRIDGE).calls == []
    assert world.written() == []


async def test_a_dry_run_of_a_late_target_is_told_too(world: World) -> None:
    world.impatient()
    receipt = await world.upsert(write_of(**ADA), dry=True)
    assert set(outcomes(receipt).values()) == {Outcome.PLANNED}
    assert world.written() == []
