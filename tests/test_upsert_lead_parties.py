"""Whom a lead needs, and when its contact and its company do not fit each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.leads import (
    ADA,
    ENGINES,
    HARBOUR,
    MARY,
    NAMES,
    OF_ADA,
    OF_HARBOUR,
    change_lead,
    lead_writes,
    refused,
    upsert_lead,
    without,
)

if TYPE_CHECKING:
    from tests.harness import Gateway


async def test_an_industry_is_required_for_a_lead_of_a_contact(gateway: Gateway) -> None:
    answer = await refused(gateway, without(OF_ADA, "industryName"))
    assert answer.told() == {"industryName": "REQUIRED"}


async def test_an_industry_is_not_required_for_a_lead_of_a_company(gateway: Gateway) -> None:
    assert (await upsert_lead(gateway, OF_HARBOUR)).outcome == "CREATED"


async def test_a_contact_is_required_for_a_lead_of_a_contact(gateway: Gateway) -> None:
    answer = await refused(gateway, without(OF_ADA, "contact"))
    assert answer.told() == {"contact": "REQUIRED"}


async def test_a_person_is_required_for_a_lead_of_a_company(gateway: Gateway) -> None:
    answer = await refused(gateway, without(OF_HARBOUR, "contact"))
    assert answer.told() == {"contact": "REQUIRED"}
    assert "person" in answer.errors[0]["message"]
    by_id = NAMES | {"ivvy": {"companyId": str(HARBOUR)}}
    assert (await refused(gateway, by_id)).told() == {"contact": "REQUIRED"}


async def test_a_stored_lead_whose_contact_is_gone_can_be_changed_all_the_same(
    gateway: Gateway,
) -> None:
    """iVvy asks for the contact of a new lead only, and a person may have been deleted since."""
    made = await upsert_lead(gateway, OF_HARBOUR)
    change_lead(gateway, int(made.result["id"]), contactId=None)
    lead = {"ivvy": {"id": made.result["id"]}, "description": "For forty."}
    answer = await upsert_lead(gateway, lead)
    assert (answer.errors, answer.result["changedFields"]) == ([], ["description"])
    moved = await upsert_lead(gateway, lead | {"company": {"name": "Analytical Engines"}})
    assert moved.told() == {"contact": "REQUIRED"}
    alone = await upsert_lead(gateway, lead | {"company": None})
    assert alone.told() == {"contact": "REQUIRED", "industryName": "REQUIRED"}


async def test_a_person_at_a_company_without_a_company_is_invalid(gateway: Gateway) -> None:
    lead = without(OF_ADA, "contact") | {"ivvy": {"companyLeadContactId": str(ADA)}}
    answer = await refused(gateway, lead)
    assert answer.told() == {"ivvy.companyLeadContactId": "INVALID"}


async def test_a_lead_belongs_to_a_company_whenever_one_is_named(gateway: Gateway) -> None:
    """A company XOR a contact: with both it is the company's, and the contact is the person."""
    lead = OF_ADA | {"ivvy": {"companyId": str(ENGINES)}}
    answer = await upsert_lead(gateway, lead)
    assert answer.errors == []
    [body] = lead_writes(gateway)
    assert (body["companyId"], body["companyLeadContactId"]) == (ENGINES, ADA)
    assert "contactId" not in body


async def test_a_contact_who_is_not_at_the_company_is_invalid_by_id(gateway: Gateway) -> None:
    lead = NAMES | {"ivvy": {"companyId": str(HARBOUR), "companyLeadContactId": str(ADA)}}
    [problem] = (await refused(gateway, lead)).errors
    assert (problem["code"], problem["field"]) == ("INVALID", ["ivvy", "companyLeadContactId"])
    assert "objects" in problem["message"]


async def test_a_new_contact_is_not_at_a_company_that_is_only_an_id(gateway: Gateway) -> None:
    person = {"email": "new@example.com", "firstName": "New", "lastName": "One"}
    lead = NAMES | {"contact": person, "ivvy": {"companyId": str(HARBOUR)}}
    answer = await refused(gateway, lead)
    assert answer.told() == {"contact": "INVALID"}
    there = person | {"companiesName": ["Harbour Hotels"]}
    assert (await upsert_lead(gateway, lead | {"contact": there})).outcome == "CREATED"


async def test_company_and_contact_inline_are_linked(gateway: Gateway) -> None:
    lead = NAMES | {"contact": {"externalId": "E-1001"}, "company": {"name": "Harbour Hotels"}}
    answer = await upsert_lead(gateway, lead)
    assert answer.errors == []
    [body] = lead_writes(gateway)
    assert (body["company"], body["contact"]) == ({"id": HARBOUR}, {"id": ADA})
    [ada] = gateway.ivvy(externalId="E-1001")
    assert ada["companies"] == [ENGINES, HARBOUR]


async def test_another_id_beside_the_contact_is_a_conflict(gateway: Gateway) -> None:
    person = {"ivvy": {"id": str(ADA)}}
    for name in ("contactId", "companyLeadContactId"):
        lead = OF_HARBOUR | {"contact": person, "ivvy": {name: str(MARY)}}
        assert (await refused(gateway, lead)).told()[f"ivvy.{name}"] == "CONFLICT"
    ids = {"contactId": str(ADA), "companyLeadContactId": str(MARY)}
    answer = await refused(gateway, OF_HARBOUR | {"contact": {}, "ivvy": ids})
    assert answer.told()["ivvy.contactId"] == "CONFLICT"


async def test_another_id_beside_the_company_is_a_conflict(gateway: Gateway) -> None:
    lead = OF_HARBOUR | {
        "company": {"ivvy": {"id": str(HARBOUR)}},
        "ivvy": {"companyId": str(ENGINES)},
    }
    answer = await refused(gateway, lead)
    assert "CONFLICT" in answer.told().values()
    [problem] = [one for one in answer.errors if one["code"] == "CONFLICT"]
    assert str(HARBOUR) in problem["message"]
    assert str(ENGINES) in problem["message"]


async def test_the_same_id_beside_the_contact_is_that_contacts_id(gateway: Gateway) -> None:
    lead = OF_ADA | {
        "contact": {"lastName": "King"},
        "ivvy": {"contactId": str(ADA), "companyLeadContactId": None},
    }
    answer = await upsert_lead(gateway, lead)
    assert (answer.errors, answer.contact["matchedBy"]) == ([], "ivvy.contactId")
    assert lead_writes(gateway)[0]["contact"] == {"id": ADA, "lastName": "King"}
