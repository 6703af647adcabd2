"""Every metric, each with its help: docs/operating.md's table is printed from here.

A gateway has its own registry, because one process may run several of them. Labels are few and
bounded: names of our own, of the schema and of the backends' calls, never what a caller or a
backend has sent.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)

from gateway.results import Outcome
from gateway.telemetry.call_meter import CallMeter
from gateway.telemetry.rows import Row

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.model import Backend
    from gateway.results import BackendResult
    from gateway.telemetry.call_meter import Described

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
STORE_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5)
SIZES = (1, 2, 5, 10, 25, 50, 100, 200, 500, 1_000, 5_000, 10_000, 30_000)


class Metrics:
    """The metrics of one gateway."""

    def __init__(self) -> None:
        # When each series began would double their number, and Prometheus does not need it.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        # A process has one garbage collector and one memory, however many gateways it runs.
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.rows: list[Row] = []
        """What there is, but for the process's own figures."""
        build = Info("gateway_build", "The running version.", registry=self.registry)
        build.info({"version": version("contact-gateway")})
        self._note("gateway_build_info", "info", ("version",), "The running version.")
        self._http: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._operated: dict[tuple[str, str, str], tuple[Counter, Histogram]] = {}
        self._wrote: dict[tuple[str, str, Backend, Outcome], Counter] = {}
        self._add_surface()
        self._add_backends()
        self._add_store()

    def _add_surface(self) -> None:
        self.http_requests = self._counter(
            "gateway_http_requests", "HTTP requests answered.", "method", "route", "status"
        )
        self.http_seconds = self._histogram(
            "gateway_http_request_seconds", "Seconds until the answer to a request begins.", "route"
        )
        self.operations = self._counter(
            "gateway_graphql_operations",
            "GraphQL operations by type and root field (several: more than one), and by how they "
            "ended: ok, errors (some in the answer), invalid (refused before it ran).",
            "type",
            "field",
            "outcome",
        )
        self.operation_seconds = self._histogram(
            "gateway_graphql_operation_seconds",
            "Seconds that operations take; of a subscription, until its first answer.",
            "type",
        )
        self.faults = self._counter(
            "gateway_faults", "Errors of the gateway's own, each with a traceback in the log."
        )
        self.subscriptions = self._gauge("gateway_graphql_subscriptions", "Subscriptions open now.")
        self.writes = self._counter(
            "gateway_write_results",
            "What became of writes, by target. delivery is direct, or durable: then QUEUED counts "
            "what was accepted, and the other outcomes what was delivered.",
            "entity",
            "delivery",
            "backend",
            "outcome",
        )
        self.replays = self._counter(
            "gateway_idempotent_replays",
            "Calls answered with the result of an earlier call with the same idempotency key.",
            "entity",
        )

    def _add_backends(self) -> None:
        self.backend_calls = self._counter(
            "gateway_backend_calls",
            "Tries of calls to backends. outcome is OK, the code of the problem, NOT_SENT "
            "or NO_ANSWER.",
            "backend",
            "method",
            "route",
            "outcome",
        )
        self.backend_seconds = self._histogram(
            "gateway_backend_call_seconds",
            "Seconds of one try of a call to a backend.",
            "backend",
            "method",
            "route",
        )
        self.backend_retries = self._counter(
            "gateway_backend_retries", "Calls tried again, by what was wrong.", "backend", "reason"
        )
        self.quota_waits = self._counter(
            "gateway_backend_quota_waits",
            "Calls that had to wait for a turn within the backend's quota.",
            "backend",
        )
        self.quota_wait_seconds = self._counter(
            "gateway_backend_quota_wait_seconds",
            "Seconds in all that calls waited for a turn within the backend's quota.",
            "backend",
        )
        self.breaker_refusals = self._counter(
            "gateway_backend_breaker_refusals",
            "Calls not sent because the backend is left alone after outages.",
            "backend",
        )
        self.batch_sizes = self._histogram(
            "gateway_backend_batch_size",
            "Records in one call of those that write several at a time, such as SendGrid's.",
            "backend",
            buckets=SIZES,
        )

    def _add_store(self) -> None:
        store_seconds = self._histogram(
            "gateway_store_seconds",
            "Seconds of the store's transactions; kind is read or write.",
            "kind",
            buckets=STORE_SECONDS,
        )
        store_failures = self._counter(
            "gateway_store_failures", "Transactions that the store could not run.", "kind"
        )
        self._store = {
            kind: (store_seconds.labels(kind), store_failures.labels(kind))
            for kind in ("read", "write")
        }

    def start_at_zero(self, backends: Iterable[Backend]) -> None:
        """Show what has not happened yet as 0: a rate needs a first value to rise from."""
        for backend in backends:
            for counter in (self.quota_waits, self.quota_wait_seconds, self.breaker_refusals):
                counter.labels(backend.value)

    def calls_to(self, described: Described) -> CallMeter:
        """What counts the calls to one backend."""
        return CallMeter(self, described)

    def wrote(
        self,
        entity: str,
        results: Iterable[BackendResult],
        *,
        durable: bool,
        replayed: bool = False,
    ) -> None:
        """Count what became of a call; a replayed one was counted when it was made.

        What a durable call has stored, and what becomes of that, is counted by `delivered`.
        """
        if replayed:
            self.replays.labels(entity).inc()
            return
        delivery = "durable" if durable else "direct"
        for result in results:
            if result.outcome is Outcome.QUEUED:
                continue
            written = (entity, delivery, result.backend, result.outcome)
            counter = self._wrote.get(written)
            if counter is None:
                names = (result.backend.value, result.outcome.value)
                counter = self._wrote[written] = self.writes.labels(entity, delivery, *names)
            counter.inc()

    def delivered(self, entity: str, backend: str, outcome: Outcome) -> None:
        """Count a durable write to one backend: accepted (QUEUED), or at its end."""
        self.writes.labels(entity, "durable", backend, outcome.value).inc()

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an HTTP answer; its seconds are those until it began."""
        children = self._http.get((method, route, status))
        if children is None:
            counter = self.http_requests.labels(method, route, str(status))
            children = self._http[method, route, status] = (
                counter,
                self.http_seconds.labels(route),
            )
        counter, histogram = children
        counter.inc()
        histogram.observe(seconds)

    def operated(self, kind: str, field: str, outcome: str, seconds: float) -> None:
        """Count a GraphQL operation."""
        children = self._operated.get((kind, field, outcome))
        if children is None:
            counter = self.operations.labels(kind, field, outcome)
            children = self._operated[kind, field, outcome] = (
                counter,
                self.operation_seconds.labels(kind),
            )
        counter, histogram = children
        counter.inc()
        histogram.observe(seconds)

    def ran(self, kind: str, seconds: float, *, failed: bool) -> None:
        """Count a transaction of the store: `kind` is read or write."""
        histogram, failures = self._store[kind]
        histogram.observe(seconds)
        if failed:
            failures.inc()

    def _counter(self, name: str, tells: str, *labels: str) -> Counter:
        self._note(f"{name}_total", "counter", labels, tells)
        return Counter(name, tells, labels, registry=self.registry)

    def _gauge(self, name: str, tells: str) -> Gauge:
        self._note(name, "gauge", (), tells)
        return Gauge(name, tells, registry=self.registry)

    def _histogram(
        self, name: str, tells: str, *labels: str, buckets: tuple[float, ...] = SECONDS
    ) -> Histogram:
        self._note(name, "histogram", labels, tells)
        return Histogram(name, tells, labels, registry=self.registry, buckets=buckets)

    def _note(self, name: str, kind: str, labels: tuple[str, ...], tells: str) -> None:
        self.rows.append(Row(name=name, kind=kind, labels=labels, tells=tells))
