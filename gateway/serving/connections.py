"""The connections of clients: uvicorn's, with what it leaves out.

uvicorn reads HTTP and WebSockets; here an answer leaves in one piece, an offer of another protocol is
declined, no head without an end is waited for, and a refusal is not lost behind a body.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

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
    packets. `may_close` says whether to close what is to be closed, or to leave that to who is asked.
    """

    def __init__(
        self,
        transport: asyncio.Transport,
        loop: asyncio.AbstractEventLoop,
        may_close: Callable[[], bool] = lambda: True,
    ) -> None:
        self._transport = transport
        self._loop = loop
        self._may_close = may_close
        self._held: list[bytes] = []
        self._size = 0
        self._is_to_close = False

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

    def is_closing(self) -> bool:
        """Whether nothing more is to be written."""
        return self._is_to_close or self._transport.is_closing()

    def close(self) -> None:
        """Send what was written, and close."""
        self.send()
        self._is_to_close = True
        if self._may_close():
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


LONGEST_HEAD = 131_072
"""Bytes of a request's head that are kept until its end comes. Nobody was asked for a key before that."""
HEAD_SECONDS = 20.0
"""In which a head has to be complete, from the connection's beginning or the head's own."""
LINGER_SECONDS = 10.0
"""For which a body is taken and thrown away that was refused unread, where the connection ends with the
answer. Closed at once it would be reset, and the client would not see why."""
REST_SECONDS = 60.0
"""The same, where the connection would be kept: then it is closed, in that way."""
UNREAD_SECONDS = 60
"""After which the system closes the connection of a client that takes nothing of what it is sent."""


class Connections(HttpToolsProtocol):
    """uvicorn's HTTP, which sends an answer in one piece, and is held up by no head without an end.

    It also reads on after the offer of a protocol that is not spoken here, as HTTP asks for (RFC
    9110, section 7.8): Java's client offers HTTP/2 with each first request. uvicorn loses the body.
    """

    _one_write: OneWrite
    _in_head = _in_body = _throws_away = False
    _head_size = 0
    _timer: asyncio.TimerHandle | None = None
    _closes_at: float | None = None
    """When the connection has been kept long enough without a request; None while it has one."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin with a connection."""
        _bound_unread(transport)
        self._one_write = OneWrite(transport, self.loop, self._may_close)
        super().connection_made(cast("asyncio.Transport", self._one_write))
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """End with a connection."""
        self._forget_head()
        super()._unset_keepalive_if_required()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take in what a client has sent."""
        self._closes_at = None
        if self._throws_away:
            return
        was_in_head = self._in_head
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self._should_upgrade():
                self._forget_head()
                self.handle_websocket_upgrade()
            elif self._offers():
                self._decline(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self._refuse("Invalid HTTP request received.")
        else:
            if self._in_head:
                self._head_goes_on(len(data) if was_in_head else 0)

    def on_message_begin(self) -> None:
        """Begin with a request."""
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Answer a request, unless it is to be read anew without what it offers."""
        self._in_head, self._in_body = False, True
        self._forget_head()
        if not self._offers():
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Note that a request is all there."""
        self._in_body = False
        self._forget_head()  # the rest of a body may have been waited for
        if not self._offers():
            super().on_message_complete()
            if not self.parser.should_upgrade() and self.cycle.response_complete:
                self._rest()  # no answer is to come, after which it would

    def _offers(self) -> bool:
        return (
            self.parser.should_upgrade()
            and self.parser.get_method() != b"CONNECT"
            and not self._should_upgrade()
        )

    def _decline(self, rest: bytes) -> None:
        """Read a request again as one that offers nothing; `rest` is what came behind its head."""
        line = b"%s %s HTTP/%s" % (
            self.parser.get_method(),
            self.url,
            self.parser.get_http_version().encode(),
        )
        headers = [b"%s: %s" % pair for pair in self.headers if pair[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.data_received(b"\r\n".join([line, *headers, b"", rest]))

    def _head_goes_on(self, more: int) -> None:
        self._head_size += more
        if self._head_size > LONGEST_HEAD:
            self._refuse("The request's head is too long.")
        elif self._timer is None:
            self._wait_for_head()

    def _wait_for_head(self) -> None:
        self._timer = self.loop.call_later(HEAD_SECONDS, self._head_is_late)

    def _head_is_late(self) -> None:
        if getattr(self.cycle, "response_complete", True):
            self.transport.close()
        else:
            self._wait_for_head()  # what comes behind is not read while an answer is under way

    def _forget_head(self) -> None:
        self._head_size = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _may_close(self) -> bool:
        """Whether all is read that was sent; what is not is read from now on, and then it is closed."""
        if self._throws_away or not self._in_body:
            return True
        self._throws_away = True
        self.flow.resume_reading()
        self.transport.write_eof()
        self._timer = self.loop.call_later(LINGER_SECONDS, self.transport.close)
        return False

    def _refuse(self, why: str) -> None:
        self.logger.warning(why)
        self.send_400_response(why)

    def on_response_complete(self) -> None:
        """End an answer."""
        self._one_write.send()
        if self.pipeline or self.transport.is_closing():
            super().on_response_complete()
        else:
            self._keep()
        if self._in_body and not self._throws_away and self.cycle.response_complete:
            self._timer = self.loop.call_later(REST_SECONDS, self.transport.close)

    def _keep(self) -> None:
        """Wait for the next request."""
        self.server_state.total_requests += 1
        self.flow.resume_reading()
        self._rest()

    def _rest(self) -> None:
        """Close it later, by one timer: uvicorn makes one after each answer, to be cancelled."""
        self._closes_at = self.loop.time() + self.timeout_keep_alive
        if self.timeout_keep_alive_task is None:
            self._look_at(self._closes_at)

    def _look_at(self, when: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_at(when, self.timeout_keep_alive_handler)

    def _unset_keepalive_if_required(self) -> None:
        """Leave the timer as it is: when it comes, it looks whether there was a request meanwhile."""

    def timeout_keep_alive_handler(self) -> None:
        """Close the connection, if it was kept long enough without a request."""
        self.timeout_keep_alive_task = None
        if self._closes_at is None:
            return  # the answer to the request that it has sets the timer again
        if self._closes_at > self.loop.time():
            self._look_at(self._closes_at)
        else:
            super().timeout_keep_alive_handler()


def _bound_unread(transport: asyncio.BaseTransport) -> None:
    """Have the system close a connection when its client takes nothing for too long.

    Nobody else notices: what is to be sent waits for room as long as the client is there.
    """
    held = transport.get_extra_info("socket")
    if hasattr(socket, "TCP_USER_TIMEOUT") and held is not None and held.family != socket.AF_UNIX:
        held.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_SECONDS * 1000)
