"""Sections 6.1 and 6.2 of the contract: every rule of addOrUpdateLead, and getLeadList."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.sandbox.ivvy import Ivvy

    Ask = Callable[..., Awaitable[Any]]

WRITE = "contact/addOrUpdateLead"
OF_ADA = 9001
ADA, GRACE, MARY = 40001, 40002, 40003
ENGINES, HARBOUR = 7001, 7002
BASIC = {"name": "Spring gala", "sourceId": 31, "typeId": 12, "stageId": 21}
PERSON = {**BASIC, "contactId": ADA, "industryId": 401}
FIRM = {**BASIC, "companyId": ENGINES, "companyLeadContactId": GRACE}
EMMY = {"firstName": "Emmy", "lastName": "Noether", "email": "emmy@example.com"}


async def test_lead_of_a_contact_is_created(ask: Ask, lead: Ask) -> None:
    answer = await ask(WRITE, **PERSON, description="Dinner", qualityId=41, channelId=52)
    assert answer["success"] is True
    row = await lead(answer["id"])
    assert row["contact"] == {
        "id": ADA,
        "firstName": "Ada",
        "lastName": "Byron",
        "email": "ada@example.com",
        "phone": "+44 7700 900101",
    }
    assert row["company"] is None
    assert (row["quality"], row["channelName"], row["sourceName"]) == ("Hot", "Phone", "Website")
    assert (row["type"], row["stageName"]) == ("Wedding", "New")


async def test_lead_of_a_company_is_created(ask: Ask, lead: Ask) -> None:
    answer = await ask(WRITE, **FIRM)
    row = await lead(answer["id"])
    assert row["company"]["businessName"] == "Analytical Engines"
    assert row["contact"]["id"] == GRACE


async def test_empty_request_is_24215(fail: Ask) -> None:
    assert (await fail(WRITE))["specificCode"] == 24215


async def test_unknown_lead_is_24216(fail: Ask) -> None:
    assert (await fail(WRITE, id=5, name="x"))["specificCode"] == 24216


async def test_wrong_type_is_the_generic_error(fail: Ask) -> None:
    answer = await fail(WRITE, **{**PERSON, "typeId": "x"})
    assert (answer["specificCode"], answer["message"]) == (23016, "'typeId' does not validate")
    answer = await fail(WRITE, id=OF_ADA, customFields=[{"fieldId": 701, "value": 80}])
    assert answer["message"] == "'customFields' does not validate"


@pytest.mark.parametrize("missing", BASIC)
async def test_create_requires_name_source_type_and_stage(problems: Ask, missing: str) -> None:
    sent = {key: value for key, value in PERSON.items() if key != missing}
    assert await problems(**sent) == [f"{missing} is required"]


async def test_all_broken_rules_come_together(problems: Ask) -> None:
    assert await problems(qualityId=9) == [
        "name is required",
        "sourceId is required",
        "typeId is required",
        "stageId is required",
        "qualityId 9 does not exist",
        "contactId is required for a lead of a contact",
        "industryId is required",
    ]


async def test_subtype_is_required_when_the_type_has_sub_types(ask: Ask, problems: Ask) -> None:
    conference = {**PERSON, "typeId": 11}
    assert await problems(**conference) == ["subtypeId is required, because the type has sub types"]
    assert (await ask(WRITE, **conference, subtypeId=112))["success"] is True


async def test_subtype_must_belong_to_the_type(problems: Ask) -> None:
    assert await problems(**PERSON, subtypeId=111) == ["subtypeId 111 does not belong to the type"]


async def test_reason_must_belong_to_the_stage(ask: Ask, lead: Ask, problems: Ask) -> None:
    assert await problems(**PERSON, stageReasonId=231) == [
        "stageReasonId 231 does not belong to the stage"
    ]
    answer = await ask(WRITE, **{**PERSON, "stageId": 23}, stageReasonId=232)
    assert (await lead(answer["id"]))["stageReasonName"] == "Date taken"


async def test_stage_of_opportunities_is_refused(problems: Ask) -> None:
    assert await problems(**{**PERSON, "stageId": 24}) == ["stageId 24 does not apply to leads"]


LOOKUPS = ("sourceId", "typeId", "stageId", "qualityId", "channelId", "industryId", "ownerUserId")


@pytest.mark.parametrize("key", LOOKUPS)
async def test_unknown_lookup_id_is_refused(problems: Ask, key: str) -> None:
    assert await problems(**{**PERSON, key: 9}) == [f"{key} 9 does not exist"]


async def test_lead_of_a_contact_requires_a_contact(problems: Ask) -> None:
    assert await problems(**BASIC, industryId=401) == [
        "contactId is required for a lead of a contact"
    ]
    assert await problems(**{**PERSON, "contactId": 5}) == ["contact 5 does not exist"]


async def test_lead_of_a_contact_requires_an_industry(problems: Ask) -> None:
    assert await problems(**BASIC, contactId=ADA) == ["industryId is required"]


async def test_lead_of_a_company_requires_an_industry_when_told(
    ask: Ask, problems: Ask, ivvy: Ivvy
) -> None:
    assert (await ask(WRITE, **FIRM))["success"] is True
    ivvy.switches["industry_for_company_leads"] = True
    assert await problems(**FIRM) == ["industryId is required"]


async def test_lead_of_a_company_requires_its_person(problems: Ask) -> None:
    assert await problems(**BASIC, companyId=ENGINES) == [
        "companyLeadContactId is required for a lead of a company"
    ]
    assert await problems(**{**FIRM, "companyId": 5}) == ["company 5 does not exist"]


async def test_person_must_belong_to_the_company(problems: Ask) -> None:
    assert await problems(**{**FIRM, "companyLeadContactId": MARY}) == [
        f"Contact {MARY} does not belong to company {ENGINES}"
    ]


async def test_either_key_names_the_person_of_a_company(
    ask: Ask, lead: Ask, problems: Ask, ivvy: Ivvy
) -> None:
    by_contact = {**BASIC, "companyId": ENGINES, "contactId": ADA}
    answer = await ask(WRITE, **by_contact)
    assert (await lead(answer["id"]))["contact"]["id"] == ADA
    assert await problems(**FIRM, contactId=ADA) == [
        "companyLeadContactId and contactId name different contacts"
    ]
    ivvy.switches["lead_contact_key"] = "companyLeadContactId"
    assert await problems(**by_contact) == [
        "companyLeadContactId is required for a lead of a company"
    ]
    ivvy.switches["lead_contact_key"] = "contactId"
    assert (await ask(WRITE, **by_contact))["success"] is True


async def test_inline_contact_satisfies_contact_id(ask: Ask, lead: Ask) -> None:
    answer = await ask(WRITE, **BASIC, industryId=401, contact=EMMY)
    assert (await lead(answer["id"]))["contact"]["email"] == "emmy@example.com"


async def test_inline_contact_with_its_id_is_updated(ask: Ask, lead: Ask) -> None:
    answer = await ask(WRITE, **BASIC, industryId=401, contact={"id": ADA, "phone": "1"})
    assert (await lead(answer["id"]))["contact"]["phone"] == "1"
    await ask(WRITE, id=answer["id"], contactId=ADA, contact={"phone": "2"})
    assert (await ask("contact/getContact", id=ADA))["phone"] == "2"


async def test_inline_id_must_not_differ_from_the_one_beside_it(problems: Ask) -> None:
    assert await problems(**PERSON, contact={"id": GRACE}) == [
        "contact: the id differs from the one beside it"
    ]


async def test_inline_contact_may_update_if_it_exists(ask: Ask, lead: Ask) -> None:
    ada = {"firstName": "Ada", "lastName": "Byron", "email": "ada@example.com"}
    answer = await ask(WRITE, **BASIC, industryId=401, contact={**ada, "updateIfExists": True})
    assert (await lead(answer["id"]))["contact"]["id"] == ADA


async def test_inline_company_and_contact_are_linked(ask: Ask, lead: Ask) -> None:
    answer = await ask(WRITE, **BASIC, company={"businessName": "Blue Kiln"}, contact=EMMY)
    row = await lead(answer["id"])
    contact = await ask("contact/getContact", id=row["contact"]["id"])
    assert contact["companies"] == [row["company"]["id"]]


async def test_inline_link_keeps_the_contacts_other_companies(ask: Ask, lead: Ask) -> None:
    harbour = {"businessName": "Harbour Hotels", "updateIfExists": True}
    answer = await ask(WRITE, **BASIC, company=harbour, contact={"id": ADA})
    assert (await lead(answer["id"]))["company"]["id"] == HARBOUR
    assert (await ask("contact/getContact", id=ADA))["companies"] == [ENGINES, HARBOUR]


async def test_inline_contact_alone_must_belong_to_the_company(ask: Ask, problems: Ask) -> None:
    found = await problems(**BASIC, companyId=ENGINES, contact=EMMY)
    assert len(found) == 1
    assert found[0].endswith(f"does not belong to company {ENGINES}")
    member = {**EMMY, "companies": [ENGINES]}
    assert (await ask(WRITE, **BASIC, companyId=ENGINES, contact=member))["success"] is True


async def test_bad_inline_objects_are_told_with_their_sentences(problems: Ask) -> None:
    found = await problems(**BASIC, company={"phone": 7}, contact={"firstName": "Emmy"})
    assert found == [
        "company: 'businessName' is required",
        "contact: 'lastName' is required",
    ]
    found = await problems(**BASIC, company={"id": ENGINES, "email": "x"}, contactId=ADA)
    assert found == [
        "company: 'email' does not validate",
        "company: Value must be a valid email address",
    ]


async def test_invalid_lead_saves_neither_company_nor_contact(problems: Ask, ivvy: Ivvy) -> None:
    before = deepcopy(ivvy.dump())
    inline = {"company": {"businessName": "Blue Kiln"}, "contact": EMMY}
    await problems(**{**BASIC, "stageId": 24}, **inline)
    stored = {"company": {"id": HARBOUR, "phone": "1"}, "contact": {"id": ADA, "phone": "1"}}
    await problems(**{**BASIC, "stageId": 24}, **stored)
    await problems(**BASIC, **inline, customFields=[{"fieldId": 9, "fieldValue": 1}])
    assert ivvy.dump() == before
