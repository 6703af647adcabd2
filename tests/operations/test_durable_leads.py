"""Durable leads: made once, found again, or left to a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.leads import OF_ADA, fault, leads
from tests.operations.calls import (
    operation,
    outcomes,
    resolve,
    steps,
    until_ended,
    upsert_lead,
)

if TYPE_CHECKING:
    from tests.harness import Gateway

LINKED: dict[str, Any] = {**OF_ADA, "externalId": "L-1"}
NAME = OF_ADA["name"]


async def store(gateway: Gateway, lead: dict[str, Any], **arguments: Any) -> str:
    payload = await upsert_lead(gateway, lead, delivery="DURABLE", **arguments)
    assert (payload["status"], payload["errors"]) == ("PENDING", [])
    assert [result["outcome"] for result in payload["results"]] == ["QUEUED"]
    return str(payload["operation"]["id"])


async def stuck(gateway: Gateway, lead: dict[str, Any], **drop: Any) -> tuple[str, str]:
    fault(gateway, **drop)
    operation_id = await store(gateway, lead)
    found = await until_ended(gateway, operation_id)
    assert found["status"] == "NEEDS_ATTENTION"
    return operation_id, steps(found)["IVVY"]["id"]


async def test_a_durable_lead_is_made_and_linked(quick: Gateway) -> None:
    found = await until_ended(quick, await store(quick, LINKED))
    assert (found["kind"], found["status"], outcomes(found)) == (
        "LEAD",
        "SUCCEEDED",
        {"IVVY": "CREATED"},
    )
    [lead] = leads(quick, name=NAME)
    again = await upsert_lead(quick, {**LINKED, "description": "More"})
    assert again["results"][0]["id"] == str(lead["id"])
    assert len(leads(quick, name=NAME)) == 1


async def test_a_wrong_lead_is_rejected_and_nothing_is_stored(quick: Gateway) -> None:
    payload = await upsert_lead(quick, {**LINKED, "stageName": "Nowhere"}, delivery="DURABLE")
    assert (payload["status"], payload["operation"]) == ("REJECTED", None)
    assert payload["errors"][0]["field"] == ["stageName"]
    payload = await upsert_lead(quick, {"externalId": "L-1"}, delivery="DURABLE")
    assert payload["status"] == "REJECTED"


async def test_an_unanswered_lead_without_a_key_waits_for_a_person(quick: Gateway) -> None:
    operation_id, step_id = await stuck(quick, OF_ADA, drop="after")
    [lead] = leads(quick, name=NAME)
    payload = await resolve(quick, step_id, "WRITTEN", recordId=str(lead["id"]))
    assert payload["step"]["result"]["id"] == str(lead["id"])
    assert (await operation(quick, operation_id))["status"] == "SUCCEEDED"
    assert len(leads(quick, name=NAME)) == 1


async def test_a_lead_that_was_seen_not_to_be_there_is_made(quick: Gateway) -> None:
    operation_id, step_id = await stuck(quick, OF_ADA, drop="before")
    await resolve(quick, step_id, "NOT_WRITTEN")
    found = await until_ended(quick, operation_id)
    assert outcomes(found) == {"IVVY": "CREATED"}
    assert len(leads(quick, name=NAME)) == 1


async def test_a_second_lead_of_an_external_id_waits_for_the_first(quick: Gateway) -> None:
    first = await store(quick, LINKED)
    second = await store(quick, {**LINKED, "description": "More"})
    assert outcomes(await until_ended(quick, first)) == {"IVVY": "CREATED"}
    assert outcomes(await until_ended(quick, second)) == {"IVVY": "UPDATED"}
    assert len(leads(quick, name=NAME)) == 1


async def test_a_durable_lead_under_a_key_is_stored_once(quick: Gateway) -> None:
    first = await store(quick, OF_ADA, idempotencyKey="k-1")
    await until_ended(quick, first)
    again = await upsert_lead(quick, OF_ADA, delivery="DURABLE", idempotencyKey="k-1")
    assert (again["replayed"], again["operation"]["id"]) == (True, first)
    assert len(leads(quick, name=NAME)) == 1
