"""iVvy's custom field values: how each type is written, cleared and compared.

The types and their forms: contract ivvy section 5.4, from the vendor's field definition pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.custom_fields import custom_fields
from gateway.entries import CatalogName, CustomFieldType
from gateway.fields import refuse_clearing
from gateway.model import Backend
from gateway.values import as_instant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from gateway.custom_fields import Settings
    from gateway.entries import Catalog, Entry
    from gateway.fields import Laid
    from gateway.names import Resolution
    from gateway.write import Write

NATIVE = "ivvy.custom_fields"
_EMPTY: tuple[Any, ...] = (None, "", [], [""], {})
STATIC_TEXT = "7"
"""The fieldType of text that belongs to the form and not to the contact."""


def lay_custom_fields(
    laid: Laid,
    write: Write,
    stored: Mapping[str, Any] | None,
    resolution: Resolution,
    *,
    text_clear: str | None,
    catalog: CatalogName = CatalogName.CUSTOM_FIELDS,
) -> None:
    """Add the custom fields that change to `laid`; `catalog` is the list of their definitions.

    Only these are sent. ASSUMED: iVvy merges a sent list by fieldId and keeps the other fields.
    """
    held = stored_values(stored)
    settings = custom_fields(
        *(write, resolution, Backend.IVVY, NATIVE, catalog),
        held=lambda entry: as_list(held.get(entry.id)),
    )
    laid.ignored += settings.ignored
    laid.problems += settings.problems
    sent: list[dict[str, Any]] = []
    for setting in settings.settings:
        kind = _type_of(setting.entry)
        value = to_value(kind, setting.values, text_clear)
        if comparable(kind, value) != comparable(kind, held.get(setting.entry.id)):
            sent.append({"fieldId": int(setting.entry.id), "value": value})
            laid.changed.append(setting.label)
    if settings.clear_others:
        defined = resolution.catalogs.get(catalog)
        sent += _cleared_others(laid, write, settings, held, defined, text_clear)
    if sent:
        laid.values["customFields"] = sent


def _cleared_others(
    laid: Laid,
    write: Write,
    settings: Settings,
    held: Mapping[str, Any],
    defined: Catalog | None,
    text_clear: str | None,
) -> list[dict[str, Any]]:
    """What clears the fields that have a value and are not named; those that cannot be are told.

    Fields that the definitions do not list, such as inactive ones, stay.
    """
    named = settings.named()
    sent = []
    for entry in defined.entries if defined else ():
        kind, label = _type_of(entry), f"customFields.{entry.name}"
        if entry.id in named or comparable(kind, held.get(entry.id)) is None:
            continue
        if entry.field is not None and entry.field.writable:
            sent.append({"fieldId": int(entry.id), "value": to_value(kind, (), text_clear)})
            laid.changed.append(label)
        elif entry.kind != STATIC_TEXT:
            refuse_clearing("custom_fields", write, Backend.IVVY, laid, shown=label)
    return sent


def stored_values(stored: Mapping[str, Any] | None) -> dict[str, Any]:
    """The values of a contact as iVvy shows them, by the field's id."""
    rows = (stored.get("customFields") if stored else None) or []
    return {str(row["fieldId"]): row.get("value") for row in rows}


def as_list(value: Any) -> list[Any]:
    """A field's value as several: those of a multiple select, or the one."""
    return value if isinstance(value, list) else [value]


def to_value(
    kind: CustomFieldType,
    values: Sequence[str | float | bool | date],
    text_clear: str | None,
) -> Any:
    """The value that iVvy takes; no `values` clear the field.

    ASSUMED: a text or a choice is cleared like any text, several choices by an empty list, a date
    and a number by null, because that is how they read when they have no value.
    """
    match kind:
        case CustomFieldType.MULTIPLE_CHOICE:
            return list(dict.fromkeys(str(value) for value in values))
        case CustomFieldType.DATE:
            return to_timestamp(values[0]) if values else None
        case CustomFieldType.NUMBER:
            return values[0] if values else None
        case _:
            return str(values[0]) if values else text_clear


def to_timestamp(value: Any) -> str:
    """An instant as iVvy writes it; a bare date is its midnight in UTC."""
    instant = as_instant(value).replace(tzinfo=None, microsecond=0)
    return f"{instant.isoformat(' ')} UTC"


def comparable(kind: CustomFieldType, value: Any) -> Any:
    """The form in which two values of a field are compared; None for every form of no value.

    Empty fields read "" (text), [""] (several choices) or null; dates come with and without the
    suffix UTC, and numbers also as text.
    """
    if kind is CustomFieldType.MULTIPLE_CHOICE:
        return frozenset(str(item) for item in as_list(value) if item not in (None, "")) or None
    if value in _EMPTY:
        return None
    if kind is CustomFieldType.DATE:
        text = str(value).removesuffix(" UTC").strip()
        return text if " " in text else f"{text} 00:00:00"
    return value if isinstance(value, (dict, list)) else str(value)


def _type_of(entry: Entry) -> CustomFieldType:
    return entry.field.type if entry.field else CustomFieldType.OTHER
