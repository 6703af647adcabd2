"""iVvy's contact translation: input to exact JSON, without I/O."""

from __future__ import annotations

from typing import Any

import pytest
from strawberry import ID

from gateway.backends.adapter import Key, KeyKind
from gateway.backends.ivvy.contact import FIELDS, contact_body
from gateway.calls import Safety
from gateway.checks import check_contact
from gateway.fields import to_backend
from gateway.model import (
    Backend,
    CustomFieldByIdInput,
    CustomFieldInput,
    EmailStatus,
    SmsStatus,
    WriteMode,
)
from gateway.results import Outcome, ProblemCode
from gateway.write import input_name
from tests.backends.ivvy.writing import NEW, bodies, contact, plan, resolved, sent, stored, write_of


@pytest.mark.parametrize(
    ("fields", "body", "changed"),
    [
        ({"first_name": "Augusta"}, {"firstName": "Augusta"}, ["firstName"]),
        ({"email": "Ada@Example.org"}, {"email": "Ada@example.org"}, ["email"]),
        ({"external_id": "E-9"}, {"externalId": "E-9"}, ["externalId"]),
        ({"external_id": None}, {"externalId": ""}, ["externalId"]),
        ({"phone": "07700 900999"}, {"phone": "+447700900999"}, ["phone"]),
        ({"phone": None}, {"phone": ""}, ["phone"]),
        ({"email_status": EmailStatus.NO_MARKETING}, {"status": 5}, ["emailStatus"]),
        ({"email_status": EmailStatus.BOUNCED}, {"status": 3}, ["emailStatus"]),
        ({"sms_status": SmsStatus.NO_MARKETING}, {"smsStatus": 4}, ["smsStatus"]),
        ({"sms_status": SmsStatus.FAILED}, {"smsStatus": 3}, ["smsStatus"]),
        ({"privacy_consent": True}, {"privacyConsent": True}, ["privacyConsent"]),
        (
            {"groups_name": ["Berlin Office", "newsletter"]},
            {"groups": [{"groupId": 302}, {"groupId": 301}]},
            ["groupsName"],
        ),
        ({"groups_name": []}, {"groups": []}, ["groupsName"]),
        ({"groups_name": None}, {"groups": []}, ["groupsName"]),
        ({"companies_name": ["Hotels"]}, {"companies": [7002]}, ["companiesName"]),
        ({"companies_name": None}, {"companies": []}, ["companiesName"]),
    ],
)
def test_only_what_changes_is_sent_with_the_id(
    fields: dict[str, Any], body: dict[str, Any], changed: list[str]
) -> None:
    made = plan(write_of(contact(**fields)), stored())
    assert bodies(made) == [("addOrUpdateContact", {"id": 40001, **body})]
    assert list(made.changed) == changed
    assert made.outcome is Outcome.UPDATED
    assert made.calls[0].safety is Safety.REPEATABLE


@pytest.mark.parametrize(
    ("fields", "held"),
    [
        ({}, {}),
        ({"email": "ADA@example.com"}, {}),
        ({"phone": "07700 900101"}, {}),
        ({"phone": "+44 (0) 7700 900101"}, {"phone": "+44-7700-900101"}),
        ({"phone": None}, {"phone": ""}),
        ({"external_id": "1001"}, {"externalId": 1001}),
        ({"email_status": EmailStatus.SUBSCRIBED}, {"status": "1"}),
        ({"sms_status": None}, {"smsStatus": None}),
        ({"groups_name": ["Newsletter"]}, {"groups": [{"groupId": "301"}]}),
        ({"groups_name": None}, {"groups": None}),
        ({"add_groups_name": ["Newsletter"], "remove_groups_name": ["Berlin Office"]}, {}),
        ({"companies_name": ["Hotels", "Engines"]}, {"companies": ["7001", 7002]}),
        ({"privacy_consent": True}, {"privacyConsentData": {"source": 1, "dateTime": "2024"}}),
        ({"privacy_consent": False}, {}),
        ({"privacy_consent": None}, {"privacyConsentData": []}),
        ({"external_urls": []}, {"externalUrls": [{"ref": "a", "url": "https://a.example"}]}),
        ({"external_urls": None}, {"externalUrls": None}),
    ],
)
def test_what_is_held_already_is_unchanged(fields: dict[str, Any], held: dict[str, Any]) -> None:
    made = plan(write_of(contact(**fields)), stored(**held))
    assert (made.calls, made.changed, made.outcome) == ((), (), Outcome.UNCHANGED)
    assert made.problems == ()


def test_a_national_number_that_ivvy_holds_is_written_anew_in_e164() -> None:
    write = write_of(contact(phone="07700 900101"))
    assert sent(plan(write, stored(phone="07700 900101"))) == {"phone": "+447700900101"}


def test_what_clears_a_text_can_be_switched_to_null() -> None:
    write = write_of(contact(phone=None, custom_fields=[CustomFieldInput(name="Shift", values=[])]))
    body = sent(plan(write, stored(), text_clear=None))
    assert body == {"phone": None, "customFields": [{"fieldId": 501, "value": None}]}


@pytest.mark.parametrize("name", ["first_name", "last_name", "email", "email_status", "sms_status"])
def test_what_ivvy_cannot_clear_is_a_problem_where_ivvy_is_named(name: str) -> None:
    given = contact(**{name: None})
    [problem] = plan(write_of(given, targets_named=True), stored()).problems
    assert problem.code is ProblemCode.CANNOT_CLEAR
    made = plan(write_of(given), stored())
    assert (made.problems, made.outcome) == ((), Outcome.UNCHANGED)
    assert list(made.ignored) == problem.field


def test_a_consent_without_source_and_time_is_none_whatever_else_it_shows() -> None:
    held = stored(privacyConsentData={"source": 0, "dateTime": "", "sourceName": "None"})
    assert sent(plan(write_of(contact(privacy_consent=True)), held)) == {"privacyConsent": True}


def test_a_consent_cannot_be_cleared_and_false_comes_with_a_warning() -> None:
    consent = {"source": 1, "dateTime": "2024-03-03 09:00:00 UTC"}
    held = stored(privacyConsentData=consent)
    [problem] = plan(write_of(contact(privacy_consent=None), targets_named=True), held).problems
    assert problem.code is ProblemCode.CANNOT_CLEAR
    made = plan(write_of(contact(privacy_consent=False)), held)
    assert sent(made) == {"privacyConsent": False}
    [warning] = made.warnings
    assert (warning.backend, warning.field) == (Backend.IVVY, ["privacyConsent"])
    assert plan(write_of(contact(privacy_consent=True)), stored()).warnings == ()
    assert plan(write_of(contact(**NEW, privacy_consent=False)), None).warnings == ()


def test_a_new_contact_has_every_given_field_and_may_be_repeated() -> None:
    given = contact(
        **NEW,
        external_id="E-7",
        phone=None,
        groups_name=["VIP", "Newsletter"],
        companies_name=["Engines"],
        custom_fields=[CustomFieldInput(name="shift", values=["Night"])],
        email_status=EmailStatus.UNSUBSCRIBED,
        privacy_consent=False,
        middle_initial="B",
    )
    made = plan(write_of(given), None)
    assert bodies(made) == [
        (
            "addOrUpdateContact",
            {
                "externalId": "E-7",
                "email": "eve@example.com",
                "firstName": "Eve",
                "lastName": "Moore",
                "status": 2,
                "groups": [{"groupId": 301}],
                "companies": [7001],
                "customFields": [{"fieldId": 501, "value": "2"}],
                "privacyConsent": False,
                "updateIfExists": True,
            },
        )
    ]
    assert made.calls[0].safety is Safety.REPEATABLE
    assert made.outcome is Outcome.CREATED
    assert set(made.ignored) == {"middleInitial", "groupsName.VIP"}
    assert set(made.changed) == {
        *("externalId", "email", "firstName", "lastName", "emailStatus", "groupsName"),
        *("companiesName", "customFields.shift", "privacyConsent"),
    }


@pytest.mark.parametrize(
    ("value", "sent_value", "safety"),
    [(None, True, Safety.REPEATABLE), (True, True, Safety.REPEATABLE), (False, False, Safety.ONCE)],
)
def test_a_create_that_may_not_match_is_sent_once(
    value: bool | None, sent_value: bool, safety: Safety
) -> None:
    made = plan(write_of(contact(**NEW, ivvy={"update_if_exists": value})), None)
    assert sent(made)["updateIfExists"] is sent_value
    assert made.calls[0].safety is safety


@pytest.mark.parametrize("name", ["email_status", "sms_status"])
def test_a_new_contact_cannot_be_without_a_status(name: str) -> None:
    given = contact(**NEW, **{name: None})
    [problem] = plan(write_of(given, targets_named=True), None).problems
    assert (problem.code, problem.field) == (ProblemCode.CANNOT_CLEAR, [input_name(name)])
    made = plan(write_of(given), None)
    assert (made.problems, made.ignored) == ((), (input_name(name),))


def test_a_null_that_a_new_contact_fulfils_is_not_spoken_of() -> None:
    nothing = contact(**NEW, phone=None, privacy_consent=None, external_urls=None, groups_name=None)
    made = plan(write_of(nothing, targets_named=True), None)
    assert (made.problems, made.ignored) == ((), ())


@pytest.mark.parametrize("values", [{}, {"first_name": None, "last_name": None, "email": None}])
def test_a_new_contact_needs_names_and_email(values: dict[str, Any]) -> None:
    made = plan(write_of(contact(external_id="E-7", **values), targets_named=True), None)
    assert [(problem.code, problem.field) for problem in made.problems] == [
        (ProblemCode.REQUIRED, ["firstName"]),
        (ProblemCode.REQUIRED, ["lastName"]),
        (ProblemCode.REQUIRED, ["email"]),
    ]
    assert "holds no such contact" in made.problems[0].message


def borrowed(email: str) -> tuple[Key, ...]:
    return (Key(kind=KeyKind.EMAIL, value=email, source="SENDGRID.email"),)


def test_a_new_contact_takes_the_email_that_a_sibling_holds() -> None:
    write = write_of(contact(external_id="E-7", first_name="Eve", last_name="Moore"))
    made = plan(write, None, asked_by=borrowed("eve@example.com"))
    assert made.problems == ()
    assert sent(made)["email"] == "eve@example.com"
    assert "email" in made.changed
    assert plan(write, None).problems[0].field == ["email"]


def test_a_siblings_email_does_not_stand_in_for_a_null() -> None:
    write = write_of(contact(first_name="Eve", last_name="Moore", email=None))
    [problem] = plan(write, None, asked_by=borrowed("eve@example.com")).problems
    assert (problem.code, problem.field) == (ProblemCode.REQUIRED, ["email"])


def test_a_stored_contact_takes_nothing_from_a_sibling() -> None:
    write = write_of(contact(external_id="E-1001"))
    made = plan(write, stored(email=None), asked_by=borrowed("eve@example.com"))
    assert made.outcome is Outcome.UNCHANGED


def test_native_ids_win_over_names() -> None:
    given = contact(
        groups_name=["Newsletter"],
        companies_name=["Engines"],
        custom_fields=[CustomFieldInput(name="Shift", values=["Day"])],
        ivvy={
            "group_ids": ["302", "302"],
            "company_ids": ["7002"],
            "custom_fields": [CustomFieldByIdInput(id=ID("501"), values=["2"])],
        },
    )
    made = plan(write_of(given), stored())
    assert sent(made) == {
        "groups": [{"groupId": 302}],
        "companies": [7002],
        "customFields": [{"fieldId": 501, "value": "2"}],
    }
    assert made.changed == ("ivvy.groupIds", "ivvy.companyIds", "ivvy.customFields.501")
    assert made.ignored == ("groupsName", "companiesName", "customFields.Shift")


def test_unknown_native_ids_are_told_with_their_places() -> None:
    given = contact(
        ivvy={
            "group_ids": ["302", "999"],
            "company_ids": ["888"],
            "custom_fields": [CustomFieldByIdInput(id=ID("777"), values=["x"])],
        }
    )
    made = plan(write_of(given), stored())
    assert {(problem.code, *problem.field) for problem in made.problems} == {
        (ProblemCode.NOT_FOUND, "ivvy", "groupIds", "1"),
        (ProblemCode.NOT_FOUND, "ivvy", "companyIds", "0"),
        (ProblemCode.NOT_FOUND, "ivvy", "customFields", "0", "id"),
    }


def test_replace_clears_what_it_leaves_out_and_keeps_keys_statuses_and_consent() -> None:
    held = stored(
        privacyConsentData={"source": 1, "dateTime": "2024"},
        externalUrls=[{"ref": "a", "url": "https://a.example", "label": None}],
    )
    write = write_of(contact(first_name="Ada", last_name="Byron"), mode=WriteMode.REPLACE)
    made = plan(write, held)
    assert made.problems == ()
    assert sent(made) == {
        "phone": "",
        "groups": [],
        "companies": [],
        "customFields": [
            {"fieldId": 501, "value": ""},
            {"fieldId": 503, "value": None},
            {"fieldId": 504, "value": None},
        ],
        "externalUrls": None,
    }
    assert set(made.changed) == {
        *("phone", "groupsName", "companiesName", "externalUrls", "customFields.Shift"),
        *("customFields.Member since", "customFields.Badge number"),
    }


def test_replace_needs_the_names_once_each_and_an_email_only_where_none_is_held() -> None:
    replace = {"mode": WriteMode.REPLACE, "targets_named": True}
    made = plan(write_of(contact(first_name=None), **replace), stored())
    assert [problem.field for problem in made.problems] == [["firstName"], ["lastName"]]
    assert {problem.code for problem in made.problems} == {ProblemCode.REQUIRED}
    assert "REPLACE" in made.problems[0].message
    write = write_of(contact(first_name="Ada", last_name="Byron"), **replace)
    [problem] = plan(write, stored(email=None)).problems
    assert (problem.code, problem.field) == (ProblemCode.REQUIRED, ["email"])


def test_a_leads_contact_has_the_same_body_and_its_own_path() -> None:
    write = write_of(contact(first_name="Eve"), at=("contact",))
    body = contact_body(write, None, resolved(write))
    assert body.parameters == {"firstName": "Eve", "updateIfExists": True}
    assert [problem.field for problem in body.problems] == [
        ["contact", "lastName"],
        ["contact", "email"],
    ]
    assert contact_body(write, stored(firstName="Eve"), resolved(write)).parameters == {}


def test_every_field_of_the_input_has_a_row_or_is_reported() -> None:
    rows = {row.name for row in FIELDS}
    write = write_of(contact(suffix="Jr", country_code="DE", timezone_id="Europe/Berlin"))
    assert to_backend(FIELDS, write, Backend.IVVY, {}).ignored == [
        "suffix",
        "countryCode",
        "timezoneId",
    ]
    assert {f"ivvy.{name}" for name in vars(contact(ivvy={}).ivvy.value)} <= rows  # type: ignore[union-attr]  # given above


def test_an_email_with_a_problem_is_no_missing_email() -> None:
    write, problems = check_contact(contact(**{**NEW, "email": "nonsense"}))
    assert [problem.field for problem in problems] == [["email"]]
    assert plan(write, None).problems == ()
