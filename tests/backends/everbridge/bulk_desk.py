"""Everbridge's adapter on a whole sandbox, for writes that leave together."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from gateway.backends.everbridge.adapter import EverbridgeAdapter
from gateway.backends.everbridge.client import EverbridgeDialect
from gateway.checks import check_contact
from gateway.locking.locks import Locks
from gateway.names import Loaders
from gateway.sandbox.app import Sandbox, create_sandbox
from gateway.sandbox.clock import ManualClock
from gateway.upsert import Writer, upsert
from gateway.upstream import Exchange, Sender
from tests.backends.bulk import bulk_upsert
from tests.backends.everbridge.writing import contact
from tests.harness import InProcess

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from gateway.model import ContactInput
    from gateway.results import BackendResult

SERVER = ("lastModifiedDate", "lastModifiedTime", "createdDate", "id")
"""What differs between two worlds that were written differently."""


@dataclass
class Desk:
    """The adapter and the simulated Everbridge behind it."""

    sandbox: Sandbox
    clock: ManualClock
    adapter: EverbridgeAdapter
    writer: Writer

    @property
    def switches(self) -> dict[str, Any]:
        return self.sandbox.everbridge.switches

    async def bulk(self, inputs: Iterable[ContactInput], **how: Any) -> list[BackendResult]:
        """Bring many contacts to Everbridge as a bulk does."""
        return await bulk_upsert(self.adapter, inputs, **how)

    async def singly(self, inputs: Iterable[ContactInput], **how: Any) -> list[BackendResult]:
        """Bring them there side by side, each as a call of its own does."""
        return list(await asyncio.gather(*(self.one(given, **how) for given in inputs)))

    async def one(self, given: ContactInput, **how: Any) -> BackendResult:
        write, problems = check_contact(given, default_country="GB", **how)
        deadline = time.monotonic() + 30
        loaders = Loaders(Exchange(deadline=deadline))
        receipt = await upsert(
            write, problems, [self.adapter], loaders, self.writer, deadline=deadline
        )
        return receipt.results[0]

    def calls(self, method: str) -> list[dict[str, Any]]:
        """The calls about contacts and members that Everbridge received, of one method."""
        return [
            call
            for call in self.sandbox.calls.shown("everbridge")
            if call["method"] == method
            and (call["path"].startswith("/contacts/") or method == "DELETE")
        ]

    def drop(self, when: str, times: int, method: str, path: str = "/contacts") -> None:
        """Let the next calls of a kind go unanswered, before or after their effect."""
        self.sandbox.faults.add(
            {"backend": "everbridge", "method": method, "path": path, "drop": when, "times": times}
        )

    def held(self, external_id: str) -> dict[str, Any]:
        """A contact as Everbridge keeps it."""
        [found] = [
            each
            for each in self.sandbox.everbridge.dump()["contacts"]
            if each["externalId"] == external_id
        ]
        return dict(found)

    def all_held(self) -> dict[str, dict[str, Any]]:
        """Every contact by externalId, without what the server says of its own."""
        return {
            each["externalId"]: {key: value for key, value in each.items() if key not in SERVER}
            for each in self.sandbox.everbridge.dump()["contacts"]
        }


@asynccontextmanager
async def desk_over(sandbox: Sandbox, clock: ManualClock) -> AsyncIterator[Desk]:
    async with httpx.AsyncClient(transport=InProcess(sandbox)) as client:
        dialect = EverbridgeDialect(
            base_url="http://sandbox/everbridge/rest", username="sandbox", password="sandbox"
        )
        adapter = EverbridgeAdapter(
            Sender(dialect, client),
            dialect,
            catalog_ttl=300,
            organization_id="1000000000000001",
            email_path="Work Email",
            phone_path="Mobile Phone",
            record_type="Employee",
        )
        yield Desk(sandbox=sandbox, clock=clock, adapter=adapter, writer=Writer(locks=Locks()))
        await adapter.catalogs.close()


@asynccontextmanager
async def new_desk() -> AsyncIterator[Desk]:
    """A desk over a sandbox of its own."""
    clock = ManualClock()
    async with desk_over(create_sandbox(clock=clock), clock) as desk:
        yield desk


def people(count: int, **fields: Any) -> list[ContactInput]:
    """Inputs with externalIds P-0 and on, an e-mail and a phone; `fields` as well."""
    return [
        contact(
            external_id=f"P-{n}",
            first_name=f"First{n}",
            last_name="Person",
            email=f"p{n}@example.com",
            phone=f"+44 7700 900{n % 1000:03}",
            **fields,
        )
        for n in range(count)
    ]
