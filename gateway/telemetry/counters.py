"""Counters and histograms as Prometheus wants them, for one thread: the one that runs the event loop.

prometheus_client's own take a lock for each number that they change, two to four in a histogram, and
look each time whether they have labels: 20 microseconds of each request. These are shown by the same
registry, in the same form.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING, Generic, TypeVar

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from prometheus_client import CollectorRegistry


class Count:
    """A number that only rises."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0

    def inc(self, amount: float = 1.0) -> None:
        """Raise it."""
        self.value += amount


class Spread:
    """How often values were how large."""

    __slots__ = ("_bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self.counts = [0.0] * (len(bounds) + 1)
        """Of each bound, the values above the one before it; last those above all."""
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Take in a value."""
        self.counts[bisect_left(self._bounds, value)] += 1
        self.total += value


Series = TypeVar("Series", Count, Spread)


class _Family(Collector, Generic[Series]):
    """One metric: a series for each set of labels that was asked for; without labels there is one."""

    def __init__(
        self,
        name: str,
        tells: str,
        labels: Sequence[str],
        registry: CollectorRegistry,
        make: Callable[[], Series],
    ) -> None:
        self._name = name
        self._tells = tells
        self._names = tuple(labels)
        self._make: Callable[[], Series] = make
        self._series: dict[tuple[str, ...], Series] = {}
        if not labels:
            self.labels()
        registry.register(self)

    def labels(self, *values: str) -> Series:
        """The series of these labels; whoever counts often keeps it."""
        if len(values) != len(self._names):
            raise ValueError(f"{self._name} has the labels {self._names}")
        series = self._series.get(values)
        if series is None:
            series = self._series[values] = self._make()
        return series


class Counter(_Family[Count]):
    """A counter with its series."""

    def __init__(
        self, name: str, tells: str, labels: Sequence[str], registry: CollectorRegistry
    ) -> None:
        super().__init__(name, tells, labels, registry, Count)

    def describe(self) -> Iterator[CounterMetricFamily]:
        """What it is called."""
        yield CounterMetricFamily(self._name, self._tells, labels=self._names)

    def collect(self) -> Iterator[CounterMetricFamily]:
        """The numbers as they are now."""
        for family in self.describe():
            for labels, count in self._series.items():
                family.add_metric(labels, count.value)
            yield family


class Histogram(_Family[Spread]):
    """A histogram with its series; `buckets` are the upper bounds, from the lowest."""

    def __init__(
        self,
        name: str,
        tells: str,
        labels: Sequence[str],
        registry: CollectorRegistry,
        buckets: Sequence[float],
    ) -> None:
        bounds = (*buckets, float("inf"))
        self._bounds = [floatToGoString(bound) for bound in bounds]  # type: ignore[no-untyped-call]
        super().__init__(name, tells, labels, registry, lambda: Spread(buckets))

    def describe(self) -> Iterator[HistogramMetricFamily]:
        """What it is called."""
        yield HistogramMetricFamily(self._name, self._tells, labels=self._names)

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """The values as they are spread now."""
        for family in self.describe():
            for labels, spread in self._series.items():
                buckets = zip(self._bounds, accumulate(spread.counts), strict=True)
                family.add_metric(labels, list(buckets), spread.total)
            yield family
