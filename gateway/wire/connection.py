"""One connection to a backend: one request at a time, and its answer."""

from __future__ import annotations

import asyncio
import codecs
import re
import zlib
from functools import lru_cache
from typing import TYPE_CHECKING, cast

import httptools

from gateway.calls import Answer
from gateway.wire.errors import ServerDisconnectedError, UnreadableAnswerError

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST_ANSWER = 64 * 1024 * 1024
"""Bytes of an answer, on the wire and unpacked."""
SWITCHED = 101
FINAL = 200
"""Answers below this one come before the one that counts."""
_ZLIB_OR_GZIP = 32 + zlib.MAX_WBITS
_CHARSET = re.compile(r'charset="?([\w.:-]+)', re.IGNORECASE)


class Connection(asyncio.Protocol):
    """Sends a request and reads its answer, then is free for the next."""

    def __init__(self, on_lost: Callable[[Connection], None]) -> None:
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[Answer] | None = None
        self.made = False
        """Whether there has been a connection; then `on_lost` hears of its end."""
        self.lost: asyncio.Future[None] = self._loop.create_future()
        self.deadline = 0.0
        """When the answer must be there, on the loop's clock; for the pool."""
        self.free_since = 0.0
        """Since when nobody has used it; for the pool."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._parser = httptools.HttpResponseParser(self)
        self.made = True

    # ------------------------------------------------------------ for the pool

    def ask(self, request: bytes, *, headless: bool = False) -> asyncio.Future[Answer]:
        """The answer to a request, which leaves now; `headless` where the answer is a head alone.

        Its errors are those of `errors.py`.
        """
        self._headless = headless
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._received = 0
        self._has_head = self._has_all = self._reusable = False
        self._answer = self._loop.create_future()
        self._transport.write(request)
        return self._answer

    @property
    def usable(self) -> bool:
        """Whether it is free and open."""
        return self._answer is None and not self._transport.is_closing()

    def end(self, error: BaseException | None = None) -> None:
        """Close it at once; whoever waits for an answer is told so by the error."""
        answer, self._answer = self._answer, None
        if answer is not None and error is not None and not answer.done():
            answer.set_exception(error)
        self._transport.abort()

    # ------------------------------------------------------------ what comes in

    def data_received(self, data: bytes) -> None:
        """Read on."""
        if self._answer is None:
            self._transport.abort()  # nobody has asked: the next one would take it for an answer
            return
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._reusable = False
            if not self._has_all:
                failure = UnreadableAnswerError("not HTTP")
                failure.__cause__ = error
                self.end(failure)
                return
        if self._has_all:
            self._give()
        elif self._received > LARGEST_ANSWER:
            self.end(UnreadableAnswerError("too large"))

    def connection_lost(self, exc: Exception | None) -> None:
        """The end, which is also that of an answer whose length nobody has said."""
        if self._answer is not None:
            if self._has_head and exc is None and self._lasts_until_the_end():
                self._give()
            else:
                failure = ServerDisconnectedError("the connection ended before the answer")
                failure.__cause__ = exc
                self.end(failure)
        del self._parser  # it holds this connection, and this one it
        self.lost.set_result(None)
        self._on_lost(self)

    def _lasts_until_the_end(self) -> bool:
        codings = self._headers.get("transfer-encoding", "").lower()
        return "content-length" not in self._headers and not codings.endswith("chunked")

    def _give(self) -> None:
        """Give the answer to whoever waits for it."""
        answer, self._answer = cast("asyncio.Future[Answer]", self._answer), None
        if not self._reusable or self._transport.get_write_buffer_size():
            # Also where the backend has answered without waiting for all of a body.
            self._transport.abort()
        if answer.done():
            return
        try:
            content = _unpacked(b"".join(self._body), self._headers.get("content-encoding", ""))
        except UnreadableAnswerError as error:
            answer.set_exception(error)
            return
        text = content.decode(_encoding(self._headers.get("content-type", "")), "replace")
        answer.set_result(Answer(self._status, self._headers, content, text))

    # ------------------------------------------------------------ for the parser

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; those behind a body are left out."""
        if self._has_head:
            return
        lower, text = _lower(name), value.decode("latin-1").rstrip()
        told = self._headers
        told[lower] = f"{told[lower]}, {text}" if lower in told else text

    def on_headers_complete(self) -> None:
        """Know the status; the first answer alone counts."""
        if self._has_all:
            self._reusable = False  # there is more than was asked for
            return
        self._status = self._parser.get_status_code()
        self._has_head = True
        self._has_all = self._headless and self._status >= FINAL

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        if not self._has_all:
            self._body.append(body)

    def on_message_complete(self) -> None:
        """Be done, unless an answer to come was only announced."""
        if self._status < FINAL and self._status != SWITCHED:
            self._headers, self._has_head = {}, False
        elif not self._has_all:
            self._has_all = True
            self._reusable = self._parser.should_keep_alive()


@lru_cache(maxsize=256)
def _lower(name: bytes) -> str:
    """A header's name, of which a backend sends the same few with each answer."""
    return name.decode("latin-1").lower()


def _unpacked(content: bytes, coding: str) -> bytes:
    """The content without the coding that it came in."""
    if not content or not coding or coding.lower() == "identity":
        return content
    if coding.lower() not in {"gzip", "x-gzip", "deflate"}:
        raise UnreadableAnswerError(f"packed as {coding}")
    unpacking = zlib.decompressobj(_ZLIB_OR_GZIP)
    try:
        unpacked = unpacking.decompress(content, LARGEST_ANSWER)
    except zlib.error as error:
        raise UnreadableAnswerError("packed wrongly") from error
    if not unpacking.eof:
        raise UnreadableAnswerError("cut off, or too large")
    return unpacked


@lru_cache(maxsize=64)
def _encoding(content_type: str) -> str:
    """How the text of an answer is encoded: UTF-8 unless it says otherwise."""
    named = _CHARSET.search(content_type)
    if named is None:
        return "utf-8"
    try:
        return codecs.lookup(named[1]).name
    except LookupError:
        return "utf-8"
