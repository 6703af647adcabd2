"""What those who run the gateway see of it: metrics, traces and the status page."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings


class WatchingSettings(BaseSettings):
    """Metrics, traces and the status page."""

    metrics: Literal["on", "admin", "off"] = Field(
        default="on",
        description="Who may read /metrics: on: everybody; admin: callers with the admin scope; "
        "off: nobody.",
    )
    status_page: Literal["auto", "on", "off"] = Field(
        default="auto",
        description="The status page at /status. With API keys or JWTs, auto and on show it to "
        "callers with the admin scope. Without them, on shows it to everybody, and auto "
        "does so unless GATEWAY_PRODUCTION is true. off: no page.",
    )
    otlp_endpoint: str | None = Field(
        default=None,
        description="Address of a collector of OpenTelemetry traces (OTLP over HTTP), such as "
        "http://127.0.0.1:4318; needs contact-gateway[otel]. Unset: no traces.",
    )
    stuck_minutes: float = Field(
        default=15.0,
        gt=0,
        description="Minutes after which a write that is not delivered yet causes a warning in the "
        "log.",
    )

    @field_validator("otlp_endpoint")
    @classmethod
    def _collector(cls, value: str | None) -> str | None:
        parts = urlsplit(value or "")
        if value and not (parts.scheme in {"http", "https"} and parts.hostname):
            raise ValueError(f"{value!r} is no address such as http://127.0.0.1:4318.")
        return value
