"""SendGrid's adapter, made from the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.backends.sendgrid.adapter import SendGridAdapter
from gateway.backends.sendgrid.client import SendGridDialect
from gateway.upstream import Sender

if TYPE_CHECKING:
    from gateway.sending.quota import NewWindow
    from gateway.sending.transport import Client
    from gateway.settings import Settings


def connect(settings: Settings, client: Client, new_window: NewWindow) -> SendGridAdapter | None:
    """The adapter, or None where SendGrid is not configured."""
    if not settings.sendgrid_api_key:
        return None
    dialect = SendGridDialect(
        base_url=settings.sendgrid_base_url,
        api_key=settings.sendgrid_api_key.get_secret_value(),
    )
    # SendGrid counts by endpoint and by the minute of the clock; one window for all of them, moving
    # with the time, never asks for more (contract: sendgrid section 2).
    calls = new_window("sendgrid:calls", settings.sendgrid_calls_per_minute, 60.0)
    sender = Sender(
        dialect,
        client,
        try_timeout=settings.try_timeout_seconds,
        quota_of=lambda _call: calls,
    )
    return SendGridAdapter(
        sender,
        dialect,
        catalog_ttl=settings.catalog_ttl_seconds,
        identifier=settings.sendgrid_identifier,
        window=settings.sendgrid_window_ms / 1000,
    )
