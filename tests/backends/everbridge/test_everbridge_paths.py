"""Delivery paths and quiet times: stored contact and input to the exact `paths`, without I/O."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.model import WriteMode
from gateway.results import Outcome, ProblemCode
from tests.backends.everbridge.many_paths import (
    ADA,
    DESK_PATH,
    MAIL_PATH,
    MOBILE_PATH,
    paths_after,
)
from tests.backends.everbridge.writing import (
    APP,
    BUSINESS,
    HOME_EMAIL,
    MOBILE,
    SMS,
    WORK_EMAIL,
    contact,
    path,
    plan,
    sent,
)

NAMES: dict[str, Any] = {"first_name": "Ada", "last_name": "Byron", "record_type_name": "Employee"}


def test_paths_keep_the_order_given_and_what_they_do_not_say() -> None:
    given = [
        path("+49 30 23125 999", prompt="business phone"),
        path("ada@example.org", prompt="Work Email"),
        path("07700 900555", path_id=str(MOBILE), prompt="Mobile Phone"),
    ]
    assert paths_after(paths=given) == [
        {**DESK_PATH, "value": "3023125999"},
        {**MAIL_PATH, "value": "ada@example.org"},
        {**MOBILE_PATH, "value": "7700900555"},
    ]


def test_a_path_that_the_list_leaves_out_is_gone() -> None:
    assert paths_after(paths=[path("ada@example.com", prompt="Work Email")]) == [MAIL_PATH]


@pytest.mark.parametrize("nothing", [None, []])
def test_an_empty_list_removes_all_paths(nothing: list[Any] | None) -> None:
    made = plan(contact(paths=nothing), ADA)
    assert sent(made)["paths"] == []
    assert made.changed == ("paths",)


def test_the_same_paths_in_another_order_are_a_change() -> None:
    given = [
        path("Ada@example.com", path_id=str(WORK_EMAIL)),
        path("7700900101", path_id=str(MOBILE)),
        path("3023125101", path_id=str(BUSINESS)),
    ]
    made = plan(contact(paths=given), ADA)
    assert sent(made)["paths"] == [MAIL_PATH, MOBILE_PATH, DESK_PATH]
    assert made.changed == ("paths",)


@pytest.mark.parametrize(
    "mobile",
    ["7700900101", "07700 900101", "+44 7700 900101", "7700-900-101"],
)
def test_a_number_in_another_notation_is_unchanged(mobile: str) -> None:
    given = [
        path(mobile, prompt="Mobile Phone"),
        path("ada@EXAMPLE.com", prompt="Work Email"),
        path("030 23125 101", prompt="Business Phone", extension="123"),
    ]
    assert plan(contact(paths=given), ADA).outcome is Outcome.UNCHANGED


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            path("202 555 0101", prompt="SMS", country_code="us"),
            {"pathId": SMS, "value": "2025550101", "countryCode": "US"},
        ),
        (
            path("07700 900102", prompt="SMS"),
            {"pathId": SMS, "value": "7700900102", "countryCode": "GB"},
        ),
        (path("+800 1234 5678", prompt="SMS"), {"pathId": SMS, "value": "+80012345678"}),
        (path(" ada.byron ", prompt="Member App"), {"pathId": APP, "value": "ada.byron"}),
        (
            path("ada.byron", prompt="Member App", country_code="GB"),
            {"pathId": APP, "value": "ada.byron", "countryCode": "GB"},
        ),
        (
            path("Home@Example.com", prompt="Home Email"),
            {"pathId": HOME_EMAIL, "value": "Home@example.com"},
        ),
        (
            path("+49 30 23125 1", prompt="Business Phone", extension="9"),
            {"pathId": BUSINESS, "value": "30231251", "countryCode": "DE", "phoneExt": "9"},
        ),
    ],
)
def test_a_new_path_is_written_by_its_kind(given: Any, expected: dict[str, Any]) -> None:
    bare = {**ADA, "paths": []}
    assert paths_after(bare, paths=[given]) == [
        {"waitTime": 0, "skipValidation": False, **expected}
    ]


def test_null_takes_an_extension_and_an_apps_country_away() -> None:
    raw = {**ADA, "paths": [DESK_PATH, {"pathId": APP, "value": "ada", "countryCode": "GB"}]}
    given = [
        path("3023125101", prompt="Business Phone", extension=None),
        path("ada", prompt="Member App", country_code=None),
    ]
    desk = {key: value for key, value in DESK_PATH.items() if key != "phoneExt"}
    assert paths_after(raw, paths=given) == [desk, {"pathId": APP, "value": "ada"}]


def test_a_national_number_is_read_in_the_country_of_the_stored_path() -> None:
    given = [path("030 23125 222", prompt="Business Phone")]
    assert paths_after(paths=given) == [{**DESK_PATH, "value": "3023125222"}]
    elsewhere = paths_after(
        paths=[path("202 555 0101", prompt="Business Phone")], phone_country_code="US"
    )
    assert elsewhere == [{**DESK_PATH, "value": "2025550101", "countryCode": "US"}]


def test_the_stored_digits_in_another_country_are_another_number() -> None:
    given = [path("3023125101", prompt="Business Phone")]
    assert paths_after(paths=given, phone_country_code="de") == [DESK_PATH]
    moved = paths_after(paths=given, phone_country_code="IT")
    assert moved == [{**DESK_PATH, "countryCode": "IT"}]


def test_a_stored_number_that_was_not_validated_can_be_repeated() -> None:
    odd = {**MOBILE_PATH, "value": "12"}
    raw = {**ADA, "paths": [odd]}
    assert plan(contact(paths=[path("12", prompt="Mobile Phone")]), raw).calls == ()
    [problem] = plan(contact(paths=[path("13", prompt="Mobile Phone")]), raw).problems
    assert (problem.code, problem.field) == (ProblemCode.INVALID, ["paths", "0", "value"])


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ([path("nobody", prompt="Work Email")], ProblemCode.INVALID, ["paths", "0", "value"]),
        ([path("12", prompt="SMS")], ProblemCode.INVALID, ["paths", "0", "value"]),
        (
            [path("x", path_id="241901148045999")],
            ProblemCode.NOT_FOUND,
            ["paths", "0", "pathId"],
        ),
        (
            [
                path("a@example.org", prompt="Work Email"),
                path("a@example.org", path_id=str(WORK_EMAIL)),
            ],
            ProblemCode.INVALID,
            ["paths", "1", "pathId"],
        ),
    ],
)
def test_a_wrong_path_is_a_problem(given: Any, code: ProblemCode, field: list[str]) -> None:
    made = plan(contact(paths=given), ADA)
    assert [(problem.code, problem.field) for problem in made.problems] == [(code, field)]
    assert made.calls == ()


def test_a_prompt_beside_another_paths_id_is_ignored_and_reported() -> None:
    given = [path("ada@example.com", path_id=str(WORK_EMAIL), prompt="SMS", country_code="GB")]
    made = plan(contact(paths=given), ADA)
    assert sent(made)["paths"] == [MAIL_PATH]
    assert made.ignored == ("paths.0.prompt", "paths.0.countryCode")


# ---------------------------------------------------------------- the unified email and phone


@pytest.mark.parametrize(
    ("fields", "paths", "changed"),
    [
        (
            {"email": "new@example.org"},
            [MOBILE_PATH, {**MAIL_PATH, "value": "new@example.org"}, DESK_PATH],
            ("email",),
        ),
        ({"email": None}, [MOBILE_PATH, DESK_PATH], ("email",)),
        (
            {"phone": "+1 202 555 0101"},
            [{**MOBILE_PATH, "value": "2025550101", "countryCode": "US"}, MAIL_PATH, DESK_PATH],
            ("phone",),
        ),
        ({"phone": None}, [MAIL_PATH, DESK_PATH], ("phone",)),
    ],
)
def test_only_the_path_of_the_unified_field_changes(
    fields: dict[str, Any], paths: list[Any], changed: tuple[str, ...]
) -> None:
    made = plan(contact(**fields), ADA)
    assert sent(made)["paths"] == paths
    assert made.changed == changed


def test_the_same_email_and_phone_in_other_notation_are_unchanged() -> None:
    made = plan(contact(email="ada@EXAMPLE.com", phone="0044 7700 900101"), ADA)
    assert made.outcome is Outcome.UNCHANGED


def test_a_unified_field_whose_path_is_missing_is_appended() -> None:
    raw = {**ADA, "paths": [DESK_PATH]}
    new = {"waitTime": 0, "skipValidation": False}
    assert paths_after(raw, email="a@example.org", phone="07700 900111") == [
        DESK_PATH,
        {"pathId": WORK_EMAIL, "value": "a@example.org", **new},
        {"pathId": MOBILE, "value": "7700900111", "countryCode": "GB", **new},
    ]


def test_beside_paths_that_lack_it_the_stored_path_is_appended_with_the_value() -> None:
    made = plan(
        contact(paths=[path("07700 900101", prompt="Mobile Phone")], email="new@example.org"), ADA
    )
    assert sent(made)["paths"] == [MOBILE_PATH, {**MAIL_PATH, "value": "new@example.org"}]
    assert made.changed == ("email", "paths")


@pytest.mark.parametrize("email", ["other@example.org", None])
def test_paths_and_email_must_not_contradict_each_other(email: str | None) -> None:
    given = contact(paths=[path("a@example.org", prompt="Work Email")], email=email)
    [problem] = plan(given, ADA).problems
    assert (problem.code, problem.field) == (ProblemCode.INVALID, ["email"])


def test_paths_and_email_may_agree() -> None:
    given = [path("a@example.org", prompt="Work Email")]
    made = plan(contact(paths=given, email="A@example.org"), ADA)
    assert sent(made)["paths"] == [{**MAIL_PATH, "value": "a@example.org"}]


# ---------------------------------------------------------------- REPLACE


def test_a_replace_without_paths_keeps_the_email_which_is_a_key() -> None:
    made = plan(contact(**NAMES, timezone_id="Europe/London"), ADA, mode=WriteMode.REPLACE)
    assert sent(made)["paths"] == [MAIL_PATH]
    assert set(made.changed) == {"phone", "paths"}


def test_a_replace_with_a_phone_keeps_its_path_in_place() -> None:
    fields: dict[str, Any] = {**NAMES, "phone": "07700 900222", "timezone_id": "Europe/London"}
    assert paths_after(mode=WriteMode.REPLACE, **fields) == [
        {**MOBILE_PATH, "value": "7700900222"},
        MAIL_PATH,
    ]


def test_a_replace_with_the_stored_paths_changes_none() -> None:
    given = [
        path("7700900101", prompt="Mobile Phone"),
        path("ada@example.com", prompt="Work Email"),
        path("3023125101", prompt="Business Phone"),
    ]
    fields: dict[str, Any] = {**NAMES, "paths": given, "timezone_id": "Europe/London"}
    assert plan(contact(**fields), ADA, mode=WriteMode.REPLACE).outcome is Outcome.UNCHANGED


def test_a_stored_number_that_cannot_be_read_is_replaced() -> None:
    raw = {**ADA, "paths": [{**MOBILE_PATH, "value": "none"}]}
    assert paths_after(raw, phone="07700 900101") == [MOBILE_PATH]
