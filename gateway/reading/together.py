"""One contact made of its records: the first value of each field, and where they disagree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from strawberry import ID

from gateway.model import title
from gateway.reading.differences import differences
from gateway.records import Contact
from gateway.results import Problem, ProblemCode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.backends.adapter import Adapter, Stored
    from gateway.model import Backend
    from gateway.reading.record_names import Names
    from gateway.records import ContactRecord

log = structlog.get_logger()


def together(
    held: Mapping[Backend, Stored],
    adapters: Mapping[Backend, Adapter],
    names: Mapping[Backend, Names],
    problems: Sequence[Problem],
) -> Contact:
    """The contact of these stored records, which stand in the order of the Backend enum.

    A record that cannot be shown is told, and leaves the others'.
    """
    records: list[ContactRecord] = []
    unread = list(problems)
    for backend, stored in held.items():
        try:
            records.append(adapters[backend].read_contact(stored, names[backend].catalogs))
        except Exception:
            log.exception("record cannot be shown", backend=backend.value)
            unread.append(read_failed(backend))

    def first(name: str) -> str | None:
        values = (getattr(record, name) for record in records)
        return next((value for value in values if value is not None), None)

    external_id = first("external_id")
    unread += [problem for backend in held for problem in names[backend].problems]
    return Contact(
        external_id=None if external_id is None else ID(external_id),
        email=first("email"),
        first_name=first("first_name"),
        last_name=first("last_name"),
        phone=first("phone"),
        records=records,
        errors=unread,
        differences=differences(records, adapters, names),
    )


def read_failed(backend: Backend) -> Problem:
    """The problem of a read that ended in a fault of ours."""
    return Problem(
        backend=backend,
        code=ProblemCode.BACKEND_ERROR,
        message=f"The gateway failed while it read {title(backend)}; its log tells why.",
        retryable=True,
    )
