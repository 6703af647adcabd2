"""Pages of a list: connections with opaque cursors that stay good when the list changes."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

import orjson
import strawberry

from gateway.api.catalog_types import CatalogEntry
from gateway.api.refusals import wrong
from gateway.entries import Entry, folded

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST = 500
"""The largest page."""


@strawberry.type(description="Where a page of a list ends.")
class PageInfo:
    """Where a page of a list ends."""

    has_next_page: bool = strawberry.field(description="Whether more follows after this page.")
    end_cursor: str | None = strawberry.field(
        default=None, description="Give it as `after` for the next page; null for an empty page."
    )


@strawberry.type(description="One company of a page.")
class CompanyEdge:
    """One company of a page."""

    cursor: str = strawberry.field(
        description="Its place in the list: give it as `after` for what follows."
    )
    node: CatalogEntry = strawberry.field(description="The company.")


@strawberry.type(description="A page of companies, in the order of their names.")
class CompanyConnection:
    """A page of companies."""

    edges: list[CompanyEdge] = strawberry.field(description="The companies of this page.")
    page_info: PageInfo = strawberry.field(description="Where the page ends.")


def company_page(
    entries: Iterable[Entry], *, search: str | None, first: int, after: str | None
) -> CompanyConnection:
    """The companies whose names contain `search`, ignoring case, that follow the cursor `after`.

    A cursor says a place by name and id, so that companies which come and go do not shift a page.
    Raises a GraphQL error for a page size or a cursor that cannot be used.
    """
    if not 0 <= first <= MOST:
        raise wrong(f"first is {first}: give 0 to {MOST}, and after for what follows.")
    begin = None if after is None else read_cursor(after)
    part = folded(search or "")
    found = sorted((_place(entry), entry) for entry in entries if part in folded(entry.name))
    rest = [(place, entry) for place, entry in found if begin is None or place > begin]
    edges = [
        CompanyEdge(cursor=to_cursor(place), node=CatalogEntry.of(entry))
        for place, entry in rest[:first]
    ]
    return CompanyConnection(
        edges=edges,
        page_info=PageInfo(
            has_next_page=len(rest) > first, end_cursor=edges[-1].cursor if edges else None
        ),
    )


Place = tuple[str, str]


def _place(entry: Entry) -> Place:
    return folded(entry.name), entry.id


def to_cursor(place: Place) -> str:
    """A place as callers see it."""
    return base64.urlsafe_b64encode(orjson.dumps(place)).decode()


def read_cursor(cursor: str) -> Place:
    """The place that a cursor says; raises a GraphQL error for one that was not given out here."""
    try:
        name, entry_id = orjson.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (binascii.Error, ValueError, TypeError):
        name = entry_id = None
    if isinstance(name, str) and isinstance(entry_id, str):
        return name, entry_id
    raise wrong(f"{cursor!r} is no cursor of this list: give an endCursor that it has answered.")
