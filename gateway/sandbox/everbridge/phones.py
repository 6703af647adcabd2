"""Phone numbers as Create Contact describes them: digits with an ISO country, or `+` and all."""

from __future__ import annotations

import re

import phonenumbers

from gateway.sandbox.everbridge.errors import phone_invalid
from gateway.sandbox.everbridge.values import is_country


def read_phone(value: str, country: str | None, *, validate: bool) -> tuple[str, str | None]:
    """The stored digits and ISO country of a number.

    All but digits is stripped; a leading `+` says that the dialling code is part of the number, so
    that no country is needed. A number without both is refused, and so is a dialling code in the
    place of the country. With `validate` false (the path's skipValidation) what cannot be read is
    stored as it came, stripped.
    """
    digits = re.sub(r"\D", "", value)
    if value.lstrip().startswith("+"):
        return _from_international(digits, country, validate=validate)
    if validate and (country is None or not is_country(country) or not digits):
        raise phone_invalid()
    if validate and country is not None and not _fits(digits, country):
        raise phone_invalid()
    return digits, country


def _from_international(
    digits: str, country: str | None, *, validate: bool
) -> tuple[str, str | None]:
    """ASSUMED: stored as national digits with the country that the dialling code gives.

    A number of no country (+800 …) is stored with its `+`, so that what is read can be written.
    """
    try:
        number = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        if validate:
            raise phone_invalid() from None
        return digits, country
    if validate and not phonenumbers.is_possible_number(number):
        raise phone_invalid()
    # A number of a test range belongs to no region, but its dialling code to a country.
    region = phonenumbers.region_code_for_number(number)
    if region is None and number.country_code is not None:
        region = phonenumbers.region_code_for_country_code(number.country_code)
    if region == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY:
        return f"+{digits}", None
    return phonenumbers.national_significant_number(number), region


def _fits(digits: str, country: str) -> bool:
    """Whether the length fits the country's numbering plan.

    ASSUMED: possible, not assigned, because ranges kept free for tests and drama are in use here;
    a country that the library does not know is not checked.
    """
    if country not in phonenumbers.SUPPORTED_REGIONS:
        return True
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(digits, country))
    except phonenumbers.NumberParseException:
        return False
