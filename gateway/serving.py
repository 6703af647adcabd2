"""Serves the app, and ends in order: what runs is finished, stored work is left for the next process.

The first SIGTERM (or Ctrl-C) takes effect at once: not ready, no stored step claimed, no connection
accepted. Running requests have a bounded time. A second one ends the process on the spot, which
loses nothing that was accepted: it is all in the store.
"""

from __future__ import annotations

import gc
import math
import os
import socket
import sys
from typing import TYPE_CHECKING, Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

if TYPE_CHECKING:
    import asyncio
    from types import FrameType

    from starlette.applications import Starlette

SIGNAL_EXIT = 128
"""A process that a signal ends has this and the signal's number as its code, to a shell."""


COLLECT_AFTER = 20_000, 20, 50
"""Python's garbage collector looks at new objects once there are so many more of them, and at older
ones at every 20th and every 1000th time. By default it begins at 700, which under load is at every
third request, in the midst of what those under way will let go by themselves."""


def spare_collecting() -> None:
    """Have the collector leave alone what was loaded at start, and come more seldom.

    What is there by now stays until the process ends; to look through it again and again took a
    fifth of the CPU.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


MOST_HELD = 65_536
"""Bytes of an answer that wait for what is written after them; then uvicorn has to know how many the
client has not taken."""


class WebSockets(WebSocketsSansIOProtocol):
    """uvicorn's WebSockets, which also let go of a handshake that is too long to be read.

    uvicorn leaves its connection open without an answer, and fails over it when it shuts down.
    """

    def data_received(self, data: bytes) -> None:
        """Take in what a client has sent."""
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self.handshake_complete = self.close_sent = True
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()


class OneWrite:
    """A transport that sends in one piece what is written to it, and soon what is written alone.

    uvicorn writes the head and the body of an answer apart: two calls to the system and two
    packets.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held: list[bytes] = []
        self._size = 0
        self.is_closing = transport.is_closing

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send this, with what else is written now."""
        if not self._held:
            self._loop.call_soon(self.send)
        self._held.append(data)
        self._size += len(data)
        if self._size > MOST_HELD:
            self.send()

    def close(self) -> None:
        """Send what was written, and close."""
        self.send()
        self._transport.close()

    def abort(self) -> None:
        """Close, whatever was written."""
        self._held.clear()
        self._transport.abort()

    def send(self) -> None:
        """Hold nothing back any longer."""
        if self._held:
            data = b"".join(self._held)
            self._held.clear()
            self._size = 0
            self._transport.write(data)


class Connections(HttpToolsProtocol):
    """uvicorn's HTTP, which sends an answer in one piece."""

    _one_write: OneWrite

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin with a connection."""
        self._one_write = OneWrite(transport, self.loop)
        super().connection_made(cast("asyncio.Transport", self._one_write))

    def on_response_complete(self) -> None:
        """End an answer."""
        self._one_write.send()
        super().on_response_complete()


class GatewayServer(uvicorn.Server):
    """uvicorn's server, which tells the gateway of the first signal and obeys the second at once."""

    def __init__(self, config: uvicorn.Config, app: Starlette) -> None:
        super().__init__(config)
        self._app = app

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve."""
        await super().startup(sockets)
        spare_collecting()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end; again: end."""
        if self.should_exit:
            sys.stderr.flush()
            os._exit(SIGNAL_EXIT + sig)
        account = getattr(self._app.state, "account", None)
        if account is not None:
            account.drain()
        super().handle_exit(sig, frame)


def serve(
    app: Starlette, host: str, port: int, *, seconds: float, listening: int | None = None
) -> None:
    """Serve until a signal comes; running requests then have `seconds` to end.

    `listening` is the descriptor of a socket that listens already, where the port is shared.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=Connections,
        ws=WebSockets,
        access_log=False,  # it would be put together for each request, and left out by the level
        log_config=None,  # logs.py has said where lines go
        log_level="warning",
        timeout_graceful_shutdown=math.ceil(seconds),
    )
    server = GatewayServer(config, app)
    server.run([socket.socket(fileno=listening)] if listening is not None else None)
    if not server.started:
        sys.exit(3)  # as uvicorn's own program says that it could not start
