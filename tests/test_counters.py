"""Our counters and histograms are shown as prometheus_client shows its own."""

from __future__ import annotations

import prometheus_client as theirs
import pytest
from prometheus_client.openmetrics.exposition import generate_latest as as_open_metrics

from gateway.telemetry.counters import Counter, Histogram

BOUNDS = (0.005, 0.25, 1, 30, 5_000_000)
VALUES = (0, 0.005, 0.0050001, 0.2, 1, 1.5, 30, 31, 5e6, 5e6 + 1)


def registries() -> tuple[theirs.CollectorRegistry, theirs.CollectorRegistry]:
    """The same counted by theirs and by ours."""
    theirs.disable_created_metrics()  # type: ignore[no-untyped-call]
    first, second = theirs.CollectorRegistry(), theirs.CollectorRegistry()
    counters = (
        theirs.Counter("calls", "Calls.", ("by", "to"), registry=first),
        Counter("calls", "Calls.", ("by", "to"), second),
    )
    histograms = (
        theirs.Histogram("took", "Seconds.", ("by",), registry=first, buckets=BOUNDS),
        Histogram("took", "Seconds.", ("by",), second, BOUNDS),
    )
    for counter in counters:
        counter.labels("a", "b").inc()
        counter.labels("b", 'with "quotes"').inc(0.25)
        counter.labels("a", "b").inc()
        counter.labels("a", "not yet")
    for histogram in histograms:
        histogram.labels("nothing yet")
        for value in VALUES:
            histogram.labels("a").observe(value)
    theirs.Counter("faults", "Faults.", registry=first)
    Counter("faults", "Faults.", (), second)
    return first, second


def test_both_texts_are_the_same() -> None:
    first, second = registries()
    assert theirs.generate_latest(first) == theirs.generate_latest(second)
    shown = [as_open_metrics(one) for one in (first, second)]  # type: ignore[no-untyped-call]
    assert shown[0] == shown[1]


def test_some_names_alone_can_be_asked_for() -> None:
    first, second = (one.restricted_registry(["took_sum", "calls"]) for one in registries())
    text = theirs.generate_latest(second)
    assert b"took_sum" in text
    assert theirs.generate_latest(first) == text


def test_a_name_is_given_once() -> None:
    _, registry = registries()
    with pytest.raises(ValueError, match="Duplicated"):
        Counter("calls", "Others.", (), registry)


def test_labels_are_given_all() -> None:
    counter = Counter("calls", "Calls.", ("by", "to"), theirs.CollectorRegistry())
    with pytest.raises(ValueError, match="by"):
        counter.labels("a")
