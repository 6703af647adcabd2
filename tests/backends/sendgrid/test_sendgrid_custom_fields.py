"""Custom fields in SendGrid: typed values, comparing, and what can be cleared."""

from __future__ import annotations

from typing import Any

import pytest
from strawberry import ID

from gateway.model import CustomFieldByIdInput, CustomFieldInput, WriteMode
from gateway.results import Outcome, ProblemCode
from tests.backends.sendgrid.sending import (
    contact,
    nobody,
    plan,
    seen,
    sent,
    stored,
    unread,
    write_of,
)


def named(**values: list[str]) -> Any:
    """A contact with custom fields given by name."""
    items = [CustomFieldInput(name=name, values=given) for name, given in values.items()]
    return contact(email="ada@example.com", custom_fields=items)


@pytest.mark.parametrize(
    ("name", "text", "key", "value"),
    [
        ("shift", "Night", "e1_T", "Night"),
        ("Shift", "true", "e1_T", "true"),
        ("shift", "42", "e1_T", "42"),
        ("badge_number", "42", "w2_N", 42),
        ("badge_number", "-0.5", "w2_N", -0.5),
        ("member_since", "2026-01-31", "e3_D", "2026-01-31T00:00:00Z"),
        ("member_since", "2026-01-31T09:30:00+02:00", "e3_D", "2026-01-31T07:30:00Z"),
        ("member_since", "2026-01-31T09:30:00", "e3_D", "2026-01-31T09:30:00Z"),
    ],
)
def test_values_are_sent_in_the_type_of_their_field(
    name: str, text: str, key: str, value: Any
) -> None:
    made = plan(write_of(named(**{name: [text]})))
    custom = sent(made)["custom_fields"]
    assert custom == {key: value}
    assert type(custom[key]) is type(value)
    assert made.changed == ("email", f"customFields.{name}")


@pytest.mark.parametrize(
    ("name", "text"),
    [("badge_number", "twelve"), ("badge_number", "true"), ("member_since", "31.01.2026")],
)
def test_a_value_of_another_type_is_a_problem_before_anything_is_sent(name: str, text: str) -> None:
    [problem] = plan(write_of(named(**{name: [text]}))).problems
    assert problem.code is ProblemCode.INVALID
    assert problem.field == ["customFields", "0", "values", "0"]


def test_a_field_takes_one_value() -> None:
    [problem] = plan(write_of(named(shift=["Day", "Night"]))).problems
    assert problem.code is ProblemCode.TOO_MANY


@pytest.mark.parametrize("keyed_by", ["name", "id"])
def test_values_that_are_held_already_are_not_sent(keyed_by: str) -> None:
    held: dict[str, Any] = {
        "shift": "Day", "badge_number": 1815.0, "member_since": "2024-02-01T00:00:00.0000000Z"
    }  # fmt: skip
    if keyed_by == "id":
        held = dict(zip(("e1_T", "w2_N", "e3_D"), held.values(), strict=True))
    given = named(shift=["Day"], badge_number=["1815"], member_since=["2024-02-01"])
    made = plan(write_of(given), seen(stored(custom_fields=held)))
    assert made.outcome is Outcome.UNCHANGED


@pytest.mark.parametrize(
    ("held", "given"),
    [(2**53, str(2**53 + 1)), ("1815", "1816"), ("many", "7"), (None, "0"), (0.1, "0.2")],
)
def test_a_number_that_differs_in_any_digit_is_sent(held: Any, given: str) -> None:
    made = plan(
        write_of(named(badge_number=[given])), seen(stored(custom_fields={"badge_number": held}))
    )
    assert str(sent(made)["custom_fields"]["w2_N"]) == given


@pytest.mark.parametrize(
    ("name", "held", "given"),
    [
        ("badge_number", 1815, "1815.0"),
        ("badge_number", "18.50", "18.500"),
        ("member_since", "2024-02-01T00:00:00Z", "2024-02-01T01:00:00+01:00"),
        ("member_since", "2024-02-01", "2024-02-01T00:00:00Z"),
    ],
)
def test_a_value_that_is_held_in_another_notation_is_not_sent(
    name: str, held: Any, given: str
) -> None:
    made = plan(write_of(named(**{name: [given]})), seen(stored(custom_fields={name: held})))
    assert (made.outcome, made.changed) == (Outcome.UNCHANGED, ())


@pytest.mark.parametrize(
    ("name", "held", "given"),
    [
        ("shift", "42", "42.0"),
        ("shift", None, "Day"),
        ("member_since", "some day", "2024-02-01"),
        ("member_since", "2024-02-01", "2024-02-02"),
    ],
)
def test_a_text_is_compared_to_the_letter_and_a_date_by_its_time(
    name: str, held: Any, given: str
) -> None:
    made = plan(write_of(named(**{name: [given]})), seen(stored(custom_fields={name: held})))
    assert made.changed == (f"customFields.{name}",)
    assert len(sent(made)["custom_fields"]) == 1


def test_a_text_is_cleared_and_a_number_or_date_is_reported() -> None:
    made = plan(write_of(named(shift=[], badge_number=[], member_since=[])))
    assert sent(made)["custom_fields"] == {"e1_T": ""}
    assert made.ignored == ("customFields.badge_number", "customFields.member_since")


def test_an_empty_text_clears_as_no_value_does() -> None:
    assert sent(plan(write_of(named(shift=[""]))))["custom_fields"] == {"e1_T": ""}
    made = plan(write_of(named(shift=[""])), nobody())
    assert ("custom_fields" in sent(made), made.changed) == (False, ("email",))


def test_clearing_a_number_is_a_problem_where_sendgrid_is_named() -> None:
    [problem] = plan(write_of(named(badge_number=[]), targets_named=True)).problems
    assert problem.code is ProblemCode.CANNOT_CLEAR
    assert problem.field == ["customFields", "0", "values"]


def test_clearing_what_is_not_held_is_nothing() -> None:
    given = write_of(named(badge_number=[], notes=[]), targets_named=True)
    made = plan(given, seen(stored(custom_fields={"shift": "Day"})))
    assert (made.outcome, made.problems) == (Outcome.UNCHANGED, ())
    assert plan(given, nobody()).problems == ()


@pytest.mark.parametrize("how", ["by name", "by id"])
def test_null_clears_the_texts_that_are_held_and_reports_the_rest(how: str) -> None:
    given = (
        contact(email="ada@example.com", custom_fields=None)
        if how == "by name"
        else contact(email="ada@example.com", sendgrid={"custom_fields": None})
    )
    made = plan(write_of(given), seen())
    assert sent(made) == {"email": "ada@example.com", "custom_fields": {"e1_T": ""}}
    assert made.changed == ("customFields.shift",)
    assert made.ignored == ("customFields.badge_number", "customFields.member_since")
    assert made.problems == ()
    [problem] = plan(write_of(given, targets_named=True), seen()).problems
    assert problem.code is ProblemCode.CANNOT_CLEAR
    path = ["customFields"] if how == "by name" else ["sendgrid", "customFields"]
    assert problem.field == path
    assert "customFields.badge_number, customFields.member_since" in problem.message


def test_null_is_no_problem_where_only_texts_are_held_or_a_replace_leaves_the_fields_out() -> None:
    given = contact(email="ada@example.com", custom_fields=None)
    texts = seen(stored(custom_fields={"shift": "Day"}))
    assert plan(write_of(given, targets_named=True), texts).problems == ()
    left_out = write_of(
        contact(email="ada@example.com"), mode=WriteMode.REPLACE, targets_named=True
    )
    made = plan(left_out, seen())
    assert made.problems == ()
    assert {"customFields.badge_number", "customFields.member_since"} <= set(made.ignored)


def test_a_held_field_without_a_definition_is_reported() -> None:
    given = contact(email="ada@example.com", custom_fields=None)
    made = plan(write_of(given), seen(stored(custom_fields={"ghost": "x"})))
    assert (made.outcome, made.ignored) == (Outcome.UNCHANGED, ("customFields.ghost",))


def test_a_replace_sets_the_exact_fields() -> None:
    given = contact(
        email="ada@example.com", first_name="Ada", last_name="Byron", phone="+447700900001",
        country_code="GB", groups_name=["Newsletter", "VIP"],
        custom_fields=[CustomFieldInput(name="badge_number", values=["7"])],
    )  # fmt: skip
    made = plan(write_of(given, mode=WriteMode.REPLACE), seen())
    assert sent(made)["custom_fields"] == {"w2_N": 7, "e1_T": ""}
    assert made.ignored == ("customFields.member_since",)


def test_fields_by_id_win_over_names() -> None:
    items = [CustomFieldByIdInput(id=ID("e1_T"), values=["Early"])]
    given = contact(
        email="ada@example.com",
        custom_fields=[CustomFieldInput(name="shift", values=["Day"])],
        sendgrid={"custom_fields": items},
    )
    made = plan(write_of(given))
    assert sent(made)["custom_fields"] == {"e1_T": "Early"}
    assert made.ignored == ("customFields.shift",)
    assert made.changed == ("email", "sendgrid.customFields.e1_T")


def test_an_unknown_field_id_is_not_found() -> None:
    items = [CustomFieldByIdInput(id=ID("w9_T"), values=["x"])]
    given = contact(email="ada@example.com", sendgrid={"custom_fields": items})
    [problem] = plan(write_of(given), unread()).problems
    assert problem.code is ProblemCode.NOT_FOUND
    assert problem.field == ["sendgrid", "customFields", "0", "id"]
