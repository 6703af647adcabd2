"""Where the backends' records of one contact disagree. Pure.

Compared are fields that at least two of the backends can hold: a field that one of them cannot hold
is no disagreement. Values are compared by what they mean, and shown as they are held.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING
from unicodedata import normalize

from gateway.entries import CatalogName, folded
from gateway.records import BackendValue, FieldDifference
from gateway.values import folded_email
from gateway.write import input_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from gateway.backends.adapter import Adapter
    from gateway.entries import Entry
    from gateway.model import Backend
    from gateway.reading.record_names import Names
    from gateway.records import Address, ContactRecord


def _number(text: str) -> str:
    return "".join(character for character in text if character.isdigit())


def _plain(text: str) -> str:
    return " ".join(normalize("NFC", text).split())


COMPARED: Mapping[str, Callable[[str], str]] = {
    "external_id": _plain,
    "email": folded_email,
    "first_name": _plain,
    "last_name": _plain,
    "phone": _number,
    "country_code": str.upper,
    "addresses": folded,
}
"""Fields by the form in which their values are compared; of the addresses the first one."""


def differences(
    records: Sequence[ContactRecord],
    adapters: Mapping[Backend, Adapter],
    names: Mapping[Backend, Names],
) -> list[FieldDifference]:
    """The fields on which the records disagree; a value that one of them lacks is a difference."""
    found = []
    for field, form in COMPARED.items():
        values = {
            record.backend: _value(record, field)
            for record in records
            if adapters[record.backend].holds(field)
        }
        found += _difference(input_name(field), values, form)
    for catalog, field, held, form in (
        (CatalogName.GROUPS, "groupsName", _groups, folded),
        (CatalogName.CUSTOM_FIELDS, "customFields", _custom_fields, _plain),
    ):
        for name, values in _by_name(records, names, catalog, held).items():
            found += _difference(f"{field}.{name}", values, form)
    return found


def _difference(
    field: str, values: Mapping[Backend, str | None], form: Callable[[str], str]
) -> list[FieldDifference]:
    compared = {None if value is None else form(value) for value in values.values()}
    if len(values) < 2 or len(compared) < 2:  # noqa: PLR2004 - two that disagree
        return []
    shown = [BackendValue(backend=backend, value=value) for backend, value in values.items()]
    return [FieldDifference(field=field, values=shown)]


def _value(record: ContactRecord, field: str) -> str | None:
    if field == "addresses":
        return _line(record.addresses[0]) if record.addresses else None
    value: str | None = getattr(record, field)
    return value


def _line(address: Address) -> str:
    """The parts of an address that more than one backend holds, in one line."""
    parts = (
        *(address.line1, address.line2, address.city),
        *(address.region, address.postal_code, address.country_code),
    )
    return ", ".join(_plain(part) for part in parts if part)


def _by_name(
    records: Sequence[ContactRecord],
    names: Mapping[Backend, Names],
    catalog: CatalogName,
    held: Callable[[ContactRecord], Mapping[str, str]],
) -> dict[str, dict[Backend, str | None]]:
    """What each backend that knows a group or custom field of some name has of it."""
    known: dict[str, dict[Backend, str | None]] = {}
    spelled: dict[str, str] = {}
    lists: dict[Backend, Sequence[Entry]] = {}
    for record in records:
        read = names[record.backend].catalogs.get(catalog)
        lists[record.backend] = read.entries if read else ()
    apart = _told_apart(lists.values())

    def form(name: str) -> str:
        loosely = folded(name)
        return name if loosely in apart else loosely

    for record in records:
        values = {form(name): value for name, value in held(record).items()}
        for entry in lists[record.backend]:
            if entry.field is None or entry.field.writable:
                name = form(entry.name)
                spelled.setdefault(name, entry.name)
                known.setdefault(name, {})[record.backend] = values.get(name)
    return {spelled[name]: values for name, values in known.items()}


def _told_apart(lists: Iterable[Sequence[Entry]]) -> set[str]:
    """Names, folded, of which some backend has several that differ in their spelling alone."""
    alike: set[str] = set()
    for entries in lists:
        counted = Counter(folded(name) for name in {entry.name for entry in entries})
        alike |= {name for name, count in counted.items() if count > 1}
    return alike


def _groups(record: ContactRecord) -> Mapping[str, str]:
    """The groups that a record is in: each is its own value."""
    return {name: name for name in record.groups_name}


def _custom_fields(record: ContactRecord) -> Mapping[str, str]:
    """The values of a record's custom fields; the order of several says nothing."""
    return {
        item.name: ", ".join(sorted(item.values))
        for item in record.custom_fields
        if item.name is not None
    }
