"""Reading single JSON values of a request; each raises EverbridgeError for what the vendor refuses."""

from __future__ import annotations

import re
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias
from zoneinfo import available_timezones

import pycountry

from gateway.sandbox.everbridge.errors import invalid, type_mismatch

if TYPE_CHECKING:
    from collections.abc import Callable

JsonObject: TypeAlias = dict[str, Any]

_DIGITS = re.compile(r"-?[0-9]{1,19}")

_LONGEST_ID = 10**16
"""Ids have at most 16 digits (contract: everbridge, section 1.1)."""


def read_object(value: object) -> JsonObject:
    """A JSON object."""
    if not isinstance(value, dict):
        raise type_mismatch()
    return value


def read_list(value: object) -> list[Any]:
    """A JSON array."""
    if not isinstance(value, list):
        raise type_mismatch()
    return value


def read_text(value: object, name: str, longest: int | None = None) -> str:
    """A string of at most `longest` characters."""
    if not isinstance(value, str):
        raise type_mismatch()
    if longest is not None and len(value) > longest:
        raise invalid(f"{name} is longer than {longest} characters.")
    return value


def text_up_to(longest: int | None) -> Callable[[object, str], str]:
    """A reader of strings of at most `longest` characters."""

    def read(value: object, name: str) -> str:
        return read_text(value, name, longest)

    return read


def read_long(value: object, name: str) -> int:
    """An id. ASSUMED: digits in a string are taken too, as the membership calls take them."""
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise type_mismatch()
    if abs(value) >= _LONGEST_ID:
        raise invalid(f"{name} has more than 16 digits.")
    return value


def read_boolean(value: object, _name: str) -> bool:
    """A boolean; the live service also took the strings `true` and `false`."""
    if value in ("true", "false"):
        return value == "true"
    if not isinstance(value, bool):
        raise type_mismatch()
    return value


def read_number(value: object, lowest: float, highest: float, name: str) -> float:
    """A number within its range."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise type_mismatch()
    if not lowest <= value <= highest:
        raise invalid(f"{name} must be between {lowest:g} and {highest:g}.")
    return value


def read_whole(value: object, lowest: int, highest: int, name: str) -> int:
    """A whole number within its range."""
    if isinstance(value, float):
        raise type_mismatch()
    return int(read_number(value, lowest, highest, name))


def read_country(value: object, name: str) -> str:
    """An ISO 3166 alpha-2 code in capitals, never a dialling code."""
    code = read_text(value, name)
    if code not in _countries():
        raise invalid(f"{name} {code} is not an ISO country code.")
    return code


def read_timezone(value: object, name: str) -> str:
    """An IANA time zone name. ASSUMED: another one is refused."""
    zone = read_text(value, name)
    if zone and zone not in _timezones():
        raise invalid(f"{name} {zone} is not a time zone.")
    return zone


def read_moment(value: object, name: str) -> str:
    """An ISO 8601 date-time, kept as written."""
    moment = read_text(value, name)
    try:
        datetime.fromisoformat(moment)
    except ValueError:
        raise type_mismatch() from None
    return moment


def is_country(code: str) -> bool:
    """Whether `code` is an ISO 3166 alpha-2 code."""
    return code in _countries()


@cache
def subdivision_names(country: str) -> frozenset[str]:
    """Names and codes, folded, of a country's states or provinces."""
    names: set[str] = set()
    for state in pycountry.subdivisions:
        if state.country_code == country:
            names |= {state.name.casefold(), state.code.partition("-")[2].casefold()}
    return frozenset(names)


@cache
def _countries() -> frozenset[str]:
    return frozenset(country.alpha_2 for country in pycountry.countries)


@cache
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones())
