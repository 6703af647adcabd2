"""How Everbridge takes phone numbers: digits and an ISO country, or `+` and everything."""

from __future__ import annotations

import pytest

from gateway.sandbox.everbridge.errors import EverbridgeError
from gateway.sandbox.everbridge.phones import read_phone


@pytest.mark.parametrize(
    ("value", "country", "stored"),
    [
        ("7700900123", "GB", ("7700900123", "GB")),
        ("(202) 555-0123", "US", ("2025550123", "US")),
        ("07700 900123", "GB", ("07700900123", "GB")),
        ("+44 7700 900123", None, ("7700900123", "GB")),
        ("+1 202 555 0123", None, ("2025550123", "US")),
        ("+49 30 23125101", "GB", ("3023125101", "DE")),
        ("+39 06 1234 5678", None, ("0612345678", "IT")),
        ("12345", "AQ", ("12345", "AQ")),
    ],
)
def test_a_number_is_stored_as_digits_with_a_country(
    value: str, country: str | None, stored: tuple[str, str]
) -> None:
    assert read_phone(value, country, validate=True) == stored


def test_a_number_of_no_country_can_be_written_as_it_was_read() -> None:
    stored = read_phone("+800 1234 5678", None, validate=True)
    assert stored == ("+80012345678", None)
    assert read_phone(*stored, validate=True) == stored


@pytest.mark.parametrize(
    ("value", "country"),
    [
        ("447700900123", None),
        ("2025550123", None),
        ("2025550123", "1"),
        ("2025550123", "us"),
        ("770", "GB"),
        ("7700900123456789", "GB"),
        ("no digits", "GB"),
        ("1", "GB"),
        ("+44 7", None),
        ("+44 77", None),
        ("+999 123456", None),
        ("+", None),
    ],
)
def test_a_number_that_does_not_fit_is_refused_with_the_known_text(
    value: str, country: str | None
) -> None:
    with pytest.raises(EverbridgeError) as refused:
        read_phone(value, country, validate=True)
    assert refused.value.status == 400
    assert refused.value.message == "Phone number format invalid for selected country."


@pytest.mark.parametrize(
    ("value", "country", "stored"),
    [
        ("77-0", None, ("770", None)),
        ("+999 123", None, ("999123", None)),
        ("+44 7", "GB", ("447", "GB")),
        ("1", "GB", ("1", "GB")),
        ("+44 7700 900123", None, ("7700900123", "GB")),
    ],
)
def test_without_validation_a_number_is_only_stripped(
    value: str, country: str | None, stored: tuple[str, str | None]
) -> None:
    assert read_phone(value, country, validate=False) == stored
