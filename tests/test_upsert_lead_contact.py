"""The contact of a lead: found first, written in the lead's one call, and told of."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.leads import (
    ADA,
    EVE,
    MARY,
    NAMES,
    OF_ADA,
    companies,
    lead_writes,
    leads,
    refused,
    upsert_lead,
)

if TYPE_CHECKING:
    from tests.harness import Gateway

pytestmark = pytest.mark.usefixtures("no_waiting")

OF_EVE: dict[str, Any] = OF_ADA | {"contact": EVE}
GROUP_CALL = "/api/1.0/contact?action=addContactsToSubscriptionGroup"


async def test_a_new_contact_is_made_with_the_lead_in_one_call(gateway: Gateway) -> None:
    answer = await upsert_lead(gateway, OF_EVE)
    assert answer.errors == []
    [call] = gateway.calls("ivvy", writes=True)
    assert call["body"]["contact"] == {
        "email": "Eve@example.com",
        "firstName": "Eve",
        "lastName": "Moore",
        "updateIfExists": True,
    }
    [eve] = gateway.ivvy(lastName="Moore")
    assert answer.contact == {
        "id": str(eve["id"]),
        "outcome": "CREATED",
        "matchedBy": None,
        "changedFields": ["email", "firstName", "lastName"],
        "ignoredFields": [],
    }
    assert "contact.email" in answer.result["changedFields"]


async def test_an_id_is_read_back_only_when_it_is_selected(gateway: Gateway) -> None:
    query = """mutation ($input: LeadInput!) {
      upsertLead(input: $input) { contact { outcome %s } company { outcome %s } } }"""
    lead = NAMES | {"contact": EVE, "company": {"name": "Firm"}}
    await gateway.data(query % ("", ""), input=lead)
    assert not _reads_of_leads(gateway)
    answer = await gateway.data(query % ("id", "id"), input=lead | {"contact": EVE})
    assert answer["upsertLead"]["contact"]["id"]
    assert not _reads_of_leads(gateway), "both were found, so their ids were known"
    other = NAMES | {"contact": EVE | {"email": "other@example.com"}, "company": {"name": "Firm 2"}}
    answer = await gateway.data(query % ("id", "id"), input=other)
    [firm] = companies(gateway, businessName="Firm 2")
    assert answer["upsertLead"]["company"]["id"] == str(firm["id"])
    assert len(_reads_of_leads(gateway)) == 1, "one read tells both"


async def test_an_id_that_cannot_be_read_back_is_an_error_of_its_own(gateway: Gateway) -> None:
    gateway.sandbox.faults.add(
        {"backend": "ivvy", "path": "/api/1.0/crm?action=getLeadList", "times": 50, "status": 500}
    )
    query = """mutation ($input: LeadInput!) {
      upsertLead(input: $input) { status contact { outcome id } lead { id } } }"""
    answer = await gateway.ask(query, input=OF_EVE)
    assert answer["data"]["upsertLead"]["status"] == "APPLIED"
    assert answer["data"]["upsertLead"]["contact"] == {"outcome": "CREATED", "id": None}
    assert answer["data"]["upsertLead"]["lead"] is None
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"BACKEND_ERROR"}


def _reads_of_leads(gateway: Gateway) -> list[dict[str, Any]]:
    calls = gateway.calls("ivvy")
    return [call for call in calls if call["query"]["action"] == "getLeadList"]


async def test_a_person_who_is_there_is_updated_and_not_doubled(gateway: Gateway) -> None:
    before = len(gateway.ivvy())
    person = {"email": "ADA@example.com", "lastName": "King", "paths": [], "middleInitial": "K"}
    answer = await upsert_lead(gateway, OF_ADA | {"contact": person})
    assert answer.errors == []
    assert lead_writes(gateway)[0]["contact"] == {"id": ADA, "lastName": "King"}
    assert len(gateway.ivvy()) == before
    assert (answer.contact["outcome"], answer.contact["matchedBy"]) == ("UPDATED", "email")
    assert answer.contact["ignoredFields"] == ["middleInitial", "paths"]
    assert answer.result["ignoredFields"] == ["contact.middleInitial", "contact.paths"]


async def test_the_conflicts_of_matching_hold_for_the_contact_of_a_lead(gateway: Gateway) -> None:
    several = await upsert_lead(gateway, OF_ADA | {"contact": {"email": "office@example.com"}})
    assert several.told() == {"contact.email": "CONFLICT"}
    assert several.errors[0]["message"].endswith("40004, 40005: say which one in contact.ivvy.id.")
    shared = {"externalId": "E-9", "email": "ada@example.com"}
    answer = await upsert_lead(gateway, OF_ADA | {"contact": shared})
    assert answer.told() == {"contact.externalId": "CONFLICT"}
    two = {"externalId": "E-1004", "ivvy": {"id": str(ADA)}}
    answer = await upsert_lead(gateway, OF_ADA | {"contact": two})
    assert answer.told() == {"contact.externalId": "CONFLICT"}
    for lead in (
        OF_ADA | {"contact": {"ivvy": {"id": "77777"}}},
        NAMES | {"industryName": "Technology", "ivvy": {"contactId": "77777"}},
    ):
        answer = await upsert_lead(gateway, lead)
        assert list(answer.told().values()) == ["NOT_FOUND"]
    assert answer.told() == {"ivvy.contactId": "NOT_FOUND"}
    assert lead_writes(gateway) == []


async def test_a_filter_that_ivvy_ignores_is_never_taken_for_no_contact(gateway: Gateway) -> None:
    gateway.sandbox.ivvy.switches["ignore_filters"] = True
    answer = await upsert_lead(gateway, OF_EVE)
    assert (answer.status, answer.errors[0]["code"]) == ("FAILED", "BACKEND_ERROR")
    assert lead_writes(gateway) == []


async def test_a_contact_without_a_key_is_the_stored_leads_own(gateway: Gateway) -> None:
    answer = await upsert_lead(gateway, {"ivvy": {"id": "9001"}, "contact": {"lastName": "King"}})
    assert answer.errors == []
    assert lead_writes(gateway) == [{"id": 9001, "contact": {"id": ADA, "lastName": "King"}}]
    assert answer.contact["matchedBy"] == "lead"
    assert answer.result["changedFields"] == ["contact.lastName"]


async def test_a_contact_of_the_stored_lead_that_is_gone_is_told(gateway: Gateway) -> None:
    gone = {"errorCode": 400, "specificCode": 24096, "message": "Contact not found"}
    path = "/api/1.0/contact?action=getContact"
    gateway.sandbox.faults.add({"backend": "ivvy", "path": path, "status": 400, "body": gone})
    answer = await upsert_lead(gateway, {"ivvy": {"id": "9001"}, "contact": {"lastName": "King"}})
    assert (answer.status, answer.told()) == ("REJECTED", {"contact": "NOT_FOUND"})
    assert answer.errors[0]["backendCode"] == "24096"


async def test_another_contact_takes_the_place_of_the_stored_one(gateway: Gateway) -> None:
    answer = await upsert_lead(
        gateway, {"ivvy": {"id": "9001"}, "contact": {"externalId": "E-1004"}}
    )
    assert (answer.errors, answer.result["changedFields"]) == ([], ["contact"])
    assert lead_writes(gateway) == [{"id": 9001, "contactId": MARY}]


async def test_statuses_and_consent_are_written_as_for_a_contact_of_its_own(
    gateway: Gateway,
) -> None:
    person = {"externalId": "E-1001", "emailStatus": "NO_MARKETING", "privacyConsent": True}
    await upsert_lead(gateway, OF_ADA | {"contact": person})
    assert lead_writes(gateway)[0]["contact"] == {"id": ADA, "status": 5, "privacyConsent": True}
    answer = await upsert_lead(gateway, OF_ADA | {"contact": person | {"emailStatus": None}})
    assert answer.told() == {"contact.emailStatus": "CANNOT_CLEAR"}


async def test_groups_of_a_stored_contact_are_changed_after_the_lead(gateway: Gateway) -> None:
    person = {"externalId": "E-1001", "addGroupsName": ["VIP"], "removeGroupsName": ["Newsletter"]}
    answer = await upsert_lead(gateway, OF_ADA | {"contact": person})
    assert (answer.errors, answer.outcome) == ([], "CREATED")
    actions = [call["query"]["action"] for call in gateway.calls("ivvy", writes=True)]
    assert actions[0] == "addOrUpdateLead"
    assert set(actions[1:]) == {
        "addContactsToSubscriptionGroup",
        "removeContactsFromSubscriptionGroup",
    }
    [ada] = gateway.ivvy(externalId="E-1001")
    assert [entry["groupId"] for entry in ada["groups"]] == [303]
    assert (answer.contact["outcome"], lead_writes(gateway)[0]["contactId"]) == ("UPDATED", ADA)


async def test_groups_alone_leave_the_lead_itself_unwritten(gateway: Gateway) -> None:
    change = {"ivvy": {"id": "9001"}, "contact": {"addGroupsName": ["VIP"]}}
    answer = await upsert_lead(gateway, change)
    assert (answer.outcome, answer.contact["outcome"]) == ("UPDATED", "UPDATED")
    assert lead_writes(gateway) == []
    assert (await upsert_lead(gateway, change)).outcome == "UNCHANGED"


async def test_groups_of_a_new_contact_are_joined_once_its_id_is_read_back(
    gateway: Gateway,
) -> None:
    lead = OF_EVE | {"contact": EVE | {"addGroupsName": ["VIP", "Newsletter"]}}
    planned = await upsert_lead(gateway, lead, dryRun=True)
    assert [body.get("contacts") for body in planned.bodies()] == [
        None,
        ["<contact.id of call 1>"],
        ["<contact.id of call 1>"],
    ]
    answer = await upsert_lead(gateway, lead)
    assert (answer.errors, answer.outcome) == ([], "CREATED")
    [eve] = gateway.ivvy(lastName="Moore")
    assert [entry["groupId"] for entry in eve["groups"]] == [303, 301]
    assert answer.contact["id"] == str(eve["id"])
    assert len(answer.result["calls"]) == 3


async def test_a_group_call_that_fails_leaves_the_write_partial(gateway: Gateway) -> None:
    gateway.sandbox.faults.add({"backend": "ivvy", "path": GROUP_CALL, "times": 50, "status": 500})
    for person in (
        EVE | {"addGroupsName": ["VIP"]},
        {"externalId": "E-1001", "addGroupsName": ["VIP"]},
    ):
        answer = await upsert_lead(gateway, OF_ADA | {"contact": person})
        assert (answer.status, answer.outcome) == ("PARTIAL", "PARTIAL")
        assert answer.result["id"] is not None
        assert answer.errors[0]["code"] == "BACKEND_ERROR"
        assert answer.contact["outcome"] == "PARTIAL"
        # Nothing finds the lead again: the same call would make another one.
        assert not answer.errors[0]["retryable"]
        assert f"Lead {answer.result['id']} is made." in answer.errors[0]["message"]
        found_again = OF_ADA | {"contact": person, "externalId": f"L-{answer.result['id']}"}
        assert (await upsert_lead(gateway, found_again)).errors[0]["retryable"]


async def test_a_new_contact_whose_id_cannot_be_read_back_leaves_the_write_partial(
    gateway: Gateway,
) -> None:
    path = "/api/1.0/crm?action=getLeadList"
    gateway.sandbox.faults.add({"backend": "ivvy", "path": path, "times": 4, "status": 500})
    lead = OF_EVE | {"contact": EVE | {"addGroupsName": ["VIP"]}, "externalId": "L-1"}
    answer = await upsert_lead(gateway, lead)
    assert (answer.status, answer.outcome) == ("PARTIAL", "PARTIAL")
    again = await upsert_lead(gateway, lead)
    assert (again.outcome, again.contact["outcome"]) == ("UPDATED", "UPDATED")
    assert [entry["groupId"] for entry in gateway.ivvy(lastName="Moore")[0]["groups"]] == [303]
    assert len(leads(gateway, name="Autumn offsite")) == 1
    body = {"meta": {"totalResults": 0}, "results": []}
    gateway.sandbox.faults.add({"backend": "ivvy", "path": path, "times": 1, "body": body})
    other = OF_EVE | {"contact": EVE | {"email": "e2@example.com", "addGroupsName": ["VIP"]}}
    answer = await upsert_lead(gateway, other)
    assert (answer.outcome, answer.errors[0]["field"]) == ("PARTIAL", ["contact"])
    assert not answer.errors[0]["retryable"]
    lead_id = answer.result["id"]
    again = await upsert_lead(gateway, other | {"ivvy": {"id": lead_id}})
    assert (again.errors, again.result["id"]) == ([], lead_id)


async def test_two_leads_of_one_new_person_and_company_make_one_of_each(gateway: Gateway) -> None:
    lead = NAMES | {"contact": EVE | {"externalId": "E-77"}, "company": {"name": "Firm"}}
    answers = await asyncio.gather(
        *(upsert_lead(gateway, lead | {"externalId": f"L-{number}"}) for number in range(4))
    )
    assert [answer.outcome for answer in answers] == ["CREATED"] * 4
    assert len(leads(gateway, name="Autumn offsite")) == 4
    assert len(gateway.ivvy(externalId="E-77")) == 1
    assert len(companies(gateway, businessName="Firm")) == 1
    assert (
        sorted(answer.company["outcome"] for answer in answers) == ["CREATED"] + ["UNCHANGED"] * 3
    )
    assert (
        sorted(answer.contact["outcome"] for answer in answers) == ["CREATED"] + ["UNCHANGED"] * 3
    )


@pytest.mark.parametrize(
    ("lead", "advice"),
    [
        ({"contact": {"ivvy": {"id": "49999"}}}, "leave contact.ivvy.id out"),
        ({"ivvy": {"contactId": "49999"}}, "leave ivvy.contactId out"),
        (
            {"contact": {"ivvy": {"id": "40001"}, "externalId": "E-1002"}},
            "contact.ivvy.id means record 40001 and externalId 'E-1002' means record 40002",
        ),
        (
            {"contact": {"externalId": "E-777", "email": "ada@example.com"}},
            "give its id in contact.ivvy.id",
        ),
        ({"company": {"phone": "+493023125105"}}, "or give company.ivvy.id"),
    ],
)
async def test_advice_about_a_contact_or_company_does_not_speak_of_the_leads_own_id(
    gateway: Gateway, lead: dict[str, Any], advice: str
) -> None:
    answer = await refused(gateway, OF_ADA | lead)
    assert advice in answer.errors[0]["message"]


async def test_a_group_that_has_gone_may_be_given_by_its_id(gateway: Gateway) -> None:
    store = gateway.sandbox.ivvy._store
    ada = store.get("contacts", ADA) or {}
    store.put("contacts", {**ada, "groups": [{"groupId": 999, "joinDate": store.stamp()}]})
    contact = {"externalId": "E-1001", "groupsName": ["999"]}
    answer = await upsert_lead(gateway, OF_ADA | {"contact": contact})
    assert (answer.errors, answer.contact["outcome"]) == ([], "UNCHANGED")
    gateway.sandbox.calls.clear()
    unknown = {"externalId": "E-1001", "groupsName": ["998"]}
    assert (await refused(gateway, OF_ADA | {"contact": unknown})).told() == {
        "contact.groupsName.0": "NAME_NOT_FOUND"
    }
