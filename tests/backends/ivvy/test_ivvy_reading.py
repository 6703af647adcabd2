"""A contact of iVvy's as a record: what it shows, and that reading loses nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strawberry import ID
from strawberry.scalars import JSON

from gateway.backends.ivvy.reading import ids_shown, read_contact
from gateway.entries import CatalogName
from gateway.model import EmailStatus, SmsStatus, WriteMode
from gateway.records import CustomFieldValue, ExternalUrl
from gateway.results import Outcome
from tests.backends.ivvy.writing import CATALOGS, STORED, plan, stored, write_of
from tests.reading import contact_input

FIELDS = (
    *("external_id", "email", "first_name", "last_name", "phone", "groups_name"),
    *("custom_fields", "external_urls", "companies_name"),
)


def test_everything_that_ivvy_shows_is_in_the_record() -> None:
    raw = {
        **STORED,
        "companiesData": [{"id": 7001, "businessName": "Engines"}],
        "companies": [7001, 7009],
        "externalUrls": [{"ref": "a", "url": "https://example.com", "label": ""}],
    }
    record = read_contact(raw, CATALOGS)
    assert (record.id, record.external_id, record.email) == ("40001", "E-1001", "ada@example.com")
    assert (record.first_name, record.last_name) == ("Ada", "Byron")
    assert record.phone == "+447700900101"
    assert record.groups_name == ["Newsletter"]
    assert record.companies_name == ["Engines", "7009"]
    assert record.external_urls == [ExternalUrl(ref="a", url="https://example.com", label=None)]
    assert record.raw == JSON(raw)


def test_custom_fields_have_labels_dates_and_texts_and_empty_ones_are_left_out() -> None:
    record = read_contact(STORED, CATALOGS)
    assert [(item.name, item.values) for item in record.custom_fields] == [
        ("Shift", ["Day"]),
        ("Member since", ["2022-08-30T10:00:00Z"]),
        ("Badge number", ["1815"]),
    ]


def test_a_field_that_cannot_be_written_is_left_out_and_an_inactive_one_has_no_name() -> None:
    rows = [
        {"fieldId": 508, "value": {"line1": "1 Test Street"}},
        {"fieldId": 510, "displayName": "Former code", "value": "X-1"},
    ]
    record = read_contact({**STORED, "customFields": rows}, CATALOGS)
    assert record.custom_fields == [CustomFieldValue(id=ID("510"), name=None, values=["X-1"])]


@pytest.mark.parametrize(
    ("email", "sms", "expected"),
    [
        (1, "1", (EmailStatus.SUBSCRIBED, SmsStatus.SUBSCRIBED)),
        ("5", 4, (EmailStatus.NO_MARKETING, SmsStatus.NO_MARKETING)),
        (4, 9, (None, None)),
        (None, None, (None, None)),
    ],
)
def test_statuses_are_read_and_registering_is_none(email: Any, sms: Any, expected: Any) -> None:
    record = read_contact({**STORED, "status": email, "smsStatus": sms}, CATALOGS)
    assert (record.email_status, record.sms_status) == expected


def test_a_contact_with_nothing_but_its_id_has_nothing_else() -> None:
    record = read_contact({"id": 7, "externalId": ""}, {})
    assert (record.id, record.external_id, record.phone) == ("7", None, None)
    assert (record.groups_name, record.companies_name, record.custom_fields) == ([], [], [])


def test_a_group_that_the_list_lacks_is_shown_by_its_id() -> None:
    raw = {**STORED, "groups": [{"groupId": 301}, {"groupId": 399}]}
    assert read_contact(raw, CATALOGS).groups_name == ["Newsletter", "399"]
    assert ids_shown(raw) == [(CatalogName.GROUPS, "301"), (CatalogName.GROUPS, "399")]


texts = st.text("abc XYZäß'", min_size=1, max_size=9).filter(lambda text: text.strip() == text)


@st.composite
def stored_contacts(draw: st.DrawFn) -> dict[str, Any]:
    """A contact as getContact shows it."""
    values = {
        501: st.sampled_from(["", "1", "2"]),
        502: st.sampled_from([[""], ["a"], ["b", "a"]]),
        503: st.sampled_from([None, "2022-08-30 10:00:00 UTC", "2022-08-30 00:00:00"]),
        504: st.sampled_from([None, 0, 1815, "12"]),
        505: st.just("") | texts,
        507: st.just("Please note"),
        508: st.sampled_from([None, {"line1": "1 Test Street"}]),
        511: st.sampled_from(["", "DE"]),
    }
    return {
        **STORED,
        "companiesData": [{"id": 7001, "businessName": "Engines"}],
        "firstName": draw(texts),
        "lastName": draw(texts),
        "phone": draw(st.sampled_from(["", None, "+44 7700 900101", "+493023125104"])),
        "groups": [
            {"contactId": 40001, "groupId": group}
            for group in draw(st.lists(st.sampled_from([301, 302]), unique=True))
        ],
        "customFields": [
            {"fieldId": field, "value": draw(value)} for field, value in values.items()
        ],
        "externalUrls": [
            {"ref": ref, "url": f"https://example.com/{ref}", "label": draw(st.just("") | texts)}
            for ref in draw(st.lists(st.sampled_from(["a", "b", "c"]), unique=True))
        ],
    }


@given(stored_contacts())
def test_a_record_sent_back_whole_changes_nothing(raw: dict[str, Any]) -> None:
    record = read_contact(raw, CATALOGS)
    write = write_of(contact_input(record, *FIELDS), mode=WriteMode.REPLACE)
    made = plan(write, stored(**raw))
    assert made.problems == ()
    assert (made.outcome, made.changed) == (Outcome.UNCHANGED, ())
