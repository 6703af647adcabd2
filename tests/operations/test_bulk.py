"""upsertContacts through GraphQL: checked, stored whole, delivered side by side, told one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.harness import running
from tests.operations.bulk import (
    items_of,
    outcomes_of,
    people,
    until_over,
    until_tried,
    upsert_all,
)

if TYPE_CHECKING:
    from gateway.sandbox.app import Sandbox
    from gateway.sandbox.clock import ManualClock
    from tests.harness import Gateway

ALL = ("IVVY", "EVERBRIDGE", "SENDGRID")


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
