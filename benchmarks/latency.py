"""Latency, memory and start of the gateway (`make bench-latency`), for docs/performance.md.

Latency: the vendors answer after 20 ms, and 32 connections ask for one mutation after the other. What
the gateway adds is its p50 less the slowest chain of calls, as the load alone sees it against these
vendors. How much of that is waiting for the core is told by the CPU that 32 mutations take, which is
the least that each waits where nobody pauses, and by the same connections with pauses, which leave
the core time. Memory: resident in one process after so many contacts, each of them another. Start: from
starting the process until /readyz answers 200, in time and in CPU.

The gateway has core 0, vendors and load core 1. Latencies mean something on an idle machine only: the
page says how busy it was.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import aiohttp
import httpx
import orjson

from benchmarks import work
from benchmarks.contenders import CONTENDERS, POSTGRES, Running, free_port, pinned, started
from benchmarks.run import CONNECTIONS, CONTENDER_CORE, LOAD_CORE, load, quiet
from benchmarks.tables import put
from benchmarks.upstream import upstream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from benchmarks.upstream import Upstream

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
GATEWAY = CONTENDERS[0]
ALL = next(mode for mode in work.MODES if mode.name == "all")
ANSWER_MS = 20.0
PAUSE_MS = 100
"""Between two mutations of a connection that pauses, on average: some 220 mutations a second in all."""
MOST_ADDED_MS = 2.0
MOST_GROWTH = 1.1
MOST_START_SECONDS = 1.0
"""The goals."""
WELL = {"SUCCESS", "PENDING"}
"""How a write may end; SendGrid only accepts it for the time being."""
CHAIN = {"IVVY": 2, "EVERBRIDGE": 2, "SENDGRID": 1}
"""Calls of one mutation that wait for each other: find, then write."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One kind of mutation whose latency is measured."""

    title: str
    targets: tuple[str, ...]
    settings: Mapping[str, str]

    @property
    def calls(self) -> int:
        """The slowest chain of calls."""
        return max(CHAIN[name] for name in self.targets)


AT_ONCE = {"GATEWAY_SENDGRID_WINDOW_MS": "0"}
SHARED = {
    **AT_ONCE,
    "GATEWAY_DATABASE_URL": POSTGRES,
    "GATEWAY_SENDGRID_CALLS_PER_MINUTE": "100000",
}
"""As several gateways share it, where a quota is a row with a time for each call of the last minute."""
CASES = (
    *(Case(title=name, targets=(name,), settings=AT_ONCE) for name in ("SENDGRID", "EVERBRIDGE")),
    Case(title="IVVY", targets=("IVVY",), settings=AT_ONCE),
    Case(title="all three", targets=ALL.targets, settings=AT_ONCE),
    Case(title="SENDGRID, with its window of 10 ms", targets=("SENDGRID",), settings={}),
    Case(title="all three, with SendGrid's window", targets=ALL.targets, settings={}),
    *(Case(title=f"{name}, on PostgreSQL", targets=(name,), settings=SHARED) for name in CHAIN),
    Case(title="all three, on PostgreSQL", targets=ALL.targets, settings=SHARED),
)


@dataclass(frozen=True, kw_only=True)
class Waits:
    """What 32 connections waited."""

    p50_ms: float
    p99_ms: float
    busy: float
    """CPU that the gateway used, as a share of its core."""
    cpu_ms: float
    """The same for as many mutations as there are connections."""


def main() -> None:
    """Measure, print, and write the page."""
    parser = argparse.ArgumentParser(prog="make bench-latency", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short windows, for a first look")
    parser.add_argument("--only", nargs="+", choices=sorted(PARTS))
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    options = parser.parse_args()
    texts = [_conditions()]
    for name in options.only or PARTS:
        with tempfile.TemporaryDirectory(prefix="gateway-latency-") as made:
            folder = Path(made)
            folder.chmod(0o755)  # nginx gives up its rights
            texts.append("\n".join(PARTS[name](folder, quick=options.quick)))
        print(f"\n{texts[-1]}", flush=True)
    if options.write:
        put(PAGE, "latency", "\n\n".join(texts))


def _conditions() -> str:
    date = time.strftime("%d %B %Y", time.gmtime())
    return (
        f"Measured on {date}, with {os.getloadavg()[0]:.1f} processes of others at work on the "
        f"machine's {os.cpu_count()} cores when it began."
    )


# ---------------------------------------------------------------- latency


def latency(folder: Path, *, quick: bool) -> list[str]:
    """What the gateway adds to the slowest chain of calls."""
    with upstream(folder, LOAD_CORE, delay_ms=ANSWER_MS) as vendors:
        rows = [_row(case, vendors, folder, quick=quick) for case in CASES]
    return [
        f"### Latency at {CONNECTIONS} connections, vendors that answer after {ANSWER_MS:g} ms",
        "",
        "The chain is what the same load waits for when it makes those calls itself.",
        "",
        (
            f"| targets | chain, p50 ms | one connection: added | {CONNECTIONS} with pauses: added "
            f"| core busy | {CONNECTIONS} without: added | p50 ms | p99 ms | core busy "
            f"| CPU of {CONNECTIONS}, ms |"
        ),
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        *rows,
        "",
        (
            f"The goal: at most {MOST_ADDED_MS:g} ms added at {CONNECTIONS} connections, SendGrid's "
            f"window aside. Those with pauses ask again some {PAUSE_MS} ms after each answer. Without "
            f"pauses nobody can be answered sooner than the core is through with {CONNECTIONS} "
            "mutations: the last column is that time, whatever the chain."
        ),
    ]


def _row(case: Case, vendors: Upstream, folder: Path, *, quick: bool) -> str:
    chain = CHAIN_MS.get(case.calls) or CHAIN_MS.setdefault(
        case.calls, case.calls * _call_ms(vendors, folder)
    )
    alone, paced, full = _waits(case, vendors, folder, quick=quick)
    row = (
        f"| {case.title} | {chain:.1f} | {alone.p50_ms - chain:.1f} | {paced.p50_ms - chain:.1f} "
        f"| {paced.busy:.0%} | {full.p50_ms - chain:.1f} | {full.p50_ms:.1f} | {full.p99_ms:.1f} "
        f"| {full.busy:.0%} | {full.cpu_ms:.1f} |"
    )
    print(row, flush=True)
    return row


CHAIN_MS: dict[int, float] = {}


def _call_ms(vendors: Upstream, folder: Path) -> float:
    """The p50 of one call to a vendor, made by the load itself."""
    bodies = folder / "direct.jsonl"
    bodies.write_bytes(b"{}")
    process = subprocess.Popen(["true"])  # noqa: S607 - nothing of ours runs
    with process:
        direct = Running(GATEWAY, process, 0)
        direct.url = f"{vendors.address}/sendgrid/v3/marketing/contacts"
        return load(direct, bodies, 2, CONNECTIONS)["p50_ms"]


def _waits(case: Case, vendors: Upstream, folder: Path, *, quick: bool) -> tuple[Waits, ...]:
    """What one connection waits, all of them with pauses, and all without."""
    gateway = replace(GATEWAY, env={**GATEWAY.env, **case.settings})
    mode = replace(ALL, name="latency", targets=case.targets)
    bodies = folder / "bodies.jsonl"
    bodies.write_bytes(b"\n".join(mode.bodies()))
    with started(gateway, mode, vendors.address, folder, CONTENDER_CORE) as running:
        load(running, bodies, 1 if quick else 3, CONNECTIONS)
        return tuple(
            _middle([_window(running, vendors, bodies, *how) for _ in range(1 if quick else 3)])
            for how in ((1, 0), (CONNECTIONS, PAUSE_MS), (CONNECTIONS, 0))
        )


def _middle(found: Sequence[Waits]) -> Waits:
    return Waits(
        p50_ms=median(one.p50_ms for one in found),
        p99_ms=median(one.p99_ms for one in found),
        busy=median(one.busy for one in found),
        cpu_ms=median(one.cpu_ms for one in found),
    )


def _window(
    running: Running, vendors: Upstream, bodies: Path, connections: int, pause_ms: int
) -> Waits:
    quiet(vendors)
    before = running.cpu_seconds
    told = load(running, bodies, 3, connections, pause_ms)
    cpu = running.cpu_seconds - before
    if told["failed"]:
        raise SystemExit(f"{told['failed']:.0f} requests failed")
    return Waits(
        p50_ms=told["p50_ms"],
        p99_ms=told["p99_ms"],
        busy=cpu / told["seconds"],
        cpu_ms=cpu / told["requests"] * 1000 * CONNECTIONS,
    )


# ---------------------------------------------------------------- memory


def memory(folder: Path, *, quick: bool) -> list[str]:
    """What is resident after many contacts, each of them another."""
    stages = (1_000, 10_000) if quick else (10_000, 100_000)
    found: dict[int, float] = {}
    with (
        upstream(folder, LOAD_CORE) as vendors,
        started(GATEWAY, ALL, vendors.address, folder, CONTENDER_CORE) as running,
    ):
        idle = running.resident_mb
        done = 0
        for stage in stages:
            asyncio.run(_write(running, range(done + 1, stage + 1)))
            quiet(vendors)
            done, found[stage] = stage, running.resident_mb
            print(f"{stage} contacts: {found[stage]:.0f} MB resident", flush=True)
    growth = found[stages[1]] / found[stages[0]]
    return [
        "### Memory",
        "",
        (
            f"One process, all three targets: {idle:.0f} MB resident when it has started, "
            f"{found[stages[0]]:.0f} MB after {stages[0]:,} different contacts, {found[stages[1]]:.0f} MB "
            f"after {stages[1]:,}: {growth:.2f} times as much (goal: at most {MOST_GROWTH})."
        ),
    ]


async def _write(running: Running, numbers: Sequence[int]) -> None:
    """One mutation for each of the contacts."""
    waiting: Iterator[int] = iter(numbers)
    async with aiohttp.ClientSession() as client:

        async def write_on() -> None:
            for number in waiting:
                body = orjson.dumps(ALL.request(work.contact(number)))
                async with client.post(
                    running.url, data=body, headers={"Content-Type": "application/json"}
                ) as answer:
                    told = orjson.loads(await answer.read())
                if told["data"]["upsertContact"]["status"] not in WELL:
                    raise ValueError(f"contact {number} ended with {told}")

        await asyncio.gather(*(write_on() for _ in range(CONNECTIONS)))


# ---------------------------------------------------------------- start


def start(folder: Path, *, quick: bool) -> list[str]:
    """How long it takes until the process serves."""
    found = sorted(_started(folder) for _ in range(3 if quick else 9))
    seconds, cpu = found[0]
    middle = median(one for one, _ in found)
    return [
        "### Start",
        "",
        (
            f"From starting `gateway serve` until /readyz answers 200, on one core: {seconds:.2f} s at best "
            f"and {middle:.2f} s in the median of {len(found)} (goal: under {MOST_START_SECONDS:g} s), with "
            f"{min(cpu for _, cpu in found):.2f} s of CPU at best and {cpu:.2f} s in the fastest."
        ),
    ]


def _started(folder: Path) -> tuple[float, float]:
    """Seconds, and seconds of CPU, from starting the process until it is ready."""
    port = free_port()
    command = pinned(CONTENDER_CORE, [part.format(port=port) for part in GATEWAY.command])
    env = {name: value.format(upstream="http://127.0.0.1:9") for name, value in GATEWAY.env.items()}
    began = time.monotonic()
    with subprocess.Popen(  # noqa: S603 - our own command
        command, cwd=folder, env={**os.environ, **env}, stdout=subprocess.DEVNULL
    ) as process:
        try:
            while not _is_ready(port):
                if process.poll() is not None:
                    raise SystemExit("the gateway did not start")
                time.sleep(0.01)
            took = time.monotonic() - began
            return took, Running(GATEWAY, process, port).cpu_seconds
        finally:
            process.terminate()


def _is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz").is_success
    except httpx.TransportError:
        return False


PARTS = {"latency": latency, "memory": memory, "start": start}


if __name__ == "__main__":
    main()
