"""What a plan for Everbridge tells beside its calls: changed and ignored fields, warnings, keys."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.backends.adapter import Found
from gateway.backends.everbridge.contact import plan_contact
from gateway.checks import check_contact
from gateway.model import WriteMode
from gateway.results import Outcome, ProblemCode
from tests.backends.everbridge.ada import ADA
from tests.backends.everbridge.writing import (
    BARE,
    HOME_EMAIL,
    ORGANIZATION,
    WORK_EMAIL,
    address,
    contact,
    frame,
    path,
    plan,
    resolved,
    sent,
    stored,
    write_of,
)

NEW: dict[str, Any] = {"external_id": "E-9", "first_name": "Eve", "last_name": "Moore"}
LONG = "c/o the Analytical Engine Company"


def test_the_key_that_found_the_contact_is_told() -> None:
    made = plan(contact(external_id="E-1001", first_name="Eve"), ADA)
    assert (made.id, made.matched_by) == (str(ADA["id"]), "externalId")


def test_nothing_is_told_to_change_where_the_input_is_wrong() -> None:
    given = contact(external_id="E-1001", first_name="Eve", last_name=None)
    made = plan(given, ADA, targets_named=True)
    assert (made.outcome, made.calls, made.changed) == (Outcome.REJECTED, (), ())


@pytest.mark.parametrize(
    ("groups", "carried"),
    [
        pytest.param(
            {"add_groups_name": ["Fire Wardens"], "remove_groups_name": ["Newsletter"]},
            {"PUT": ("addGroupsName",), "DELETE": ("removeGroupsName",)},
            id="one is joined and one is left",
        ),
        pytest.param(
            {"remove_groups_name": ["Newsletter"]},
            {"PUT": (), "DELETE": ("removeGroupsName",)},
            id="one is left",
        ),
        pytest.param(
            {"groups_name": ["Newsletter", "Berlin Office", "Fire Wardens"]},
            {"PUT": ("groupsName",)},
            id="one more in the exact set",
        ),
    ],
)
def test_each_call_says_which_memberships_it_carries(
    groups: dict[str, Any], carried: dict[str, tuple[str, ...]]
) -> None:
    made = plan(contact(external_id="E-1001", first_name="Eve", **groups), ADA)
    assert {call.method: call.carries for call in made.calls} == carried


def test_a_second_line_that_is_joined_to_the_street_is_told_where_it_is_written() -> None:
    given = contact(
        **NEW, addresses=[address(line1="12 St James's Square", line2=LONG, country_code="GB")]
    )
    made = plan(given)
    [warning] = made.warnings
    assert (warning.code, warning.field) == (ProblemCode.TOO_LONG, ["addresses", "0", "line2"])
    again = plan(given, {**ADA, **sent(made), "groups": []})
    assert (again.outcome, again.warnings) == (Outcome.UNCHANGED, ())


# ---------------------------------------------------------------- the externalId


@pytest.mark.parametrize(
    ("raw", "mode", "problems"),
    [
        pytest.param(None, WriteMode.PATCH, [["externalId"]], id="a new contact needs one"),
        pytest.param(ADA, WriteMode.PATCH, [], id="a stored one has it"),
        pytest.param(ADA, WriteMode.REPLACE, [], id="and so it has for a REPLACE"),
        pytest.param({**ADA, "externalId": ""}, WriteMode.PATCH, [], id="an old one lacks it"),
        pytest.param(
            {**ADA, "externalId": ""}, WriteMode.REPLACE, [["externalId"]], id="and a REPLACE asks"
        ),
    ],
)
def test_who_needs_an_external_id(
    raw: dict[str, Any] | None, mode: WriteMode, problems: list[list[str]]
) -> None:
    names: dict[str, Any] = {
        "first_name": "Eve",
        "last_name": "Moore",
        "record_type_name": "Employee",
    }
    made = plan(contact(**names), raw, mode=mode)
    assert [problem.field for problem in made.problems] == problems


def test_a_siblings_external_id_is_taken_for_a_contact_that_has_none() -> None:
    made = plan(contact(first_name="Eve"), {**ADA, "externalId": ""}, borrowed="E-5")
    assert sent(made)["externalId"] == "E-5"
    assert made.changed == ("externalId", "firstName")


@pytest.mark.parametrize(
    ("named", "told"), [(True, ([["externalId"]], ())), (False, ([], ("externalId",)))]
)
def test_a_null_that_a_siblings_external_id_overrules_is_told(
    named: bool, told: tuple[list[list[str]], tuple[str, ...]]
) -> None:
    given = contact(external_id=None, first_name="Eve", last_name="Moore")
    made = plan(given, borrowed="E-5", targets_named=named)
    assert ([problem.field for problem in made.problems], made.ignored) == told
    assert "externalId" not in made.changed


# ---------------------------------------------------------------- quiet times


def test_a_time_zone_may_go_where_no_path_has_quiet_times() -> None:
    made = plan(contact(timezone_id=None), {**ADA, "timezoneId": "Europe/London", "paths": []})
    assert (made.problems, made.changed) == ((), ("timezoneId",))


def test_a_time_zone_that_is_wrong_is_not_told_to_be_missing() -> None:
    home = path("a@example.com", path_id=str(HOME_EMAIL), quiet_time_frames=[frame("Night")])
    given = contact(paths=[home], timezone_id="Europe/Nowhere")
    write, wrong = check_contact(given)
    assert [problem.field for problem in wrong] == [["timezoneId"]]
    found = Found(stored=stored(ADA))
    made = plan_contact(write, found, resolved(write), ORGANIZATION)
    assert made.problems == ()


# ---------------------------------------------------------------- e-mail, phone and paths


def test_email_and_phone_are_ignored_where_no_path_is_set_for_them() -> None:
    made = plan(contact(email="ada@example.org", first_name="Eve"), ADA, organization=BARE)
    assert made.ignored == ("email",)
    assert "paths" not in sent(made)


def test_a_path_that_everbridge_does_not_have_lays_nothing() -> None:
    gone = replace(ORGANIZATION, email_path="Gone Email")
    made = plan(contact(email="ada@example.org"), ADA, organization=gone)
    [problem] = resolved(write_of(contact(email="ada@example.org")), gone).problems
    assert problem.code is ProblemCode.NAME_NOT_FOUND
    assert (made.outcome, made.changed) == (Outcome.UNCHANGED, ())


@pytest.mark.parametrize(
    ("paths", "changed"), [([path("a@example.com", path_id=str(WORK_EMAIL))], True), ([], False)]
)
def test_the_paths_of_a_new_contact_are_told_where_there_are_any(
    paths: list[Any], changed: bool
) -> None:
    made = plan(contact(**NEW, record_type_name="Employee", paths=paths), organization=BARE)
    assert ("paths" in made.changed) is changed


def test_paths_that_are_stored_already_are_not_told() -> None:
    held = [{"waitTime": 0, "pathId": HOME_EMAIL, "value": "a@example.com"}]
    given = contact(paths=[path("a@example.com", path_id=str(HOME_EMAIL))])
    made = plan(given, {**ADA, "paths": held}, organization=BARE)
    assert (made.outcome, made.changed) == (Outcome.UNCHANGED, ())
