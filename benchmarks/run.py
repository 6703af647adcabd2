"""Measures the gateway beside its peers, in one interleaved run (`make bench`).

Every contender runs on core 0; the upstream and the load run on core 1. In each round each of them is
warmed up and then measured for a while; the round begins with another one each time. The main figure
is the CPU time of one mutation, which other work on the machine hardly changes; rates and latencies
mean something on an idle machine only.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from benchmarks.checking import WrongWorkError, check_alone, check_together
from benchmarks.contenders import CONTENDERS, pinned, started
from benchmarks.tables import Figures, Window, table, written
from benchmarks.upstream import UpstreamMissingError, upstream
from benchmarks.work import MODES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.contenders import Contender, Running
    from benchmarks.upstream import Upstream
    from benchmarks.work import Mode

HERE = Path(__file__).parent
CONTENDER_CORE, LOAD_CORE = 0, 1
CONNECTIONS = 32
QUIET_SECONDS = 0.5
"""Without a call for so long nothing is under way; too short for Node to throw its code away."""


ENOUGH = 2
"""Answers on each connection without which a window tells too little."""
LONGEST_WINDOW = 30
"""Seconds."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How long and how often is measured."""

    rounds: int
    warm_seconds: int
    seconds: int
    connections: int

    @property
    def said(self) -> str:
        """In words, for the page."""
        return (
            f"{self.rounds} rounds of {self.seconds} s after {self.warm_seconds} s of warming up, "
            f"{self.connections} connections, medians"
        )


def main() -> None:
    """Measure, print, and write the page."""
    options = _options()
    plan = Plan(
        rounds=options.rounds or 3,
        warm_seconds=2 if options.quick else 4,
        seconds=options.seconds or (2 if options.quick else 5),
        connections=options.connections,
    )
    contenders = [one for one in CONTENDERS if not options.only or one.name in options.only]
    modes = [one for one in MODES if not options.modes or one.name in options.modes]
    missing = [name for name in ("wrk", "node") if shutil.which(name) is None]
    if missing:
        sys.exit(f"The benchmark needs {' and '.join(missing)} (apt-get install wrk nodejs).")
    tables = []
    with tempfile.TemporaryDirectory(prefix="gateway-benchmark-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # nginx gives up its rights
        try:
            with upstream(folder, LOAD_CORE) as vendors:
                for mode in modes:
                    figures = _measured(mode, contenders, vendors, folder, plan)
                    tables.append(table(mode, figures, contenders))
                    print(f"\n{tables[-1]}\n", flush=True)
        except UpstreamMissingError as error:
            sys.exit(f"The benchmark needs nginx with Lua: {error}.")
    if options.write:
        written(tables, plan.said)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short windows, for a first look")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=int, help="of one window")
    parser.add_argument("--connections", type=int, default=CONNECTIONS)
    parser.add_argument("--only", nargs="+", choices=[one.name for one in CONTENDERS])
    parser.add_argument("--modes", nargs="+", choices=[one.name for one in MODES])
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    return parser.parse_args()


def _measured(
    mode: Mode, contenders: Sequence[Contender], vendors: Upstream, folder: Path, plan: Plan
) -> dict[str, Figures]:
    bodies = folder / f"{mode.name}.jsonl"
    bodies.write_bytes(b"\n".join(mode.bodies()))
    windows: dict[str, list[Window]] = defaultdict(list)
    with ExitStack() as stack:
        running = [
            stack.enter_context(started(one, mode, vendors.address, folder, CONTENDER_CORE))
            for one in contenders
            if not one.modes or mode.name in one.modes
        ]
        for one in running:
            check_alone(one, mode, vendors)
            check_together(one, mode, plan.connections)
        for number in range(plan.rounds):
            first = number % len(running)
            for one in [*running[first:], *running[:first]]:
                load(one, bodies, plan.warm_seconds, plan.connections)
                windows[one.contender.name].append(_window(one, bodies, vendors, plan))
        quiet(vendors)
        for one in running:
            check_alone(one, mode, vendors)
    return {name: Figures.of(found) for name, found in windows.items()}


def _window(
    running: Running, bodies: Path, vendors: Upstream, plan: Plan, seconds: int = 0
) -> Window:
    """What a contender does in a span of time: the plan's, or longer where it is too slow for that."""
    seconds = seconds or plan.seconds
    quiet(vendors)
    before = running.cpu_seconds
    told = load(running, bodies, seconds, plan.connections)
    calls = quiet(vendors)
    cpu = running.cpu_seconds - before
    if told["requests"] < ENOUGH * plan.connections and seconds < LONGEST_WINDOW:
        return _window(running, bodies, vendors, plan, seconds * 2)
    window = Window(
        # wrk leaves a request under way on each connection when its time is up; they are finished,
        # too, before the calls and the CPU time are read.
        requests=int(told["requests"]) + plan.connections,
        rate=told["requests"] / told["seconds"],
        p50_ms=told["p50_ms"],
        p99_ms=told["p99_ms"],
        cpu_seconds=cpu,
        calls=calls,
        resident_mb=running.resident_mb,
    )
    print(
        f"{bodies.stem:<10}{running.contender.name:<15}{window.cpu_ms:8.3f} ms CPU"
        f"{window.rate:9,.0f}/s  busy {cpu / told['seconds']:4.0%}",
        flush=True,
    )
    if told["failed"]:
        raise WrongWorkError(f"{running.contender.title}: {told['failed']:.0f} requests failed")
    return window


def quiet(vendors: Upstream) -> dict[str, int]:
    """Wait until nothing is under way; the calls that were made since this was asked before."""
    calls = Counter[str]()
    while True:
        calls.update(vendors.counted())
        time.sleep(QUIET_SECONDS)
        if not (more := vendors.counted()):
            return dict(calls)
        calls.update(more)


def load(
    running: Running, bodies: Path, seconds: int, connections: int, pause_ms: int = 0
) -> dict[str, float]:
    """Send the prepared requests over and over, after pauses of some length; wrk's figures."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s"]
    command += ["-s", str(HERE / "load.lua"), running.url, "--", str(bodies)]
    command += [str(pause_ms)]
    done = subprocess.run(  # noqa: S603 - our own command
        pinned(LOAD_CORE, command), capture_output=True, text=True, check=True
    )
    told: dict[str, float] = orjson.loads(done.stdout.splitlines()[-1])
    return told


if __name__ == "__main__":
    main()
