"""Everbridge's adapter against the simulated Everbridge: what is found, written, and left alone."""

from __future__ import annotations

import time
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from strawberry import ID

from gateway.entries import CatalogName, CustomFieldType
from gateway.errors import NotWrittenError
from gateway.model import CustomFieldByIdInput, WriteMode
from gateway.results import Outcome, ProblemCode
from gateway.upstream import Exchange
from tests.backends.everbridge.writing import (
    BERLIN,
    MOBILE,
    NEWSLETTER,
    WARDENS,
    address,
    contact,
    custom,
    custom_by_id,
    frame,
    path,
    write_of,
)

if TYPE_CHECKING:
    from tests.backends.everbridge.conftest import Wired

ADA_ID = 1300000000000001
SERVERS = ("lastModifiedDate", "lastModifiedTime", "lastModifiedId", "lastModifiedName")
EVE: dict[str, Any] = {"external_id": "E-9", "first_name": "Eve", "last_name": "Moore"}


def without(held: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in held.items() if key not in (*SERVERS, *keys)}


async def test_a_new_contact_is_created_then_unchanged_then_updated(wired: Wired) -> None:
    given: dict[str, Any] = {
        **EVE,
        "email": "eve@example.org",
        "phone": "07700 900199",
        "groups_name": ["newsletter", "Region 130"],
        "addresses": [address(line1="2 New Road", country_code="GB", line2="The old mill house")],
        "custom_fields": [custom("Badge number", "7.50"), custom("Languages", "German")],
        "paths": [
            path("202 555 0101", prompt="SMS", country_code="US", quiet_time_frames=[frame("N")])
        ],
        "timezone_id": "Europe/Berlin",
    }
    created = await wired.upsert(contact(**given))
    assert (created.outcome, created.matched_by) == (Outcome.CREATED, None)
    held = wired.held("E-9")
    assert created.id == str(held["id"])
    assert [each["value"] for each in held["paths"]] == [
        "2025550101",
        "eve@example.org",
        "7700900199",
    ]
    again = await wired.upsert(contact(**given))
    assert (again.outcome, again.calls, again.matched_by) == (Outcome.UNCHANGED, [], "externalId")
    given["email"] = "eve2@example.org"
    changed = await wired.upsert(contact(**given))
    assert (changed.outcome, changed.changed_fields) == (Outcome.UPDATED, ["email"])
    assert len(wired.calls("POST")) == 2  # the token and the create
    assert len(wired.calls("PUT")) == 1


async def test_what_is_not_mentioned_stays(wired: Wired) -> None:
    before = deepcopy(wired.held("E-1001"))
    result = await wired.upsert(contact(external_id="E-1001", first_name="Augusta"))
    assert (result.outcome, result.id) == (Outcome.UPDATED, str(ADA_ID))
    after = wired.held("E-1001")
    assert without(after, "firstName") == without(before, "firstName")
    assert after["firstName"] == "Augusta"


async def test_null_clears_and_is_then_unchanged(wired: Wired) -> None:
    given = contact(
        external_id="E-1001",
        email=None,
        phone=None,
        suffix=None,
        addresses=None,
        custom_fields=None,
        groups_name=None,
        everbridge={"topic_ids": None},
    )
    result = await wired.upsert(given)
    assert result.outcome is Outcome.UPDATED
    held = wired.held("E-1001")
    gone = ("suffix", "address", "contactAttributes", "topics")
    assert not any(held.get(name) for name in gone)
    assert held["groups"] == []
    assert [each["pathId"] for each in held["paths"]] == [
        241901148045321,
        241901148045324,
        241901148045325,
    ]
    assert held["businessName"] == "Analytical Engines"
    assert (await wired.upsert(given)).outcome is Outcome.UNCHANGED


async def test_a_replace_leaves_the_unified_contact_and_what_lies_outside_it(wired: Wired) -> None:
    given = contact(
        external_id="E-1001",
        first_name="Ada",
        last_name="Byron",
        record_type_name="Resident",
        groups_name=["Fire Wardens"],
        paths=[path("7700 900101", path_id=str(MOBILE))],
        timezone_id="Europe/London",
    )
    before = deepcopy(wired.held("E-1001"))
    result = await wired.upsert(given, mode=WriteMode.REPLACE)
    assert result.outcome is Outcome.UPDATED
    held = wired.held("E-1001")
    assert held["groups"] == [WARDENS]
    assert held["paths"] == before["paths"][:1]
    assert not any(held.get(name) for name in ("suffix", "country", "address", "contactAttributes"))
    kept = ("businessName", "ssoUserId", "vip", "topics", "preferredLanguage", "userId")
    assert {name: held[name] for name in kept} == {name: before[name] for name in kept}
    assert (await wired.upsert(given, mode=WriteMode.REPLACE)).outcome is Outcome.UNCHANGED


async def test_a_dry_run_shows_the_calls_with_ids_and_sends_none(wired: Wired) -> None:
    given = contact(
        external_id="E-1001",
        remove_groups_name=["Newsletter"],
        add_groups_name=["Fire Wardens"],
        record_type_name="Resident",
    )
    result = await wired.upsert(given, dry=True)
    assert result.outcome is Outcome.PLANNED
    put, delete = result.calls
    body: Any = put.body
    assert (body["groups"], body["recordTypeId"]) == ([WARDENS], 1100000000000002)
    assert f"groupId={NEWSLETTER}" in delete.path
    assert not wired.calls("PUT")
    assert not wired.calls("DELETE")


async def test_memberships_are_joined_and_left(wired: Wired) -> None:
    given = contact(external_id="E-1001", groups_name=["Fire Wardens", "Berlin Office"])
    result = await wired.upsert(given)
    assert result.changed_fields == ["groupsName"]
    assert sorted(wired.held("E-1001")["groups"]) == [BERLIN, WARDENS]
    assert [call.method for call in result.calls] == ["PUT", "DELETE", "DELETE"]


async def test_leaving_only_sends_no_put(wired: Wired) -> None:
    result = await wired.upsert(contact(external_id="E-1001", remove_groups_name=["Newsletter"]))
    assert [call.method for call in result.calls] == ["DELETE"]
    assert result.outcome is Outcome.UPDATED


async def test_a_failed_removal_after_the_put_is_partial(wired: Wired) -> None:
    wired.simulation.switches["batch_code"] = 200
    given = contact(external_id="E-1001", first_name="X", remove_groups_name=["Newsletter"])
    result = await wired.upsert(given)
    assert result.outcome is Outcome.PARTIAL
    assert [error.backend_code for error in result.errors] == ["200"]
    assert wired.held("E-1001")["firstName"] == "X"


# ---------------------------------------------------------------- names and errors


async def test_every_page_of_the_groups_is_read(wired: Wired) -> None:
    exchange = Exchange(deadline=time.monotonic() + 10)
    groups = await wired.adapter.catalogs.read(CatalogName.GROUPS, exchange)
    assert len(groups.entries) == 134
    assert groups.matches("Region 130")
    pages = [call for call in wired.calls("GET") if "/groups/" in call]
    assert [call.partition("?")[2] for call in pages] == [
        "pageNumber=1&pageSize=100",
        "pageNumber=2&pageSize=100",
    ]


async def test_catalogs_say_what_the_look_ups_mean(wired: Wired) -> None:
    exchange = Exchange(deadline=time.monotonic() + 10)
    read = wired.adapter.catalogs.read
    paths = await read(CatalogName.PATHS, exchange)
    assert [(each.id, each.kind) for each in paths.matches("Business Phone")] == [
        ("241901148045321", "EXTPHONE")
    ]
    fields = await read(CatalogName.CUSTOM_FIELDS, exchange)
    kinds = {each.name: each.field.type for each in fields.entries if each.field}
    assert kinds == {
        "Shift": CustomFieldType.CHOICE,
        "Badge number": CustomFieldType.NUMBER,
        "Notes": CustomFieldType.TEXT,
        "Languages": CustomFieldType.MULTIPLE_CHOICE,
        "Joined": CustomFieldType.DATE,
    }
    types = await read(CatalogName.RECORD_TYPES, exchange)
    assert [each.name for each in types.entries] == ["Employee", "Resident"]


async def test_an_unknown_prompt_and_record_type_are_told_with_suggestions(wired: Wired) -> None:
    given = contact(
        external_id="E-1001",
        record_type_name="Employe",
        paths=[path("a@example.org", prompt="Work Mail")],
    )
    receipt = await wired.receipt(given)
    assert {(error.code, *error.field) for error in receipt.errors} == {
        (ProblemCode.NAME_NOT_FOUND, "recordTypeName"),
        (ProblemCode.NAME_NOT_FOUND, "paths", "0", "prompt"),
    }
    assert {name for error in receipt.errors for name in error.suggestions} >= {
        "Employee",
        "Work Email",
    }


async def test_ids_of_a_wrong_form_are_told_before_anybody_is_asked(wired: Wired) -> None:
    native: dict[str, Any] = {
        "id": "E-1001",
        "record_type_id": "1 or 1",
        "group_ids": ["12", "x"],
        "topic_ids": ["-1"],
    }
    native["attributes"] = [custom_by_id(7, "fine"), CustomFieldByIdInput(id=ID("x"), values=[])]
    given = contact(everbridge=native, paths=[path("x", path_id="٣")])
    receipt = await wired.receipt(given)
    assert [error.field for error in receipt.errors] == [
        ["everbridge", "id"],
        ["everbridge", "recordTypeId"],
        ["everbridge", "groupIds", "1"],
        ["everbridge", "topicIds", "0"],
        ["everbridge", "attributes", "1", "id"],
        ["paths", "0", "pathId"],
        ["everbridge", "attributes", "0", "id"],  # of the right form, and nobody's
        ["everbridge", "groupIds", "0"],
    ]
    assert not [call for call in wired.calls("GET") if "/contacts/" in call]


async def test_the_vendors_refusal_of_a_write_is_shown_in_its_words(wired: Wired) -> None:
    wired.simulation.switches["reject_duplicate_paths"] = True
    ada = wired.held("E-1001")
    ada["paths"] = [ada["paths"][1], ada["paths"][1]]
    result = await wired.upsert(contact(external_id="E-1001", first_name="X"))
    assert result.outcome is Outcome.REJECTED
    assert [error.backend_message for error in result.errors] == ["A pathId is used twice."]


async def test_a_wrong_organization_says_so_and_writes_nothing(wired: Wired) -> None:
    organization = wired.simulation._store.organizations[0]
    organization["id"] = 1000000000000009
    exchange = Exchange(deadline=time.monotonic() + 10)
    with pytest.raises(NotWrittenError, match="organization"):
        await wired.adapter.find(write_of(contact(external_id="E-1001")), {}, exchange)


async def test_everbridge_has_no_jobs(wired: Wired) -> None:
    assert await wired.adapter.job("1", Exchange(deadline=time.monotonic() + 10)) is None
