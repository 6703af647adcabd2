"""mode: REPLACE, through GraphQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.harness import Gateway

ADA: dict[str, Any] = {
    "externalId": "E-1001",
    "email": "ada@example.com",
    "firstName": "Ada",
    "lastName": "Byron",
    "recordTypeName": "Resident",
}


async def test_what_the_input_leaves_out_is_cleared_everywhere(gateway: Gateway) -> None:
    answer = await gateway.upsert(ADA, mode="REPLACE")
    assert answer.errors == []
    gateway.clock.advance(60)
    [ivvy] = gateway.ivvy(externalId="E-1001")
    assert not ivvy["phone"]
    assert (ivvy["groups"], ivvy["companies"], ivvy["externalUrls"]) == ([], [], [])
    [everbridge] = gateway.everbridge(externalId="E-1001")
    for name in ("middleInitial", "suffix", "country", "timezoneId", "address"):
        assert not everbridge.get(name), name
    assert not everbridge.get("contactAttributes")
    assert everbridge["groups"] == []
    assert [path["value"] for path in everbridge["paths"]] == ["ada@example.com"]
    [sendgrid] = gateway.sendgrid("ada@example.com")
    assert not any(
        value for key, value in sendgrid["texts"].items() if key not in {"first_name", "last_name"}
    )
    assert sendgrid["list_ids"] == []


async def test_keys_statuses_and_consent_never_change_by_absence(gateway: Gateway) -> None:
    [before] = gateway.ivvy(externalId="E-1001")
    given = {key: value for key, value in ADA.items() if key != "externalId"}
    answer = await gateway.upsert(
        given | {"ivvy": {"id": str(before["id"])}}, mode="REPLACE", targets=["IVVY"]
    )
    assert answer.errors == []
    [after] = gateway.ivvy(id=before["id"])
    for name in ("externalId", "email", "status", "smsStatus", "privacyConsentData"):
        assert after[name] == before[name], name


async def test_vendor_fields_outside_the_model_are_carried_over(gateway: Gateway) -> None:
    [before] = gateway.everbridge(externalId="E-1001")
    answer = await gateway.upsert(ADA, mode="REPLACE", targets=["EVERBRIDGE"])
    assert answer.errors == []
    [after] = gateway.everbridge(externalId="E-1001")
    for name in ("businessName", "vip", "ssoUserId", "preferredLanguage", "topics", "userId"):
        assert after[name] == before[name], name
    assert after["recordTypeId"] != before["recordTypeId"]


async def test_required_fields_are_those_of_a_create(gateway: Gateway) -> None:
    answer = await gateway.upsert({"externalId": "E-1001"}, mode="REPLACE")
    assert answer.status == "REJECTED"
    missing = {(error["backend"], *error["field"]) for error in answer.errors}
    assert {("IVVY", "firstName"), ("IVVY", "lastName")} <= missing
    assert {("EVERBRIDGE", "firstName"), ("EVERBRIDGE", "lastName")} <= missing
    assert all(error["code"] == "REQUIRED" for error in answer.errors)


async def test_joining_and_leaving_make_no_sense_in_a_replace(gateway: Gateway) -> None:
    answer = await gateway.upsert(ADA | {"addGroupsName": ["Newsletter"]}, mode="REPLACE")
    assert answer.status == "REJECTED"
    assert [(e["code"], e["field"]) for e in answer.errors] == [("INVALID", ["addGroupsName"])]


async def test_a_second_replace_is_unchanged(gateway: Gateway) -> None:
    await gateway.upsert(ADA, mode="REPLACE")
    gateway.clock.advance(60)
    answer = await gateway.upsert(ADA, mode="REPLACE")
    assert answer.errors == []
    assert answer.outcomes()["IVVY"] == "UNCHANGED"
    assert answer.outcomes()["EVERBRIDGE"] == "UNCHANGED"


async def test_custom_fields_become_an_exact_set(gateway: Gateway) -> None:
    given = ADA | {"customFields": [{"name": "Notes", "values": ["only this"]}]}
    answer = await gateway.upsert(given, mode="REPLACE")
    assert answer.errors == []
    [everbridge] = gateway.everbridge(externalId="E-1001")
    assert [item["values"] for item in everbridge["contactAttributes"]] == [["only this"]]
