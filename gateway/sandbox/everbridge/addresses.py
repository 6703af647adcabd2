"""Addresses of a contact (contract: everbridge section 4.3)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gateway.sandbox.everbridge.errors import invalid
from gateway.sandbox.everbridge.values import (
    JsonObject,
    read_country,
    read_list,
    read_long,
    read_moment,
    read_number,
    read_object,
    read_text,
    subdivision_names,
    text_up_to,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_REQUIRED = ("locationName", "streetAddress", "country")

_US_POSTAL_CODE = re.compile(r"\d{5}|\d{5}-\d{4}|\d{9}")

_COUNTRIES_WITH_STATES = ("US", "CA")


def read_addresses(value: object, switches: Mapping[str, Any]) -> list[JsonObject]:
    """The addresses of a body, in its order."""
    addresses = [_read_address(read_object(element)) for element in read_list(value)]
    names = [address["locationName"] for address in addresses]
    # ASSUMED: 400, and the location name alone makes two addresses the same; the announcement of
    # the rule speaks of name and type, but an address has no field for a type.
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None and switches["reject_duplicate_locations"]:
        raise invalid(f"Location {repeated} is used twice.")
    return addresses


def _read_address(element: JsonObject) -> JsonObject:
    given = {name: value for name, value in element.items() if value is not None}
    missing = [name for name in _REQUIRED if given.get(name) in (None, "")]
    if missing:
        raise invalid(f"An address has no {missing[0]}.")
    address = {name: read(given[name], name) for name, read in _FIELDS.items() if name in given}
    _check_state(address)
    _check_postal_code(address)
    return address


def _check_state(address: JsonObject) -> None:
    """ASSUMED: in the US and Canada a state that is neither a name nor a code gets 400."""
    country, state = address["country"], address.get("state")
    if (
        state
        and country in _COUNTRIES_WITH_STATES
        and state.casefold() not in subdivision_names(country)
    ):
        raise invalid(f"State {state} is not one of {country}.")


def _check_postal_code(address: JsonObject) -> None:
    code = address.get("postalCode")
    if code and address["country"] == "US" and not _US_POSTAL_CODE.fullmatch(code):
        raise invalid(f"Postal code {code} is not one of the US.")


def _read_position(value: object, _name: str) -> JsonObject:
    position = read_object(value)
    return {
        "lat": read_number(position.get("lat"), -90, 90, "lat"),
        "lon": read_number(position.get("lon"), -180, 180, "lon"),
    }


def _read_source(value: object, name: str) -> str:
    source = read_text(value, name)
    if source not in ("MANUAL", "AUTO"):
        raise invalid(f"{name} {source} is neither MANUAL nor AUTO.")
    return source


_FIELDS: dict[str, Callable[[object, str], object]] = {
    "locationName": text_up_to(200),
    "streetAddress": text_up_to(100),
    "suite": text_up_to(10),
    "city": text_up_to(40),
    "state": text_up_to(40),
    "postalCode": text_up_to(10),
    "country": read_country,
    "gisLocation": _read_position,
    "source": _read_source,
    "locationId": read_long,
    "locationSourceId": read_long,
    "assetExternalId": text_up_to(None),
    "newAssetId": text_up_to(None),
    "iata": text_up_to(None),
    "arriveDate": read_moment,
    "expireDate": read_moment,
}
"""Every documented field of an address and how it is read; other fields are dropped."""
