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
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

if TYPE_CHECKING:
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
        ws=WebSockets,
        log_config=None,  # logs.py has said where lines go
        log_level="warning",
        timeout_graceful_shutdown=math.ceil(seconds),
    )
    server = GatewayServer(config, app)
    server.run([socket.socket(fileno=listening)] if listening is not None else None)
    if not server.started:
        sys.exit(3)  # as uvicorn's own program says that it could not start
