"""Which updates wait for a create that may be sent again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from strawberry import Some

from gateway.backends.adapter import Stored
from gateway.backends.ivvy.made_just_now import create_to_wait_for
from gateway.model import ContactInput
from tests.backends.ivvy.writing import write_of

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ADA = {"firstName": "Ada", "lastName": "Byron", "modifiedDate": "2026-03-01 11:55:00 UTC"}


def _waits_for(stored: dict[str, Any] | None = None, **fields: Any) -> str | None:
    given = {name: Some(value) for name, value in fields.items()}
    row = ADA | (stored or {})
    held = Stored(id="1", external_id=None, email="Ada@example.com", raw=row, read_at=0.0)
    return create_to_wait_for(write_of(ContactInput(**given)), held, NOW)


@pytest.mark.parametrize(
    "fields",
    [{"first_name": "Augusta"}, {"last_name": None}, {"email": "a@example.com"}, {"email": None}],
)
def test_what_a_create_finds_its_contact_by_is_not_changed_beside_it(fields: Any) -> None:
    assert _waits_for(**fields) == "ada@example.com"


@pytest.mark.parametrize(
    "fields", [{}, {"phone": None}, {"first_name": "Ada", "email": "ada@example.com"}]
)
def test_other_updates_wait_for_none(fields: Any) -> None:
    assert _waits_for(**fields) is None


@pytest.mark.parametrize("changed_at", ["2026-03-01 11:49:00 UTC", "2020-01-01 00:00:00"])
def test_a_contact_of_old_is_not_being_made(changed_at: str) -> None:
    assert _waits_for({"modifiedDate": changed_at}, last_name="Lovelace") is None


@pytest.mark.parametrize("changed_at", [None, "just now", "2026-03-01 12:04:00"])
def test_a_contact_whose_age_is_not_told_may_be(changed_at: str | None) -> None:
    assert _waits_for({"modifiedDate": changed_at}, last_name="Lovelace") == "ada@example.com"


def test_a_contact_without_an_address_cannot_be_found_by_a_create() -> None:
    held = Stored(id="1", external_id=None, email=None, raw=ADA, read_at=0.0)
    assert create_to_wait_for(write_of(ContactInput(last_name=Some("Lovelace"))), held, NOW) is None
