"""Counts the calls to one backend: a counter and a histogram for each try, looked up once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from prometheus_client import Counter, Histogram

    from gateway.calls import Call
    from gateway.model import Backend
    from gateway.telemetry.metrics import Metrics

OK, UNSENT, UNANSWERED = "OK", "NOT_SENT", "NO_ANSWER"
"""How a try ends, besides the problems that answers tell."""


WAIT = 0.02
"""Seconds from which a turn within the quota counts as waited for: asking the store for it, where
several gateways share it, takes a few milliseconds."""


class Described(Protocol):
    """Says of a backend's calls what may be told of them."""

    backend: Backend

    def route(self, call: Call) -> str:
        """The call's path with `*` for ids and whatever else is not the same in every such call."""
        ...

    def batch_size(self, call: Call) -> int | None:
        """How many records a call writes; None for calls that never write several."""
        ...


class Meter(Protocol):
    """Hears of the tries of calls to one backend."""

    def tried(self, call: Call, seconds: float, outcome: str) -> None:
        """A try has ended."""
        ...

    def again(self, reason: str) -> None:
        """A call is about to be tried again."""
        ...

    def waited(self, seconds: float) -> None:
        """A call has its turn within the quota, after so many seconds."""
        ...

    def left_alone(self) -> None:
        """A call was not sent because the backend is left alone."""
        ...


class CallMeter:
    """Counts into one gateway's metrics."""

    def __init__(self, metrics: Metrics, described: Described) -> None:
        self._metrics = metrics
        self._described = described
        self._backend = described.backend.value
        self._known: dict[tuple[str, str, str], tuple[Counter, Histogram]] = {}
        """By method, route and outcome."""
        self._batches = metrics.batch_sizes.labels(self._backend)

    def tried(self, call: Call, seconds: float, outcome: str) -> None:
        """Count a try of a call."""
        described = call.method, self._described.route(call), outcome
        calls, took = self._known.get(described) or self._meet(*described)
        calls.inc()
        took.observe(seconds)
        size = self._described.batch_size(call)
        if size is not None:
            self._batches.observe(size)

    def _meet(self, method: str, route: str, outcome: str) -> tuple[Counter, Histogram]:
        labels = (self._backend, method, route)
        found = (
            self._metrics.backend_calls.labels(*labels, outcome),
            self._metrics.backend_seconds.labels(*labels),
        )
        self._known[method, route, outcome] = found
        return found

    def again(self, reason: str) -> None:
        """Count a retry."""
        self._metrics.backend_retries.labels(self._backend, reason).inc()

    def waited(self, seconds: float) -> None:
        """Count a wait for the quota."""
        if seconds < WAIT:
            return
        self._metrics.quota_waits.labels(self._backend).inc()
        self._metrics.quota_wait_seconds.labels(self._backend).inc(seconds)

    def left_alone(self) -> None:
        """Count a call that was kept back."""
        self._metrics.breaker_refusals.labels(self._backend).inc()


class Uncounted:
    """Counts nothing."""

    def tried(self, call: Call, seconds: float, outcome: str) -> None:
        """Nothing to do."""

    def again(self, reason: str) -> None:
        """Nothing to do."""

    def waited(self, seconds: float) -> None:
        """Nothing to do."""

    def left_alone(self) -> None:
        """Nothing to do."""


UNCOUNTED = Uncounted()
