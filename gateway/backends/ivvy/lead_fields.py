"""A lead's custom fields: iVvy takes them, and neither lists nor shows them (contract: ivvy 6.1, 10).

So a field is given by its id, or by a name from the table in the settings, and is always sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gateway.backends.ivvy.custom_values import NATIVE, to_value
from gateway.backends.ivvy.ids import is_id
from gateway.custom_fields import given_texts, read_text, read_value
from gateway.entries import CatalogName, CustomFieldType, Entry, FieldInfo
from gateway.fields import refuse_clearing
from gateway.model import Backend
from gateway.names import Wanted
from gateway.results import Problem, ProblemCode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.entries import Catalog
    from gateway.fields import Laid
    from gateway.lead_write import LeadWrite
    from gateway.names import Resolution

SETTING = "GATEWAY_IVVY_LEAD_FIELDS"


@dataclass(frozen=True, kw_only=True)
class _Given:
    field_id: str
    entry: Entry | None
    """What the table in the settings says of it."""
    texts: Sequence[str]
    label: str
    path: list[str]


def lead_field_entries(table: Mapping[str, str]) -> list[Entry]:
    """The fields of the table in the settings: a name, and the id, with its type where it matters."""
    entries = []
    for name, text in table.items():
        field_id, _, kind = text.partition(" ")
        known = CustomFieldType[kind or "TEXT"]
        info = FieldInfo(type=known, whole=known is CustomFieldType.NUMBER)
        entries.append(Entry(id=field_id, name=name, kind=kind or None, field=info))
    return entries


def wanted_lead_fields(write: LeadWrite) -> list[Wanted]:
    """The table, where the write speaks of custom fields; names are looked up when it is planned."""
    asked = write.given("custom_fields") is not None or write.given(NATIVE) is not None
    return [Wanted(catalog=CatalogName.LEAD_FIELDS)] if asked else []


def lay_lead_fields(
    laid: Laid,
    write: LeadWrite,
    resolution: Resolution,
    *,
    new: bool,
    text_clear: str | None,
) -> None:
    """Add the custom fields to `laid`. ASSUMED: iVvy keeps those that are not named.

    Null would clear all of them, and nobody can say which have a value: CANNOT_CLEAR, for a new
    lead as well, because the same call could not be carried out a second time.
    """
    table = resolution.catalogs.get(CatalogName.LEAD_FIELDS)
    by_id = _by_id(laid, write, table)
    ids = {given.field_id for given in by_id}
    sent: list[dict[str, Any]] = []
    for given in [*by_id, *_by_name(laid, write, table, ids)]:
        try:
            value = _to_field_value(given, text_clear)
        except ValueError as error:
            laid.problems.append(_problem(ProblemCode.INVALID, str(error), [*given.path, "values"]))
            continue
        sent.append({"fieldId": int(given.field_id), "fieldValue": value})
        laid.changed.append(given.label)
    if sent:
        laid.values["customFields"] = sent
    for name in ("custom_fields", NATIVE):
        wish = write.get(name)
        left_out = new and write.cleared_by_absence(name)
        if wish is not None and wish.value is None and not left_out:
            refuse_clearing(name, write, Backend.IVVY, laid, unseen=True)


def _by_id(laid: Laid, write: LeadWrite, table: Catalog | None) -> list[_Given]:
    """The fields given by id, each once, without ids that the check has refused."""
    found: dict[str, _Given] = {}
    for place, item in enumerate(write.items(NATIVE)):
        field_id, path = str(item.id), write.field_path(NATIVE, place)
        if field_id in found:
            message = f"The field {field_id!r} is given twice by its id: give it once."
            laid.problems.append(_problem(ProblemCode.INVALID, message, [*path, "id"]))
        elif is_id(field_id):
            found[field_id] = _Given(
                field_id=field_id,
                entry=table.by_id.get(field_id) if table else None,
                texts=item.values,
                label=f"ivvy.customFields.{field_id}",
                path=path,
            )
    return list(found.values())


def _by_name(laid: Laid, write: LeadWrite, table: Catalog | None, taken: set[str]) -> list[_Given]:
    """The fields given by name, each once; unknown names become problems, an id wins over its name."""
    found: dict[str, _Given] = {}
    for place, item in write.sound("custom_fields"):
        path = write.field_path("custom_fields", place)
        matches = table.matches(item.name) if table else []
        if len(matches) != 1:
            likely = table.like(item.name) if table else []
            laid.problems.append(_unknown(item.name, [*path, "name"], likely))
            continue
        [entry], label = matches, f"customFields.{item.name}"
        if entry.id in taken:
            laid.ignored.append(label)
        elif entry.id in found:
            message = f"The field {entry.name!r} is given twice by its name: give it once."
            laid.problems.append(_problem(ProblemCode.INVALID, message, [*path, "name"]))
        else:
            found[entry.id] = _Given(
                field_id=entry.id, entry=entry, texts=item.values, label=label, path=path
            )
    return list(found.values())


def _to_field_value(given: _Given, text_clear: str | None) -> Any:
    """The `fieldValue`: by the type that the table names, else text, or several texts as they are.

    Raises ValueError for a value that is not of the type.
    """
    texts = given_texts(given.texts)
    info = given.entry.field if given.entry else None
    if info is None or given.entry is None or given.entry.kind is None:
        plain = [read_text(text) for text in texts]
        return plain if len(plain) > 1 else next(iter(plain), text_clear)
    if len(texts) > 1 and info.type is not CustomFieldType.MULTIPLE_CHOICE:
        raise ValueError(f"The field {given.entry.name!r} takes one value, not {len(texts)}.")
    # iVvy shows no options for leads: what a choice takes is for the caller to know.
    by_key = info.type in {CustomFieldType.CHOICE, CustomFieldType.MULTIPLE_CHOICE}
    values = [read_text(text) if by_key else read_value(info, text) for text in texts]
    return to_value(info.type, values, text_clear)


def _unknown(name: str, path: list[str], suggestions: list[str]) -> Problem:
    problem = _problem(
        ProblemCode.NAME_NOT_FOUND,
        f"iVvy publishes no list of its leads' custom fields, and {name!r} is not in the table of "
        f"the gateway's settings: add it with its id to {SETTING} (docs/backends/ivvy.md shows "
        "how), or give the field by its id in ivvy.customFields.",
        path,
    )
    problem.suggestions = suggestions
    return problem


def _problem(code: ProblemCode, message: str, path: list[str]) -> Problem:
    return Problem(backend=Backend.IVVY, code=code, message=message, field=path)
