"""Handshakes of WebSockets that are no good, to the program itself."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.program import gateway_dev

if TYPE_CHECKING:
    from collections.abc import Iterator

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
