"""The company of a lead: found first, written in the lead's one call, and told of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
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
    companies,
    lead_writes,
    leads,
    upsert_lead,
)

if TYPE_CHECKING:
    from tests.harness import Gateway

FIRM: dict[str, Any] = {
    "name": "Lovelace & Co",
    "externalId": "C-9",
    "tradingName": "L&Co",
    "businessNumber": "1815",
    "phone": "+44 7700 900333",
    "email": "desk@example.org",
    "website": "https://example.org",
    "industryName": "Technology",
    "address": {"line1": "1 Row", "city": "Sydney", "region": "nsw", "postalCode": "2000", "countryCode": "au"},
    "customFields": [{"name": "Tier", "values": ["Gold"]}, {"name": "Rooms", "values": ["12"]}],
}  # fmt: skip


async def test_a_new_company_is_made_with_everything_of_it(gateway: Gateway) -> None:
    lead = NAMES | {"contact": EVE, "company": FIRM}
    answer = await upsert_lead(gateway, lead | {"externalId": "L-1"})
    assert answer.errors == []
    assert lead_writes(gateway)[0]["company"] == {
        "businessName": "Lovelace & Co",
        "externalId": "C-9",
        "tradingName": "L&Co",
        "businessNumber": "1815",
        "website": "https://example.org",
        "phone": "+447700900333",
        "email": "desk@example.org",
        "address": {
            "line1": "1 Row",
            "city": "Sydney",
            "postalCode": "2000",
            "countryCode": "AU",
            "stateCode": "NSW",
        },
        "industryId": 401,
        "customFields": [{"fieldId": 601, "value": "1"}, {"fieldId": 603, "value": 12}],
        "updateIfExists": True,
    }
    [firm] = companies(gateway, businessName="Lovelace & Co")
    assert (answer.company["id"], answer.company["outcome"]) == (str(firm["id"]), "CREATED")
    [eve] = gateway.ivvy(lastName="Moore")
    assert eve["companies"] == [firm["id"]]
    again = await upsert_lead(gateway, lead | {"externalId": "L-1"})
    assert (again.outcome, again.company["outcome"]) == ("UNCHANGED", "UNCHANGED")


@pytest.mark.parametrize("rule", ["honoured", "ignored"])
async def test_a_company_that_somebody_made_a_moment_ago_is_found(
    gateway: Gateway, rule: str
) -> None:
    """Not made anew, which would write over all of its address. iVvy's clock may be behind ours."""
    await upsert_lead(gateway, OF_HARBOUR)
    gateway.sandbox.ivvy.switches["ignore_filters"] = rule == "ignored"
    state = gateway.sandbox.ivvy.dump()
    [harbour] = companies(gateway, id=HARBOUR)
    firm = harbour | {
        "id": 7100,
        "businessName": "Lovelace & Co",
        "address": {"line1": "1 Row"},
        "modifiedDate": f"{datetime.now(UTC) - timedelta(minutes=2):%Y-%m-%d %H:%M:%S}",
    }
    state["tables"]["companies"].append(firm)
    gateway.sandbox.ivvy.load(state)
    lead = NAMES | {
        "company": {"name": "lovelace & co", "address": {"city": "Bern"}},
        "contact": {"ivvy": {"id": str(MARY)}},
    }
    answer = await upsert_lead(gateway, lead, dryRun=True)
    assert (answer.company["id"], answer.company["matchedBy"]) == ("7100", "name")
    assert answer.bodies()[0]["company"]["address"] == {"line1": "1 Row", "city": "Bern"}
    again = await upsert_lead(gateway, lead | {"company": {"name": "Lovelace"}}, dryRun=True)
    assert again.company["matchedBy"] is None


async def test_a_company_that_is_there_is_patched(gateway: Gateway) -> None:
    change = {"name": "harbour hotels", "tradingName": "Harbour", "website": None, "phone": None}
    answer = await upsert_lead(gateway, OF_HARBOUR | {"company": change})
    assert answer.errors == []
    assert lead_writes(gateway)[0]["company"] == {
        "id": HARBOUR,
        "tradingName": "Harbour",
        "phone": "",
    }
    assert answer.company["changedFields"] == ["tradingName", "phone"]
    assert answer.result["changedFields"][-2:] == ["company.tradingName", "company.phone"]
    [held] = companies(gateway, id=HARBOUR)
    assert (held["businessName"], held["phone"]) == ("Harbour Hotels", "")


async def test_a_name_beside_an_id_renames_the_company(gateway: Gateway) -> None:
    company = {"name": "Harbour Grand", "ivvy": {"id": str(HARBOUR)}}
    answer = await upsert_lead(gateway, OF_HARBOUR | {"company": company})
    assert (answer.errors, answer.company["matchedBy"]) == ([], "ivvy.id")
    assert lead_writes(gateway)[0]["company"] == {"id": HARBOUR, "businessName": "Harbour Grand"}


async def test_a_name_that_several_companies_have_is_ambiguous(gateway: Gateway) -> None:
    answer = await upsert_lead(gateway, OF_HARBOUR | {"company": {"name": "Twin Peaks Catering"}})
    [problem] = answer.errors
    assert (problem["code"], problem["field"]) == ("NAME_AMBIGUOUS", ["company", "name"])
    assert problem["suggestions"] == ["7003", "7004"]
    assert "company.ivvy.id" in problem["message"]
    assert lead_writes(gateway) == []


async def test_a_company_id_that_does_not_exist_is_not_found(gateway: Gateway) -> None:
    by_id = await upsert_lead(gateway, OF_HARBOUR | {"company": {"ivvy": {"id": "77777"}}})
    assert by_id.told() == {"company.ivvy.id": "NOT_FOUND"}
    lead = {name: OF_HARBOUR[name] for name in OF_HARBOUR if name != "company"}
    beside = await upsert_lead(gateway, lead | {"ivvy": {"companyId": "77777"}})
    assert beside.told() == {"ivvy.companyId": "NOT_FOUND"}


async def test_a_company_needs_a_name_or_an_id(gateway: Gateway) -> None:
    answer = await upsert_lead(gateway, OF_HARBOUR | {"company": {"tradingName": "X"}})
    assert answer.told() == {"company.name": "REQUIRED"}


async def test_a_company_without_a_key_is_the_stored_leads_own(gateway: Gateway) -> None:
    answer = await upsert_lead(
        gateway, {"ivvy": {"id": "9002"}, "company": {"businessNumber": "42"}}
    )
    assert answer.errors == []
    # The person is said too: a company's lead is always said whole.
    assert lead_writes(gateway) == [
        {
            "id": 9002,
            "company": {"id": HARBOUR, "businessNumber": "42"},
            "companyLeadContactId": MARY,
        }
    ]
    assert answer.company["matchedBy"] == "lead"


async def test_a_company_that_was_made_a_moment_ago_is_found_by_its_name(gateway: Gateway) -> None:
    firm = {"company": {"name": "Firm"}}
    await upsert_lead(gateway, NAMES | firm | {"contact": EVE})
    answer = await upsert_lead(gateway, NAMES | firm | {"contact": {"externalId": "E-1001"}})
    assert (answer.company["outcome"], answer.company["matchedBy"]) == ("UNCHANGED", "name")


@pytest.mark.parametrize("name", ["Analytical Engines", "Company 001"])
async def test_a_listed_company_that_is_gone_or_renamed_is_made_anew(
    gateway: Gateway, name: str
) -> None:
    await upsert_lead(gateway, OF_HARBOUR)  # the list of companies is kept from now on
    state = gateway.sandbox.ivvy.dump()
    for row in state["tables"]["companies"]:
        if row["id"] == ENGINES:
            row["businessName"] = "Difference Engines"
        if row["businessName"] == "Company 001":
            row["deleted"] = True
    gateway.sandbox.ivvy.load(state)
    answer = await upsert_lead(gateway, NAMES | {"company": {"name": name}, "contact": EVE})
    assert (answer.errors, answer.company["outcome"]) == ([], "CREATED")
    assert lead_writes(gateway)[-1]["company"] == {"businessName": name, "updateIfExists": True}


async def test_a_company_that_ivvy_will_not_show_refuses_the_lead(gateway: Gateway) -> None:
    denied = {"errorCode": 400, "specificCode": 23016, "message": "'id' does not validate"}
    path = "/api/1.0/contact?action=getCompany"
    fault = {"backend": "ivvy", "path": path, "times": 2, "status": 400, "body": denied}
    gateway.sandbox.faults.add(fault)
    for company in ({"name": "Harbour Hotels"}, {"ivvy": {"id": str(HARBOUR)}}):
        answer = await upsert_lead(gateway, OF_HARBOUR | {"company": company})
        assert (answer.status, answer.errors[0]["backendCode"]) == ("REJECTED", "23016")


async def test_a_lead_moves_to_another_company_with_a_person_who_is_there(
    gateway: Gateway,
) -> None:
    alone = {"ivvy": {"id": "9002"}, "company": {"name": "Analytical Engines"}}
    answer = await upsert_lead(gateway, alone)
    assert answer.told() == {"company": "INVALID"}
    answer = await upsert_lead(gateway, alone | {"contact": {"externalId": "E-1001"}})
    assert answer.errors == []
    assert lead_writes(gateway) == [{"id": 9002, "companyId": ENGINES, "companyLeadContactId": ADA}]
    assert answer.result["changedFields"] == ["contact", "company"]


async def test_a_change_of_the_person_leaves_the_lead_with_its_company(gateway: Gateway) -> None:
    answer = await upsert_lead(
        gateway, {"ivvy": {"id": "9002"}, "contact": {"externalId": "E-1004", "lastName": "S"}}
    )
    assert answer.errors == []
    [lead] = leads(gateway, id=9002)
    assert (lead["companyId"], lead["contactId"]) == (HARBOUR, MARY)
    assert lead_writes(gateway)[0]["companyId"] == HARBOUR


async def test_null_turns_a_companys_lead_into_its_persons_with_a_warning(
    gateway: Gateway,
) -> None:
    answer = await upsert_lead(gateway, {"ivvy": {"id": "9002"}, "company": None})
    assert answer.told() == {"industryName": "REQUIRED"}
    answer = await upsert_lead(
        gateway, {"ivvy": {"id": "9002"}, "company": None, "industryName": "Technology"}
    )
    assert (answer.errors, answer.result["changedFields"]) == ([], ["industryName", "company"])
    [warning] = answer.result["warnings"]
    assert (warning["code"], warning["field"]) == ("CANNOT_CLEAR", ["company"])
    [lead] = leads(gateway, id=9002)
    assert (lead["companyId"], lead["contactId"]) == (None, MARY)


async def test_a_contacts_lead_becomes_a_companys(gateway: Gateway) -> None:
    answer = await upsert_lead(gateway, {"ivvy": {"id": "9001", "companyId": str(ENGINES)}})
    assert (answer.errors, answer.result["changedFields"]) == ([], ["ivvy.companyId"])
    [lead] = leads(gateway, id=9001)
    assert (lead["companyId"], lead["contactId"]) == (ENGINES, ADA)
    assert answer.company["matchedBy"] == "ivvy.companyId"


async def test_another_company_of_the_same_letters_stays_the_contacts_own(gateway: Gateway) -> None:
    store = gateway.sandbox.ivvy._store
    harbour = store.get("companies", HARBOUR) or {}
    store.put("companies", {**harbour, "id": 7099, "businessName": "HARBOUR HOTELS"})
    contact = {"externalId": "E-1001", "companiesName": ["HARBOUR HOTELS", "harbour hotels "]}
    lead = OF_HARBOUR | {"company": {"name": "Harbour Hotels"}, "contact": contact}
    answer = await upsert_lead(gateway, lead)
    assert (answer.errors, answer.company["id"]) == ([], str(HARBOUR))
    [held] = gateway.ivvy(externalId="E-1001")
    assert held["companies"] == [7099, HARBOUR]
