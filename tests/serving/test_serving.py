"""What clients send before anything of it is GraphQL, to the program itself."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import pytest
import uvicorn
from starlette.applications import Starlette
from uvicorn.server import ServerState

from gateway.serving import connections, server
from tests.harness import free_port
from tests.program import HERE, gateway_dev

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from starlette.types import ASGIApp, Receive, Scope, Send

HANDSHAKE = (
    "GET /graphql{path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Protocol: graphql-transport-ws\r\n{more}\r\n"
)
LONG = "x" * 10_000
SECONDS = 20


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("serving")
    with gateway_dev(folder / "log", GATEWAY_DATABASE_URL="temporary") as address:
        yield address


@pytest.mark.parametrize(
    ("path", "more", "status"),
    [
        ("", f"Origin: https://{LONG}\r\n", b"431"),
        ("", "".join(f"X-{number}: x\r\n" for number in range(500)), b"431"),
        (f"?{LONG}", "", b"414"),
        ("", "Origin: https://elsewhere.example.com\r\n", b"403"),
    ],
    ids=["long header", "many headers", "long path", "another origin"],
)
def test_a_handshake_that_is_refused_is_answered_and_its_connection_closed(
    address: str, path: str, more: str, status: bytes
) -> None:
    host = urlsplit(address).netloc
    name, _, port = host.partition(":")
    with socket.create_connection((name, int(port)), timeout=SECONDS) as connection:
        connection.sendall(HANDSHAKE.format(path=path, host=host, more=more).encode())
        answer = b""
        while received := connection.recv(65_536):
            answer += received
    assert answer.split(b" ")[1] == status


BODY = json.dumps({"query": "{ __typename }"}).encode()
ANSWER = b'{"data":{"__typename":"Query"}}'


def posted(host: str, *more: str, body: bytes = BODY) -> bytes:
    lines = [
        "POST /graphql HTTP/1.1",
        f"Host: {host}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *more,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def read_to_the_end(connection: socket.socket) -> bytes:
    answer = b""
    while received := connection.recv(65_536):
        answer += received
    return answer


@pytest.fixture
def connection(address: str) -> Iterator[socket.socket]:
    name, _, port = urlsplit(address).netloc.partition(":")
    with socket.create_connection((name, int(port)), timeout=SECONDS) as connection:
        yield connection


HTTP_2 = (
    "Connection: Upgrade, HTTP2-Settings",
    "Upgrade: h2c",
    "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA",
)


def test_the_offer_of_another_protocol_is_declined_and_the_request_answered(
    address: str, connection: socket.socket
) -> None:
    host = urlsplit(address).netloc
    connection.sendall(posted(host) + posted(host, *HTTP_2))
    connection.sendall(posted(host, *HTTP_2, "Connection: close"))
    assert read_to_the_end(connection).count(ANSWER) == 3


def test_the_body_of_a_request_with_an_offer_may_come_in_pieces(
    address: str, connection: socket.socket
) -> None:
    request = posted(urlsplit(address).netloc, *HTTP_2, "Connection: close")
    for start in range(0, len(request), 7):
        connection.sendall(request[start : start + 7])
    assert read_to_the_end(connection).endswith(ANSWER)


def test_a_tunnel_is_refused(connection: socket.socket) -> None:
    connection.sendall(b"CONNECT /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert read_to_the_end(connection).split(b" ")[1] == b"405"


def test_a_head_without_an_end_is_not_kept(connection: socket.socket) -> None:
    connection.sendall(b"GET /graphql HTTP/1.1\r\nHost: localhost\r\nX-Long: ")
    sent = 0
    try:
        while sent < 50_000_000:
            sent += connection.send(b"x" * 65_536)
    except (ConnectionResetError, BrokenPipeError):
        pass
    assert sent < 50_000_000


def test_an_address_that_the_server_cannot_read_is_400(connection: socket.socket) -> None:
    address = "/graphql?query={__typename}&x=" + "x" * 65_536
    connection.sendall(f"GET {address} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert read_to_the_end(connection).split(b" ")[1] == b"400"


async def answer_late(scope: Scope, _receive: Receive, send: Send) -> None:
    await asyncio.sleep(float(scope["query_string"] or 0))
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


@asynccontextmanager
async def listening(app: ASGIApp, **settings: Any) -> AsyncIterator[tuple[str, int]]:
    """The address of a server."""
    config = uvicorn.Config(app, log_config=None, **settings)
    config.load()

    def protocol() -> connections.Connections:
        return connections.Connections(config=config, server_state=ServerState(), app_state={})

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()


@asynccontextmanager
async def served(
    **settings: Any,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to a server of its own."""
    async with listening(answer_late, **settings) as address:
        reader, writer = await asyncio.open_connection(*address)
        yield reader, writer
        writer.close()


@pytest.mark.parametrize(
    ("sent", "answers"),
    [
        (b"", 0),
        (b"GET / HTTP/1.1\r\nHost: ", 0),
        # A head that is begun while an answer is under way does not end that.
        (b"GET /?0.5 HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: ", 1),
    ],
    ids=["nothing", "half a head", "half a head behind a request"],
)
async def test_a_head_that_does_not_come_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, sent: bytes, answers: int
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.1)
    async with served() as (reader, writer):
        writer.write(sent)
        async with asyncio.timeout(SECONDS):
            answer = await reader.read()
    assert answer.count(b"204 No Content") == answers


@pytest.mark.parametrize("more", [("Connection: close",), ()], ids=["close", "keep alive"])
def test_a_large_body_that_is_refused_does_not_lose_the_answer(
    address: str, connection: socket.socket, more: tuple[str, ...]
) -> None:
    body = b'{"query": "' + b"x" * 20_000_000 + b'"}'
    connection.sendall(posted(urlsplit(address).netloc, *more, body=body))
    assert connection.recv(65_536).startswith(b"HTTP/1.1 413 ")


async def send_without_an_end(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"x" * 1000)
        await writer.drain()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("more", [b"Connection: close\r\n", b""], ids=["close", "keep alive"])
async def test_a_body_that_is_refused_is_not_taken_for_ever(
    monkeypatch: pytest.MonkeyPatch, more: bytes
) -> None:
    monkeypatch.setattr(connections, "LINGER_SECONDS", 0.1)
    monkeypatch.setattr(connections, "REST_SECONDS", 0.1)
    async with served() as (reader, writer):
        writer.write(
            b"POST / HTTP/1.1\r\nHost: a\r\n" + more + b"Content-Length: 9999999999\r\n\r\n"
        )
        async with asyncio.timeout(SECONDS):
            assert b"204 No Content" in await reader.read()
            with pytest.raises(ConnectionError):
                await send_without_an_end(writer)


async def test_the_rest_of_a_body_that_was_answered_ends_no_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "REST_SECONDS", 0.2)
    async with served() as (reader, writer):
        for _ in range(2):
            writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n1")
            async with asyncio.timeout(SECONDS):
                assert b"204 No Content" in await reader.readuntil(b"\r\n\r\n")
            writer.write(b"2")
            await asyncio.sleep(0.3)


class Endless(asyncio.Protocol):
    """A client that asks, and then takes nothing."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        self.transport.pause_reading()


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux alone bounds it")
async def test_a_client_that_takes_nothing_of_its_answer_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "UNREAD_SECONDS", 1)
    gone = asyncio.Event()

    async def answer_much(_scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            for _ in range(100):
                await send(
                    {"type": "http.response.body", "body": bytes(1 << 20), "more_body": True}
                )
            assert (await receive())["type"] != "http.disconnect"
        finally:
            gone.set()

    async with listening(answer_much) as address:
        transport, _ = await asyncio.get_running_loop().create_connection(Endless, *address)
        async with asyncio.timeout(SECONDS):
            await gone.wait()
        transport.close()


async def test_a_connection_is_closed_when_it_has_rested_and_not_while_it_is_asked() -> None:
    async with served(timeout_keep_alive=0.2) as (reader, writer):
        for seconds in (b"0", b"0.1", b"0.5", b"0"):  # shorter and longer than it is kept
            writer.write(b"GET /?" + seconds + b" HTTP/1.1\r\nHost: a\r\n\r\n")
            async with asyncio.timeout(SECONDS):
                assert b"204 No Content" in await reader.readuntil(b"\r\n\r\n")
        async with asyncio.timeout(SECONDS):
            assert await reader.read() == b""


async def test_a_connection_rests_as_long_after_each_of_its_requests() -> None:
    async with served(timeout_keep_alive=0.4) as (reader, writer):
        for seconds in (b"0", b"0.2"):
            asked = time.monotonic()
            writer.write(b"GET /?" + seconds + b" HTTP/1.1\r\nHost: a\r\n\r\n")
            async with asyncio.timeout(SECONDS):
                assert b"204 No Content" in await reader.readuntil(b"\r\n\r\n")
        async with asyncio.timeout(SECONDS):
            assert await reader.read() == b""
        assert time.monotonic() - asked > 0.59


async def test_a_connection_is_closed_too_whose_last_body_came_behind_its_answer() -> None:
    async with served(timeout_keep_alive=0.2) as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n1")
        async with asyncio.timeout(SECONDS):
            assert b"204 No Content" in await reader.readuntil(b"\r\n\r\n")
            writer.write(b"2")
            assert await reader.read() == b""


def test_a_connection_is_kept_longer_than_load_balancers_keep_theirs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = []

    def run(running: server.GatewayServer, _sockets: object) -> None:
        kept.append(running.config.timeout_keep_alive)
        running.started = True

    monkeypatch.setattr(server.GatewayServer, "run", run)
    server.serve(Starlette(), "127.0.0.1", 8000, seconds=1)
    assert kept[0] > 60


def test_a_database_that_cannot_be_opened_is_told_in_one_line(tmp_path: Path) -> None:
    missing = tmp_path / "missing" / "gateway.sqlite3"
    ended = subprocess.run(
        [*HERE, "serve", "--port", str(free_port())],
        cwd=tmp_path,
        env=os.environ | {"GATEWAY_DATABASE_URL": f"sqlite:///{missing}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS * 3,
    )
    told = [json.loads(line)["event"] for line in ended.stderr.splitlines()]
    assert told[0] == (
        f"The gateway cannot start: {missing}.lock cannot be made: No such file or directory"
    )
    assert "Traceback" not in ended.stderr
    assert ended.returncode == 3
