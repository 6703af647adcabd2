"""Durable contacts under an idempotency key: given back, or run again where they have failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.store.errors import StoreError, StoreUnavailableError
from tests.operations.calls import outcomes, resolve, steps, until, until_ended, upsert
from tests.operations.durable import HEDY, IVVY_SAVES, ONCE, fault

if TYPE_CHECKING:
    from gateway.sandbox.clock import ManualClock
    from tests.harness import Gateway


async def test_a_repeated_durable_key_gives_back_its_operation(quick: Gateway) -> None:
    first = await upsert(quick, HEDY, delivery="DURABLE", idempotencyKey="k-1", targets=["IVVY"])
    operation_id = first.data["operation"]["id"]
    await until_ended(quick, operation_id)
    again = await upsert(quick, HEDY, delivery="DURABLE", idempotencyKey="k-1", targets=["IVVY"])
    assert again.data["replayed"]
    assert again.data["operation"] == {"id": operation_id, "status": "SUCCEEDED"}
    assert (again.status, again.outcomes()) == ("APPLIED", {"IVVY": "CREATED"})


async def test_a_repeated_durable_key_runs_again_what_was_refused(quick: Gateway) -> None:
    arguments = {"delivery": "DURABLE", "idempotencyKey": "k-1", "targets": ["IVVY", "EVERBRIDGE"]}
    fault(quick, "everbridge", method="POST", status=400, body={"status": 400, "message": "no"})
    first = await upsert(quick, HEDY, **arguments)
    await until_ended(quick, first.data["operation"]["id"])
    quick.sandbox.faults.clear()
    again = await upsert(quick, HEDY, **arguments)
    assert not again.data["replayed"]
    assert again.outcomes() == {"IVVY": "CREATED", "EVERBRIDGE": "QUEUED"}
    second = await until_ended(quick, again.data["operation"]["id"])
    assert outcomes(second) == {"IVVY": "CREATED", "EVERBRIDGE": "CREATED"}
    assert (second["status"], second["failed"]) == ("SUCCEEDED", 0)
    third = await upsert(quick, HEDY, **arguments)
    assert third.outcomes() == {"IVVY": "CREATED", "EVERBRIDGE": "CREATED"}
    assert third.data["replayed"]
    assert len(quick.calls("ivvy", writes=True)) == 1


async def test_what_runs_again_and_fails_leaves_what_was_written_before_in_its_operation(
    quick: Gateway,
) -> None:
    arguments = {"delivery": "DURABLE", "idempotencyKey": "k-1", "targets": ["IVVY", "EVERBRIDGE"]}
    fault(quick, "everbridge", method="POST", status=400, body={"status": 400, "message": "no"})
    for _ in range(2):
        answer = await upsert(quick, HEDY, **arguments)
        found = await until_ended(quick, answer.data["operation"]["id"])
        assert outcomes(found) == {"IVVY": "CREATED", "EVERBRIDGE": "REJECTED"}
        assert (found["status"], found["failed"]) == ("PARTIAL", 1)
    assert len(quick.calls("ivvy", writes=True)) == 1


async def test_a_repeated_durable_key_waits_for_the_end_of_all_targets(
    quick: Gateway, clock: ManualClock
) -> None:
    arguments = {"delivery": "DURABLE", "idempotencyKey": "k-1"}
    fault(quick, "everbridge", method="POST", status=400, body={"status": 400, "message": "no"})
    first = await upsert(quick, HEDY, **arguments)
    operation_id = first.data["operation"]["id"]
    await until(quick, operation_id, EVERBRIDGE="REJECTED", SENDGRID="ACCEPTED")
    again = await upsert(quick, HEDY, **arguments)
    assert (again.data["replayed"], again.data["operation"]["id"]) == (True, operation_id)
    clock.advance(60)
    await until_ended(quick, operation_id)
    third = await upsert(quick, HEDY, **arguments)
    found = await until_ended(quick, third.data["operation"]["id"])
    assert outcomes(found)["SENDGRID"] == "CONFIRMED"


async def test_what_a_person_gave_up_is_never_run_again_under_its_key(quick: Gateway) -> None:
    arguments = {"delivery": "DURABLE", "idempotencyKey": "k-1", "targets": ["IVVY", "EVERBRIDGE"]}
    fault(quick, "ivvy", path=IVVY_SAVES, drop="after")
    fault(quick, "everbridge", method="POST", status=400, body={"status": 400, "message": "no"})
    answer = await upsert(quick, ONCE, **arguments)
    found = await until_ended(quick, answer.data["operation"]["id"])
    await resolve(quick, steps(found)["IVVY"]["id"], "GIVE_UP")
    for _ in range(3):
        answer = await upsert(quick, ONCE, **arguments)
        found = await until_ended(quick, answer.data["operation"]["id"])
        assert outcomes(found) == {"IVVY": "FAILED", "EVERBRIDGE": "REJECTED"}
    assert len(quick.calls("ivvy", writes=True)) == 1


async def test_a_repeated_durable_call_that_is_rejected_tells_of_earlier_results(
    quick: Gateway,
) -> None:
    arguments = {"delivery": "DURABLE", "idempotencyKey": "k-1", "targets": ["IVVY", "EVERBRIDGE"]}
    made = await upsert(quick, HEDY, targets=["EVERBRIDGE"])
    contact = {**ONCE, "suffix": "Jr", "everbridge": {"id": made.result("EVERBRIDGE")["id"]}}
    fault(quick, "ivvy", path=IVVY_SAVES, drop="after")
    fault(quick, "everbridge", method="PUT", status=400, body={"status": 400, "message": "no"})
    answer = await upsert(quick, contact, **arguments)
    found = await until_ended(quick, answer.data["operation"]["id"])
    await resolve(quick, steps(found)["IVVY"]["id"], "GIVE_UP")
    held = quick.sandbox.everbridge.dump()
    held["contacts"] = [row for row in held["contacts"] if row.get("externalId") != "E-3001"]
    quick.sandbox.everbridge.load(held)
    again = await upsert(quick, contact, **arguments)
    assert again.outcomes() == {"IVVY": "FAILED", "EVERBRIDGE": "REJECTED"}
    assert {problem["backend"] for problem in again.errors} == {"IVVY", "EVERBRIDGE"}


@pytest.mark.parametrize("stored", [True, False])
async def test_a_store_that_fails_at_the_repeat_takes_nothing_from_what_was_done(
    quick: Gateway, monkeypatch: pytest.MonkeyPatch, stored: bool
) -> None:
    arguments = {"delivery": "DURABLE", "idempotencyKey": "k-1", "targets": ["IVVY", "EVERBRIDGE"]}
    fault(quick, "everbridge", method="POST", status=400, body={"status": 400, "message": "no"})
    answer = await upsert(quick, HEDY, **arguments)
    await until_ended(quick, answer.data["operation"]["id"])

    async def down(*_args: object, **_named: object) -> bool:
        raise StoreUnavailableError("away") if stored else StoreError("full")

    monkeypatch.setattr(quick.app.state.account.store.operations, "submit", down)
    again = await upsert(quick, HEDY, **arguments)
    told = "UNKNOWN" if stored else "FAILED"
    assert again.outcomes() == {"IVVY": "CREATED", "EVERBRIDGE": told}
