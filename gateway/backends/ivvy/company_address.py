"""A company's postal address in iVvy's words (iVvy: "Address Format")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pycountry

from gateway.values import read_country
from gateway.write import input_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.fields import Laid
    from gateway.lead_write import CompanyWrite
    from gateway.model import AddressInput

PARTS = {
    "line1": "line1",
    "line2": "line2",
    "city": "city",
    "postal_code": "postalCode",
    "country_code": "countryCode",
}
"""Our parts by iVvy's; the region stands under one of two keys."""
CODE, NAME = "stateCode", "stateName"
HELD = frozenset(PARTS.values()) | {"line3", "line4", CODE, NAME}
"""All parts of an address; others that an answer may show are not sent back."""
NOWHERE = ("location_name", "latitude", "longitude")
"""Parts that iVvy has no place for."""


def lay_address(
    laid: Laid, write: CompanyWrite, raw: Mapping[str, Any] | None, text_clear: str | None
) -> None:
    """Add the address to `laid` where it changes; parts that are not given keep what is stored.

    It is sent whole. ASSUMED neither way: whether iVvy replaces a sent address or merges it, the
    parts that stay are in it, and parts that go are sent empty.
    """
    wish = write.get("address")
    if wish is None or "address" in write.invalid:
        return
    stored = _stored(raw)
    wanted: dict[str, str] = {}
    if wish.value is not None:
        laid.ignored += _without_place(wish.value)
        wanted = _laid_over(stored, wish.value)
    if wanted == stored:
        return
    gone = {key: text_clear for key in stored if key not in wanted}
    laid.values["address"] = {**wanted, **gone}
    laid.changed.append("address")


def _stored(raw: Mapping[str, Any] | None) -> dict[str, str]:
    """The parts that have a value, as text."""
    held = raw.get("address") if raw else None
    if not isinstance(held, dict):
        return {}  # PHP writes an empty object as []
    return {key: str(value) for key, value in held.items() if key in HELD and value}


def _laid_over(stored: Mapping[str, str], address: AddressInput) -> dict[str, str]:
    """The stored address with the given parts laid over it, empty parts left out."""
    parts: dict[str, str | None] = dict(stored)
    for name, key in PARTS.items():
        given = getattr(address, name)
        if given is not None:
            value = given.value
            parts[key] = read_country(value) if value and name == "country_code" else value
    if address.region is not None:
        parts |= _region(address.region.value, parts)
    return {key: value for key, value in parts.items() if value}


def _region(region: str | None, parts: Mapping[str, str | None]) -> dict[str, str | None]:
    """The region under the key that it belongs to; the stored spelling stays where it is the same."""
    for key in (CODE, NAME):
        if region and region.casefold() == (parts.get(key) or "").casefold():
            return {}
    country = parts.get("countryCode")
    if region and country and _is_code(f"{country}-{region}".upper()):
        return {CODE: region.upper(), NAME: None}
    return {CODE: None, NAME: region}


def _is_code(text: str) -> bool:
    """Whether it is an ISO 3166-2 code, such as AU-NSW."""
    known: object = pycountry.subdivisions.get(code=text)  # type: ignore[no-untyped-call]  # untyped there
    return known is not None


def _without_place(address: AddressInput) -> list[str]:
    return [f"address.{input_name(name)}" for name in NOWHERE if getattr(address, name) is not None]
