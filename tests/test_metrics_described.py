"""What is told about the metrics is true: the documentation's tables and the Grafana dashboard."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families as read_text

from gateway.status.gauges import ROWS
from gateway.telemetry.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.harness import Gateway

ROOT = Path(__file__).parents[1]
OPERATING = (ROOT / "docs" / "operating.md").read_text()
DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy/grafana/dashboard.json").read_text())
NAMES = re.compile(r"\b(?:gateway|process)_[a-z0-9_]+")
OF_THE_PROCESS = ("process_", "python_")
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "info": ("_info",)}


async def exported(gateway: Gateway) -> dict[str, str]:
    """The kind of each metric that can be asked for, by its name."""
    text = (await gateway.http.get("/metrics")).text
    return {
        family.name + suffix: family.type
        for family in read_text(text)
        for suffix in SUFFIXES.get(family.type, ("",))
    }


def expressions() -> Iterator[str]:
    """What the dashboard asks for."""
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", []):
            yield target["expr"]


async def test_the_documentation_names_every_metric_and_no_other(gateway: Gateway) -> None:
    real = await exported(gateway)
    ours = {re.sub(r"_(bucket|sum|count)$", "", name) for name in real if name[0] == "g"}
    table = set(re.findall(r"^\| `(gateway_\w+)` \|", OPERATING, re.MULTILINE))
    assert table == ours
    named = {name for name in NAMES.findall(OPERATING) if not name.endswith("_")}
    assert named - set(real) - ours == set()
    others = {name for name in real if name[0] != "g"}
    assert {name for name in others if not name.startswith(OF_THE_PROCESS)} == set()


async def test_the_dashboard_asks_for_metrics_that_exist(gateway: Gateway) -> None:
    real = await exported(gateway)
    asked = {name for expression in expressions() for name in NAMES.findall(expression)}
    asked |= set(NAMES.findall(json.dumps(DASHBOARD["templating"])))
    assert asked - set(real) == set()
    described = {row.name for row in (*Metrics().rows, *ROWS)}
    shown = {re.sub(r"_(bucket|sum|count)$", "", name) for name in asked}
    assert described - shown == set(), "metrics that no panel shows"


def test_the_dashboard_groups_and_chooses_by_labels_that_exist() -> None:
    labels = {row.name: {*row.labels, "job", "instance"} for row in (*Metrics().rows, *ROWS)}
    for expression in expressions():
        [*found] = {re.sub(r"_(bucket|sum|count)$", "", one) for one in NAMES.findall(expression)}
        known = set.intersection(*(labels.get(one, {"job", "instance"}) for one in found))
        grouped = re.findall(r"by \(([^)]*)\)", expression)
        used = {label.strip() for group in grouped for label in group.split(",")}
        used |= set(re.findall(r"(\w+)(?:=~|!=|=)\"", expression))
        assert used - {"le"} <= known, expression
        assert expression.count("(") == expression.count(")")


def test_the_dashboards_panels_have_titles_and_places_of_their_own() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        assert panel["title"]
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


@pytest.mark.parametrize("row", [*Metrics().rows, *ROWS], ids=lambda row: row.name)
def test_a_metrics_unit_and_kind_stand_in_its_name(row: Any) -> None:
    assert row.name.startswith("gateway_")
    assert row.name.endswith("_total") == (row.kind == "counter")
    assert not row.name.endswith(("_ms", "_milliseconds"))
    assert row.tells.endswith(".")
