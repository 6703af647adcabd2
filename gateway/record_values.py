"""A backend's values as records show them: what the input would take to set the same again. Pure."""

from __future__ import annotations

from datetime import time
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import orjson

from gateway.entries import CustomFieldType
from gateway.values import as_instant, read_country, read_date, read_number, read_phone

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.entries import Catalog, CatalogName, Entry, FieldInfo

NOTHING: tuple[Any, ...] = (None, "", [], {}, [""])
"""The forms in which backends say that there is no value."""


def shown_text(value: Any) -> str | None:
    """A text as it is held; None for an empty one. Numbers and the like are said in JSON."""
    if value in NOTHING:
        return None
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def shown_phone(text: Any, country: str | None = None) -> str | None:
    """A phone number in E.164, or as it is held where it cannot be read."""
    held = shown_text(text)
    if held is None:
        return None
    try:
        return read_phone(held, country).e164
    except ValueError:
        return held


def shown_country(text: Any) -> str | None:
    """A country's code, or the text that is held where that is no code."""
    held = shown_text(text)
    if held is None:
        return None
    try:
        return read_country(held)
    except ValueError:
        return held


def shown_name(
    catalogs: Mapping[CatalogName, Catalog], catalog: CatalogName, entry_id: object
) -> str:
    """The name of an id; the id itself where the catalog lacks it or could not be read."""
    entry = entry_of(catalogs, catalog, entry_id)
    return entry.name if entry else str(entry_id)


def entry_of(
    catalogs: Mapping[CatalogName, Catalog], catalog: CatalogName, entry_id: object
) -> Entry | None:
    """The entry of an id, where there is one."""
    read = catalogs.get(catalog)
    return read.by_id.get(str(entry_id)) if read else None


def shown_values(info: FieldInfo | None, values: Sequence[Any]) -> list[str]:
    """A custom field's values as the input takes them; options by their labels."""
    held = [text for value in values if (text := shown_text(value)) is not None]
    match info.type if info else None:
        case CustomFieldType.CHOICE | CustomFieldType.MULTIPLE_CHOICE if info:
            return [_label(info, text) for text in held]
        case CustomFieldType.DATE:
            return [_date(text) for text in held]
        case CustomFieldType.NUMBER:
            return [_number(text) for text in held]
        case _:
            return held


def _label(info: FieldInfo, value: str) -> str:
    """The label of an option's value; the value where there is none, or several have that label."""
    labels = [option.label for option in info.options]
    label = next((option.label for option in info.options if option.value == value), value)
    return label if labels.count(label) == 1 else value


def _number(text: str) -> str:
    """A number in JSON's notation, whatever zeros it is held with; other text as it is.

    Its exponent stays only where the input would not take it without.
    """
    try:
        plain = format(Decimal(text), "f")
    except InvalidOperation:
        return text
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    return text if _is_readable(text) and not _is_readable(plain) else plain


def _is_readable(text: str) -> bool:
    try:
        read_number(text)
    except ValueError:
        return False
    return True


def _date(text: str) -> str:
    """A date in ISO 8601; an instant at midnight in UTC is a date, which is how dates are stored."""
    try:
        instant = as_instant(read_date(text.removesuffix(" UTC")))
    except ValueError:
        return text
    if instant.time() == time():
        return instant.date().isoformat()
    return instant.isoformat().replace("+00:00", "Z")
