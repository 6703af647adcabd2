"""The story of a write over small backends in memory: who waits for whom, who is left alone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import structlog
from strawberry import Some

from gateway.entries import Entry
from gateway.model import Backend, MissingPolicy
from gateway.results import Outcome, Problem, ProblemCode
from tests.memory_backend import write_of
from tests.memory_world import ADA, EVERBRIDGE, IVVY, SENDGRID, World, of, outcomes


@pytest.fixture
def world() -> World:
    return World()


def invalid(backend: Backend | None = None, message: str = "wrong") -> Problem:
    return Problem(backend=backend, code=ProblemCode.INVALID, message=message)


async def test_every_target_is_written_and_told_in_the_order_of_the_enum(world: World) -> None:
    world.memory(EVERBRIDGE).hold("7", externalId="E-1", firstName="Old")
    world.memory(SENDGRID).hold("8", externalId="E-1", firstName="Ada")
    receipt = await world.upsert(write_of(**ADA), SENDGRID, EVERBRIDGE, IVVY)
    assert [result.backend for result in receipt.results] == list(Backend)
    assert outcomes(receipt) == {
        IVVY: Outcome.CREATED,
        EVERBRIDGE: Outcome.UPDATED,
        SENDGRID: Outcome.UNCHANGED,
    }
    assert of(receipt, IVVY).id == "n1"
    assert of(receipt, EVERBRIDGE).matched_by == "externalId"
    assert of(receipt, EVERBRIDGE).changed_fields == ["firstName"]
    assert of(receipt, SENDGRID).calls == []
    assert receipt.errors == []
    assert world.written() == [IVVY, EVERBRIDGE]


async def test_a_problem_in_one_target_leaves_every_target_unwritten(world: World) -> None:
    world.memory(IVVY).hold("1", externalId="E-1", firstName="Old")
    receipt = await world.upsert(write_of(external_id=Some("E-1")), IVVY, EVERBRIDGE)
    assert receipt.rejected
    assert outcomes(receipt) == {IVVY: Outcome.SKIPPED, EVERBRIDGE: Outcome.REJECTED}
    [problem] = receipt.errors
    assert (problem.backend, problem.code) == (EVERBRIDGE, ProblemCode.REQUIRED)
    assert world.written() == []
    assert of(receipt, IVVY).changed_fields == []


async def test_all_problems_are_told_at_once_those_of_the_input_first(world: World) -> None:
    world.adapters[IVVY].checked = [invalid(IVVY, "checked")]
    world.memory(SENDGRID).groups = ["Near"]
    write = write_of(external_id=Some("E-1"), add_groups_name=Some(["Naer"]))
    receipt = await world.upsert(write, problems=[invalid(message="input")])
    found = [(problem.backend, problem.code) for problem in receipt.errors]
    assert found == [
        (None, ProblemCode.INVALID),
        (None, ProblemCode.NAME_NOT_FOUND),
        (IVVY, ProblemCode.INVALID),
        (IVVY, ProblemCode.REQUIRED),
        (EVERBRIDGE, ProblemCode.REQUIRED),
        (SENDGRID, ProblemCode.REQUIRED),
    ]
    assert set(outcomes(receipt).values()) == {Outcome.REJECTED}
    assert receipt.errors[1].suggestions == ["Near"]
    assert world.memory(IVVY).received == ["GET /records"], "its keys are usable"
    assert world.written() == []


@pytest.mark.parametrize(
    ("field", "asked"),
    [
        (["externalId"], []),
        (["email"], []),
        (["ivvy", "id"], []),
        (["sendgrid", "id"], ["GET /records"]),
        (["lastName"], ["GET /records"]),
    ],
)
async def test_nobody_is_looked_for_by_a_key_that_the_check_refuses(
    world: World, field: list[str], asked: list[str]
) -> None:
    problem = Problem(backend=IVVY, code=ProblemCode.INVALID, message="wrong", field=field)
    world.adapters[IVVY].checked = [problem]
    receipt = await world.upsert(write_of(**ADA), IVVY)
    assert (receipt.rejected, receipt.errors) == (True, [problem])
    assert world.memory(IVVY).received == asked


async def test_a_refusal_and_an_ambiguous_name_of_one_target_are_told_together(
    world: World,
) -> None:
    world.memory(IVVY).groups = ["VIP", "VIP"]
    world.adapters[IVVY]._fetch_groups = _two_of_one_name  # type: ignore[method-assign]
    world.adapters[IVVY].__post_init__()
    world.memory(IVVY).hold("1", externalId="E-1")
    world.memory(IVVY).hold("2", externalId="E-1")
    write = write_of(**ADA, add_groups_name=Some(["VIP"]))
    receipt = await world.upsert(write, IVVY)
    codes = [problem.code for problem in receipt.errors]
    assert codes == [ProblemCode.CONFLICT, ProblemCode.NAME_AMBIGUOUS]


async def _two_of_one_name(_exchange: Any) -> Any:
    return [Entry(id="1", name="VIP"), Entry(id="2", name="VIP")]


async def test_a_problem_of_the_input_rejects_every_target(world: World) -> None:
    receipt = await world.upsert(write_of(**ADA), problems=[invalid()])
    assert set(outcomes(receipt).values()) == {Outcome.REJECTED}
    assert world.written() == []


async def test_a_name_that_one_target_knows_is_ignored_by_the_others(world: World) -> None:
    world.memory(SENDGRID).groups = ["VIP"]
    receipt = await world.upsert(write_of(**ADA, add_groups_name=Some(["vip"])))
    assert of(receipt, IVVY).ignored_fields == ["addGroupsName.vip"]
    assert of(receipt, SENDGRID).ignored_fields == []
    assert world.memory(SENDGRID).records["n1"]["groups"] == ["g-VIP"]


# ---------------------------------------------------------------- silent and failing backends


async def test_others_go_on_without_a_silent_target_which_is_finished_late(world: World) -> None:
    world.impatient()
    answered = asyncio.Event()
    world.memory(EVERBRIDGE).silent["GET"] = answered
    world.memory(SENDGRID).after_write = answered.set  # it answers only once a sibling is written
    receipt = await world.upsert(write_of(**ADA))
    assert set(outcomes(receipt).values()) == {Outcome.CREATED}
    assert world.written() == list(Backend)


async def test_a_target_that_is_never_heard_of_fails_within_the_time(world: World) -> None:
    world.impatient()
    world.memory(EVERBRIDGE).silent["GET"] = asyncio.Event()
    receipt = await world.upsert(write_of(**ADA), IVVY, EVERBRIDGE, seconds=1.0)
    assert outcomes(receipt) == {IVVY: Outcome.CREATED, EVERBRIDGE: Outcome.FAILED}
    [problem] = receipt.errors
    assert problem.code is ProblemCode.TIMEOUT
    assert problem.retryable


@pytest.mark.parametrize("silent", ["GET", "GROUPS"])
async def test_a_write_that_is_called_off_waits_for_no_silent_target(
    world: World, silent: str
) -> None:
    world.impatient()
    world.memory(EVERBRIDGE).silent = {"GET": asyncio.Event(), silent: asyncio.Event()}
    write = write_of(**ADA, add_groups_name=Some(["VIP"]))
    async with asyncio.timeout(10):
        receipt = await world.upsert(write, IVVY, EVERBRIDGE, problems=[invalid()], seconds=60)
    assert set(outcomes(receipt).values()) == {Outcome.REJECTED}
    await world.adapters[EVERBRIDGE].catalogs.close()


async def test_a_target_that_is_alone_is_late_for_nobody(world: World) -> None:
    world.impatient()
    answered = asyncio.Event()
    world.memory(EVERBRIDGE).silent["GET"] = answered
    writing = asyncio.create_task(world.upsert(write_of(**ADA), EVERBRIDGE))
    await asyncio.sleep(0.05)
    assert not writing.done()
    answered.set()
    assert outcomes(await writing) == {EVERBRIDGE: Outcome.CREATED}


async def test_a_target_that_is_alone_and_called_off_is_not_waited_for(world: World) -> None:
    world.impatient()
    world.memory(EVERBRIDGE).silent["GET"] = asyncio.Event()
    async with asyncio.timeout(10):
        receipt = await world.upsert(write_of(**ADA), EVERBRIDGE, problems=[invalid()], seconds=60)
    assert outcomes(receipt) == {EVERBRIDGE: Outcome.REJECTED}


async def test_a_failing_target_is_no_problem_of_the_input(world: World) -> None:
    world.memory(EVERBRIDGE).fails_with["GET"] = 403
    receipt = await world.upsert(write_of(**ADA))
    assert outcomes(receipt) == {
        IVVY: Outcome.CREATED,
        EVERBRIDGE: Outcome.FAILED,
        SENDGRID: Outcome.CREATED,
    }
    assert not receipt.rejected


async def test_a_list_that_cannot_be_read_fails_its_target_alone(world: World) -> None:
    world.memory(SENDGRID).groups = ["VIP"]
    world.memory(EVERBRIDGE).silent["GROUPS"] = asyncio.Event()
    world.impatient()
    write = write_of(**ADA, add_groups_name=Some(["VIP"]))
    receipt = await world.upsert(write, EVERBRIDGE, SENDGRID, seconds=1.0)
    assert outcomes(receipt) == {EVERBRIDGE: Outcome.FAILED, SENDGRID: Outcome.CREATED}
    await world.adapters[EVERBRIDGE].catalogs.close()


async def test_a_name_is_not_called_unknown_while_a_list_cannot_be_read(world: World) -> None:
    world.memory(EVERBRIDGE).silent["GROUPS"] = asyncio.Event()
    world.impatient()
    write = write_of(**ADA, add_groups_name=Some(["VIP"]))
    receipt = await world.upsert(write, EVERBRIDGE, SENDGRID, seconds=1.0)
    assert [problem.code for problem in receipt.errors] == [ProblemCode.TIMEOUT]
    await world.adapters[EVERBRIDGE].catalogs.close()


# ---------------------------------------------------------------- keys from siblings


async def test_a_target_without_a_key_takes_it_from_a_sibling(world: World) -> None:
    world.adapters[SENDGRID].borrows = True
    world.memory(IVVY).hold("1", externalId="E-1", email="ada@example.com", firstName="Ada")
    world.memory(SENDGRID).hold("8", email="ada@example.com", firstName="Old")
    receipt = await world.upsert(write_of(**ADA), IVVY, SENDGRID)
    assert of(receipt, SENDGRID).outcome is Outcome.UPDATED
    assert of(receipt, SENDGRID).matched_by == "IVVY.email"


async def test_a_key_of_a_sibling_is_written_with_the_new_record(world: World) -> None:
    world.adapters[SENDGRID].borrows = True
    world.memory(IVVY).hold("1", externalId="E-1", email="ada@example.com", firstName="Ada")
    await world.upsert(write_of(**ADA), IVVY, SENDGRID)
    assert world.memory(SENDGRID).records["n1"]["email"] == "ada@example.com"


async def test_a_key_that_nobody_has_is_required(world: World) -> None:
    world.adapters[SENDGRID].borrows = True
    receipt = await world.upsert(write_of(**ADA), IVVY, SENDGRID)
    assert outcomes(receipt) == {IVVY: Outcome.SKIPPED, SENDGRID: Outcome.REJECTED}
    assert [problem.field for problem in receipt.errors] == [["email"]]


@pytest.mark.parametrize("sibling", ["fails", "is silent", "is silent for ever"])
async def test_a_key_that_a_silent_sibling_may_have_is_never_called_required(
    world: World, sibling: str
) -> None:
    world.adapters[SENDGRID].borrows = True
    world.memory(EVERBRIDGE).groups = ["VIP"]
    world.memory(SENDGRID).groups = ["VIP"]
    if sibling == "fails":
        world.memory(IVVY).fails_with["GET"] = 403
    else:
        world.impatient()
        world.memory(IVVY).silent["GET"] = asyncio.Event()
    write = write_of(**ADA, add_groups_name=Some(["VIP"]))
    if sibling == "is silent":
        world.memory(EVERBRIDGE).hold("7", externalId="E-1")
    receipt = await world.upsert(write, seconds=1.0)
    assert outcomes(receipt) == {
        IVVY: Outcome.FAILED,
        EVERBRIDGE: Outcome.UPDATED if sibling == "is silent" else Outcome.CREATED,
        SENDGRID: Outcome.FAILED,
    }
    [problem] = of(receipt, SENDGRID).errors
    assert problem.code is ProblemCode.UNAVAILABLE
    assert problem.retryable
    assert "iVvy" in problem.message


# ---------------------------------------------------------------- ifMissing


async def test_skip_leaves_out_a_target_that_does_not_hold_the_record(world: World) -> None:
    world.memory(IVVY).hold("1", externalId="E-1", firstName="Old")
    world.adapters[SENDGRID].borrows = True  # and has no key to be asked by
    receipt = await world.upsert(write_of(**ADA, if_missing=MissingPolicy.SKIP))
    assert outcomes(receipt) == {
        IVVY: Outcome.UPDATED,
        EVERBRIDGE: Outcome.SKIPPED,
        SENDGRID: Outcome.SKIPPED,
    }
    assert receipt.errors == []
    assert world.written() == [IVVY]


# ---------------------------------------------------------------- faults of our own


@pytest.mark.parametrize(
    "step", ["wanted", "check", "needs_siblings", "find", "plan", "read_answer"]
)
async def test_a_fault_in_one_adapter_leaves_the_others_results(world: World, step: str) -> None:
    world.adapters[EVERBRIDGE].broken.add(step)
    with structlog.testing.capture_logs() as logged:
        receipt = await world.upsert(write_of(**ADA))
    sent = step == "read_answer"
    assert outcomes(receipt) == {
        IVVY: Outcome.CREATED,
        EVERBRIDGE: Outcome.UNKNOWN if sent else Outcome.FAILED,
        SENDGRID: Outcome.CREATED,
    }
    [problem] = receipt.errors
    assert problem.code is ProblemCode.BACKEND_ERROR
    assert problem.backend is EVERBRIDGE
    assert "fault of ours" not in problem.message
    assert [event["event"] for event in logged] == ["target failed"]
    calls = [call.status_code for call in of(receipt, EVERBRIDGE).calls]
    assert calls == ([200] if sent else [])
