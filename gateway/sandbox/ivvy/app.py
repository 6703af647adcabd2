"""The HTTP face of the simulated iVvy: `POST /api/1.0/{namespace}?action={action}`.

The order of the checks is ASSUMED, as the contract has it (section 9, last paragraph): method, known
call, authentication, JSON, parameters, rules.
"""

from __future__ import annotations

import json
from collections import deque
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, quote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from gateway.sandbox.ivvy import calls, errors, signature
from gateway.sandbox.ivvy.errors import ApiError
from gateway.sandbox.ivvy.parameters import mapping

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive, Scope, Send

    from gateway.sandbox.ivvy.store import Store

PREFIX: Final = "/api/1.0/"
CREDENTIALS: Final[Mapping[str, str]] = {"sandbox-key": "sandbox-secret"}


def create_app(store: Store) -> Starlette:
    """Give the app over a store; it may be mounted under any prefix."""
    return Starlette(routes=[Route("/{path:path}", endpoint=IvvyEndpoint(store))])


def signed_target(scope: Scope) -> str:
    """Give path and query as they came over the wire, without what the app is mounted under.

    What is signed starts at `/api/1.0/`. The raw path is used, because decoding and encoding again
    need not give the text that the client signed.
    """
    raw = scope.get("raw_path") or quote(scope["path"]).encode()
    path = raw.decode("latin-1").removeprefix(quote(scope.get("root_path", "")))
    query = scope["query_string"].decode("latin-1")
    return f"{path}?{query}" if query else path


class IvvyEndpoint:
    """Answers every request, whatever its method and path, with iVvy's JSON."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._recent: deque[float] = deque()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (the ASGI interface)."""
        request = Request(scope, receive)
        body = await request.body()
        response = self._respond(request, body)
        await response(scope, receive, send)

    def _respond(self, request: Request, body: bytes) -> JSONResponse:
        calls.settle_batches(self._store)
        switches = self._store.switches
        try:
            code, answer = self._answer(request, body)
        except ApiError as error:
            code, answer = calls.answer(self._store, error)
        headers = {}
        if code == 429 and switches["retry_after_seconds"]:  # noqa: PLR2004 - the HTTP status
            headers["Retry-After"] = str(switches["retry_after_seconds"])
        if switches["ids_as_strings"]:
            answer = _ids_as_strings(answer)
        # ASSUMED: the HTTP status is the errorCode for every code; the pages show it for three.
        status = code if switches["http_status"] == "code" else 200
        return JSONResponse(answer, status_code=status, headers=headers)

    def _answer(self, request: Request, body: bytes) -> tuple[int, Any]:
        if request.method != "POST":
            raise ApiError(405, errors.WRONG_METHOD, "Every call is a POST")
        target = signed_target(request.scope)
        namespace, _, query = target.removeprefix(PREFIX).partition("?")
        names = parse_qs(query).get("action", [""])
        if not target.startswith(PREFIX):
            raise ApiError(404, errors.UNKNOWN_CALL, f"Paths start with {PREFIX}")
        action = calls.find(namespace, names[0])
        signature.verify(
            signature.Received(target=target, headers=dict(request.headers), body=body),
            credentials=CREDENTIALS,
            now=self._store.now(),
            window_seconds=self._store.switches["date_window_seconds"],
        )
        self._count()
        return calls.perform(self._store, action, _read_body(body))

    def _count(self) -> None:
        """Refuse what exceeds the quota. ASSUMED: no limit is published; off by default."""
        quota = self._store.switches["requests_per_second"]
        if not quota:
            return
        now = self._store.now().timestamp()
        while self._recent and self._recent[0] <= now - 1:
            self._recent.popleft()
        if len(self._recent) >= quota:
            raise ApiError(429, errors.TOO_MANY_REQUESTS, "Too many requests")
        self._recent.append(now)


def _read_body(body: bytes) -> Mapping[str, Any]:
    """Read the parameters; an empty body has none, as in the vendor's ping example."""
    try:
        return mapping(json.loads(body or b"{}"))
    except ValueError as error:
        raise ApiError(400, errors.NOT_JSON, "The body is not a JSON object") from error


def _ids_as_strings(value: Any, key: str = "") -> Any:
    """Turn the ids of an answer into text, as getContact gave them in 2018."""
    if isinstance(value, dict):
        return {name: _ids_as_strings(part, name) for name, part in value.items()}
    if isinstance(value, list):
        return [_ids_as_strings(part, key) for part in value]
    is_id = key == "id" or key.endswith("Id") or key == "companies"
    return str(value) if is_id and isinstance(value, int) else value
