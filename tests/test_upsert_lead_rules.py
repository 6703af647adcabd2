"""The rules of a lead, each with a test of its name; none of these inputs reaches iVvy as a write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.leads import (
    OF_ADA,
    change_lead,
    lead_writes,
    refused,
    upsert_lead,
    without,
)

if TYPE_CHECKING:
    from tests.harness import Gateway


async def test_everything_that_is_missing_is_told_at_once(gateway: Gateway) -> None:
    answer = await refused(gateway, {"externalId": "L-1"})
    needed = ("name", "typeName", "stageName", "sourceName", "industryName", "contact")
    assert answer.told() == dict.fromkeys(needed, "REQUIRED")
    assert answer.data["contact"] is None


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"ivvy": {"typeId": "x"}}, "ivvy.typeId"),
        ({"ivvy": {"customFields": [{"id": "x", "values": ["1"]}]}}, "ivvy.customFields.0.id"),
        ({"contact": {"ivvy": {"groupIds": ["x"]}}}, "contact.ivvy.groupIds.0"),
        ({"contact": {"ivvy": {"customFields": [{"id": "x", "values": []}]}}},
         "contact.ivvy.customFields.0.id"),
        ({"company": {"ivvy": {"industryId": "x"}}}, "company.ivvy.industryId"),
        ({"ivvy": {"contactId": "x"}}, "ivvy.contactId"),
    ],
)  # fmt: skip
async def test_an_id_that_is_none_hides_no_other_problem(
    gateway: Gateway, wrong: dict[str, Any], field: str
) -> None:
    contact = {"externalId": "E-1001", "customFields": [{"name": "Badge number", "values": ["x"]}]}
    lead = {
        "externalId": "L-1",
        "stageName": "Nope",
        "customFields": [{"name": "Nope", "values": ["1"]}],
        **wrong,
        "contact": contact | wrong.get("contact", {}),
    }
    told = {".".join(problem["field"]) for problem in (await refused(gateway, lead)).errors}
    others = {"name", "sourceName", "customFields.0.name", "contact.customFields.0.values.0"}
    # By an id that finds the contact nobody can be asked: only names are told then.
    assert told >= {field, "stageName", *(() if field == "ivvy.contactId" else others)}


@pytest.mark.parametrize("value", ["", "x", "0"])
@pytest.mark.parametrize(
    "name",
    [
        *("typeId", "subtypeId", "stageId", "stageReasonId", "sourceId"),
        *("industryId", "qualityId", "channelId", "ownerUserId"),
    ],
)
async def test_an_id_that_is_none_is_told_beside_whatever_is_missing(
    gateway: Gateway, name: str, value: str
) -> None:
    answer = await refused(gateway, {"externalId": "L-1", "ivvy": {name: value}})
    assert answer.told()[f"ivvy.{name}"] == "INVALID"
    assert answer.told()["name"] == "REQUIRED"


@pytest.mark.parametrize("name", ["name", "typeName", "stageName", "sourceName"])
async def test_a_new_lead_needs_its_name_type_stage_and_source(gateway: Gateway, name: str) -> None:
    lead = without(OF_ADA, name, *(["subtypeName"] if name == "typeName" else []))
    assert (await refused(gateway, lead)).told() == {name: "REQUIRED"}


async def test_a_sub_type_is_required_when_the_type_has_any(gateway: Gateway) -> None:
    answer = await refused(gateway, without(OF_ADA, "subtypeName"))
    [problem] = answer.errors
    assert (problem["code"], problem["field"]) == ("REQUIRED", ["subtypeName"])
    assert problem["suggestions"] == ["One day", "Residential"]


async def test_a_sub_type_is_not_required_when_the_type_has_none(gateway: Gateway) -> None:
    lead = without(OF_ADA, "subtypeName") | {"typeName": "Wedding"}
    assert (await upsert_lead(gateway, lead)).outcome == "CREATED"


async def test_a_sub_type_is_required_when_the_type_changes_to_one_that_has_any(
    gateway: Gateway,
) -> None:
    answer = await refused(gateway, {"ivvy": {"id": "9002"}, "typeName": "Conference"})
    assert answer.told() == {"subtypeName": "REQUIRED"}


async def test_a_sub_type_of_another_type_is_invalid_with_the_right_choices(
    gateway: Gateway,
) -> None:
    lead = OF_ADA | {"typeName": "Wedding"}
    [problem] = (await refused(gateway, lead)).errors
    assert (problem["code"], problem["field"]) == ("INVALID", ["subtypeName"])
    assert "'Wedding'" in problem["message"]
    assert "has none" in problem["message"]
    by_id = without(OF_ADA, "subtypeName") | {"ivvy": {"subtypeId": "999"}}
    [problem] = (await refused(gateway, by_id)).errors
    assert (problem["code"], problem["field"]) == ("INVALID", ["ivvy", "subtypeId"])
    assert problem["suggestions"] == ["111", "112"]


async def test_a_sub_type_that_no_type_has_is_not_found_with_the_right_choices(
    gateway: Gateway,
) -> None:
    [problem] = (await refused(gateway, OF_ADA | {"subtypeName": "One dya"})).errors
    assert (problem["code"], problem["field"]) == ("NAME_NOT_FOUND", ["subtypeName"])
    assert problem["suggestions"] == ["One day"]


async def test_a_reason_of_another_stage_is_invalid_with_the_right_choices(
    gateway: Gateway,
) -> None:
    lost = OF_ADA | {"stageName": "Lost"}
    assert (await upsert_lead(gateway, lost | {"stageReasonName": "price"})).outcome == "CREATED"
    gateway.sandbox.calls.clear()
    [problem] = (await refused(gateway, OF_ADA | {"stageReasonName": "Price"})).errors
    assert (problem["code"], problem["field"]) == ("INVALID", ["stageReasonName"])
    by_id = lost | {"ivvy": {"stageReasonId": "111"}}
    [problem] = (await refused(gateway, by_id)).errors
    assert (problem["code"], problem["field"]) == ("INVALID", ["ivvy", "stageReasonId"])
    assert problem["suggestions"] == ["231", "232"]


async def test_a_reason_is_looked_up_within_the_stored_stage(gateway: Gateway) -> None:
    answer = await refused(gateway, {"ivvy": {"id": "9001"}, "stageReasonName": "Price"})
    assert answer.told() == {"stageReasonName": "INVALID"}
    made = await upsert_lead(gateway, OF_ADA | {"externalId": "L-1", "stageName": "Lost"})
    answer = await upsert_lead(gateway, {"externalId": "L-1", "stageReasonName": "Date taken"})
    assert (made.outcome, answer.outcome) == ("CREATED", "UPDATED")
    assert lead_writes(gateway)[-1]["stageReasonId"] == 232


async def test_a_child_of_a_stored_stage_that_is_no_leads_stage_needs_the_stage(
    gateway: Gateway,
) -> None:
    change_lead(gateway, 9001, stageId=24)  # an opportunity's stage: in no list for leads
    answer = await refused(gateway, {"ivvy": {"id": "9001"}, "stageReasonName": "Price"})
    assert answer.told() == {"stageReasonName": "INVALID"}
    assert "ivvy.stageReasonId" in answer.errors[0]["message"]


async def test_a_stage_of_opportunities_is_not_offered(gateway: Gateway) -> None:
    by_name = await refused(gateway, OF_ADA | {"stageName": "Proposal sent"})
    assert by_name.told() == {"stageName": "NAME_NOT_FOUND"}
    by_id = without(OF_ADA, "stageName") | {"ivvy": {"stageId": "24"}}
    assert (await refused(gateway, by_id)).told() == {"ivvy.stageId": "NOT_FOUND"}


async def test_every_stage_is_offered_when_the_list_does_not_say_what_they_are_for(
    gateway: Gateway,
) -> None:
    gateway.sandbox.ivvy.switches["stages_apply_to"] = False
    answer = await upsert_lead(gateway, OF_ADA | {"stageName": "Proposal sent"})
    # Only iVvy knows then, and its words reach the caller.
    [problem] = answer.errors
    assert (problem["code"], problem["backendCode"]) == ("INVALID", "24218")


async def test_inactive_users_are_not_offered_as_owners(gateway: Gateway) -> None:
    for name in ("Otto Former", "otto@example.com"):
        answer = await refused(gateway, OF_ADA | {"ownerName": name})
        assert answer.told() == {"ownerName": "NAME_NOT_FOUND"}
    answer = await refused(gateway, OF_ADA | {"ivvy": {"ownerUserId": "803"}})
    assert answer.told() == {"ivvy.ownerUserId": "NOT_FOUND"}


async def test_an_owner_is_known_by_full_name_and_by_email_address(gateway: Gateway) -> None:
    for name in ("sam seller", "sam.seller@example.com"):
        await upsert_lead(gateway, OF_ADA | {"ownerName": name})
    assert [body["ownerUserId"] for body in lead_writes(gateway)] == [801, 801]


async def test_every_wrong_name_and_id_is_told_at_once(gateway: Gateway) -> None:
    names = ("typeName", "stageName", "sourceName", "industryName", "qualityName", "channelName")
    wrong = dict.fromkeys((*names, "ownerName"), "Nonsense")
    ids = ("typeId", "stageId", "sourceId", "industryId", "qualityId", "channelId", "ownerUserId")
    lead = without(OF_ADA, "subtypeName") | wrong
    by_name = await refused(gateway, lead)
    assert by_name.told() == dict.fromkeys(wrong, "NAME_NOT_FOUND")
    assert "leadOptions" in by_name.errors[0]["message"]
    bare = {"name": "X", "contact": {"externalId": "E-1001"}}
    by_id = await refused(gateway, bare | {"ivvy": dict.fromkeys(ids, "77777")})
    assert by_id.told() == {f"ivvy.{name}": "NOT_FOUND" for name in ids}


async def test_a_sub_type_waits_for_a_type_that_is_known(gateway: Gateway) -> None:
    answer = await refused(gateway, OF_ADA | {"typeName": "Nonsense"})
    assert answer.told() == {"typeName": "NAME_NOT_FOUND"}


async def test_ids_of_a_wrong_form_are_told_where_they_stand(gateway: Gateway) -> None:
    names = ("id", "typeId", "contactId", "companyId")
    lead = OF_ADA | {
        "ivvy": dict.fromkeys(names, "x") | {"customFields": [{"id": "a", "values": []}]},
        "contact": {"ivvy": {"groupIds": ["b"]}},
        "company": {"name": "X", "ivvy": {"industryId": "c"}},
    }
    answer = await refused(gateway, lead)
    expected = {f"ivvy.{name}" for name in names} | {"ivvy.customFields.0.id"}
    expected |= {"contact.ivvy.groupIds.0", "company.ivvy.industryId"}
    assert answer.told() == dict.fromkeys(expected, "INVALID")


async def test_problems_of_contact_and_company_are_told_with_those_of_the_lead(
    gateway: Gateway,
) -> None:
    lead = {
        "name": "",
        "typeName": "Wedding",
        "stageName": "Neu",
        "customFields": [{"name": "Season", "values": ["1"]}, {"name": "Season", "values": []}],
        "contact": {"email": "nobody", "firstName": "A", "groupsName": ["Newsleter"]},
        "company": {
            "name": "Nowhere Ltd",
            "phone": "12",
            "email": "x",
            "industryName": "Tech",
            "address": {"countryCode": "Germany", "latitude": 99.0, "longitude": 1.0},
            "customFields": [{"name": "Teer", "values": ["Gold"]}],
        },
    }
    answer = await refused(gateway, lead)
    assert answer.told() == {
        "name": "INVALID",
        "stageName": "NAME_NOT_FOUND",
        "sourceName": "REQUIRED",
        "customFields.1.name": "INVALID",
        "contact.email": "INVALID",
        "contact.groupsName.0": "NAME_NOT_FOUND",
        "company.phone": "INVALID",
        "company.email": "INVALID",
        "company.industryName": "NAME_NOT_FOUND",
        "company.address.countryCode": "INVALID",
        "company.address.latitude": "INVALID",
        "company.customFields.0.name": "NAME_NOT_FOUND",
    }
