"""What one gateway counts and traces with; made at its start, closed at its end."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.telemetry.metrics import Metrics
from gateway.telemetry.opening import open_tracing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from opentelemetry.sdk.trace.export import SpanExporter

    from gateway.telemetry.spans import Tracing


@dataclass(frozen=True, kw_only=True)
class Watching:
    """The metrics of a gateway, and what keeps its spans where any are kept."""

    metrics: Metrics = field(default_factory=Metrics)
    tracing: Tracing | None = None


@asynccontextmanager
async def watching(
    endpoint: str | None, exporter: SpanExporter | None = None
) -> AsyncIterator[Watching]:
    """Metrics and traces of a gateway that starts; `exporter` takes the endpoint's place in tests.

    Raises SettingsError where traces are asked for and the extra is not installed.
    """
    tracing = open_tracing(endpoint, exporter)
    try:
        yield Watching(tracing=tracing)
    finally:
        if tracing is not None:
            await tracing.close()
