"""A backend small enough to see through, and servers on real sockets."""

from __future__ import annotations

import socket
import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from gateway.sandbox.clock import ManualClock
from gateway.sandbox.frame import Frame, Mounted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import ASGIApp


class Counter:
    """A simulated backend that counts the calls that reached it and echoes them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.switches: dict[str, Any] = {"loud": False, "seconds": 1.5, "form": "a", "cap": 3}
        self.reached = 0
        routes = [
            Route("/stream", self._stream, methods=["GET"]),
            Route("/empty", self._empty, methods=["DELETE"]),
            Route("/{path:path}", self._echo, methods=["GET", "POST", "PUT", "DELETE"]),
        ]
        self.app: ASGIApp = Starlette(routes=routes)

    async def _echo(self, request: Request) -> Response:
        self.reached += 1
        body = (await request.body()).decode()
        return JSONResponse({"reached": self.reached, "body": body}, headers={"X-From": self.name})

    async def _empty(self, _: Request) -> Response:
        self.reached += 1
        return Response(status_code=204)

    async def _stream(self, _: Request) -> Response:
        async def parts() -> AsyncIterator[bytes]:
            for part in (b"one,", b"two,", b"three"):
                yield part

        return StreamingResponse(parts())

    def reset(self) -> None:
        self.reached = 0
        self.switches["loud"] = False

    def dump(self) -> dict[str, Any]:
        return {"reached": self.reached}

    def load(self, state: Mapping[str, Any]) -> None:
        self.reached = state["reached"]


class Small:
    """A frame around two counting backends, the second of which has a second app."""

    def __init__(self, database: Path | None = None) -> None:
        self.clock = ManualClock()
        self.first = Counter("first")
        self.second = Counter("second")
        self.frame = Frame(
            [
                Mounted(at="/first", backend=self.first, app=self.first.app),
                Mounted(at="/second/rest", backend=self.second, app=self.second.app),
                Mounted(
                    at="/second/tokens", backend=self.second, app=self.second.app, prefix="/tokens"
                ),
            ],
            clock=self.clock,
            database=database,
        )

    def client(self, app: ASGIApp | None = None) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=app or self.frame.app)
        return httpx.AsyncClient(transport=transport, base_url="http://sandbox")


class MakeSmall(Protocol):
    def __call__(self, database: Path | None = None) -> Small: ...


class Serve(Protocol):
    def __call__(self, app: ASGIApp, http: str = "auto") -> str: ...


@pytest.fixture
def make_small() -> Iterator[MakeSmall]:
    with ExitStack() as opened:

        def make(database: Path | None = None) -> Small:
            made = Small(database)
            opened.callback(made.frame.close)
            return made

        yield make


@pytest.fixture
def small(make_small: MakeSmall) -> Small:
    return make_small()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Give a function that serves an app on a free port, in a thread, until the test ends."""
    with ExitStack() as running:

        def start(app: ASGIApp, http: str = "auto") -> str:
            return running.enter_context(_served(app, http))

        yield start


@contextmanager
def _served(app: ASGIApp, http: str) -> Iterator[str]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        # Listening already here means that nobody has to wait for the server to be ready.
        listening.listen()
        port = listening.getsockname()[1]
        config = uvicorn.Config(app, http=http, ws="none", lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join()
