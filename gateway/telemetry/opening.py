"""Starts tracing where it is asked for; nowhere else is OpenTelemetry imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.errors import SettingsError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

    from gateway.telemetry.spans import Tracing


def open_tracing(endpoint: str | None, exporter: SpanExporter | None = None) -> Tracing | None:
    """What keeps a gateway's spans; None without an endpoint. `exporter` takes its place in tests.

    Raises SettingsError where the extra is not installed.
    """
    if endpoint is None and exporter is None:
        return None
    try:
        from gateway.telemetry.tracing import OtelTracing, exporter_to
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith("opentelemetry"):
            raise
        problem = (
            "GATEWAY_OTLP_ENDPOINT needs OpenTelemetry: install the extra, contact-gateway[otel]."
        )
        raise SettingsError([problem]) from error
    return OtelTracing(exporter or exporter_to(endpoint or ""))
