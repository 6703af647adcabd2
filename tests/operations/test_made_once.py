"""A contact that must not be made twice, whose groups failed: the next try joins them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from gateway.store.errors import StoreUnavailableError
from tests.harness import running
from tests.operations.calls import (
    operation,
    outcomes,
    resolve,
    steps,
    store_durably,
    until_ended,
    upsert,
)

if TYPE_CHECKING:
    from gateway.sandbox.app import Sandbox
    from gateway.sandbox.clock import ManualClock
    from tests.harness import Answer, Gateway

pytestmark = pytest.mark.usefixtures("no_waiting")

ONCE: dict[str, Any] = {
    "externalId": "E-3001",
    "email": "hedy@example.com",
    "firstName": "Hedy",
    "lastName": "Kiesler",
    "addGroupsName": ["VIP", "Newsletter"],
    "ivvy": {"updateIfExists": False},
}
FIELDS = ["externalId", "email", "firstName", "lastName"]
JOIN = "/api/1.0/contact?action=addContactsToSubscriptionGroup"


async def call(gateway: Gateway) -> Answer:
    return await upsert(gateway, ONCE, idempotencyKey="k-1", targets=["IVVY"])


async def made_without_groups(gateway: Gateway) -> str:
    """The id of the contact."""
    fault: dict[str, Any] = {"backend": "ivvy", "path": JOIN, "times": 50, "status": 500}
    gateway.sandbox.faults.add(fault)
    answer = await call(gateway)
    [problem] = answer.errors
    assert (answer.outcomes(), problem["retryable"]) == ({"IVVY": "PARTIAL"}, True)
    gateway.sandbox.faults.clear()
    gateway.sandbox.calls.clear()
    return str(answer.result("IVVY")["id"])


def mark(gateway: Gateway, contact_id: str, *, deleted: bool) -> None:
    """Let iVvy lose a contact, or find it again."""
    state = gateway.sandbox.ivvy.dump()
    [row] = [row for row in state["tables"]["contacts"] if str(row["id"]) == contact_id]
    row["deleted"] = deleted
    gateway.sandbox.ivvy.load(state)


def actions(gateway: Gateway) -> list[str]:
    return [call["query"]["action"] for call in gateway.calls("ivvy", writes=True)]


async def test_the_next_call_joins_the_groups_and_makes_nobody(gateway: Gateway) -> None:
    made = await made_without_groups(gateway)
    again = await call(gateway)
    assert (again.outcomes(), again.data["replayed"]) == ({"IVVY": "UPDATED"}, False)
    assert again.result("IVVY")["id"] == made
    assert again.result("IVVY")["changedFields"] == ["addGroupsName"]
    assert actions(gateway) == ["addContactsToSubscriptionGroup"] * 2
    third = await call(gateway)
    assert (third.outcomes(), third.data["replayed"]) == ({"IVVY": "UPDATED"}, True)
    assert len(gateway.ivvy(externalId="E-3001")) == 1


async def test_a_contact_that_is_not_found_again_is_not_made_twice(gateway: Gateway) -> None:
    made = await made_without_groups(gateway)
    mark(gateway, made, deleted=True)
    for _ in range(2):
        again = await call(gateway)
        assert again.outcomes() == {"IVVY": "UNKNOWN"}
        [problem] = again.errors
        assert (problem["code"], problem["field"]) == ("CONFLICT", ["idempotencyKey"])
        assert f"has made record {made} in iVvy" in problem["message"]
        assert actions(gateway) == []


async def test_a_contact_that_was_made_is_not_denied_when_its_groups_are_refused(
    gateway: Gateway,
) -> None:
    made = await made_without_groups(gateway)
    refusal = {"errorCode": 400, "message": "The group is closed."}
    fault: dict[str, Any] = {"backend": "ivvy", "path": JOIN, "times": 2, "status": 400}
    gateway.sandbox.faults.add({**fault, "body": refusal})
    for _ in range(2):
        again = await call(gateway)
        assert (again.status, again.outcomes()) == ("PARTIAL", {"IVVY": "PARTIAL"})
        assert again.result("IVVY")["id"] == made
        assert again.result("IVVY")["changedFields"] == FIELDS
    assert (await call(gateway)).outcomes() == {"IVVY": "UPDATED"}


async def test_a_store_that_fails_between_the_calls_does_not_stop_them(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = gateway.app.state.account.store.keys
    save = keys.save_receipt
    saved = 0

    async def failing(*args: Any, **named: Any) -> bool:
        nonlocal saved
        saved += 1
        if saved > 1:
            raise StoreUnavailableError("no disk")
        done: bool = await save(*args, **named)
        return done

    monkeypatch.setattr(keys, "save_receipt", failing)
    answer = await call(gateway)
    assert answer.outcomes() == {"IVVY": "CREATED"}
    assert len(actions(gateway)) == 3


# ---------------------------------------------------------------- durable


async def tried(gateway: Gateway, operation_id: str, code: str) -> dict[str, Any]:
    """The step's result, once a try of it has ended with that problem."""
    async with asyncio.timeout(20):
        while True:
            result = steps(await operation(gateway, operation_id))["IVVY"]["result"]
            if code in [problem["code"] for problem in result["errors"]]:
                return dict(result)
            await asyncio.sleep(0.01)  # the worker says to nobody but the store what it did


async def test_a_durable_write_is_tried_until_the_groups_are_joined(quick: Gateway) -> None:
    quick.sandbox.faults.add({"backend": "ivvy", "path": JOIN, "times": 4, "status": 500})
    found = await until_ended(quick, await store_durably(quick, ONCE, targets=["IVVY"]))
    [contact] = quick.ivvy(externalId="E-3001")
    assert (found["status"], len(contact["groups"])) == ("SUCCEEDED", 2)
    assert steps(found)["IVVY"]["attempts"] == 2
    assert actions(quick).count("addOrUpdateContact") == 1


async def test_a_durable_write_makes_nobody_again_who_is_not_found(quick: Gateway) -> None:
    quick.sandbox.faults.add({"backend": "ivvy", "path": JOIN, "times": 5000, "status": 429})
    operation_id = await store_durably(quick, ONCE, targets=["IVVY"])
    made = str((await tried(quick, operation_id, "RATE_LIMITED"))["id"])
    mark(quick, made, deleted=True)
    result = await tried(quick, operation_id, "CONFLICT")
    assert (result["outcome"], len(quick.ivvy(externalId="E-3001"))) == ("QUEUED", 1)
    mark(quick, made, deleted=False)
    quick.sandbox.faults.clear()
    found = await until_ended(quick, operation_id)
    assert (found["status"], steps(found)["IVVY"]["result"]["id"]) == ("SUCCEEDED", made)
    assert actions(quick).count("addOrUpdateContact") == 1


async def test_a_person_who_saw_that_nobody_was_made_lets_the_contact_be_made(
    sandbox: Sandbox,
    clock: ManualClock,
    soon: None,  # noqa: ARG001
) -> None:
    async with running(sandbox, clock, delivery_hours=1 / 3600) as gateway:
        gateway.sandbox.faults.add({"backend": "ivvy", "path": JOIN, "times": 5000, "status": 429})
        operation_id = await store_durably(gateway, ONCE, targets=["IVVY"])
        made = str((await tried(gateway, operation_id, "RATE_LIMITED"))["id"])
        mark(gateway, made, deleted=True)
        found = await until_ended(gateway, operation_id)
        assert (found["status"], outcomes(found)) == ("NEEDS_ATTENTION", {"IVVY": "UNKNOWN"})
        step_id = steps(found)["IVVY"]["id"]
        await resolve(gateway, step_id, "RETRY")
        found = await until_ended(gateway, operation_id)
        assert (found["status"], actions(gateway).count("addOrUpdateContact")) == (
            "NEEDS_ATTENTION",
            1,
        )
        gateway.sandbox.faults.clear()
        await resolve(gateway, step_id, "NOT_WRITTEN")
        found = await until_ended(gateway, operation_id)
        assert (found["status"], outcomes(found)) == ("SUCCEEDED", {"IVVY": "CREATED"})
