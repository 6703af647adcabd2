"""Metrics of how things stand, looked up when somebody asks: they cost nothing in between."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from gateway.sending.breaker import BreakerState
from gateway.telemetry.rows import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from gateway.backends.adapter import Adapter
    from gateway.model import Backend
    from gateway.store.operation_records import Backlog


def _row(name: str, tells: str, *labels: str) -> Row:
    return Row(name=name, kind="gauge", labels=labels, tells=tells)


BREAKER = _row(
    "gateway_backend_breaker_state",
    "1 for the state that a backend's breaker is in: closed, open (left alone after outages) or "
    "half-open (one call is trying).",
    "backend",
    "state",
)
CATALOG_AGE = _row(
    "gateway_catalog_age_seconds",
    "Seconds since a backend's list of names was read.",
    "backend",
    "catalog",
)
STORE_UP = _row(
    "gateway_store_up",
    "1 when the store could be asked for the gateway_queue_ figures, otherwise 0.",
)
OPERATIONS = _row("gateway_queue_operations", "Durable operations that have not ended.")
STEPS = _row(
    "gateway_queue_steps",
    "Steps of durable operations that have not ended, by state: QUEUED (to be delivered), FOLLOWING (sent, its job is followed), "
    "NEEDS_ATTENTION (a person must settle it). Only states that some step is in.",
    "backend",
    "state",
)
OLDEST = _row(
    "gateway_queue_oldest_seconds",
    "Age of the oldest step in that state, counted from its acceptance.",
    "backend",
    "state",
)
UNDELIVERED = _row(
    "gateway_queue_oldest_undelivered_seconds",
    "Age of the oldest write that some backend does not have yet; 0 when there is none.",
)
ROWS = (BREAKER, CATALOG_AGE, STORE_UP, OPERATIONS, STEPS, OLDEST, UNDELIVERED)


class Gauges(Collector):
    """The breakers and catalogs of some backends, and a backlog: None while it is not known."""

    def __init__(
        self, adapters: Mapping[Backend, Adapter], backlog: Callable[[], Backlog | None]
    ) -> None:
        self._adapters = adapters
        self._backlog = backlog

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The metrics as things stand now."""
        yield from self._backends()
        backlog = self._backlog()
        up = _family(STORE_UP)
        up.add_metric([], float(backlog is not None))
        yield up
        yield from _queue(backlog)

    def _backends(self) -> Iterator[GaugeMetricFamily]:
        breakers, ages = _family(BREAKER), _family(CATALOG_AGE)
        for backend, adapter in self._adapters.items():
            for state in BreakerState:
                is_in = adapter.sender.breaker.state is state
                breakers.add_metric([backend.value, state.value], float(is_in))
            for name, age in adapter.catalogs.ages().items():
                ages.add_metric([backend.value, name.value], age)
        yield breakers
        yield ages


def _queue(backlog: Backlog | None) -> Iterator[GaugeMetricFamily]:
    """The operation log's own figures; without samples while the store cannot tell them."""
    families = [_family(row) for row in (OPERATIONS, STEPS, OLDEST, UNDELIVERED)]
    operations, steps, oldest, undelivered = families
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
    yield from families


def _family(row: Row) -> GaugeMetricFamily:
    return GaugeMetricFamily(row.name, row.tells, labels=row.labels)
