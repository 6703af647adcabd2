"""iVvy's custom fields: each type as it is written, cleared and compared."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strawberry import ID

from gateway.backends.ivvy.custom_values import comparable, to_value
from gateway.entries import CustomFieldType
from gateway.model import CustomFieldByIdInput, CustomFieldInput, WriteMode
from gateway.results import Outcome, ProblemCode
from gateway.values import read_date
from tests.backends.ivvy.writing import STORED, contact, plan, sent, stored, write_of


def setting(name: str, *values: str) -> dict[str, Any]:
    return {"custom_fields": [CustomFieldInput(name=name, values=list(values))]}


@pytest.mark.parametrize(
    ("name", "values", "field_id", "value"),
    [
        ("Notes", ["Likes tea"], 505, "Likes tea"),
        ("Shift", ["Night"], 501, "2"),
        ("Shift", ["2"], 501, "2"),
        ("Market", ["germany"], 511, "DE"),
        ("Dietary", ["Vegan", "Nuts", "a"], 502, ["a", "b"]),
        ("Badge number", ["12"], 504, 12),
        ("Member since", ["2026-01-31"], 503, "2026-01-31 00:00:00 UTC"),
        ("Member since", ["2026-01-31T10:30:00+01:00"], 503, "2026-01-31 09:30:00 UTC"),
        ("Shift", [], 501, ""),
        ("Badge number", [], 504, None),
        ("Member since", [], 503, None),
    ],
)
def test_a_value_is_written_by_the_type_of_its_field(
    name: str, values: list[str], field_id: int, value: Any
) -> None:
    made = plan(write_of(contact(**setting(name, *values))), stored())
    assert sent(made) == {"customFields": [{"fieldId": field_id, "value": value}]}
    assert made.changed == (f"customFields.{name}",)


def test_several_choices_are_cleared_by_an_empty_list() -> None:
    held = stored(customFields=[{"fieldId": 502, "value": ["b"]}])
    made = plan(write_of(contact(**setting("Dietary"))), held)
    assert sent(made) == {"customFields": [{"fieldId": 502, "value": []}]}


@pytest.mark.parametrize(
    ("name", "values", "held"),
    [
        ("Notes", [], ""),
        ("Notes", [], None),
        ("Dietary", [], [""]),
        ("Dietary", ["Nuts", "Vegan"], ["a", "b"]),
        ("Dietary", ["Vegan"], "a"),
        ("Badge number", ["1815"], "1815"),
        ("Badge number", ["1815.0"], 1815),
        ("Member since", ["2022-08-30T10:00:00Z"], "2022-08-30 10:00:00"),
        ("Member since", ["2022-08-30"], "2022-08-30"),
        ("Member since", ["2022-08-30"], "2022-08-30 00:00:00 UTC"),
        ("Shift", ["Day"], 1),
    ],
)
def test_the_forms_of_one_value_are_equal(name: str, values: list[str], held: Any) -> None:
    ids = {"Notes": "505", "Dietary": 502, "Badge number": 504, "Member since": 503, "Shift": 501}
    record = stored(customFields=[{"fieldId": ids[name], "value": held}])
    made = plan(write_of(contact(**setting(name, *values))), record)
    assert made.outcome is Outcome.UNCHANGED


@pytest.mark.parametrize("name", ["Info", "Office address"])
def test_a_field_that_cannot_be_written_is_refused(name: str) -> None:
    [problem] = plan(write_of(contact(**setting(name, "x"))), stored()).problems
    assert (problem.code, problem.field) == (ProblemCode.INVALID, ["customFields", "0"])


def test_null_clears_every_field_that_holds_something_and_tells_what_it_cannot() -> None:
    held = [
        *STORED["customFields"],
        {"fieldId": 508, "value": {"line1": "1 Engine Row"}},
        {"fieldId": 507, "value": "How to fill in this form"},
        {"fieldId": 599, "value": "of an inactive field"},
    ]
    made = plan(write_of(contact(custom_fields=None)), stored(customFields=held))
    assert [item["fieldId"] for item in sent(made)["customFields"]] == [501, 503, 504]
    assert made.ignored == ("customFields.Office address",)


def test_an_empty_list_of_fields_changes_nothing_in_a_patch() -> None:
    made = plan(write_of(contact(custom_fields=[])), stored())
    assert made.outcome is Outcome.UNCHANGED


def test_replace_makes_the_named_fields_all_that_are_set() -> None:
    fields: dict[str, Any] = {
        "first_name": "Ada",
        "last_name": "Byron",
        "phone": "+447700900101",
    }
    fields |= {"groups_name": ["Newsletter"], "companies_name": ["Engines"]}
    by_id = {"custom_fields": [CustomFieldByIdInput(id=ID("504"), values=["7"])]}
    write = write_of(
        contact(**fields, **setting("Shift", "Day"), ivvy=by_id), mode=WriteMode.REPLACE
    )
    assert sent(plan(write, stored())) == {
        "customFields": [{"fieldId": 504, "value": 7}, {"fieldId": 503, "value": None}]
    }


def test_a_new_contact_gets_no_empty_values() -> None:
    write = write_of(
        contact(first_name="Eve", last_name="Moore", email="e@example.com", **setting("Notes"))
    )
    assert "customFields" not in sent(plan(write, None))


@given(st.datetimes() | st.dates())
def test_a_date_reads_back_as_it_was_written(moment: Any) -> None:
    value = read_date(moment.isoformat())
    written = to_value(CustomFieldType.DATE, (value,), "")
    assert written.endswith(" UTC")
    assert len(written) == len("2022-08-30 10:00:00 UTC")
    bare = written.removesuffix(" UTC")
    assert comparable(CustomFieldType.DATE, written) == comparable(CustomFieldType.DATE, bare)
    assert read_date(bare) == (
        value.replace(microsecond=0)  # type: ignore[call-arg]  # only instants have microseconds
        if hasattr(value, "hour")
        else read_date(f"{value.isoformat()} 00:00:00")
    )


@given(st.lists(st.text(min_size=1)))
def test_several_choices_are_compared_without_order(values: list[str]) -> None:
    kind = CustomFieldType.MULTIPLE_CHOICE
    written = to_value(kind, values, "")
    assert comparable(kind, written) == comparable(kind, [*reversed(written), ""])
