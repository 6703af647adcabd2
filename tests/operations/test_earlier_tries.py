"""What is told of a write that failed in the end, and whose earlier try got no answer."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from strawberry import ID

from gateway.model import Backend
from gateway.operations.outcomes import MADE, Patience, queued_again, settled
from gateway.results import BackendResult, Outcome, Problem, ProblemCode
from gateway.store.operation_records import Step, StepState
from tests.leads import LEAD_CALL, OF_ADA
from tests.operations.calls import (
    operation,
    outcomes,
    resolve,
    steps,
    store_durably,
    until_ended,
    upsert,
    upsert_lead,
)

if TYPE_CHECKING:
    from tests.harness import Gateway

HEDY: dict[str, Any] = {"externalId": "E-3001", "firstName": "Hedy", "lastName": "Kiesler"}
EVERBRIDGE = {"targets": ["EVERBRIDGE"]}
NOW = datetime(2026, 1, 1, tzinfo=UTC)
PATIENCE = Patience(
    give_up_after=timedelta(hours=1), follow_for=timedelta(hours=1), look_every=timedelta(seconds=1)
)


def fail(gateway: Gateway, backend: str, **what: Any) -> None:
    gateway.sandbox.faults.add({"backend": backend, "times": 500, **what})


async def unanswered(gateway: Gateway) -> str:
    """A durable write that Everbridge has done and not answered, and that nobody goes on with."""
    worker = gateway.app.state.account.worker
    fail(gateway, "everbridge", method="POST", drop="after", delayMs=50)
    operation_id = await store_durably(gateway, HEDY, **EVERBRIDGE)
    async with asyncio.timeout(20):
        while not gateway.everbridge(externalId="E-3001"):  # noqa: ASYNC110 - the sandbox says nothing by itself
            await asyncio.sleep(0.01)
        worker.pause()
        while not steps(await operation(gateway, operation_id))["EVERBRIDGE"]["result"]["errors"]:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
    gateway.sandbox.faults.clear()
    return operation_id


async def goes_on(gateway: Gateway, operation_id: str) -> dict[str, Any]:
    """The operation, once the worker has gone on with it to an end."""
    account = gateway.app.state.account
    for adapter in account.adapters.values():
        adapter.sender.breaker.note(failed=False)  # whether it is left alone does not matter here
    worker = account.worker
    worker._stopping = False
    worker.wake()
    return await until_ended(gateway, operation_id)


def time_is_over(gateway: Gateway) -> None:
    """The backend is down, and steps are not tried again."""
    worker = gateway.app.state.account.worker
    worker.patience = replace(worker.patience, give_up_after=timedelta(0))
    fail(gateway, "everbridge", status=503)


async def test_a_durable_write_that_may_have_happened_does_not_end_as_failed(
    quick: Gateway,
) -> None:
    operation_id = await unanswered(quick)
    time_is_over(quick)
    found = await goes_on(quick, operation_id)
    assert (found["status"], outcomes(found)) == ("NEEDS_ATTENTION", {"EVERBRIDGE": "UNKNOWN"})
    [error] = steps(found)["EVERBRIDGE"]["result"]["errors"]
    assert error["code"] == "UNAVAILABLE"
    assert "An earlier try got no usable answer" in error["message"]


@pytest.mark.parametrize(("seen", "ends"), [("RETRY", "UNKNOWN"), ("NOT_WRITTEN", "FAILED")])
async def test_what_a_person_says_of_it_is_known_from_then_on(
    quick: Gateway, seen: str, ends: str
) -> None:
    operation_id = await unanswered(quick)
    time_is_over(quick)
    found = await goes_on(quick, operation_id)
    quick.app.state.account.worker.pause()
    await resolve(quick, steps(found)["EVERBRIDGE"]["id"], seen)
    found = await goes_on(quick, operation_id)
    assert outcomes(found) == {"EVERBRIDGE": ends}


async def test_a_durable_write_that_is_answered_in_the_end_is_not_in_doubt(quick: Gateway) -> None:
    operation_id = await unanswered(quick)
    found = await goes_on(quick, operation_id)
    assert (found["status"], outcomes(found)) == ("SUCCEEDED", {"EVERBRIDGE": "UNCHANGED"})


async def test_a_repeated_call_that_fails_does_not_deny_what_the_first_may_have_done(
    gateway: Gateway,
) -> None:
    fail(gateway, "everbridge", method="POST", drop="after")
    first = await upsert(gateway, HEDY, idempotencyKey="k-1", **EVERBRIDGE)
    assert first.status == "UNKNOWN"
    gateway.sandbox.faults.clear()
    fail(gateway, "everbridge", status=503)
    for _ in range(2):
        again = await upsert(gateway, HEDY, idempotencyKey="k-1", **EVERBRIDGE)
        assert (again.status, again.outcomes()) == ("UNKNOWN", {"EVERBRIDGE": "UNKNOWN"})
        assert "An earlier try got no usable answer" in again.errors[0]["message"]


async def test_nor_does_a_leads(gateway: Gateway) -> None:
    lead = {**OF_ADA, "ivvy": {"id": "9001"}}
    fail(gateway, "ivvy", path=LEAD_CALL, drop="after")
    first = await upsert_lead(gateway, lead, idempotencyKey="k-1")
    assert first["status"] == "UNKNOWN"
    gateway.sandbox.faults.clear()
    fail(gateway, "ivvy", status=503)
    again = await upsert_lead(gateway, lead, idempotencyKey="k-1")
    assert (again["status"], again["results"][0]["outcome"]) == ("UNKNOWN", "UNKNOWN")


def step(attempts: int, result: Any = None) -> Step:
    return Step(
        id=1,
        operation_id="one",
        position=0,
        backend="EVERBRIDGE",
        name="CONTACT",
        record_key="externalId:E-1",
        state=StepState.QUEUED,
        attempts=attempts,
        due_at=NOW,
        owner="me",
        fence=attempts,
        outcome=None,
        intent=None,
        result=result,
        jobs=(),
    )


def failed() -> BackendResult:
    problem = Problem(code=ProblemCode.UNAVAILABLE, message="It is down.", retryable=True)
    return BackendResult(backend=Backend.EVERBRIDGE, outcome=Outcome.FAILED, errors=[problem])


def ended(held: Step, *, repeatable: bool = True) -> Step:
    """The step after a last try that wrote nothing for sure."""
    return settled(
        held,
        failed(),
        repeatable=repeatable,
        accepted_at=NOW - timedelta(days=1),
        now=NOW,
        patience=PATIENCE,
    )


def test_tries_that_all_wrote_nothing_end_as_failed() -> None:
    held = step(1)
    for attempt in (2, 3):
        held = step(attempt, queued_again(held, failed(), NOW).result)
    assert (ended(held).state, ended(held).outcome) == (StepState.DONE, "FAILED")


@pytest.mark.parametrize("seconds", [3_600.0, 1e8, 1e15])
def test_a_backend_that_asks_for_years_is_tried_once_more_when_the_time_is_over(
    seconds: float,
) -> None:
    result = failed()
    result.errors[0].retry_after_seconds = seconds
    held = settled(
        step(1),
        result,
        repeatable=True,
        accepted_at=NOW - timedelta(minutes=20),
        now=NOW,
        patience=PATIENCE,
    )
    assert (held.state, held.due_at) == (StepState.QUEUED, NOW + timedelta(minutes=40))


@pytest.mark.parametrize("known", [None, {"outcome": "QUEUED", "backend": "EVERBRIDGE"}])
def test_a_try_whose_worker_died_may_have_written(known: Any) -> None:
    after = ended(step(2, known))
    assert (after.state, after.outcome) == (StepState.NEEDS_ATTENTION, "UNKNOWN")
    assert after.result is not None
    assert after.result["errors"][0]["message"].startswith("It is down. An earlier try")


GROUP_CALL = "/api/1.0/contact?action=addContactsToSubscriptionGroup"


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize("native", [{}, {"ivvy": {"updateIfExists": False}}])
async def test_a_durable_write_of_which_a_part_was_done_does_not_end_as_rejected(
    quick: Gateway, native: dict[str, Any]
) -> None:
    hedy = {**HEDY, "email": "hedy@example.com", "addGroupsName": ["VIP"], **native}
    fail(quick, "ivvy", path=GROUP_CALL, status=500, times=4)
    refusal = {"errorCode": 400, "message": "The group is closed."}
    fail(quick, "ivvy", path=GROUP_CALL, status=400, body=refusal)
    found = await until_ended(quick, await store_durably(quick, hedy, targets=["IVVY"]))
    [contact] = quick.ivvy(externalId="E-3001")
    ends = steps(found)["IVVY"]
    assert (outcomes(found), ends["attempts"]) == ({"IVVY": "PARTIAL"}, 2)
    assert ends["result"]["id"] == str(contact["id"])
    assert ends["result"]["changedFields"] == ["externalId", "email", "firstName", "lastName"]
    assert "The group is closed" in ends["result"]["errors"][0]["message"]


def part_done() -> Step:
    """A step of which the first try has changed the first name, and failed then."""
    part = failed()
    part.outcome, part.id, part.changed_fields = Outcome.PARTIAL, ID("7"), ["firstName"]
    return step(2, queued_again(step(1), part, NOW).result)


@pytest.mark.parametrize(
    ("outcome", "rest"), [(Outcome.UPDATED, ["groupsName"]), (Outcome.UNCHANGED, [])]
)
def test_the_try_that_does_the_rest_tells_of_the_part_as_well(
    outcome: Outcome, rest: list[str]
) -> None:
    result = BackendResult(backend=Backend.EVERBRIDGE, outcome=outcome, changed_fields=rest)
    after = settled(
        part_done(), result, repeatable=True, accepted_at=NOW, now=NOW, patience=PATIENCE
    )
    assert (after.state, after.outcome) == (StepState.DONE, "UPDATED")
    assert result.changed_fields == ["firstName", *rest]


def test_a_part_that_is_known_to_be_done_is_not_in_doubt_where_the_rest_fails() -> None:
    after = ended(part_done())
    assert (after.state, after.outcome) == (StepState.DONE, "PARTIAL")
    assert after.result is not None
    assert after.result["changed_fields"] == ["firstName"]
    assert after.result["errors"][0]["message"] == "It is down."


def test_a_part_of_which_no_field_is_known_is_not_denied_where_the_rest_fails() -> None:
    part = failed()
    part.outcome = Outcome.PARTIAL
    after = ended(step(2, queued_again(step(1), part, NOW).result))
    assert (after.state, after.outcome) == (StepState.NEEDS_ATTENTION, "UNKNOWN")


@pytest.mark.parametrize(("made", "repeatable"), [(None, False), ({MADE: "7"}, True)])
def test_a_part_beside_what_must_not_be_sent_twice_is_left_to_a_person(
    made: Any, *, repeatable: bool
) -> None:
    part = failed()
    part.outcome, part.changed_fields = Outcome.PARTIAL, ["firstName"]
    held = step(2, queued_again(step(1, made), part, NOW).result)
    after = ended(held, repeatable=repeatable)
    assert (after.state, after.outcome) == (StepState.NEEDS_ATTENTION, "UNKNOWN")


@pytest.mark.parametrize("told", [True, False], ids=["not answered", "worker died"])
def test_a_try_behind_a_part_that_is_known_may_have_written_the_rest(*, told: bool) -> None:
    held, doubtful = part_done(), failed()
    doubtful.outcome = Outcome.UNKNOWN
    after = ended(step(3, queued_again(held, doubtful, NOW).result if told else held.result))
    assert (after.state, after.outcome) == (StepState.NEEDS_ATTENTION, "UNKNOWN")
    assert after.result is not None
    assert after.result["errors"][0]["message"].startswith("It is down. An earlier try")


def test_what_a_part_has_changed_is_remembered_through_tries_that_changed_nothing() -> None:
    held = step(3, queued_again(part_done(), failed(), NOW).result)
    refusal = Problem(code=ProblemCode.INVALID, message="No.")
    result = BackendResult(backend=Backend.EVERBRIDGE, outcome=Outcome.REJECTED, errors=[refusal])
    after = settled(held, result, repeatable=True, accepted_at=NOW, now=NOW, patience=PATIENCE)
    assert (after.state, after.outcome) == (StepState.DONE, "PARTIAL")
    assert (result.id, result.changed_fields) == ("7", ["firstName"])
