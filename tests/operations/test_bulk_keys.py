"""A bulk that is sent again under its idempotency key: what is run again, and what stands."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from gateway.entries import CatalogName
from gateway.model import Backend
from gateway.operations.bulk_checks import BulkChecks, Checked
from gateway.operations.keyed import utc_now
from gateway.results import Problem, ProblemCode
from gateway.sandbox.sendgrid.store import ContactList
from gateway.store.database import Statement
from tests.operations.bulk import (
    items_of,
    outcomes_of,
    people,
    until_over,
    until_tried,
    upsert_all,
)
from tests.operations.calls import operation, resolve

if TYPE_CHECKING:
    from collections.abc import Collection

    import pytest

    from gateway.sandbox.clock import ManualClock
    from gateway.store.database import Row, Transaction
    from tests.harness import Gateway


async def test_a_repeated_key_gives_the_operation_back(bulk: Gateway) -> None:
    first = await upsert_all(bulk, people(3), key="again")
    await until_tried(bulk, first["operation"]["id"])
    writes = len(bulk.calls("ivvy", writes=True))
    second = await upsert_all(bulk, people(3), key="again")
    assert second["replayed"] is True
    assert second["operation"]["id"] == first["operation"]["id"]
    assert len(bulk.calls("ivvy", writes=True)) == writes
    reused = await upsert_all(bulk, people(2), key="again")
    assert [one["code"] for one in reused["errors"]] == ["KEY_REUSED"]


async def test_a_repeated_key_runs_what_has_failed_and_nothing_else(
    bulk: Gateway, clock: ManualClock
) -> None:
    inputs = people(3, groupsName=["Newsletter"])
    inputs[1]["groupsName"] = ["Later"]
    first = await upsert_all(bulk, inputs, key="partly", targets=["SENDGRID"])
    assert [one["code"] for one in first["errors"]] == ["NAME_NOT_FOUND"]
    await until_tried(bulk, first["operation"]["id"])
    clock.advance(60)
    await until_over(bulk, first["operation"]["id"])
    replayed = await upsert_all(bulk, inputs, key="partly", targets=["SENDGRID"])
    assert (replayed["replayed"], replayed["operation"]) != (True, first["operation"])
    assert [one["code"] for one in replayed["errors"]] == ["NAME_NOT_FOUND"]
    sent = len(bulk.calls("sendgrid", writes=True))

    made = ContactList("9c2e9c2e-0000-4000-8000-00000000abcd", "Later")
    bulk.sandbox.sendgrid.store.lists[made.id] = made
    bulk.app.state.account.adapters[Backend.SENDGRID].catalogs.expire(CatalogName.GROUPS)
    again = await upsert_all(bulk, inputs, key="partly", targets=["SENDGRID"])
    assert again["errors"] == []
    items = await until_tried(bulk, again["operation"]["id"])
    assert [item["index"] for item in items] == [0, 1, 2]
    assert len(bulk.calls("sendgrid", writes=True)) == sent + 1


async def half_done(bulk: Gateway, inputs: list[dict[str, Any]]) -> str:
    """The operation of a bulk that iVvy has taken and Everbridge has refused, under the key half."""
    bulk.sandbox.faults.add(
        {"backend": "everbridge", "method": "POST", "times": 9, "status": 400, "body": {}}
    )
    first = await upsert_all(bulk, inputs, key="half", targets=["IVVY", "EVERBRIDGE"])
    items = await until_tried(bulk, first["operation"]["id"])
    assert outcomes_of(items[0]) == {"IVVY": "CREATED", "EVERBRIDGE": "REJECTED"}
    await until_over(bulk, first["operation"]["id"])
    bulk.sandbox.faults.clear()
    return str(first["operation"]["id"])


def refuse(monkeypatch: pytest.MonkeyPatch, place: int) -> None:
    """From now on the input at that place is wrong."""
    run = BulkChecks.run
    problem = Problem(
        code=ProblemCode.INVALID, message="by the rules of today", field=["inputs", str(place)]
    )

    async def refusing(checks: BulkChecks, *, but: Collection[int]) -> dict[int, Checked]:
        checked = await run(checks, but=but)
        if place in checked:
            checked[place] = Checked(external_id=None, problems=[problem])
        return checked

    monkeypatch.setattr(BulkChecks, "run", refusing)


async def test_where_nothing_can_be_run_again_the_first_operation_stands(
    bulk: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = people(1)
    operation_id = await half_done(bulk, inputs)
    refuse(monkeypatch, 0)
    for _ in range(2):
        again = await upsert_all(bulk, inputs, key="half", targets=["IVVY", "EVERBRIDGE"])
        assert again["operation"]["id"] == operation_id
    assert len(bulk.calls("ivvy", writes=True)) == 1


async def test_a_key_whose_second_call_died_still_stands_for_what_the_first_has_done(
    bulk: Gateway,
) -> None:
    inputs = people(1)
    operation_id = await half_done(bulk, inputs)
    keys = bulk.app.state.account.store.keys
    stored = await bulk.app.state.account.store.database.read(only_key)
    now = utc_now()
    died = await keys.hold_key(
        stored["caller"],
        stored["key"],
        input_hash=stored["input_hash"],
        holder="a process that died",
        until=now - timedelta(seconds=1),
        expires_at=now + timedelta(days=1),
        now=now,
        again=True,
    )
    assert (died.state.name, died.operation_id) == ("HELD", operation_id)
    again = await upsert_all(bulk, inputs, key="half", targets=["IVVY", "EVERBRIDGE"])
    items = await until_tried(bulk, again["operation"]["id"])
    assert outcomes_of(items[0]) == {"IVVY": "CREATED", "EVERBRIDGE": "CREATED"}
    assert len(bulk.calls("ivvy", writes=True)) == 1


def only_key() -> Transaction[Row]:
    rows = yield Statement("SELECT * FROM idempotency_key")
    [row] = rows
    return row


async def test_an_input_that_was_refused_beside_what_was_done_runs_again(
    bulk: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = people(2)
    await half_done(bulk, inputs)
    with monkeypatch.context() as today:
        refuse(today, 0)
        second = await upsert_all(bulk, inputs, key="half", targets=["IVVY", "EVERBRIDGE"])
        found = await until_over(bulk, second["operation"]["id"])
    assert found == {"status": "PARTIAL", "total": 2, "completed": 2, "failed": 1}
    items = await items_of(bulk, second["operation"]["id"])
    assert [item["status"] for item in items] == ["PARTIAL", "APPLIED"]
    assert outcomes_of(items[0]) == {"IVVY": "CREATED"}

    third = await upsert_all(bulk, inputs, key="half", targets=["IVVY", "EVERBRIDGE"])
    assert (await until_over(bulk, third["operation"]["id"]))["status"] == "SUCCEEDED"
    for item in await items_of(bulk, third["operation"]["id"]):
        assert outcomes_of(item) == {"IVVY": "CREATED", "EVERBRIDGE": "CREATED"}
    for place in range(2):
        assert len(bulk.ivvy(externalId=f"B-{place}")) == 1
        assert len(bulk.everbridge(externalId=f"B-{place}")) == 1


async def given_up(bulk: Gateway, inputs: list[dict[str, Any]]) -> str:
    """The operation of a bulk under the key given-up: a person gave the first input up."""
    bulk.sandbox.faults.add(
        {
            "backend": "ivvy",
            "path": "/api/1.0/contact?action=addOrUpdateContact",
            "times": 1,
            "drop": "after",
        }
    )
    first = await upsert_all(bulk, inputs, key="given-up", targets=["IVVY"])
    operation_id = str(first["operation"]["id"])
    items = await until_tried(bulk, operation_id)
    assert outcomes_of(items[0]) == {"IVVY": "UNKNOWN"}
    found = await operation(bulk, operation_id)
    step = found["items"]["edges"][0]["node"]["steps"][0]
    await resolve(bulk, step["id"], "GIVE_UP")
    return operation_id


async def test_a_step_that_a_person_gave_up_is_not_run_again_under_its_key(
    bulk_on_each: Gateway,
) -> None:
    once = people(1, ivvy={"updateIfExists": False})
    operation_id = await given_up(bulk_on_each, once)
    for _ in range(2):
        again = await upsert_all(bulk_on_each, once, key="given-up", targets=["IVVY"])
        assert (again["replayed"], again["operation"]["id"]) == (True, operation_id)
    found = await until_over(bulk_on_each, operation_id)
    assert found == {"status": "FAILED", "total": 1, "completed": 1, "failed": 1}
    assert len(bulk_on_each.ivvy(externalId="B-0")) == 1
    items = await items_of(bulk_on_each, operation_id)
    assert outcomes_of(items[0]) == {"IVVY": "FAILED"}


async def test_an_item_that_failed_for_good_counts_as_failed_where_others_run_again(
    bulk_on_each: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = people(2, ivvy={"updateIfExists": False})
    with monkeypatch.context() as today:
        refuse(today, 1)
        first = await given_up(bulk_on_each, inputs)
        second = await upsert_all(bulk_on_each, inputs, key="given-up", targets=["IVVY"])
        found = await until_over(bulk_on_each, second["operation"]["id"])
    assert second["operation"]["id"] != first
    assert found == {"status": "FAILED", "total": 2, "completed": 2, "failed": 2}

    third = await upsert_all(bulk_on_each, inputs, key="given-up", targets=["IVVY"])
    found = await until_over(bulk_on_each, third["operation"]["id"])
    assert found == {"status": "PARTIAL", "total": 2, "completed": 2, "failed": 1}
    items = await items_of(bulk_on_each, third["operation"]["id"])
    assert [item["status"] for item in items] == ["FAILED", "APPLIED"]
    last = await upsert_all(bulk_on_each, inputs, key="given-up", targets=["IVVY"])
    assert (last["replayed"], last["operation"]["id"]) == (True, third["operation"]["id"])
    assert len(bulk_on_each.ivvy(externalId="B-0")) == 1
