"""The connections to one backend: kept for the next request, limited in number, never waited for too long."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from functools import cache
from typing import TYPE_CHECKING, Any

import httpx

from gateway.wire.connection import Connection
from gateway.wire.errors import CannotConnectError, ConnectTimeoutError, ServerDisconnectedError

if TYPE_CHECKING:
    import ssl

    from gateway.calls import Answer
    from gateway.wire.request import Origin

CONNECT_SHARE = 0.9
"""The share of a try's time that connecting may take: less than all of it, so that a connection
that does not come about ends before the whole try does, and is known as not sent."""
CONNECTIONS = 100
"""To one backend at a time; what comes on top waits for one, as for connecting."""
IDLE_SECONDS = 3.0
"""How long a connection is kept without a request.

Well below the 5 s after which many servers (uvicorn, Node, Apache) close theirs: of calls that left on
a connection just then 6 in 100 had no answer, and creating a lead must not be repeated after that."""
_SIDE_BY_SIDE: dict[str, Any] = {"happy_eyeballs_delay": 0.25}
"""After so many seconds the next address of a name is tried beside the first, as RFC 8305 recommends;
asyncio's own loops know how to, uvloop tries them one after the other."""


class Pool:
    """Sends requests to one origin, each one once."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._loop = asyncio.get_running_loop()
        self._free: list[Connection] = []
        """Those without a request, the one used last at the end."""
        self._busy: set[Connection] = set()
        self._opening: set[asyncio.Task[Connection]] = set()
        self._places = CONNECTIONS
        """Connections that may still be opened."""
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._look_at = math.inf
        """When the next answer is due, or the next free connection has been kept long enough."""
        self._looking: asyncio.TimerHandle | None = None

    async def ask(self, request: bytes, seconds: float, *, headless: bool) -> Answer:
        """The answer to a request; raises what `errors.py` says, and TimeoutError."""
        deadline = self._loop.time() + seconds
        connection = self._kept() or await self._connected(seconds * CONNECT_SHARE)
        connection.deadline = deadline
        # One timer for all: what is due next is nearly always due later than it looks anyway.
        if deadline < self._look_at:
            self._look_again(deadline)
        self._busy.add(connection)
        try:
            return await connection.ask(request, headless=headless)
        finally:
            self._busy.discard(connection)
            self._give_back(connection)

    def _kept(self) -> Connection | None:
        """A free connection, the one used last because it is the least likely to be closed now."""
        while self._free:
            connection = self._free.pop()
            if connection.usable:
                return connection
        return None

    def _give_back(self, connection: Connection) -> None:
        """Keep the connection for the next request; one whose answer is not there is of no use."""
        if not connection.usable:
            connection.end()
            return
        now = connection.free_since = self._loop.time()
        self._free.append(connection)
        if now + IDLE_SECONDS < self._look_at:
            self._look_again(now + IDLE_SECONDS)
        self._call_next()

    # ------------------------------------------------------------ connecting

    async def _connected(self, seconds: float) -> Connection:
        """A connection, new or free again, for which there may be a queue."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    if connection := self._kept():
                        return connection
                    if self._places:
                        return await self._connect(seconds)
                    await self._wait()
        except TimeoutError:
            raise ConnectTimeoutError("no connection in time") from None

    async def _connect(self, seconds: float) -> Connection:
        """A new connection.

        Where its caller goes away it is finished all the same, for the next request: interrupted at
        the wrong moment, asyncio would leave an open socket behind.
        """
        self._places -= 1
        opening = asyncio.create_task(self._open(seconds))
        self._opening.add(opening)
        opening.add_done_callback(self._opening.discard)
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(self._keep)
            raise

    async def _open(self, seconds: float) -> Connection:
        """A new connection, whose place is free again when it ends or does not come about."""
        origin, connection = self._origin, Connection(self._lost)
        try:
            async with asyncio.timeout(seconds):
                await self._loop.create_connection(
                    lambda: connection,
                    origin.host,
                    origin.port,
                    ssl=certificates() if origin.tls else None,
                    **(_SIDE_BY_SIDE if isinstance(self._loop, asyncio.BaseEventLoop) else {}),
                )
        except (OSError, ValueError) as error:  # ValueError: a name that no host can have
            raise CannotConnectError(str(error)) from error
        finally:
            if not connection.made:
                self._lost(connection)
        if not connection.usable:
            raise CannotConnectError("closed as soon as it was open")
        return connection

    def _keep(self, opened: asyncio.Task[Connection]) -> None:
        """Keep a connection whose caller has gone."""
        if not opened.cancelled() and opened.exception() is None:
            self._give_back(opened.result())

    async def _wait(self) -> None:
        """Wait until there is a place or a free connection."""
        turn: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # called just now, and gone: it is the next one's turn
                self._call_next()
            elif turn in self._waiting:
                self._waiting.remove(turn)
            raise

    def _call_next(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():  # who was cancelled a moment ago has not left the queue yet
                turn.set_result(None)
                return

    def _lost(self, connection: Connection) -> None:
        """A connection has ended, or has not come about: there is a place for another."""
        self._places += 1
        if connection in self._free:
            self._free.remove(connection)
        self._call_next()

    # ------------------------------------------------------------ time

    def _look_again(self, at: float) -> None:
        if self._looking is not None:
            self._looking.cancel()
        self._look_at = at
        self._looking = self._loop.call_at(at, self._look)

    def _look(self) -> None:
        """End what has waited too long for its answer, and what nobody has used for long enough."""
        now = self._loop.time()
        for connection in [one for one in self._busy if one.deadline <= now]:
            connection.end(TimeoutError())
        for connection in [one for one in self._free if one.free_since + IDLE_SECONDS <= now]:
            connection.end()
        dues = [one.deadline for one in self._busy if one.deadline > now]
        dues += [self._free[0].free_since + IDLE_SECONDS] if self._free else []
        self._looking, self._look_at = None, math.inf
        if dues:
            self._look_again(max(min(dues), now))

    async def aclose(self) -> None:
        """End all connections."""
        for opening in self._opening:
            opening.cancel()
        await asyncio.gather(*self._opening, return_exceptions=True)
        if self._looking is not None:
            self._looking.cancel()
        ending = [*self._free, *self._busy]
        for connection in ending:
            connection.end(ServerDisconnectedError("the gateway has closed it"))
        await asyncio.gather(*(connection.lost for connection in ending))


@cache
def certificates() -> ssl.SSLContext:
    """What servers are checked against, as httpx does."""
    return httpx.create_ssl_context()
