"""A contact that must not be made twice, whose groups failed: the key's next call joins them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gateway.store.errors import StoreUnavailableError
from tests.operations.calls import upsert

if TYPE_CHECKING:
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
    state = gateway.sandbox.ivvy.dump()
    [row] = [row for row in state["tables"]["contacts"] if str(row["id"]) == made]
    row["deleted"] = True
    gateway.sandbox.ivvy.load(state)
    for _ in range(2):
        again = await call(gateway)
        assert again.outcomes() == {"IVVY": "UNKNOWN"}
        [problem] = again.errors
        assert (problem["code"], problem["field"]) == ("CONFLICT", ["idempotencyKey"])
        assert f"has made record {made} in IVVY" in problem["message"]
        assert actions(gateway) == []


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
