"""Traces by OpenTelemetry: imported only where they are asked for (GATEWAY_OTLP_ENDPOINT).

What a span holds is what `spans.py` is given. Texts of exceptions are left out, because they may
repeat what a caller or a backend has sent; so is baggage, which callers may fill with anything.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING

from opentelemetry import context, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from gateway.telemetry.spans import Role, current

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from opentelemetry.sdk.trace.export import SpanExporter

    from gateway.telemetry.spans import Value

EXPORT_SECONDS = 5
"""What the collector has to take some spans, tries included."""
CLOSE_SECONDS = 8.0
"""How long the end of the gateway waits for that."""
SELDOM_SECONDS = 300.0
"""Between two lines that say alike that the collector is away."""
NAME = "contact-gateway"
TRACES = "/v1/traces"

_KINDS = {
    Role.INTERNAL: SpanKind.INTERNAL,
    Role.SERVER: SpanKind.SERVER,
    Role.CLIENT: SpanKind.CLIENT,
}
_PROPAGATOR = TraceContextTextMapPropagator()


class Seldom(logging.Filter):
    """Lets each message of a logger through once in a while, however often it comes."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[object, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it has not been said lately."""
        now = time.monotonic()
        if now - self._said.get(record.msg, -SELDOM_SECONDS) < SELDOM_SECONDS:
            return False
        self._said[record.msg] = now
        return True


_SELDOM = Seldom()


class OtelSpan:
    """A span of OpenTelemetry's."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        self.has_failed = False

    def rename(self, name: str) -> None:
        """Call it something else."""
        self._span.update_name(name)

    def note(self, name: str, value: Value) -> None:
        """Set an attribute."""
        self._span.set_attribute(name, value)

    def failed(self, kind: str) -> None:
        """Mark the work as failed."""
        self.has_failed = True
        self._span.set_attribute("error.type", kind)
        self._span.set_status(Status(StatusCode.ERROR))

    def headers(self) -> Mapping[str, str]:
        """W3C's headers for the call that this span is about."""
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier, trace.set_span_in_context(self._span))
        return carrier


class OtelTracing:
    """Keeps one gateway's spans and sends them to a collector; closed at its end."""

    def __init__(self, exporter: SpanExporter) -> None:
        logging.getLogger(OTLPSpanExporter.__module__).addFilter(_SELDOM)
        self._provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer(NAME, version(NAME))

    @contextmanager
    def span(
        self, name: str, attributes: Mapping[str, Value], *, role: Role = Role.INTERNAL
    ) -> Iterator[OtelSpan]:
        """A span within the current one."""
        with self._tracer.start_as_current_span(
            name,
            kind=_KINDS[role],
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as started:
            told = OtelSpan(started)
            try:
                yield told
            except BaseException as error:
                if not told.has_failed:
                    told.failed(type(error).__name__)
                raise

    @contextmanager
    def continued(self, headers: Mapping[str, str]) -> Iterator[None]:
        """Keep the spans of what runs within, as part of the caller's trace where it has one."""
        attached = context.attach(_PROPAGATOR.extract(headers, context.Context()))
        kept = current.set(self)
        try:
            yield
        finally:
            current.reset(kept)
            context.detach(attached)

    async def close(self) -> None:
        """Send what is left, in bounded time."""
        # A thread of its own, which the end of the process does not wait for.
        closing = threading.Thread(target=self._provider.shutdown, daemon=True)
        closing.start()
        await asyncio.to_thread(closing.join, CLOSE_SECONDS)


def trace_ids(_logger: object, _method: str, event: dict[str, object]) -> dict[str, object]:
    """Add the current trace to a line of the log."""
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        event["trace_id"] = trace.format_trace_id(span.trace_id)
        event["span_id"] = trace.format_span_id(span.span_id)
    return event


def exporter_to(endpoint: str) -> SpanExporter:
    """What sends spans to a collector's address, such as http://127.0.0.1:4318."""
    address = endpoint.rstrip("/").removesuffix(TRACES) + TRACES
    return OTLPSpanExporter(endpoint=address, timeout=EXPORT_SECONDS)


def _resource() -> Resource:
    """The service's name is that of OTEL_SERVICE_NAME where it is set."""
    created = Resource.create({SERVICE_VERSION: version(NAME)})
    named = str(created.attributes.get(SERVICE_NAME, ""))
    if named.startswith("unknown_service"):
        created = created.merge(Resource({SERVICE_NAME: NAME}))
    return created
