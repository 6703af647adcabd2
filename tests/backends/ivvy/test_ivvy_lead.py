"""A lead in iVvy's words: input and what is stored → the exact call."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.backends.ivvy.client import save_lead
from gateway.backends.ivvy.lead import FIELDS
from gateway.backends.ivvy.lead_lookups import LEAD_LOOKUPS
from gateway.calls import Safety
from gateway.model import CustomFieldByIdInput, CustomFieldInput, WriteMode
from gateway.results import Outcome
from tests.backends.ivvy.lead_writing import (
    ADA,
    NEW,
    STORED_LEAD,
    body,
    lead,
    plan,
    told,
    write_of,
)

PERSON: dict[str, Any] = {"external_id": "E-1001"}


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"name": "Other"}, {"name": "Other"}),
        ({"description": None}, {"description": ""}),
        ({"type_name": "Wedding"}, {"typeId": 12}),
        ({"subtype_name": "residential"}, {"subtypeId": 112}),
        (
            {"stage_name": "Lost", "stage_reason_name": "Price"},
            {"stageId": 23, "stageReasonId": 231},
        ),
        ({"industry_name": "Technology"}, {"industryId": 401}),
        ({"channel_name": "Email"}, {"channelId": 51}),
        ({"ivvy": {"channel_id": "51"}}, {"channelId": 51}),
    ],
)
def test_what_changes_in_a_stored_lead_is_sent_alone(
    given: dict[str, Any], sent: dict[str, Any]
) -> None:
    made = plan(write_of(lead(**given)), STORED_LEAD)
    assert (told(made), made.plan.outcome) == ({}, Outcome.UPDATED)
    assert made.plan.calls[0].body == {"id": 9001, **sent}
    assert body(made) == sent


@pytest.mark.parametrize(
    "given",
    [
        {"name": "Summer conference", "description": "Eighty people"},
        {"type_name": "Conference", "subtype_name": "One day", "stage_name": "New"},
        {"source_name": "Website", "quality_name": "Hot", "owner_name": "Sam Seller"},
        {"ivvy": {"type_id": "11", "owner_user_id": "801", "quality_id": "41"}},
        {"stage_reason_name": None, "channel_name": None, "ivvy": {"channel_id": None}},
        {"contact": PERSON, "custom_fields": []},
        {"ivvy": {"contact_id": "40001"}},
    ],
)
def test_what_a_stored_lead_holds_already_is_not_sent(given: dict[str, Any]) -> None:
    made = plan(write_of(lead(**given)), STORED_LEAD)
    assert (told(made), made.plan.outcome, made.plan.calls) == ({}, Outcome.UNCHANGED, ())


def test_an_id_that_the_stored_lead_has_may_have_left_its_list() -> None:
    stored = STORED_LEAD | {"sourceId": 39, "qualityId": 49}
    made = plan(write_of(lead(ivvy={"source_id": "39", "quality_id": "49"})), stored)
    assert (told(made), made.plan.outcome) == ({}, Outcome.UNCHANGED)
    made = plan(write_of(lead(ivvy={"source_id": "38"})), stored)
    assert told(made) == {"ivvy.sourceId": "NOT_FOUND"}


def test_a_name_that_two_sub_types_have_is_ambiguous() -> None:
    made = plan(write_of(lead(type_name="Fair", subtype_name=" INDOOR")), STORED_LEAD)
    assert told(made) == {"subtypeName": "NAME_AMBIGUOUS"}
    assert made.plan.problems[0].suggestions == ["131", "132"]


def test_a_child_by_id_of_a_stored_parent_that_is_not_listed_is_taken_as_it_is() -> None:
    stored = STORED_LEAD | {"stageId": 24}
    made = plan(write_of(lead(ivvy={"stage_reason_id": "241"})), stored)
    assert body(made) == {"stageReasonId": 241}


def test_a_new_lead_without_its_type_is_told_of_the_type_alone() -> None:
    given = {name: value for name, value in NEW.items() if name != "type_name"}
    made = plan(write_of(lead(**given, contact=PERSON)))
    assert told(made) == {"typeName": "REQUIRED"}


def test_null_of_an_id_field_names_the_field_that_said_it() -> None:
    made = plan(write_of(lead(ivvy={"quality_id": None})), STORED_LEAD)
    assert told(made) == {"ivvy.qualityId": "CANNOT_CLEAR"}


def test_a_null_that_a_name_takes_back_is_no_null() -> None:
    made = plan(write_of(lead(quality_name="Hot", ivvy={"quality_id": None})), STORED_LEAD)
    assert (told(made), made.plan.outcome) == ({}, Outcome.UNCHANGED)


def test_a_text_is_cleared_by_null_where_the_settings_say_so() -> None:
    made = plan(write_of(lead(description=None)), STORED_LEAD, text_clear=None)
    assert body(made) == {"description": None}


def test_a_replace_needs_what_a_new_lead_needs_and_keeps_its_parties() -> None:
    write = write_of(lead(description="Now"), mode=WriteMode.REPLACE)
    made = plan(write, STORED_LEAD)
    names = ("name", "typeName", "stageName", "sourceName", "industryName")
    assert told(made) == dict.fromkeys(names, "REQUIRED")
    made = plan(write_of(lead(**NEW), mode=WriteMode.REPLACE), STORED_LEAD)
    assert body(made) == {"name": "Offsite", "description": "", "industryId": 401}
    assert made.plan.ignored == ("qualityName", "ownerName", "customFields")
    without = {name: value for name, value in NEW.items() if name != "subtype_name"}
    made = plan(write_of(lead(**without), mode=WriteMode.REPLACE), STORED_LEAD)
    assert told(made) == {"subtypeName": "REQUIRED"}


def test_an_invalid_name_is_not_also_missing() -> None:
    from gateway.lead_checks import check_lead

    write, problems = check_lead(lead(**(NEW | {"type_name": " "}), contact=PERSON))
    assert [problem.field for problem in problems] == [["typeName"]]
    assert told(plan(write)) == {}


@pytest.mark.parametrize(
    ("name", "values", "sent"),
    [
        ("Delegates", ["30"], 30),
        ("Delegates", [], None),
        ("Note", ["30"], "30"),
        ("Note", [], ""),
        ("Season", ["2"], "2"),
        ("Days", ["Mon", "Tue", "Mon"], ["Mon", "Tue"]),
        ("Days", ["Mon"], ["Mon"]),
        ("Start", ["2026-01-31"], "2026-01-31 00:00:00 UTC"),
    ],
)
def test_a_lead_field_is_written_by_the_type_in_the_table(
    name: str, values: list[str], sent: Any
) -> None:
    given = lead(custom_fields=[CustomFieldInput(name=name, values=values)])
    made = plan(write_of(given), STORED_LEAD)
    [field] = body(made)["customFields"]
    assert field["fieldValue"] == sent
    assert made.plan.changed == (f"customFields.{name}",)


@pytest.mark.parametrize(
    ("field_id", "values", "sent"),
    [("799", ["a"], "a"), ("799", ["a", "b"], ["a", "b"]), ("799", [], ""), ("701", ["7"], 7)],
)
def test_a_lead_field_by_id_is_text_unless_the_table_knows_it(
    field_id: str, values: list[str], sent: Any
) -> None:
    fields = [CustomFieldByIdInput(id=field_id, values=values)]  # type: ignore[arg-type]
    made = plan(write_of(lead(ivvy={"custom_fields": fields})), STORED_LEAD)
    assert body(made) == {"customFields": [{"fieldId": int(field_id), "fieldValue": sent}]}


def test_null_of_lead_fields_by_id_cannot_be_carried_out() -> None:
    made = plan(write_of(lead(ivvy={"custom_fields": None})), STORED_LEAD)
    assert told(made) == {"ivvy.customFields": "CANNOT_CLEAR"}
    made = plan(write_of(lead(**NEW, contact=PERSON, custom_fields=None)))
    assert told(made) == {"customFields": "CANNOT_CLEAR"}  # as the second time
    assert "does not show what it holds: leave it out" in made.plan.problems[0].message


@pytest.mark.parametrize(
    ("sent", "safety"),
    [
        ({"name": "X"}, Safety.ONCE),
        ({"id": 1, "name": "X"}, Safety.REPEATABLE),
        ({"id": 1, "contact": {"id": 2}, "company": {"updateIfExists": True}}, Safety.REPEATABLE),
        ({"id": 1, "contact": {"updateIfExists": False}}, Safety.ONCE),
        ({"id": 1, "company": {"businessName": "X"}}, Safety.ONCE),
    ],
)
def test_only_a_lead_that_makes_nothing_new_twice_may_be_sent_twice(
    sent: dict[str, Any], safety: Safety
) -> None:
    assert save_lead(sent).safety is safety


def test_every_lookup_has_a_row_for_its_name_and_for_its_id() -> None:
    rows = {row.name: row.at for row in FIELDS}
    for lookup in LEAD_LOOKUPS:
        assert rows[lookup.name] == rows[lookup.native] == lookup.at


def test_group_calls_of_a_stored_contact_stand_behind_the_lead() -> None:
    person = PERSON | {"add_groups_name": ["Newsletter"]}
    made = plan(write_of(lead(name="Other", contact=person)), STORED_LEAD)
    assert [dict(call.query)["action"] for call in made.plan.calls] == [
        "addOrUpdateLead",
        "addContactsToSubscriptionGroup",
    ]
    assert made.after is None
    assert made.contact is not None
    assert (made.contact.outcome, made.contact.changed) == (Outcome.UPDATED, ("addGroupsName",))


def test_group_calls_of_a_new_contact_wait_for_its_id() -> None:
    person = {"email": "eve@example.com", "first_name": "Eve", "last_name": "Moore"}
    write = write_of(lead(**NEW, contact=person | {"add_groups_name": ["Newsletter"]}))
    made = plan(write, contact=None)
    assert len(made.plan.calls) == 1
    assert made.after is not None
    [call] = made.after("40077")
    assert call.body == {"contacts": [40077], "group": 301}


def test_what_the_contact_ignores_and_warns_of_is_told_with_the_lead() -> None:
    person = PERSON | {"suffix": "MSc", "privacy_consent": False}
    made = plan(
        write_of(lead(contact=person)),
        STORED_LEAD,
        contact=ADA | {"privacyConsentData": {"source": 1}},
    )
    assert made.plan.ignored == ("contact.suffix",)
    assert made.plan.changed == ("contact.privacyConsent",)
    assert [warning.field for warning in made.plan.warnings] == [["contact", "privacyConsent"]]
