"""What would lose or double data, one test for each way."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.harness import UPSERT_CONTACT

if TYPE_CHECKING:
    from tests.harness import Gateway


async def test_group_names_that_a_backend_does_not_know_leave_its_memberships_alone(
    gateway: Gateway,
) -> None:
    before = gateway.everbridge(externalId="E-1001")[0]["groups"]
    answer = await gateway.upsert({"externalId": "E-1001", "groupsName": ["VIP"]})
    assert answer.errors == []
    assert answer.result("EVERBRIDGE")["ignoredFields"] == ["groupsName"]
    assert gateway.everbridge(externalId="E-1001")[0]["groups"] == before
    names = gateway.group_names()["IVVY"]
    [contact] = gateway.ivvy(externalId="E-1001")
    assert [names[str(group["groupId"])] for group in contact["groups"]] == ["VIP"]


async def test_a_filter_that_ivvy_ignores_is_never_taken_for_no_match(gateway: Gateway) -> None:
    gateway.sandbox.ivvy.switches["ignore_filters"] = True
    held = len(gateway.ivvy())
    answer = await gateway.upsert(
        {"externalId": "E-5000", "email": "new@example.com", "firstName": "New", "lastName": "One"},
        targets=["IVVY"],
    )
    assert answer.outcomes() == {"IVVY": "FAILED"}
    assert answer.errors[0]["code"] == "BACKEND_ERROR"
    assert len(gateway.ivvy()) == held
    assert gateway.calls("ivvy", writes=True) == []


async def test_an_external_id_that_differs_in_case_is_another_record(gateway: Gateway) -> None:
    answer = await gateway.upsert(
        {"externalId": "e-1001", "email": "other@example.com", "firstName": "O", "lastName": "P"},
        targets=["IVVY"],
    )
    assert answer.outcomes() == {"IVVY": "CREATED"}
    assert gateway.ivvy(externalId="E-1001")[0]["firstName"] == "Ada"


async def test_a_filter_that_everbridge_ignores_is_never_taken_for_no_match(
    gateway: Gateway,
) -> None:
    gateway.sandbox.everbridge.switches["ignore_filters"] = True
    answer = await gateway.upsert({"externalId": "E-1001", "lastName": "X"})
    assert answer.outcomes()["EVERBRIDGE"] == "FAILED"
    assert answer.outcomes()["IVVY"] == "UPDATED"
    assert gateway.calls("everbridge", writes=True) == []


async def test_a_search_of_everbridge_that_is_not_found_says_nothing_of_the_contact(
    gateway: Gateway,
) -> None:
    search = {"method": "GET", "path": "/contacts/1000000000000001", "status": 404}
    words = {"status": 401, "message": "Org 1000000000000001 is invalid."}
    gateway.sandbox.faults.add({"backend": "everbridge", **search, "body": words, "times": 1})
    answer = await gateway.upsert({"externalId": "E-1001", "lastName": "X"})
    assert answer.outcomes()["EVERBRIDGE"] == "FAILED"
    assert answer.outcomes()["IVVY"] == "UPDATED"
    assert answer.errors[0]["retryable"]


async def test_a_new_contact_that_everbridge_does_not_show_yet_is_not_overwritten(
    gateway: Gateway,
) -> None:
    gateway.sandbox.everbridge.switches["search_lag_seconds"] = 5
    new = {"externalId": "E-5002", "firstName": "New", "lastName": "One", "suffix": "PhD"}
    made = await gateway.upsert(new, targets=["EVERBRIDGE"])
    again = {"externalId": "E-5002", "firstName": "Newer", "lastName": "One"}
    answer = await gateway.upsert(again, targets=["EVERBRIDGE"])
    assert (made.outcomes(), answer.outcomes()) == (
        {"EVERBRIDGE": "CREATED"},
        {"EVERBRIDGE": "UPDATED"},
    )
    [held] = gateway.everbridge(externalId="E-5002")
    assert (held["firstName"], held["suffix"]) == ("Newer", "PhD")


async def test_an_email_that_belongs_to_another_external_id_is_never_overwritten(
    gateway: Gateway,
) -> None:
    answer = await gateway.upsert(
        {"externalId": "E-5001", "email": "ada@example.com", "firstName": "A", "lastName": "B"},
        targets=["IVVY"],
    )
    assert answer.status == "REJECTED"
    [problem] = answer.errors
    assert problem["code"] == "CONFLICT"
    [held] = gateway.ivvy(externalId="E-1001")
    assert f"record {held['id']}, which has another externalId" in problem["message"]
    assert "E-1001" not in problem["message"]
    assert held["firstName"] == "Ada"


async def test_an_email_that_several_records_hold_is_a_conflict(gateway: Gateway) -> None:
    answer = await gateway.upsert({"email": "office@example.com", "firstName": "X"})
    assert answer.status == "REJECTED"
    assert answer.result("IVVY")["errors"][0]["code"] == "CONFLICT"


async def test_keys_that_mean_two_records_are_a_conflict_with_both_ids(gateway: Gateway) -> None:
    [ada] = gateway.ivvy(externalId="E-1001")
    [mary] = gateway.ivvy(externalId="E-1004")
    answer = await gateway.upsert(
        {"externalId": "E-1004", "ivvy": {"id": str(ada["id"])}, "firstName": "X"},
        targets=["IVVY"],
    )
    assert answer.status == "REJECTED"
    [problem] = answer.errors
    assert problem["code"] == "CONFLICT"
    assert str(ada["id"]) in problem["message"]
    assert str(mary["id"]) in problem["message"]


async def test_a_changed_email_does_not_make_a_second_sendgrid_contact_unasked(
    gateway: Gateway,
) -> None:
    change = {"externalId": "E-1001", "email": "ada.lovelace@example.com"}
    answer = await gateway.upsert(change)
    assert answer.status == "REJECTED"
    assert answer.result("SENDGRID")["errors"][0]["field"] == ["email"]
    assert gateway.ivvy(externalId="E-1001")[0]["email"] == "ada@example.com"
    asked = await gateway.upsert(change | {"sendgrid": {"emailChange": "CREATE_NEW"}})
    assert asked.errors == []
    assert asked.outcomes()["IVVY"] == "UPDATED"
    [warning] = asked.result("SENDGRID")["warnings"]
    assert "the former e-mail address" in warning["message"]
    gateway.clock.advance(60)
    assert len(gateway.sendgrid("ada.lovelace@example.com")) == 1
    assert len(gateway.sendgrid("ada@example.com")) == 1


async def test_two_concurrent_creates_of_one_person_make_one_record(gateway: Gateway) -> None:
    person = {
        "externalId": "E-6000", "email": "twice@example.com", "firstName": "Twice",
        "lastName": "Made",
    }  # fmt: skip
    answers = await asyncio.gather(
        *(gateway.upsert(person, targets=["IVVY", "EVERBRIDGE"]) for _ in range(8))
    )
    assert len(gateway.ivvy(email="twice@example.com")) == 1
    assert len(gateway.everbridge(externalId="E-6000")) == 1
    outcomes = sorted(answer.outcomes()["IVVY"] for answer in answers)
    assert outcomes == ["CREATED"] + ["UNCHANGED"] * 7


async def test_two_concurrent_creates_by_different_keys_make_one_record(gateway: Gateway) -> None:
    both = {"email": "m@example.com", "firstName": "C", "lastName": "D"}
    answers = await asyncio.gather(
        gateway.upsert(both | {"externalId": "E-m"}, targets=["IVVY"]),
        gateway.upsert(both | {"lastName": "D2"}, targets=["IVVY"]),
    )
    assert sorted(answer.outcomes()["IVVY"] for answer in answers) == ["CREATED", "UPDATED"]
    assert len(gateway.ivvy(email="m@example.com")) == 1


async def test_concurrent_writes_of_different_fields_lose_none(gateway: Gateway) -> None:
    changes: list[dict[str, object]] = [
        {"lastName": "Lovelace"},
        {"suffix": "MSc"},
        {"middleInitial": "K"},
        {"countryCode": "DE"},
        {"customFields": [{"name": "Notes", "values": ["analyst"]}]},
        {"customFields": [{"name": "Badge number", "values": ["99"]}]},
        {"addGroupsName": ["Night Shift"]},
        {"removeGroupsName": ["Newsletter"]},
        {"phone": "+44 7700 900555"},
    ]
    answers = await asyncio.gather(
        *(
            gateway.upsert({"externalId": "E-1001"} | change, targets=["EVERBRIDGE"])
            for change in changes
        )
    )
    assert [answer.errors for answer in answers] == [[]] * len(changes)
    [ada] = gateway.everbridge(externalId="E-1001")
    assert (ada["lastName"], ada["suffix"], ada["middleInitial"], ada["country"]) == (
        "Lovelace",
        "MSc",
        "K",
        "DE",
    )
    values = {str(value) for item in ada["contactAttributes"] for value in item["values"]}
    assert {"analyst", "99"} <= values
    names = gateway.group_names()["EVERBRIDGE"]
    groups = {names[str(group)] for group in ada["groups"]}
    assert "Night Shift" in groups
    assert "Newsletter" not in groups
    assert "7700900555" in {path["value"] for path in ada["paths"]}


async def test_coordinates_of_an_address_survive_a_change_of_its_city(gateway: Gateway) -> None:
    [before] = gateway.everbridge(externalId="E-1001")
    place = before["address"][0]
    answer = await gateway.upsert(
        {
            "externalId": "E-1001",
            "addresses": [
                {"locationName": address["locationName"]}
                | ({"city": "Oxford"} if address is place else {})
                for address in before["address"]
            ],
        },
        targets=["EVERBRIDGE"],
    )
    assert answer.errors == []
    [after] = gateway.everbridge(externalId="E-1001")
    assert after["address"][0] == place | {"city": "Oxford"}
    assert after["address"][1:] == before["address"][1:]


async def test_fields_that_the_gateway_does_not_know_survive_a_write(gateway: Gateway) -> None:
    [before] = gateway.everbridge(externalId="E-1001")
    await gateway.upsert({"externalId": "E-1001", "lastName": "Lovelace"}, targets=["EVERBRIDGE"])
    [after] = gateway.everbridge(externalId="E-1001")
    moved = {"lastName", "lastModifiedDate", "lastModifiedTime", "lastModifiedId"}
    moved |= {"lastModifiedName"}
    assert {k: v for k, v in after.items() if k not in moved} == {
        k: v for k, v in before.items() if k not in moved
    }
    assert after["lastName"] == "Lovelace"


async def test_twenty_aliased_upserts_cost_one_fetch_for_each_catalog(gateway: Gateway) -> None:
    head, fragments = UPSERT_CONTACT.split("fragment problem", 1)
    selection = head[head.index("{\n    requestId") :].rstrip().removesuffix("}")
    fields = "\n".join(
        f"""u{n}: upsertContact(input: {{
            externalId: "E-70{n:02}", email: "u{n}@example.com", firstName: "U", lastName: "N{n}",
            recordTypeName: "Employee", groupsName: ["Newsletter"], companiesName: ["Harbour Hotels"],
            customFields: [{{name: "Shift", values: ["Day"]}}],
            paths: [{{prompt: "Work Email", value: "u{n}@example.com"}}]
        }}) {selection}"""
        for n in range(20)
    )
    data = await gateway.data(f"mutation {{ {fields} }}\nfragment problem{fragments}")
    assert [data[f"u{n}"]["errors"] for n in range(20)] == [[]] * 20
    lists = [
        (
            call["backend"],
            call["path"],
            str(call["query"]),
            str(call["body"]) if call["backend"] == "ivvy" else "",
        )
        for call in gateway.recorded()
        if not _is_about_a_contact(call)
    ]
    assert len(lists) == len(set(lists)), "a page of a catalog was fetched twice"


def _is_about_a_contact(call: dict[str, object]) -> bool:
    text = f"{call['path']}{call['query']}"
    return any(
        part in text
        for part in ("addOrUpdateContact", "getContactList", "marketing/contacts", "/contacts/")
    )
