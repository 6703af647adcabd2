"""All pages of a list of iVvy's (iVvy: "Pagination"; contract: ivvy section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.backends.paged import ShiftedError, read_whole
from gateway.errors import NotWrittenError
from gateway.model import Backend
from gateway.results import Problem, ProblemCode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.calls import Call, Reply
    from gateway.upstream import Exchange, Sender

Row = dict[str, Any]


async def read_rows(
    sender: Sender,
    page: Callable[[int], Call],
    exchange: Exchange,
    *,
    enough: int | None = None,
) -> list[Row]:
    """The rows of a list, each id once; with `enough`, reading stops after the page that reaches it.

    `page` makes the call that starts at a record. `start` counts records, and the page size may be
    smaller than what was asked for, so the next page starts behind what came. A `meta` without
    totalResults is read until a page is empty.

    Raises NotWrittenError when the pages repeat themselves or bring less than `meta` says, because
    a list read in part would make records unknown that exist; and what `Sender.send` raises.
    """
    return await read_whole(lambda: _pages(sender, page, exchange, enough))


async def _pages(
    sender: Sender, page: Callable[[int], Call], exchange: Exchange, enough: int | None
) -> list[Row]:
    """All pages once. Raises ShiftedError where what comes later does not fit what came first."""
    rows: dict[str, Row] = {}
    totals: set[int | None] = set()
    start = 0
    while True:
        reply = await sender.send(page(start), exchange)
        brought: list[Row] = reply.body.get("results") or []
        known, later = len(rows), start > 0
        rows |= {str(row["id"]): row for row in brought}
        start += len(brought)
        total = _total(reply.body)
        totals |= {total} - {None}
        if enough is not None and len(rows) >= enough:
            return list(rows.values())
        if len(totals) > 1:
            raise ShiftedError(_shifted(page(start)))
        if not brought or (total is not None and start >= total):
            if total is not None and len(rows) < total:
                short = _short(page(start), len(rows), total, reply)
                raise ShiftedError(short) if later else NotWrittenError(short)
            return list(rows.values())
        if len(rows) == known:
            raise NotWrittenError(_repeating(page(start)))


def _total(body: Mapping[str, Any]) -> int | None:
    """How many rows the list has; None where `meta` does not say."""
    meta = body.get("meta")
    text = str(meta.get("totalResults")) if isinstance(meta, dict) else ""
    return int(text) if text.isdecimal() else None


def _short(call: Call, brought: int, total: int, reply: Reply) -> Problem:
    return _unusable(
        f"says that {call.target} has {total} rows and gave {brought}: {reply.excerpt}"
    )


def _shifted(call: Call) -> Problem:
    return _unusable(f"changed {call.target} while its pages were read.")


def _repeating(call: Call) -> Problem:
    return _unusable(f"gave the same page of {call.target} twice, so the list cannot be read.")


def _unusable(what: str) -> Problem:
    return Problem(
        backend=Backend.IVVY,
        code=ProblemCode.BACKEND_ERROR,
        message=f"iVvy {what}",
        retryable=True,
    )
