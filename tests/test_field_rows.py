"""The field tables' rows: absent keeps, null clears, a value sets, and twice is once."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strawberry import Some

from gateway.fields import (
    EMPTY_LIST,
    EMPTY_TEXT,
    IMPOSSIBLE,
    LEFT_OUT,
    NULL,
    Clear,
    Field,
    Laid,
    refuse_clearing,
    required,
    to_backend,
)
from gateway.model import Backend, ContactInput, WriteMode
from gateway.results import ProblemCode
from gateway.write import ContactWrite

IVVY = Backend.IVVY


def fold(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


ROWS = (
    Field(name="first_name", at="first", clear=EMPTY_TEXT, max_length=4),
    Field(name="last_name", at="last", clear=NULL),
    Field(name="suffix", at="suffix", clear=LEFT_OUT),
    Field(name="middle_initial", at="initial", clear=IMPOSSIBLE),
    Field(name="country_code", at="country", clear=EMPTY_TEXT, to=str.upper, compared=fold),
    Field(name="alternate_emails", at="others", clear=EMPTY_LIST),
    Field(name="groups_name", at="groups", clear=EMPTY_LIST, by_function=True),
)


def write(mode: WriteMode = WriteMode.PATCH, *, named: bool = False, **values: Any) -> ContactWrite:
    return ContactWrite(input=ContactInput(**values), mode=mode, targets_named=named)


def lay(wanted: ContactWrite, stored: dict[str, Any] | None = None, **how: Any) -> Laid:
    return to_backend(ROWS, wanted, IVVY, stored, **how)


def apply(stored: dict[str, Any], laid: Laid) -> dict[str, Any]:
    kept = {key: value for key, value in stored.items() if key not in laid.left_out}
    return {**kept, **laid.values}


def test_a_value_is_set_where_it_differs() -> None:
    laid = lay(write(first_name=Some("Ada"), last_name=Some("B")), {"first": "Ada", "last": "A"})
    assert (laid.values, laid.changed) == ({"last": "B"}, ["lastName"])


def test_fields_that_somebody_else_lays_are_left_alone() -> None:
    both = write(first_name=Some("Ada"), last_name=Some("B"))
    laid = lay(both, {}, but=["first_name"])
    assert (laid.values, laid.changed) == ({"last": "B"}, ["lastName"])


def test_values_are_compared_in_the_backends_own_form() -> None:
    assert lay(write(country_code=Some("de")), {"country": "de"}).values == {}
    assert lay(write(country_code=Some("de")), {"country": "fr"}).values == {"country": "DE"}


def test_a_new_record_gets_every_value_and_no_clearing() -> None:
    laid = lay(write(first_name=Some("Ada"), last_name=Some(None), middle_initial=Some(None)))
    assert (laid.values, laid.changed, laid.problems) == ({"first": "Ada"}, ["firstName"], [])


@pytest.mark.parametrize(
    ("name", "at", "value"),
    [("first_name", "first", ""), ("last_name", "last", None), ("alternate_emails", "others", [])],
)
def test_null_clears_in_the_way_of_its_row(name: str, at: str, value: object) -> None:
    cleared: dict[str, Any] = {name: Some(None)}
    wanted = write(**cleared)
    assert lay(wanted, {at: ["x"]}).values == {at: value}
    nothing: list[Any] = [None, "", []]
    for empty in nothing:
        assert lay(wanted, {at: empty}).values == {}
    assert lay(wanted, {}).changed == []


def test_null_may_mean_to_leave_a_key_out() -> None:
    laid = lay(write(suffix=Some(None)), {"suffix": "Jr"})
    assert (laid.values, laid.left_out, laid.changed) == ({}, ["suffix"], ["suffix"])


def test_a_backend_that_was_not_read_is_sent_everything() -> None:
    laid = lay(write(first_name=Some("Ada"), last_name=Some(None)), None, read=False)
    assert laid.values == {"first": "Ada", "last": None}


def test_what_cannot_be_cleared_is_a_problem_only_where_the_backend_was_named() -> None:
    stored = {"initial": "X"}
    assert lay(write(middle_initial=Some(None)), stored).ignored == ["middleInitial"]
    [problem] = lay(write(named=True, middle_initial=Some(None)), stored).problems
    assert (problem.code, problem.field) == (ProblemCode.CANNOT_CLEAR, ["middleInitial"])
    replaced = lay(write(WriteMode.REPLACE, named=True, groups_name=Some([])), stored)
    assert (replaced.problems, replaced.ignored) == ([], ["middleInitial"])
    assert lay(write(named=True, middle_initial=Some(None)), {}).problems == []


def test_a_part_that_cannot_be_cleared_is_ignored_by_its_own_name() -> None:
    laid = Laid()
    wanted = write(named=True, custom_fields=Some(None))
    refuse_clearing("custom_fields", wanted, IVVY, laid, shown="customFields.Joined")
    assert (laid.ignored, laid.problems) == (["customFields.Joined"], [])


@pytest.mark.parametrize(
    ("chosen", "unseen", "says"),
    [
        (True, False, "clear suffix: leave it out, give a value, or leave iVvy out of targets."),
        (False, False, "clear suffix: leave it out, or give a value."),
        (False, True, "suffix and does not show what it holds: leave it out, or give a value."),
    ],
)
def test_a_refusal_says_what_would_work(chosen: bool, unseen: bool, says: str) -> None:
    given = ContactInput(suffix=Some(None))
    wanted = ContactWrite(input=given, targets_named=True, targets_chosen=chosen)
    laid = Laid()
    refuse_clearing("suffix", wanted, IVVY, laid, unseen=unseen)
    assert laid.problems[0].message.endswith(says)


def test_a_text_that_is_too_long_is_told() -> None:
    [problem] = lay(write(first_name=Some("Adele"))).problems
    assert (problem.code, problem.field) == (ProblemCode.TOO_LONG, ["firstName"])
    assert "at most 4" in problem.message
    assert lay(write(first_name=Some("Adel"))).problems == []


def test_a_given_field_without_a_row_is_ignored_and_an_absent_one_is_not() -> None:
    laid = lay(write(email=Some("x"), phone_country_code=Some("DE"), groups_name=Some([])))
    assert laid.ignored == ["email"]
    assert lay(write(WriteMode.REPLACE)).ignored == []


def test_required_fields_are_told_unless_they_have_a_value() -> None:
    wanted = write(first_name=Some("A"), last_name=Some(None))
    problems = required(["first_name", "last_name", "email"], wanted, IVVY, "for a new one.")
    assert [problem.field for problem in problems] == [["lastName"], ["email"]]
    assert problems[0].message == "lastName is required: for a new one."


VALUES = st.sampled_from(["", "a", "A", "b", "de", "DE"])
STORED = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("first", "last", "suffix", "initial", "country"), st.none() | VALUES),
        "others": st.none() | st.lists(VALUES, max_size=2),
        "unknown": VALUES,
    },
)
INPUTS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(
            ("first_name", "last_name", "suffix", "middle_initial", "country_code"),
            st.builds(Some, st.none() | VALUES),
        ),
        "alternate_emails": st.builds(Some, st.none() | st.lists(VALUES, max_size=2)),
    },
)
AT = {row.name: row.at for row in ROWS}


@given(INPUTS, STORED)
def test_what_is_absent_is_never_changed(values: dict[str, Any], stored: dict[str, Any]) -> None:
    laid = lay(write(**values), stored)
    given_keys = {AT[name] for name in values}
    assert set(laid.values) | set(laid.left_out) <= given_keys


@given(INPUTS, STORED, st.sampled_from(WriteMode))
def test_writing_twice_changes_nothing_more(
    values: dict[str, Any], stored: dict[str, Any], mode: WriteMode
) -> None:
    wanted = write(mode, **values)
    after = apply(stored, lay(wanted, stored))
    again = lay(wanted, after)
    assert (again.values, again.left_out, again.changed) == ({}, [], [])
    assert after.get("unknown") == stored.get("unknown")


def test_a_clear_says_how_for_the_documentation() -> None:
    assert Clear(says="x").possible
    assert not IMPOSSIBLE.possible
