"""The audit: a line for each record that a write was meant for, with nothing about people in it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from structlog.testing import capture_logs

from tests.api.callers import asking_for_keys, by_key, called_by, key_for
from tests.leads import UPSERT_LEAD
from tests.operations.calls import CONTACT, RESOLVE, until_ended
from tests.operations.durable import HEDY, stuck

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.sandbox.app import Sandbox
    from gateway.sandbox.clock import ManualClock
    from tests.harness import Gateway

LEAD: dict[str, Any] = {
    "externalId": "L-1",
    "name": "Fair",
    "typeName": "Wedding",
    "stageName": "New",
}
LEAD |= {"sourceName": "Website", "company": {"name": "Harbour Hotels"}}
LEAD |= {"contact": {"externalId": "E-1004"}}


@pytest.fixture
async def closed(sandbox: Sandbox, clock: ManualClock) -> AsyncIterator[Gateway]:
    async with asking_for_keys(sandbox, clock, job_look_seconds=0.02) as gateway:
        gateway.headers = by_key(await key_for(gateway, "crm", "admin"))
        yield gateway


async def audited(gateway: Gateway, query: str, **variables: Any) -> list[dict[str, Any]]:
    """The lines that an operation leaves."""
    with capture_logs() as lines:
        answer = await gateway.ask(query, **variables)
    assert "errors" not in answer
    return audit(lines)


def audit(lines: Any) -> list[dict[str, Any]]:
    return sorted(
        (dict(line) for line in lines if line["event"] == "audit"),
        key=lambda line: line.get("backend", ""),
    )


async def key_id(gateway: Gateway) -> str:
    [key] = await gateway.app.state.account.store.api_keys.list_keys()
    return str(key.id)


async def test_a_write_leaves_a_line_for_each_backend(closed: Gateway) -> None:
    lines = await audited(closed, CONTACT, input=HEDY, delivery="DIRECT")
    assert [line["backend"] for line in lines] == ["EVERBRIDGE", "IVVY", "SENDGRID"]
    everbridge, ivvy, sendgrid = lines
    request_id = ivvy.pop("request_id")
    assert request_id
    assert ivvy == {
        "event": "audit",
        "log_level": "info",
        "mutation": "upsertContact",
        "caller": "key:crm",
        "key": await key_id(closed),
        "backend": "IVVY",
        "record": str(closed.ivvy(externalId="E-3001")[0]["id"]),
        "outcome": "CREATED",
    }
    assert everbridge["record"] == str(closed.everbridge(externalId="E-3001")[0]["id"])
    assert (sendgrid["outcome"], len(sendgrid["jobs"])) == ("ACCEPTED", 1)


async def test_nothing_about_the_person_is_in_the_audit(closed: Gateway) -> None:
    lines = await audited(closed, CONTACT, input=HEDY)
    lines += await audited(closed, UPSERT_LEAD, input=LEAD)
    written = orjson.dumps(lines).decode()
    for text in ("E-3001", "L-1", "E-1004", *(str(value) for value in HEDY.values())):
        assert text not in written


async def test_a_lead_leaves_a_line(closed: Gateway) -> None:
    [line] = await audited(closed, UPSERT_LEAD, input=LEAD)
    assert (line["mutation"], line["outcome"], line["record"]) == ("upsertLead", "CREATED", "9003")


async def test_a_rejected_write_leaves_its_outcomes(closed: Gateway) -> None:
    lines = await audited(closed, CONTACT, input={**HEDY, "recordTypeName": "Nobody"})
    assert [line["outcome"] for line in lines] == ["REJECTED", "SKIPPED", "SKIPPED"]


async def test_a_dry_run_leaves_nothing(closed: Gateway) -> None:
    query = 'mutation { upsertContact(input: {externalId: "E-1001"}, dryRun: true) { status } }'
    assert await audited(closed, query) == []


async def test_a_replay_says_that_it_is_one(closed: Gateway) -> None:
    first = await audited(closed, CONTACT, input=HEDY, targets=["IVVY"], idempotencyKey="k")
    again = await audited(closed, CONTACT, input=HEDY, targets=["IVVY"], idempotencyKey="k")
    assert [("replayed" in line, line["outcome"]) for line in first] == [(False, "CREATED")]
    assert [(line["replayed"], line["outcome"]) for line in again] == [(True, "CREATED")]


async def test_a_durable_write_leaves_a_line_when_stored_and_when_delivered(
    closed: Gateway,
) -> None:
    with capture_logs() as lines:
        answer = await closed.ask(CONTACT, input=HEDY, targets=["IVVY"], delivery="DURABLE")
        operation = answer["data"]["upsertContact"]["operation"]["id"]
        await until_ended(closed, operation)
    stored, delivered = audit(lines)
    assert (stored["key"], stored["outcome"]) == (await key_id(closed), "QUEUED")
    assert (delivered["caller"], delivered["outcome"]) == ("key:crm", "CREATED")
    assert delivered["record"] == str(closed.ivvy(externalId="E-3001")[0]["id"])
    assert stored["request_id"] == delivered["request_id"]
    assert stored["operation"] == delivered["operation"] == operation


async def test_a_look_at_a_job_that_goes_on_leaves_no_line(
    closed: Gateway, clock: ManualClock
) -> None:
    store = closed.app.state.account.store
    with capture_logs() as lines:
        answer = await closed.ask(CONTACT, input=HEDY, targets=["SENDGRID"], delivery="DURABLE")
        operation = answer["data"]["upsertContact"]["operation"]["id"]
        async with asyncio.timeout(20):
            while (step := await store.operations.read_step(1)).fence < 2 or step.owner:  # noqa: ASYNC110 - as in until
                await asyncio.sleep(0.01)  # the worker says to nobody but the store what it did
        clock.advance(60)
        await until_ended(closed, operation)
    assert [line["outcome"] for line in audit(lines)] == ["QUEUED", "ACCEPTED", "CONFIRMED"]


async def test_a_bulk_leaves_a_line_when_stored_and_one_for_each_record(closed: Gateway) -> None:
    query = """mutation ($inputs: [ContactInput!]!) {
      upsertContacts(inputs: $inputs, targets: [EVERBRIDGE]) { operation { id } errors { code } }
    }"""
    inputs = [{**HEDY, "externalId": f"E-31{n}"} for n in range(2)]
    with capture_logs() as lines:
        answer = await closed.ask(query, inputs=inputs)
        operation = answer["data"]["upsertContacts"]["operation"]["id"]
        await until_ended(closed, operation)
    stored, *delivered = audit(lines)
    assert (stored["mutation"], stored["operation"]) == ("upsertContacts", operation)
    assert {line["record"] for line in delivered} == {
        str(row["id"]) for n in range(2) for row in closed.everbridge(externalId=f"E-31{n}")
    }


async def test_settling_a_step_leaves_a_line(closed: Gateway) -> None:
    _operation, step = await stuck(closed, drop="before")
    [line] = await audited(closed, RESOLVE, stepId=step, **{"as": "GIVE_UP"})
    assert line["mutation"] == "resolveStep"
    assert (line["said"], line["step"], line["outcome"]) == ("GIVE_UP", step, "FAILED")
    assert line["caller"] == "key:crm"


async def test_without_callers_the_audit_says_anybody(gateway: Gateway) -> None:
    with capture_logs() as lines:
        await called_by(gateway, {}, CONTACT, input=HEDY, targets=["IVVY"])
    [line] = audit(lines)
    assert (line["caller"], line["key"]) == ("anybody", None)
