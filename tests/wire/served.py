"""A server that does to a connection whatever a test says, byte by byte."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable

    from gateway.calls import Answer
    from gateway.wire.network import NetworkWire

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class Peer:
    """The server's side of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def asked(self) -> bytes:
        """The next request, whole; raises IncompleteReadError when there is none."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                return head + await self.reader.readexactly(int(line.partition(b":")[2]))
        return head

    async def say(self, *parts: bytes) -> None:
        """Send parts of an answer, each of which arrives by itself."""
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()
            await asyncio.sleep(0.005)

    def hang_up(self) -> None:
        """End the connection in order."""
        self.writer.close()

    def cut(self) -> None:
        """End the connection by a reset."""
        self.writer.transport.abort()


Story: TypeAlias = "Callable[[Peer], Awaitable[None]]"


class Served:
    """A running server: its address, and who has come."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.peers: list[Peer] = []
        self.requests: list[bytes] = []
        self.ended = 0
        """Connections that are over."""


@asynccontextmanager
async def served(
    story: Story, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[Served]:
    """A server that plays the story on each connection, then closes it."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(reader, writer)
        here.peers.append(peer)
        try:
            await story(peer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            here.ended += 1
            writer.close()

    server = await asyncio.start_server(play, host, 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    here = Served(f"{'https' if tls else 'http'}://{shown}:{port}")
    try:
        yield here
    finally:
        server.close()
        for peer in here.peers:
            peer.cut()
        await asyncio.sleep(0)


def answering(*answer: bytes) -> Story:
    """Say the same to each request, for as long as the connection lasts."""

    async def story(peer: Peer) -> None:
        while True:
            await peer.asked()
            await peer.say(*answer)

    return story


def once(*answer: bytes) -> Story:
    """Say this to the first request, and hang up."""

    async def story(peer: Peer) -> None:
        await peer.asked()
        await peer.say(*answer)

    return story


async def ask(
    wire: NetworkWire, server: Served | str, method: str = "GET", **more: object
) -> Answer:
    """The answer to one call."""
    address = server if isinstance(server, str) else server.address
    given: dict[str, object] = {"target": "/x", "headers": {}, "content": b"", "seconds": 5.0}
    return await wire.send(method, address, **(given | more))  # type: ignore[arg-type]


def closed_port() -> int:
    """A port at which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


async def until(ended: int, here: Served) -> None:
    """Wait until so many connections are over."""
    async with asyncio.timeout(5):
        while here.ended < ended:  # noqa: ASYNC110 - the server has no event to wait for
            await asyncio.sleep(0.005)


class Door:
    """A story that keeps all requests waiting until it is opened."""

    def __init__(self, *answer: bytes) -> None:
        self.opened = asyncio.Event()
        self.answer = answer or (OK,)
        self.asked = 0

    async def __call__(self, peer: Peer) -> None:
        while True:
            await peer.asked()
            self.asked += 1
            await self.opened.wait()
            await peer.say(*self.answer)

    async def has_been_asked(self, times: int) -> None:
        async with asyncio.timeout(5):
            while self.asked < times:  # noqa: ASYNC110 - likewise
                await asyncio.sleep(0.001)
