"""Everbridge's lists of names and ids: groups, record types, contact paths, contact attributes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from gateway.backends.everbridge.client import read_list
from gateway.backends.everbridge.envelopes import (
    count_of,
    is_id,
    page_of,
    refuse_short,
    rows_of,
)
from gateway.backends.paged import ShiftedError, read_whole
from gateway.entries import CatalogName, CustomFieldType, Entry, FieldInfo, Option
from gateway.errors import NotWrittenError
from gateway.model import Backend
from gateway.results import Problem, ProblemCode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from gateway.upstream import Exchange, Sender

DELETED = "D"
ID_FIELDS = {
    CatalogName.GROUPS: "everbridge.groupIds",
    CatalogName.RECORD_TYPES: "everbridge.recordTypeId",
    CatalogName.PATHS: "pathId",
    CatalogName.CUSTOM_FIELDS: "everbridge.attributes",
}
"""The input field that takes a list's ids instead of names."""


def fetches(
    sender: Sender, organization_id: str
) -> dict[CatalogName, Callable[[Exchange], Awaitable[list[Entry]]]]:
    """How each list is read, all its pages."""

    def fetch(
        path: str, entry: Callable[[Mapping[str, Any]], Entry], *, paged: bool = False
    ) -> Callable[[Exchange], Awaitable[list[Entry]]]:
        return partial(_entries, sender, path.format(organization_id), entry, paged)

    return {
        CatalogName.GROUPS: fetch("/groups/{}/pagination", _named, paged=True),
        CatalogName.RECORD_TYPES: fetch("/recordTypes/{}", _named),
        CatalogName.PATHS: fetch("/contactPaths/{}", _path),
        CatalogName.CUSTOM_FIELDS: fetch("/contactAttributes/{}", _attribute),
    }


async def _entries(
    sender: Sender,
    path: str,
    entry: Callable[[Mapping[str, Any]], Entry],
    paged: bool,
    exchange: Exchange,
) -> list[Entry]:
    rows = await read_whole(lambda: all_rows(sender, path, exchange, paged=paged))
    return [_read(entry, row, path) for row in rows if row.get("status") != DELETED]


async def all_rows(
    sender: Sender, path: str, exchange: Exchange, *, paged: bool
) -> list[Mapping[str, Any]]:
    """The rows of every page.

    Raises NotWrittenError for a page that is not the one asked for, and for pages that end before
    totalCount: a list read in part would make names unknown that exist. ShiftedError is raised for
    pages that do not fit together.
    """
    rows: list[Mapping[str, Any]] = []
    totals: set[int | None] = set()
    number = 1
    while True:
        reply = await sender.send(read_list(path, number, paged=paged), exchange)
        page = page_of(reply)
        if count_of(page, "currentPageNo") not in {None, number}:
            raise NotWrittenError(_wrong_page(path, number, page))
        rows += rows_of(reply)
        totals |= {count_of(page, "totalCount")} - {None}
        if len(totals) > 1 or (number > 1 and _repeats(rows)):
            raise ShiftedError(_unusable(f"changed {path} while its pages were read."))
        if number >= (count_of(page, "totalPageCount") or 1):
            refuse_short(reply, len(rows))
            return rows
        number += 1


def _repeats(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a row came twice."""
    ids = [row.get("id") for row in rows]
    return len(set(map(str, ids))) < len(ids)


def _wrong_page(path: str, number: int, page: Mapping[str, Any]) -> Problem:
    return _unusable(
        f"was asked for page {number} of {path} and answered with page {page['currentPageNo']}."
    )


def _read(entry: Callable[[Mapping[str, Any]], Entry], row: Mapping[str, Any], path: str) -> Entry:
    """One row's entry. Raises NotWrittenError for one that lacks what makes it an entry."""
    try:
        return entry(row)
    except (KeyError, TypeError) as error:
        raise NotWrittenError(_unusable(f"gave {path} with a row that lacks {error}.")) from error


def _unusable(what: str) -> Problem:
    return Problem(
        backend=Backend.EVERBRIDGE,
        code=ProblemCode.BACKEND_ERROR,
        message=f"Everbridge {what}",
        retryable=True,
    )


def _named(row: Mapping[str, Any]) -> Entry:
    return Entry(id=_id(row, "id"), name=_name(row, "id", "name"))


def _id(row: Mapping[str, Any], key: str) -> str:
    if not is_id(row[key]):
        raise KeyError(key)
    return str(row[key])


def _name(row: Mapping[str, Any], id_key: str, *keys: str) -> str:
    """The first of some texts that is there; what has no name is still known by its id."""
    names = (str(row[key]) for key in keys if row.get(key))
    return next((name for name in names if name.strip()), _id(row, id_key))


def _path(row: Mapping[str, Any]) -> Entry:
    """A contact path: contacts use `pathId`; `id` is only the organization's own row.

    Without the organization's label it has the vendor's (contract: everbridge section 3.5).
    """
    name = _name(row, "pathId", "prompt", "sysPrompt")
    return Entry(id=_id(row, "pathId"), name=name, kind=_kind(row))


def _kind(row: Mapping[str, Any]) -> str | None:
    """The path's type. ASSUMED: where it is missing, formatFlag E is e-mail and P is phone."""
    kind = row.get("pathType")
    if kind:
        return str(kind)
    return {"E": "EMAIL", "P": "PHONE"}.get(str(row.get("formatFlag")))


_TYPES = {
    "STRING": CustomFieldType.TEXT,
    "NUMBER": CustomFieldType.NUMBER,
    "DATE": CustomFieldType.DATE,
    "BOOLEAN": CustomFieldType.BOOLEAN,
}
_FORMATS = {"L": CustomFieldType.CHOICE, "S": CustomFieldType.MULTIPLE_CHOICE}


def _attribute(row: Mapping[str, Any]) -> Entry:
    """A contact attribute; one of a kind that text cannot say (POLYGON) is not written.

    `mandatory` concerns the member portal only: an API write may leave the attribute out.
    """
    options = tuple(
        Option(value=str(value), label=str(value))
        for value in row.get("definedValues") or ()
        if value is not None and str(value).strip()
    )
    kind = _TYPES.get(str(row.get("dataType")), CustomFieldType.OTHER)
    if kind is not CustomFieldType.OTHER:
        kind = _FORMATS.get(str(row.get("displayFormat")), kind)
    return Entry(
        id=_id(row, "id"),
        name=_name(row, "id", "name"),
        field=FieldInfo(type=kind, writable=kind is not CustomFieldType.OTHER, options=options),
    )
