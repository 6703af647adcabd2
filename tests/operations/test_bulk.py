"""upsertContacts through GraphQL: checked, stored whole, delivered side by side, told one by one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from gateway.entries import CatalogName
from gateway.model import Backend
from gateway.operations import bulk_delivering
from gateway.operations.bulk_checks import BulkChecks, Checked
from gateway.operations.keyed import utc_now
from gateway.results import Problem, ProblemCode
from gateway.sandbox.sendgrid.store import ContactList
from gateway.store.database import Statement
from tests.harness import running
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
    from collections.abc import AsyncIterator, Collection

    from gateway.sandbox.app import Sandbox
    from gateway.sandbox.clock import ManualClock
    from gateway.store.database import Row, Transaction
    from tests.harness import Gateway

ALL = ("IVVY", "EVERBRIDGE", "SENDGRID")


@pytest.fixture
async def bulk(
    sandbox: Sandbox,
    clock: ManualClock,
    soon: None,  # noqa: ARG001
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Gateway]:
    """A gateway whose calls do not wait long for each other."""
    monkeypatch.setattr(bulk_delivering, "QUIET", 0.05)
    async with running(sandbox, clock, job_look_seconds=0.02) as started:
        yield started


@pytest.fixture
async def bulk_on_each(
    sandbox: Sandbox,
    clock: ManualClock,
    database_url: str,
    soon: None,  # noqa: ARG001
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Gateway]:
    """As `bulk`, on each kind of database."""
    monkeypatch.setattr(bulk_delivering, "QUIET", 0.05)
    async with running(sandbox, clock, database_url=database_url) as started:
        yield started


async def test_every_contact_reaches_every_backend(bulk: Gateway, clock: ManualClock) -> None:
    payload = await upsert_all(bulk, people(7, groupsName=["Newsletter"]))
    operation = payload["operation"]
    assert (payload["errors"], payload["replayed"]) == ([], False)
    assert (operation["kind"], operation["total"], operation["failed"]) == ("CONTACTS", 7, 0)
    items = await until_tried(bulk, operation["id"])
    assert [item["index"] for item in items] == list(range(7))
    assert [item["externalId"] for item in items] == [f"B-{place}" for place in range(7)]
    for item in items:
        found = outcomes_of(item)
        assert (found["IVVY"], found["EVERBRIDGE"]) == ("CREATED", "CREATED")
        assert found["SENDGRID"] in {"ACCEPTED", "CONFIRMED"}
    clock.advance(60)
    assert (await until_over(bulk, operation["id"]))["status"] == "SUCCEEDED"
    for place in range(7):
        assert len(bulk.ivvy(externalId=f"B-{place}")) == 1
        assert len(bulk.everbridge(externalId=f"B-{place}")) == 1
        assert len(bulk.sendgrid(f"bulk{place}@example.com")) == 1


async def test_a_bad_input_is_told_with_its_place_and_keeps_back_nobody_else(
    bulk: Gateway,
) -> None:
    inputs = people(4)
    inputs[1]["email"] = "not an address"
    inputs[2]["groupsName"] = ["Newsleter"]
    payload = await upsert_all(bulk, inputs)
    told = {(tuple(problem["field"]), problem["code"]) for problem in payload["errors"]}
    assert (("inputs", "1", "email"), "INVALID") in told
    assert (("inputs", "2", "groupsName", "0"), "NAME_NOT_FOUND") in told
    assert {field[1] for field, _ in told} == {"1", "2"}
    assert payload["operation"]["total"] == 4
    assert (payload["operation"]["completed"], payload["operation"]["failed"]) == (2, 2)
    items = await until_tried(bulk, payload["operation"]["id"])
    assert [item["status"] for item in items][1:3] == ["REJECTED", "REJECTED"]
    assert [item["steps"] for item in items][1:3] == [[], []]
    assert items[2]["errors"] == [
        {"code": "NAME_NOT_FOUND", "field": ["inputs", "2", "groupsName", "0"]}
    ]
    assert outcomes_of(items[0])["IVVY"] == outcomes_of(items[3])["IVVY"] == "CREATED"
    rejected = await items_of(bulk, payload["operation"]["id"], status="REJECTED")
    assert [item["index"] for item in rejected] == [1, 2]


async def test_custom_values_of_another_type_are_told_before_anything_is_stored(
    bulk: Gateway,
) -> None:
    wrong: dict[str, list[str]] = {"Joined": ["12.03.2024"], "Shift": ["Never"]}
    inputs = people(3)
    inputs[1]["customFields"] = [{"name": name, "values": values} for name, values in wrong.items()]
    for dry in (True, False):
        payload = await upsert_all(bulk, inputs, dryRun=dry)
        told = {".".join(error["field"]) for error in payload["errors"]}
        assert told == {f"inputs.1.customFields.{place}.values.0" for place in range(2)}
    found = await until_tried(bulk, payload["operation"]["id"])
    assert [item["status"] == "REJECTED" for item in found] == [False, True, False]
    assert found[1]["steps"] == []


@pytest.mark.parametrize(
    ("section", "name"),
    [("ivvy", "groupIds"), ("ivvy", "companyIds"), ("everbridge", "groupIds")],
)
async def test_ids_that_a_backend_has_not_are_told_before_anything_is_stored(
    bulk: Gateway, section: str, name: str
) -> None:
    inputs = people(2)
    inputs[1][section] = {name: ["999"]}
    for dry in (True, False):
        payload = await upsert_all(bulk, inputs, dryRun=dry)
        told = [(error["code"], ".".join(error["field"])) for error in payload["errors"]]
        assert told == [("NOT_FOUND", f"inputs.1.{section}.{name}.0")]


async def test_a_backend_that_may_be_left_out_takes_its_values_at_delivery(bulk: Gateway) -> None:
    inputs = [{**people(1)[0], "customFields": [{"name": "Joined", "values": ["12.03.2024"]}]}]
    payload = await upsert_all(bulk, inputs, ifMissing="SKIP")
    assert payload["errors"] == []
    [item] = await until_tried(bulk, payload["operation"]["id"])
    assert set(outcomes_of(item).values()) == {"SKIPPED"}


async def test_where_no_input_is_good_nothing_is_stored(bulk: Gateway) -> None:
    inputs = people(2, groupsName=["Newsleter"])
    payload = await upsert_all(bulk, inputs, key="all-bad")
    assert payload["operation"] is None
    assert {problem["field"][1] for problem in payload["errors"]} == {"0", "1"}
    assert bulk.calls("ivvy", writes=True) == []
    good = await upsert_all(bulk, inputs, key="all-bad")
    assert (good["replayed"], good["operation"]) == (False, None)


async def test_a_dry_run_checks_every_input_and_stores_nothing(bulk: Gateway) -> None:
    inputs = people(3)
    inputs[2]["phone"] = "12"
    payload = await upsert_all(bulk, inputs, dryRun=True)
    assert payload["operation"] is None
    assert [problem["field"][:2] for problem in payload["errors"]] == [["inputs", "2"]]
    data = await bulk.data("{ operations { edges { node { id } } } }")
    assert data["operations"]["edges"] == []
    assert bulk.calls("ivvy", writes=True) == []


@pytest.mark.parametrize(
    ("inputs", "arguments", "code", "field"),
    [
        ([], {}, "INVALID", ["inputs"]),
        (people(6), {}, "TOO_MANY", ["inputs"]),
        (people(1), {"targets": []}, "INVALID", ["targets"]),
        (people(1), {"dryRun": True, "key": "k"}, "INVALID", ["idempotencyKey"]),
    ],
)
async def test_a_call_that_is_wrong_as_a_whole_is_refused(
    sandbox: Sandbox,
    clock: ManualClock,
    inputs: list[dict[str, Any]],
    arguments: dict[str, Any],
    code: str,
    field: list[str],
) -> None:
    async with running(sandbox, clock, max_bulk_inputs=5) as gateway:
        payload = await upsert_all(gateway, inputs, **arguments)
    assert payload["operation"] is None
    assert [(one["code"], one["field"]) for one in payload["errors"]] == [(code, field)]


async def test_a_conflict_that_shows_at_delivery_spoils_its_own_item_only(bulk: Gateway) -> None:
    first = await upsert_all(bulk, people(2))
    await until_tried(bulk, first["operation"]["id"])
    inputs = people(3, start=1)
    inputs[0] = {**inputs[0], "externalId": "B-other", "lastName": "Changed"}  # B-1 has its e-mail
    payload = await upsert_all(bulk, inputs)
    items = await until_tried(bulk, payload["operation"]["id"])
    assert outcomes_of(items[0])["IVVY"] == "REJECTED"
    assert {outcomes_of(items[0])[name] for name in ("EVERBRIDGE", "SENDGRID")} == {"SKIPPED"}
    assert [outcomes_of(item)["EVERBRIDGE"] for item in items[1:]] == ["CREATED", "CREATED"]
    assert not bulk.everbridge(externalId="B-other")


@pytest.mark.parametrize(
    ("targets", "status"),
    [(["IVVY", "EVERBRIDGE"], "PARTIAL"), (["EVERBRIDGE"], "FAILED")],
)
async def test_a_bulk_of_which_every_item_has_failed_somewhere(
    bulk: Gateway, targets: list[str], status: str
) -> None:
    bulk.sandbox.faults.add(
        {"backend": "everbridge", "method": "POST", "times": 99, "status": 400, "body": {}}
    )
    payload = await upsert_all(bulk, people(3), targets=targets)
    found = await until_over(bulk, payload["operation"]["id"])
    assert found == {"status": status, "total": 3, "completed": 3, "failed": 3}
    expected = {"IVVY": "CREATED", "EVERBRIDGE": "REJECTED"}
    for item in await items_of(bulk, payload["operation"]["id"]):
        assert outcomes_of(item) == {name: expected[name] for name in targets}


async def test_a_step_that_is_tried_again_alone_still_has_what_its_siblings_hold(
    bulk: Gateway,
) -> None:
    refusal = {"errorCode": 400, "specificCode": 23016, "message": "no"}
    bulk.sandbox.faults.add(
        {
            "backend": "ivvy",
            "path": "/api/1.0/contact?action=getContactList",
            "times": 1,
            "status": 400,
            "body": refusal,
        }
    )
    alan = {"externalId": "E-1003", "firstName": "Alan", "lastName": "Mathison"}
    payload = await upsert_all(bulk, [alan], targets=["IVVY", "EVERBRIDGE"])
    [item] = await until_tried(bulk, payload["operation"]["id"])
    assert outcomes_of(item) == {"IVVY": "CREATED", "EVERBRIDGE": "UNCHANGED"}
    assert bulk.ivvy(externalId="E-1003")[0]["email"] == "alan@example.com"


async def test_two_inputs_for_one_contact_are_written_in_their_order(bulk: Gateway) -> None:
    inputs = [*people(1, lastName="First"), *people(1, lastName="Second")]
    payload = await upsert_all(bulk, inputs)
    items = await until_tried(bulk, payload["operation"]["id"])
    assert [outcomes_of(item)["IVVY"] for item in items] == ["CREATED", "UPDATED"]
    [stored] = bulk.ivvy(externalId="B-0")
    assert stored["lastName"] == "Second"
    [stored] = bulk.everbridge(externalId="B-0")
    assert stored["lastName"] == "Second"


async def test_one_that_is_repeated_is_unchanged(bulk: Gateway, clock: ManualClock) -> None:
    for expected in ("CREATED", "UNCHANGED"):
        payload = await upsert_all(bulk, people(3), targets=["IVVY", "EVERBRIDGE"])
        items = await until_tried(bulk, payload["operation"]["id"])
        assert [set(outcomes_of(item).values()) for item in items] == [{expected}] * 3
    clock.advance(1)


# ---------------------------------------------------------------- under a key


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
