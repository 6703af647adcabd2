"""The one address of a SendGrid contact, and its country, which stands for the contact's own too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gateway.model import Backend
from gateway.record_values import shown_text
from gateway.results import Problem, ProblemCode
from gateway.values import country_meant
from gateway.write import input_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from strawberry import Maybe

    from gateway.fields import Laid
    from gateway.model import AddressInput
    from gateway.write import ContactWrite


@dataclass(frozen=True, kw_only=True)
class Part:
    """Where one part of an address goes."""

    name: str
    """The attribute of the input's address."""
    at: str
    """SendGrid's key."""
    max_length: int | None = None


PARTS = (
    Part(name="line1", at="address_line_1", max_length=100),
    Part(name="line2", at="address_line_2", max_length=100),
    Part(name="city", at="city", max_length=60),
    Part(name="region", at="state_province_region", max_length=50),
    Part(name="postal_code", at="postal_code"),
    Part(name="country_code", at="country", max_length=50),
)
WITHOUT_PLACE = ("location_name", "latitude", "longitude")
"""Parts of an address that SendGrid does not hold."""


def lay_address(
    write: ContactWrite, stored: Mapping[str, Any] | None, laid: Laid, *, new: bool
) -> None:
    """Lay the first address and the country into `laid`.

    `stored` is None where nothing is known to compare with; for a `new` contact nothing is cleared.
    """
    wish = write.get("addresses")
    country = write.get("country_code")
    if wish is None:
        _lay(country, "country", "country_code", stored, laid, new=new)
        return
    if not wish.value:
        for part in PARTS:
            if part.at == "country" and country is not None and country.value is not None:
                _lay(country, "country", "country_code", stored, laid, new=new)
            else:
                _lay_text("", part.at, "addresses", stored, laid, new=new)
        return
    address: AddressInput = wish.value[0]
    laid.problems += address_too_long(write)
    for part in PARTS:
        _lay_part(part, address, stored, laid, new=new)
    _ignore_what_has_no_place(write, address, len(wish.value), laid)


def address_too_long(write: ContactWrite) -> list[Problem]:
    """A problem for each part of the first address that is longer than SendGrid keeps."""
    wish = write.given("addresses")
    if wish is None or not wish.value:
        return []
    address: AddressInput = wish.value[0]
    texts = [(part, _text_of(part, getattr(address, part.name))) for part in PARTS]
    return [
        _too_long(write, part, text)
        for part, text in texts
        if part.max_length is not None and len(text) > part.max_length
    ]


def _lay_part(
    part: Part,
    address: AddressInput,
    stored: Mapping[str, Any] | None,
    laid: Laid,
    *,
    new: bool,
) -> None:
    given = getattr(address, part.name)
    if given is None:
        return
    _lay_text(_text_of(part, given), part.at, "addresses", stored, laid, new=new)


def _lay(
    wish: Maybe[str | None],
    at: str,
    name: str,
    stored: Mapping[str, Any] | None,
    laid: Laid,
    *,
    new: bool,
) -> None:
    if wish is not None:
        _lay_text(_code(wish), at, name, stored, laid, new=new)


def _text_of(part: Part, given: Maybe[str | None]) -> str:
    """A part of an address as it is sent."""
    if part.name == "country_code":
        return _code(given)
    return (given.value or "") if given else ""


def _code(given: Maybe[str | None]) -> str:
    """A country's code in upper case; empty where none is given."""
    return (given.value or "").strip().upper() if given else ""


def held_country(stored: Mapping[str, Any]) -> str | None:
    """A stored country by its code; SendGrid keeps any text, and other programs send names.

    What names no country is given as it is held.
    """
    held = shown_text(stored.get("country"))
    return held and (country_meant(held) or held)


def _holds(stored: Mapping[str, Any], at: str, text: str) -> bool:
    """Whether a contact has this text, or the same country in other words."""
    held = held_country(stored) if at == "country" else stored.get(at)
    return (held or "") == text


def _lay_text(
    text: str, at: str, name: str, stored: Mapping[str, Any] | None, laid: Laid, *, new: bool
) -> None:
    """Send a text where it differs from the stored one; an empty text clears."""
    if (new and not text) or (stored is not None and _holds(stored, at, text)):
        return
    laid.values[at] = text
    label = input_name(name)
    if label not in laid.changed:
        laid.changed.append(label)


def _ignore_what_has_no_place(
    write: ContactWrite, address: AddressInput, count: int, laid: Laid
) -> None:
    laid.ignored += [
        f"addresses.0.{input_name(name)}"
        for name in WITHOUT_PLACE
        if getattr(address, name) is not None
    ]
    laid.ignored += [f"addresses.{place}" for place in range(1, count)]
    country = write.given("country_code")
    brought = _code(address.country_code)
    if country is None:
        return
    if not brought or _code(country) != brought:
        laid.ignored.append("countryCode")
    elif "country" in laid.values:
        laid.changed.append("countryCode")


def _too_long(write: ContactWrite, part: Part, text: str) -> Problem:
    return Problem(
        backend=Backend.SENDGRID,
        code=ProblemCode.TOO_LONG,
        message=(
            f"{input_name(part.name)} has {len(text)} characters, and SendGrid keeps at most "
            f"{part.max_length}: shorten {text!r}."
        ),
        field=write.field_path("addresses", 0, part.name),
    )
