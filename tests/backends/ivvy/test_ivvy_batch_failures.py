"""Batches of iVvy's that fail, in part or as a whole: each write is told what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gateway.results import Outcome, ProblemCode
from tests.backends.ivvy.batches import bulk, fault, jobs, outcomes, people
from tests.backends.ivvy.writing import contact

if TYPE_CHECKING:
    from tests.backends.ivvy.conftest import Desk

pytestmark = pytest.mark.usefixtures("waits")


# ---------------------------------------------------------------- jobs that fail


async def test_a_job_that_is_refused_leaves_the_others_written(desk: Desk) -> None:
    [held] = desk.held(externalId="E-1001")
    desk.switches["group_refuses"] = [held["id"]]
    inputs = [contact(external_id="E-1001", remove_groups_name=["Newsletter"])]
    results = await bulk(desk, [*inputs, *people(2, add_groups_name=["Newsletter"])])
    assert [result.outcome for result in results] == [
        *(Outcome.REJECTED, Outcome.CREATED, Outcome.CREATED)
    ]
    assert results[0].errors[0].code is ProblemCode.INVALID


@pytest.mark.parametrize("channel", ["success_false", "error_object"])
async def test_both_channels_of_failure_count_in_a_job(desk: Desk, channel: str) -> None:
    desk.switches.update(business_errors=channel, custom_fields_required=[505])
    results = await bulk(desk, people(2))
    assert outcomes(results) == {Outcome.REJECTED}
    assert results[0].errors[0].backend_message
    assert jobs(desk) == [2]
    assert desk.writes() == []


@pytest.mark.parametrize("switch", [{"batch_omits": [1]}, {"batch_on_failure": "stop"}])
async def test_a_job_that_is_missing_in_the_results_is_sent_again(
    desk: Desk, switch: dict[str, Any]
) -> None:
    [held] = desk.held(externalId="E-1001")
    await bulk(desk, people(2))
    desk.switches.update(switch, group_refuses=[held["id"]])
    bad = contact(ivvy={"id": str(held["id"])}, remove_groups_name=["Newsletter"])
    results = await bulk(desk, [bad, *people(2, phone="+44 7700 900198")])
    assert [result.outcome for result in results] == [
        *(Outcome.REJECTED, Outcome.UPDATED, Outcome.UPDATED)
    ]


async def test_jobs_of_which_the_results_say_nothing_at_all_are_sent_singly(desk: Desk) -> None:
    desk.switches["batch_omits"] = [0, 1, 2]
    results = await bulk(desk, people(3))
    assert outcomes(results) == {Outcome.CREATED}
    assert len(desk.writes()) == 3
    assert len(desk.held(lastName="Person")) == 3


async def test_a_job_that_collided_is_tried_again_singly(desk: Desk) -> None:
    results = await bulk(desk, people(3))
    collided = {"errorCode": 429, "message": "Race condition error", "specificCode": 24299}
    row = {
        "namespace": "contact",
        "action": "addOrUpdateContact",
        "request": {"id": int(str(results[1].id))},
        "response": collided,
    }
    fault(desk, "results", body={"asyncId": "0" * 32, "results": [row]})
    desk.sandbox.calls.clear()
    again = await bulk(desk, people(3, phone="+44 7700 900101"))
    assert outcomes(again) == {Outcome.UPDATED}
    assert [body["id"] for _, body in desk.writes()] == [int(str(results[1].id))]
    assert jobs(desk) == [3, 2]


@pytest.mark.parametrize(
    "switch",
    [
        {"batch_order": "reverse"},
        {"batch_request_echo": "reduced"},
        {"batch_request_echo": "job"},
        {"ids_as_strings": True},
    ],
)
async def test_each_gets_its_own_answer_however_results_are_told(
    desk: Desk, switch: dict[str, Any]
) -> None:
    desk.switches.update(switch)
    inputs = people(20, add_groups_name=["Newsletter"])
    results = await bulk(desk, inputs)
    assert outcomes(results) == {Outcome.CREATED}
    for n, result in enumerate(results):
        [held] = desk.held(externalId=f"P-{n}")
        assert result.id == str(held["id"])
        assert len(held["groups"]) == 1
    assert desk.writes() == []


# ---------------------------------------------------------------- batches without an answer


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_batch_without_an_answer_is_not_sent_again_and_its_writes_are_unknown(
    desk: Desk, when: str
) -> None:
    fault(desk, "run", drop=when)
    results = await bulk(desk, people(3))
    assert outcomes(results) == {Outcome.UNKNOWN}
    assert jobs(desk) == [3]
    assert all(result.errors[0].retryable for result in results)
    assert len({id(result.errors[0]) for result in results}) == 3
    desk.sandbox.clock.advance(5)  # type: ignore[attr-defined]
    later = await bulk(desk, people(3))
    assert outcomes(later) == {Outcome.UNCHANGED if when == "after" else Outcome.CREATED}
    assert len(desk.held(lastName="Person")) == 3


async def test_a_batch_that_was_surely_not_taken_is_sent_again(desk: Desk) -> None:
    fault(desk, "run", status=503)
    results = await bulk(desk, people(3))
    assert outcomes(results) == {Outcome.CREATED}
    assert [call.attempts for result in results for call in result.calls] == [2] * 3


async def test_a_backend_that_takes_nothing_fails_each_of_them(desk: Desk) -> None:
    fault(desk, "run", times=4, status=503)
    results = await bulk(desk, people(3))
    assert outcomes(results) == {Outcome.FAILED}
    assert results[0].errors[0].code is ProblemCode.UNAVAILABLE
