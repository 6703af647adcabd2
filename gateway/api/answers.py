"""Answers to single operations, and to what is refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import orjson
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response

from gateway.api.errors import STATUS_OF_CODE
from gateway.api.head import head_of
from gateway.api.negotiation import GRAPHQL_RESPONSE, JSON

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from starlette.types import Receive, Scope, Send
    from strawberry.http import GraphQLHTTPResponse

COMPRESSED_FROM = 1_000
"""Bytes of an answer from which compressing it is worth the time."""

NO_GZIP = re.compile(rb"\bgzip\s*;\s*q=0(\.0*)?\s*(,|$)", re.IGNORECASE)
"""Starlette takes it for a wish to have gzip."""

_CONTENT_TYPES = {
    kind: (b"content-type", f"{kind}; charset=utf-8".encode()) for kind in (JSON, GRAPHQL_RESPONSE)
}


class Answer(Response):
    """JSON that is sent as it is, or compressed where it is long and the client takes that.

    It is made with what is known of it: Starlette's own looks for that in any content.
    """

    body: bytes

    def __init__(
        self, content: Any, status: int, media_type: str, headers: Mapping[str, str]
    ) -> None:
        self.body = orjson.dumps(content)
        self.status_code = status
        self.background = None
        self.raw_headers = [
            (b"content-length", b"%d" % len(self.body)),
            _CONTENT_TYPES.get(media_type, _CONTENT_TYPES[JSON]),
            *((name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()),
        ]

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Coroutine[Any, Any, None]:
        """Send it."""
        if len(self.body) < COMPRESSED_FROM or _refuses_gzip(scope):
            return self._send(scope, receive, send)
        compressing = GZipMiddleware(self._send, minimum_size=COMPRESSED_FROM, compresslevel=5)
        return compressing(scope, receive, send)

    async def _send(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        start = {"status": self.status_code, "headers": self.raw_headers}
        await send({"type": "http.response.start", **start})
        await send({"type": "http.response.body", "body": self.body})


def _refuses_gzip(scope: Scope) -> bool:
    return NO_GZIP.search(head_of(scope).get(b"accept-encoding", b"")) is not None


def drop_empty_data(answer: GraphQLHTTPResponse) -> list[Any]:
    """The errors of a request of which nothing has run, whose answer loses its `data`; else none."""
    errors: list[Any] = answer.get("errors") or []
    if answer.get("data") is not None or any("path" in error for error in errors):
        return []
    if errors:
        answer.pop("data", None)
    return errors


def answered(
    answer: GraphQLHTTPResponse, media_type: str, headers: Mapping[str, str] | None = None
) -> Answer:
    """An operation's answer, with the status that its media type wants for a request error."""
    status = 200
    errors = drop_empty_data(answer)
    if errors and media_type == GRAPHQL_RESPONSE:
        code = errors[0].get("extensions", {}).get("code")
        status = STATUS_OF_CODE.get(code, 400)
    return Answer(answer, status, media_type, headers or {})
