"""A lead's create that was refused, or sent and not answered: never a second lead in silence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.leads import (
    ADA,
    EVE,
    LEAD,
    OF_ADA,
    OF_HARBOUR,
    change_lead,
    doubtful,
    fault,
    later,
    lead_writes,
    leads,
    links_of,
    unanswered,
    upsert_lead,
)

if TYPE_CHECKING:
    from tests.harness import Gateway

pytestmark = pytest.mark.usefixtures("no_waiting")

LIST_CALL = "/api/1.0/crm?action=getLeadList"


# ---------------------------------------------------------------- refused, or surely not sent


@pytest.mark.parametrize(
    ("what", "outcome"),
    [
        ({"status": 503, "times": 9}, "FAILED"),
        ({"drop": "before", "times": 9}, "UNKNOWN"),
        ({"status": 403}, "FAILED"),
        ({"status": 422}, "REJECTED"),
    ],
)
async def test_a_create_that_was_refused_for_sure_leaves_nothing_behind(
    gateway: Gateway, what: dict[str, Any], outcome: str
) -> None:
    fault(gateway, **what)
    answer = await upsert_lead(gateway, LEAD)
    assert (answer.outcome, answer.result["changedFields"]) == (outcome, [])
    assert answer.contact["outcome"] == outcome
    gateway.sandbox.faults.clear()
    later(gateway, minutes=1)
    again = await upsert_lead(gateway, LEAD)
    # A connection that broke may have carried the call: only then nobody can say.
    assert again.outcome == ("UNKNOWN" if outcome == "UNKNOWN" else "CREATED")


async def test_the_words_of_ivvys_refusals_reach_the_caller(gateway: Gateway) -> None:
    gateway.sandbox.ivvy.switches["lead_fields_required"] = [702]
    answer = await upsert_lead(gateway, LEAD)
    [problem] = answer.errors
    assert (answer.outcome, problem["backendCode"]) == ("REJECTED", "24218")
    assert "Budget note" in problem["backendMessage"]
    for code, kind in ((24215, "INVALID"), (24216, "NOT_FOUND")):
        body = {
            "errorCode": 400,
            "specificCode": code,
            "message": "No",
            "additionalMessages": ["A", "B"],
        }
        fault(gateway, status=400, body=body)
        answer = await upsert_lead(gateway, LEAD)
        [problem] = answer.errors
        assert (answer.outcome, problem["code"]) == ("REJECTED", kind)
        assert (problem["backendCode"], problem["backendMessage"]) == (str(code), "No. A. B")
    gateway.sandbox.ivvy.switches["lead_fields_required"] = []
    assert (await upsert_lead(gateway, LEAD)).outcome == "CREATED"


# ---------------------------------------------------------------- sent and not answered


@pytest.mark.parametrize("what", [{"drop": "after"}, {"status": 500, "effect": True}])
async def test_a_create_without_an_answer_is_unknown_and_never_repeated(
    gateway: Gateway, what: dict[str, Any]
) -> None:
    fault(gateway, **what)
    answer = await upsert_lead(gateway, LEAD)
    assert (answer.status, answer.outcome, answer.result["id"]) == ("UNKNOWN", "UNKNOWN", None)
    [call] = answer.result["calls"]
    assert call["attempts"] == 1
    assert len(leads(gateway, name="Autumn offsite")) == 1
    assert answer.contact["outcome"] == "UNKNOWN"


async def test_the_one_lead_that_an_unanswered_create_made_is_found_again(
    gateway: Gateway,
) -> None:
    await unanswered(gateway)
    answer = await upsert_lead(gateway, LEAD)
    assert (answer.outcome, answer.result["matchedBy"]) == ("UPDATED", "externalId")
    [lead] = leads(gateway, name="Autumn offsite")
    assert answer.result["id"] == str(lead["id"])
    # From now on it is linked, whatever else looks like it.
    await upsert_lead(gateway, OF_ADA)
    assert (await upsert_lead(gateway, LEAD)).result["id"] == str(lead["id"])


async def test_a_lead_of_a_new_company_and_person_is_found_again(gateway: Gateway) -> None:
    lead = OF_HARBOUR | {"externalId": "L-1", "contact": EVE, "company": {"name": "Firm"}}
    await unanswered(gateway, lead)
    answer = await upsert_lead(gateway, lead)
    assert (answer.errors, answer.outcome) == ([], "UNCHANGED")
    assert len(leads(gateway, name="Autumn offsite")) == 1


async def test_a_dry_run_finds_an_unanswered_create_without_settling_it(gateway: Gateway) -> None:
    await unanswered(gateway)
    assert (await upsert_lead(gateway, LEAD, dryRun=True)).outcome == "PLANNED"
    query = '{ lead(by: {externalId: "L-1"}) { id } }'
    assert (await gateway.data(query))["lead"] is None
    await upsert_lead(gateway, LEAD)
    assert (await gateway.data(query))["lead"]["id"] == "9003"


async def test_no_lead_that_fits_is_no_proof_that_none_was_made(gateway: Gateway) -> None:
    fault(gateway, drop="before")
    await upsert_lead(gateway, LEAD)
    problem = await doubtful(gateway)
    assert "No lead that was made since" in problem["message"]
    assert "ivvy.id" in problem["message"]
    assert problem["backendMessage"], "what was known of the unanswered call"


async def test_two_leads_that_fit_are_a_doubt(gateway: Gateway) -> None:
    await unanswered(gateway)
    await upsert_lead(gateway, OF_ADA)
    problem = await doubtful(gateway)
    assert problem["suggestions"] == ["9003", "9004"]


async def test_a_lead_that_is_older_than_the_create_is_a_doubt(gateway: Gateway) -> None:
    await unanswered(gateway)
    begun = datetime.now(UTC) - timedelta(minutes=2)
    change_lead(gateway, 9003, createdDate=f"{begun:%Y-%m-%d %H:%M:%S}")
    assert (await doubtful(gateway))["suggestions"] == ["9003"]
    change_lead(gateway, 9003, createdDate="")
    assert (await doubtful(gateway))["suggestions"] == ["9003"]
    long_ago = datetime.now(UTC) - timedelta(minutes=9)
    change_lead(gateway, 9003, createdDate=f"{long_ago:%Y-%m-%d %H:%M:%S}")
    assert (await doubtful(gateway))["suggestions"] == []


@pytest.mark.parametrize(
    "other",
    [
        {"name": "Another"},
        {"typeId": 12},
        {"sourceId": 32},
        {"contactId": 40002},
        {"companyId": 7001},
    ],
)
async def test_a_lead_that_differs_is_not_the_one(gateway: Gateway, other: dict[str, Any]) -> None:
    await unanswered(gateway)
    change_lead(gateway, 9003, **other)
    assert (await doubtful(gateway))["suggestions"] == []


async def test_a_lead_that_stands_for_another_external_id_is_not_the_one(
    gateway: Gateway,
) -> None:
    fault(gateway, drop="before")
    await upsert_lead(gateway, LEAD)
    await upsert_lead(gateway, LEAD | {"externalId": "L-2"})
    assert (await doubtful(gateway))["suggestions"] == []


async def test_two_unanswered_creates_of_the_same_are_a_doubt_for_both(gateway: Gateway) -> None:
    fault(gateway, drop="before")
    await upsert_lead(gateway, LEAD | {"externalId": "L-2"})
    await unanswered(gateway)
    assert (await doubtful(gateway))["suggestions"] == ["9003"]
    assert (await doubtful(gateway, LEAD | {"externalId": "L-2"}))["suggestions"] == ["9003"]


async def test_a_list_that_cannot_be_read_leaves_the_doubt(gateway: Gateway) -> None:
    await unanswered(gateway)
    for what in ({"status": 400}, {"status": 500}):
        fault(gateway, LIST_CALL, times=4, **what)
        message = (await doubtful(gateway))["message"]
        assert "could not be looked up" in message
        assert ". Look in iVvy" in message
        gateway.sandbox.faults.clear()


async def test_an_intent_of_a_later_gateways_making_is_left_alone(gateway: Gateway) -> None:
    await begun(gateway, version=2)
    await doubtful(gateway)


@pytest.mark.parametrize("rule", ["ignore", "error"])
async def test_a_filter_that_ivvy_does_not_take_does_not_keep_a_lead_from_being_found(
    gateway: Gateway, rule: str
) -> None:
    await unanswered(gateway)
    gateway.sandbox.ivvy.switches["unknown_filter"] = rule
    gateway.sandbox.ivvy.switches["filterable"] = "documented"
    assert (await upsert_lead(gateway, LEAD)).outcome == "UPDATED"
    assert len(leads(gateway, name="Autumn offsite")) == 1


# ---------------------------------------------------------------- a crash, another process


async def begun(gateway: Gateway, *, version: int = 1, seconds: float = 0.0) -> None:
    """The intent that a process has stored which sent the call and was ended then."""
    links = links_of(gateway)
    now = links.clock()
    lead = {"name": "Autumn offsite", "typeId": 11, "sourceId": 31, "contactId": str(ADA)}
    await links.table.begin_link(
        links.account,
        "L-1",
        holder="another process",
        payload={"lead": lead},
        payload_version=version,
        answer_by=now + timedelta(seconds=seconds),
        now=now,
    )


async def test_a_crash_between_answer_and_link_makes_no_second_lead(gateway: Gateway) -> None:
    await begun(gateway)
    await upsert_lead(gateway, OF_ADA)  # what the call of that process has made
    answer = await upsert_lead(gateway, LEAD)
    assert (answer.outcome, answer.result["matchedBy"]) == ("UPDATED", "externalId")
    assert len(leads(gateway, name="Autumn offsite")) == 1


async def test_a_crash_before_the_call_makes_no_lead_in_silence(gateway: Gateway) -> None:
    await begun(gateway)
    await doubtful(gateway)


async def test_a_create_of_another_process_is_waited_for(gateway: Gateway) -> None:
    await begun(gateway, seconds=60)
    answer = await upsert_lead(gateway, LEAD)
    [problem] = answer.errors
    assert (answer.status, problem["code"], problem["retryable"]) == ("UNKNOWN", "CONFLICT", True)
    assert 0 < problem["retryAfterSeconds"] <= 60
    assert lead_writes(gateway) == []
    by_id = await upsert_lead(gateway, {"externalId": "L-1", "name": "X", "ivvy": {"id": "9001"}})
    assert (by_id.status, by_id.errors[0]["code"]) == ("FAILED", "CONFLICT")
    later(gateway, minutes=2)
    await doubtful(gateway)
