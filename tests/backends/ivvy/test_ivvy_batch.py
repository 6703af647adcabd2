"""Writes of a bulk are jobs of iVvy's batches, and each gets the result of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gateway.backends.ivvy.batch_run import next_wait
from gateway.results import Outcome, ProblemCode
from gateway.upstream import Exchange
from tests.backends.ivvy.batches import RUN, batch_calls, bulk, fault, jobs, outcomes, people
from tests.backends.ivvy.writing import contact

if TYPE_CHECKING:
    from tests.backends.ivvy.conftest import Desk

pytestmark = pytest.mark.usefixtures("waits")


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


async def test_a_small_batch_does_not_make_a_large_one_wait(desk: Desk, waits: list[float]) -> None:
    desk.switches["batch_seconds"] = 0.1
    await bulk(desk, people(2))
    waits.clear()
    await bulk(desk, people(200, phone="+44 7700 900101"))
    assert jobs(desk) == [2, 200]
    assert waits == [0.5]


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
