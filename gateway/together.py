"""One contact made of its records: the first value of each field, and where they disagree. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from strawberry import ID

from gateway.differences import differences
from gateway.records import Contact

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.backends.adapter import Adapter, Stored
    from gateway.model import Backend
    from gateway.record_names import Names
    from gateway.results import Problem


def together(
    held: Mapping[Backend, Stored],
    adapters: Mapping[Backend, Adapter],
    names: Mapping[Backend, Names],
    problems: Sequence[Problem],
) -> Contact:
    """The contact of these stored records, which stand in the order of the Backend enum."""
    records = [
        adapters[backend].read_contact(stored, names[backend].catalogs)
        for backend, stored in held.items()
    ]

    def first(name: str) -> str | None:
        values = (getattr(record, name) for record in records)
        return next((value for value in values if value is not None), None)

    external_id = first("external_id")
    unread = [problem for backend in held for problem in names[backend].problems]
    return Contact(
        external_id=None if external_id is None else ID(external_id),
        email=first("email"),
        first_name=first("first_name"),
        last_name=first("last_name"),
        phone=first("phone"),
        records=records,
        errors=[*problems, *unread],
        differences=differences(records, adapters, names),
    )
