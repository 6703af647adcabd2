"""What is counted and traced of operations; front.py does so of the requests that they are in."""

from __future__ import annotations

import time
from contextlib import aclosing, contextmanager, nullcontext
from typing import TYPE_CHECKING, Self

from graphql import FieldNode, get_operation_ast
from strawberry.types.execution import PreExecutionError

from gateway.api.limits import exceeded
from gateway.telemetry.spans import NOTHING, span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

    from graphql import GraphQLError
    from strawberry.schema.schema import StreamResult

    from gateway.api.context import Context
    from gateway.api.documents import Prepared

SEVERAL = "several"
NONE = "none"


class Ran:
    """An operation, counted and traced while it runs; what it is called is known at its end.

    Not a generator with a decorator: each operation would pay several times as much for it.
    """

    __slots__ = ("_context", "_current", "_name", "_span", "_started", "faults", "outcome")

    def __init__(self, context: Context, name: str | None) -> None:
        self.outcome = "ok"
        self.faults = 0
        self._context = context
        self._name = name
        self._started = time.perf_counter()
        self._span = span("operation")

    def __enter__(self) -> Self:
        self._current = self._span.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None:
            self.outcome = "errors"
        try:
            self._count()
        finally:
            self._span.__exit__(kind, error, traceback)

    def _count(self) -> None:
        kind, field = class_of(self._context.prepared, self._name)
        outcome = self.outcome if kind != NONE else "invalid"
        current = self._current
        if current is not NOTHING:
            current.rename(f"{kind} {field}" if kind != NONE else "invalid operation")
            current.note("graphql.operation.type", kind)
            if outcome != "ok":
                current.failed(outcome)
        metrics = self._context.account.watching.metrics
        metrics.operated(kind, field, outcome, time.perf_counter() - self._started)
        if self.faults:
            metrics.faults.inc(self.faults)

    def note(self, answer: object) -> None:
        """Take note of an answer."""
        errors: Sequence[GraphQLError] = getattr(answer, "errors", None) or ()
        if errors:
            self.outcome = "errors"
            self.faults += sum(_is_fault(error) for error in errors)


async def counted(stream: StreamResult, context: Context, name: str | None) -> StreamResult:
    """The answers of an operation that streams; its first one is what is counted and traced.

    What comes later may be asked for from another task, where the span would not be the current.
    """
    is_subscription = class_of(context.prepared, name)[0] == "subscription"
    with _following(context) if is_subscription else nullcontext() as refusal:
        async with aclosing(stream) as answers:
            with Ran(context, name) as ran:
                first = await anext(answers, None) if refusal is None else refusal
                ran.note(first)
            if first is not None:
                yield first
            if refusal is None:
                async for answer in answers:
                    yield answer


@contextmanager
def _following(context: Context) -> Iterator[PreExecutionError | None]:
    """Count a caller's subscription while it is open; what is answered where it may open no more."""
    metrics, following = context.account.watching.metrics, context.account.door.following
    caller, most = context.caller.id, context.account.settings.max_subscriptions_per_caller
    if following[caller] >= most:
        said = "As many subscriptions of this caller are open"
        error = exceeded(said, "max_subscriptions_per_caller", most)
        yield PreExecutionError(data=None, errors=[error])
        return
    following[caller] += 1
    metrics.subscriptions.inc()
    try:
        yield None
    finally:
        metrics.subscriptions.dec()
        following[caller] -= 1
        if not following[caller]:
            del following[caller]


def class_of(prepared: Prepared, name: str | None) -> tuple[str, str]:
    """An operation's type and the field at its root; several for more, none for what is not valid.

    Only a valid document's names are the schema's words: others are the caller's, and stay out.
    """
    if prepared.document is None or prepared.errors:
        return NONE, NONE
    known = prepared.classes.get(name)
    if known is not None:
        return known
    operation = get_operation_ast(prepared.document, name)
    if operation is None:
        return NONE, NONE
    names = {
        one.name.value if isinstance(one, FieldNode) else SEVERAL
        for one in operation.selection_set.selections
    }
    found = operation.operation.value, names.pop() if len(names) == 1 else SEVERAL
    prepared.classes[name] = found
    return found


def _is_fault(error: GraphQLError) -> bool:
    return (error.extensions or {}).get("code") == "INTERNAL_ERROR"
