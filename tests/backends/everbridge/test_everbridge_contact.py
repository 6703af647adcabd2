"""Everbridge's contact translation: stored contact and input to the exact PUT, without I/O."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.backends.everbridge.contact import FIELDS, carried
from gateway.calls import shown
from gateway.model import WriteMode
from gateway.results import Outcome, ProblemCode
from tests.backends.everbridge.ada import ADA, KEPT
from tests.backends.everbridge.writing import (
    AREA,
    BARE,
    EMPLOYEE,
    NEWSLETTER,
    RESIDENT,
    SHIFT,
    WARDENS,
    contact,
    custom,
    custom_by_id,
    plan,
    sent,
)

NEW: dict[str, Any] = {"external_id": "E-9", "first_name": "Eve", "last_name": "Moore"}


def without(*keys: str) -> dict[str, Any]:
    return {key: value for key, value in KEPT.items() if key not in keys}


@pytest.mark.parametrize(
    ("fields", "body", "changed"),
    [
        ({"first_name": "Augusta"}, KEPT | {"firstName": "Augusta"}, ["firstName"]),
        ({"last_name": "King"}, KEPT | {"lastName": "King"}, ["lastName"]),
        ({"middle_initial": "B"}, KEPT | {"middleInitial": "B"}, ["middleInitial"]),
        ({"middle_initial": None}, without("middleInitial"), ["middleInitial"]),
        ({"suffix": None}, without("suffix"), ["suffix"]),
        ({"country_code": "de"}, KEPT | {"country": "DE"}, ["countryCode"]),
        ({"country_code": None}, without("country"), ["countryCode"]),
        (
            {"timezone_id": "Europe/Berlin"},
            KEPT | {"timezoneId": "Europe/Berlin"},
            ["timezoneId"],
        ),
        (
            {"record_type_name": "Resident"},
            without("recordTypeName") | {"recordTypeId": RESIDENT},
            ["recordTypeName"],
        ),
        (
            {"everbridge": {"record_type_id": str(RESIDENT)}},
            without("recordTypeName") | {"recordTypeId": RESIDENT},
            ["everbridge.recordTypeId"],
        ),
        (
            {"everbridge": {"topic_ids": ["1600000000000009"]}},
            KEPT | {"topics": [1600000000000009]},
            ["everbridge.topicIds"],
        ),
        ({"everbridge": {"topic_ids": []}}, without("topics"), ["everbridge.topicIds"]),
        ({"everbridge": {"topic_ids": None}}, without("topics"), ["everbridge.topicIds"]),
        (
            {"add_groups_name": ["Fire Wardens", "Newsletter"]},
            KEPT | {"groups": [WARDENS]},
            ["addGroupsName"],
        ),
    ],
)
def test_an_update_puts_the_whole_contact_with_the_write_laid_over_it(
    fields: dict[str, Any], body: dict[str, Any], changed: list[str]
) -> None:
    made = plan(contact(**fields), ADA)
    assert sent(made) == body
    [call] = made.calls
    assert (call.method, call.path) == ("PUT", "/contacts/1000000000000001/1300000000000001")
    assert list(made.changed) == changed
    assert (made.outcome, made.id) == (Outcome.UPDATED, "1300000000000001")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"first_name": "Ada", "country_code": "gb"},
        {"record_type_name": "employee"},
        {"groups_name": ["Berlin Office", "Newsletter"]},
        {"add_groups_name": ["Newsletter"], "remove_groups_name": ["Fire Wardens"]},
        {"everbridge": {"topic_ids": ["1600000000000002", "1600000000000001"]}},
        {"custom_fields": [custom("Badge number", "16324267.0"), custom("shift", "night")]},
        {"custom_fields": [custom("Languages", "English", "French"), custom("Notes")]},
        {"custom_fields": []},
        {"paths": [], "addresses": None, "timezone_id": None, "email": None},
    ],
)
def test_what_is_already_so_is_unchanged_and_sends_nothing(fields: dict[str, Any]) -> None:
    made = plan(contact(**fields), ADA)
    assert (made.outcome, made.calls, made.changed) == (Outcome.UNCHANGED, (), ())


def test_a_contact_found_by_its_id_is_renamed() -> None:
    native = {"id": str(ADA["id"])}
    made = plan(contact(external_id="E-77", everbridge=native), ADA)
    assert sent(made) == KEPT | {"externalId": "E-77"}
    assert made.changed == ("externalId",)


def test_a_new_contact_is_posted_with_ids_for_names() -> None:
    made = plan(
        contact(
            **NEW,
            email="Eve@Example.org",
            phone="07700 900199",
            country_code="GB",
            groups_name=["newsletter"],
            custom_fields=[custom("Shift", "Day"), custom("Notes")],
            everbridge={"topic_ids": ["1600000000000001"]},
        )
    )
    [call] = made.calls
    assert (call.method, call.path) == ("POST", "/contacts/1000000000000001")
    assert call.body == {
        "externalId": "E-9",
        "firstName": "Eve",
        "lastName": "Moore",
        "country": "GB",
        "recordTypeId": EMPLOYEE,
        "groups": [NEWSLETTER],
        "topics": [1600000000000001],
        "contactAttributes": [{"orgAttrId": SHIFT, "name": "Shift", "values": ["Day"]}],
        "paths": [
            {
                "pathId": 241901148045316,
                "value": "Eve@example.org",
                "waitTime": 0,
                "skipValidation": False,
            },
            {
                "pathId": 241901148045319,
                "value": "7700900199",
                "countryCode": "GB",
                "waitTime": 0,
                "skipValidation": False,
            },
        ],
    }
    assert made.outcome is Outcome.CREATED
    assert set(made.changed) == {
        *("externalId", "firstName", "lastName", "countryCode", "email", "phone"),
        *("customFields.Shift", "groupsName", "everbridge.topicIds"),
    }


def test_a_new_contact_takes_the_key_of_a_sibling() -> None:
    made = plan(contact(first_name="Eve", last_name="Moore"), borrowed="E-5")
    assert sent(made)["externalId"] == "E-5"
    assert made.changed == ("externalId", "firstName", "lastName")


def test_every_missing_field_of_a_new_contact_is_told_at_once() -> None:
    made = plan(contact(email="eve@example.org", first_name=None), organization=BARE)
    assert [(problem.code, problem.field) for problem in made.problems] == [
        (ProblemCode.REQUIRED, ["externalId"]),
        (ProblemCode.REQUIRED, ["firstName"]),
        (ProblemCode.REQUIRED, ["lastName"]),
        (ProblemCode.REQUIRED, ["recordTypeName"]),
    ]
    assert made.calls == ()


def test_a_default_record_type_that_does_not_exist_is_told() -> None:
    organization = type(BARE)(id=BARE.id, record_type="Employes")
    [problem] = plan(contact(**NEW), organization=organization).problems
    assert (problem.code, problem.suggestions) == (ProblemCode.NAME_NOT_FOUND, ["Employee"])
    assert problem.field == ["recordTypeName"]


@pytest.mark.parametrize(
    ("null", "label"),
    [
        ({"record_type_name": None}, "recordTypeName"),
        ({"everbridge": {"record_type_id": None}}, "everbridge.recordTypeId"),
    ],
)
def test_a_null_against_the_default_record_type_is_not_passed_over(
    null: dict[str, Any], label: str
) -> None:
    given = contact(**NEW, **null)
    [problem] = plan(given, targets_named=True).problems
    assert (problem.code, problem.field) == (ProblemCode.CANNOT_CLEAR, label.split("."))
    made = plan(given)
    assert (sent(made)["recordTypeId"], list(made.ignored)) == (EMPLOYEE, [label])


@pytest.mark.parametrize("name", ["first_name", "last_name", "external_id", "record_type_name"])
def test_what_everbridge_cannot_clear_is_a_problem_or_ignored(name: str) -> None:
    given = contact(**{name: None})
    [problem] = plan(given, ADA, targets_named=True).problems
    assert problem.code is ProblemCode.CANNOT_CLEAR
    made = plan(given, ADA)
    assert (made.outcome, len(made.ignored)) == (Outcome.UNCHANGED, 1)


@pytest.mark.parametrize(
    ("fields", "limit"),
    [
        ({"middle_initial": "AB"}, 1),
        ({"suffix": "x" * 11}, 10),
        ({"first_name": "x" * 101}, 100),
        ({"external_id": "x" * 51}, 50),
    ],
)
def test_a_text_beyond_its_limit_is_too_long(fields: dict[str, Any], limit: int) -> None:
    [problem] = plan(contact(**fields), ADA).problems
    assert problem.code is ProblemCode.TOO_LONG
    assert f"at most {limit}" in problem.message


def test_unknown_native_ids_are_not_found() -> None:
    native = {
        "group_ids": ["1200000000000999"],
        "record_type_id": "1100000000000999",
        "attributes": [custom_by_id(1400000000000999, "x")],
    }
    made = plan(contact(everbridge=native), ADA)
    assert {(problem.code, *problem.field) for problem in made.problems} == {
        (ProblemCode.NOT_FOUND, "everbridge", "groupIds", "0"),
        (ProblemCode.NOT_FOUND, "everbridge", "recordTypeId"),
        (ProblemCode.NOT_FOUND, "everbridge", "attributes", "0", "id"),
    }


@pytest.mark.parametrize("stored", [ADA, None])
@pytest.mark.parametrize("named", [True, False])
def test_a_null_beside_the_record_types_name_is_told_as_ignored(
    named: bool, stored: dict[str, Any] | None
) -> None:
    given = contact(**NEW, record_type_name="Resident", everbridge={"record_type_id": None})
    made = plan(given, stored, targets_named=named)
    assert (made.problems, list(made.ignored)) == ((), ["everbridge.recordTypeId"])
    assert sent(made)["recordTypeId"] == RESIDENT


def test_a_record_type_id_wins_over_its_name() -> None:
    native = {"record_type_id": str(RESIDENT)}
    made = plan(contact(record_type_name="Employee", everbridge=native), ADA)
    assert sent(made)["recordTypeId"] == RESIDENT
    assert made.ignored == ("recordTypeName",)


def test_fields_that_everbridge_has_no_place_for_are_ignored() -> None:
    made = plan(
        contact(
            alternate_emails=["a@example.org"],
            companies_name=["Engines"],
            privacy_consent=True,
            email="new@example.org",
            phone="+44 7700 900111",
            phone_country_code="GB",
        ),
        ADA,
        organization=BARE,
    )
    assert made.outcome is Outcome.UNCHANGED
    assert set(made.ignored) == {
        *("alternateEmails", "companiesName", "privacyConsent", "email", "phone"),
    }


def test_a_replace_clears_the_unified_rest_and_carries_over_everything_else() -> None:
    given = contact(
        external_id="E-1001", first_name="Ada", last_name="Byron", record_type_name="Employee"
    )
    made = plan(given, ADA, mode=WriteMode.REPLACE)
    attributes = [{"orgAttrId": AREA, "name": "Area", "values": [{"points": [1.5]}]}]
    assert sent(made) == {
        **without("middleInitial", "suffix", "country", "contactAttributes"),
        "contactAttributes": attributes,
    }
    assert [call.method for call in made.calls] == ["PUT", "DELETE", "DELETE"]
    assert made.ignored == ("customFields.Area",)
    again = {
        key: value
        for key, value in {**ADA, "contactAttributes": attributes}.items()
        if key not in {"middleInitial", "suffix", "country", "groups"}
    }
    assert plan(given, again, mode=WriteMode.REPLACE).outcome is Outcome.UNCHANGED


def test_a_replace_needs_what_a_create_needs_but_not_its_stored_key() -> None:
    made = plan(contact(last_name=None), ADA, mode=WriteMode.REPLACE, organization=BARE)
    assert [problem.field for problem in made.problems] == [
        ["firstName"],
        ["lastName"],
        ["recordTypeName"],
    ]
    assert all(problem.code is ProblemCode.REQUIRED for problem in made.problems)


def test_read_only_fields_and_memberships_are_not_carried() -> None:
    assert carried({**ADA, "groupsName": ["Newsletter"], "seq": 4}) == KEPT


def test_the_pin_is_sent_and_not_shown() -> None:
    [call] = plan(contact(first_name="Augusta"), ADA).calls
    assert call.body["securityPIN"] == "0815"
    body: Any = shown(call).body
    assert (body["securityPIN"], body["firstName"]) == ("***", "Augusta")


def test_planning_leaves_the_stored_contact_as_it_was() -> None:
    before = repr(ADA)
    plan(contact(first_name="X", groups_name=[], custom_fields=[custom("Shift", "Day")]), ADA)
    assert repr(ADA) == before


def test_every_row_is_there_once() -> None:
    names = [row.name for row in FIELDS]
    assert len(names) == len(set(names))
