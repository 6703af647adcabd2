"""Stored contacts in forms that the contract allows and the simulation does not show, without I/O."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.model import WriteMode
from gateway.results import Outcome
from tests.backends.everbridge.ada import ADA, KEPT
from tests.backends.everbridge.writing import (
    BADGE,
    LANGUAGES,
    NEWSLETTER,
    NOTES,
    SHIFT,
    address,
    contact,
    custom,
    plan,
    sent,
)

ARRAYS = ("paths", "address", "contactAttributes", "topics", "groups")
SAME = contact(external_id="E-1001", first_name="Ada")


@pytest.mark.parametrize("nothing", [None, [], "left out"])
def test_arrays_may_be_null_empty_or_missing(nothing: Any) -> None:
    bare = {key: value for key, value in ADA.items() if key not in ARRAYS}
    held = bare if nothing == "left out" else bare | dict.fromkeys(ARRAYS, nothing)
    same = plan(SAME, held)
    assert (same.outcome, same.calls) == (Outcome.UNCHANGED, ())
    assert sent(plan(contact(first_name="Augusta"), held))["firstName"] == "Augusta"
    given: dict[str, Any] = {"paths": None, "addresses": None, "custom_fields": None}
    made = plan(contact(email="ada@example.com", groups_name=["Newsletter"], **given), held)
    body = sent(made)
    assert body["groups"] == [NEWSLETTER]
    assert [path["value"] for path in body["paths"]] == ["ada@example.com"]
    assert made.changed == ("email", "groupsName")


def test_an_address_that_only_has_nulls_more_is_no_change_of_it() -> None:
    office = {"locationName": "Office", "streetAddress": "1 Road", "country": "GB"}
    nulls = {"suite": None, "city": "", "gisLocation": None}
    given = contact(
        first_name="Augusta",
        addresses=[address(location_name="Office", line1="1 Road", line2=None, city=None)],
    )
    assert plan(given, {**ADA, "address": [office | nulls]}).changed == ("firstName",)


def test_a_replace_clears_attributes_that_are_known_by_name_alone() -> None:
    rows = [
        {"name": "Shift", "values": ["Night"]},
        {"name": "Notes", "values": ["x"]},
        {"name": "Area", "values": [{"points": [1.5]}]},
    ]
    given = contact(first_name="Ada", last_name="Byron", custom_fields=[custom("Notes", "x")])
    made = plan(given, {**ADA, "contactAttributes": rows}, mode=WriteMode.REPLACE)
    assert sent(made)["contactAttributes"] == rows[1:]
    assert "customFields.Shift" in made.changed
    assert "customFields.Area" in made.ignored


@pytest.mark.parametrize("nothing", [{"values": None}, {"values": []}, {}])
def test_an_attribute_without_values_is_not_said_again(nothing: dict[str, Any]) -> None:
    rows = [*ADA["contactAttributes"], {"orgAttrId": NOTES, "name": "Notes", **nothing}]
    held = {**ADA, "contactAttributes": rows}
    assert plan(contact(custom_fields=[custom("Notes")]), held).outcome is Outcome.UNCHANGED
    body = sent(plan(contact(first_name="Augusta"), held))
    assert body["contactAttributes"] == KEPT["contactAttributes"]
    body = sent(plan(contact(custom_fields=[custom("Notes", "x")]), held))
    row = {"orgAttrId": NOTES, "name": "Notes", "values": ["x"]}
    assert body["contactAttributes"][-1] == row


def test_ids_may_be_text() -> None:
    rows = [{**row, "orgAttrId": str(row["orgAttrId"])} for row in ADA["contactAttributes"]]
    held = {**ADA, "contactAttributes": rows, "groups": [str(each) for each in ADA["groups"]]}
    held |= {"recordTypeId": str(ADA["recordTypeId"]), "topics": list(map(str, ADA["topics"]))}
    given = contact(
        record_type_name="Employee",
        groups_name=["Newsletter", "Berlin Office"],
        custom_fields=[custom("Shift", "Night"), custom("Badge number", "16324267")],
        everbridge={"topic_ids": [str(each) for each in ADA["topics"]]},
    )
    assert plan(given, held).outcome is Outcome.UNCHANGED
    ids = [
        row["orgAttrId"] for row in sent(plan(contact(first_name="A"), held))["contactAttributes"]
    ]
    assert [str(each) for each in (SHIFT, BADGE, LANGUAGES)] == ids[:3]
