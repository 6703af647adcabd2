"""What a call to a simulated backend passes: recording, faults, and keeping its state after it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gateway.sandbox import connection

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from gateway.sandbox.backend import SimulatedBackend
    from gateway.sandbox.calls import Call, Calls
    from gateway.sandbox.clock import Clock
    from gateway.sandbox.faults import Fault, Faults
    from gateway.sandbox.persistence import StateFile

_READING = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(slots=True)
class _Answer:
    """An answer that was caught on its way out."""

    start: Message = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)

    async def catch(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = message
        else:
            self.body += message.get("body", b"")


class Front:
    """A backend's app as the sandbox mounts it.

    `prefix` is put before the paths of recorded calls and faults, where a backend has a second app.
    The request's body is read whole before the backend sees it; answers pass as they come.
    """

    def __init__(
        self,
        backend: SimulatedBackend,
        app: ASGIApp,
        *,
        faults: Faults,
        calls: Calls,
        clock: Clock,
        state_file: StateFile | None,
        prefix: str = "",
    ) -> None:
        self._backend = backend
        self._app = app
        self._faults = faults
        self._calls = calls
        self._clock = clock
        self._state_file = state_file
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call, as ASGI applications do."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = await _read_body(receive)
        if body is None:
            return
        path = self._prefix + scope["path"].removeprefix(scope.get("root_path", ""))
        query = scope["query_string"].decode("latin-1")
        call = self._calls.begin(
            backend=self._backend.name,
            method=scope["method"],
            path=path,
            query=query,
            headers=list(scope["headers"]),
            body=body,
            at=self._clock.now(),
        )
        fault = self._faults.take(self._backend.name, scope["method"], path, query)
        replay = _replay(body, receive)
        if fault is None:
            await self._act(scope, replay, _noting(call, send))
        else:
            await self._fail(fault, scope, replay, receive, _noting(call, send))

    async def _act(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the backend do what it was asked, then keep its state."""
        try:
            await self._app(scope, receive, send)
        finally:
            if self._state_file is not None and scope["method"] not in _READING:
                self._state_file.keep(self._backend)

    async def _fail(
        self, fault: Fault, scope: Scope, replay: Receive, receive: Receive, send: Send
    ) -> None:
        delay = fault.delay_ms / 1000
        if not fault.acts_first:
            await asyncio.sleep(delay)
            if fault.drop == "before":
                await connection.drop(receive, send)
                return
            if not fault.answers and not fault.truncate:
                await self._act(scope, replay, send)
                return
        answer = _Answer()
        if fault.acts_first or not fault.answers:
            await self._act(scope, replay, answer.catch)
        if fault.acts_first:
            await asyncio.sleep(delay)
        if fault.drop == "after":
            await connection.drop(receive, send)
            return
        if fault.answers:
            answer = _own_answer(fault)
        await _send(answer, receive, send, cut=fault.truncate)


def _own_answer(fault: Fault) -> _Answer:
    status, headers, body = fault.answer()
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    start: dict[str, Any] = {"type": "http.response.start", "status": status, "headers": raw}
    return _Answer(start, bytearray(body))


async def _send(answer: _Answer, receive: Receive, send: Send, *, cut: bool) -> None:
    body = bytes(answer.body)
    headers = [(name, value) for name, value in answer.start["headers"] if not _is_framing(name)]
    if answer.start["status"] not in {204, 304}:
        headers.append((b"content-length", str(len(body)).encode()))
    start = {**answer.start, "headers": headers}
    if cut and body:
        await connection.send_cut(start, body[: len(body) // 2], receive, send)
        return
    await send(start)
    await send({"type": "http.response.body", "body": body})


def _is_framing(name: bytes) -> bool:
    return name.lower() in {b"content-length", b"transfer-encoding"}


def _noting(call: Call, send: Send) -> Send:
    async def note(message: Message) -> None:
        if message["type"] == "http.response.start":
            call.status = message["status"]
        await send(message)

    return note


async def _read_body(receive: Receive) -> bytes | None:
    """Give the whole body, None when the caller went away before its end."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Give the body that was read, once; after it whatever the server has to say."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay
