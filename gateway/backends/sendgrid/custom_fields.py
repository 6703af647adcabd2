"""Custom fields in SendGrid's types: texts, numbers, and instants in UTC.

A wrong type is accepted at first and lost later, in the job, so values are typed by the field's
definition. A text is cleared by ""; nothing is known to clear a number or a date, and null is
refused (contract: sendgrid sections 4 and 12).
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from gateway.entries import CatalogName, CustomFieldType, folded
from gateway.fields import cannot_clear
from gateway.model import Backend
from gateway.values import as_instant, read_date

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.custom_fields import Setting, Settings
    from gateway.entries import Entry
    from gateway.fields import Laid
    from gateway.names import Resolution
    from gateway.write import ContactWrite

CLEARED_TEXT = ""
"""What clears a text. ASSUMED from the vendor's own example, which does so for a plain field."""


def lay_custom_fields(
    settings: Settings,
    write: ContactWrite,
    resolution: Resolution,
    stored: Mapping[str, Any] | None,
    laid: Laid,
    *,
    new: bool,
) -> dict[str, str | int | float]:
    """The custom fields to send, by id, as far as they differ from what is stored.

    `stored` is the contact's `custom_fields`, or None where nothing is known to compare with.
    """
    laid.ignored += settings.ignored
    laid.problems += settings.problems
    sent: dict[str, str | int | float] = {}
    for setting in settings.settings:
        _set(setting, write, stored, laid, sent, new=new)
    if settings.clear_others and not new:
        kept = []
        for entry in _others(settings, resolution, stored, laid):
            if _is_text(entry):
                sent[entry.id] = CLEARED_TEXT
                laid.changed.append(f"customFields.{entry.name}")
            else:
                kept.append(f"customFields.{entry.name}")
        _keep(kept, settings, write, stored, laid)
    return sent


def _keep(
    labels: Sequence[str],
    settings: Settings,
    write: ContactWrite,
    stored: Mapping[str, Any] | None,
    laid: Laid,
) -> None:
    """Report numbers and dates that are to be cleared with all fields, and cannot be.

    A problem where the caller asked SendGrid by name with a null, and the contact is known to hold
    them.
    """
    if not (labels and write.targets_named and stored is not None) or settings.by_absence:
        laid.ignored += labels
        return
    shared = write.given("custom_fields")
    clears_all = shared is not None and shared.value is None
    path = write.field_path("custom_fields" if clears_all else "sendgrid.custom_fields")
    laid.problems.append(cannot_clear(", ".join(labels), path, Backend.SENDGRID))


def to_wire(value: str | float | bool | date) -> str | int | float:
    """A value as SendGrid takes it; a date is its midnight in UTC."""
    if isinstance(value, date):
        return as_instant(value).isoformat().replace("+00:00", "Z")
    return value


def _set(
    setting: Setting,
    write: ContactWrite,
    stored: Mapping[str, Any] | None,
    laid: Laid,
    sent: dict[str, str | int | float],
    *,
    new: bool,
) -> None:
    entry = setting.entry
    held = None if stored is None else held_in(stored, entry)
    if setting.values:
        value = to_wire(setting.values[0])
        if stored is None or not _same(entry, held, value):
            sent[entry.id] = value
            laid.changed.append(setting.label)
    elif new or (stored is not None and held in (None, "")):
        return
    elif _is_text(entry):
        sent[entry.id] = CLEARED_TEXT
        laid.changed.append(setting.label)
    elif write.targets_named:
        path = [*setting.path, "values"]
        laid.problems.append(cannot_clear(setting.label, path, Backend.SENDGRID))
    else:
        laid.ignored.append(setting.label)


def _others(
    settings: Settings,
    resolution: Resolution,
    stored: Mapping[str, Any] | None,
    laid: Laid,
) -> list[Entry]:
    """The fields that are not named and that the contact holds, or may hold."""
    catalog = resolution.catalogs.get(CatalogName.CUSTOM_FIELDS)
    entries = catalog.entries if catalog else ()
    if stored is not None:
        known = {text for entry in entries for text in (entry.id, folded(entry.name))}
        laid.ignored += [
            f"customFields.{key}"
            for key, value in stored.items()
            if value not in (None, "") and key not in known and folded(key) not in known
        ]
        entries = tuple(entry for entry in entries if held_in(stored, entry) not in (None, ""))
    named = settings.named()
    return [entry for entry in entries if entry.id not in named]


def held_in(stored: Mapping[str, Any], entry: Entry) -> Any:
    """The stored value. ASSUMED: read contacts key them by name; ids are understood as well."""
    for key in (entry.id, entry.name):
        if key in stored:
            return stored[key]
    by_name = {folded(key): value for key, value in stored.items()}
    return by_name.get(folded(entry.name))


def _is_text(entry: Entry) -> bool:
    return entry.field is not None and entry.field.type is CustomFieldType.TEXT


def _same(entry: Entry, held: Any, value: str | float) -> bool:
    """Whether a value means what is held in another notation; in the same one it is left out before."""
    if entry.field is not None and entry.field.type is CustomFieldType.DATE:
        try:
            return as_instant(read_date(str(held))) == as_instant(read_date(str(value)))
        except ValueError:
            return False
    if isinstance(value, str):
        return False
    try:  # a float would make two large numbers the same
        return Decimal(str(held)) == Decimal(str(value))
    except InvalidOperation:
        return False
