"""A lead that is written again: what one write has left, the next one meets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.leads import (
    ADA,
    ENGINES,
    EVE,
    HARBOUR,
    MARY,
    NAMES,
    OF_HARBOUR,
    fault,
    lead_writes,
    leads,
    refused,
    unanswered,
    upsert_lead,
)

if TYPE_CHECKING:
    from tests.harness import Gateway

# ---------------------------------------------------------------- from type to type, stage to stage


async def test_the_stored_sub_type_and_reason_must_belong_to_a_new_type_and_stage(
    gateway: Gateway,
) -> None:
    lost = {"ivvy": {"id": "9001"}, "stageName": "Lost", "stageReasonName": "Price"}
    assert (await upsert_lead(gateway, lost)).outcome == "UPDATED"
    gateway.sandbox.calls.clear()
    kept = {"id": "9001", "subtypeId": "111", "stageReasonId": "231"}
    answer = await refused(gateway, {"ivvy": kept, "typeName": "Wedding", "stageName": "New"})
    assert answer.told() == {"ivvy.subtypeId": "INVALID", "ivvy.stageReasonId": "INVALID"}
    assert (await upsert_lead(gateway, {"ivvy": kept})).outcome == "UNCHANGED"


async def test_a_sub_type_that_two_types_have_is_said_again_with_the_other_type(
    gateway: Gateway,
) -> None:
    state = gateway.sandbox.ivvy.dump()
    fair = {"id": 13, "type": "Fair", "subtypes": [{"id": 111, "name": "One day"}]}
    state["tables"]["leadTypes"].append(fair)
    gateway.sandbox.ivvy.load(state)
    change = {"ivvy": {"id": "9001"}, "typeName": "Fair", "subtypeName": "One day"}
    assert (await upsert_lead(gateway, change)).errors == []
    assert lead_writes(gateway) == [{"id": 9001, "typeId": 13, "subtypeId": 111}]
    [lead] = leads(gateway, id=9001)
    assert (lead["typeId"], lead["subtypeId"]) == (13, 111)


# ---------------------------------------------------------------- the person and the company


@pytest.mark.parametrize("firm", ["Harbour Hotels", "Firm"])
@pytest.mark.parametrize("person", [{"externalId": "E-1004"}, {"externalId": "E-1001"}, EVE])
@pytest.mark.parametrize(
    ("says", "others"),
    [
        ({"companiesName": ["Analytical Engines"]}, [ENGINES]),
        ({"companiesName": None}, []),
        ({"ivvy": {"companyIds": []}}, []),
    ],
)
async def test_the_link_to_the_company_stands_beside_the_contacts_own_companies(
    gateway: Gateway, firm: str, person: dict[str, Any], says: dict[str, Any], others: list[int]
) -> None:
    lead = NAMES | {"externalId": "L-1", "contact": person | says, "company": {"name": firm}}
    answer = await upsert_lead(gateway, lead)
    assert (answer.errors, answer.outcome) == ([], "CREATED")
    [held] = gateway.ivvy(id=int(answer.contact["id"]))
    assert held["companies"] == [*others, int(answer.company["id"])]
    again = await upsert_lead(gateway, lead)
    assert (again.errors, again.outcome) == ([], "UNCHANGED")


@pytest.mark.parametrize("firm", ["Harbour Hotels", "Firm"])
@pytest.mark.parametrize("person", [{"externalId": "E-1001"}, EVE])
async def test_the_contact_may_name_the_company_that_the_lead_names(
    gateway: Gateway, firm: str, person: dict[str, Any]
) -> None:
    contact = person | {"companiesName": [firm.upper(), "Company 007"]}
    lead = NAMES | {"externalId": "L-1", "contact": contact, "company": {"name": firm}}
    answer = await upsert_lead(gateway, lead)
    assert (answer.errors, answer.outcome) == ([], "CREATED")
    [held] = gateway.ivvy(id=int(answer.contact["id"]))
    assert sorted(held["companies"]) == sorted([7107, int(answer.company["id"])])
    assert "companiesName" in answer.contact["changedFields"]
    again = await upsert_lead(gateway, lead)
    assert (again.errors, again.outcome) == ([], "UNCHANGED")
    other = lead | {"contact": contact | {"companiesName": ["Frim"]}, "company": {"name": "Firm 2"}}
    assert (await upsert_lead(gateway, other)).told() == {
        "contact.companiesName.0": "NAME_NOT_FOUND"
    }


async def test_a_person_is_not_taken_out_of_the_company_of_their_lead(gateway: Gateway) -> None:
    lead = {"ivvy": {"id": "9002"}}
    by_name = lead | {"contact": {"companiesName": ["Analytical Engines"]}}
    assert (await refused(gateway, by_name)).told() == {"contact.companiesName": "INVALID"}
    by_id = lead | {"contact": {"ivvy": {"companyIds": [str(ENGINES)]}}}
    assert (await refused(gateway, by_id)).told() == {"contact.ivvy.companyIds": "INVALID"}
    both = {"companiesName": ["Analytical Engines", "Harbour Hotels"]}
    assert (await upsert_lead(gateway, lead | {"contact": both})).outcome == "UPDATED"
    [mary] = gateway.ivvy(id=MARY)
    assert sorted(mary["companies"]) == [ENGINES, HARBOUR]


async def test_a_person_who_has_left_the_leads_company_is_told_of_and_linked_anew(
    gateway: Gateway,
) -> None:
    await gateway.upsert({"externalId": "E-1004", "companiesName": []}, targets=["IVVY"])
    gateway.sandbox.calls.clear()
    lead: dict[str, Any] = {"ivvy": {"id": "9002"}}
    person = {"phone": "+44 7700 900444"}
    answer = await refused(gateway, lead | {"contact": person})
    assert answer.told() == {"contact": "INVALID"}
    assert f"ontact {MARY} does not belong to company {HARBOUR}" in answer.errors[0]["message"]
    answer = await refused(gateway, lead | {"company": {"tradingName": "HH"}})
    assert answer.told() == {"company": "INVALID"}
    assert (await upsert_lead(gateway, lead | {"stageName": "New"})).outcome == "UPDATED"
    answer = await upsert_lead(gateway, lead | {"contact": person, "company": {}})
    assert answer.errors == []
    assert answer.contact["changedFields"] == ["phone", "companiesName"]
    [mary] = gateway.ivvy(id=MARY)
    assert (mary["companies"], mary["phone"]) == ([HARBOUR], "+447700900444")


@pytest.mark.parametrize("person", [{}, {"lastName": "King"}])
async def test_the_link_of_a_stored_contact_is_told(
    gateway: Gateway, person: dict[str, Any]
) -> None:
    lead = OF_HARBOUR | {"contact": {"externalId": "E-1001"} | person, "externalId": "L-1"}
    answer = await upsert_lead(gateway, lead)
    changed = [*person, "companiesName"]
    assert (answer.contact["outcome"], answer.contact["changedFields"]) == ("UPDATED", changed)
    assert "contact.companiesName" in answer.result["changedFields"]
    [ada] = gateway.ivvy(id=ADA)
    assert ada["companies"] == [ENGINES, HARBOUR]
    again = await upsert_lead(gateway, lead)
    assert (again.outcome, again.contact["outcome"]) == ("UNCHANGED", "UNCHANGED")


# ---------------------------------------------------------------- the names of companies


async def test_a_company_is_found_by_the_name_that_a_lead_has_just_given_it(
    gateway: Gateway,
) -> None:
    await upsert_lead(gateway, OF_HARBOUR)  # the list of companies is kept from now on
    renamed = {"name": "Harbour Grand", "ivvy": {"id": str(HARBOUR)}}
    assert (await upsert_lead(gateway, OF_HARBOUR | {"company": renamed})).errors == []
    answer = await upsert_lead(gateway, OF_HARBOUR | {"company": {"name": "harbour grand"}})
    assert (answer.company["outcome"], answer.company["matchedBy"]) == ("UNCHANGED", "name")
    assert answer.company["id"] == str(HARBOUR)


@pytest.mark.usefixtures("no_waiting")
async def test_a_company_is_found_that_an_unanswered_call_has_made(gateway: Gateway) -> None:
    lead = NAMES | {"contact": EVE, "company": {"name": "Firm"}, "externalId": "L-1"}
    await unanswered(gateway, lead)
    answer = await upsert_lead(gateway, lead | {"externalId": "L-2", "name": "Another"})
    assert (answer.outcome, answer.company["outcome"]) == ("CREATED", "UNCHANGED")
    assert answer.company["matchedBy"] == "name"


# ---------------------------------------------------------------- the id of what was made


async def test_a_lead_that_got_another_contact_since_does_not_lend_its_id(gateway: Gateway) -> None:
    lead = NAMES | {"contact": EVE, "company": {"name": "Firm"}, "externalId": "L-1"}
    query = """mutation ($input: LeadInput!) { upsertLead(input: $input, idempotencyKey: "k") {
      replayed contact { outcome id } company { outcome id } } }"""
    made = (await gateway.data(query, input=lead))["upsertLead"]
    again = (await gateway.data(query, input=lead))["upsertLead"]
    assert again == made | {"replayed": True}
    assert (await upsert_lead(gateway, OF_HARBOUR | {"externalId": "L-1"})).outcome == "UPDATED"
    moved = (await gateway.data(query, input=lead))["upsertLead"]
    assert moved["contact"] == moved["company"] == {"outcome": "CREATED", "id": None}


async def test_groups_are_not_joined_by_a_contact_that_the_lead_got_meanwhile(
    gateway: Gateway,
) -> None:
    body = {
        "meta": {"count": 1, "totalResults": 1, "start": 0, "perPage": 1},
        "results": [{"id": 9003, "contact": {"id": ADA, "email": "ada@example.com"}}],
    }
    fault(gateway, "/api/1.0/crm?action=getLeadList", body=body)
    person = EVE | {"addGroupsName": ["VIP"]}
    answer = await upsert_lead(gateway, OF_HARBOUR | {"contact": person, "externalId": "L-1"})
    assert (answer.outcome, answer.errors[0]["field"]) == ("PARTIAL", ["contact"])
    assert [group["groupId"] for group in gateway.ivvy(id=ADA)[0]["groups"]] == [301]
    again = await upsert_lead(gateway, OF_HARBOUR | {"contact": person, "externalId": "L-1"})
    assert again.contact["changedFields"] == ["addGroupsName"]


JOIN, LEAVE = "addContactsToSubscriptionGroup", "removeContactsFromSubscriptionGroup"


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize(
    ("person", "failing", "changed"),
    [
        (EVE, JOIN, []),
        ({"externalId": "E-1004"}, JOIN, []),
        ({"externalId": "E-1004"}, LEAVE, ["addGroupsName"]),
    ],
)
async def test_groups_that_were_not_joined_or_left_are_not_told_as_changed(
    gateway: Gateway, person: dict[str, Any], failing: str, changed: list[str]
) -> None:
    fault(gateway, f"/api/1.0/contact?action={failing}", times=50, status=500)
    groups = {"addGroupsName": ["Berlin Office"], "removeGroupsName": ["VIP"]}
    lead = OF_HARBOUR | {"contact": person | groups, "externalId": "L-1"}
    answer = await upsert_lead(gateway, lead)
    assert (answer.outcome, answer.contact["outcome"]) == ("PARTIAL", "PARTIAL")
    told = [name for name in answer.contact["changedFields"] if "Groups" in name]
    assert told == changed
    shown = [name for name in answer.result["changedFields"] if "Groups" in name]
    assert shown == [f"contact.{name}" for name in changed]


# ---------------------------------------------------------------- nulls, twice

LEAD_NULLS = (
    *("description", "subtypeName", "stageReasonName", "industryName", "qualityName"),
    *("channelName", "ownerName", "customFields"),
)
COMPANY_NULLS = (
    *("externalId", "tradingName", "businessNumber", "phone", "email", "website", "address"),
    *("industryName", "customFields"),
)
UNSEEN = {"industryName", "customFields"}
"""Of a lead; iVvy cannot clear them either."""


@pytest.mark.parametrize("name", LEAD_NULLS)
async def test_a_null_of_a_lead_means_the_same_the_second_time(gateway: Gateway, name: str) -> None:
    lead = OF_HARBOUR | {"typeName": "Wedding", "externalId": "L-1"}
    lead = {key: value for key, value in lead.items() if key != "subtypeName"} | {name: None}
    first, second = await upsert_lead(gateway, lead), await upsert_lead(gateway, lead)
    told = {name: "CANNOT_CLEAR"} if name in UNSEEN else {}
    assert (first.told(), second.told()) == (told, told)
    assert (first.outcome, second.outcome) == (
        ("REJECTED", "REJECTED") if told else ("CREATED", "UNCHANGED")
    )


@pytest.mark.parametrize("name", COMPANY_NULLS)
async def test_a_null_of_a_company_means_the_same_the_second_time(
    gateway: Gateway, name: str
) -> None:
    company = {"name": "Nobody Ltd", name: None}
    lead = OF_HARBOUR | {"externalId": "L-1", "company": company, "contact": EVE}
    assert (await upsert_lead(gateway, lead)).company["outcome"] == "CREATED"
    again = await upsert_lead(gateway, lead)
    assert (again.errors, again.outcome) == ([], "UNCHANGED")


async def test_a_contacts_lead_without_an_industry_is_told_so_once(gateway: Gateway) -> None:
    lead = NAMES | {"contact": {"externalId": "E-1001"}, "industryName": None}
    answer = await refused(gateway, lead)
    assert [(one["code"], one["field"]) for one in answer.errors] == [
        ("REQUIRED", ["industryName"])
    ]


@pytest.mark.parametrize(
    "lead",
    [
        {"qualityName": None},
        {"customFields": None},
        {"company": {"ivvy": {"id": "7002"}, "industryName": None}},
        {"contact": {"ivvy": {"id": "40003"}, "emailStatus": None}},
    ],
)
async def test_what_cannot_be_cleared_is_told_without_a_word_of_targets(
    gateway: Gateway, lead: dict[str, Any]
) -> None:
    given = {"ivvy": {"id": "9001"}} if "qualityName" in lead else {"ivvy": {"id": "9002"}}
    answer = await refused(gateway, lead | given)
    assert "CANNOT_CLEAR" in answer.told().values()
    assert not [one["message"] for one in answer.errors if "targets" in one["message"]]


async def test_a_lead_that_is_wrong_is_rejected_and_not_left_out(gateway: Gateway) -> None:
    await refused(gateway, OF_HARBOUR | {"externalId": "L-1", "name": " "}, ifMissing="SKIP")
