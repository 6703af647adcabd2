"""Everbridge's adapter wired to the simulated Everbridge in one process."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from gateway.backends.everbridge.adapter import EverbridgeAdapter
from gateway.backends.everbridge.client import EverbridgeDialect
from gateway.checks import check_contact
from gateway.locking.locks import Locks
from gateway.names import Loaders
from gateway.sandbox.clock import ManualClock
from gateway.sandbox.everbridge import Everbridge
from gateway.upsert import Writer, upsert
from gateway.upstream import Exchange, Sender

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.model import ContactInput
    from gateway.results import BackendResult
    from gateway.upsert import Receipt

ORG = 1000000000000001


@dataclass
class Wired:
    """An adapter, what it talks to, and every request between them."""

    adapter: EverbridgeAdapter
    simulation: Everbridge
    writer: Writer
    requests: list[httpx.Request]

    async def receipt(self, given: ContactInput, *, dry: bool = False, **how: Any) -> Receipt:
        """Write to Everbridge alone, from the checks to the receipt."""
        write, problems = check_contact(given, default_country="GB", **how)
        deadline = time.monotonic() + 30
        loaders = Loaders(Exchange(deadline=deadline))
        return await upsert(
            write, problems, [self.adapter], loaders, self.writer, deadline=deadline, dry=dry
        )

    async def upsert(self, given: ContactInput, *, dry: bool = False, **how: Any) -> BackendResult:
        """Everbridge's part of the receipt."""
        return (await self.receipt(given, dry=dry, **how)).results[0]

    def held(self, external_id: str) -> dict[str, Any]:
        """A contact as the simulation keeps it."""
        contact = self.simulation._store.contact_with_external_id(external_id)
        assert contact is not None
        return contact

    def calls(self, method: str) -> list[str]:
        """Path and query of the requests of one method so far."""
        return [str(each.url.raw_path, "ascii") for each in self.requests if each.method == method]


@pytest.fixture
async def wired() -> AsyncIterator[Wired]:
    simulation = Everbridge(ManualClock())
    mounts = [
        Mount("/everbridge/rest", simulation.app),
        Mount("/everbridge/authorization/v1", simulation.token_app),
    ]
    requests: list[httpx.Request] = []

    async def note(request: httpx.Request) -> None:
        requests.append(request)

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=Starlette(routes=mounts)),
        event_hooks={"request": [note]},
    ) as client:
        dialect = EverbridgeDialect(
            base_url="http://sandbox/everbridge/rest",
            token_url="http://sandbox/everbridge/authorization/v1/tokens",
            client_id="sandbox-client",
            client_secret="sandbox-secret",
        )
        adapter = EverbridgeAdapter(
            Sender(dialect, client),
            dialect,
            catalog_ttl=300,
            organization_id=str(ORG),
            email_path="Work Email",
            phone_path="Mobile Phone",
            record_type="Employee",
        )
        yield Wired(
            adapter=adapter,
            simulation=simulation,
            writer=Writer(locks=Locks()),
            requests=requests,
        )
        await adapter.catalogs.close()
