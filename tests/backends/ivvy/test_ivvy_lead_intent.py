"""What an unanswered lead is recognised by."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.backends.ivvy.lead_intent import created_at, fits
from tests.backends.ivvy.lead_writing import NEW, STORED_LEAD, lead, plan, write_of

EVE = {"email": "Eve@Example.com", "first_name": "Eve", "last_name": "Moore"}


def test_the_intent_of_a_contacts_lead_names_the_contact() -> None:
    made = plan(write_of(lead(**NEW, contact={"external_id": "E-1001"})))
    assert made.intent == {"name": "Offsite", "typeId": 11, "sourceId": 31, "contactId": "40001"}


def test_the_intent_of_new_parties_names_them_as_a_list_shows_them() -> None:
    made = plan(
        write_of(lead(**NEW, contact=EVE, company={"name": " Firm "})), contact=None, company=None
    )
    assert made.intent["contactEmail"] == "eve@example.com"
    assert made.intent["companyName"] == "firm"
    assert "contactId" not in made.intent


def test_a_stored_lead_needs_no_intent() -> None:
    assert plan(write_of(lead(name="X")), STORED_LEAD).intent == {}


SHOWN: dict[str, Any] = {
    "name": "Offsite",
    "typeId": "11",
    "sourceId": 31,
    "contact": {"id": 40077, "email": "EVE@example.com"},
    "company": {"id": 7300, "businessName": "FIRM"},
}
INTENT = {
    "name": "Offsite", "typeId": 11, "sourceId": 31, "contactEmail": "eve@example.com",
    "companyName": "firm",
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "fit"),
    [
        ({}, True),
        ({"stageId": 99}, True),
        ({"name": "offsite"}, False),
        ({"typeId": 12}, False),
        ({"sourceId": None}, False),
        ({"contact": {"id": 1, "email": "other@example.com"}}, False),
        ({"contact": None}, False),
        ({"company": None}, False),
        ({"company": {"id": 7300, "businessName": "Other"}}, False),
    ],
)
def test_a_lead_fits_when_all_that_was_meant_is_shown(change: dict[str, Any], fit: bool) -> None:
    assert fits(SHOWN | change, INTENT) is fit


def test_a_companys_lead_is_not_the_one_where_none_was_meant() -> None:
    intent = {"name": "Offsite", "typeId": 11, "sourceId": 31, "contactId": "40077"}
    assert fits(SHOWN | {"company": None}, intent)
    assert not fits(SHOWN, intent)


def test_a_company_is_recognised_by_its_id_alone() -> None:
    intent = {"name": "Offsite", "typeId": 11, "sourceId": 31, "companyId": "7300"}
    assert fits(SHOWN, intent)
    assert not fits(SHOWN | {"company": {"id": 7301}}, intent)
    assert not fits(SHOWN | {"company": None}, intent)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-31 09:30:00 UTC", datetime(2026, 1, 31, 9, 30, tzinfo=UTC)),
        ("2026-01-31 09:30:00", datetime(2026, 1, 31, 9, 30, tzinfo=UTC)),
        ("", None),
        (None, None),
        ("yesterday", None),
    ],
)
def test_the_time_of_a_lead_is_read_in_utc(text: str | None, instant: datetime | None) -> None:
    assert created_at({"createdDate": text}) == instant
