"""How much of a request is read: more for a bulk than for every other operation."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect

from gateway.api.bulk_body import is_bulk, may_be_bulk
from gateway.api.errors import HttpRefusalError
from gateway.api.limits import check_text, exceeded
from gateway.api.time_limit import TimeLimit
from gateway.settings import variable

if TYPE_CHECKING:
    from starlette.types import Receive, Scope

    from gateway.api.head import Head
    from gateway.api.limits import Limits
    from gateway.settings import Settings


BYTES_A_SECOND = 1_000
"""A body that comes faster than this is waited for, however long it takes."""


class BodyLimits:
    """The limits of one gateway; what they refuse raises HttpRefusalError with 408, 413 or 414."""

    def __init__(self, settings: Settings, limits: Limits) -> None:
        self.most = settings.max_body_bytes
        self._seconds = settings.body_timeout_seconds
        self._most_of_bulk = max(settings.max_bulk_body_bytes, settings.max_body_bytes)
        self._limits = limits

    def check_head(self, scope: Scope, head: Head) -> None:
        """Refuse by what the head says, before anything else is received."""
        length = head.get(b"content-length", b"")
        if length.isdigit() and int(length) > self._most_of_bulk:
            raise self._too_large(f"The body has {int(length):,} bytes", 413, bulk=True)
        if len(scope["query_string"]) > self.most:
            raise self._too_large("The address is longer", 414)

    async def read(self, receive: Receive) -> bytes:
        """A whole body; raises ClientDisconnect where the client has gone before its end."""
        pieces: list[bytes] = []
        until = time.monotonic() + self._seconds
        try:
            with TimeLimit(until) as limit:
                size = await self._receive(receive, pieces, limit, until)
        except TimeoutError:
            raise self._too_slow(sum(map(len, pieces))) from None
        body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        if size > self.most and not may_be_bulk(body):
            raise self._too_large(f"The body has {size:,} bytes", 413)
        return body

    async def _receive(
        self, receive: Receive, pieces: list[bytes], limit: TimeLimit, until: float
    ) -> int:
        """Receive all pieces, and have the limit wait longer for a body of which more is there."""
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            piece, more = message.get("body", b""), message.get("more_body", False)
            size += len(piece)
            if size > self._most_of_bulk:
                raise self._too_large("The body is larger", 413, bulk=True)
            pieces.append(piece)
            if more:
                limit.put_off(until + size / BYTES_A_SECOND)
        return size

    def _too_slow(self, size: int) -> HttpRefusalError:
        seconds = self._seconds + size / BYTES_A_SECOND
        said = f"Of the body {size:,} bytes came in {seconds:.0f} s, and not its end"
        told = (
            f"{said}; it has {self._seconds:g} s ({variable('body_timeout_seconds')}), and one more "
            f"for each {BYTES_A_SECOND:,} bytes."
        )
        return HttpRefusalError(408, told, headers={"Connection": "close"})

    def check_operation(self, body: bytes, text: str, operation_name: str | None) -> None:
        """Refuse a body over the limit of all operations but a bulk's, now that it is known what it asks."""
        if len(body) <= self.most:
            return
        excess = check_text(text, self._limits)
        if excess is not None:
            raise HttpRefusalError.over(413, excess)
        if not is_bulk(text, operation_name, self._limits.max_tokens):
            raise self._too_large(f"The body has {len(body):,} bytes", 413)

    def _too_large(self, what: str, status: int, *, bulk: bool = False) -> HttpRefusalError:
        name = "max_bulk_body_bytes" if bulk else "max_body_bytes"
        limit = self._most_of_bulk if bulk else self.most
        return HttpRefusalError.over(status, exceeded(what, name, limit))
