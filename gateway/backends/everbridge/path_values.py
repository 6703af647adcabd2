"""Values of delivery paths: read by the path's kind, and compared by what they mean."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gateway.fixed import fixed
from gateway.values import Phone, folded_email, read_country, read_email, read_phone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.model import PathInput
    from gateway.write import ContactWrite

PHONES = frozenset({"PHONE", "EXTPHONE", "SMS", "ONEWAYSMS", "FAX", "TTYTDD"})
EMAILS = frozenset({"EMAIL", "PLAINTEXTEMAIL"})
"""pathType by what its values are; those of pagers and apps are taken as they come."""

NO_COUNTRY = "001"
"""What `read_phone` says of numbers that belong to no country, such as +800."""


@fixed
class Value:
    """What a path is to hold."""

    text: str
    country: str | None = None
    """ISO 3166-1 alpha-2; None is no country."""
    keeps_country: bool = False
    """Whether the stored country stays instead."""
    phone: Phone | None = None
    """The number, where the text is one."""


def value_of(
    kind: str | None, path: PathInput, write: ContactWrite, stored: Mapping[str, Any] | None
) -> Value:
    """The value of a path of the input; raises ValueError with what would work."""
    text = path.value.strip()
    if stored is not None and over_again(path, write, stored, digits=kind in PHONES):
        # It may be a number that Everbridge was told not to validate.
        return Value(text=str(stored["value"]), keeps_country=True)
    if kind in EMAILS:
        return Value(text=read_email(text), keeps_country=True)
    if kind not in PHONES:
        given = path.country_code
        country = read_country(given.value) if given and given.value else None
        return Value(text=text, country=country, keeps_country=given is None)
    return of_phone(read_phone(text, _reading_country(path, write, stored)))


def unified(
    name: str, wish: Any, write: ContactWrite, stored: Mapping[str, Any] | None
) -> Value | None:
    """The unified email or phone as the value of its path; None when it is cleared.

    A phone that is given as a path without a country holds it means just that: the country that
    reads it for the others was never said of this number. `phoneCountryCode` says it.
    """
    if wish is None:
        return None
    if name != "phone":
        return Value(text=wish, keeps_country=True)
    said = write.given("phone_country_code")
    if stored is not None and is_without_country(stored, write) and not (said and said.value):
        return Value(text=str(stored["value"]), keeps_country=True)
    return of_phone(wish)


def is_without_country(row: Mapping[str, Any], write: ContactWrite) -> bool:
    """Whether a path holds the unified phone to the letter, in national notation and of no country."""
    given = write.input.phone
    text = given.value.strip() if given and given.value else ""
    held = str(row.get("value") or "").strip()
    return bool(text) and text == held and not row.get("countryCode") and text[0] != "+"


def of_phone(phone: Phone) -> Value:
    """A number as Everbridge wants it: the national digits and the ISO country.

    A number of no country is sent with + and its dialling code, which needs none.
    """
    if phone.country == NO_COUNTRY:
        return Value(text=phone.e164, phone=phone)
    return Value(text=phone.national, country=phone.country, phone=phone)


def same(row: Mapping[str, Any], value: Value) -> bool:
    """Whether a path already means this value, whatever its notation."""
    held = str(row.get("value") or "")
    if value.phone is not None:
        return _as_phone(held, row.get("countryCode")) == value.phone.e164
    if "@" in value.text:
        return held == value.text or folded_email(held) == folded_email(value.text)
    country_stays = value.keeps_country or row.get("countryCode") == value.country
    return held == value.text and country_stays


def _as_phone(text: str, country: str | None) -> str | None:
    """The stored number in E.164; None when it is not readable."""
    try:
        return read_phone(text, country).e164
    except ValueError:
        return None


def _reading_country(
    path: PathInput, write: ContactWrite, stored: Mapping[str, Any] | None
) -> str | None:
    """The country that reads a national number.

    The path's own, else the input's phoneCountryCode, else the stored path's, else the setting's.
    """
    if path.country_code is not None and path.country_code.value is not None:
        return read_country(path.country_code.value)
    given = write.given("phone_country_code")
    held = stored.get("countryCode") if stored and path.country_code is None else None
    if held and not (given and given.value):
        return str(held)
    return write.default_country


def over_again(
    path: PathInput, write: ContactWrite, stored: Mapping[str, Any], *, digits: bool = False
) -> bool:
    """Whether a path says again what is stored; `digits`: in another notation at most.

    The same digits with another country are another number.
    """
    text, held = path.value.strip(), str(stored.get("value") or "")
    given, country = path.country_code, str(stored.get("countryCode") or "").upper()
    if given is not None and (given.value or "").strip().upper() != country:
        return False
    reads = write.given("phone_country_code")
    if given is None and country and reads and reads.value and read_country(reads.value) != country:
        return False
    if not held or text == held.strip():
        return bool(held)
    return digits and not text.startswith("+") and re.sub(r"\D", "", text) == held
