"""Section 5.6 of the contract, and notes (5.9)."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.sandbox.ivvy import Ivvy

    Ask = Callable[..., Awaitable[Any]]

WRITE, READ, LIST = (
    f"contact/{name}" for name in ("addOrUpdateCompany", "getCompany", "getCompanyList")
)
ENGINES, HARBOUR, TWIN, OTHER_TWIN = range(7001, 7005)
ADA, GRACE = 40001, 40002


async def test_create_answers_with_success_and_update_with_the_bare_id(ask: Ask) -> None:
    created = await ask(WRITE, businessName="Blue Kiln")
    assert created["success"] is True
    assert await ask(WRITE, id=created["id"], phone="1") == {"id": created["id"]}


async def test_create_requires_a_business_name(fail: Ask) -> None:
    for sent in ({}, {"businessName": ""}, {"businessName": None}):
        assert (await fail(WRITE, phone="1", **sent))["message"] == "'businessName' is required"


async def test_every_field_is_stored_and_read(ask: Ask) -> None:
    plain = {
        "businessName": "Blue Kiln",
        "externalId": "C-9",
        "tradingName": "Kiln",
        "businessNumber": "12 345",
        "phone": "+44 7700 900301",
        "otherPhone": "+44 7700 900302",
        "fax": "+44 7700 900303",
        "website": "https://example.org",
        "email": "kiln@example.org",
        "iataNumber": "9",
        "address": {"line1": "1 Kiln Lane", "city": "Leeds", "countryCode": "GB"},
        "isAgent": 1,
        "commissionSpace": 12.5,
        "commissionSpaceType": 2,
    }
    sent = {"primaryAccountManagerId": 801, "industryId": 402, "primaryContactId": ADA}
    created = await ask(WRITE, **plain, **sent, customFields=[{"fieldId": 605, "value": "GB"}])
    company = await ask(READ, id=created["id"])
    assert {key: company[key] for key in plain} == plain
    assert company["primaryAccountManager"] == {
        "id": 801,
        "firstName": "Sam",
        "lastName": "Seller",
        "email": "sam.seller@example.com",
    }
    assert company["secondaryAccountManager"] is None
    assert company["industry"] == {"id": 402, "name": "Hospitality"}
    assert company["primaryContact"]["phone"] == "+44 7700 900101"
    assert {row["displayName"]: row["value"] for row in company["customFields"]}["Market"] == "GB"


async def test_update_keeps_what_is_absent(ask: Ask) -> None:
    before = await ask(READ, id=ENGINES)
    await ask(WRITE, id=ENGINES, website="https://example.com")
    after = await ask(READ, id=ENGINES)
    assert {key for key in after if after[key] != before[key]} == {"website", "modifiedDate"}


async def test_empty_text_clears_and_null_can_clear(ask: Ask, ivvy: Ivvy) -> None:
    await ask(WRITE, id=ENGINES, phone="", externalId="", address=None)
    company = await ask(READ, id=ENGINES)
    assert (company["phone"], company["externalId"]) == ("", None)
    assert company["address"]["city"] == "London"
    ivvy.switches["null_scalar"] = "clear"
    await ask(WRITE, id=ENGINES, address=None, industryId=None)
    company = await ask(READ, id=ENGINES)
    assert (company["address"], company["industry"]) == ({}, None)


async def test_list_leaves_out_other_phone_and_external_urls(ask: Ask) -> None:
    full = set(await ask(READ, id=ENGINES))
    listed = set((await ask(LIST, perPage=1))["results"][0])
    assert full - listed == {"otherPhone", "externalUrls"}
    assert {"leftValue", "rightValue", "depth", "rootId", "parentCompanyId"} <= listed


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"businessName": "Harbour Hotels"}, [HARBOUR]),
        ({"businessName": "Twin Peaks Catering"}, [TWIN, OTHER_TWIN]),
        ({"businessName__BEGINS": "Analytical"}, [ENGINES]),
        ({"externalId": "C-2"}, [HARBOUR]),
        ({"venueId": 2}, [HARBOUR]),
        ({"venueGroupId": 1}, [ENGINES]),
        ({"fromModifiedDate": "2025-01-15 08:30:01"}, []),
        ({"toModifiedDate": "2025-01-15 08:29:59 UTC"}, []),
    ],
)
async def test_company_list_is_filtered(
    ask: Ask, filters: dict[str, Any], expected: list[int]
) -> None:
    assert [row["id"] for row in (await ask(LIST, filter=filters))["results"]] == expected


async def test_company_list_has_no_documented_field_filters(ask: Ask, ivvy: Ivvy) -> None:
    ivvy.switches["filterable"] = "documented"
    answer = await ask(LIST, filter={"businessName": "Harbour Hotels"})
    assert answer["meta"]["totalResults"] == 134


async def test_unknown_company_is_24153(fail: Ask) -> None:
    answer = await fail(READ, id=5)
    assert (answer["errorCode"], answer["specificCode"]) == (400, 24153)


async def test_update_if_exists_matches_the_business_name(ask: Ask) -> None:
    answer = await ask(WRITE, businessName="harbour hotels", fax="1", updateIfExists=True)
    assert answer == {"id": HARBOUR}
    assert (await ask(WRITE, businessName="Blue Kiln", updateIfExists=True))["success"] is True


@pytest.mark.parametrize(("rule", "chosen"), [("first", TWIN), ("last", OTHER_TWIN)])
async def test_several_matches_follow_their_switch(
    ask: Ask, ivvy: Ivvy, rule: str, chosen: int
) -> None:
    ivvy.switches["several_matches"] = rule
    twin = {"businessName": "Twin Peaks Catering", "updateIfExists": True}
    assert await ask(WRITE, **twin) == {"id": chosen}
    ivvy.switches["several_matches"] = "refuse"
    assert (await ask(WRITE, **twin))["message"] == "More than one company matches"


async def test_same_name_is_created_again_unless_told_to_refuse(ask: Ask, ivvy: Ivvy) -> None:
    assert (await ask(WRITE, businessName="Harbour Hotels"))["id"] != HARBOUR
    ivvy.switches["duplicate_company"] = "refuse"
    assert (await ask(WRITE, businessName="Harbour Hotels"))["success"] is False


async def test_inline_primary_contact_is_saved_and_joins_the_company(ask: Ask) -> None:
    person = {"firstName": "Emmy", "lastName": "Noether", "email": "emmy@example.com"}
    created = await ask(WRITE, businessName="Blue Kiln", primaryContact=person)
    company = await ask(READ, id=created["id"])
    assert company["primaryContact"]["email"] == "emmy@example.com"
    contact = await ask("contact/getContact", id=company["primaryContact"]["id"])
    assert contact["companies"] == [created["id"]]
    await ask(WRITE, id=ENGINES, primaryContact={"id": GRACE, "phone": "1"})
    assert (await ask(READ, id=ENGINES))["primaryContact"]["id"] == GRACE


async def test_bad_inline_contact_saves_no_company(ask: Ask, fail: Ask, ivvy: Ivvy) -> None:
    before = deepcopy(ivvy.dump())
    answer = await fail(WRITE, businessName="Blue Kiln", primaryContact={"firstName": "Emmy"})
    assert answer["message"] == "'lastName' is required"
    refused = await ask(WRITE, businessName="Blue Kiln", primaryContact={"id": 5})
    assert refused["success"] is False
    assert ivvy.dump() == before


@pytest.mark.parametrize(
    "sent",
    [
        {"id": 5},
        {"primaryContactId": 5},
        {"primaryAccountManagerId": 5},
        {"secondaryAccountManagerId": 5},
        {"industryId": 5},
        {"customFields": [{"fieldId": 601, "value": "Gold"}]},
        {"customFields": [{"fieldId": 501, "value": "1"}]},
    ],
)
async def test_broken_rule_is_success_false(ask: Ask, sent: dict[str, Any]) -> None:
    assert (await ask(WRITE, **{"id": ENGINES, **sent}))["success"] is False


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("businessName", 7),
        ("email", "nobody"),
        ("address", "London"),
        ("address", {"street": "x"}),
        ("primaryContact", 7),
        ("isAgent", 2),
        ("commissionFood", "ten"),
        ("commissionFoodType", 3),
        ("externalUrls", [{}]),
    ],
)
async def test_wrong_type_names_the_parameter(fail: Ask, name: str, value: Any) -> None:
    answer = await fail(WRITE, **{"id": ENGINES, name: value})
    assert answer["message"] == f"'{name}' does not validate"


async def test_external_urls_hold_for_companies(ask: Ask) -> None:
    entry = {"ref": "a", "url": "https://example.com/a", "label": None}
    await ask(WRITE, id=ENGINES, externalUrls=[entry])
    assert (await ask(READ, id=ENGINES))["externalUrls"] == [entry]
    await ask(WRITE, id=ENGINES, externalUrls=None)
    assert (await ask(READ, id=ENGINES))["externalUrls"] == []


NOTES = {
    "contact/addOrUpdateContactNote": ("contact/getContactNoteList", "contactId", ADA, "noteText"),
    "contact/addOrUpdateCompanyNote": (
        "contact/getCompanyNoteList",
        "companyId",
        ENGINES,
        "noteText",
    ),
    "crm/addOrUpdateLeadNote": ("crm/getLeadNoteList", "leadId", 9001, "note"),
}


@pytest.mark.parametrize("write", NOTES)
async def test_note_is_added_changed_and_listed(ask: Ask, write: str) -> None:
    read, owner, key, text = NOTES[write]
    added = await ask(write, **{owner: key, text: "<p>First</p>"})
    assert added["success"] is True
    assert await ask(write, **{"id": added["id"], text: "Second"}) == added
    answer = await ask(read, **{owner: key})
    assert answer["meta"]["totalResults"] == 1
    note = answer["results"][0]
    assert (note[text], note[owner], note["createdByUserId"]) == ("Second", key, 801)
    assert note["createdDate"].endswith(" UTC")


@pytest.mark.parametrize("write", NOTES)
async def test_note_requires_its_owner_and_text(fail: Ask, write: str) -> None:
    read, owner, key, text = NOTES[write]
    assert (await fail(write, **{text: "x"}))["message"] == f"'{owner}' is required"
    assert (await fail(write, **{owner: key}))["message"] == f"'{text}' is required"
    assert (await fail(read))["message"] == f"'{owner}' is required"
    assert (await fail(read, **{owner: 5}))["specificCode"] == 90424


async def test_note_of_nobody_fails_by_its_channel(ask: Ask, fail: Ask) -> None:
    lost = await fail("crm/addOrUpdateLeadNote", leadId=5, note="x")
    assert lost["specificCode"] == 24441
    assert (await fail("crm/addOrUpdateLeadNote", id=5, note="x"))["specificCode"] == 24434
    assert (await ask("contact/addOrUpdateContactNote", id=5, noteText="x"))["success"] is False
    answer = await ask("contact/addOrUpdateCompanyNote", companyId=5, noteText="x")
    assert answer["success"] is False
