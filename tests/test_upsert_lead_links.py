"""LeadInput.externalId: one lead for one externalId, whatever happens between call and link."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from gateway.store.errors import StoreUnavailableError
from tests.harness import running
from tests.leads import (
    ADA,
    OF_ADA,
    OF_HARBOUR,
    change_lead,
    lead_writes,
    leads,
    upsert_lead,
)

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.lead_links import Links
    from gateway.sandbox.app import Sandbox
    from gateway.sandbox.clock import ManualClock
    from tests.harness import Gateway

pytestmark = pytest.mark.usefixtures("no_waiting")

LEAD: dict[str, Any] = OF_ADA | {"externalId": "L-1"}
LEAD_CALL = "/api/1.0/contact?action=addOrUpdateLead"
LIST_CALL = "/api/1.0/crm?action=getLeadList"


def links_of(gateway: Gateway) -> Links:
    links: Links = gateway.app.state.account.links
    return links


def later(gateway: Gateway, **by: float) -> None:
    """Let time pass for the links alone."""
    links_of(gateway).clock = lambda: datetime.now(UTC) + timedelta(**by)


def fault(gateway: Gateway, path: str = LEAD_CALL, **what: Any) -> None:
    gateway.sandbox.faults.add({"backend": "ivvy", "path": path, **what})


async def unanswered(gateway: Gateway, lead: dict[str, Any] = LEAD) -> None:
    """A create that was sent and whose answer is lost; iVvy has made the lead."""
    fault(gateway, drop="after")
    answer = await upsert_lead(gateway, lead)
    assert (answer.status, answer.outcome) == ("UNKNOWN", "UNKNOWN")


# ---------------------------------------------------------------- at once, and again


async def test_calls_at_once_with_one_external_id_make_one_lead(gateway: Gateway) -> None:
    answers = await asyncio.gather(*(upsert_lead(gateway, LEAD) for _ in range(6)))
    assert sorted(answer.outcome for answer in answers) == ["CREATED"] + ["UPDATED"] * 5
    assert len({answer.result["id"] for answer in answers}) == 1
    assert len(leads(gateway, name="Autumn offsite")) == 1


async def test_the_link_outlives_the_gateway(
    sandbox: Sandbox, clock: ManualClock, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'kept.sqlite3'}"
    async with running(sandbox, clock, database_url=url) as first:
        made = await upsert_lead(first, LEAD)
    async with running(sandbox, clock, database_url=url) as second:
        answer = await upsert_lead(second, {"externalId": "L-1", "name": "Renamed"})
        assert (answer.outcome, answer.result["id"]) == ("UPDATED", made.result["id"])


async def test_leads_without_an_external_id_are_made_anew_each_time(gateway: Gateway) -> None:
    await upsert_lead(gateway, OF_ADA)
    await upsert_lead(gateway, OF_ADA)
    assert len(leads(gateway, name="Autumn offsite")) == 2


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
    person = {"email": "Eve@example.com", "firstName": "Eve", "lastName": "Moore"}
    lead = OF_HARBOUR | {"externalId": "L-1", "contact": person, "company": {"name": "Firm"}}
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


async def doubtful(gateway: Gateway, lead: dict[str, Any] = LEAD) -> dict[str, Any]:
    """The problem of a call that cannot tell what an earlier one has made."""
    held = len(leads(gateway))
    answer = await upsert_lead(gateway, lead)
    assert (answer.status, answer.outcome) == ("UNKNOWN", "UNKNOWN")
    assert len(leads(gateway)) == held
    [problem] = answer.errors
    assert (problem["code"], problem["field"]) == ("CONFLICT", ["externalId"])
    return problem


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
    for what in ({"status": 500}, {"status": 400}):
        fault(gateway, LIST_CALL, times=4, **what)
        assert "could not be looked up" in (await doubtful(gateway))["message"]
        gateway.sandbox.faults.clear()


async def test_an_intent_of_a_later_gateways_making_is_left_alone(gateway: Gateway) -> None:
    await begun(gateway, version=2)
    await doubtful(gateway)


async def test_a_filter_that_ivvy_ignores_does_not_confuse_the_search(gateway: Gateway) -> None:
    await unanswered(gateway)
    gateway.sandbox.ivvy.switches["unknown_filter"] = "ignore"
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


# ---------------------------------------------------------------- ids beside the externalId


async def test_an_id_with_a_new_external_id_adopts_that_lead(gateway: Gateway) -> None:
    answer = await upsert_lead(gateway, {"externalId": "L-9", "ivvy": {"id": "9001"}})
    assert (answer.outcome, answer.result["matchedBy"]) == ("UNCHANGED", "ivvy.id")
    answer = await upsert_lead(gateway, {"externalId": "L-9", "name": "Adopted"})
    assert (answer.result["id"], answer.result["matchedBy"]) == ("9001", "externalId")
    both = await upsert_lead(gateway, {"externalId": "L-9", "ivvy": {"id": "9001"}})
    assert (both.errors, both.outcome) == ([], "UNCHANGED")


async def test_an_id_settles_an_unanswered_create(gateway: Gateway) -> None:
    await unanswered(gateway)
    await upsert_lead(gateway, OF_ADA)
    await doubtful(gateway)
    answer = await upsert_lead(gateway, LEAD | {"ivvy": {"id": "9003"}})
    assert (answer.errors, answer.outcome) == ([], "UPDATED")
    assert (await upsert_lead(gateway, LEAD)).result["id"] == "9003"


async def test_an_id_with_an_external_id_of_another_lead_is_a_conflict(gateway: Gateway) -> None:
    made = await upsert_lead(gateway, LEAD)
    answer = await upsert_lead(gateway, {"externalId": "L-1", "ivvy": {"id": "9001"}})
    assert answer.told() == {"externalId": "CONFLICT"}
    assert "9001" in answer.errors[0]["message"]
    assert made.result["id"] in answer.errors[0]["message"]


async def test_a_lead_has_one_external_id(gateway: Gateway) -> None:
    await upsert_lead(gateway, {"externalId": "L-8", "ivvy": {"id": "9001"}})
    answer = await upsert_lead(gateway, {"externalId": "L-9", "ivvy": {"id": "9001"}})
    assert answer.told() == {"externalId": "CONFLICT"}
    assert "'L-8'" in answer.errors[0]["message"]


async def test_adoptions_at_once_of_one_lead_leave_one_external_id(gateway: Gateway) -> None:
    answers = await asyncio.gather(
        *(
            upsert_lead(gateway, {"externalId": f"L-{number}", "ivvy": {"id": "9001"}})
            for number in range(4)
        )
    )
    outcomes = sorted(answer.outcome for answer in answers)
    assert outcomes == ["REJECTED"] * 3 + ["UNCHANGED"]
    rejected = [answer for answer in answers if answer.outcome == "REJECTED"]
    assert {answer.errors[0]["code"] for answer in rejected} == {"CONFLICT"}


async def test_adoptions_at_once_by_one_external_id_leave_one_lead(gateway: Gateway) -> None:
    answers = await asyncio.gather(
        *(
            upsert_lead(gateway, {"externalId": "L-1", "ivvy": {"id": lead_id}})
            for lead_id in ("9001", "9002")
        )
    )
    assert sorted(answer.outcome for answer in answers) == ["REJECTED", "UNCHANGED"]


async def test_a_dead_link_is_not_found_and_named(gateway: Gateway) -> None:
    await upsert_lead(gateway, LEAD)
    change_lead(gateway, 9003, gone=True)
    answer = await upsert_lead(gateway, LEAD)
    assert (answer.status, answer.told()) == ("REJECTED", {"externalId": "NOT_FOUND"})
    assert "'L-1' stands for lead 9003" in answer.errors[0]["message"]
    assert len(lead_writes(gateway)) == 1
    query = '{ lead(by: {externalId: "L-1"}) { id } }'
    assert (await gateway.data(query))["lead"] is None


async def test_an_id_takes_the_place_of_a_dead_link(gateway: Gateway) -> None:
    await upsert_lead(gateway, LEAD)
    change_lead(gateway, 9003, gone=True)
    answer = await upsert_lead(gateway, {"externalId": "L-1", "ivvy": {"id": "9001"}})
    assert (answer.errors, answer.outcome) == ([], "UNCHANGED")
    assert (await upsert_lead(gateway, {"externalId": "L-1"})).result["id"] == "9001"


async def test_an_id_that_does_not_exist_is_not_found_and_never_a_create(gateway: Gateway) -> None:
    answer = await upsert_lead(gateway, LEAD | {"ivvy": {"id": "77777"}})
    assert answer.told() == {"ivvy.id": "NOT_FOUND"}
    assert (await upsert_lead(gateway, LEAD)).outcome == "CREATED"


# ---------------------------------------------------------------- a store that fails


class Broken:
    """A link table that fails from some step on."""

    def __init__(self, links: Links, *steps: str) -> None:
        self._table = links.table
        self._steps = steps

    def __getattr__(self, name: str) -> Any:
        if name in self._steps:
            return self._fail
        return getattr(self._table, name)

    async def _fail(self, *_given: Any, **_named: Any) -> Any:
        raise StoreUnavailableError("the disk is full")


async def test_without_the_store_nothing_is_sent(gateway: Gateway) -> None:
    links = links_of(gateway)
    whole = links.table
    for step in ("read_link", "begin_link"):
        links.table = Broken(links, step)  # type: ignore[assignment]
        answer = await upsert_lead(gateway, LEAD)
        assert (answer.status, answer.errors[0]["code"]) == ("FAILED", "UNAVAILABLE")
        links.table = whole
    assert lead_writes(gateway) == []
    assert (await upsert_lead(gateway, LEAD)).outcome == "CREATED"


async def test_a_link_that_could_not_be_stored_is_told_and_found_by_the_next_call(
    gateway: Gateway,
) -> None:
    links = links_of(gateway)
    whole = links.table
    links.table = Broken(links, "finish_link")  # type: ignore[assignment]
    answer = await upsert_lead(gateway, LEAD)
    assert (answer.status, answer.outcome) == ("APPLIED", "CREATED")
    [warning] = answer.result["warnings"]
    assert (warning["code"], warning["field"]) == ("UNAVAILABLE", ["externalId"])
    links.table = whole
    later(gateway, minutes=2)
    again = await upsert_lead(gateway, LEAD)
    assert (again.outcome, again.result["id"]) == ("UPDATED", answer.result["id"])


async def test_an_external_id_that_was_linked_elsewhere_meanwhile_is_told(
    gateway: Gateway,
) -> None:
    links = links_of(gateway)

    class Overtaken(Broken):
        async def begin_link(self, *given: Any, **named: Any) -> Any:
            begun = await self._table.begin_link(*given, **named)
            await self._table.drop_link(begun.intent)  # type: ignore[union-attr]
            await self._table.adopt_link(
                links.account, "L-1", "9001", holder="another", now=links.clock()
            )
            return begun

    links.table = Overtaken(links)  # type: ignore[assignment]
    answer = await upsert_lead(gateway, LEAD)
    assert answer.outcome == "CREATED"
    assert [warning["field"] for warning in answer.result["warnings"]] == [["externalId"]]


async def test_a_create_that_somebody_else_has_begun_meanwhile_is_not_sent(
    gateway: Gateway,
) -> None:
    links = links_of(gateway)

    class Overtaken(Broken):
        async def begin_link(self, *given: Any, **named: Any) -> Any:
            await self._table.begin_link(*given, **named)
            return await self._table.begin_link(*given, **named)

    links.table = Overtaken(links)  # type: ignore[assignment]
    answer = await upsert_lead(gateway, LEAD)
    assert (answer.status, answer.errors[0]["code"]) == ("FAILED", "CONFLICT")
    assert answer.errors[0]["retryable"] is True
    assert lead_writes(gateway) == []


async def test_an_external_id_that_no_store_takes_is_refused(gateway: Gateway) -> None:
    answer = await upsert_lead(gateway, LEAD | {"externalId": "L\x001"})
    assert answer.told() == {"externalId": "INVALID"}
