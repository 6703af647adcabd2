"""The Collection envelope: page URIs at the top level, rows inside `page` (section 2.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from gateway.sandbox.everbridge.errors import invalid, type_mismatch

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_PAGE_SIZE = 100
"""The text's default; the schema's is 1000. ASSUMED: the text is right."""

LARGEST_PAGE_SIZE = 3000

_LARGEST_PAGE_NUMBER = 10**9

_DIGITS = re.compile(r"-?[0-9]{1,10}")


@dataclass(frozen=True, kw_only=True)
class PageWish:
    """Which page a caller asked for."""

    number: int
    size: int


def read_page_wish(number: object, size: object) -> PageWish:
    """The page that `pageNumber` and `pageSize` name, with the defaults for None.

    ASSUMED: a size outside 1 … 3000 is refused rather than clamped, and a page before the first too.
    """
    wish = PageWish(
        number=1 if number is None else _whole(number),
        size=DEFAULT_PAGE_SIZE if size is None else _whole(size),
    )
    if not 1 <= wish.size <= LARGEST_PAGE_SIZE:
        raise invalid(f"pageSize must be between 1 and {LARGEST_PAGE_SIZE}.")
    if not 1 <= wish.number <= _LARGEST_PAGE_NUMBER:
        raise invalid("pageNumber must be 1 or more.")
    return wish


def paged(
    rows: Sequence[Any],
    wish: PageWish,
    *,
    uri: str,
    query: Sequence[tuple[str, str]],
    empty_data: bool,
) -> dict[str, Any]:
    """One page of `rows`.

    ASSUMED: `start` is (n-1)·size; `nextPageUri` is absent on the last page; nothing found is no
    `data` and totalCount 0; a page past the last is like that, with the true totalCount.
    """
    page_count = -(-len(rows) // wish.size)
    start = (wish.number - 1) * wish.size
    page: dict[str, Any] = {
        "pageSize": wish.size,
        "start": start,
        "currentPageNo": wish.number,
        "totalPageCount": page_count,
        "totalCount": len(rows),
    }
    data = list(rows[start : start + wish.size])
    if data or empty_data:
        page["data"] = data

    def page_uri(number: int) -> str:
        kept = [(key, value) for key, value in query if key != "pageNumber"]
        return f"{uri}?{urlencode([*kept, ('pageNumber', number)])}"

    answer: dict[str, Any] = {"message": "OK", "firstPageUri": page_uri(1)}
    if wish.number > 1:
        answer["previousPageUri"] = page_uri(wish.number - 1)
    if wish.number < page_count:
        answer["nextPageUri"] = page_uri(wish.number + 1)
    return {**answer, "lastPageUri": page_uri(max(page_count, 1)), "page": page}


def unpaged(
    rows: Sequence[Any], *, uri: str, start: int = 0, empty_data: bool = False
) -> dict[str, Any]:
    """A look-up list, all rows in one page whose size is their number.

    `start` is 1 in the vendor's examples of attributes and contact paths.
    """
    page: dict[str, Any] = {
        "pageSize": len(rows),
        "start": start,
        "currentPageNo": 1,
        "totalPageCount": 1 if rows else 0,
        "totalCount": len(rows),
    }
    if rows or empty_data:
        page["data"] = list(rows)
    only = f"{uri}?pageNumber=1"
    return {"message": "OK", "firstPageUri": only, "lastPageUri": only, "page": page}


def _whole(value: object) -> int:
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise type_mismatch()
    return value
