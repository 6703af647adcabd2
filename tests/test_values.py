"""Plain values read from text: what is taken, what is refused, and that nothing breaks the reading."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import email_validator
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.values import (
    Phone,
    as_instant,
    country_meant,
    folded_email,
    read_boolean,
    read_country,
    read_date,
    read_email,
    read_number,
    read_phone,
    read_timezone,
)

if TYPE_CHECKING:
    from collections.abc import Callable

ADA = Phone(e164="+447700900123", national="7700900123", country="GB")


@pytest.mark.parametrize(
    ("text", "country", "phone"),
    [
        ("+44 7700 900123", None, ADA),
        ("07700 900123", "GB", ADA),
        ("+44 (0)7700 900123", None, ADA),
        ("+44 7700 900123", "DE", ADA),
        ("030 23125 123", "DE", Phone(e164="+493023125123", national="3023125123", country="DE")),
        ("+800 1234 5678", None, Phone(e164="+80012345678", national="12345678", country="001")),
    ],
)
def test_a_phone_number_is_read_in_any_notation(
    text: str, country: str | None, phone: Phone
) -> None:
    assert read_phone(text, country) == phone


@pytest.mark.parametrize(
    ("text", "country", "says"),
    [
        ("07700 900123", None, "phoneCountryCode"),
        ("no number", "GB", "is not a phone number"),
        ("no number", None, "is not a phone number"),
        ("+999 123", None, "is not a phone number"),
        ("+44 123", None, "length of a phone number"),
        ("123", "GB", "of GB"),
        ("+1 202 555 0123 ext. 7", None, "extension"),
    ],
)
def test_a_phone_number_that_cannot_be_read_says_what_would_work(
    text: str, country: str | None, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        read_phone(text, country)


def test_an_email_among_a_thousand_spaces_is_not_remembered_but_refused() -> None:
    known = read_email.cache_info().currsize
    with pytest.raises(ValueError, match="1,017 characters"):
        read_email(" " * 1_002 + "ada@example.com")
    assert read_email.cache_info().currsize == known
    assert read_email("  ada@example.com ") == "ada@example.com"


def test_an_email_keeps_its_mailbox_and_lowers_its_domain() -> None:
    assert read_email(" Ada.Byron@EXAMPLE.com ") == "Ada.Byron@example.com"
    assert folded_email(" Ada@Example.com ") == folded_email("ada@example.COM")
    with pytest.raises(ValueError, match="is not an e-mail address"):
        read_email("ada@")


def test_an_email_of_the_domain_for_tests_can_be_tried_out_with() -> None:
    assert read_email("ada@Example.test") == "ada@example.test"
    for wrong in ("ada@test", "ada@example.invalid"):
        with pytest.raises(ValueError, match="is not an e-mail address"):
            read_email(wrong)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("a@XN--BCHER-KVA.example", "a@xn--bcher-kva.example"),
        ("a@BÜCHER.example", "a@bücher.example"),
        ("ä@xn--bcher-kva.example", "ä@xn--bcher-kva.example"),
        ("a@bücher.xn--fa-hia", "a@bücher.faß"),
    ],
)
def test_the_domain_of_an_email_keeps_its_form(text: str, read: str) -> None:
    assert read_email(text) == read


MAILBOXES = st.one_of(
    st.sampled_from(
        ["ada", "Post.Master", "POSTMASTER", "a..b", ".a", "a.", '"a b"', "ä", "a" * 65]
    ),
    st.text(st.sampled_from("aZ09.!#$%&'*+-/=?^_`{|}~ @\"é"), min_size=1, max_size=12),
)
DOMAINS = st.one_of(
    st.sampled_from(
        ["Example.COM", "xn--bcher-kva.example", "a.b", "localhost", "x.test", "[1.2.3.4]"]
    ),
    st.sampled_from([f"{'a' * 60}." * count + "de" for count in (1, 3, 4, 5)]),
    st.text(st.sampled_from("aZ0-.ü_"), min_size=1, max_size=12),
)


@given(mailbox=MAILBOXES, domain=DOMAINS, around=st.sampled_from(["", " ", "\u00a0"]))
def test_the_short_way_of_reading_an_email_says_what_the_library_says(
    mailbox: str, domain: str, around: str
) -> None:
    text = f"{around}{mailbox}@{domain}{around}"
    try:
        expected = email_validator.validate_email(text.strip(), check_deliverability=False)
    except email_validator.EmailNotValidError as error:
        with pytest.raises(ValueError, match=re.escape(str(error))):
            read_email(text)
    else:
        # An address in ASCII letters keeps them; the library reads them as others.
        form = expected.ascii_domain if domain.isascii() else expected.domain
        assert read_email(text) == f"{expected.local_part}@{form}"
        assert read_email(text) == expected.normalized or "xn--" in domain.lower()


@pytest.mark.parametrize(("text", "code"), [("de", "DE"), (" GB ", "GB")])
def test_a_country_is_its_two_letters(text: str, code: str) -> None:
    assert read_country(text) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (" Germany ", "DE"),
        ("DEU", "DE"),
        ("de", "DE"),
        ("Bolivia", "BO"),
        ("Czech Republic", "CZ"),
        ("Deutschland", None),
        ("", None),
    ],
)
def test_a_country_is_known_by_its_english_names(text: str, code: str | None) -> None:
    assert country_meant(text) == code


@pytest.mark.parametrize(
    ("text", "hint"),
    [("DEU", "which is DE"), ("Germany", "which is DE"), ("XX", "such as DE"), ("ß", "such as")],
)
def test_another_word_for_a_country_is_refused_with_a_hint(text: str, hint: str) -> None:
    with pytest.raises(ValueError, match=hint):
        read_country(text)


def test_a_time_zone_is_an_iana_name() -> None:
    assert read_timezone("Europe/Berlin") == "Europe/Berlin"
    with pytest.raises(ValueError, match="Europe/Berlin"):
        read_timezone("Berlin")


@pytest.mark.parametrize(
    ("text", "number"), [("12", 12), ("-0.5", -0.5), ("1e3", 1000.0), (str(2**63), 2**63)]
)
def test_a_number_is_read_in_json_notation(text: str, number: float) -> None:
    assert read_number(text) == number


@pytest.mark.parametrize("text", ["", "twelve", "true", "null", '"1"', "1,5", "NaN", "1e400"])
def test_what_json_would_not_call_a_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a number"):
        read_number(text)


@pytest.mark.parametrize(
    "text",
    [
        *("-123456789012345678901234567890", "12345678901234567.5", "0.12345678901234567891"),
        *("123456789012345678.0", "1e-400", "-90071992547409931e3"),
        *("1e-99999999999999999999", "0e99999999999999999999"),
    ],
)
def test_a_number_whose_last_digits_would_be_lost_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="digits"):
        read_number(text)


@pytest.mark.parametrize("text", ["0.10", "-0.0", "1.5E+3", "1e22", "123456789012.345", " 0.1 "])
def test_a_number_of_fewer_digits_keeps_them(text: str) -> None:
    assert Decimal(repr(read_number(text))) == Decimal(text)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_that_a_backend_may_show_is_read(number: float) -> None:
    assert read_number(orjson.dumps(number).decode()) == number


@given(st.integers(min_value=-(2**63), max_value=2**64 - 1))
def test_every_whole_number_is_read_to_the_last_digit(number: int) -> None:
    assert read_number(str(number)) == number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-01-31", date(2026, 1, 31)),
        ("2026-01-31T09:30:00Z", datetime(2026, 1, 31, 9, 30, tzinfo=UTC)),
        ("2026-01-31T09:30:00+02:00", datetime(2026, 1, 31, 7, 30, tzinfo=UTC)),
        ("2026-01-31T09:30:00", datetime(2026, 1, 31, 9, 30, tzinfo=UTC)),
    ],
)
def test_a_date_is_read_as_a_day_or_as_an_instant_in_utc(text: str, value: date) -> None:
    assert read_date(text) == value


@pytest.mark.parametrize("text", ["", "31.01.2026", "2026-02-30", "0001-01-01T00:00:00+23:59"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a date"):
        read_date(text)


def test_a_day_means_its_midnight_in_utc() -> None:
    noon = datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert as_instant(date(2026, 1, 31)) == datetime(2026, 1, 31, tzinfo=UTC)
    assert as_instant(noon) is noon


def test_a_boolean_is_true_or_false_in_so_many_letters() -> None:
    assert read_boolean("true")
    assert not read_boolean("false")
    with pytest.raises(ValueError, match="neither true nor false"):
        read_boolean("True")


READERS: list[Callable[[str], Any]] = [
    lambda text: read_phone(text, None),
    lambda text: read_phone(text, "GB"),
    read_email,
    read_country,
    read_timezone,
    read_number,
    read_date,
    read_boolean,
]


@pytest.mark.parametrize("reader", READERS)
@given(text=st.text() | st.from_regex(r"[-+0-9T:.eE W]{1,30}", fullmatch=True))
def test_whatever_is_given_is_read_or_refused_with_a_sentence(
    reader: Callable[[str], Any], text: str
) -> None:
    try:
        reader(text)
    except ValueError as error:
        assert str(error).endswith((".", "!"))  # noqa: PT017 - either end is right
