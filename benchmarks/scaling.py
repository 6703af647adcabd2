"""How cost grows: curves for docs/performance.md (`make bench-scaling`).

Each curve has the gateway on core 0 and the fast vendors and the load on core 1, as `make bench` has;
only throughput against workers takes both cores for all. The figure is the CPU time of one mutation,
which other work on the machine hardly changes. Plots are SVG files beside the page.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import orjson

from benchmarks import work
from benchmarks.contenders import CONTENDERS, POSTGRES, started
from benchmarks.plots import Curve, draw
from benchmarks.run import CONNECTIONS, CONTENDER_CORE, LOAD_CORE, load, quiet
from benchmarks.tables import put
from benchmarks.upstream import upstream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.contenders import Contender, Running
    from benchmarks.upstream import Upstream
    from benchmarks.work import Mode

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"
GATEWAY = CONTENDERS[0]
NAMED = next(mode for mode in work.MODES if mode.name == "all")


@dataclass(frozen=True, kw_only=True)
class Given(work.Mode):
    """All targets, and a contact that the curve changes."""

    change: Callable[[dict[str, Any]], dict[str, Any]] = field(default=lambda given: given)

    def bodies(self) -> Iterator[bytes]:
        """The request bodies, one for each contact."""
        for number in range(1, work.CONTACTS + 1):
            yield orjson.dumps(self.request(self.change(work.contact(number))))


@dataclass(frozen=True, kw_only=True)
class Point:
    """One measured point."""

    at: float
    cpu_ms: float
    per_second: float
    resident_mb: float


@dataclass(frozen=True, kw_only=True)
class Windows:
    """How long is measured."""

    warm: int
    seconds: int
    rounds: int


def main() -> None:
    """Measure the curves, draw them, and write the page."""
    parser = argparse.ArgumentParser(prog="make bench-scaling", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short windows, for a first look")
    parser.add_argument("--only", nargs="+", choices=sorted(CURVES))
    parser.add_argument(
        "--write", action="store_true", help="write docs/performance.md and its plots"
    )
    options = parser.parse_args()
    windows = Windows(
        warm=1 if options.quick else 3,
        seconds=1 if options.quick else 4,
        rounds=1 if options.quick else 3,
    )
    lines: list[str] = []
    for name in options.only or CURVES:
        title, unit, measure = CURVES[name]
        points = measure(windows)
        curve = Curve(title=title, x=unit, points=[(one.at, one.cpu_ms) for one in points])
        lines += said(title, unit, points, f"performance-{name}.svg")
        print("\n".join(lines[-len(points) - 6 :]), flush=True)
        if options.write:
            draw(curve, DOCS / "images" / f"performance-{name}.svg")
    if options.write:
        put(DOCS / "performance.md", "scaling", "\n".join(lines))


def said(title: str, unit: str, points: Sequence[Point], image: str) -> list[str]:
    """A table and its plot, in Markdown."""
    return [
        f"### {title}",
        "",
        f"![{title}](images/{image})",
        "",
        f"| {unit} | CPU ms for each mutation | mutations a second | resident MB |",
        "| ---: | ---: | ---: | ---: |",
        *(
            f"| {one.at:,.0f} | {one.cpu_ms:.2f} | {one.per_second:,.0f} | {one.resident_mb:.0f} |"
            for one in points
        ),
        "",
        growth(points),
        "",
    ]


def growth(points: Sequence[Point]) -> str:
    """How the cost grows between the first and the last point, in words."""
    first, last = points[0], points[-1]
    power = math.log(last.cpu_ms / first.cpu_ms) / math.log(last.at / first.at)
    return (
        f"From {first.at:,.0f} to {last.at:,.0f} the cost grows by {last.cpu_ms / first.cpu_ms:.2f}: "
        f"as the power {power:.2f}."
    )


def measured(at: float, mode: Mode, windows: Windows, *, names: int = 40, **settings: str) -> Point:
    """One point: a gateway of its own, warmed up, then measured."""
    gateway = replace(GATEWAY, env={**GATEWAY.env, **settings})
    return point(at, mode, gateway, windows, names=names)


def point(
    at: float,
    mode: Mode,
    gateway: Contender,
    windows: Windows,
    *,
    names: int = 40,
    core: int | None = CONTENDER_CORE,
) -> Point:
    """One point of a given gateway."""
    with tempfile.TemporaryDirectory(prefix="gateway-scaling-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        bodies = folder / "bodies.jsonl"
        bodies.write_bytes(b"\n".join(mode.bodies()))
        with (
            upstream(folder, LOAD_CORE, work.lists(names)) as vendors,
            started(gateway, mode, vendors.address, folder, core) as running,
        ):
            load(running, bodies, windows.warm, CONNECTIONS)
            found = [window(running, vendors, bodies, windows) for _ in range(windows.rounds)]
            return Point(
                at=at,
                cpu_ms=median(cpu for cpu, _ in found),
                per_second=median(rate for _, rate in found),
                resident_mb=running.resident_mb,
            )


def window(
    running: Running, vendors: Upstream, bodies: Path, windows: Windows
) -> tuple[float, float]:
    """CPU milliseconds of a mutation, and mutations a second."""
    quiet(vendors)
    before = running.cpu_seconds
    told = load(running, bodies, windows.seconds, CONNECTIONS)
    quiet(vendors)
    if told["failed"]:
        sys.exit(f"{told['failed']:.0f} requests failed")
    requests = told["requests"] + CONNECTIONS
    return (running.cpu_seconds - before) * 1000 / requests, told["requests"] / told["seconds"]


# ---------------------------------------------------------------- the curves


def by_catalog(windows: Windows) -> list[Point]:
    """Names in each list."""
    return [
        measured(size, NAMED, windows, names=size, GATEWAY_CATALOG_TTL_SECONDS="86400")
        for size in (10, 100, 1_000, 10_000, 100_000)
    ]


def by_targets(windows: Windows) -> list[Point]:
    """Backends of one mutation."""
    targets = ("SENDGRID", "EVERBRIDGE", "IVVY")
    return [
        measured(count, replace(NAMED, targets=targets[:count]), windows) for count in (1, 2, 3)
    ]


def by_list(windows: Windows) -> list[Point]:
    """Names in the input's list of groups; not to iVvy, where joining takes a call for each."""
    points = []
    targets = ("EVERBRIDGE", "SENDGRID")
    for size in (1, 10, 100, 1_000):
        groups = ["Newsletter", *(f"Region {number}" for number in range(2, size + 1))]

        def named(given: dict[str, Any], groups: list[str] = groups) -> dict[str, Any]:
            return {**given, "addGroupsName": groups}

        mode = Given(name="list", title="", targets=targets, change=named)
        points.append(measured(size, mode, windows, names=1_000))
    return points


def by_workers(windows: Windows) -> list[Point]:
    """Worker processes on one PostgreSQL; gateway, vendors and load share both cores."""
    points = []
    for workers in (1, 2):
        command = (*GATEWAY.command, "--workers", str(workers))
        gateway = replace(
            GATEWAY, command=command, env={**GATEWAY.env, "GATEWAY_DATABASE_URL": POSTGRES}
        )
        points.append(point(workers, NAMED, gateway, windows, core=None))
    return points


CURVES: dict[str, tuple[str, str, Callable[[Windows], list[Point]]]] = {
    "catalog": ("Cost against the size of the catalogs", "names in each list", by_catalog),
    "targets": ("Cost against the number of targets", "targets", by_targets),
    "list": ("Cost against the size of the input's list", "groups in the input", by_list),
    "workers": ("Throughput against workers", "workers", by_workers),
}


if __name__ == "__main__":
    main()
