"""The results as Markdown, put between two marks of docs/performance.md."""

from __future__ import annotations

import importlib.metadata
import platform
import re
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.contenders import Contender
    from benchmarks.work import Mode

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "performance.md"

MOST_OF_STRAWBERRY = 1 / 15
MOST_OF_APOLLO = 2.0
FINALLY_OF_APOLLO = 1.0
"""The goals: CPU of the gateway against plain Strawberry and against Apollo with datasource-rest."""


COLUMNS = (
    *("CPU ms per mutation", "per second of CPU", "per second seen", "p50 ms", "p99 ms"),
    *("vendor calls", "memory MB"),
)


@dataclass(frozen=True, kw_only=True)
class Window:
    """What one contender did in one span of time."""

    requests: int
    rate: float
    """Answers a second."""
    p50_ms: float
    p99_ms: float
    cpu_seconds: float
    calls: Mapping[str, int]
    resident_mb: float

    @property
    def cpu_ms(self) -> float:
        """CPU time of one mutation in milliseconds."""
        return self.cpu_seconds * 1000 / self.requests


@dataclass(frozen=True, kw_only=True)
class Figures:
    """The medians of a contender's windows in one mode."""

    cpu_ms: float
    rate: float
    per_core: float
    p50_ms: float
    p99_ms: float
    calls: float
    resident_mb: float

    @classmethod
    def of(cls, windows: Sequence[Window]) -> Figures:
        """The medians."""
        return cls(
            cpu_ms=median(one.cpu_ms for one in windows),
            rate=median(one.rate for one in windows),
            per_core=median(one.requests / one.cpu_seconds for one in windows),
            p50_ms=median(one.p50_ms for one in windows),
            p99_ms=median(one.p99_ms for one in windows),
            calls=median(sum(one.calls.values()) / one.requests for one in windows),
            resident_mb=median(one.resident_mb for one in windows),
        )


def table(mode: Mode, figures: Mapping[str, Figures], contenders: Sequence[Contender]) -> str:
    """One mode's table, with the gateway's ratios below it."""
    lines = [
        f"### {mode.title}",
        "",
        f"| | {' | '.join(COLUMNS)} |",
        f"| --- |{' ---: |' * len(COLUMNS)}",
    ]
    for contender in contenders:
        one = figures.get(contender.name)
        if one is not None:
            lines.append(
                f"| {contender.title} | {one.cpu_ms:.3f} | {one.per_core:,.0f} | {one.rate:,.0f} "
                f"| {one.p50_ms:.1f} | {one.p99_ms:.1f} | {one.calls:.2f} "
                f"| {one.resident_mb:,.0f} |"
            )
    return "\n".join([*lines, *_ratios(figures)])


def _ratios(figures: Mapping[str, Figures]) -> list[str]:
    said = (
        _ratio(figures, "gateway", "The gateway's CPU"),
        _ratio(figures, "gateway-core", "On graphql-core alone it"),
    )
    return ["", *filter(None, said)] if any(said) else []


def _ratio(figures: Mapping[str, Figures], name: str, what: str) -> str | None:
    measured = figures.get(name)
    if measured is None:
        return None
    said = []
    if (strawberry := figures.get("strawberry")) is not None:
        share = measured.cpu_ms / strawberry.cpu_ms
        verdict = "met" if share <= MOST_OF_STRAWBERRY else "not met"
        said.append(f"1/{1 / share:.1f} of plain Strawberry (goal 1/15: {verdict})")
    if (apollo := figures.get("apollo-rest")) is not None:
        share = measured.cpu_ms / apollo.cpu_ms
        goals = {"first goal 2": MOST_OF_APOLLO, "final goal 1": FINALLY_OF_APOLLO}
        verdicts = (f"{name}: {'' if share <= most else 'not '}met" for name, most in goals.items())
        said.append(f"{share:.2f} times Apollo + datasource-rest ({', '.join(verdicts)})")
    return f"{what} is {', '.join(said)}." if said else None


def written(tables: Sequence[str], how: str) -> None:
    """Put the tables into the page, in place of those that are there."""
    put(PAGE, "measured", "\n\n".join([conditions(how), *tables]))


def put(page: Path, mark: str, text: str) -> None:
    """Put a text into a page, in place of what stands between `mark: begin` and `mark: end`."""
    begin, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
    replaced, count = re.subn(
        f"{re.escape(begin)}.*?{re.escape(end)}",
        lambda _found: f"{begin}\n{text}\n{end}",
        page.read_text(),
        flags=re.DOTALL,
    )
    if count != 1:
        raise ValueError(f"{page} must have the marks {begin} and {end} once")
    page.write_text(replaced)


def conditions(how: str) -> str:
    """When, how and on what this was measured."""
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False)  # noqa: S607
    lock = orjson.loads((ROOT / "benchmarks/peers/package-lock.json").read_bytes())["packages"]
    peers = [
        f"{name} {lock[f'node_modules/{name}']['version']}"
        for name in ("@apollo/server", "@apollo/datasource-rest", "dataloader", "undici")
    ]
    peers.append(f"graphql-yoga {lock['node_modules/graphql-yoga']['version']}")
    python = [
        f"{name} {importlib.metadata.version(name)}"
        for name in ("strawberry-graphql", "graphql-core", "httptools", "httpx", "uvicorn")
    ]
    return (
        f"Measured on {datetime.now(UTC):%d %B %Y}, {how}.\n"
        f"{_processor()}, {platform.system()} {platform.release().split('-')[0]}. "
        f"{platform.python_implementation()} {platform.python_version()}: {', '.join(python)}. "
        f"Node {node.stdout.strip().removeprefix('v') or 'missing'}: {', '.join(peers)}."
    )


def _processor() -> str:
    found = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    cores = Path("/proc/cpuinfo").read_text().count("processor\t")
    return f"{found.group(1) if found else platform.machine()}, {cores} cores"
