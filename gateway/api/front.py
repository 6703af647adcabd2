"""The outermost layer: it names each request, counts and traces it, and refuses others' hosts.

One layer, because each wraps every message of every answer; and what is asked most goes from here
straight to what answers it, without a look at the routes.
"""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse
from structlog.contextvars import bind_contextvars, reset_contextvars

from gateway.api.head import head_of
from gateway.api.hosts import means_this_machine, refuse_host
from gateway.api.request_ids import REQUEST_ID_NAME, name_request
from gateway.telemetry.spans import NOTHING, Role, kept_by

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from gateway.account import Account
    from gateway.api.head import Head
    from gateway.telemetry.metrics import Metrics
    from gateway.telemetry.spans import Span, Tracing

METHODS = frozenset({"GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"})
OTHER = "other"
"""Stands for whatever callers make up: labels must not grow with what they send."""
TRACE_HEADERS = ("traceparent", "tracestate")

_FAULT = PlainTextResponse("Internal Server Error", status_code=HTTPStatus.INTERNAL_SERVER_ERROR)


class Front:
    """Lets the app answer; needs the app's account in its state.

    A request's id is in its answer's X-Request-Id and in every line logged meanwhile. `routes` are
    the paths that metrics and traces name, and `direct` what answers to all of a path's requests.
    With `checks_hosts`, a gateway that is open to this machine alone is asked under its names alone.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        routes: Sequence[str],
        direct: Mapping[str, ASGIApp],
        checks_hosts: bool,
    ) -> None:
        self.app = app
        self._routes = frozenset(routes)
        self._direct = direct
        self._checks_hosts = checks_hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request or a WebSocket."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        account: Account = scope["app"].state["account"]  # as an attribute it is found last
        head, path, method = head_of(scope), scope["path"], scope.get("method", "GET")
        name = name_request(scope, head)
        answer = _Answer(
            send,
            account.watching.metrics,
            name,
            method if method in METHODS else OTHER,
            path if path in self._routes else OTHER,
        )
        app = self._app_for(scope, head, account)
        bound = bind_contextvars(request_id=name)
        try:
            if account.watching.tracing is None:
                await answer.of(app, scope, receive)
            else:
                await answer.traced(account.watching.tracing, head, app, scope, receive)
        finally:
            reset_contextvars(**bound)

    def _app_for(self, scope: Scope, head: Head, account: Account) -> ASGIApp:
        if (
            self._checks_hosts
            and account.door.loopback_only
            and not means_this_machine(head.get(b"host", b""))
        ):
            return refuse_host
        if scope["type"] == "http" and not scope.get("root_path"):
            return self._direct.get(scope["path"], self.app)
        return self.app


class _Answer:
    """One request's answer: counted, and given the request's id, when it begins."""

    __slots__ = (
        "_counted",
        "_method",
        "_metrics",
        "_name",
        "_route",
        "_send",
        "_serving",
        "_start",
    )

    def __init__(self, send: Send, metrics: Metrics, name: str, method: str, route: str) -> None:
        self._send = send
        self._metrics = metrics
        self._name = name
        self._method = method
        self._route = route
        self._serving: Span = NOTHING
        self._start = time.perf_counter()
        self._counted = False

    async def of(self, app: ASGIApp, scope: Scope, receive: Receive) -> None:
        """Let the app answer; what it leaves unanswered by a fault, which the server logs, is a 500."""
        try:
            await app(scope, receive, self._pass)
        except Exception:
            if scope["type"] == "http" and not self._counted:
                await _FAULT(scope, receive, self._pass)
            self._count(HTTPStatus.INTERNAL_SERVER_ERROR)
            raise

    async def traced(
        self, tracing: Tracing, head: Head, app: ASGIApp, scope: Scope, receive: Receive
    ) -> None:
        """Let the app answer, as part of the caller's trace where it has one."""
        named = {name: head.get(name.encode()) for name in TRACE_HEADERS}
        given = {
            name: value.decode("latin-1") for name, value in named.items() if value is not None
        }
        attributes = {
            "http.request.method": self._method,
            "http.route": self._route,
            "gateway.request_id": self._name,
        }
        with (
            kept_by(tracing, given),
            # A WebSocket lasts: each of its operations is a span of its own instead.
            tracing.span(f"{self._method} {self._route}", attributes, role=Role.SERVER)
            if scope["type"] == "http"
            else NOTHING as serving,
        ):
            self._serving = serving
            await self.of(app, scope, receive)

    async def _pass(self, message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.start":
            self._count(message["status"])
            message["headers"] = self._named(message)
        elif kind == "websocket.accept":
            self._count(HTTPStatus.SWITCHING_PROTOCOLS)
            message["headers"] = self._named(message)
        await self._send(message)

    def _named(self, message: Message) -> list[tuple[bytes, bytes]]:
        headers = [pair for pair in message.get("headers", ()) if pair[0] != REQUEST_ID_NAME]
        headers.append((REQUEST_ID_NAME, self._name.encode()))
        return headers

    def _count(self, status: int) -> None:
        if self._counted:
            return
        self._counted = True
        self._serving.note("http.response.status_code", int(status))
        seconds = time.perf_counter() - self._start
        self._metrics.answered(self._method, self._route, int(status), seconds)
