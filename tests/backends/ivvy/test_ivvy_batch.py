"""Writes of a bulk are jobs of iVvy's batches, and each gets the result of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gateway.backends.ivvy.batch_run import next_wait
from gateway.results import Outcome, ProblemCode
from gateway.upstream import Exchange
from tests.backends.bulk import bulk_upsert
from tests.backends.ivvy.writing import contact

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.model import ContactInput
    from gateway.results import BackendResult
    from tests.backends.ivvy.conftest import Desk

RUN = "/api/1.0/batch?action=run"


@pytest.fixture(autouse=True)
def waits(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited for batches; time passes for iVvy and not for the test."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        desk.sandbox.clock.advance(seconds)  # type: ignore[attr-defined]

    monkeypatch.setattr("gateway.backends.ivvy.batch_run.sleep", sleep)
    return waited


def people(count: int, **fields: Any) -> list[ContactInput]:
    return [
        contact(
            external_id=f"P-{n}",
            first_name=f"First{n}",
            last_name="Person",
            email=f"p{n}@example.com",
            **fields,
        )
        for n in range(count)
    ]


async def bulk(desk: Desk, inputs: Iterable[ContactInput], **how: Any) -> list[BackendResult]:
    return await bulk_upsert(desk.adapter, inputs, **how)


def batch_calls(desk: Desk) -> list[tuple[str, Any]]:
    return [call for call in desk.calls() if call[0] in {"run", "progress", "results"}]


def jobs(desk: Desk) -> list[int]:
    """How many jobs each batch had."""
    return [len(body["jobs"]) for action, body in batch_calls(desk) if action == "run"]


def outcomes(results: Iterable[BackendResult]) -> set[Outcome]:
    return {result.outcome for result in results}


def fault(desk: Desk, action: str, times: int = 1, **what: Any) -> None:
    namespace = "batch" if action in {"run", "progress", "results"} else "contact"
    path = f"/api/1.0/{namespace}?action={action}"
    desk.sandbox.faults.add({"backend": "ivvy", "path": path, "times": times, **what})


# ---------------------------------------------------------------- calls


async def test_many_contacts_cost_few_calls_beside_their_look_ups(desk: Desk) -> None:
    state = desk.sandbox.ivvy.dump()
    rows = state["tables"]["contacts"]
    rows += [{**rows[0], "id": 50000 + n, "externalId": f"P-{n}", "groups": []} for n in range(400)]
    desk.sandbox.ivvy.load(state)
    results = await bulk(
        desk, (contact(external_id=f"P-{n}", groups_name=["Newsletter"]) for n in range(400))
    )
    assert outcomes(results) == {Outcome.UPDATED}
    assert jobs(desk) == [200, 200]
    assert len(batch_calls(desk)) / 400 <= 0.02
    assert len(desk.calls()) == 400 + len(batch_calls(desk)) + 1  # and the list of groups
    assert {len(row["groups"]) for row in desk.held() if row["id"] >= 50000} == {1}


async def test_new_contacts_are_looked_up_again_and_learn_their_ids(desk: Desk) -> None:
    results = await bulk(desk, people(30, groups_name=["Newsletter"]))
    assert outcomes(results) == {Outcome.CREATED}
    assert jobs(desk) == [30]
    assert desk.writes() == []  # none was sent singly
    assert len([action for action, _ in desk.calls() if action == "getContactList"]) == 120
    for n, result in enumerate(results):
        [held] = desk.held(externalId=f"P-{n}")
        assert result.id == str(held["id"])
        assert [each["groupId"] for each in held["groups"]] == [301]


async def test_updates_and_group_calls_are_jobs_too(desk: Desk) -> None:
    await bulk(desk, people(5))
    desk.sandbox.calls.clear()
    results = await bulk(desk, people(5, phone="+44 7700 900101", add_groups_name=["Newsletter"]))
    assert outcomes(results) == {Outcome.UPDATED}
    assert jobs(desk) == [5, 5]
    assert desk.writes() == []
    [held] = desk.held(externalId="P-3")
    assert (held["phone"], len(held["groups"])) == ("+447700900101", 1)


async def test_a_new_contact_joins_groups_by_the_id_that_its_job_brought(desk: Desk) -> None:
    results = await bulk(desk, people(3, add_groups_name=["Newsletter"]))
    assert outcomes(results) == {Outcome.CREATED}
    assert [len(held["groups"]) for n in range(3) for held in desk.held(externalId=f"P-{n}")] == [
        1
    ] * 3


async def test_a_receipt_shows_the_batch_with_its_own_job_only(desk: Desk) -> None:
    results = await bulk(desk, people(3))
    for n, result in enumerate(results):
        [call] = result.calls
        assert (call.method, call.path, call.status_code) == ("POST", RUN, 200)
        assert call.attempts == 1
        body: Any = call.body
        [job] = body["jobs"]
        assert (job["namespace"], job["action"]) == ("contact", "addOrUpdateContact")
        assert job["params"]["externalId"] == f"P-{n}"


async def test_a_create_that_may_not_be_repeated_goes_alone(desk: Desk) -> None:
    once = contact(
        first_name="Eve",
        last_name="Moore",
        email="eve@example.com",
        ivvy={"update_if_exists": False},
    )
    results = await bulk(desk, [*people(2), once])
    assert outcomes(results) == {Outcome.CREATED}
    assert jobs(desk) == [2]
    assert len(desk.writes()) == 1


async def test_a_key_that_is_denied_batches_sends_singly(desk: Desk) -> None:
    denied = {"errorCode": 403, "message": "No access to batches"}
    fault(desk, "run", status=403, body=denied)
    assert outcomes(await bulk(desk, people(3))) == {Outcome.CREATED}
    assert len(desk.writes()) == 3


async def test_a_callback_address_is_sent_where_there_is_one(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.switches["batch_callback_required"] = True
    refused = await bulk(desk, people(3))
    assert outcomes(refused) == {Outcome.CREATED}
    assert len(desk.writes()) == 3  # iVvy takes no batch, so they went singly
    monkeypatch.setattr(desk.adapter._batches, "_callback_url", "https://example.com/done")
    assert outcomes(await bulk(desk, people(3, phone="+44 7700 900101"))) == {Outcome.UPDATED}
    assert len(desk.writes()) == 3
    last = [body for action, body in batch_calls(desk) if action == "run"][-1]
    assert last["callbackUrl"] == "https://example.com/done"


# ---------------------------------------------------------------- waiting


async def test_ivvy_is_asked_seldom_how_far_a_batch_is(desk: Desk, waits: list[float]) -> None:
    desk.switches["batch_seconds"] = 30.0
    await bulk(desk, people(10))
    actions = [action for action, _ in batch_calls(desk)]
    assert actions == ["run", "progress", "progress", "results"]
    desk.sandbox.calls.clear()
    waits.clear()
    await bulk(desk, people(10, phone="+44 7700 900101"))
    # By now it is known how long one takes.
    assert [action for action, _ in batch_calls(desk)] == ["run", "progress", "results"]
    assert len(waits) == 1


def test_the_next_question_comes_when_the_rest_should_be_done() -> None:
    assert next_wait(10.0, 49.5) == 12.5
    assert next_wait(4.0, 0.0) == 4.0
    assert next_wait(0.1, 99.0) == 0.5
    assert next_wait(50.0, 1.0) == 60.0


async def test_results_that_are_asked_for_too_soon_are_asked_for_again(desk: Desk) -> None:
    early = {"errorCode": 400, "message": "The batch has not completed", "specificCode": 24114}
    fault(desk, "results", status=400, body=early)
    assert outcomes(await bulk(desk, people(3))) == {Outcome.CREATED}


async def test_a_question_without_an_answer_does_not_end_a_batch(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.upstream.ATTEMPTS", 1)
    fault(desk, "progress", drop="before")
    fault(desk, "results", drop="after")
    assert outcomes(await bulk(desk, people(3))) == {Outcome.CREATED}
    assert jobs(desk) == [3]


async def test_a_batch_that_ivvy_has_forgotten_leaves_its_writes_unknown(desk: Desk) -> None:
    gone = {"errorCode": 400, "message": "Batch not found", "specificCode": 24105}
    fault(desk, "progress", status=400, body=gone)
    results = await bulk(desk, people(3))
    assert outcomes(results) == {Outcome.UNKNOWN}
    assert all(result.errors[0].retryable for result in results)


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
    [{"batch_order": "reverse"}, {"batch_request_echo": "reduced"}, {"ids_as_strings": True}],
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


# ---------------------------------------------------------------- one contact twice


async def test_two_items_on_one_contact_lose_nothing_of_each_other(desk: Desk) -> None:
    first = people(3)
    second = people(3, phone="+44 7700 900101")
    third = [contact(external_id=f"P-{n}", last_name="Moore") for n in range(3)]
    results = await bulk(desk, [*first, *second])
    assert outcomes(results) == {Outcome.CREATED, Outcome.UPDATED}
    assert outcomes(await bulk(desk, [*third, *people(3, sms_status=None)])) <= {
        Outcome.UPDATED,
        Outcome.UNCHANGED,
    }
    assert len(desk.held(phone="+447700900101")) == 3


# ---------------------------------------------------------------- time and locks


async def test_a_batch_that_is_not_done_in_time_is_given_up_as_unknown(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def out_of_time(seconds: float) -> None:
        del seconds
        monkeypatch.setattr(Exchange, "left", 0.0)

    monkeypatch.setattr("gateway.backends.ivvy.batch_run.sleep", out_of_time)
    results = await bulk(desk, people(3))
    assert outcomes(results) == {Outcome.UNKNOWN}
    assert results[0].errors[0].code is ProblemCode.TIMEOUT
    assert results[0].errors[0].retryable
    assert [action for action, _ in batch_calls(desk)] == ["run"]


class Lock:
    """What a write is sent under, until it is lost."""

    holds = True


async def test_a_write_that_has_lost_its_lock_does_not_leave_with_the_others(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    locks = [Lock() for _ in range(4)]
    coming = iter(locks)
    send, answer = desk.adapter.send, desk.adapter.sender.send

    async def locked(call: Any, exchange: Exchange) -> Any:
        exchange.held.append(next(coming))
        return await send(call, exchange)

    async def lose_one(call: Any, exchange: Exchange) -> Any:
        locks[2].holds &= call.path != "/api/1.0/batch"  # lost while it waits for its turn
        return await answer(call, exchange)

    monkeypatch.setattr(desk.adapter, "send", locked)
    monkeypatch.setattr(desk.adapter.sender, "send", lose_one)
    results = await bulk(desk, people(4))
    assert [result.outcome for result in results] == [
        *(Outcome.CREATED, Outcome.CREATED, Outcome.FAILED, Outcome.CREATED)
    ]
    assert results[2].errors[0].code is ProblemCode.CONFLICT
    assert jobs(desk) == [3]


async def test_a_failed_job_that_fails_again_singly_says_what_is_known(desk: Desk) -> None:
    failed = {"errorCode": 500, "message": "An error has occurred"}
    await bulk(desk, people(2))
    ids = [row["id"] for row in desk.held(lastName="Person")]
    rows = [
        {"action": "addOrUpdateContact", "request": {"id": each}, "response": failed}
        for each in ids
    ]
    fault(desk, "results", body={"asyncId": "0" * 32, "results": rows})
    fault(desk, "addOrUpdateContact", times=8, status=503)
    results = await bulk(desk, people(2, phone="+44 7700 900101"))
    assert outcomes(results) == {Outcome.UNKNOWN}
    assert all(result.errors[0].retryable for result in results)
