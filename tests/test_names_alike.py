"""Names that differ in case, blanks or accents alone: the exact one wins, an inexact one is ambiguous."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gateway.custom_fields import read_option
from gateway.entries import CustomFieldType, FieldInfo, Option
from tests.leads import OF_ADA, OF_HARBOUR, upsert_lead
from tests.reading import read, record, to_input

if TYPE_CHECKING:
    from tests.harness import Gateway

ATTRIBUTE = {"dataType": "STRING", "displayFormat": "F", "status": "A"}
MOBILE, ALIKE_PATH = 241901148045319, 241901148045991
UPPER, LOWER = "1200000000000091", "1200000000000092"


def add_everbridge(gateway: Gateway, **rows: list[dict[str, Any]]) -> None:
    """Put rows into the lists of the simulated Everbridge."""
    state = gateway.sandbox.everbridge.dump()
    for name, added in rows.items():
        state[name] += added
    gateway.sandbox.everbridge.load(state)


def two_groups(gateway: Gateway) -> None:
    old = gateway.sandbox.everbridge.dump()["groups"][0]
    named = ((UPPER, "On Call"), (LOWER, "ON CALL"))
    rows = [{**old, "id": int(group), "name": name, "members": []} for group, name in named]
    add_everbridge(gateway, groups=rows)


def two_attributes(gateway: Gateway) -> None:
    add_everbridge(
        gateway,
        contactAttributes=[
            {**ATTRIBUTE, "id": 1400000000000091, "name": "Café"},
            {**ATTRIBUTE, "id": 1400000000000092, "name": "café"},
        ],
    )


async def test_groups_that_differ_in_case_are_told_apart(gateway: Gateway) -> None:
    two_groups(gateway)
    joined = {"externalId": "E-1002", "addGroupsName": ["On Call", "ON CALL"]}
    answer = await gateway.upsert(joined, targets=["EVERBRIDGE"])
    assert answer.errors == []
    [stored] = gateway.everbridge(externalId="E-1002")
    assert {int(UPPER), int(LOWER)} <= set(stored["groups"])
    moved = {"externalId": "E-1002", "addGroupsName": ["On Call"], "removeGroupsName": ["ON CALL"]}
    answer = await gateway.upsert(moved, targets=["EVERBRIDGE"])
    assert (answer.errors, answer.outcomes()) == ([], {"EVERBRIDGE": "UPDATED"})
    [stored] = gateway.everbridge(externalId="E-1002")
    assert {int(UPPER), int(LOWER)} & set(stored["groups"]) == {int(UPPER)}


async def test_an_inexact_name_of_two_shows_both_with_their_ids(gateway: Gateway) -> None:
    two_groups(gateway)
    given = {"externalId": "E-1002", "addGroupsName": ["on call"]}
    answer = await gateway.upsert(given, targets=["EVERBRIDGE"])
    [error] = answer.errors
    assert (error["code"], error["field"]) == ("NAME_AMBIGUOUS", ["addGroupsName", "0"])
    assert f"'On Call' ({UPPER}) and 'ON CALL' ({LOWER})" in error["message"]
    assert error["suggestions"] == [UPPER, LOWER]


async def test_of_many_with_one_name_a_few_are_shown(gateway: Gateway) -> None:
    old = gateway.sandbox.everbridge.dump()["groups"][0]
    rows = [{**old, "id": int(UPPER) + i, "name": "Same", "members": []} for i in range(40)]
    add_everbridge(gateway, groups=rows)
    given = {"externalId": "E-1002", "addGroupsName": ["Same"]}
    [error] = (await gateway.upsert(given, targets=["EVERBRIDGE"])).errors
    assert "and 35 more. Give the id in everbridge.groupIds" in error["message"]
    assert len(error["suggestions"]) == 5


async def test_an_ambiguous_company_names_the_field_for_its_id(gateway: Gateway) -> None:
    answer = await gateway.upsert(
        {"externalId": "E-1001", "companiesName": ["Twin Peaks Catering"]}, targets=["IVVY"]
    )
    [problem] = answer.errors
    assert problem["code"] == "NAME_AMBIGUOUS"
    assert problem["message"].startswith("iVvy has 2 companies")
    assert "ivvy.companyIds" in problem["message"]


@pytest.mark.parametrize(
    ("table", "key", "given", "id_field"),
    [
        ("leadSources", "name", OF_ADA | {"sourceName": "Fair"}, "ivvy.sourceId"),
        ("groups", "groupName", OF_ADA | {"contact": {"externalId": "E-1001", "groupsName": ["Fair"]}},
         "contact.ivvy.groupIds"),
        ("industries", "name", OF_HARBOUR | {"company": {"name": "New", "industryName": "Fair"}},
         "company.ivvy.industryId"),
    ],
)  # fmt: skip
async def test_a_leads_name_that_two_things_have_is_told_with_the_field_for_its_id(
    gateway: Gateway, table: str, key: str, given: dict[str, Any], id_field: str
) -> None:
    store = gateway.sandbox.ivvy._store
    row = store.dump()["tables"][table][0]
    for number in (91, 92):
        store.put(table, {**row, "id": number, key: "Fair"})
    [error] = (await upsert_lead(gateway, given)).errors
    assert error["code"] == "NAME_AMBIGUOUS"
    assert f" Give the id in {id_field} instead of the name." in error["message"]


async def test_one_group_by_two_spellings_is_not_joined_and_left(gateway: Gateway) -> None:
    given = {"externalId": "E-1002", "addGroupsName": ["VIP"], "removeGroupsName": ["vip"]}
    answer = await gateway.upsert(given, targets=["IVVY"])
    assert [(error["code"], error["field"]) for error in answer.errors] == [
        ("INVALID", ["removeGroupsName", "0"])
    ]
    assert gateway.calls("ivvy", writes=True) == []


async def test_custom_fields_that_differ_in_case_are_both_set_read_and_sent_back(
    gateway: Gateway,
) -> None:
    two_attributes(gateway)
    fields = [{"name": "Café", "values": ["one"]}, {"name": "café", "values": ["two"]}]
    given = {"externalId": "E-1002", "customFields": fields}
    answer = await gateway.upsert(given, targets=["EVERBRIDGE"])
    assert answer.errors == []
    assert answer.result("EVERBRIDGE")["changedFields"] == [
        "customFields.Café",
        "customFields.café",
    ]
    found = await record(gateway, "EVERBRIDGE", externalId="E-1002")
    shown = {item["name"]: item["values"] for item in found["customFields"]}
    assert (shown["Café"], shown["café"]) == (["one"], ["two"])
    again = await gateway.upsert(to_input(found), mode="REPLACE", targets=["EVERBRIDGE"])
    assert (again.errors, again.outcomes()) == ([], {"EVERBRIDGE": "UNCHANGED"})


async def test_two_spellings_of_one_custom_field_are_told(gateway: Gateway) -> None:
    fields = [{"name": "Shift", "values": ["Day"]}, {"name": "shift ", "values": ["Night"]}]
    given = {"externalId": "E-1002", "customFields": fields}
    answer = await gateway.upsert(given, targets=["EVERBRIDGE"])
    assert [(error["code"], error["field"]) for error in answer.errors] == [
        ("INVALID", ["customFields", "1", "name"])
    ]


async def test_a_prompt_that_is_that_of_another_path_is_reported(gateway: Gateway) -> None:
    [mobile] = [
        row for row in gateway.sandbox.everbridge.dump()["contactPaths"] if row["pathId"] == MOBILE
    ]
    other = {**mobile, "id": 9001, "pathId": ALIKE_PATH, "prompt": mobile["prompt"].upper()}
    add_everbridge(gateway, contactPaths=[other])
    paths = [{"pathId": str(ALIKE_PATH), "prompt": mobile["prompt"], "value": "+447700900777"}]
    given = {"externalId": "E-1002", "paths": paths}
    answer = await gateway.upsert(given, targets=["EVERBRIDGE"], dryRun=True)
    assert answer.result("EVERBRIDGE")["ignoredFields"] == ["paths.0.prompt"]
    both = [{"prompt": row["prompt"], "value": "+447700900777"} for row in (mobile, other)]
    answer = await gateway.upsert({"externalId": "E-1002", "paths": both}, targets=["EVERBRIDGE"])
    [stored] = gateway.everbridge(externalId="E-1002")
    assert [path["pathId"] for path in stored["paths"]] == [MOBILE, ALIKE_PATH]


async def test_a_setting_that_fits_two_paths_is_to_be_corrected_there(gateway: Gateway) -> None:
    [email] = [
        row
        for row in gateway.sandbox.everbridge.dump()["contactPaths"]
        if row["prompt"] == "Work Email"
    ]
    add_everbridge(gateway, contactPaths=[{**email, "id": 9001, "pathId": ALIKE_PATH}])
    given = {"externalId": "E-1002", "email": "grace@example.com"}
    [error] = (await gateway.upsert(given, targets=["EVERBRIDGE"])).errors
    assert (error["code"], error["field"]) == ("NAME_AMBIGUOUS", ["email"])
    assert "setting GATEWAY_EVERBRIDGE_EMAIL_PATH that names it" in error["message"]
    assert "instead of the name" not in error["message"]


async def test_links_whose_refs_differ_in_case_are_two(gateway: Gateway) -> None:
    links = [{"ref": ref, "url": f"https://example.com/{ref}"} for ref in ("Web", "web")]
    answer = await gateway.upsert({"externalId": "E-1002", "externalUrls": links}, targets=["IVVY"])
    assert answer.errors == []


async def test_groups_that_differ_in_case_are_compared_by_their_exact_names(
    gateway: Gateway,
) -> None:
    two_groups(gateway)
    store = gateway.sandbox.ivvy._store
    store.put("groups", {"id": 309, "groupName": "ON CALL", "tagColour": None})
    await gateway.upsert({"externalId": "E-1001", "addGroupsName": ["ON CALL"]}, targets=["IVVY"])
    await gateway.upsert(
        {"externalId": "E-1001", "addGroupsName": ["On Call"]}, targets=["EVERBRIDGE"]
    )
    fields = {
        item["field"]: item for item in (await read(gateway, externalId="E-1001"))["differences"]
    }
    assert fields["groupsName.ON CALL"]["values"] == [
        {"backend": "IVVY", "value": "ON CALL"},
        {"backend": "EVERBRIDGE", "value": None},
    ]
    assert "groupsName.On Call" not in fields


OPTIONS = (
    Option(value="1", label="Night"),
    Option(value="2", label="NIGHT"),
    Option(value="3", label="Day"),
    Option(value="4", label="Day"),
)
CHOICE = FieldInfo(type=CustomFieldType.CHOICE, options=OPTIONS)


@pytest.mark.parametrize(
    ("text", "value"), [("Night", "1"), ("NIGHT", "2"), ("2", "2"), ("4", "4")]
)
def test_an_exact_option_wins(text: str, value: str) -> None:
    assert read_option(CHOICE, text) == value


@pytest.mark.parametrize("text", ["night", "Day", "day"])
def test_a_label_of_two_options_shows_both_values(text: str) -> None:
    with pytest.raises(ValueError, match=r"may mean .*: give one of them to the letter"):
        read_option(CHOICE, text)


async def test_an_option_is_chosen_once_whatever_its_spellings(gateway: Gateway) -> None:
    fields = [{"name": "Languages", "values": ["german", "French", "German"]}]
    given = {"externalId": "E-1002", "customFields": fields}
    await gateway.upsert(given, targets=["EVERBRIDGE"])
    found = await record(gateway, "EVERBRIDGE", externalId="E-1002")
    shown = {item["name"]: item["values"] for item in found["customFields"]}
    assert shown["Languages"] == ["German", "French"]


async def test_an_option_that_is_nothing_is_none(gateway: Gateway) -> None:
    state = gateway.sandbox.everbridge.dump()
    [shift] = [row for row in state["contactAttributes"] if row["name"] == "Shift"]
    shift["definedValues"] += [None, "", " "]
    gateway.sandbox.everbridge.load(state)
    given = {"externalId": "E-1002", "customFields": [{"name": "Shift", "values": ["None"]}]}
    [error] = (await gateway.upsert(given, targets=["EVERBRIDGE"])).errors
    assert (error["code"], {"None", "", " "} & set(error["suggestions"])) == ("INVALID", set())
    assert gateway.calls("everbridge", writes=True) == []
