"""A lead through GraphQL: names become ids, one call writes all, and the receipt is true."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.leads import (
    ADA,
    HARBOUR,
    MARY,
    OF_ADA,
    OF_HARBOUR,
    lead_writes,
    leads,
    upsert_lead,
)

if TYPE_CHECKING:
    from tests.harness import Gateway

pytestmark = pytest.mark.usefixtures("no_waiting")

FULL: dict[str, Any] = {
    **OF_ADA,
    "externalId": "L-1",
    "description": "Thirty people",
    "stageName": "Lost",
    "stageReasonName": "Price",
    "qualityName": "hot",
    "channelName": "Phone",
    "ownerName": "SAM.SELLER@example.com",
    "customFields": [
        {"name": "Delegates", "values": ["30"]},
        {"name": "Budget note", "values": ["tight"]},
    ],
}


async def test_a_lead_of_a_person_is_made_with_ids_instead_of_names(gateway: Gateway) -> None:
    answer = await upsert_lead(gateway, FULL)
    assert answer.errors == []
    assert (answer.status, answer.outcome) == ("APPLIED", "CREATED")
    [body] = lead_writes(gateway)
    assert body == {
        "name": "Autumn offsite",
        "description": "Thirty people",
        "typeId": 11,
        "subtypeId": 111,
        "stageId": 23,
        "stageReasonId": 231,
        "sourceId": 31,
        "industryId": 401,
        "qualityId": 41,
        "channelId": 52,
        "ownerUserId": 801,
        "customFields": [
            {"fieldId": 701, "fieldValue": 30},
            {"fieldId": 702, "fieldValue": "tight"},
        ],
        "contactId": ADA,
    }
    assert answer.bodies() == [body]
    [lead] = leads(gateway, name="Autumn offsite")
    assert answer.result["id"] == str(lead["id"])
    assert lead["customFields"] == {"701": 30, "702": "tight"}


async def test_the_same_call_twice_makes_one_lead(gateway: Gateway) -> None:
    first = await upsert_lead(gateway, FULL)
    second = await upsert_lead(gateway, FULL)
    assert (first.outcome, second.outcome) == ("CREATED", "UPDATED")
    assert second.result["matchedBy"] == "externalId"
    assert second.result["id"] == first.result["id"]
    assert len(leads(gateway, name="Autumn offsite")) == 1
    # What iVvy does not show is sent again, and nothing else.
    assert lead_writes(gateway)[1].keys() == {"id", "industryId", "customFields"}


async def test_the_same_call_twice_is_unchanged_where_ivvy_shows_all_of_it(
    gateway: Gateway,
) -> None:
    lead = OF_HARBOUR | {"externalId": "L-2"}
    assert (await upsert_lead(gateway, lead)).outcome == "CREATED"
    again = await upsert_lead(gateway, lead)
    assert (again.status, again.outcome) == ("APPLIED", "UNCHANGED")
    assert (again.result["changedFields"], again.result["calls"]) == ([], [])
    assert (again.contact["outcome"], again.company["outcome"]) == ("UNCHANGED", "UNCHANGED")
    assert len(lead_writes(gateway)) == 1


async def test_a_lead_of_a_company_names_the_person_there(gateway: Gateway) -> None:
    answer = await upsert_lead(gateway, OF_HARBOUR)
    assert answer.errors == []
    [body] = lead_writes(gateway)
    assert (body["companyId"], body["companyLeadContactId"]) == (HARBOUR, MARY)
    assert "contactId" not in body
    assert (answer.contact["id"], answer.contact["matchedBy"]) == (str(MARY), "externalId")
    assert (answer.company["id"], answer.company["matchedBy"]) == (str(HARBOUR), "name")


async def test_an_absent_field_keeps_and_a_value_sets(gateway: Gateway) -> None:
    await upsert_lead(gateway, FULL)
    answer = await upsert_lead(gateway, {"externalId": "L-1", "stageName": "Qualified"})
    assert answer.result["changedFields"] == ["stageName"]
    assert lead_writes(gateway)[1] == {"id": int(answer.result["id"]), "stageId": 22}
    [lead] = leads(gateway, name="Autumn offsite")
    assert (lead["qualityId"], lead["description"]) == (41, "Thirty people")


async def test_null_clears_the_description(gateway: Gateway) -> None:
    await upsert_lead(gateway, FULL)
    answer = await upsert_lead(gateway, {"externalId": "L-1", "description": None})
    assert (answer.errors, answer.result["changedFields"]) == ([], ["description"])
    [lead] = leads(gateway, name="Autumn offsite")
    assert not lead["description"]


async def test_null_for_an_id_that_ivvy_cannot_clear_is_told(gateway: Gateway) -> None:
    await upsert_lead(gateway, FULL)
    nulls: dict[str, Any] = dict.fromkeys(
        (
            *("name", "typeName", "stageName", "stageReasonName", "sourceName", "industryName"),
            *("qualityName", "channelName", "ownerName", "customFields", "contact", "subtypeName"),
        )
    )
    answer = await upsert_lead(gateway, {"externalId": "L-1", **nulls})
    assert answer.status == "REJECTED"
    assert answer.told() == dict.fromkeys(nulls, "CANNOT_CLEAR")
    assert len(lead_writes(gateway)) == 1


async def test_null_of_a_reason_is_fulfilled_by_another_stage(gateway: Gateway) -> None:
    await upsert_lead(gateway, FULL)
    change = {"externalId": "L-1", "stageName": "Qualified", "stageReasonName": None}
    answer = await upsert_lead(gateway, change)
    assert (answer.errors, answer.outcome) == ([], "UPDATED")
    assert leads(gateway, name="Autumn offsite")[0]["stageReasonId"] is None


async def test_null_says_nothing_of_a_field_that_has_no_value(gateway: Gateway) -> None:
    nulls: dict[str, Any] = dict.fromkeys(("qualityName", "ownerName", "description", "company"))
    answer = await upsert_lead(gateway, OF_ADA | nulls)
    assert (answer.errors, answer.outcome) == ([], "CREATED")
    assert "description" not in lead_writes(gateway)[0]


async def test_ids_win_over_the_names_beside_them(gateway: Gateway) -> None:
    ids = {
        "typeId": "12", "stageId": "22", "sourceId": "32", "industryId": "402", "qualityId": "42",
        "channelId": "51", "ownerUserId": "802", "contactId": str(MARY),
    }  # fmt: skip
    named = {key: value for key, value in OF_ADA.items() if key not in {"subtypeName", "contact"}}
    answer = await upsert_lead(gateway, named | {"ivvy": ids})
    assert answer.errors == []
    assert lead_writes(gateway) == [
        {"name": "Autumn offsite"} | {key: int(value) for key, value in ids.items()}
    ]
    assert answer.result["ignoredFields"] == [
        "typeName",
        "stageName",
        "sourceName",
        "industryName",
    ]
    assert "ivvy.typeId" in answer.result["changedFields"]
    assert answer.contact["matchedBy"] == "ivvy.contactId"


async def test_a_dry_run_shows_the_call_and_stores_nothing(gateway: Gateway) -> None:
    answer = await upsert_lead(gateway, FULL, dryRun=True)
    assert (answer.status, answer.outcome) == ("PLANNED", "PLANNED")
    assert answer.contact["outcome"] == "PLANNED"
    assert gateway.calls("ivvy", writes=True) == []
    [planned] = answer.bodies()
    await upsert_lead(gateway, FULL)
    assert lead_writes(gateway) == [planned]


async def test_if_missing_skip_leaves_out_a_lead_that_is_not_there(gateway: Gateway) -> None:
    answer = await upsert_lead(gateway, FULL, ifMissing="SKIP")
    assert (answer.status, answer.outcome) == ("APPLIED", "SKIPPED")
    assert answer.data["contact"] is None
    assert gateway.calls("ivvy", writes=True) == []


async def test_a_replace_clears_what_it_leaves_out_as_far_as_ivvy_can(gateway: Gateway) -> None:
    await upsert_lead(gateway, FULL)
    answer = await upsert_lead(gateway, OF_ADA | {"externalId": "L-1"}, mode="REPLACE")
    assert answer.errors == []
    assert answer.result["changedFields"] == ["description", "stageName", "industryName"]
    ignored = ["qualityName", "channelName", "ownerName", "customFields"]
    assert answer.result["ignoredFields"] == ignored
    assert leads(gateway, name="Autumn offsite")[0]["description"] == ""


async def test_a_replace_patches_the_contact(gateway: Gateway) -> None:
    await upsert_lead(gateway, OF_ADA | {"externalId": "L-1"})
    lead = OF_ADA | {"externalId": "L-1", "contact": {"externalId": "E-1001", "lastName": "King"}}
    answer = await upsert_lead(gateway, lead, mode="REPLACE")
    assert answer.contact["changedFields"] == ["lastName"]
    [ada] = gateway.ivvy(externalId="E-1001")
    assert (ada["lastName"], ada["phone"]) == ("King", "+44 7700 900101")


async def test_a_replace_keeps_whom_the_lead_belongs_to_when_it_does_not_say(
    gateway: Gateway,
) -> None:
    await upsert_lead(gateway, OF_HARBOUR | {"externalId": "L-2"})
    whole = {key: OF_HARBOUR[key] for key in OF_HARBOUR if key not in {"contact", "company"}}
    answer = await upsert_lead(gateway, whole | {"externalId": "L-2"}, mode="REPLACE")
    assert (answer.errors, answer.outcome) == ([], "UNCHANGED")
    assert answer.result["ignoredFields"] == ["industryName", "customFields"]


async def test_a_gateway_without_ivvy_says_so(gateway: Gateway) -> None:
    gateway.app.state.account.adapters.clear()
    answer = await upsert_lead(gateway, FULL | {"name": " "})
    assert answer.status == "REJECTED"
    assert [problem["code"] for problem in answer.errors] == ["INVALID", "NOT_CONFIGURED"]
    assert answer.result["errors"][0]["code"] == "NOT_CONFIGURED"


async def test_a_list_that_cannot_be_read_leaves_the_lead_unwritten(gateway: Gateway) -> None:
    path = "/api/1.0/crm?action=getLeadTypeList"
    gateway.sandbox.faults.add({"backend": "ivvy", "path": path, "times": 50, "status": 503})
    answer = await upsert_lead(gateway, FULL)
    assert (answer.status, answer.errors[0]["code"]) == ("FAILED", "UNAVAILABLE")
    assert lead_writes(gateway) == []


async def test_a_caller_who_goes_away_ends_the_look_up(gateway: Gateway) -> None:
    path = "/api/1.0/contact?action=getContactList"
    gateway.sandbox.faults.add({"backend": "ivvy", "path": path, "delayMs": 60_000})
    asking = asyncio.create_task(upsert_lead(gateway, FULL))
    while not gateway.calls("ivvy"):  # noqa: ASYNC110 - nothing tells when a call is recorded
        await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert lead_writes(gateway) == []
