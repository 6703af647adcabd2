"""What generated operations have found: each stays found."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from gateway.api.connections import to_cursor
from gateway.calls import Call
from gateway.errors import RefusedError
from gateway.model import Backend
from gateway.operations.order import Order
from gateway.upstream import Exchange
from tests.operations.bulk import items_of, people, upsert_all
from tests.operations.calls import upsert

if TYPE_CHECKING:
    from tests.harness import Gateway


@pytest.mark.parametrize("external_id", ["\0", "a\0b"])
async def test_external_id_that_no_database_holds_is_the_callers_mistake(
    gateway: Gateway, external_id: str
) -> None:
    with capture_logs() as logs:
        read = await gateway.ask(
            "query ($id: ID!) { lead(by: { externalId: $id }) { name } }", id=external_id
        )
        written = await gateway.data(
            "mutation ($input: LeadInput!) { upsertLead(input: $input) "
            "{ status errors { code field } } }",
            input={"externalId": external_id, "name": "A lead"},
        )
    [error] = read["errors"]
    assert error["message"] == "externalId holds a character that cannot be stored."
    assert written["upsertLead"]["status"] == "REJECTED"
    problems = written["upsertLead"]["errors"]
    assert {"code": "INVALID", "field": ["externalId"]} in problems
    assert [entry for entry in logs if entry["log_level"] == "error"] == []


async def test_operation_id_that_no_database_holds_is_nobodys(gateway: Gateway) -> None:
    after = to_cursor(("2026-11-21T12:00:00+00:00", "\0"))
    with capture_logs() as logs:
        found = await gateway.ask("query ($id: ID!) { operation(id: $id) { id } }", id="\0")
        page = await gateway.ask(
            "query ($after: String) { operations(after: $after) { edges { cursor } } }", after=after
        )
    assert found == {"data": {"operation": None}}
    assert "is no cursor of this list" in page["errors"][0]["message"]
    assert [entry for entry in logs if entry["log_level"] == "error"] == []


async def test_undefined_variable_in_an_input_of_one_field_is_told(gateway: Gateway) -> None:
    with capture_logs() as logs:
        answer = await gateway.ask("{ lead(by: { externalId: $nobody }) { raw } }")
    assert [error["message"] for error in answer["errors"]] == [
        "Variable '$nobody' is not defined."
    ]
    assert [entry for entry in logs if entry["log_level"] == "error"] == []


async def test_key_too_long_for_an_address_is_the_callers_mistake(gateway: Gateway) -> None:
    key = "a" * 70_000
    with capture_logs() as logs:
        written = await gateway.upsert({"externalId": key, "lastName": "Long"})
        read = await gateway.ask(
            "query ($id: ID!) { contact(by: { externalId: $id }) { externalId } }", id=key
        )
    assert [entry for entry in logs if entry["log_level"] == "error"] == []
    assert written.outcomes()["EVERBRIDGE"] == "REJECTED"
    assert "errors" not in read


async def test_call_that_makes_no_address_is_refused_before_it_is_sent(gateway: Gateway) -> None:
    call = Call(method="GET", path="/v3/" + "a" * 70_000)
    sender = gateway.app.state.account.adapters[Backend.SENDGRID].sender
    with pytest.raises(RefusedError, match="address would be too long") as caught:
        await sender.send(call, Exchange(deadline=time.monotonic() + 5))
    assert caught.value.problem.backend is Backend.SENDGRID
    assert gateway.recorded() == []


@pytest.mark.parametrize("phone", ["", "x", "+"])
async def test_phone_number_id_that_is_none_is_the_callers_mistake(
    gateway: Gateway, phone: str
) -> None:
    with capture_logs() as logs:
        answer = await gateway.upsert({"sendgrid": {"phoneNumberId": phone}})
    assert [entry for entry in logs if entry["log_level"] == "error"] == []
    assert answer.status == "REJECTED"
    told = {(problem["code"], *problem["field"]) for problem in answer.errors}
    assert ("INVALID", "sendgrid", "phoneNumberId") in told


@pytest.mark.parametrize("wrong", ["", "x", "²"])
async def test_id_that_is_no_number_is_told_by_the_check_and_not_planned(
    gateway: Gateway, wrong: str
) -> None:
    with capture_logs() as logs:
        answer = await gateway.upsert({"lastName": "A", "everbridge": {"recordTypeId": wrong}})
    assert [entry for entry in logs if entry["log_level"] == "error"] == []
    told = {(problem["code"], *problem["field"]) for problem in answer.errors}
    assert ("INVALID", "everbridge", "recordTypeId") in told


async def test_text_with_nul_is_told_with_its_field(gateway: Gateway) -> None:
    with capture_logs() as logs:
        answer = await gateway.upsert({"externalId": "\0", "lastName": "a\0b"})
    assert [entry for entry in logs if entry["log_level"] == "error"] == []
    told = {(problem["code"], *problem["field"]) for problem in answer.errors}
    assert {("INVALID", "externalId"), ("INVALID", "lastName")} <= told


@pytest.mark.parametrize("delivery", ["DIRECT", "DURABLE"])
@pytest.mark.parametrize(
    ("contact", "where"),
    [
        ({"ivvy": {"id": "\0"}}, ["ivvy", "id"]),
        ({"everbridge": {"id": "a\0"}}, ["everbridge", "id"]),
        ({"email": "a\0@b.example"}, ["email"]),
    ],
)
async def test_key_that_no_database_takes_is_told_and_has_no_order(
    gateway: Gateway, contact: dict[str, Any], where: list[str], delivery: str
) -> None:
    with capture_logs() as logs:
        answer = await upsert(gateway, {"lastName": "A", **contact}, delivery=delivery)
    assert [entry for entry in logs if entry["log_level"] == "error"] == []
    assert answer.status == "REJECTED"
    assert where in [problem["field"] for problem in answer.errors]


async def test_key_with_half_a_character_has_no_order(gateway: Gateway) -> None:
    order = Order(operations=gateway.app.state.account.store.operations)
    assert not await order.is_waiting(Backend.EVERBRIDGE, "id:\ud800")


async def test_bulk_with_an_external_id_that_no_database_takes_rejects_that_input_alone(
    gateway: Gateway,
) -> None:
    unfit = {"externalId": "\0", "lastName": "A"}
    with capture_logs() as logs:
        payload = await upsert_all(gateway, [*people(1), unfit, *people(1, start=1)])
    assert [entry for entry in logs if entry["log_level"] == "error"] == []
    items = await items_of(gateway, payload["operation"]["id"])
    assert [item["externalId"] for item in items] == ["B-0", None, "B-1"]
    assert [item["status"] == "REJECTED" for item in items] == [False, True, False]
    assert items[1]["errors"][0]["field"][-1] == "externalId"
