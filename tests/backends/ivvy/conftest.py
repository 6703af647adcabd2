"""The adapter on a simulated iVvy of its own, and the story of a write over it."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from gateway.backends.ivvy.adapter import IvvyAdapter
from gateway.backends.ivvy.client import IvvyDialect
from gateway.checks import check_contact
from gateway.locking.locks import Locks
from gateway.names import Loaders
from gateway.sandbox.app import Sandbox, create_sandbox
from gateway.sandbox.clock import ManualClock
from gateway.sandbox.faults import ConnectionDropped
from gateway.upsert import Writer, upsert
from gateway.upstream import Exchange, Sender

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.model import ContactInput
    from gateway.results import BackendResult


class InProcess(httpx.AsyncBaseTransport):
    """Calls the sandbox without a socket; a dropped connection looks as it does over one."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._inner = httpx.ASGITransport(app=sandbox.app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)  # lets others go first, as a network does
        try:
            return await self._inner.handle_async_request(request)
        except ConnectionDropped:
            raise httpx.ReadError("the connection was dropped", request=request) from None


@dataclass
class Desk:
    """iVvy's adapter, the simulated iVvy behind it, and what a write needs beside them."""

    sandbox: Sandbox
    adapter: IvvyAdapter
    writer: Writer = field(default_factory=lambda: Writer(locks=Locks()))

    @property
    def switches(self) -> dict[str, Any]:
        return self.sandbox.ivvy.switches

    @staticmethod
    def exchange() -> Exchange:
        return Exchange(deadline=time.monotonic() + 30)

    async def write(self, given: ContactInput, *, dry: bool = False, **how: Any) -> BackendResult:
        """Bring one contact to iVvy, as the mutation does."""
        write, problems = check_contact(given, default_country="GB", **how)
        receipt = await upsert(
            write,
            problems,
            [self.adapter],
            Loaders(self.exchange()),
            self.writer,
            deadline=time.monotonic() + 30,
            dry=dry,
        )
        return receipt.results[0]

    def held(self, **fields: Any) -> list[dict[str, Any]]:
        """The contacts that iVvy holds with these values."""
        rows = self.sandbox.ivvy.dump()["tables"]["contacts"]
        return [row for row in rows if all(row[key] == value for key, value in fields.items())]

    def calls(self) -> list[tuple[str, Any]]:
        """Action and body of each call that iVvy received, oldest first."""
        shown = self.sandbox.calls.shown()
        return [(call["query"]["action"], call["body"]) for call in shown]

    def writes(self) -> list[tuple[str, Any]]:
        """Those of them that change something."""
        return [
            (action, body)
            for action, body in self.calls()
            if action.startswith(("addOrUpdate", "addContacts", "removeContacts"))
        ]


@asynccontextmanager
async def open_desk() -> AsyncIterator[Desk]:
    """A desk over a sandbox of its own."""
    clock = ManualClock()
    sandbox = create_sandbox(clock=clock)
    dialect = IvvyDialect(
        base_url="http://sandbox/ivvy",
        api_key="sandbox-key",
        api_secret="sandbox-secret",
        clock=clock.now,
    )
    async with httpx.AsyncClient(transport=InProcess(sandbox)) as client:
        sender = Sender(dialect, client)
        adapter = IvvyAdapter(sender, dialect, catalog_ttl=300)
        yield Desk(sandbox=sandbox, adapter=adapter)
        await adapter.catalogs.close()


@pytest.fixture
async def desk(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    """An adapter whose repeated tries do not wait."""
    monkeypatch.setattr("gateway.sending.tries.BACKOFF_BASE", 0.0)
    async with open_desk() as made:
        yield made


@pytest.fixture
def waits(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited for batches; time passes for iVvy and not for the test."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        desk.sandbox.clock.advance(seconds)  # type: ignore[attr-defined]

    monkeypatch.setattr("gateway.backends.ivvy.batch_run.sleep", sleep)
    return waited
