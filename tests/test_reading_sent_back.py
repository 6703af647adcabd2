"""Records of odd contacts: what is read of them can be sent back and changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.reading import record, to_input

if TYPE_CHECKING:
    from tests.harness import Gateway

MOBILE, SECOND, MEMBER_APP = 241901148045319, 241901148045320, 241901148045325
SHIFT, BADGE, NOTES, JOINED = (1400000000000000 + number for number in (1, 2, 3, 5))
NIGHT = {"days": [2, 3], "fromHour": 22, "fromMin": 0, "toHour": 6, "toMin": 0}
PHONE = {"pathId": MOBILE, "value": "7700900101", "countryCode": "GB", "waitTime": 0}

EVERBRIDGE: dict[str, dict[str, Any]] = {
    "a record type that has left the list": {"recordTypeId": 1100000000000099},
    "a path that has left the list": {"paths": [{"pathId": 241901148045999, "value": "30 1"}]},
    "one path twice": {
        "paths": [{**PHONE, "waitTime": 5}, {**PHONE, "value": "7700900102", "x": 1}],
    },
    "quiet times without a time zone": {
        "timezoneId": None,
        "paths": [{**PHONE, "quietTimeFrames": [{"name": "Night", **NIGHT}]}],
    },
    "a quiet time without a name": {"paths": [{**PHONE, "quietTimeFrames": [NIGHT]}]},
    "a number that was not to be validated": {
        "paths": [{"pathId": SECOND, "value": "1", "countryCode": "DE", "skipValidation": True}]
    },
    "a number whose country is not said": {"paths": [{"pathId": MOBILE, "value": "030 23125101"}]},
    "a number of no country": {"paths": [{"pathId": 241901148045321, "value": "80012345678"}]},
    "an address that is none": {"paths": [{"pathId": 241901148045317, "value": "by post"}]},
    "a token with spaces around": {"paths": [{"pathId": MEMBER_APP, "value": " tok "}]},
    "an option that has left the list": {
        "contactAttributes": [{"orgAttrId": SHIFT, "values": ["Dawn"]}]
    },
    "several values where one is taken": {
        "contactAttributes": [{"orgAttrId": NOTES, "values": ["one", "two"]}]
    },
    "values of another type": {
        "contactAttributes": [
            {"orgAttrId": BADGE, "values": ["B7"]},
            {"orgAttrId": JOINED, "values": ["2019-04-01T10:00:00Z"]},
        ]
    },
    "attributes without a value": {
        "contactAttributes": [
            {"orgAttrId": NOTES, "values": [""]},
            {"orgAttrId": SHIFT, "values": []},
        ]
    },
}
IVVY: dict[str, dict[str, Any]] = {
    "an option that has left the list": {"customFields": {"501": "9"}},
    "a day that is none": {"customFields": {"503": "0000-00-00 00:00:00"}},
    "a number that is none": {"customFields": {"504": "B7"}},
}
SENDGRID: dict[str, dict[str, Any]] = {
    "a number that is none": {"badge_number": "B7"},
    "a day that is none": {"member_since": "1/2/2003"},
}


SENDGRID_TEXTS: dict[str, dict[str, str]] = {
    "a country by its name": {"country": "Germany"},
    "a country by its name alone": {
        **dict.fromkeys(("address_line_1", "address_line_2", "city", "postal_code"), ""),
        "state_province_region": "",
        "country": "south korea",
    },
    "a country by three letters": {"country": "DEU"},
    "a country in lower case": {"country": "de"},
    "a phone with brackets": {"phone_number": "+49 (30) 23125-301"},
}


async def sent_back(gateway: Gateway, backend: str, mode: str, **by: str) -> dict[str, Any]:
    """The result of a record that is read, and sent back as a form would."""
    given = to_input(await record(gateway, backend, **by))
    answer = await gateway.upsert(given, mode=mode, targets=[backend])
    assert answer.errors == []
    assert gateway.calls(backend.lower(), writes=True) == []
    return answer.result(backend)


def put_everbridge(gateway: Gateway, **changes: Any) -> None:
    state = gateway.sandbox.everbridge.dump()
    [ada] = [row for row in state["contacts"] if row["externalId"] == "E-1001"]
    ada.update(changes)
    gateway.sandbox.everbridge.load(state)


@pytest.mark.parametrize("mode", ["PATCH", "REPLACE"])
@pytest.mark.parametrize("odd", EVERBRIDGE.values(), ids=list(EVERBRIDGE))
async def test_an_odd_contact_of_everbridge_is_sent_back_unchanged(
    gateway: Gateway, odd: dict[str, Any], mode: str
) -> None:
    put_everbridge(gateway, **odd)
    result = await sent_back(gateway, "EVERBRIDGE", mode, externalId="E-1001")
    assert (result["outcome"], result["changedFields"]) == ("UNCHANGED", [])


@pytest.mark.parametrize("mode", ["PATCH", "REPLACE"])
@pytest.mark.parametrize("odd", IVVY.values(), ids=list(IVVY))
async def test_an_odd_contact_of_ivvy_is_sent_back_unchanged(
    gateway: Gateway, odd: dict[str, Any], mode: str
) -> None:
    store = gateway.sandbox.ivvy._store
    store.put("contacts", {**(store.get("contacts", 40001) or {}), **odd})
    result = await sent_back(gateway, "IVVY", mode, externalId="E-1001")
    assert (result["outcome"], result["changedFields"]) == ("UNCHANGED", [])


@pytest.mark.parametrize("odd", SENDGRID.values(), ids=list(SENDGRID))
async def test_an_odd_contact_of_sendgrid_is_sent_back_unchanged(
    gateway: Gateway, odd: dict[str, Any]
) -> None:
    state = gateway.sandbox.sendgrid.dump()
    ids = {field["name"]: field["id"] for field in state["fields"]}
    [ada] = [row for row in state["contacts"] if row["identifiers"]["email"] == "ada@example.com"]
    ada["custom_fields"] |= {ids[name]: value for name, value in odd.items()}
    gateway.sandbox.sendgrid.load(state)
    result = await sent_back(gateway, "SENDGRID", "REPLACE", email="ada@example.com")
    assert (result["outcome"], result["changedFields"]) == ("UNCHANGED", [])


@pytest.mark.parametrize("mode", ["PATCH", "REPLACE"])
@pytest.mark.parametrize("odd", SENDGRID_TEXTS.values(), ids=list(SENDGRID_TEXTS))
async def test_what_others_wrote_to_sendgrid_in_other_words_is_sent_back_unchanged(
    gateway: Gateway, odd: dict[str, str], mode: str
) -> None:
    put_sendgrid(gateway, odd)
    result = await sent_back(gateway, "SENDGRID", mode, email="ada@example.com")
    assert (result["outcome"], result["changedFields"]) == ("UNCHANGED", [])


async def test_another_country_than_the_one_that_is_named_is_written(gateway: Gateway) -> None:
    put_sendgrid(gateway, {"country": "Germany"})
    found = await record(gateway, "SENDGRID", email="ada@example.com")
    assert (found["countryCode"], found["addresses"][0]["countryCode"]) == ("DE", "DE")
    assert found["raw"]["country"] == "Germany"
    given = to_input(found) | {"countryCode": "FR"}
    given["addresses"][0]["countryCode"] = "FR"
    answer = await gateway.upsert(given, targets=["SENDGRID"])
    [call] = answer.result("SENDGRID")["calls"]
    assert call["body"]["contacts"] == [{"email": "ada@example.com", "country": "FR"}]


async def test_an_address_whose_domain_is_in_ascii_letters_is_found_and_sent_back(
    gateway: Gateway,
) -> None:
    email = "rosa@xn--bcher-kva.example"
    state = gateway.sandbox.sendgrid.dump()
    [ada] = [row for row in state["contacts"] if row["identifiers"]["email"] == "ada@example.com"]
    ada["identifiers"]["email"] = email
    gateway.sandbox.sendgrid.load(state)
    result = await sent_back(gateway, "SENDGRID", "REPLACE", email=email)
    assert (result["outcome"], result["changedFields"]) == ("UNCHANGED", [])


async def test_a_country_that_is_none_is_shown_as_it_is_held(gateway: Gateway) -> None:
    put_sendgrid(gateway, {"country": "Atlantis"})
    found = await record(gateway, "SENDGRID", email="ada@example.com")
    assert found["countryCode"] == "Atlantis"


def put_sendgrid(gateway: Gateway, texts: dict[str, str]) -> None:
    state = gateway.sandbox.sendgrid.dump()
    [ada] = [row for row in state["contacts"] if row["identifiers"]["email"] == "ada@example.com"]
    ada["texts"] |= texts
    gateway.sandbox.sendgrid.load(state)


async def test_an_attribute_that_has_left_the_list_has_no_name_and_stays(gateway: Gateway) -> None:
    state = gateway.sandbox.everbridge.dump()
    next(row for row in state["contactAttributes"] if row["id"] == NOTES)["status"] = "D"
    gateway.sandbox.everbridge.load(state)
    found = await record(gateway, "EVERBRIDGE", externalId="E-1001")
    [notes] = [item for item in found["customFields"] if item["id"] == str(NOTES)]
    assert notes["name"] is None
    given = to_input(found)
    given["customFields"] = [item for item in given["customFields"] if item["name"]]
    answer = await gateway.upsert(given, mode="REPLACE", targets=["EVERBRIDGE"])
    assert (answer.errors, answer.outcomes()) == ([], {"EVERBRIDGE": "UNCHANGED"})


async def test_what_has_left_its_list_is_unknown_with_another_value(gateway: Gateway) -> None:
    gone = {"pathId": 241901148045999, "value": "301"}
    put_everbridge(
        gateway,
        recordTypeId=1100000000000099,
        paths=[gone],
        contactAttributes=[{"orgAttrId": SHIFT, "values": ["Dawn"]}],
    )
    answer = await gateway.upsert(
        {
            "externalId": "E-1001",
            "recordTypeName": "1100000000000098",
            "paths": [{"pathId": "241901148045999", "value": "302"}],
            "customFields": [{"name": "Shift", "values": ["Dusk"]}],
        },
        targets=["EVERBRIDGE"],
    )
    assert {tuple(error["field"]): error["code"] for error in answer.errors} == {
        ("recordTypeName",): "NAME_NOT_FOUND",
        ("paths", "0", "pathId"): "NOT_FOUND",
        ("customFields", "0", "values", "0"): "INVALID",
    }


async def test_the_second_of_two_paths_is_kept_as_it_is_when_the_first_goes(
    gateway: Gateway,
) -> None:
    second = {**PHONE, "value": "7700900102", "waitTime": 7}
    put_everbridge(gateway, paths=[PHONE, second])
    shown = (await record(gateway, "EVERBRIDGE", externalId="E-1001"))["paths"]
    given = {"externalId": "E-1001", "paths": [shown[1]]}
    await gateway.upsert(given, targets=["EVERBRIDGE"])
    [ada] = gateway.everbridge(externalId="E-1001")
    assert [(path["value"], path["waitTime"]) for path in ada["paths"]] == [("7700900102", 7)]
    twice = {"externalId": "E-1001", "paths": [shown[1], shown[0]]}
    answer = await gateway.upsert(twice, targets=["EVERBRIDGE"])
    assert [(error["code"], error["field"]) for error in answer.errors] == [
        ("INVALID", ["paths", "1", "pathId"])
    ]


@pytest.mark.parametrize("without", [(), ("paths",)])
async def test_the_country_of_a_number_that_has_none_is_said_beside_it(
    gateway: Gateway, without: tuple[str, ...]
) -> None:
    put_everbridge(gateway, paths=[{"pathId": MOBILE, "value": "030 23125101"}])
    found = to_input(await record(gateway, "EVERBRIDGE", externalId="E-1001"))
    assert found["phone"] == "030 23125101"
    given = {name: value for name, value in found.items() if name not in without}
    answer = await gateway.upsert(given | {"phoneCountryCode": "DE"}, targets=["EVERBRIDGE"])
    assert (answer.errors, answer.result("EVERBRIDGE")["changedFields"]) == ([], ["phone"])
    [ada] = gateway.everbridge(externalId="E-1001")
    assert [(path["value"], path["countryCode"]) for path in ada["paths"]] == [("3023125101", "DE")]


async def test_a_quiet_time_that_changes_needs_a_time_zone(gateway: Gateway) -> None:
    frames = [{"name": "Night", **NIGHT}]
    put_everbridge(gateway, timezoneId=None, paths=[{**PHONE, "quietTimeFrames": frames}])
    given = to_input(await record(gateway, "EVERBRIDGE", externalId="E-1001"))
    given["paths"][0]["quietTimeFrames"][0]["toHour"] = 7
    answer = await gateway.upsert(given, targets=["EVERBRIDGE"])
    assert [(error["code"], error["field"]) for error in answer.errors] == [
        ("REQUIRED", ["timezoneId"])
    ]


async def test_groups_and_companies_without_a_name_go_by_their_ids(gateway: Gateway) -> None:
    store = gateway.sandbox.ivvy._store
    store.put("groups", {"id": 304, "groupName": "", "tagColour": None})
    store.put("companies", {**(store.get("companies", 7001) or {}), "id": 7009, "businessName": ""})
    joined = [{"groupId": 304, "joinDate": store.stamp()}]
    ada = store.get("contacts", 40001) or {}
    store.put("contacts", {**ada, "groups": joined, "companies": [7009]})
    found = await record(gateway, "IVVY", externalId="E-1001")
    assert (found["groupsName"], found["companiesName"]) == (["304"], ["7009"])
    result = await sent_back(gateway, "IVVY", "REPLACE", externalId="E-1001")
    assert (result["outcome"], result["changedFields"]) == ("UNCHANGED", [])


@pytest.mark.parametrize("mode", ["PATCH", "REPLACE"])
async def test_a_group_that_has_left_the_list_is_sent_back_by_its_id(
    gateway: Gateway, mode: str
) -> None:
    state = gateway.sandbox.everbridge.dump()
    [ada] = [row for row in state["contacts"] if row["externalId"] == "E-1001"]
    gone = ada["groups"][0]
    state["groups"] = [row for row in state["groups"] if row["id"] != gone]
    gateway.sandbox.everbridge.load(state)
    found = await record(gateway, "EVERBRIDGE", externalId="E-1001")
    assert str(gone) in found["groupsName"]
    result = await sent_back(gateway, "EVERBRIDGE", mode, externalId="E-1001")
    assert (result["outcome"], result["changedFields"]) == ("UNCHANGED", [])
    given = {"externalId": "E-1001", "removeGroupsName": [str(gone)]}
    answer = await gateway.upsert(given)
    assert answer.result("EVERBRIDGE")["changedFields"] == ["removeGroupsName"]
    assert answer.result("IVVY")["ignoredFields"] == [f"removeGroupsName.{gone}"]


async def test_a_list_that_has_gone_is_sent_back_by_its_id(gateway: Gateway) -> None:
    state = gateway.sandbox.sendgrid.dump()
    [ada] = [row for row in state["contacts"] if row["identifiers"]["email"] == "ada@example.com"]
    gone = "00000000-0000-4000-8000-000000000099"
    ada["list_ids"] = [*ada["list_ids"], gone]
    gateway.sandbox.sendgrid.load(state)
    result = await sent_back(gateway, "SENDGRID", "REPLACE", email="ada@example.com")
    assert (result["outcome"], result["changedFields"]) == ("UNCHANGED", [])


async def test_a_group_of_ivvy_that_has_gone_is_sent_back_by_its_id(gateway: Gateway) -> None:
    store = gateway.sandbox.ivvy._store
    ada = store.get("contacts", 40001) or {}
    joined = [{"groupId": 999, "joinDate": store.stamp()}]
    store.put("contacts", {**ada, "groups": joined})
    assert (await record(gateway, "IVVY", externalId="E-1001"))["groupsName"] == ["999"]
    result = await sent_back(gateway, "IVVY", "REPLACE", externalId="E-1001")
    assert (result["outcome"], result["changedFields"]) == ("UNCHANGED", [])


async def test_the_id_of_a_group_that_the_contact_is_not_in_is_no_name(gateway: Gateway) -> None:
    [group] = [
        i for i, name in gateway.group_names()["EVERBRIDGE"].items() if name == "Fire Wardens"
    ]
    given = {"externalId": "E-1002", "addGroupsName": [group]}
    [error] = (await gateway.upsert(given, targets=["EVERBRIDGE"])).errors
    assert (error["code"], error["suggestions"]) == ("NAME_NOT_FOUND", ["Fire Wardens"])


async def test_the_name_of_a_group_elsewhere_is_no_id_of_one_here(gateway: Gateway) -> None:
    state = gateway.sandbox.everbridge.dump()
    state["groups"].append({**state["groups"][0], "id": 1200000000000091, "name": "301"})
    gateway.sandbox.everbridge.load(state)
    assert (
        gateway.group_names()["IVVY"]["301"]
        in (await record(gateway, "IVVY", externalId="E-1001"))["groupsName"]
    )
    given = {"externalId": "E-1001", "removeGroupsName": ["301"]}
    answer = await gateway.upsert(given, targets=["IVVY", "EVERBRIDGE"])
    assert answer.result("IVVY")["ignoredFields"] == ["removeGroupsName.301"]
    assert gateway.calls("ivvy", writes=True) == []
