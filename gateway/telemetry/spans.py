"""Spans of a trace, for those who do the work: where no trace is kept, they cost next to nothing.

Whether one is kept stands in the context, as the request's id for the log does: tasks inherit it.
Attributes are names of our own, ids of requests and figures; never arguments, never a record's data.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum
from typing import TYPE_CHECKING, Protocol, Self, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager
    from types import TracebackType

Value: TypeAlias = "str | int | float | bool"


class Role(Enum):
    """Whose work a span is about."""

    INTERNAL = "internal"
    SERVER = "server"
    """A request of somebody else, as it is answered."""
    CLIENT = "client"
    """A call to somebody else, as it is made."""


class Span(Protocol):
    """One piece of work of a trace."""

    def rename(self, name: str) -> None:
        """Call it something else, now that more is known."""
        ...

    def note(self, name: str, value: Value) -> None:
        """Set an attribute."""
        ...

    def failed(self, kind: str) -> None:
        """Mark the work as failed; `kind` is a code or the name of an exception's class."""
        ...

    def headers(self) -> Mapping[str, str]:
        """What lets the one who is called continue the trace: W3C traceparent and tracestate."""
        ...


class Tracing(Protocol):
    """Keeps the spans of one gateway."""

    def span(
        self, name: str, attributes: Mapping[str, Value], *, role: Role = Role.INTERNAL
    ) -> AbstractContextManager[Span]:
        """A span as long as the context lasts, within the one that is current."""
        ...

    def continued(self, headers: Mapping[str, str]) -> AbstractContextManager[None]:
        """Keep the spans of what runs within, as part of the caller's trace where it has one.

        `headers` may hold W3C's traceparent and tracestate.
        """
        ...

    async def close(self) -> None:
        """Send what is left, in bounded time."""
        ...


class _Nothing:
    """The span of a trace that nobody keeps."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        return None

    def rename(self, name: str) -> None:
        """Nothing to do."""

    def note(self, name: str, value: Value) -> None:
        """Nothing to do."""

    def failed(self, kind: str) -> None:
        """Nothing to do."""

    def headers(self) -> Mapping[str, str]:
        """None."""
        return {}


NOTHING = _Nothing()

current: ContextVar[Tracing | None] = ContextVar("gateway_tracing", default=None)
"""What keeps the spans of the work that runs in this context; None where nothing does."""


_detailed: ContextVar[bool] = ContextVar("gateway_tracing_detailed", default=True)


@contextmanager
def without_details() -> Iterator[None]:
    """Keep the spans of calls alone: a bulk's thousands of items would bury them."""
    before = _detailed.set(False)
    try:
        yield
    finally:
        _detailed.reset(before)


@contextmanager
def kept_by(tracing: Tracing | None, headers: Mapping[str, str] | None = None) -> Iterator[None]:
    """Keep the spans of what runs within, where there is anything to keep them."""
    if tracing is None:
        yield
        return
    with tracing.continued(headers or {}):
        yield


def span(name: str, **attributes: Value) -> AbstractContextManager[Span]:
    """A span of the gateway's own work; attributes are named `gateway.` and their name here."""
    tracing = current.get()
    if tracing is None or not _detailed.get():
        return NOTHING
    return tracing.span(name, {f"gateway.{key}": value for key, value in attributes.items()})


def call_span(name: str, attributes: Mapping[str, Value]) -> AbstractContextManager[Span]:
    """A span of a call to somebody else; attributes by the names that OpenTelemetry gives them."""
    tracing = current.get()
    return NOTHING if tracing is None else tracing.span(name, attributes, role=Role.CLIENT)


def is_kept() -> bool:
    """Whether anything keeps the spans of this context."""
    return current.get() is not None
