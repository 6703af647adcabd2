"""Serves the app, and ends in order: what runs is finished, stored work is left for the next process.

The first SIGTERM (or Ctrl-C) takes effect at once: not ready, no stored step claimed, no connection
accepted. Running requests have a bounded time; then the exit code is 0, for it was asked to end and
did. A second one ends the process on the spot, which loses nothing that was accepted: it is all in
the store.
"""

from __future__ import annotations

import gc
import math
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING

import structlog
import uvicorn
from uvicorn.lifespan.on import LifespanOn

from gateway.serving.connections import Connections, WebSockets

if TYPE_CHECKING:
    from types import FrameType

    from starlette.applications import Starlette
    from uvicorn.lifespan.on import LifespanSendMessage

    from gateway.account import Account

log = structlog.get_logger(__name__)

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


IDLE_SECONDS = 75
"""For which a connection is kept between two requests. Longer than clients and load balancers keep
theirs (60 s are usual): who lets go first must not be we, while the next request is on its way."""


class _Lifespan(LifespanOn):
    """Says in plain words why the app cannot begin, where it knows; else uvicorn prints a trace."""

    def __init__(self, config: uvicorn.Config, app: Starlette) -> None:
        super().__init__(config)
        self._app = app

    async def send(self, message: LifespanSendMessage) -> None:
        """What the app says of its beginning and its end."""
        why: str | None = getattr(self._app.state, "cannot_begin", None)
        if message["type"] == "lifespan.startup.failed" and why is not None:
            message = {"type": "lifespan.startup.failed", "message": why}
        await super().send(message)


class GatewayServer(uvicorn.Server):
    """uvicorn's server, which tells the gateway of the first signal and obeys the second at once."""

    def __init__(self, config: uvicorn.Config, app: Starlette) -> None:
        super().__init__(config)
        self._app = app

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve."""
        self.lifespan = _Lifespan(self.config, self._app)
        await super().startup(sockets)
        spare_collecting()
        if self.started and self._account is not None:
            backends = [backend.value for backend in self._account.adapters]
            log.info("serving", host=self.config.host, port=self.config.port, backends=backends)
            if not backends:
                log.warning("no backend is configured: set the credentials of one")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End: what runs has its time."""
        if self._account is not None:
            log.info("ending", seconds=self.config.timeout_graceful_shutdown)
        await super().shutdown(sockets)

    @property
    def _account(self) -> Account | None:
        """What the gateway works with; None before it has begun, and for the sandbox alone."""
        account: Account | None = getattr(self._app.state, "account", None)
        return account

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end; again: end."""
        if self.should_exit:
            sys.stderr.flush()
            os._exit(SIGNAL_EXIT + sig)
        if self._account is not None:
            self._account.drain()
        if sig == signal.SIGTERM:
            self.should_exit = True  # and that is all: uvicorn would end by the signal after all
        else:
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
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=math.ceil(seconds),
    )
    server = GatewayServer(config, app)
    server.run([socket.socket(fileno=listening)] if listening is not None else None)
    if not server.started:
        sys.exit(3)  # as uvicorn's own program says that it could not start
