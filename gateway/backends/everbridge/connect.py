"""Everbridge's adapter, made from the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.backends.everbridge.adapter import EverbridgeAdapter
from gateway.backends.everbridge.client import EverbridgeDialect
from gateway.upstream import Sender

if TYPE_CHECKING:
    from pydantic import SecretStr

    from gateway.calls import Call
    from gateway.sending.quota import NewWindow, Window
    from gateway.sending.transport import Client
    from gateway.settings import Settings


def connect(settings: Settings, client: Client, new_window: NewWindow) -> EverbridgeAdapter | None:
    """The adapter, or None where Everbridge is not configured."""
    if not settings.everbridge_organization_id:
        return None
    dialect = EverbridgeDialect(
        base_url=settings.everbridge_base_url,
        username=settings.everbridge_username,
        password=_plain(settings.everbridge_password),
        token_url=settings.everbridge_token_url,
        client_id=settings.everbridge_client_id,
        client_secret=_plain(settings.everbridge_client_secret),
    )
    reads = new_window("everbridge:reads", settings.everbridge_reads_per_second, 1.0)
    writes = new_window("everbridge:writes", settings.everbridge_writes_per_second, 1.0)

    def quota_of(call: Call) -> Window | None:
        """Removals count with the reads (contract: everbridge section 1.4); token calls not."""
        if call.base_url is not None:
            return None
        return reads if call.method in {"GET", "DELETE"} else writes

    sender = Sender(dialect, client, try_timeout=settings.try_timeout_seconds, quota_of=quota_of)
    return EverbridgeAdapter(
        sender,
        dialect,
        catalog_ttl=settings.catalog_ttl_seconds,
        organization_id=settings.everbridge_organization_id,
        email_path=settings.everbridge_email_path,
        phone_path=settings.everbridge_phone_path,
        record_type=settings.everbridge_record_type,
    )


def _plain(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None
