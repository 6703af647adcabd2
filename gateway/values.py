"""Plain values read from text: e-mail addresses, phone numbers, countries, time zones, dates.

Each `read_*` gives the normalised value or raises `ValueError` with a sentence that says what is
wrong and what would work. Nothing here asks a network: e-mail domains are not looked up.
"""

from __future__ import annotations

import re
import zoneinfo
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache, lru_cache

import email_validator
import orjson
import phonenumbers
import pycountry
from email_validator.rfc_constants import CASE_INSENSITIVE_MAILBOX_NAMES

# The library refuses the domain that is reserved for tests (RFC 2606), and names this list as the
# place to allow it. Whoever tries a gateway out has such addresses.
email_validator.SPECIAL_USE_DOMAIN_NAMES.remove("test")


@dataclass(frozen=True, kw_only=True, slots=True)
class Phone:
    """A phone number that was understood."""

    e164: str
    """Plus sign, country calling code and digits."""
    national: str
    """The digits behind the country calling code, with leading zeros that belong to them."""
    country: str
    """ISO 3166-1 alpha-2; `001` for numbers of no country."""


@lru_cache(maxsize=4096)
def read_phone(text: str, country: str | None) -> Phone:
    """A phone number in any common notation; `country` reads a national one."""
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException as error:
        if error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE and (
            not text.strip().startswith("+") and country is None
        ):
            raise ValueError(
                f"{text!r} is a national phone number and no country is known for it: give it "
                "with + and its country calling code, or give phoneCountryCode."
            ) from None
        raise ValueError(
            f"{text!r} is not a phone number: give it with + and its country calling code, such "
            "as +44 7700 900123."
        ) from None
    # Possible, not valid: the metadata lag behind newly opened ranges, and the ranges kept for
    # documentation (+44 7700 900...) are not "valid" either.
    if not phonenumbers.is_possible_number(number):
        raise ValueError(
            f"{text!r} does not have the length of a phone number"
            f"{f' of {country}' if country else ''}: give it with + and its country calling code."
        )
    if number.extension:
        raise ValueError(
            f"{text!r} has an extension, which would be lost: leave it out here, or give the "
            "number as one of paths, with its extension."
        )
    region = phonenumbers.region_code_for_number(number)
    return Phone(
        e164=phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164),
        national=phonenumbers.national_significant_number(number),
        country=region or phonenumbers.region_code_for_country_code(number.country_code or 0),
    )


PLAIN_EMAIL = re.compile(
    r"([\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*)@([A-Za-z0-9.-]+)", re.ASCII
)
"""The common form; every mailbox of its first part is right, and only its domain is to be judged."""
LONGEST_MAILBOX, LONGEST_EMAIL = 64, 254
LONGEST_READ = 1_000
"""Characters that are looked at, spaces around an address among them: it takes a while for each, and
what was read is remembered."""


@lru_cache(maxsize=4096)
def read_email(text: str) -> str:
    """An e-mail address with its domain in lower case; the mailbox keeps its case.

    A domain keeps its form, `bücher.example` or `xn--bcher-kva.example`: backends compare texts.
    """
    if len(text) > LONGEST_READ:
        raise ValueError(f"{text!r} is not an e-mail address: it has {len(text):,} characters.")
    if (plain := PLAIN_EMAIL.fullmatch(text.strip())) is not None:
        mailbox, domain = plain.groups()
        known = _plain_domain(domain) if len(plain[0]) <= LONGEST_EMAIL else None
        if (
            known is not None
            and len(mailbox) <= LONGEST_MAILBOX
            and mailbox.lower() not in CASE_INSENSITIVE_MAILBOX_NAMES
        ):
            return f"{mailbox}@{known}"
    try:
        read = email_validator.validate_email(text.strip(), check_deliverability=False)
    except email_validator.EmailNotValidError as error:
        raise ValueError(f"{text!r} is not an e-mail address: {error}") from None
    in_ascii = text.strip().rpartition("@")[2].isascii()
    return f"{read.local_part}@{read.ascii_domain if in_ascii else read.domain}"


@lru_cache(maxsize=1024)
def _plain_domain(domain: str) -> str | None:
    """A domain as it is written; None where a whole address has to be judged to say what it is.

    Most of the time that an address takes is for its domain, which thousands of contacts share.
    """
    if "xn--" in domain.lower():
        return None
    try:
        read = email_validator.validate_email(f"a@{domain}", check_deliverability=False)
    except email_validator.EmailNotValidError:
        return None
    return read.domain


def folded_email(text: str) -> str:
    """The form in which two e-mail addresses are compared."""
    return text.strip().casefold()


def same_email(one: str, other: str) -> bool:
    """Whether two e-mail addresses are the same, however they are written."""
    return one == other or folded_email(one) == folded_email(other)


def read_country(text: str) -> str:
    """An ISO 3166-1 alpha-2 code, in upper case."""
    code = text.strip().upper()
    if len(code) == 2 and text.isascii() and pycountry.countries.get(alpha_2=code) is not None:  # noqa: PLR2004
        return code
    meant = country_meant(text)
    hint = f", which is {meant}" if meant else ", such as DE"
    raise ValueError(f"{text!r} is not a country code: give ISO 3166-1 alpha-2{hint}.")


@lru_cache(maxsize=1024)
def country_meant(text: str) -> str | None:
    """The code of a country that is given by its code, its three letters or an English name of it.

    In any case of letters; None where ISO 3166-1 has no such word.
    """
    word, countries = text.strip(), pycountry.countries
    found = (
        countries.get(alpha_2=word)
        or countries.get(alpha_3=word)
        or countries.get(name=word)
        or countries.get(common_name=word)
        or countries.get(official_name=word)
    )
    return str(found.alpha_2) if found else None


@cache
def _timezones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def read_timezone(text: str) -> str:
    """An IANA time zone name."""
    if text in _timezones():
        return text
    raise ValueError(f"{text!r} is not an IANA time zone: give a name such as Europe/Berlin.")


def read_number(text: str) -> int | float:
    """A number in JSON's notation."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        value = None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{text!r} is not a number: give it as JSON would, such as 12 or -0.5.")
    if isinstance(value, float) and text.strip().lstrip("-").isdigit():
        raise ValueError(f"{text!r} has more digits than a whole number can hold: give at most 18.")
    if isinstance(value, float) and not _is_all_of(value, text.strip()):
        raise ValueError(f"{text!r} has more digits than a number can hold: give at most 15.")
    return value


def _is_all_of(value: float, text: str) -> bool:
    """Whether a number has all digits of its text."""
    try:
        return Decimal(repr(value)) == Decimal(text)
    except InvalidOperation:  # an exponent that is longer than any
        return False


def read_date(text: str) -> date | datetime:
    """An ISO 8601 date, or an instant in UTC; an instant without offset is read as UTC."""
    try:
        if len(text) == len("2026-01-31"):
            return date.fromisoformat(text)
        instant = datetime.fromisoformat(text)
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):  # a year outside 1 to 9999 once it is in UTC
        raise ValueError(
            f"{text!r} is not a date: give ISO 8601, such as 2026-01-31 or 2026-01-31T09:30:00Z."
        ) from None


def read_boolean(text: str) -> bool:
    """`true` or `false`."""
    if text in {"true", "false"}:
        return text == "true"
    raise ValueError(f"{text!r} is neither true nor false.")


def as_instant(value: date | datetime) -> datetime:
    """The instant meant by a date: its midnight in UTC."""
    if isinstance(value, datetime):
        return value
    return datetime(value.year, value.month, value.day, tzinfo=UTC)
