"""Attributes and memberships: stored contact and input to the exact calls, without I/O."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.model import WriteMode
from gateway.results import Outcome, ProblemCode
from tests.backends.everbridge.ada import ADA, KEPT
from tests.backends.everbridge.writing import (
    BADGE,
    BERLIN,
    JOINED,
    LANGUAGES,
    NEWSLETTER,
    NOTES,
    SHIFT,
    WARDENS,
    contact,
    custom,
    custom_by_id,
    plan,
    sent,
)


@pytest.mark.parametrize(
    ("fields", "attributes", "changed"),
    [
        (
            [custom("Shift", "day")],
            [
                {"orgAttrId": SHIFT, "name": "Shift", "values": ["Day"]},
                *KEPT["contactAttributes"][1:],
            ],
            ["customFields.Shift"],
        ),
        (
            [custom("Shift"), custom("Joined", "2015-12-10"), custom("Badge number", "12.5")],
            [
                {"orgAttrId": BADGE, "name": "Badge number", "values": ["12.5"]},
                *KEPT["contactAttributes"][2:],
                {"orgAttrId": JOINED, "name": "Joined", "values": ["2015-12-10"]},
            ],
            ["customFields.Shift", "customFields.Joined", "customFields.Badge number"],
        ),
        (
            [custom("Badge number", "1e22"), custom("Languages", "German")],
            [
                KEPT["contactAttributes"][0],
                {"orgAttrId": BADGE, "name": "Badge number", "values": ["1" + "0" * 22]},
                {"orgAttrId": LANGUAGES, "name": "Languages", "values": ["German"]},
                KEPT["contactAttributes"][3],
            ],
            ["customFields.Badge number", "customFields.Languages"],
        ),
    ],
)
def test_attributes_are_merged_by_their_id(
    fields: list[Any], attributes: list[Any], changed: list[str]
) -> None:
    made = plan(contact(custom_fields=fields), ADA)
    assert sent(made)["contactAttributes"] == attributes
    assert list(made.changed) == changed


def test_an_empty_text_clears_an_attribute_as_no_value_does() -> None:
    notes = {"orgAttrId": NOTES, "name": "Notes", "values": ["x"]}
    empty = contact(custom_fields=[custom("Notes", "")])
    made = plan(empty, {**ADA, "contactAttributes": [*ADA["contactAttributes"], notes]})
    assert sent(made)["contactAttributes"] == KEPT["contactAttributes"]
    assert made.changed == ("customFields.Notes",)
    assert plan(empty, ADA).calls == ()


def test_an_attribute_by_id_wins_over_its_name() -> None:
    made = plan(
        contact(
            custom_fields=[custom("Notes", "by name")],
            everbridge={"attributes": [custom_by_id(NOTES, "by id")]},
        ),
        ADA,
    )
    row = {"orgAttrId": NOTES, "name": "Notes", "values": ["by id"]}
    assert sent(made)["contactAttributes"][-1] == row
    assert (made.changed, made.ignored) == (
        (f"everbridge.attributes.{NOTES}",),
        ("customFields.Notes",),
    )


def test_null_clears_every_attribute() -> None:
    made = plan(contact(custom_fields=None), ADA)
    assert "contactAttributes" not in sent(made)
    assert made.changed == (
        "customFields.Shift",
        "customFields.Badge number",
        "customFields.Languages",
        "customFields.Area",
    )


def test_a_date_attribute_takes_no_time_of_day() -> None:
    given = [custom("Joined", "2015-12-10T09:30:00Z")]
    [problem] = plan(contact(custom_fields=given), ADA).problems
    assert (problem.code, problem.field) == (
        ProblemCode.INVALID,
        ["customFields", "0", "values"],
    )
    midnight = plan(contact(custom_fields=[custom("Joined", "2015-12-10T00:00:00Z")]), ADA)
    assert sent(midnight)["contactAttributes"][-1]["values"] == ["2015-12-10"]


@pytest.mark.parametrize(
    ("fields", "joined", "left"),
    [
        ({"groups_name": ["Newsletter", "Fire Wardens"]}, [WARDENS], [BERLIN]),
        ({"groups_name": []}, None, [NEWSLETTER, BERLIN]),
        ({"groups_name": None}, None, [NEWSLETTER, BERLIN]),
        ({"remove_groups_name": ["Berlin Office"]}, None, [BERLIN]),
        ({"everbridge": {"group_ids": [str(WARDENS)]}}, [WARDENS], [NEWSLETTER, BERLIN]),
        ({"everbridge": {"group_ids": None}}, None, [NEWSLETTER, BERLIN]),
    ],
)
def test_groups_are_joined_by_the_put_and_left_one_by_one_after_it(
    fields: dict[str, Any], joined: list[int] | None, left: list[int]
) -> None:
    made = plan(contact(**fields), ADA)
    puts = [call for call in made.calls if call.method == "PUT"]
    assert [call.body.get("groups") for call in puts] == ([joined] if joined else [])
    deletes = made.calls[len(puts) :]
    assert [(call.method, call.path) for call in deletes] == [
        ("DELETE", "/groups/1000000000000001/contacts") for _ in left
    ]
    assert [dict(call.query) for call in deletes] == [
        {"byType": "id", "groupId": str(group), "idType": "id"} for group in left
    ]
    assert all(call.body == [ADA["id"]] for call in deletes)


def test_groups_that_everbridge_does_not_know_leave_its_memberships_alone() -> None:
    made = plan(contact(groups_name=["VIP", "Black Friday"]), ADA)
    assert (made.outcome, made.ignored) == (Outcome.UNCHANGED, ("groupsName",))


def test_an_attribute_that_is_stored_under_its_name_alone_is_that_attribute() -> None:
    old = {"name": "Old", "values": ["x"]}
    raw = {**ADA, "contactAttributes": [{"name": "Shift", "values": ["Day"]}, old]}
    made = plan(contact(custom_fields=[custom("Shift", "Night")]), raw)
    assert sent(made)["contactAttributes"] == [
        {"name": "Shift", "values": ["Night"]},
        old,
    ]
    given = contact(
        first_name="Ada", last_name="Byron", custom_fields=[custom("Shift", "Day")], groups_name=[]
    )
    replaced = plan(given, raw, mode=WriteMode.REPLACE)
    assert sent(replaced)["contactAttributes"] == raw["contactAttributes"]
    assert "customFields.Old" in replaced.ignored


def test_a_stored_number_that_is_none_is_replaced() -> None:
    raw = {**ADA, "contactAttributes": [{"orgAttrId": BADGE, "values": ["n/a"]}]}
    made = plan(contact(custom_fields=[custom("Badge number", "7")]), raw)
    assert sent(made)["contactAttributes"] == [{"orgAttrId": BADGE, "values": ["7"]}]
