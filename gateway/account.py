"""Everything that belongs to one set of backend credentials: clients, catalogs, locks."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx
from httpx_aiohttp import AiohttpTransport

from gateway.backends import ADAPTERS
from gateway.locks import Locks
from gateway.upsert import Writer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from gateway.backends.adapter import Adapter
    from gateway.model import Backend
    from gateway.settings import Settings


class Account:
    """The configured backends of one organization."""

    def __init__(
        self, settings: Settings, transports: Mapping[Backend, httpx.AsyncBaseTransport]
    ) -> None:
        self.settings = settings
        self._clients = {
            backend: httpx.AsyncClient(
                transport=transports.get(backend) or AiohttpTransport(), follow_redirects=False
            )
            for backend in ADAPTERS
        }
        made = {
            backend: connect(settings, self._clients[backend])
            for backend, connect in ADAPTERS.items()
        }
        self.adapters: dict[Backend, Adapter] = {
            backend: adapter for backend, adapter in made.items() if adapter is not None
        }
        self.writer = Writer(locks=Locks(), plan_wait=settings.plan_wait_seconds)

    async def close(self) -> None:
        """Finish the writes under way, then let the connections go."""
        await self.writer.drain()
        for adapter in self.adapters.values():
            await adapter.catalogs.close()
        await asyncio.gather(*(client.aclose() for client in self._clients.values()))


@asynccontextmanager
async def opened(
    settings: Settings, transports: Mapping[Backend, httpx.AsyncBaseTransport] | None = None
) -> AsyncIterator[Account]:
    """An account for as long as the context lasts; `transports` replaces the network in tests."""
    account = Account(settings, transports or {})
    try:
        yield account
    finally:
        await account.close()
