"""Contact attributes: custom fields merged into the stored ones by their id."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import orjson

from gateway.backends.everbridge.organization import Part
from gateway.custom_fields import custom_fields
from gateway.entries import CatalogName, CustomFieldType
from gateway.model import Backend

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gateway.custom_fields import Setting, Settings
    from gateway.entries import Catalog, Entry
    from gateway.names import Resolution
    from gateway.write import ContactWrite

NATIVE = "everbridge.attributes"
_NUMBERS = (int, float)


def laid_attributes(
    write: ContactWrite, resolution: Resolution, stored: Sequence[dict[str, Any]]
) -> Part:
    """The contact's attributes as the write wants them; those not named stay.

    An attribute is cleared by leaving it out.
    """
    settings = custom_fields(
        *(write, resolution, Backend.EVERBRIDGE, NATIVE), held=lambda entry: _held(stored, entry)
    )
    part = Part(rows=list(stored), ignored=list(settings.ignored), problems=list(settings.problems))
    for setting in settings.settings:
        _lay(setting, part)
    if settings.clear_others:
        _clear_others(settings, resolution, part)
    return part


def texts_of(attribute: Mapping[str, Any]) -> list[str]:
    """The values of a stored attribute."""
    return [as_text(value) for value in attribute.get("values") or []]


def as_text(value: Any) -> str:
    """A value as Everbridge wants it written: text, though a NUMBER is read as a JSON number."""
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f").removesuffix(".0")
    return orjson.dumps(value).decode()


def with_text_values(attribute: dict[str, Any]) -> dict[str, Any]:
    """A stored attribute with its numbers as text; everything else as it came."""
    values = attribute.get("values")
    if not isinstance(values, list) or not any(map(_is_number, values)):
        return attribute
    return {**attribute, "values": [as_text(v) if _is_number(v) else v for v in values]}


def _lay(setting: Setting, part: Part) -> None:
    """Set or clear one attribute."""
    if any(isinstance(value, datetime) and value.time() != time() for value in setting.values):
        part.wrong(
            [*setting.path, "values"],
            f"Everbridge's field {setting.entry.name!r} takes a date without a time of day, such "
            "as 2026-01-31.",
        )
        return
    held = next((row for row in part.rows if _is(row, setting.entry)), None)
    values = [as_text(value) for value in setting.values]
    if not values:
        if held is not None:
            part.rows = [row for row in part.rows if not _is(row, setting.entry)]
            part.changed.append(setting.label)
    elif held is None:
        # The id wins; the schema wants a name all the same (contract: everbridge section 4.2).
        row = {"orgAttrId": int(setting.entry.id), "name": setting.entry.name, "values": values}
        part.rows.append(row)
        part.changed.append(setting.label)
    elif not _same(setting.entry, held.get("values") or (), values):
        part.rows = [{**row, "values": values} if row is held else row for row in part.rows]
        part.changed.append(setting.label)


def _clear_others(settings: Settings, resolution: Resolution, part: Part) -> None:
    """Clear what is not named and has a value.

    What the gateway cannot write survives a REPLACE's silence.
    """
    named = settings.named()
    catalog = resolution.catalogs.get(CatalogName.CUSTOM_FIELDS)
    rows = []
    for row in part.rows:
        entry = definition_of(row, catalog)
        label = f"customFields.{entry.name if entry else row.get('name', row.get('orgAttrId'))}"
        if (entry is not None and entry.id in named) or not any(texts_of(row)):
            rows.append(row)
        elif settings.by_absence and not (entry and entry.field and entry.field.writable):
            rows.append(row)
            part.ignored.append(label)
        else:
            part.changed.append(label)
    part.rows = rows


def definition_of(row: Mapping[str, Any], catalog: Catalog | None) -> Entry | None:
    """The definition of a stored attribute, by its id, else by its name."""
    if catalog is None:
        return None
    if row.get("orgAttrId") is not None:
        return catalog.by_id.get(str(row["orgAttrId"]))
    return next((entry for entry in catalog.entries if entry.name == row.get("name")), None)


def _held(stored: Sequence[dict[str, Any]], entry: Entry) -> list[str]:
    return next((texts_of(row) for row in stored if _is(row, entry)), [])


def _is(row: dict[str, Any], entry: Entry) -> bool:
    """Whether a stored attribute is this one: by its id, else by its name."""
    if row.get("orgAttrId") is not None:
        return str(row["orgAttrId"]) == entry.id
    return row.get("name") == entry.name


def _same(entry: Entry, stored: Iterable[Any], wanted: Sequence[str]) -> bool:
    """Whether the stored values mean the same; the order of several choices says nothing."""
    held = [as_text(value) for value in stored]
    kind = entry.field.type if entry.field else None
    if kind is CustomFieldType.NUMBER:
        return [_number(text) for text in held] == [_number(text) for text in wanted]
    if kind is CustomFieldType.MULTIPLE_CHOICE:
        return sorted(held) == sorted(wanted)
    return held == list(wanted)


def _is_number(value: object) -> bool:
    return type(value) in _NUMBERS  # of which bool is none


def _number(text: str) -> Decimal | str:
    try:
        return Decimal(text)
    except InvalidOperation:
        return text
