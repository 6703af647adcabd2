"""All pages of a list of iVvy's (iVvy: "Pagination"; contract: ivvy section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.errors import NotWrittenError
from gateway.model import Backend
from gateway.results import Problem, ProblemCode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.calls import Call
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

    Raises NotWrittenError when the pages repeat themselves, and what `Sender.send` raises.
    """
    rows: dict[str, Row] = {}
    start = 0
    while True:
        reply = await sender.send(page(start), exchange)
        brought: list[Row] = reply.body["results"]
        known = len(rows)
        rows |= {str(row["id"]): row for row in brought}
        start += len(brought)
        if not brought or start >= _total(reply.body, start):
            return list(rows.values())
        if enough is not None and len(rows) >= enough:
            return list(rows.values())
        if len(rows) == known:
            raise NotWrittenError(_repeating(page(start)))


def _total(body: Mapping[str, Any], start: int) -> int:
    """How many rows the list has; one more than were read where `meta` does not say."""
    meta = body.get("meta")
    total = meta.get("totalResults") if isinstance(meta, dict) else None
    text = str(total)
    return int(text) if text.isdecimal() else start + 1


def _repeating(call: Call) -> Problem:
    return Problem(
        backend=Backend.IVVY,
        code=ProblemCode.BACKEND_ERROR,
        message=f"IVVY gave the same page of {call.target} twice, so the list cannot be read.",
        retryable=True,
    )
