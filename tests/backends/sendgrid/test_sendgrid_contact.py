"""SendGrid's contact translation: input to exact JSON, without I/O.

Unknown keys are ignored by SendGrid without a word, so bodies are compared whole.
"""

from __future__ import annotations

from dataclasses import fields as attributes
from typing import Any

import pytest
from strawberry import Some

from gateway.backends.sendgrid.address import PARTS
from gateway.backends.sendgrid.contact import FIELDS, fields_for
from gateway.backends.sendgrid.refusals import INPUT_PATHS
from gateway.calls import Safety
from gateway.model import (
    AddressInput,
    Backend,
    SendGridContactInput,
    WriteMode,
)
from gateway.results import Outcome, ProblemCode
from tests.backends.sendgrid.sending import (
    ADA,
    NEWSLETTER,
    body,
    calls,
    contact,
    nobody,
    plan,
    seen,
    sent,
    stored,
    unread,
    write_of,
)

EMPTY_ADDRESS = dict.fromkeys((part.at for part in PARTS), "")


def address(**parts: Any) -> AddressInput:
    return AddressInput(**{name: Some(value) for name, value in parts.items()})


@pytest.mark.parametrize(
    ("fields", "values", "changed"),
    [
        ({"first_name": "Ada", "last_name": "B"}, {"first_name": "Ada", "last_name": "B"}, ["firstName", "lastName"]),
        ({"first_name": None}, {"first_name": ""}, ["firstName"]),
        ({"phone": "07700 900123"}, {"phone_number": "+447700900123"}, ["phone"]),
        ({"phone": None}, {"phone_number": ""}, ["phone"]),
        ({"country_code": "de"}, {"country": "DE"}, ["countryCode"]),
        ({"country_code": None}, {"country": ""}, ["countryCode"]),
        ({"alternate_emails": ["A.B@Example.org", "a.b@example.org"]}, {"alternate_emails": ["a.b@example.org"]}, ["alternateEmails"]),
        ({"alternate_emails": []}, {"alternate_emails": []}, ["alternateEmails"]),
        ({"alternate_emails": None}, {"alternate_emails": []}, ["alternateEmails"]),
        ({"addresses": None}, EMPTY_ADDRESS, ["addresses"]),
        ({"addresses": []}, EMPTY_ADDRESS, ["addresses"]),
        ({"addresses": [], "country_code": "DE"}, EMPTY_ADDRESS | {"country": "DE"}, ["addresses", "countryCode"]),
        (
            {"addresses": [address(line1="1 Main St", line2="Floor 2", city="Springfield", region="IL", postal_code="62701", country_code="us")]},
            {"address_line_1": "1 Main St", "address_line_2": "Floor 2", "city": "Springfield", "state_province_region": "IL", "postal_code": "62701", "country": "US"},
            ["addresses"],
        ),
        ({"addresses": [address(city="Paris", line2=None)]}, {"address_line_2": "", "city": "Paris"}, ["addresses"]),
    ],
)  # fmt: skip
def test_a_plain_patch_is_one_upsert_of_all_that_is_given(
    fields: dict[str, Any], values: dict[str, Any], changed: list[str]
) -> None:
    made = plan(write_of(contact(email="Ada@Example.com", **fields)))
    assert body(made) == {"contacts": [{"email": "ada@example.com", **values}]}
    assert set(made.changed) == {"email", *changed}
    assert (made.outcome, made.matched_by, made.id) == (Outcome.ACCEPTED, None, None)
    assert made.calls[0].safety is Safety.REPEATABLE
    assert made.ignored == ()
    assert made.problems == ()


def test_lists_are_joined_with_the_upsert() -> None:
    made = plan(write_of(contact(email="ada@example.com", add_groups_name=["VIP", "newsletter"])))
    assert body(made) == {
        "list_ids": ["33333333-3333-4333-8333-333333333333", NEWSLETTER],
        "contacts": [{"email": "ada@example.com"}],
    }
    assert made.changed == ("email", "addGroupsName")


def test_only_what_differs_from_a_read_contact_is_sent() -> None:
    given = contact(
        email="ada@example.com", first_name="Augusta", last_name="Byron", phone="07700 900001",
        country_code="GB", groups_name=["VIP", "Newsletter"],
    )  # fmt: skip
    made = plan(write_of(given), seen())
    assert sent(made) == {"email": "ada@example.com", "first_name": "Augusta"}
    assert (made.changed, made.id, made.matched_by) == (("firstName",), ADA["id"], "email")


@pytest.mark.parametrize(
    "fields",
    [
        {"first_name": "Ada", "groups_name": ["Newsletter", "VIP"]},
        {"phone": "+44 7700 900001", "remove_groups_name": ["Berlin Office"]},
        {"addresses": [address(city="London", country_code="gb")]},
        {"alternate_emails": None},
        {"email": "ADA@example.com"},
    ],
)
def test_what_a_read_contact_holds_already_is_not_written(fields: dict[str, Any]) -> None:
    made = plan(write_of(contact(**{"email": "ada@example.com", **fields})), seen())
    assert (made.outcome, made.calls, made.changed) == (Outcome.UNCHANGED, (), ())


def test_alternate_addresses_are_compared_in_any_order() -> None:
    given = contact(email="ada@example.com", alternate_emails=["B@example.org", "a@example.org"])
    record = stored(alternate_emails=["a@example.org", "b@example.org"])
    assert plan(write_of(given), seen(record)).outcome is Outcome.UNCHANGED


def test_fields_left_out_of_an_address_keep_what_is_stored() -> None:
    given = contact(email="ada@example.com", addresses=[address(city="Leeds")])
    made = plan(write_of(given), seen())
    assert sent(made) == {"email": "ada@example.com", "city": "Leeds"}


def test_what_an_address_holds_beyond_sendgrid_is_reported() -> None:
    first = address(location_name="Home", city="Leeds", latitude=53.8, longitude=-1.5)
    given = contact(
        email="ada@example.com", addresses=[first, address(city="Bonn")], country_code="DE"
    )
    made = plan(write_of(given))
    assert sent(made) == {"email": "ada@example.com", "city": "Leeds"}
    assert made.ignored == (
        "addresses.0.locationName",
        "addresses.0.latitude",
        "addresses.0.longitude",
        "addresses.1",
        "countryCode",
    )


def test_a_country_that_the_address_gives_too_is_not_reported() -> None:
    given = contact(
        email="ada@example.com", addresses=[address(country_code="DE")], country_code="de"
    )
    made = plan(write_of(given))
    assert made.ignored == ()
    assert made.changed == ("email", "addresses", "countryCode")
    assert sent(made) == {"email": "ada@example.com", "country": "DE"}


def test_a_country_that_the_address_contradicts_is_reported() -> None:
    given = contact(
        email="ada@example.com", addresses=[address(country_code="DE")], country_code="FR"
    )
    made = plan(write_of(given))
    assert (made.ignored, made.changed) == (("countryCode",), ("email", "addresses"))


def test_a_country_that_is_stored_is_not_told_to_change() -> None:
    given = contact(
        email="ada@example.com", addresses=[address(country_code="GB")], country_code="GB"
    )
    made = plan(write_of(given), seen())
    assert (made.outcome, made.ignored, made.changed) == (Outcome.UNCHANGED, (), ())


def test_a_new_contact_is_not_sent_what_it_cannot_hold_yet() -> None:
    given = contact(
        email="new@example.com", first_name="N", last_name=None, addresses=None,
        alternate_emails=None, custom_fields=None, groups_name=[],
    )  # fmt: skip
    made = plan(write_of(given), nobody("new@example.com"))
    assert sent(made) == {"email": "new@example.com", "first_name": "N"}
    assert made.changed == ("firstName", "email")


def test_fields_without_a_place_are_reported() -> None:
    given = contact(
        email="a@example.com", external_id="E-1", middle_initial="M", suffix="Jr",
        timezone_id="Europe/Berlin", record_type_name="Employee", companies_name=["Engines"],
        privacy_consent=True, phone_country_code="DE",
    )  # fmt: skip
    assert set(plan(write_of(given)).ignored) == {
        "externalId", "middleInitial", "suffix", "timezoneId", "recordTypeName",
        "companiesName", "privacyConsent",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"first_name": "x" * 51}, ["firstName"]),
        ({"last_name": "x" * 51}, ["lastName"]),
        ({"addresses": [address(line1="x" * 101)]}, ["addresses", "0", "line1"]),
        ({"addresses": [address(line2="x" * 101)]}, ["addresses", "0", "line2"]),
        ({"addresses": [address(city="x" * 61)]}, ["addresses", "0", "city"]),
        ({"addresses": [address(region="x" * 51)]}, ["addresses", "0", "region"]),
    ],
)
def test_texts_longer_than_sendgrid_keeps_are_problems(
    fields: dict[str, Any], path: list[str]
) -> None:
    [problem] = plan(write_of(contact(email="a@example.com", **fields))).problems
    assert (problem.code, problem.field) == (ProblemCode.TOO_LONG, path)
    assert "at most" in problem.message


def test_more_than_five_alternate_addresses_are_too_many() -> None:
    many = [f"a{number}@example.org" for number in range(6)]
    [problem] = plan(write_of(contact(email="a@example.com", alternate_emails=many))).problems
    assert (problem.code, problem.field) == (ProblemCode.TOO_MANY, ["alternateEmails"])
    assert problem.backend is Backend.SENDGRID
    given = contact(email="a@example.com", alternate_emails=many[:5])
    assert plan(write_of(given)).problems == ()


def test_every_problem_is_told_at_once() -> None:
    given = contact(
        first_name="x" * 51, addresses=[address(city="y" * 61)],
        alternate_emails=[f"a{number}@example.org" for number in range(6)],
    )  # fmt: skip
    made = plan(write_of(given), unread(None))
    assert {tuple(problem.field) for problem in made.problems} == {
        ("email",), ("firstName",), ("addresses", "0", "city"), ("alternateEmails",),
    }  # fmt: skip


# ---------------------------------------------------------------- replace


def test_a_replace_clears_what_it_leaves_out_and_keeps_what_has_no_unified_field() -> None:
    given = contact(email="ada@example.com", first_name="Ada")
    made = plan(write_of(given, mode=WriteMode.REPLACE), seen(stored(whatsapp="+447700900001")))
    [(method, _, put), *removals] = calls(made)
    assert method == "PUT"
    assert put == {
        "contacts": [
            {
                "email": "ada@example.com",
                "last_name": "",
                "phone_number": "",
                "address_line_1": "",
                "city": "",
                "postal_code": "",
                "country": "",
                "custom_fields": {"e1_T": ""},
            }
        ]
    }
    assert len(removals) == 2
    assert made.ignored == ("customFields.badge_number", "customFields.member_since")
    assert set(made.changed) == {
        "lastName", "phone", "addresses", "customFields.shift", "groupsName",
    }  # fmt: skip


def test_a_replace_that_says_what_is_stored_changes_nothing() -> None:
    record = stored(custom_fields={}, list_ids=[NEWSLETTER])
    given = contact(
        email="ada@example.com", first_name="Ada", last_name="Byron", phone="+447700900001",
        addresses=[address(line1="12 St James's Square", city="London", country_code="GB",
                           postal_code="SW1Y 4LB")],
        groups_name=["Newsletter"],
    )  # fmt: skip
    made = plan(write_of(given, mode=WriteMode.REPLACE), seen(record))
    assert (made.outcome, made.ignored) == (Outcome.UNCHANGED, ())


# ---------------------------------------------------------------- the table


def test_every_field_of_the_native_section_has_a_row() -> None:
    rows = {row.name for row in FIELDS}
    native = {f"sendgrid.{attribute.name}" for attribute in attributes(SendGridContactInput)}
    assert native <= rows


def test_an_external_id_has_a_row_only_where_it_identifies() -> None:
    assert "external_id" not in {row.name for row in fields_for("email")}
    assert "external_id" in {row.name for row in fields_for("external_id")}


def test_every_key_that_is_sent_can_be_blamed() -> None:
    sent_keys = {row.at for row in FIELDS if row.name not in {"addresses", "sendgrid.email_change"}}
    assert sent_keys | {part.at for part in PARTS} == set(INPUT_PATHS)
