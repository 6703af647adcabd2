"""Everything that belongs to one set of backend credentials: clients, catalogs, locks."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from uuid import uuid4

import httpx

from gateway.backends.adapter import SharesNotes
from gateway.backends.every import ADAPTERS
from gateway.backends.leads import HoldsLeads
from gateway.callers.door import open_door
from gateway.lead_links import Links
from gateway.locking.locks import Locks
from gateway.locking.record_leases import RecordLeases
from gateway.operations.acceptance import Acceptance
from gateway.operations.bulk_calls import BulkCalls
from gateway.operations.contact_calls import ContactCalls
from gateway.operations.delivering import Delivering
from gateway.operations.following import Following
from gateway.operations.hands import Hands
from gateway.operations.housekeeping import Housekeeping
from gateway.operations.keyed import KeyedCalls
from gateway.operations.lead_calls import LeadCalls
from gateway.operations.order import Order
from gateway.operations.outcomes import Patience
from gateway.operations.payloads import LEAD
from gateway.operations.settling import Settling
from gateway.operations.worker import Worker
from gateway.readiness import Readiness
from gateway.results import Outcome
from gateway.sending.quota import SlidingWindow
from gateway.sending.shared_quota import SharedWindow
from gateway.sending.transport import HttpxWire
from gateway.settings import TEMPORARY
from gateway.store.opening import SQLITE, open_store
from gateway.telemetry.spans import kept_by
from gateway.telemetry.watching import watching
from gateway.upsert import Writer
from gateway.wire.network import NetworkWire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from opentelemetry.sdk.trace.export import SpanExporter

    from gateway.backends.adapter import Adapter
    from gateway.backends.leads import Leads
    from gateway.callers.door import Door
    from gateway.model import Backend
    from gateway.results import BackendResult
    from gateway.sending.quota import Window
    from gateway.sending.transport import Wire
    from gateway.settings import Settings
    from gateway.store.opening import Store
    from gateway.store.operation_records import NewOperation
    from gateway.telemetry.watching import Watching

NAME = "default"
"""The account's name in the store; there is one account."""


class Account:
    """The configured backends of one organization."""

    def __init__(
        self,
        settings: Settings,
        transports: Mapping[Backend, httpx.AsyncBaseTransport],
        store: Store,
        door: Door,
        watching: Watching,
    ) -> None:
        self.settings = settings
        self.watching = watching
        self.store = store
        self.door = door
        self.links = Links(table=store.links, account=NAME)
        self._clients = {backend: _client(transports.get(backend)) for backend in ADAPTERS}
        made = {
            backend: connect(settings, self._clients[backend], self._new_window)
            for backend, connect in ADAPTERS.items()
        }
        self.adapters: dict[Backend, Adapter] = {
            backend: adapter for backend, adapter in made.items() if adapter is not None
        }
        for adapter in self.adapters.values():
            adapter.sender.meter = watching.metrics.calls_to(adapter.sender.dialect)
            if store.shared and isinstance(adapter, SharesNotes):
                adapter.share(store.notes, NAME)
        watching.metrics.start_at_zero(self.adapters)
        self._name = uuid4().hex
        self._lease = timedelta(seconds=settings.lease_seconds)
        self._record_leases = RecordLeases(
            leases=store.leases, holder=self._name, seconds=settings.lease_seconds
        )
        # A store of this process alone need not be asked who writes: nobody else does.
        locks = Locks(self._record_leases if store.shared else None)
        self.writer = Writer(locks=locks, plan_wait=settings.plan_wait_seconds)
        self._readiness = Readiness(database=store.database, shared=store.shared)
        self.draining = False
        self.worker = self._new_worker()
        self.acceptance = Acceptance(
            operations=store.operations, wake=self.worker.wake, heard=self._accepted
        )
        keep = timedelta(days=settings.keep_operations_days, hours=settings.idempotency_hours)
        self.settling = Settling(
            operations=store.operations,
            links=store.links,
            account=NAME,
            lease=self._lease,
            wake=self.worker.wake,
        )
        self.housekeeping = Housekeeping(
            store=store, keep_operations=keep, old=timedelta(minutes=settings.stuck_minutes)
        )
        self._open_calls(settings)

    def _open_calls(self, settings: Settings) -> None:
        """Make what the mutations call."""
        self._keyed = KeyedCalls(
            keys=self.store.keys,
            holder=self._name,
            lives_for=timedelta(hours=settings.idempotency_hours),
            lease=self._lease,
        )
        self._order = Order(operations=self.store.operations)
        self.contact_calls = ContactCalls(
            adapters=self.adapters,
            writer=self.writer,
            keyed=self._keyed,
            order=self._order,
            acceptance=self.acceptance,
            default_country=settings.default_country,
        )
        self.bulk_calls = BulkCalls(
            adapters=self.adapters,
            writer=self.writer,
            keyed=self._keyed,
            order=self._order,
            acceptance=self.acceptance,
            default_country=settings.default_country,
            most=settings.max_bulk_inputs,
        )

    def _new_window(self, name: str, limit: int, seconds: float) -> Window:
        """A quota: of this process alone, or shared as the store is."""
        if not self.store.shared:
            return SlidingWindow(limit, seconds)
        return SharedWindow(
            quotas=self.store.quotas, name=f"{NAME}:{name}", limit=limit, seconds=seconds
        )

    @property
    def leads(self) -> Leads | None:
        """The leads of the one backend that holds leads; None where it is not configured."""
        holders = (one for one in self.adapters.values() if isinstance(one, HoldsLeads))
        return next((holder.leads for holder in holders), None)

    @property
    def lead_calls(self) -> LeadCalls | None:
        """What writes leads; None where no backend that holds them is configured."""
        leads = self.leads
        if leads is None:
            return None
        return LeadCalls(
            leads=leads,
            links=self.links,
            writer=self.writer,
            keyed=self._keyed,
            order=self._order,
            acceptance=self.acceptance,
            default_country=self.settings.default_country,
        )

    def _new_worker(self) -> Worker:
        settings = self.settings
        patience = Patience(
            give_up_after=timedelta(hours=settings.delivery_hours),
            follow_for=timedelta(minutes=settings.job_follow_minutes),
            look_every=timedelta(seconds=settings.job_look_seconds),
        )
        delivering = Delivering(
            adapters=self.adapters,
            leads=lambda: self.leads,
            links=self.links,
            writer=self.writer,
            seconds=settings.request_timeout_seconds,
        )
        return Worker(
            hands=Hands(
                operations=self.store.operations,
                owner=self._name,
                lease=self._lease,
                heard=self._heard,
            ),
            delivering=delivering,
            following=Following(delivering=delivering, patience=patience),
            patience=patience,
        )

    def _heard(self, step_name: str, result: BackendResult) -> None:
        self.watching.metrics.delivered(_entity(step_name), result.backend.value, result.outcome)

    def _accepted(self, operation: NewOperation) -> None:
        for step in (step for item in operation.items for step in item.steps):
            self.watching.metrics.delivered(_entity(step.name), step.backend, Outcome.QUEUED)

    def start(self) -> None:
        """Begin to deliver what is stored."""
        with kept_by(self.watching.tracing):
            self.worker.start()
        self._tidying = asyncio.create_task(self.housekeeping.run())

    def drain(self) -> None:
        """The process is to end: not ready from now on, and nothing stored is claimed any more."""
        self.draining = True
        self.worker.pause()

    async def not_ready(self) -> str | None:
        """Why requests cannot be served well now; None when they can."""
        if self.draining:
            return "ending"
        return None if await self._readiness.of_store() else "the store cannot be used"

    async def close(self) -> None:
        """Finish the writes under way, then let the connections go."""
        seconds = self.settings.shutdown_seconds
        self._tidying.cancel()
        await asyncio.gather(
            self.writer.drain(seconds),
            self.worker.stop(seconds),
            asyncio.gather(self._tidying, return_exceptions=True),
        )
        await self._record_leases.close()
        for adapter in self.adapters.values():
            await adapter.catalogs.close()
        await asyncio.gather(*(client.aclose() for client in self._clients.values()))


def _client(transport: httpx.AsyncBaseTransport | None) -> Wire:
    """What one backend is reached by: the network, or what a test has put in its place."""
    if transport is None:
        return NetworkWire()
    return HttpxWire(httpx.AsyncClient(transport=transport, follow_redirects=False))


def _entity(step_name: str) -> str:
    return "lead" if step_name == LEAD else "contact"


@asynccontextmanager
async def opened(
    settings: Settings,
    transports: Mapping[Backend, httpx.AsyncBaseTransport] | None = None,
    exporter: SpanExporter | None = None,
) -> AsyncIterator[Account]:
    """An account for as long as the context lasts.

    In tests `transports` replaces the network, and `exporter` the collector of traces.
    """
    async with (
        watching(settings.otlp_endpoint, exporter) as watched,
        _stored(settings.database_url) as url,
        open_store(url, observe=watched.metrics.ran) as store,
        open_door(settings, store.api_keys) as door,
    ):
        account = Account(settings, transports or {}, store, door, watched)
        account.start()
        try:
            yield account
        finally:
            await account.close()


@asynccontextmanager
async def _stored(url: str) -> AsyncIterator[str]:
    """The URL of a database; a temporary one is removed at the end."""
    if url != TEMPORARY:
        yield url
        return
    with TemporaryDirectory(prefix="contact-gateway-", ignore_cleanup_errors=True) as folder:
        yield f"{SQLITE}{Path(folder) / 'gateway.sqlite3'}"
