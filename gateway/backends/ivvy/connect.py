"""iVvy's adapter, made from the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.backends.ivvy.adapter import IvvyAdapter
from gateway.backends.ivvy.client import IvvyDialect
from gateway.upstream import Sender

if TYPE_CHECKING:
    from gateway.sending.quota import NewWindow
    from gateway.sending.transport import Client
    from gateway.settings import Settings


def connect(
    settings: Settings,
    client: Client,
    new_window: NewWindow,  # noqa: ARG001 - iVvy publishes no quota
) -> IvvyAdapter | None:
    """The adapter, or None where iVvy is not configured."""
    if not (settings.ivvy_base_url and settings.ivvy_api_key and settings.ivvy_api_secret):
        return None
    dialect = IvvyDialect(
        base_url=settings.ivvy_base_url,
        api_key=settings.ivvy_api_key,
        api_secret=settings.ivvy_api_secret.get_secret_value(),
    )
    return IvvyAdapter(
        Sender(dialect, client, try_timeout=settings.try_timeout_seconds),
        dialect,
        catalog_ttl=settings.catalog_ttl_seconds,
        text_clear="" if settings.ivvy_text_clear == "empty" else None,
        lead_fields=settings.ivvy_lead_fields,
        batch_callback_url=settings.ivvy_batch_callback_url,
    )
