"""Ending a connection instead of answering, which ASGI has no message for.

Under uvicorn the transport below `send` and `receive` is found and closed. Where there is none, as
with `httpx.ASGITransport`, ConnectionDropped is raised through the application instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.types import Message, Receive, Send

_DEPTH = 12
_RECEIVES = 64


class ConnectionDropped(Exception):  # noqa: N818 - named for what happened, as callers see it
    """The simulated backend closed the connection without a whole answer.

    Raised only where no real connection exists; a test's transport maps it to what its HTTP client
    raises for a closed connection. `response_started` says whether a part of the answer was sent.
    """

    def __init__(self, *, response_started: bool) -> None:
        super().__init__("the sandbox dropped the connection, as a fault asked")
        self.response_started = response_started


class _Transport(Protocol):
    def abort(self) -> None: ...

    def close(self) -> None: ...


async def drop(receive: Receive, send: Send) -> None:
    """Close the connection without an answer."""
    transport = _transport(receive, send)
    if transport is None:
        raise ConnectionDropped(response_started=False)
    transport.abort()
    await _disconnected(receive)


async def send_cut(start: Message, part: bytes, receive: Receive, send: Send) -> None:
    """Send a beginning of an answer whose headers promise more, then close the connection."""
    await send(start)
    await send({"type": "http.response.body", "body": part, "more_body": True})
    transport = _transport(receive, send)
    if transport is None:
        raise ConnectionDropped(response_started=True)
    transport.close()  # unlike abort, sends first what is still buffered
    await _disconnected(receive)


async def _disconnected(receive: Receive) -> None:
    """Return once the server has noticed, or it would add a 500 of its own or log an error."""
    for _ in range(_RECEIVES):
        if (await receive())["type"] == "http.disconnect":
            return


def _transport(receive: Receive, send: Send) -> _Transport | None:
    """Find what the server writes to, behind the closures that middlewares wrap around it.

    uvicorn passes bound methods of its RequestResponseCycle, whose `transport` is asyncio's, in
    its h11 and its httptools implementation alike.
    """
    for function in (*_behind(receive, _DEPTH), *_behind(send, _DEPTH)):
        transport = getattr(getattr(function, "__self__", None), "transport", None)
        if callable(getattr(transport, "abort", None)):
            return cast("_Transport", transport)
    return None


def _behind(function: Callable[..., Any], depth: int) -> Iterator[Callable[..., Any]]:
    yield function
    if depth == 0:
        return
    owner = getattr(function, "__self__", None)
    held = list(vars(owner).values()) if hasattr(owner, "__dict__") else []
    for cell in getattr(function, "__closure__", None) or ():
        try:
            held.append(cell.cell_contents)
        except ValueError:  # a variable that has no value yet
            continue
    for one in held:
        if hasattr(one, "__closure__") or hasattr(one, "__self__"):
            yield from _behind(one, depth - 1)
