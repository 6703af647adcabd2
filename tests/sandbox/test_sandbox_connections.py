from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from tests.sandbox.conftest import Serve, Small

IMPLEMENTATIONS = ["h11", "httptools"]


@pytest.fixture(autouse=True)
def no_server_error(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.WARNING, logger="uvicorn.error"):
        yield
    assert caplog.record_tuples == []


class Wrapping:
    """A middleware whose `send` and `receive` hide the server's own, as many do."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def receive_through() -> Message:
            return await receive()

        async def send_through(message: Message) -> None:
            await send(message)

        await self._app(scope, receive_through, send_through)


@pytest.mark.parametrize("http", IMPLEMENTATIONS)
@pytest.mark.parametrize(("drop", "reached"), [("before", 0), ("after", 1)])
def test_dropped_connection_is_closed_without_an_answer(
    small: Small, serve: Serve, http: str, drop: str, reached: int
) -> None:
    small.frame.faults.add({"backend": "first", "drop": drop})
    with httpx.Client(base_url=serve(small.frame.app, http)) as client:
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            client.put("/first/things", json={"a": 1})
        assert small.first.reached == reached
        assert client.put("/first/things", json={"a": 1}).json()["reached"] == reached + 1
    assert [call["status"] for call in small.frame.calls.shown()] == [None, 200]


@pytest.mark.parametrize("http", IMPLEMENTATIONS)
def test_drop_on_a_connection_that_was_used_before(small: Small, serve: Serve, http: str) -> None:
    with httpx.Client(base_url=serve(small.frame.app, http)) as client:
        assert client.get("/first/things").status_code == 200
        small.frame.faults.add({"backend": "first", "drop": "after"})
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            client.post("/first/things", content=b"x" * 200_000)
    assert small.first.reached == 2


@pytest.mark.parametrize("http", IMPLEMENTATIONS)
def test_truncated_answer_promises_more_than_it_sends(
    small: Small, serve: Serve, http: str
) -> None:
    small.frame.faults.add({"backend": "first", "truncate": True})
    with httpx.Client(base_url=serve(small.frame.app, http)) as client:
        with client.stream("GET", "/first/things") as answer:
            assert answer.status_code == 200
            promised = int(answer.headers["content-length"])
            got: list[bytes] = []
            with pytest.raises(httpx.RemoteProtocolError):
                got.extend(answer.iter_raw())
        assert 0 < len(b"".join(got)) < promised
        assert b"".join(got) == b'{"reached":'


@pytest.mark.parametrize("http", IMPLEMENTATIONS)
def test_connection_is_found_behind_middlewares(small: Small, serve: Serve, http: str) -> None:
    middlewares = [Middleware(Wrapping), Middleware(GZipMiddleware)]
    app = Starlette(routes=small.frame.routes, middleware=middlewares)
    small.frame.faults.add({"backend": "first", "drop": "before"})
    with httpx.Client(base_url=serve(app, http)) as client:
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            client.get("/first/things")
        assert client.get("/first/things").status_code == 200


def test_answers_stream_through_over_a_socket(small: Small, serve: Serve) -> None:
    with httpx.Client(base_url=serve(small.frame.app)) as client:
        answer = client.get("/first/stream")
    assert answer.text == "one,two,three"
    assert "content-length" not in answer.headers
