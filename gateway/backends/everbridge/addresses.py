"""Addresses: `addresses` laid over the stored ones, each found by its location name."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING, Any

import pycountry

from gateway.backends.everbridge.organization import Part, meaning, problem
from gateway.results import ProblemCode
from gateway.values import read_country
from gateway.write import input_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from strawberry import Maybe

    from gateway.model import AddressInput
    from gateway.results import Problem
    from gateway.write import ContactWrite

LONGEST_SUITE = 10
LIMITS = {
    "location_name": ("locationName", 200),
    "line1": ("streetAddress", 100),
    "city": ("city", 40),
    "region": ("state", 40),
    "postal_code": ("postalCode", 10),
}
"""Input part, Everbridge's key, and the characters that it keeps (contract: section 4.3)."""

_US_POSTAL_CODE = re.compile(r"\d{5}(-?\d{4})?")
_WITH_STATES = ("US", "CA")


def laid_addresses(write: ContactWrite, stored: Sequence[dict[str, Any]], *, new: bool) -> Part:
    """The contact's addresses as a write that speaks of them wants them, in the input's order.

    What the input leaves out of an address stays as it is stored, coordinates above all.
    """
    part = Part(rows=list(stored))
    given = list(write.items("addresses"))
    names = _names(given, stored)
    rows = []
    for place, (address, name) in enumerate(zip(given, names, strict=True)):
        if name in names[:place]:
            part.wrong(
                write.field_path("addresses", place, "location_name"),
                f"Two addresses are called {name!r}: Everbridge finds an address by its location "
                "name, so give each its own.",
            )
            continue
        before = next((row for row in stored if row.get("locationName") == name), {})
        row = _laid(write, place, address, name, before, part)
        _check(write, place, address, row, part)
        rows.append(row)
    part.rows = rows
    if meaning(rows) != meaning(list(stored)) or (new and given):
        part.changed.append("addresses")
    return part


def check_addresses(write: ContactWrite) -> list[Problem]:
    """What Everbridge would refuse of the addresses whatever it holds: judged by themselves."""
    given = write.items("addresses")
    if not given:
        return []
    part = Part(rows=[])
    for place, address in enumerate(given):
        name = _called(address, place)
        _check(write, place, address, _given_parts(address, {"locationName": name}), part)
    return part.problems


def joined_lines(write: ContactWrite) -> list[Problem]:
    """A warning for each second line that is kept in the street: nothing can tell them apart later."""
    warnings: list[Problem] = []
    for place, address in enumerate(write.items("addresses")):
        line2 = _text(address, "line2")
        if line2 is not None and len(line2) > LONGEST_SUITE:
            path = write.field_path("addresses", place, "line2")
            warnings.append(
                problem(
                    path,
                    f"line2 has {len(line2)} characters, and Everbridge's suite keeps at most "
                    f"{LONGEST_SUITE}: it is joined to the street. To change or clear it later, "
                    "give line1 and line2 together.",
                    ProblemCode.TOO_LONG,
                )
            )
    return warnings


def _called(address: AddressInput, place: int) -> str:
    """What messages call an address: never by a stored name, for who writes may not read."""
    return _text(address, "location_name") or f"number {place + 1}"


def _names(given: Sequence[AddressInput], stored: Sequence[dict[str, Any]]) -> list[str]:
    """Each address's location name.

    As given, else that of the stored address in the same place, else "Primary", "Address 2", …; a
    name that another address claims is not taken.
    """
    claimed = {name for address in given if (name := _text(address, "location_name"))}
    names: list[str] = []
    for place, address in enumerate(given):
        name = _text(address, "location_name")
        held = stored[place].get("locationName") if place < len(stored) else None
        numbers = range(place + 2, place + 3 + len(given) + len(claimed))
        spare = ["Primary" if place == 0 else f"Address {place + 1}"]
        spare += [f"Address {number}" for number in numbers]
        free = (
            option
            for option in ([held] if held else []) + spare
            if option not in claimed and option not in names
        )
        names.append(name or next(free))
    return names


def _laid(
    write: ContactWrite,
    place: int,
    address: AddressInput,
    name: str,
    stored: dict[str, Any],
    part: Part,
) -> dict[str, Any]:
    """One address laid over the stored one."""
    row = _given_parts(address, {**stored, "locationName": name})
    _set_position(row, address)
    for key, needed in (("streetAddress", "line1"), ("country", "country_code")):
        if not (row.get(key) or write.is_wrong("addresses", place, needed)):
            part.wrong(
                write.field_path("addresses", place, needed),
                f"The address {_called(address, place)!r} needs {input_name(needed)}: Everbridge keeps no address "
                "without it.",
                ProblemCode.REQUIRED,
            )
    return row


def _given_parts(address: AddressInput, stored: dict[str, Any]) -> dict[str, Any]:
    """The address with the texts that are given."""
    row = dict(stored)
    for part_name, (key, _) in LIMITS.items():
        if part_name != "location_name" and getattr(address, part_name) is not None:
            _set(row, key, _text(address, part_name))
    if address.country_code is not None:
        _set(row, "country", _country(address))
    _set_line2(row, address)
    return row


def _set_line2(row: dict[str, Any], address: AddressInput) -> None:
    """line2 is the suite; one that is too long for it is joined to the street."""
    if address.line2 is None:
        return
    line2 = _text(address, "line2")
    if line2 is None or len(line2) <= LONGEST_SUITE:
        _set(row, "suite", line2)
        return
    _set(row, "suite", None)
    street = row.get("streetAddress")
    # A street that was not given may have been joined before: the call must be repeatable.
    joined = address.line1 is None and str(street or "").endswith(f", {line2}")
    if street and not joined:
        row["streetAddress"] = f"{street}, {line2}"


def _set_position(row: dict[str, Any], address: AddressInput) -> None:
    """Coordinates; the checks of the input see to it that both or none are given."""
    if address.latitude is None or address.longitude is None:
        return
    latitude, longitude = address.latitude.value, address.longitude.value
    if latitude is None or longitude is None:
        row.pop("gisLocation", None)
    else:
        row["gisLocation"] = {**(row.get("gisLocation") or {}), "lat": latitude, "lon": longitude}


def _check(
    write: ContactWrite, place: int, address: AddressInput, row: dict[str, Any], part: Part
) -> None:
    """What Everbridge would refuse of the given parts; stored ones are not quoted."""
    name = _called(address, place)
    for part_name, (key, limit) in LIMITS.items():
        given = getattr(address, part_name) is not None
        joined = key == "streetAddress" and address.line2 is not None
        text = str(row.get(key) or "")
        if (given or joined) and len(text) > limit:
            part.wrong(
                write.field_path("addresses", place, part_name),
                f"{input_name(part_name)} of the address {name!r} has {len(text)} characters, and "
                f"Everbridge keeps at most {limit}: shorten {repr(text) if given else 'line2'}.",
                ProblemCode.TOO_LONG,
            )
    code, country = row.get("postalCode"), row.get("country")
    concerned = address.postal_code is not None or address.country_code is not None
    if concerned and code and country == "US" and not _US_POSTAL_CODE.fullmatch(code):
        part.wrong(
            write.field_path("addresses", place, "postal_code"),
            f"{_quoted(address.postal_code, code)} is no postal code of the US: give 5 digits, 5-4 "
            "or 9 digits.",
        )
    state = row.get("state")
    concerned = address.region is not None or address.country_code is not None
    if concerned and state and country in _WITH_STATES and _plain(state) not in _states(country):
        part.wrong(
            write.field_path("addresses", place, "region"),
            f"{_quoted(address.region, state)} is no state or province of {country}: give its full "
            "name or its two letters.",
        )


def _quoted(given: Maybe[str | None], text: str) -> str:
    return repr(text) if given is not None else "What the stored address has"


def _country(address: AddressInput) -> str | None:
    """The country's code; one that is none, which is told already, as it is given."""
    text = _text(address, "country_code")
    try:
        return read_country(text) if text else None
    except ValueError:
        return text


def _set(row: dict[str, Any], key: str, value: str | None) -> None:
    if value is None:
        row.pop(key, None)
    else:
        row[key] = value


def _text(address: AddressInput, name: str) -> str | None:
    """A part's text; None where it is absent, null or blank."""
    given = getattr(address, name)
    text = given.value.strip() if given is not None and given.value is not None else ""
    return text or None


@cache
def _states(country: str) -> frozenset[str]:
    """Names and letters of a country's states or provinces, as `_plain` gives them."""
    states = [state for state in pycountry.subdivisions if state.country_code == country]
    names = {_plain(state.name) for state in states}
    return frozenset(names | {_plain(state.code.partition("-")[2]) for state in states})


def _plain(text: str) -> str:
    """Text without accents and capitals: Quebec is Québec."""
    split = unicodedata.normalize("NFKD", text.strip())
    return "".join(char for char in split if not unicodedata.combining(char)).casefold()
