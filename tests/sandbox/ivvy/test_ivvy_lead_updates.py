"""Sections 6.1 and 6.2 of the contract: updates of leads, their owner and fields, getLeadList."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.sandbox.ivvy import Ivvy

    Ask = Callable[..., Awaitable[Any]]

WRITE, LIST = "contact/addOrUpdateLead", "crm/getLeadList"
OF_ADA, OF_HARBOUR = 9001, 9002
ADA, GRACE, MARY = 40001, 40002, 40003
ENGINES, HARBOUR = 7001, 7002
BASIC = {"name": "Spring gala", "sourceId": 31, "typeId": 12, "stageId": 21}
PERSON = {**BASIC, "contactId": ADA, "industryId": 401}
FIRM = {**BASIC, "companyId": ENGINES, "companyLeadContactId": GRACE}


def stored(ivvy: Ivvy, key: int) -> Any:
    (row,) = [row for row in ivvy.dump()["tables"]["leads"] if row["id"] == key]
    return row


async def test_update_keeps_what_is_absent(ask: Ask, lead: Ask) -> None:
    before = await lead(OF_ADA)
    assert await ask(WRITE, id=OF_ADA, qualityId=43) == {"success": True, "id": OF_ADA}
    after = await lead(OF_ADA)
    changed = {key for key in after if after[key] != before[key]}
    assert changed == {"qualityId", "quality", "modifiedDate"}


async def test_new_type_or_stage_drops_sub_type_and_reason(
    ask: Ask, lead: Ask, problems: Ask
) -> None:
    await ask(WRITE, id=OF_ADA, typeId=12, stageId=23, stageReasonId=231)
    row = await lead(OF_ADA)
    assert (row["subtypeId"], row["stageReasonName"]) == (None, "Price")
    assert row["adminStatusChangedDate"] != "2025-01-15 08:30:00 UTC"
    await ask(WRITE, id=OF_ADA, stageId=22)
    assert (await lead(OF_ADA))["stageReasonId"] is None
    assert await problems(id=OF_ADA, typeId=11) == [
        "subtypeId is required, because the type has sub types"
    ]


async def test_description_is_cleared_by_empty_text(ask: Ask, lead: Ask, problems: Ask) -> None:
    await ask(WRITE, id=OF_ADA, description="")
    assert (await lead(OF_ADA))["description"] == ""
    assert await problems(id=OF_ADA, name="") == ["name is required"]


async def test_contact_type_changes_only_with_a_link_key(ask: Ask, lead: Ask, ivvy: Ivvy) -> None:
    await ask(WRITE, id=OF_HARBOUR, name="Renamed")
    assert (await lead(OF_HARBOUR))["company"]["id"] == HARBOUR
    await ask(WRITE, id=OF_HARBOUR, contactId=ADA, industryId=401)
    row = await lead(OF_HARBOUR)
    assert (row["company"], row["contact"]["id"]) == (None, ADA)
    await ask(WRITE, id=OF_HARBOUR, companyLeadContactId=GRACE)
    assert (await lead(OF_HARBOUR))["contact"]["id"] == ADA
    await ask(WRITE, id=OF_HARBOUR, companyId=ENGINES)
    row = await lead(OF_HARBOUR)
    assert (row["company"]["id"], row["contact"]["id"]) == (ENGINES, ADA)
    ivvy.switches["lead_contact_alone"] = "keep_company"
    await ask(WRITE, id=OF_HARBOUR, contactId=GRACE)
    row = await lead(OF_HARBOUR)
    assert (row["company"]["id"], row["contact"]["id"]) == (ENGINES, GRACE)


async def test_new_company_needs_a_person_of_its_own(ask: Ask, lead: Ask, problems: Ask) -> None:
    assert await problems(id=OF_HARBOUR, companyId=ENGINES) == [
        f"Contact {MARY} does not belong to company {ENGINES}"
    ]
    await ask(WRITE, id=OF_HARBOUR, companyId=ENGINES, companyLeadContactId=ADA)
    assert (await lead(OF_HARBOUR))["contact"]["id"] == ADA


async def test_person_of_a_company_changes_by_its_own_key(ask: Ask, lead: Ask) -> None:
    answer = await ask(WRITE, **FIRM)
    await ask(WRITE, id=answer["id"], companyLeadContactId=ADA)
    row = await lead(answer["id"])
    assert (row["company"]["id"], row["contact"]["id"]) == (ENGINES, ADA)


async def test_contact_alone_needs_an_industry_to_take_a_company_lead(problems: Ask) -> None:
    assert await problems(id=OF_HARBOUR, contactId=ADA) == ["industryId is required"]


async def test_inactive_owner_is_refused(ask: Ask, lead: Ask, problems: Ask) -> None:
    assert await problems(id=OF_ADA, ownerUserId=803) == ["ownerUserId 803 is not active"]
    await ask(WRITE, id=OF_ADA, ownerUserId=802)
    assert (await lead(OF_ADA))["ownerUser"]["email"] == "ina@example.com"


async def test_owner_change_follows_its_switch(
    ask: Ask, lead: Ask, problems: Ask, ivvy: Ivvy
) -> None:
    ivvy.switches["owner_change"] = "ignore"
    await ask(WRITE, id=OF_ADA, ownerUserId=802)
    assert (await lead(OF_ADA))["ownerUser"]["id"] == 801
    ivvy.switches["owner_change"] = "refuse"
    assert await problems(id=OF_ADA, ownerUserId=802) == [
        "The user of the api key may not change the owner"
    ]
    assert (await ask(WRITE, id=OF_ADA, ownerUserId=801))["success"] is True


async def test_custom_fields_are_merged_under_the_key_field_value(ask: Ask, ivvy: Ivvy) -> None:
    await ask(WRITE, id=OF_ADA, customFields=[{"fieldId": 701, "fieldValue": 80}])
    await ask(WRITE, id=OF_ADA, customFields=[{"fieldId": 703, "fieldValue": "2"}])
    assert stored(ivvy, OF_ADA)["customFields"] == {"701": 80, "703": "2"}


async def test_bad_custom_field_value_is_told(problems: Ask) -> None:
    found = await problems(id=OF_ADA, customFields=[{"fieldId": 701, "fieldValue": "many"}])
    assert found == ["Custom field Delegates: Value must be a whole number"]


async def test_mandatory_custom_fields_hold_for_a_create_when_told(
    ask: Ask, problems: Ask, ivvy: Ivvy
) -> None:
    ivvy.switches["lead_fields_required"] = [701]
    assert await problems(**PERSON) == ["Custom field Delegates is required"]
    value = [{"fieldId": 701, "fieldValue": 80}]
    assert (await ask(WRITE, **PERSON, customFields=value))["success"] is True


async def test_keys_of_other_integrations_are_ignored(ask: Ask) -> None:
    extra = {"type": "x", "stageName": 7, "sourceName": None, "venueId": []}
    assert (await ask(WRITE, **PERSON, **extra))["success"] is True


async def test_list_shows_the_documented_fields_and_no_custom_fields(lead: Ask) -> None:
    assert set(await lead(OF_HARBOUR)) == {
        *("id", "name", "description", "ownerUser", "contact", "company", "currentBookingId"),
        *("qualityId", "quality", "stageId", "stageName", "stageReasonId", "stageReasonName"),
        *("adminStatusChangedDate", "typeId", "type", "subtypeId", "sourceId", "sourceName"),
        *("channelId", "channelName", "leadBccEmail", "closedDate", "lostToCompetition"),
        *("createdDate", "modifiedDate"),
    }


async def test_lead_is_fetched_by_the_filter_on_id(ask: Ask, ivvy: Ivvy) -> None:
    answer = await ask(LIST, filter={"id": OF_HARBOUR}, perPage=1, start=0)
    assert [row["id"] for row in answer["results"]] == [OF_HARBOUR]
    assert (await ask(LIST, filter={"id": 5}))["results"] == []
    ivvy.switches["filterable"] = "documented"
    assert len((await ask(LIST, filter={"id": OF_ADA}))["results"]) == 1
    ivvy.switches["ignore_filters"] = True
    assert len((await ask(LIST, filter={"id": OF_ADA}))["results"]) == 2


async def test_contact_phone_can_be_a_number(lead: Ask, ivvy: Ivvy) -> None:
    ivvy.switches["lead_phone_as_number"] = True
    assert (await lead(OF_ADA))["contact"]["phone"] == 447700900101
