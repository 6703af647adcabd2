"""Custom fields of contacts, companies and leads: values checked by type (contract: section 5.4)."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

from gateway.sandbox.ivvy.errors import RefusedError
from gateway.sandbox.ivvy.parameters import Convert, address, objects, text, timestamp, whole_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from gateway.sandbox.ivvy.store import Row, Store


class FieldType(IntEnum):
    """The vendor's numbers."""

    SMALL_TEXT = 0
    LARGE_TEXT = 1
    SINGLE_SELECT = 2
    MULTIPLE_SELECT = 3
    ADDRESS = 4
    DATE = 5
    FILE = 6
    STATIC_TEXT = 7
    WHOLE_NUMBER = 8
    LARGE_SELECT = 9


# What a field without a value reads as. Documented for text and multiple select; ASSUMED elsewhere.
EMPTY: Final[Mapping[int, Any]] = {
    FieldType.SMALL_TEXT: "",
    FieldType.LARGE_TEXT: "",
    FieldType.SINGLE_SELECT: "",
    FieldType.MULTIPLE_SELECT: [""],
    FieldType.LARGE_SELECT: "",
}
_CLEARING: Final[tuple[Any, ...]] = ("", [], [""], {})


def definitions(store: Store, table: str) -> list[Row]:
    """Give the definitions as the two definition calls answer them: a bare array, not paged."""
    return [_definition(store, row) for row in store.tables[table]]


def _definition(store: Store, row: Row) -> Row:
    required = row["id"] in store.switches["custom_fields_required"]
    return {
        "fieldId": row["id"],
        "fieldType": row["fieldType"],
        "displayName": row["displayName"],
        "isRequired": required,
        "isActive": row["isActive"],
        "sortOrder": row["sortOrder"],
        "selectValues": row["selectValues"],
        "fileTypes": row["fileTypes"],
    }


def given_values(value_key: str) -> Convert:
    """Make the converter for a `customFields` array; leads call the value `fieldValue`."""

    def convert(value: Any) -> list[tuple[int, Any]]:
        pairs = []
        for item in objects(value):
            if "fieldId" not in item or value_key not in item:
                raise ValueError(f"Each custom field needs fieldId and {value_key}")
            pairs.append((whole_number(item["fieldId"]), item[value_key]))
        return pairs

    return convert


def laid_over(
    store: Store, table: str, stored: Mapping[str, Any], given: Iterable[tuple[int, Any]]
) -> Row:
    """Give the values by field id after a write; raises RefusedError for the first bad one.

    ASSUMED: a sent list is merged by fieldId; switch `custom_fields_on_update`.
    """
    merges = store.switches["custom_fields_on_update"] == "merge"
    values = dict(stored) if merges else {}
    for field_id, value in given:
        definition = store.get(table, field_id)
        if definition is None:
            raise RefusedError(f"Custom field {field_id} does not exist")
        _set(store, definition, values, value)
    return values


def check_required(store: Store, table: str, values: Mapping[str, Any], switch: str) -> None:
    """Refuse a new record that lacks one of the mandatory fields that the switch lists.

    ASSUMED: whether isRequired holds for API writes is not stated; the lists of required fields are
    the switches `custom_fields_required` and `lead_fields_required`, empty by default.
    """
    for field in store.tables[table]:
        if field["id"] in store.switches[switch] and str(field["id"]) not in values:
            raise RefusedError(f"Custom field {field['displayName']} is required")


def shown(store: Store, table: str, values: Mapping[str, Any]) -> list[Row]:
    """Give the values as the read calls answer them.

    ASSUMED: active fields without a value are shown too, empty; switch `custom_fields_read`.
    """
    rows = []
    for field in store.tables[table]:
        has_value = str(field["id"]) in values
        listed = store.switches["custom_fields_read"] == "all" and field["isActive"]
        if has_value or (listed and field["fieldType"] != FieldType.STATIC_TEXT):
            value = values.get(str(field["id"]), EMPTY.get(field["fieldType"]))
            name = field["displayName"]
            rows.append({"fieldId": field["id"], "displayName": name, "value": value})
    return rows


def _set(store: Store, definition: Row, values: Row, value: Any) -> None:
    name, key = definition["displayName"], str(definition["id"])
    if definition["fieldType"] == FieldType.STATIC_TEXT:
        raise RefusedError(f"Custom field {name} is static text and cannot be set")
    if not definition["isActive"] and store.switches["custom_inactive"] == "refuse":
        # ASSUMED: setting an inactive field is not described.
        raise RefusedError(f"Custom field {name} is not active")
    if value is None or value in _CLEARING:
        # ASSUMED: an empty value and null clear a field of any type.
        rule = store.switches["custom_null" if value is None else "text_clear"]
        if rule == "error":
            raise RefusedError(f"Custom field {name}: the value must not be null")
        if rule == "clear":
            values.pop(key, None)
        return
    try:
        values[key] = _CHECKS[definition["fieldType"]](store, definition, value)
    except ValueError as error:
        raise RefusedError(f"Custom field {name}: {error}") from error


def _text(_store: Store, _definition: Row, value: Any) -> str:
    return text(value)


def _select(_store: Store, definition: Row, value: Any) -> str:
    if text(value) not in definition["selectValues"]:
        raise ValueError(f"'{value}' is not an option")
    return text(value)


def _selects(store: Store, definition: Row, value: Any) -> list[str]:
    if not isinstance(value, list):
        raise ValueError("Value must be an array of options")
    return [_select(store, definition, item) for item in value]


def _address(_store: Store, _definition: Row, value: Any) -> Row:
    return address(value)


def _date(store: Store, _definition: Row, value: Any) -> str:
    # The documented form is "2022-08-30 10:00:00 UTC". ASSUMED: a bare date is refused.
    moment = timestamp(value)
    if " " not in value and store.switches["custom_date_only"] == "refuse":
        raise ValueError("Value must be a date and time (yyyy-mm-dd HH:mm:ss UTC)")
    return f"{moment} UTC"


def _file(store: Store, _definition: Row, value: Any) -> Any:
    # ASSUMED: refused, because the write format is not documented.
    if store.switches["custom_file"] == "refuse":
        raise ValueError("A file cannot be set")
    return value


def _whole_number(_store: Store, _definition: Row, value: Any) -> int:
    return whole_number(value)


_CHECKS: Final[Mapping[int, Callable[[Store, Row, Any], Any]]] = {
    FieldType.SMALL_TEXT: _text,
    FieldType.LARGE_TEXT: _text,
    FieldType.SINGLE_SELECT: _select,
    FieldType.MULTIPLE_SELECT: _selects,
    FieldType.ADDRESS: _address,
    FieldType.DATE: _date,
    FieldType.FILE: _file,
    FieldType.WHOLE_NUMBER: _whole_number,
    # ASSUMED: treated as a single select, from its name.
    FieldType.LARGE_SELECT: _select,
}
