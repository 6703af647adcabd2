"""What is counted and traced of requests and of the operations in them."""

from __future__ import annotations

import time
from contextlib import aclosing, contextmanager, nullcontext
from http import HTTPStatus
from typing import TYPE_CHECKING

from graphql import FieldNode, get_operation_ast
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from strawberry.types.execution import PreExecutionError

from gateway.api.limits import exceeded
from gateway.api.middleware import request_id
from gateway.telemetry.spans import NOTHING, Role, kept_by, span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from graphql import GraphQLError
    from starlette.types import ASGIApp, Message, Receive, Scope, Send
    from strawberry.schema.schema import StreamResult

    from gateway.account import Account
    from gateway.api.context import Context
    from gateway.api.documents import Prepared
    from gateway.telemetry.metrics import Metrics
    from gateway.telemetry.spans import Span

METHODS = frozenset({"GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"})
OTHER = "other"
"""Stands for whatever callers make up: labels must not grow with what they send."""
SEVERAL = "several"
NONE = "none"
TRACE_HEADERS = ("traceparent", "tracestate")


class Watched:
    """Counts requests, and begins their traces; needs the app's account in its state."""

    def __init__(self, app: ASGIApp, *, routes: Sequence[str]) -> None:
        self.app = app
        self._routes = frozenset(routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request or a WebSocket."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        account: Account = scope["app"].state.account
        watching = account.watching
        route = scope["path"] if scope["path"] in self._routes else OTHER
        method = scope.get("method", "GET")
        method = method if method in METHODS else OTHER
        if watching.tracing is None:
            await _Answer(send, watching.metrics, method, route, NOTHING).of(
                self.app, scope, receive
            )
            return
        headers = Headers(scope=scope)
        given = {name: headers[name] for name in TRACE_HEADERS if name in headers}
        attributes = {
            "http.request.method": method,
            "http.route": route,
            "gateway.request_id": request_id(HTTPConnection(scope)),
        }
        with (
            kept_by(watching.tracing, given),
            # A WebSocket lasts: each of its operations is a span of its own instead.
            watching.tracing.span(f"{method} {route}", attributes, role=Role.SERVER)
            if scope["type"] == "http"
            else NOTHING as serving,
        ):
            await _Answer(send, watching.metrics, method, route, serving).of(
                self.app, scope, receive
            )


class _Answer:
    """One request's answer, counted when it begins."""

    def __init__(
        self, send: Send, metrics: Metrics, method: str, route: str, serving: Span
    ) -> None:
        self._send = send
        self._metrics = metrics
        self._names = (method, route)
        self._serving = serving
        self._started = time.perf_counter()
        self._counted = False

    async def of(self, app: ASGIApp, scope: Scope, receive: Receive) -> None:
        """Let the app answer; what it leaves unanswered by a fault is answered with 500 outside."""
        try:
            await app(scope, receive, self._begin)
        except Exception:
            self._count(HTTPStatus.INTERNAL_SERVER_ERROR)
            raise

    async def _begin(self, message: Message) -> None:
        status = _status_of(message)
        if status is not None:
            self._count(status)
        await self._send(message)

    def _count(self, status: int) -> None:
        if self._counted:
            return
        self._counted = True
        self._serving.note("http.response.status_code", int(status))
        self._metrics.answered(*self._names, int(status), time.perf_counter() - self._started)


def _status_of(message: Message) -> int | None:
    """The status of an answer that begins; of a WebSocket, whether it is accepted."""
    if message["type"] == "http.response.start":
        return int(message["status"])
    return HTTPStatus.SWITCHING_PROTOCOLS if message["type"] == "websocket.accept" else None


class Ran:
    """How an operation has ended."""

    def __init__(self) -> None:
        self.outcome = "ok"
        self.faults = 0

    def note(self, answer: object) -> None:
        """Take note of an answer."""
        errors: Sequence[GraphQLError] = getattr(answer, "errors", None) or ()
        if errors:
            self.outcome = "errors"
            self.faults += sum(_is_fault(error) for error in errors)


@contextmanager
def running(context: Context, name: str | None) -> Iterator[Ran]:
    """Count and trace an operation while it runs; what it is called is known at its end."""
    metrics = context.account.watching.metrics
    ran, started = Ran(), time.perf_counter()
    with span("operation") as current:
        try:
            yield ran
        except BaseException:
            ran.outcome = "errors"
            raise
        finally:
            kind, field = class_of(context.prepared, name)
            outcome = ran.outcome if kind != NONE else "invalid"
            current.rename(f"{kind} {field}" if kind != NONE else "invalid operation")
            current.note("graphql.operation.type", kind)
            if outcome != "ok":
                current.failed(outcome)
            metrics.operated(kind, field, outcome, time.perf_counter() - started)
            metrics.faults.inc(ran.faults)


async def counted(stream: StreamResult, context: Context, name: str | None) -> StreamResult:
    """The answers of an operation that streams; its first one is what is counted and traced.

    What comes later may be asked for from another task, where the span would not be the current.
    """
    is_subscription = class_of(context.prepared, name)[0] == "subscription"
    with _following(context) if is_subscription else nullcontext() as refusal:
        async with aclosing(stream) as answers:
            with running(context, name) as ran:
                first = await anext(answers, None) if refusal is None else refusal
                ran.note(first)
            if first is not None:
                yield first
            if refusal is None:
                async for answer in answers:
                    yield answer


@contextmanager
def _following(context: Context) -> Iterator[PreExecutionError | None]:
    """Count a caller's subscription while it is open; what is answered where it may open no more."""
    metrics, following = context.account.watching.metrics, context.account.door.following
    caller, most = context.caller.id, context.account.settings.max_subscriptions_per_caller
    if following[caller] >= most:
        said = "As many subscriptions of this caller are open"
        error = exceeded(said, "max_subscriptions_per_caller", most)
        yield PreExecutionError(data=None, errors=[error])
        return
    following[caller] += 1
    metrics.subscriptions.inc()
    try:
        yield None
    finally:
        metrics.subscriptions.dec()
        following[caller] -= 1
        if not following[caller]:
            del following[caller]


def class_of(prepared: Prepared, name: str | None) -> tuple[str, str]:
    """An operation's type and the field at its root; several for more, none for what is not valid.

    Only a valid document's names are the schema's words: others are the caller's, and stay out.
    """
    if prepared.document is None or prepared.errors:
        return NONE, NONE
    operation = get_operation_ast(prepared.document, name)
    if operation is None:
        return NONE, NONE
    names = {
        one.name.value if isinstance(one, FieldNode) else SEVERAL
        for one in operation.selection_set.selections
    }
    return operation.operation.value, names.pop() if len(names) == 1 else SEVERAL


def _is_fault(error: GraphQLError) -> bool:
    return (error.extensions or {}).get("code") == "INTERNAL_ERROR"
