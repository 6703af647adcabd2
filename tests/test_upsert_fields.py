"""Every input field in every backend: it arrives, or it is reported."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest

from gateway.backends.ivvy.company import FIELDS as COMPANY
from gateway.backends.ivvy.lead import FIELDS as LEAD
from gateway.checks import CLEARED, CLEARED_BY_SOME, KEPT, TEXTS
from gateway.docs import TABLES
from gateway.lead_checks import COMPANY_TEXTS, LEAD_TEXTS
from gateway.model import Backend, ContactInput
from gateway.write import SECTIONS, input_name
from tests.leads import OF_ADA, upsert_lead

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.fields import Field
    from tests.harness import Gateway

EVERYTHING: dict[str, Any] = {
    "externalId": "E-8001",
    "email": "all@example.com",
    "firstName": "All",
    "middleInitial": "F",
    "lastName": "Fields",
    "suffix": "Jr",
    "phone": "030 23125 801",
    "phoneCountryCode": "DE",
    "countryCode": "DE",
    "alternateEmails": ["other@example.com"],
    "addresses": [
        {
            "locationName": "Home", "line1": "1 Test Street", "line2": "Flat 2", "city": "Berlin",
            "region": "Berlin", "postalCode": "10115", "countryCode": "DE", "latitude": 52.5,
            "longitude": 13.4,
        }
    ],
    "recordTypeName": "Employee",
    "groupsName": ["Newsletter"],
    "addGroupsName": ["Newsletter"],
    "removeGroupsName": ["Berlin Office"],
    "paths": [
        {
            "prompt": "SMS", "value": "030 23125 802", "countryCode": "DE",
            "quietTimeFrames": [
                {"name": "Night", "days": ["MONDAY"], "fromHour": 22, "fromMinute": 0,
                 "toHour": 6, "toMinute": 0}
            ],
        }
    ],
    "timezoneId": "Europe/Berlin",
    "customFields": [{"name": "Shift", "values": ["Day"]}],
    "companiesName": ["Harbour Hotels"],
    "emailStatus": "SUBSCRIBED",
    "smsStatus": "NO_MARKETING",
    "externalUrls": [{"ref": "profile", "url": "https://example.com/all", "label": "Profile"}],
    "privacyConsent": True,
}  # fmt: skip
NOT_TOGETHER = {"groupsName": {"addGroupsName", "removeGroupsName"}}


@pytest.mark.parametrize(
    ("texts", "tables"),
    [
        pytest.param(TEXTS, tuple(TABLES.values()), id="contact"),
        pytest.param(LEAD_TEXTS, (LEAD,), id="lead"),
        pytest.param(COMPANY_TEXTS, (COMPANY,), id="company"),
    ],
)
def test_null_is_proposed_for_an_empty_text_where_it_clears_it(
    texts: dict[str, str], tables: tuple[Sequence[Field], ...]
) -> None:
    proposed = {(True,): CLEARED, (False,): KEPT, (False, True): CLEARED_BY_SOME}
    for name, told in texts.items():
        rows = [row for table in tables for row in table if row.name == name]
        assert told == proposed[tuple(sorted({row.clear.possible for row in rows}))], name


async def test_an_empty_name_of_a_lead_is_not_to_be_cleared(gateway: Gateway) -> None:
    [problem] = (await upsert_lead(gateway, OF_ADA | {"name": " "})).errors
    assert problem["message"] == "name is empty: leave it out, or give a value."


def test_the_input_of_this_file_has_every_field() -> None:
    unified = {input_name(field.name) for field in fields(ContactInput)} - set(SECTIONS)
    assert set(EVERYTHING) == unified


@pytest.mark.parametrize("backend", [backend.value for backend in Backend])
@pytest.mark.parametrize("groups", ["groupsName", "addGroupsName"])
async def test_every_field_is_mapped_or_reported(
    gateway: Gateway, backend: str, groups: str
) -> None:
    left_out = NOT_TOGETHER["groupsName"] if groups == "groupsName" else {"groupsName"}
    given = {name: value for name, value in EVERYTHING.items() if name not in left_out}
    answer = await gateway.upsert(given, targets=[backend], dryRun=True)
    assert answer.errors == []
    result = answer.result(backend)
    told = {name.split(".")[0] for name in (*result["changedFields"], *result["ignoredFields"])}
    # Leaving a group that a new contact is not in changes nothing, and the country of a national
    # phone number is stored nowhere.
    silent = {"phoneCountryCode", "removeGroupsName"}
    assert set(given) - told - silent == set()


@pytest.mark.parametrize("backend", list(Backend))
async def test_ignored_fields_are_those_without_a_row(gateway: Gateway, backend: Backend) -> None:
    given = {
        name: value for name, value in EVERYTHING.items() if name not in NOT_TOGETHER["groupsName"]
    }
    answer = await gateway.upsert(given, targets=[backend.value], dryRun=True)
    ignored = {name for name in answer.result(backend.value)["ignoredFields"] if "." not in name}
    rows = {input_name(row.name) for row in TABLES[backend]}
    assert ignored - rows == set(given) - rows - {"phoneCountryCode"}


async def test_everything_is_stored_and_the_same_again_is_unchanged(gateway: Gateway) -> None:
    given = {
        name: value for name, value in EVERYTHING.items() if name not in NOT_TOGETHER["groupsName"]
    }
    first = await gateway.upsert(given)
    assert first.errors == []
    gateway.clock.advance(60)
    second = await gateway.upsert(given)
    assert second.errors == []
    assert second.outcomes() == {
        "IVVY": "UNCHANGED",
        "EVERBRIDGE": "UNCHANGED",
        "SENDGRID": "ACCEPTED",
    }


CLEARABLE = {
    "IVVY": ["externalId", "phone", "groupsName", "customFields", "companiesName", "externalUrls"],
    "EVERBRIDGE": [
        "email", "middleInitial", "suffix", "phone", "countryCode", "addresses", "groupsName",
        "paths", "timezoneId", "customFields",
    ],
    "SENDGRID": [
        "firstName", "lastName", "phone", "alternateEmails", "addresses", "groupsName",
        "customFields",
    ],
}  # fmt: skip
STUCK = {
    "IVVY": ["firstName", "lastName", "email", "emailStatus", "smsStatus", "privacyConsent"],
    "EVERBRIDGE": ["externalId", "firstName", "lastName", "recordTypeName"],
    "SENDGRID": ["email"],
}


async def _made(gateway: Gateway, backend: str) -> dict[str, Any]:
    """Everything in one backend, and the key by which it is found again."""
    given = {
        name: value for name, value in EVERYTHING.items() if name not in NOT_TOGETHER["groupsName"]
    }
    given.pop("removeGroupsName", None)
    made = await gateway.upsert(given, targets=[backend])
    assert made.errors == []
    gateway.clock.advance(60)
    if backend == "SENDGRID":
        return {"email": "all@example.com"}
    return {backend.lower(): {"id": made.result(backend)["id"]}}


@pytest.mark.parametrize(
    ("backend", "name"), [(backend, name) for backend, names in CLEARABLE.items() for name in names]
)
async def test_null_clears(gateway: Gateway, backend: str, name: str) -> None:
    key = await _made(gateway, backend)
    change: dict[str, Any] = key | {name: None}
    if name == "timezoneId":
        change["paths"] = None  # a path with quiet times needs it
    answer = await gateway.upsert(change, targets=[backend])
    assert answer.errors == []
    assert [changed.split(".")[0] for changed in answer.result(backend)["changedFields"]]
    gateway.clock.advance(60)
    again = await gateway.upsert(change, targets=[backend])
    if backend != "SENDGRID":
        assert again.outcomes() == {backend: "UNCHANGED"}
    assert again.errors == []
    shown = str(_stored(gateway, backend))
    gone = {
        "phone": "23125801", "middleInitial": "'F'", "suffix": "'Jr'", "paths": "23125802",
        "alternateEmails": "other@example.com", "addresses": "1 Test Street",
        "timezoneId": "Europe/Berlin", "externalUrls": "profile", "externalId": "E-8001",
        "firstName": "'All'", "lastName": "'Fields'", "email": "all@example.com",
    }  # fmt: skip
    if name in gone:
        assert gone[name] not in shown


@pytest.mark.parametrize(
    ("backend", "name"), [(backend, name) for backend, names in STUCK.items() for name in names]
)
async def test_null_on_what_cannot_be_cleared_is_a_problem_where_the_target_is_named(
    gateway: Gateway, backend: str, name: str
) -> None:
    key = await _made(gateway, backend)
    answer = await gateway.upsert(key | {name: None}, targets=[backend])
    assert answer.status == "REJECTED"
    assert answer.errors[0]["code"] in {"CANNOT_CLEAR", "REQUIRED"}
    assert answer.errors[0]["field"] == [name]


async def test_null_on_what_cannot_be_cleared_is_ignored_with_default_targets(
    gateway: Gateway,
) -> None:
    answer = await gateway.upsert({"externalId": "E-1001", "firstName": None})
    assert answer.errors == []
    assert "firstName" in answer.result("IVVY")["ignoredFields"]
    assert "firstName" in answer.result("EVERBRIDGE")["ignoredFields"]
    gateway.clock.advance(60)
    assert gateway.sendgrid("ada@example.com")[0]["texts"].get("first_name", "") == ""
    assert gateway.ivvy(externalId="E-1001")[0]["firstName"] == "Ada"


async def test_a_null_key_does_not_keep_everbridge_from_borrowing_a_siblings(
    gateway: Gateway,
) -> None:
    [ada] = gateway.ivvy(externalId="E-1001")
    change = {"externalId": None, "ivvy": {"id": str(ada["id"])}, "suffix": "Esq"}
    answer = await gateway.upsert(change, dryRun=True)
    assert answer.errors == []
    everbridge = answer.result("EVERBRIDGE")
    assert everbridge["matchedBy"] == "IVVY.externalId"
    assert everbridge["changedFields"] == ["suffix"]
    assert "externalId" in everbridge["ignoredFields"]
    named = await gateway.upsert(change, targets=["IVVY", "EVERBRIDGE"])
    assert [(e["backend"], e["code"]) for e in named.errors] == [("EVERBRIDGE", "CANNOT_CLEAR")]


async def test_a_whole_number_with_more_digits_than_json_holds_is_a_problem(
    gateway: Gateway,
) -> None:
    fields = [{"name": "Badge number", "values": ["1e30"]}]
    answer = await gateway.upsert({"externalId": "E-1001", "customFields": fields})
    [problem] = [item for item in answer.errors if item["backend"] == "IVVY"]
    assert problem["code"] == "INVALID"
    assert problem["field"] == ["customFields", "0", "values", "0"]
    assert not any(gateway.calls(name, writes=True) for name in ("ivvy", "everbridge", "sendgrid"))


async def test_a_null_key_that_a_sibling_gives_is_ignored_and_not_changed(gateway: Gateway) -> None:
    olive = {"ivvy": {"id": "40004"}, "firstName": "Olive", "lastName": "Desk"}
    nulled = olive | {"externalId": None, "email": None}
    answer = await gateway.upsert(nulled, dryRun=True)
    everbridge, sendgrid = answer.result("EVERBRIDGE"), answer.result("SENDGRID")
    assert everbridge["changedFields"] == sendgrid["changedFields"] == ["firstName", "lastName"]
    assert "externalId" in everbridge["ignoredFields"]
    assert "email" in sendgrid["ignoredFields"]
    absent = await gateway.upsert(olive, dryRun=True)
    assert absent.result("EVERBRIDGE")["changedFields"] == ["externalId", "firstName", "lastName"]
    assert absent.result("SENDGRID")["changedFields"] == ["firstName", "lastName", "email"]


async def test_values_that_contradict_each_other_are_both_shown(gateway: Gateway) -> None:
    paths = [{"prompt": "Work Email", "value": "b@example.com"}]
    contact = {"externalId": "E-1002", "email": "a@example.com", "paths": paths}
    answer = await gateway.upsert(contact, targets=["EVERBRIDGE"])
    [problem] = answer.errors
    assert (problem["code"], problem["field"]) == ("INVALID", ["email"])
    assert "a@example.com" in problem["message"]
    assert "b@example.com" in problem["message"]


def _stored(gateway: Gateway, backend: str) -> Any:
    match backend:
        case "IVVY":
            return gateway.ivvy(email="all@example.com")
        case "EVERBRIDGE":
            return gateway.everbridge(externalId="E-8001")
        case _:
            row = gateway.sendgrid("all@example.com")[0]
            return {key: value for key, value in row.items() if key != "identifiers"}
