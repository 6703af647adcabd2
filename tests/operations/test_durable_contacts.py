"""Durable contacts through GraphQL: accepted, delivered, tried again, followed, settled."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from gateway.operations import order
from gateway.store.errors import StoreUnavailableError, StoreUntouchedError
from gateway.store.operations import Operations
from tests.harness import running
from tests.operations.calls import (
    operation,
    outcomes,
    steps,
    store_durably,
    until,
    until_ended,
    upsert,
)
from tests.operations.durable import HEDY, IVVY_SAVES, fault, hold_work, let_work

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.sandbox.app import Sandbox
    from gateway.sandbox.clock import ManualClock
    from tests.harness import Gateway

# ---------------------------------------------------------------- accepted


async def test_a_durable_write_is_answered_before_it_is_delivered(quick: Gateway) -> None:
    hold_work(quick)
    answer = await upsert(quick, HEDY, delivery="DURABLE")
    assert answer.status == "PENDING"
    assert answer.outcomes() == dict.fromkeys(("IVVY", "EVERBRIDGE", "SENDGRID"), "QUEUED")
    assert answer.data["operation"]["status"] == "PENDING"
    assert quick.calls("ivvy", writes=True) == []
    found = await operation(quick, answer.data["operation"]["id"])
    assert (found["kind"], found["total"], found["completed"]) == ("CONTACT", 1, 0)
    assert found["items"]["edges"][0]["node"]["externalId"] == "E-3001"


async def test_it_reaches_every_backend_and_its_job_is_followed_to_the_end(
    quick: Gateway, clock: ManualClock
) -> None:
    operation_id = await store_durably(quick, HEDY)
    await until(quick, operation_id, IVVY="CREATED", EVERBRIDGE="CREATED", SENDGRID="ACCEPTED")
    clock.advance(60)
    found = await until_ended(quick, operation_id)
    assert found["status"] == "SUCCEEDED"
    assert outcomes(found)["SENDGRID"] == "CONFIRMED"
    assert [job["status"] for job in steps(found)["SENDGRID"]["result"]["jobs"]] == ["COMPLETED"]
    assert (found["completed"], found["failed"]) == (1, 0)
    assert found["completedAt"] is not None
    assert len(quick.ivvy(externalId="E-3001")) == 1
    assert len(quick.everbridge(externalId="E-3001")) == 1
    assert len(quick.sendgrid("hedy@example.com")) == 1


async def test_a_wrong_input_is_rejected_and_nothing_is_stored(quick: Gateway) -> None:
    answer = await upsert(quick, {**HEDY, "groupsName": ["Newsleter"]}, delivery="DURABLE")
    assert answer.status == "REJECTED"
    assert answer.errors[0]["suggestions"] == ["Newsletter"]
    assert answer.data["operation"] is None
    data = await quick.data("{ operations { edges { node { id } } } }")
    assert data["operations"]["edges"] == []


async def test_a_backend_that_is_down_is_delivered_when_it_is_back(quick: Gateway) -> None:
    fault(quick, "everbridge", status=500)
    operation_id = await store_durably(quick, HEDY, targets=["IVVY", "EVERBRIDGE"])
    found = await until(quick, operation_id, IVVY="CREATED", EVERBRIDGE="QUEUED")
    quick.sandbox.faults.clear()
    for adapter in quick.app.state.account.adapters.values():
        adapter.sender.breaker.note(failed=False)  # as when its time is up
    ended = await until_ended(quick, operation_id)
    assert ended["status"] == "SUCCEEDED"
    assert outcomes(ended) == {"IVVY": "CREATED", "EVERBRIDGE": "CREATED"}
    assert found["EVERBRIDGE"]["backend"] == "EVERBRIDGE"


async def test_a_search_that_was_answered_in_part_is_made_again(quick: Gateway) -> None:
    page = {"pageSize": 100, "currentPageNo": 1, "totalPageCount": 1, "totalCount": 1}
    in_part = {"message": "OK", "page": page}
    search = "/contacts/1000000000000001"
    hold_work(quick)
    operation_id = await store_durably(quick, HEDY, targets=["EVERBRIDGE"])
    fault(quick, "everbridge", method="GET", path=search, status=200, body=in_part, times=1)
    await let_work(quick)
    ended = await until_ended(quick, operation_id)
    assert outcomes(ended) == {"EVERBRIDGE": "CREATED"}


async def test_an_open_breaker_is_waited_for_without_a_try(quick: Gateway) -> None:
    breaker = next(
        adapter.sender.breaker
        for backend, adapter in quick.app.state.account.adapters.items()
        if backend.value == "EVERBRIDGE"
    )
    for _ in range(5):
        breaker.note(failed=True)
    operation_id = await store_durably(quick, HEDY, targets=["IVVY", "EVERBRIDGE"])
    found = await until(quick, operation_id, IVVY="CREATED")
    assert found["EVERBRIDGE"]["attempts"] == 0
    breaker.note(failed=False)
    ended = await until_ended(quick, operation_id)
    assert outcomes(ended)["EVERBRIDGE"] == "CREATED"


async def test_a_refusal_at_delivery_ends_the_step(quick: Gateway) -> None:
    fault(quick, "everbridge", method="POST", status=400, body={"status": 400, "message": "no"})
    operation_id = await store_durably(quick, HEDY, targets=["IVVY", "EVERBRIDGE"])
    found = await until_ended(quick, operation_id)
    assert (found["status"], found["failed"]) == ("PARTIAL", 1)  # one backend has it
    assert outcomes(found) == {"IVVY": "CREATED", "EVERBRIDGE": "REJECTED"}
    assert steps(found)["EVERBRIDGE"]["result"]["errors"] != []


async def test_an_operation_that_two_of_three_have_is_partial(
    quick: Gateway, clock: ManualClock
) -> None:
    fault(quick, "ivvy", path=IVVY_SAVES, status=400, body={"errorCode": 400})
    ada = {"externalId": "E-1001", "email": "ada@example.com", "firstName": "Augusta"}
    operation_id = await store_durably(quick, ada)
    await until(quick, operation_id, IVVY="REJECTED", EVERBRIDGE="UPDATED", SENDGRID="ACCEPTED")
    clock.advance(60)
    found = await until_ended(quick, operation_id)
    assert outcomes(found)["SENDGRID"] == "CONFIRMED"
    assert found["items"]["edges"][0]["node"]["status"] == "PARTIAL"
    assert (found["status"], found["completed"], found["failed"]) == ("PARTIAL", 1, 1)


async def test_an_operation_that_nobody_has_failed(quick: Gateway) -> None:
    fault(quick, "ivvy", path=IVVY_SAVES, status=400, body={"errorCode": 400})
    fault(quick, "everbridge", method="POST", status=400, body={"status": 400, "message": "no"})
    operation_id = await store_durably(quick, HEDY, targets=["IVVY", "EVERBRIDGE"])
    found = await until_ended(quick, operation_id)
    assert outcomes(found) == {"IVVY": "REJECTED", "EVERBRIDGE": "REJECTED"}
    assert (found["status"], found["failed"]) == ("FAILED", 1)


async def test_an_unanswered_write_that_may_be_repeated_is_sent_again(quick: Gateway) -> None:
    quick.sandbox.faults.add(
        {"backend": "everbridge", "method": "POST", "times": 1, "drop": "after"}
    )
    operation_id = await store_durably(quick, HEDY, targets=["EVERBRIDGE"])
    found = await until_ended(quick, operation_id)
    assert found["status"] == "SUCCEEDED"
    assert len(quick.everbridge(externalId="E-3001")) == 1


async def test_a_key_that_a_sibling_tells_is_asked_for_at_delivery(quick: Gateway) -> None:
    operation_id = await store_durably(
        quick, {"externalId": "E-1001", "firstName": "Augusta"}, targets=["IVVY", "SENDGRID"]
    )
    await until(quick, operation_id, IVVY="UPDATED", SENDGRID="ACCEPTED")
    quick.clock.advance(60)
    [contact] = quick.sendgrid("ada@example.com")
    assert contact["texts"]["first_name"] == "Augusta"


async def test_an_email_that_only_a_sibling_holds_makes_a_new_contact_as_it_does_directly(
    quick: Gateway,
) -> None:
    alan = {"externalId": "E-1003", "firstName": "Alan", "lastName": "Mathison"}
    operation_id = await store_durably(quick, alan, targets=["IVVY", "EVERBRIDGE"])
    found = await until(quick, operation_id, IVVY="CREATED", EVERBRIDGE="UNCHANGED")
    assert found["IVVY"]["result"]["changedFields"][-1] == "email"
    [contact] = quick.ivvy(externalId="E-1003")
    assert contact["email"] == "alan@example.com"


@pytest.mark.parametrize(
    ("tries", "status"),
    [
        ([StoreUnavailableError, StoreUnavailableError], "UNKNOWN"),
        ([StoreUnavailableError, StoreUntouchedError], "UNKNOWN"),
        ([StoreUntouchedError, StoreUnavailableError], "UNKNOWN"),
        ([StoreUntouchedError, StoreUntouchedError], "FAILED"),
    ],
)
async def test_without_a_store_a_durable_write_is_not_accepted(
    quick: Gateway,
    monkeypatch: pytest.MonkeyPatch,
    tries: list[type[StoreUnavailableError]],
    status: str,
) -> None:
    left = iter(tries)

    async def broken(*_args: Any, **_named: Any) -> None:
        raise next(left)("no disk")

    monkeypatch.setattr(quick.app.state.account.store.operations, "submit", broken)
    answer = await upsert(quick, HEDY, delivery="DURABLE")
    assert answer.status == status
    assert answer.errors[0]["code"] == "UNAVAILABLE"
    assert answer.data["operation"] is None


# ---------------------------------------------------------------- jobs


@pytest.mark.parametrize("ends_as", ["documented", "completed"])
async def test_a_job_that_fails_is_compared_with_what_is_stored(
    quick: Gateway, clock: ManualClock, ends_as: str
) -> None:
    # Creating another fails in the job.
    quick.sandbox.sendgrid.switches.update(contact_limit=1, errors_end_as=ends_as)
    operation_id = await store_durably(quick, HEDY, targets=["SENDGRID"])
    await until(quick, operation_id, SENDGRID="ACCEPTED")
    clock.advance(60)
    found = await until_ended(quick, operation_id)
    assert found["status"] == "FAILED"
    [problem] = steps(found)["SENDGRID"]["result"]["errors"]
    assert problem["code"] == "BACKEND_ERROR"


@pytest.mark.usefixtures("soon")
async def test_a_job_that_never_ends_is_unconfirmed(sandbox: Sandbox, clock: ManualClock) -> None:
    async with running(sandbox, clock, job_look_seconds=0.01, job_follow_minutes=0.0005) as gateway:
        operation_id = await store_durably(gateway, HEDY, targets=["SENDGRID"])
        found = await until_ended(gateway, operation_id)
        assert found["status"] == "SUCCEEDED"
        result = steps(found)["SENDGRID"]["result"]
        assert result["outcome"] == "ACCEPTED"
        assert [warning["code"] for warning in result["warnings"]] == ["UNCONFIRMED"]
        assert [job["status"] for job in result["jobs"]] == ["UNCONFIRMED"]


# ---------------------------------------------------------------- order


async def test_writes_to_one_contact_keep_their_order(quick: Gateway) -> None:
    names = [f"Hedy {number}" for number in range(8)]
    ids = [
        await store_durably(quick, {**HEDY, "firstName": name}, targets=["EVERBRIDGE"])
        for name in names
    ]
    for operation_id in ids:
        assert (await until_ended(quick, operation_id))["status"] == "SUCCEEDED"
    sent = [call["body"]["firstName"] for call in quick.calls("everbridge", writes=True)]
    assert sent == names


async def test_a_second_write_may_need_what_the_first_makes(quick: Gateway) -> None:
    hold_work(quick)
    await store_durably(quick, HEDY, targets=["IVVY"])
    second = await store_durably(
        quick, {"externalId": "E-3001", "phone": "+49 30 23125 301"}, targets=["IVVY"]
    )
    await let_work(quick)
    assert outcomes(await until_ended(quick, second)) == {"IVVY": "UPDATED"}
    [contact] = quick.ivvy(externalId="E-3001")
    assert contact["firstName"] == "Hedy"


async def test_a_direct_write_waits_for_the_durable_ones_before_it(quick: Gateway) -> None:
    hold_work(quick)
    first = await store_durably(quick, {**HEDY, "firstName": "First"}, targets=["EVERBRIDGE"])
    direct = asyncio.create_task(
        upsert(quick, {**HEDY, "firstName": "Second"}, targets=["EVERBRIDGE"])
    )
    await asyncio.sleep(0)
    await let_work(quick)
    answer = await direct
    assert answer.outcomes() == {"EVERBRIDGE": "UPDATED"}
    assert (await operation(quick, first))["status"] == "SUCCEEDED"
    sent = [call["body"]["firstName"] for call in quick.calls("everbridge", writes=True)]
    assert sent == ["First", "Second"]


async def test_a_direct_write_that_would_have_to_wait_too_long_is_a_conflict(
    sandbox: Sandbox, clock: ManualClock
) -> None:
    async with running(sandbox, clock, request_timeout_seconds=0.3) as gateway:
        hold_work(gateway)
        await store_durably(gateway, HEDY, targets=["EVERBRIDGE"])
        answer = await upsert(gateway, HEDY, targets=["EVERBRIDGE"])
    assert answer.outcomes() == {"EVERBRIDGE": "FAILED"}
    assert (answer.errors[0]["code"], answer.errors[0]["retryable"]) == ("CONFLICT", True)
    assert gateway.calls("everbridge", writes=True) == []


@pytest.mark.parametrize(("delivery", "outcome"), [("DIRECT", "FAILED"), ("DURABLE", "QUEUED")])
async def test_a_store_that_does_not_tell_the_order_is_waited_for_no_longer_than_the_request(
    sandbox: Sandbox,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
    delivery: str,
    outcome: str,
) -> None:
    async def silent(*_args: Any) -> None:
        await asyncio.sleep(10)

    monkeypatch.setattr(order, "STORE_SECONDS", 0.1)
    async with running(sandbox, clock, request_timeout_seconds=0.5) as gateway:
        hold_work(gateway)
        monkeypatch.setattr(Operations, "waiting_records", silent)
        async with asyncio.timeout(5):
            answer = await upsert(gateway, HEDY, targets=["EVERBRIDGE"], delivery=delivery)
    assert answer.outcomes() == {"EVERBRIDGE": outcome}
    assert [error["code"] for error in answer.errors] == ["UNAVAILABLE"] * (outcome == "FAILED")


async def test_what_is_accepted_after_nothing_was_waiting_is_waited_for(
    sandbox: Sandbox, clock: ManualClock
) -> None:
    async with running(sandbox, clock, request_timeout_seconds=1) as gateway:
        await upsert(gateway, {**HEDY, "externalId": "E-3002"}, targets=["EVERBRIDGE"])
        hold_work(gateway)
        await store_durably(gateway, HEDY, targets=["EVERBRIDGE"])
        answer = await upsert(gateway, HEDY, targets=["EVERBRIDGE"])
    assert answer.outcomes() == {"EVERBRIDGE": "FAILED"}
    assert answer.errors[0]["code"] == "CONFLICT"


# ---------------------------------------------------------------- restarts


@pytest.mark.usefixtures("soon")
async def test_what_was_accepted_is_delivered_after_a_restart(
    sandbox: Sandbox, clock: ManualClock, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'gateway.sqlite3'}"
    async with running(sandbox, clock, database_url=url) as gateway:
        hold_work(gateway)
        operation_id = await store_durably(gateway, HEDY, targets=["IVVY", "EVERBRIDGE"])
    async with running(sandbox, clock, database_url=url) as gateway:
        found = await until_ended(gateway, operation_id)
    assert outcomes(found) == {"IVVY": "CREATED", "EVERBRIDGE": "CREATED"}
