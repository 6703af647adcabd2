"""Contact attributes: the values that a contact holds, and the attributes' own definitions."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from gateway.sandbox.everbridge.errors import invalid, type_mismatch
from gateway.sandbox.everbridge.values import (
    JsonObject,
    read_list,
    read_long,
    read_object,
    read_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.sandbox.everbridge.store import Store

LONGEST_NAME = 40

_NUMBER = re.compile(r"-?\d+(\.\d+)?")

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def read_attribute_values(value: object, store: Store) -> list[JsonObject]:
    """The attribute values of a body as `{orgAttrId, values}`.

    ASSUMED: an element with empty `values` has no value and is not stored; of two elements for one
    attribute the later counts.
    """
    read = (_read_element(read_object(element), store) for element in read_list(value))
    by_id = {element["orgAttrId"]: element for element in read}
    return [element for element in by_id.values() if element["values"]]


def show_attribute_values(
    elements: Iterable[JsonObject], store: Store, *, numbers_as_numbers: bool
) -> list[JsonObject]:
    """Stored values as they are read: with today's name, and numbers as JSON numbers."""
    shown = []
    for element in elements:
        attribute = store.attributes[element["orgAttrId"]]
        values = element["values"]
        if attribute["dataType"] == "NUMBER" and numbers_as_numbers:
            values = [_as_number(text) for text in values]
        shown.append(
            {"orgAttrId": attribute["id"], "name": attribute["name"], "values": list(values)}
        )
    return shown


def _read_element(element: JsonObject, store: Store) -> JsonObject:
    attribute = _resolve(element, store)
    if element.get("values") is None:
        raise invalid(f"Attribute {attribute['name']} has no values.")
    values = [_as_text(value) for value in read_list(element["values"])]
    _check(attribute, values)
    return {"orgAttrId": attribute["id"], "values": values}


def _resolve(element: JsonObject, store: Store) -> JsonObject:
    """The attribute that an element names; orgAttrId beats name (section 5, rule 12)."""
    attribute_id, name = element.get("orgAttrId"), element.get("name")
    if attribute_id is not None:
        attribute = store.attributes.get(read_long(attribute_id, "orgAttrId"))
    elif name is not None:
        attribute = store.attribute_named(read_text(name, "name"))
    else:
        raise invalid("A contact attribute needs an orgAttrId or a name.")
    if attribute is None:
        raise invalid(
            f"Contact attribute {name if attribute_id is None else attribute_id} is invalid."
        )
    return attribute


def _check(attribute: JsonObject, values: list[str]) -> None:
    """ASSUMED: at most one value for L, values of L and S from the definition, formats by type.

    The text of a DATE is ASSUMED to be YYYY-MM-DD, that of a NUMBER digits with an optional fraction.
    """
    name = attribute["name"]
    if attribute["displayFormat"] == "L" and len(values) > 1:
        raise invalid(f"Attribute {name} takes one value.")
    for value in values:
        if attribute["displayFormat"] != "F" and value not in attribute["definedValues"]:
            raise invalid(f"Value {value} is not defined for attribute {name}.")
        if attribute["dataType"] == "NUMBER" and not _NUMBER.fullmatch(value):
            raise invalid(f"Value {value} of attribute {name} is not a number.")
        if attribute["dataType"] == "DATE" and not _is_date(value):
            raise invalid(f"Value {value} of attribute {name} is not a date.")


def _is_date(value: str) -> bool:
    try:
        return _DATE.fullmatch(value) is not None and bool(date.fromisoformat(value))
    except ValueError:
        return False


def _as_text(value: object) -> str:
    """Values are stored as text; numbers are taken too, because they are read as numbers."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise type_mismatch()


def _as_number(text: str) -> int | float | str:
    """A JSON number where it says the same as the text, otherwise the text (`007`)."""
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            continue
        if str(number) == text:
            return number
    return text
