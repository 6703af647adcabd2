"""What surrounds the view: the request's id, and answers to pages of other origins."""

from __future__ import annotations

import re
import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING

import orjson
import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response

from gateway.api.errors import HttpRefusalError
from gateway.api.negotiation import JSON

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUEST_ID = "X-Request-Id"

_FIT = re.compile(r"[A-Za-z0-9._~-]{1,64}")
"""An id of the caller's own goes into the log and to the backends: nothing else is taken over."""

_SCOPE_KEY = "gateway.request_id"


def request_id(connection: HTTPConnection) -> str:
    """The id of this request; a new one where no middleware gave it any."""
    known = connection.scope.get(_SCOPE_KEY)
    return known if isinstance(known, str) else uuid.uuid4().hex


class RequestIds:
    """Names each request, in the answer's X-Request-Id and in every line logged meanwhile.

    The caller's own X-Request-Id is taken over where it is fit.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request or a WebSocket."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get(REQUEST_ID, "")
        name = given if _FIT.fullmatch(given) else uuid.uuid4().hex
        scope[_SCOPE_KEY] = name

        async def send_named(message: Message) -> None:
            if message["type"] in {"http.response.start", "websocket.accept"}:
                message.setdefault("headers", [])
                MutableHeaders(scope=message)[REQUEST_ID] = name
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=name):
            await self.app(scope, receive, send_named)


class Cors(CORSMiddleware):
    """Starlette's CORS with preflights answered by a status alone, or by a GraphQL error."""

    def preflight_response(self, request_headers: Headers) -> Response:
        """204 where the page may send what it asks for, else 400 saying what is not allowed."""
        made = super().preflight_response(request_headers)
        headers = {
            name: value
            for name, value in made.headers.items()
            if name not in {"content-length", "content-type"}
        }
        if made.status_code == HTTPStatus.OK:
            return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)
        refused = HttpRefusalError(made.status_code, bytes(made.body).decode())
        content = orjson.dumps(refused.body)
        return Response(content, made.status_code, headers, media_type=JSON)
