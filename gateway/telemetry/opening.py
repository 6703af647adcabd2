"""Starts tracing where it is asked for; nowhere else is OpenTelemetry imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.errors import SettingsError

if TYPE_CHECKING:
    from types import ModuleType

    from opentelemetry.sdk.trace.export import SpanExporter
    from structlog.typing import Processor

    from gateway.telemetry.spans import Tracing


def line_additions(endpoint: str | None) -> list[Processor]:
    """What adds the current trace to lines of the log, where traces are kept."""
    if endpoint is None:
        return []
    return [_tracing().trace_ids]


def open_tracing(endpoint: str | None, exporter: SpanExporter | None = None) -> Tracing | None:
    """What keeps a gateway's spans; None without an endpoint. `exporter` takes its place in tests.

    Raises SettingsError where the extra is not installed.
    """
    if endpoint is None and exporter is None:
        return None
    tracing = _tracing()
    kept: Tracing = tracing.OtelTracing(exporter or tracing.exporter_to(endpoint or ""))
    return kept


def _tracing() -> ModuleType:
    """The module that imports OpenTelemetry; raises SettingsError where it is not installed."""
    try:
        from gateway.telemetry import tracing
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith("opentelemetry"):
            raise
        problem = (
            "GATEWAY_OTLP_ENDPOINT needs OpenTelemetry: install the extra, contact-gateway[otel]."
        )
        raise SettingsError([problem]) from error
    return tracing
