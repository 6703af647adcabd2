"""iVvy's adapter against the simulated iVvy: created, updated, cleared, replaced."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from strawberry import Some

from gateway.model import (
    CustomFieldInput,
    EmailStatus,
    ExternalUrlInput,
    SmsStatus,
    WriteMode,
)
from gateway.results import Outcome, ProblemCode
from tests.backends.ivvy.writing import NEW, contact

if TYPE_CHECKING:
    from tests.backends.ivvy.conftest import Desk

ADA, GRACE, MARY = 40001, 40002, 40003
URL = "https://example.com/people/eve"


def link(ref: str, url: str | None) -> ExternalUrlInput:
    return ExternalUrlInput(ref=ref, url=Some(url))


# ---------------------------------------------------------------- create, update, unchanged, clear


FULL: dict[str, Any] = {
    **NEW,
    "external_id": "E-3001",
    "phone": "+49 30 23125 301",
    "groups_name": ["Newsletter", "vip"],
    "companies_name": ["Harbour Hotels", "Company 130"],
    "custom_fields": [
        CustomFieldInput(name="Shift", values=["Night"]),
        CustomFieldInput(name="Dietary", values=["Vegan", "Vegetarian"]),
        CustomFieldInput(name="Member since", values=["2026-01-31"]),
        CustomFieldInput(name="Badge number", values=["77"]),
        CustomFieldInput(name="Notes", values=["Likes tea"]),
    ],
    "email_status": EmailStatus.NO_MARKETING,
    "sms_status": SmsStatus.NO_MARKETING,
    "external_urls": [link("intranet", URL)],
    "privacy_consent": True,
}


async def test_a_new_contact_is_created_whole_and_unchanged_the_second_time(desk: Desk) -> None:
    result = await desk.write(contact(**FULL))
    assert (result.outcome, result.errors) == (Outcome.CREATED, [])
    [row] = desk.held(externalId="E-3001")
    assert result.id == str(row["id"])
    assert result.matched_by is None
    assert (row["firstName"], row["phone"]) == ("Eve", "+493023125301")
    assert [entry["groupId"] for entry in row["groups"]] == [301, 303]
    assert row["companies"] == [7002, 7230]
    assert row["customFields"] == {
        "501": "2",
        "502": ["Vegan", "Vegetarian"],
        "503": "2026-01-31 00:00:00 UTC",
        "504": 77,
        "505": "Likes tea",
    }
    assert (row["status"], row["smsStatus"]) == (5, 4)
    assert [entry["url"] for entry in row["externalUrls"]] == [URL]
    assert row["privacyConsentData"]["source"] == 5
    again = await desk.write(contact(**FULL))
    assert (again.outcome, again.calls, again.changed_fields) == (Outcome.UNCHANGED, [], [])
    assert again.matched_by == "externalId"
    assert [action for action, _ in desk.writes()] == ["addOrUpdateContact"]


async def test_the_same_again_is_unchanged_where_ids_are_text_and_answers_shaped_otherwise(
    desk: Desk,
) -> None:
    desk.switches.update(ids_as_strings=True, write_answer="success", custom_fields_read="set_only")
    created = await desk.write(contact(**FULL))
    assert created.id == str(desk.held(externalId="E-3001")[0]["id"])
    assert (await desk.write(contact(**FULL))).outcome is Outcome.UNCHANGED


async def test_an_update_sends_what_differs_and_keeps_the_rest(desk: Desk) -> None:
    [before] = desk.held(id=ADA)
    result = await desk.write(contact(external_id="E-1001", last_name="Lovelace", phone=None))
    assert (result.outcome, result.id) == (Outcome.UPDATED, str(ADA))
    assert result.changed_fields == ["lastName", "phone"]
    assert desk.writes() == [
        ("addOrUpdateContact", {"id": ADA, "lastName": "Lovelace", "phone": ""})
    ]
    [after] = desk.held(id=ADA)
    changed = {"lastName": "Lovelace", "phone": "", "modifiedDate": after["modifiedDate"]}
    assert after == before | changed


async def test_every_field_that_can_be_cleared_is_cleared(desk: Desk) -> None:
    await desk.write(contact(**FULL))
    nulls = dict.fromkeys(
        ("phone", "groups_name", "companies_name", "custom_fields", "external_urls")
    )
    result = await desk.write(contact(email=NEW["email"], external_id="E-3001", **nulls))
    assert (result.outcome, result.errors) == (Outcome.UPDATED, [])
    [row] = desk.held(externalId="E-3001")
    assert (row["phone"], row["groups"], row["companies"]) == ("", [], [])
    assert (row["customFields"], row["externalUrls"]) == ({}, [])
    again = await desk.write(contact(external_id="E-3001", **nulls))
    assert again.outcome is Outcome.UNCHANGED
    result = await desk.write(contact(email=NEW["email"], external_id=None))
    assert result.changed_fields == ["externalId"]
    assert desk.held(id=row["id"])[0]["externalId"] is None


async def test_replace_clears_what_it_does_not_mention(desk: Desk) -> None:
    await desk.write(contact(**FULL))
    given = contact(
        external_id="E-3001",
        first_name="Eve",
        last_name="Mason",
        custom_fields=[CustomFieldInput(name="Shift", values=["Day"])],
        external_urls=[link("blog", "https://example.com/blog")],
    )
    result = await desk.write(given, mode=WriteMode.REPLACE)
    assert (result.outcome, result.errors) == (Outcome.UPDATED, [])
    [row] = desk.held(externalId="E-3001")
    assert (row["lastName"], row["email"], row["phone"]) == ("Mason", "eve@example.com", "")
    assert (row["groups"], row["companies"]) == ([], [])
    assert row["customFields"] == {"501": "1"}
    assert [entry["ref"] for entry in row["externalUrls"]] == ["blog"]
    assert (row["status"], row["smsStatus"]) == (5, 4)
    assert row["privacyConsentData"] is not None
    assert (await desk.write(given, mode=WriteMode.REPLACE)).outcome is Outcome.UNCHANGED


async def test_a_dry_run_shows_the_calls_and_sends_no_write(desk: Desk) -> None:
    result = await desk.write(contact(**NEW, add_groups_name=["VIP"]), dry=True)
    assert result.outcome is Outcome.PLANNED
    shown: list[Any] = [call.body for call in result.calls]
    assert shown == [
        {
            "email": "eve@example.com",
            "firstName": "Eve",
            "lastName": "Moore",
            "updateIfExists": True,
        },
        {"contacts": ["<id of call 1>"], "group": 303},
    ]
    assert desk.writes() == []


# ---------------------------------------------------------------- groups


async def test_single_groups_are_joined_and_left_beside_the_others(desk: Desk) -> None:
    given = contact(
        external_id="E-1004", add_groups_name=["Berlin Office"], remove_groups_name=["VIP"]
    )
    result = await desk.write(given)
    assert result.changed_fields == ["addGroupsName", "removeGroupsName"]
    assert [action for action, _ in desk.writes()] == [
        "addContactsToSubscriptionGroup",
        "removeContactsFromSubscriptionGroup",
    ]
    [row] = desk.held(id=MARY)
    assert [entry["groupId"] for entry in row["groups"]] == [301, 302]
    assert (await desk.write(given)).outcome is Outcome.UNCHANGED


async def test_a_new_contact_joins_groups_once_it_has_an_id(desk: Desk) -> None:
    desk.switches["ids_as_strings"] = True
    result = await desk.write(contact(**NEW, add_groups_name=["VIP", "Newsletter"]))
    [row] = desk.held(email="eve@example.com")
    assert (result.outcome, result.id) == (Outcome.CREATED, str(row["id"]))
    assert [entry["groupId"] for entry in row["groups"]] == [303, 301]
    assert desk.writes()[1][1] == {"contacts": [row["id"]], "group": 303}


async def test_a_group_that_refuses_the_contact_makes_the_write_partial(desk: Desk) -> None:
    desk.switches["group_refuses"] = [ADA]
    result = await desk.write(
        contact(external_id="E-1001", first_name="Augusta", add_groups_name=["VIP"])
    )
    assert result.outcome is Outcome.PARTIAL
    [problem] = result.errors
    assert (problem.code, problem.retryable) == (ProblemCode.INVALID, False)
    alone = await desk.write(contact(external_id="E-1001", add_groups_name=["VIP"]))
    assert alone.outcome is Outcome.REJECTED


# ---------------------------------------------------------------- creates that meet, answers that are lost


async def test_two_concurrent_creates_of_one_person_make_one_record(desk: Desk) -> None:
    desk.switches["duplicate_contact"] = "create"
    given = contact(**NEW, external_id="E-3001", ivvy={"update_if_exists": False})
    results = await asyncio.gather(*(desk.write(given) for _ in range(5)))
    assert sorted(result.outcome.value for result in results) == ["CREATED", *["UNCHANGED"] * 4]
    assert len(desk.held(externalId="E-3001")) == 1


async def test_two_creates_by_email_meet_whatever_its_case(desk: Desk) -> None:
    desk.switches["duplicate_contact"] = "create"
    spellings = ("eve@example.com", "Eve@EXAMPLE.com")
    inputs = [
        contact(**{**NEW, "email": email}, ivvy={"update_if_exists": False}) for email in spellings
    ]
    await asyncio.gather(*map(desk.write, inputs))
    assert len(desk.held(firstName="Eve")) == 1


async def test_that_a_contact_does_not_exist_is_asked_again_under_the_lock(desk: Desk) -> None:
    await desk.write(contact(**NEW, external_id="E-3001"))
    look_ups = ["getContactList", "getContactList"]
    assert [action for action, _ in desk.calls()] == [*look_ups, *look_ups, "addOrUpdateContact"]


LOST = {"backend": "ivvy", "path": "/api/1.0/contact?action=addOrUpdateContact", "drop": "after"}


async def test_a_create_whose_answer_is_lost_is_repeated_and_makes_one_record(desk: Desk) -> None:
    desk.sandbox.faults.add(LOST)
    result = await desk.write(contact(**NEW))
    [row] = desk.held(email="eve@example.com")
    assert (result.outcome, result.id) == (Outcome.CREATED, str(row["id"]))
    assert result.calls[0].attempts == 2


async def test_a_create_that_may_not_match_is_unknown_when_its_answer_is_lost(desk: Desk) -> None:
    desk.sandbox.faults.add(LOST)
    result = await desk.write(contact(**NEW, ivvy={"update_if_exists": False}))
    assert (result.outcome, result.calls[0].attempts) == (Outcome.UNKNOWN, 1)
    assert result.changed_fields == []


async def test_success_false_under_http_200_is_a_refusal(desk: Desk) -> None:
    await desk.write(contact(**NEW, external_id="E-3001"))
    desk.switches["unknown_filter"] = "none"
    desk.switches["filterable"] = "documented"
    given = contact(**NEW, ivvy={"update_if_exists": False})
    result = await desk.write(given)
    assert result.outcome is Outcome.REJECTED
    assert "already exists" in str(result.errors[0].backend_message)


async def test_a_name_among_no_companies_is_suggested_and_an_ambiguous_one_lists_its_ids(
    desk: Desk,
) -> None:
    unknown = await desk.write(contact(**NEW, companies_name=["Harbor Hotels"]))
    assert unknown.errors[0].suggestions == ["Harbour Hotels"]
    several = await desk.write(contact(**NEW, companies_name=["Twin Peaks Catering"]))
    assert several.errors[0].code is ProblemCode.NAME_AMBIGUOUS
    assert several.errors[0].suggestions == ["7003", "7004"]
