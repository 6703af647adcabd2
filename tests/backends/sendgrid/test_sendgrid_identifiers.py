"""Which identifiers are sent to SendGrid, and which changes of them are refused."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.backends.sendgrid.identifiers import check_identifiers
from gateway.backends.sendgrid.look_ups import needs_read
from gateway.model import (
    CustomFieldByIdInput,
    CustomFieldInput,
    EmailChange,
    MissingPolicy,
    WriteMode,
)
from gateway.results import Outcome, ProblemCode
from tests.backends.sendgrid.sending import (
    body,
    contact,
    nobody,
    plan,
    seen,
    sent,
    stored,
    unread,
    write_of,
)


def test_in_email_mode_only_the_address_is_sent() -> None:
    made = plan(write_of(contact(email="Ada@Example.com", external_id="E-1001", first_name="A")))
    assert sent(made) == {"email": "ada@example.com", "first_name": "A"}
    assert made.ignored == ("externalId",)


def test_a_borrowed_address_is_written_and_its_source_is_named() -> None:
    found = unread()
    made = plan(write_of(contact(external_id="E-1001", first_name="A")), found)
    assert sent(made) == {"email": "ada@example.com", "first_name": "A"}


@pytest.mark.parametrize(
    ("identifier", "fields", "path"),
    [
        ("email", {"external_id": "E-1"}, ["email"]),
        ("email", {"email": None, "external_id": "E-1"}, ["email"]),
        ("external_id", {"email": "a@example.com"}, ["externalId"]),
    ],
)
def test_without_the_identifier_nothing_can_be_written(
    identifier: Any, fields: dict[str, Any], path: list[str]
) -> None:
    made = plan(write_of(contact(**fields)), unread(None), identifier=identifier)
    assert (ProblemCode.REQUIRED, path) in [(found.code, found.field) for found in made.problems]


def test_a_new_contact_in_external_id_mode_takes_every_identifier_given() -> None:
    given = contact(
        external_id="E-9", email="New@Example.com",
        sendgrid={"phone_number_id": "07700 900009", "anonymous_id": "anon-9"},
    )  # fmt: skip
    made = plan(write_of(given), nobody("E-9"), identifier="external_id")
    assert sent(made) == {
        "external_id": "E-9",
        "email": "new@example.com",
        "phone_number_id": "+447700900009",
        "anonymous_id": "anon-9",
    }
    assert made.changed == (
        "externalId", "email", "sendgrid.phoneNumberId", "sendgrid.anonymousId",
    )  # fmt: skip


@pytest.mark.parametrize("identifier", ["email", "external_id"])
def test_every_identifier_that_a_read_contact_holds_is_sent(identifier: Any) -> None:
    record = stored(external_id="E-1001", phone_number_id="+447700900001")
    given = contact(external_id="E-1001", email="ADA@example.com", first_name="Augusta")
    key = "E-1001" if identifier == "external_id" else "ada@example.com"
    made = plan(write_of(given), seen(record, key=key), identifier=identifier)
    assert sent(made) == {
        "external_id": "E-1001",
        "email": "ada@example.com",
        "phone_number_id": "+447700900001",
        "first_name": "Augusta",
    }
    assert made.changed == ("firstName",)


@pytest.mark.parametrize(
    ("held", "words"),
    [
        ({"email": "other@example.com"}, "SendGrid's contact has another email"),
        ({"email": None}, "an identifier more"),
    ],
)
def test_in_external_id_mode_an_address_can_be_neither_changed_nor_added(
    held: dict[str, Any], words: str
) -> None:
    record = stored(external_id="E-1001", **held)
    given = contact(external_id="E-1001", email="ada@example.com")
    made = plan(write_of(given), seen(record, key="E-1001"), identifier="external_id")
    [problem] = made.problems
    assert (problem.code, problem.field) == (ProblemCode.INVALID, ["email"])
    assert words in problem.message
    assert "Without SENDGRID in targets the others are written." in problem.message
    assert "other@example.com" not in problem.message


@pytest.mark.parametrize("name", ["phone_number_id", "anonymous_id"])
def test_a_further_identifier_must_be_the_stored_one(name: str) -> None:
    value = "+447700900009"
    path = ["sendgrid", "phoneNumberId" if name == "phone_number_id" else "anonymousId"]
    given = write_of(contact(email="ada@example.com", sendgrid={name: value}))
    assert plan(given, seen(stored(**{name: value}))).outcome is Outcome.UNCHANGED
    for record in (stored(), stored(**{name: "+447700900001"})):
        [problem] = plan(given, seen(record)).problems
        assert (problem.code, problem.field) == (ProblemCode.INVALID, path)


def test_a_stored_phone_identifier_without_plus_is_the_same() -> None:
    given = contact(email="ada@example.com", sendgrid={"phone_number_id": "07700 900009"})
    record = stored(phone_number_id="447700900009")
    assert plan(write_of(given), seen(record)).problems == ()


def test_an_identifier_cannot_be_cleared() -> None:
    given = contact(external_id="E-1001", email=None, sendgrid={"anonymous_id": None})
    record = stored(external_id="E-1001", anonymous_id="x")
    found = seen(record, key="E-1001")
    made = plan(write_of(given), found, identifier="external_id")
    assert (made.outcome, set(made.ignored)) == (
        Outcome.UNCHANGED,
        {"email", "sendgrid.anonymousId"},
    )
    named = plan(write_of(given, targets_named=True), found, identifier="external_id")
    assert [problem.code for problem in named.problems] == [ProblemCode.CANNOT_CLEAR] * 2


def test_a_null_identifier_is_told_as_what_cannot_be_cleared() -> None:
    given = contact(external_id="E-1001", email=None, first_name="A")
    borrowed = plan(write_of(given), unread())
    assert (borrowed.problems, set(borrowed.ignored)) == ((), {"email", "externalId"})
    assert borrowed.changed == ("firstName",)
    assert sent(borrowed) == {"email": "ada@example.com", "first_name": "A"}
    for found in (unread(), unread(None)):
        [problem] = plan(write_of(given, targets_named=True), found).problems
        assert (problem.code, problem.field) == (ProblemCode.CANNOT_CLEAR, ["email"])


def test_clearing_an_identifier_that_is_not_held_is_nothing() -> None:
    given = contact(external_id="E-1001", email=None)
    found = seen(stored(external_id="E-1001", email=None), key="E-1001")
    made = plan(write_of(given, targets_named=True), found, identifier="external_id")
    assert (made.outcome, made.problems, made.ignored) == (Outcome.UNCHANGED, (), ())


def test_a_contact_with_the_address_and_another_external_id_is_a_conflict() -> None:
    given = contact(email="ada@example.com", external_id="E-7", groups_name=[])
    [problem] = plan(write_of(given), seen(stored(external_id="E-1001"))).problems
    assert (problem.code, problem.field) == (ProblemCode.CONFLICT, ["externalId"])
    assert "another externalId than 'E-7'" in problem.message
    assert "leave SENDGRID out of targets" in problem.message
    assert "E-1001" not in problem.message


def test_a_replace_keeps_identifiers_that_it_leaves_out() -> None:
    record = stored(external_id="E-1001", custom_fields={}, list_ids=[])
    given = contact(external_id="E-1001", first_name="Ada")
    made = plan(
        write_of(given, mode=WriteMode.REPLACE),
        seen(record, key="E-1001"),
        identifier="external_id",
    )
    assert body(made)["contacts"][0]["email"] == "ada@example.com"


@pytest.mark.parametrize(
    ("native", "path", "code"),
    [
        ({"phone_number_id": "nobody"}, ["sendgrid", "phoneNumberId"], ProblemCode.INVALID),
        ({"anonymous_id": "x" * 255}, ["sendgrid", "anonymousId"], ProblemCode.TOO_LONG),
        ({"anonymous_id": " "}, ["sendgrid", "anonymousId"], ProblemCode.INVALID),
    ],
)
def test_the_form_of_identifiers_is_checked(
    native: dict[str, Any], path: list[str], code: ProblemCode
) -> None:
    given = contact(email="ada@example.com", sendgrid=native)
    [problem] = check_identifiers(write_of(given), "email")
    assert (problem.field, problem.code) == (path, code)


@pytest.mark.parametrize(
    "native", [{"anonymous_id": "x" * 254}, {"anonymous_id": None}, {"phone_number_id": None}]
)
def test_an_identifier_may_be_as_long_as_sendgrid_keeps_and_null(native: dict[str, Any]) -> None:
    given = contact(email="ada@example.com", sendgrid=native)
    assert check_identifiers(write_of(given), "email") == []


def test_a_long_external_id_matters_only_where_it_identifies() -> None:
    write = write_of(contact(external_id="x" * 255))
    assert check_identifiers(write, "email") == []
    [problem] = check_identifiers(write, "external_id")
    assert (problem.field, problem.code) == (["externalId"], ProblemCode.TOO_LONG)


@pytest.mark.parametrize(
    ("fields", "how"),
    [
        ({"groups_name": ["VIP"]}, {}),
        ({"groups_name": None}, {}),
        ({"remove_groups_name": ["VIP"]}, {}),
        ({"sendgrid": {"list_ids": []}}, {}),
        ({"sendgrid": {"phone_number_id": "+447700900001"}}, {}),
        ({"sendgrid": {"anonymous_id": "x"}}, {}),
        ({"sendgrid": {"custom_fields": None}}, {}),
        ({"custom_fields": None}, {}),
        ({}, {"mode": WriteMode.REPLACE}),
        ({}, {"if_missing": MissingPolicy.SKIP}),
    ],
)
def test_a_write_reads_where_it_must_know_what_is_held(
    fields: dict[str, Any], how: dict[str, Any]
) -> None:
    assert needs_read(write_of(contact(email="ada@example.com", **fields), **how), "email")


@pytest.mark.parametrize(
    "fields",
    [
        {"first_name": "Ada", "phone": None, "addresses": None, "alternate_emails": []},
        {"add_groups_name": ["VIP"], "remove_groups_name": []},
        {"custom_fields": [CustomFieldInput(name="shift", values=["Day"])]},
        {"sendgrid": {"custom_fields": [CustomFieldByIdInput(id="e1_T", values=[])]}},  # type: ignore[arg-type]
        {"sendgrid": {"email_change": EmailChange.CREATE_NEW, "phone_number_id": None}},
    ],
)
def test_a_plain_patch_in_email_mode_reads_nothing(fields: dict[str, Any]) -> None:
    write = write_of(contact(email="ada@example.com", **fields))
    assert not needs_read(write, "email")
    assert needs_read(write, "external_id")
