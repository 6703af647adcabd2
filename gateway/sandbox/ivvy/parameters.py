"""Request parameters read by a table: the first bad one ends the call (contract: section 3.2).

A table lists the parameters in the order of the vendor's page, because the first bad one in that
order is the one reported. What is in no table is ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from gateway.sandbox.ivvy.errors import does_not_validate, is_required

if TYPE_CHECKING:
    from gateway.sandbox.ivvy.store import Row

Convert = Callable[[Any], Any]
"""Gives the value to store, or raises ValueError with the sentence for additionalMessages."""

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\d)( \d\d:\d\d:\d\d( UTC)?)?")
ADDRESS_KEYS = frozenset(
    ("line1", "line2", "line3", "line4", "city", "stateCode", "stateName", "countryCode")
) | {"postalCode"}


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One row: `null` names the switch that says what null does, or passes it through."""

    name: str
    convert: Convert
    required: Literal["never", "create", "always"] = "never"
    null: str = "null_scalar"


NULL_COUNTS = "counts"
"""Value of `Parameter.null` for parameters to which null says something."""


def read(
    params: Mapping[str, Any],
    table: tuple[Parameter, ...],
    switches: Mapping[str, Any],
    *,
    creating: bool = False,
) -> Row:
    """Give the parameters that count, converted; absent and kept ones are left out."""
    given: Row = {}
    for parameter in table:
        name = parameter.name
        needed = parameter.required == "always" or (creating and parameter.required == "create")
        if needed and params.get(name) in (None, ""):
            raise is_required(name)
        if name not in params:
            continue
        value = params[name]
        if value is None:
            _take_null(given, parameter, switches)
        elif value == "" and parameter.convert in (text, email):
            _take_empty(given, parameter, switches)
        else:
            given[name] = check(name, parameter.convert, value)
    return given


def check(name: str, convert: Convert, value: Any) -> Any:
    """Convert one value; raises 23016 naming the parameter."""
    try:
        return convert(value)
    except ValueError as error:
        raise does_not_validate(name, str(error)) from error


def _take_null(given: Row, parameter: Parameter, switches: Mapping[str, Any]) -> None:
    # ASSUMED: null on a scalar or on groups and companies counts as absent; one switch for each.
    if parameter.null == NULL_COUNTS:
        given[parameter.name] = None
        return
    rule = switches[parameter.null]
    if rule == "error":
        raise does_not_validate(parameter.name, "Value must not be null")
    if rule == "clear":
        given[parameter.name] = None


def _take_empty(given: Row, parameter: Parameter, switches: Mapping[str, Any]) -> None:
    # ASSUMED: an empty text clears, also a name or an address that only a create requires; the
    # switches text_clear and clear_required.
    if parameter.required == "create" and switches["clear_required"] == "refuse":
        raise does_not_validate(parameter.name, "Value must not be empty")
    if switches["text_clear"] == "clear":
        given[parameter.name] = ""


def whole_number(value: Any) -> int:
    """Read an integer; ASSUMED: digits as text pass, since the vendor's C# client has ids as text."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        return int(value)
    raise ValueError("Value must be a whole number")


def positive_number(value: Any) -> int:
    """Read an integer above zero."""
    number = whole_number(value)
    if number < 1:
        raise ValueError("Value must be greater than 0")
    return number


def number(value: Any) -> float:
    """Read any JSON number."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise ValueError("Value must be a number")


def text(value: Any) -> str:
    """Read a string."""
    if isinstance(value, str):
        return value
    raise ValueError("Value must be a string")


def email(value: Any) -> str:
    """Read an e-mail address."""
    if isinstance(value, str) and _EMAIL.fullmatch(value):
        return value
    raise ValueError("Value must be a valid email address")


def boolean(value: Any) -> bool:
    """Read a boolean; ASSUMED: 0 and 1 pass, as elsewhere in the vendor's API (isAgent)."""
    if isinstance(value, bool) or (isinstance(value, int) and value in (0, 1)):
        return bool(value)
    raise ValueError("Value must be a boolean")


def one_of(*choices: int) -> Convert:
    """Make a converter for a numeric enumeration."""

    def convert(value: Any) -> int:
        number = whole_number(value)
        if number not in choices:
            raise ValueError(f"Value must be one of {', '.join(map(str, choices))}")
        return number

    return convert


def listed(value: Any) -> list[Any]:
    """Read an array."""
    if isinstance(value, list):
        return value
    raise ValueError("Value must be an array")


def whole_numbers(value: Any) -> list[int]:
    """Read an array of integers, each once."""
    return list(dict.fromkeys(whole_number(item) for item in listed(value)))


def objects(value: Any) -> list[Row]:
    """Read an array of objects."""
    return [mapping(item) for item in listed(value)]


def mapping(value: Any) -> Row:
    """Read an object; PHP writes an empty one as an empty array."""
    if isinstance(value, dict):
        return value
    if value == []:
        return {}
    raise ValueError("Value must be an object")


def address(value: Any) -> Row:
    """Read an address object (contract: section 5.6)."""
    given = mapping(value)
    for key, part in given.items():
        if key not in ADDRESS_KEYS or not (part is None or isinstance(part, str)):
            raise ValueError(f"Value must be an address; '{key}' does not fit")
    return given


def timestamp(value: Any) -> str:
    """Read `yyyy-mm-dd HH:mm:ss`, with or without ` UTC`, or a date; gives it without the suffix."""
    match = _TIMESTAMP.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("Value must be a date and time (yyyy-mm-dd HH:mm:ss)")
    moment = match[0].removesuffix(" UTC") if match[2] else f"{match[0]} 00:00:00"
    try:
        datetime.strptime(moment, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        raise ValueError("Value must be an existing date and time") from None
    return moment
