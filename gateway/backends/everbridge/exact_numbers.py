"""Values of NUMBER attributes with all their digits.

They are read as JSON numbers, and what a float cannot hold of one would be lost with the next PUT,
which says them again. Pure.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KEY = "contactAttributes"


def with_exact_numbers(
    contacts: Sequence[Mapping[str, Any]], text: str
) -> Sequence[Mapping[str, Any]]:
    """The contacts of an answer, whose `text` has the digits; numbers that lack some become text."""
    if not any(map(_has_float, contacts)):
        return contacts  # as in most answers: whole numbers of a usual length keep their digits
    body = json.loads(text, parse_float=Decimal)
    page = body.get("page")
    exact = page["data"] if page else [body.get("result", body)]
    return [_exact(read, written) for read, written in zip(contacts, exact, strict=True)]


def _has_float(contact: Mapping[str, Any]) -> bool:
    for row in contact.get(KEY) or ():
        values = row.get("values")
        if isinstance(values, list) and any(type(value) is float for value in values):
            return True
    return False


def _exact(contact: Mapping[str, Any], written: Mapping[str, Any]) -> Mapping[str, Any]:
    if not _has_float(contact):
        return contact
    pairs = zip(contact[KEY], written[KEY], strict=True)
    return {**contact, KEY: [_exact_values(*pair) for pair in pairs]}


def _exact_values(row: Mapping[str, Any], written: Mapping[str, Any]) -> Mapping[str, Any]:
    values = row.get("values")
    if not isinstance(values, list):
        return row
    pairs = zip(values, written["values"], strict=True)
    return {**row, "values": [_as_written(*pair) for pair in pairs]}


def _as_written(value: Any, written: Any) -> Any:
    if type(value) is not float or Decimal(repr(value)) == written:
        return value
    return format(Decimal(written), "f")
