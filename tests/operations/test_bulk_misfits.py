"""What Everbridge's lists have against a bulk's inputs is told when it is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gateway.operations import bulk_checks
from tests.harness import running
from tests.operations.bulk import people, until_tried, upsert_all
from tests.operations.durable import hold_work, let_work

if TYPE_CHECKING:
    from gateway.sandbox.app import Sandbox
    from gateway.sandbox.clock import ManualClock
    from tests.harness import Gateway

HERE = {"targets": ["EVERBRIDGE"]}
BACKENDS = ["IVVY", "EVERBRIDGE", "SENDGRID"]
GONE = "241901148045999"
MOBILE = 241901148045319
MISFITS = [
    ({"everbridge": {"recordTypeId": "999"}}, "NOT_FOUND", "everbridge.recordTypeId"),
    ({"paths": [{"pathId": GONE, "value": "x"}]}, "NOT_FOUND", "paths.0.pathId"),
    ({"paths": [{"prompt": "Mobile Phone", "value": "hello"}]}, "INVALID", "paths.0.value"),
    ({"paths": [{"prompt": "Work Email", "value": "hello"}]}, "INVALID", "paths.0.value"),
    ({"paths": [{"prompt": "Work Email", "value": "another@example.com"}]}, "INVALID", "email"),
]


@pytest.fixture
def stored_oddly(sandbox: Sandbox) -> None:
    """Let Ada hold a path that has left the list, and a number that nobody validated."""
    state = sandbox.everbridge.dump()
    ada = next(row for row in state["contacts"] if row["externalId"] == "E-1001")
    ada["paths"] = [
        {"pathId": int(GONE), "value": "gone", "waitTime": 0},
        {"pathId": MOBILE, "value": "12", "countryCode": "GB", "skipValidation": True},
    ]
    sandbox.everbridge.load(state)


def told(payload: dict[str, Any]) -> list[tuple[str, str]]:
    return [(error["code"], ".".join(error["field"])) for error in payload["errors"]]


@pytest.mark.parametrize(("wrong", "code", "field"), MISFITS)
async def test_what_lists_have_against_an_input_is_told_before_anything_is_stored(
    quick: Gateway, wrong: dict[str, Any], code: str, field: str
) -> None:
    inputs = people(3)
    inputs[1] |= wrong
    for dry in (True, False):
        payload = await upsert_all(quick, inputs, **HERE, dryRun=dry)
        assert told(payload) == [(code, f"inputs.1.{field}")]
    items = await until_tried(quick, payload["operation"]["id"])
    assert [item["status"] for item in items] == ["APPLIED", "REJECTED", "APPLIED"]


async def test_a_group_joined_and_left_by_two_spellings_is_told_before_anything_is_stored(
    quick: Gateway,
) -> None:
    inputs = people(1, addGroupsName=["Newsletter"], removeGroupsName=["VIP", "newsletter "])
    payload = await upsert_all(quick, inputs, targets=["IVVY"])
    assert payload["operation"] is None
    assert told(payload) == [("INVALID", "inputs.0.removeGroupsName.1")]


async def test_all_of_an_inputs_problems_are_told_at_once(quick: Gateway) -> None:
    [one] = people(1)
    one |= {
        "email": "no address",
        "recordTypeName": "Employe",
        "paths": [{"pathId": GONE, "value": "x"}, {"prompt": "Mobile Phone", "value": "hello"}],
    }
    payload = await upsert_all(quick, [one], **HERE)
    assert payload["operation"] is None
    assert {field for _, field in told(payload)} == {
        "inputs.0.email",
        "inputs.0.recordTypeName",
        "inputs.0.paths.0.pathId",
        "inputs.0.paths.1.value",
    }


@pytest.mark.usefixtures("stored_oddly")
async def test_what_a_contact_holds_already_may_be_sent_back(quick: Gateway) -> None:
    inputs: list[dict[str, Any]] = [
        {"externalId": "E-1001", "paths": [{"pathId": GONE, "value": "gone"}]},
        {"externalId": "E-1002", "paths": [{"pathId": GONE, "value": "gone"}]},
    ]
    payload = await upsert_all(quick, inputs, **HERE, dryRun=True)
    assert told(payload) == [("NOT_FOUND", "inputs.1.paths.0.pathId")]
    inputs = [{"externalId": "E-1001", "paths": [{"prompt": "Mobile Phone", "value": "12"}]}]
    payload = await upsert_all(quick, inputs, **HERE)
    [item] = await until_tried(quick, payload["operation"]["id"])
    assert (payload["errors"], item["status"]) == ([], "APPLIED")
    [ada] = quick.everbridge(externalId="E-1001")
    assert [(path["pathId"], path["value"]) for path in ada["paths"]] == [(MOBILE, "12")]


async def test_inputs_that_fit_look_nobody_up(quick: Gateway) -> None:
    paths = [{"prompt": "Mobile Phone", "value": "+44 7700 900123"}]
    payload = await upsert_all(quick, people(3, paths=paths), **HERE, dryRun=True)
    assert payload["errors"] == []
    assert [call for call in quick.calls("everbridge") if "contacts" in call["path"]] == []


async def test_a_number_that_is_a_groups_name_elsewhere_looks_nobody_up(quick: Gateway) -> None:
    state = quick.sandbox.sendgrid.dump()
    state["lists"][0]["name"] = "2024"
    quick.sandbox.sendgrid.load(state)
    lists = " ".join(f"{each}: groups(backend: {each}) {{ name }}" for each in BACKENDS)
    await quick.data(f"{{ {lists} }}")
    before = quick.calls("ivvy")
    payload = await upsert_all(quick, people(3, addGroupsName=["2024"]), dryRun=True)
    assert payload["errors"] == []
    assert quick.calls("ivvy") == before
    assert [call for call in quick.calls("everbridge") if "/contacts/" in call["path"]] == []


@pytest.mark.parametrize(
    "unclear",
    [
        {"externalId": None, "email": "ada@example.com"},
        {"everbridge": {"id": "1"}},
    ],
)
async def test_who_cannot_be_looked_up_is_told_at_delivery(
    quick: Gateway, unclear: dict[str, Any]
) -> None:
    wrong = {"paths": [{"pathId": GONE, "value": "x"}], "firstName": "Ada", **unclear}
    payload = await upsert_all(quick, [{"externalId": "E-1001"} | wrong], dryRun=True)
    assert payload["errors"] == []


async def test_what_may_be_left_out_is_told_at_delivery(quick: Gateway) -> None:
    inputs = people(1, paths=[{"pathId": GONE, "value": "x"}])
    payload = await upsert_all(quick, inputs, **HERE, ifMissing="SKIP", dryRun=True)
    assert payload["errors"] == []


@pytest.mark.parametrize("calls", [1, 2])
async def test_behind_a_write_for_the_same_contact_paths_are_told_at_delivery(
    quick: Gateway, calls: int
) -> None:
    [one] = people(1)
    number = {"prompt": "Mobile Phone", "value": "13800138000"}  # too long for the default country
    inputs = [{**one, "paths": [number | {"countryCode": "CN"}]}, {**one, "paths": [number]}]
    hold_work(quick)
    parts = [inputs] if calls == 1 else [[each] for each in inputs]
    payloads = [await upsert_all(quick, part, **HERE) for part in parts]
    await let_work(quick)
    for payload in payloads:
        assert told(payload) == []
        items = await until_tried(quick, payload["operation"]["id"])
        assert {item["status"] for item in items} == {"APPLIED"}


async def test_a_look_up_without_an_answer_hides_no_other_problem(
    sandbox: Sandbox, clock: ManualClock
) -> None:
    fault = {"backend": "everbridge", "path": "/contacts", "times": 9, "delayMs": 5000}
    [one] = people(1, recordTypeName="Employe", paths=[{"pathId": GONE, "value": "x"}])
    async with running(sandbox, clock, plan_wait_seconds=0.3) as gateway:
        await gateway.data("{ recordTypes { name } contactPaths { name } }")
        sandbox.faults.add(fault)
        payload = await upsert_all(gateway, [one], **HERE, dryRun=True)
    assert told(payload) == [("NAME_NOT_FOUND", "inputs.0.recordTypeName")]


async def test_a_group_that_has_left_its_list_may_be_sent_back_by_its_id(quick: Gateway) -> None:
    state = quick.sandbox.everbridge.dump()
    [ada] = [row for row in state["contacts"] if row["externalId"] == "E-1001"]
    gone = ada["groups"][0]
    state["groups"] = [row for row in state["groups"] if row["id"] != gone]
    other = next(row for row in state["contacts"] if row["externalId"] == "E-1003")
    other["groups"] = []
    quick.sandbox.everbridge.load(state)
    inputs = [{"externalId": key, "addGroupsName": [str(gone)]} for key in ("E-1001", "E-1003")]
    payload = await upsert_all(quick, inputs, **HERE)
    assert told(payload) == [("NAME_NOT_FOUND", "inputs.1.addGroupsName.0")]
    items = await until_tried(quick, payload["operation"]["id"])
    assert [item["status"] for item in items] == ["APPLIED", "REJECTED"]


@pytest.mark.parametrize("late", [True, False])
async def test_an_id_of_a_group_is_judged_at_delivery_where_nobody_is_looked_up(
    quick: Gateway, monkeypatch: pytest.MonkeyPatch, late: bool
) -> None:
    state = quick.sandbox.everbridge.dump()
    [ada] = [row for row in state["contacts"] if row["externalId"] == "E-1001"]
    gone = ada["groups"][0]
    state["groups"] = [row for row in state["groups"] if row["id"] != gone]
    quick.sandbox.everbridge.load(state)
    if late:  # nobody is looked up any more; else the contact has an earlier input
        monkeypatch.setattr(bulk_checks, "LOOKING", 0)
    inputs: list[dict[str, Any]] = [{"externalId": "E-1001", "addGroupsName": [str(gone)]}]
    if not late:
        inputs.insert(0, {"externalId": "E-1001", "firstName": "Adda"})
    payload = await upsert_all(quick, inputs, **HERE)
    assert told(payload) == []
    items = await until_tried(quick, payload["operation"]["id"])
    assert {item["status"] for item in items} == {"APPLIED"}


async def test_an_id_of_a_group_is_judged_at_delivery_where_nobody_answers(
    sandbox: Sandbox, clock: ManualClock
) -> None:
    fault = {"backend": "everbridge", "path": "/contacts", "times": 9, "delayMs": 5000}
    names = [{"addGroupsName": ["1200000000000999"]}, {"addGroupsName": ["Newslettre"]}]
    inputs = [one | each for one, each in zip(people(2), names, strict=True)]
    async with running(sandbox, clock, plan_wait_seconds=0.3) as gateway:
        await gateway.data("{ groups(backend: EVERBRIDGE) { name } }")
        sandbox.faults.add(fault)
        payload = await upsert_all(gateway, inputs, **HERE, dryRun=True)
    assert told(payload) == [("NAME_NOT_FOUND", "inputs.1.addGroupsName.0")]


async def test_a_bulk_does_not_look_for_excuses_for_ever(
    sandbox: Sandbox, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_checks, "AT_ONCE", 1)
    monkeypatch.setattr(bulk_checks, "LOOKING", 1)
    wrong = people(6, paths=[{"pathId": GONE, "value": "x"}])
    async with running(sandbox, clock, plan_wait_seconds=1.0) as gateway:
        await gateway.data("{ recordTypes { name } contactPaths { name } }")
        fault = {"backend": "everbridge", "path": "/contacts", "times": 99, "delayMs": 400}
        sandbox.faults.add(fault)
        payload = await upsert_all(gateway, wrong, **HERE, dryRun=True)
    assert 1 <= len(told(payload)) < len(wrong)
