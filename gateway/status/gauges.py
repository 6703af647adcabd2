"""Metrics of how things stand, looked up when somebody asks: they cost nothing in between."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from gateway.breaker import BreakerState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.account import Account
    from gateway.status.backlog import KnownBacklog
    from gateway.store.operation_records import Backlog


class Gauges(Collector):
    """An account's breakers, catalogs and backlog."""

    def __init__(self, account: Account, backlog: KnownBacklog) -> None:
        self._account = account
        self._backlog = backlog

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The metrics as things stand now."""
        yield from self._backends()
        backlog = self._backlog.known
        up = GaugeMetricFamily("gateway_store_up", "Whether the store told its backlog.")
        up.add_metric([], float(backlog is not None))
        yield up
        yield from _queue(backlog)

    def _backends(self) -> Iterator[GaugeMetricFamily]:
        breakers = GaugeMetricFamily(
            "gateway_backend_breaker_state",
            "1 for the state that a backend's breaker is in: closed, open (left alone after outages) "
            "or half-open (one call is trying).",
            labels=["backend", "state"],
        )
        ages = GaugeMetricFamily(
            "gateway_catalog_age_seconds",
            "Seconds since a backend's list of names was read.",
            labels=["backend", "catalog"],
        )
        for backend, adapter in self._account.adapters.items():
            for state in BreakerState:
                is_in = adapter.sender.breaker.state is state
                breakers.add_metric([backend.value, state.value], float(is_in))
            for name, age in adapter.catalogs.ages().items():
                ages.add_metric([backend.value, name.value], age)
        yield breakers
        yield ages


def _queue(backlog: Backlog | None) -> Iterator[GaugeMetricFamily]:
    """The operation log's own figures; without samples while the store cannot tell them."""
    operations = GaugeMetricFamily(
        "gateway_queue_operations", "Durable operations that have not ended."
    )
    steps = GaugeMetricFamily(
        "gateway_queue_steps",
        "Their steps by state: QUEUED (to be delivered), FOLLOWING (sent, its job is followed), "
        "NEEDS_ATTENTION (a person must settle it).",
        labels=["backend", "state"],
    )
    oldest = GaugeMetricFamily(
        "gateway_queue_oldest_seconds",
        "Age of the oldest step in that state, counted from its acceptance.",
        labels=["backend", "state"],
    )
    undelivered = GaugeMetricFamily(
        "gateway_queue_oldest_undelivered_seconds",
        "Age of the oldest write that some backend does not have yet; 0 when there is none.",
    )
    if backlog is not None:
        now = datetime.now(UTC)
        operations.add_metric([], backlog.operations)
        for waiting in backlog.steps:
            labels = [waiting.backend, waiting.state.value]
            steps.add_metric(labels, waiting.number)
            oldest.add_metric(labels, max(0.0, (now - waiting.oldest).total_seconds()))
        since = backlog.undelivered_since
        age = 0.0 if since is None else max(0.0, (now - since).total_seconds())
        undelivered.add_metric([], age)
    yield from (operations, steps, oldest, undelivered)
