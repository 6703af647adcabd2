"""How many durable operations the store takes, and what each costs in CPU.

    python -m benchmarks.store [--seconds 3] [--postgres postgresql://postgres@127.0.0.1:5432]

One operation is what a durable write of one contact to three backends costs: submitted, its three
steps claimed, each saved as done; six commits if nobody shares them. Rates are for comparing: server,
client and disk share this machine. CPU is this process's alone, its threads included.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from gateway.store import StoreUnavailableError, open_store
from gateway.store.operation_records import (
    ItemSummary,
    NewItem,
    NewOperation,
    NewStep,
    Save,
    StepState,
    Which,
)
from gateway.store.quotas import Ask
from gateway.store.sqlite import SqliteDatabase

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from gateway.store import Store

BACKENDS = ("ivvy", "everbridge", "sendgrid")
LEASE = timedelta(seconds=60)
BULK = 10_000


@dataclass(frozen=True)
class Figures:
    """What one run came to."""

    operations: int
    seconds: float
    cpu: float
    waits: list[float]
    commits: int | None

    def line(self, name: str) -> str:
        """One row of the table."""
        waits = sorted(self.waits)
        slowest = waits[int(len(waits) * 0.99)] * 1000
        commits = "" if self.commits is None else f"{self.commits / self.operations:8.2f}"
        return (
            f"{name:<34}{self.operations / self.seconds:9.0f}{slowest:9.1f}"
            f"{self.cpu / self.operations * 1000:9.3f}{commits}"
        )


def summarize(outcomes: Sequence[str | None]) -> ItemSummary:
    """Applied when every step is."""
    done = all(outcome == "UPDATED" for outcome in outcomes)
    return ItemSummary(status="APPLIED" if done else "PENDING", failed=False)


def new_operation(number: int) -> NewOperation:
    """One contact for three backends."""
    record = f"E-{number}"
    payload = {"externalId": record, "firstName": "Ada", "lastName": "Byron", "notes": "x" * 200}
    steps = [NewStep(backend=name, name="upsert", record_key=record) for name in BACKENDS]
    item = NewItem(external_id=record, status="PENDING", payload=payload, steps=steps)
    return NewOperation(
        id=uuid4().hex, caller="ada", kind="CONTACT", payload={}, payload_version=1, items=[item]
    )


async def deliver(store: Store, number: int) -> None:
    """Submit one operation, then claim and end three steps, whosever they are."""
    await store.operations.submit(new_operation(number), now=datetime.now(UTC))
    now = datetime.now(UTC)
    claimed = await store.operations.claim_steps(
        f"worker-{number}", Which(backends=BACKENDS), until=now + LEASE, now=now, limit=3
    )
    for one in claimed:
        done = replace(one.step, state=StepState.DONE, outcome="UPDATED")
        await store.operations.save([Save(step=done)], summarize=summarize, now=datetime.now(UTC))


async def deliver_many(store: Store, number: int) -> None:
    """The same for an operation of a hundred contacts, claimed and saved in one go."""
    items = [new_operation(number * 100 + n).items[0] for n in range(100)]
    await store.operations.submit(
        replace(new_operation(number), items=items), now=datetime.now(UTC)
    )
    now = datetime.now(UTC)
    claimed = await store.operations.claim_steps(
        f"worker-{number}", Which(backends=BACKENDS), until=now + LEASE, now=now, limit=300
    )
    saves = [
        Save(step=replace(one.step, state=StepState.DONE, outcome="UPDATED")) for one in claimed
    ]
    await store.operations.save(saves, summarize=summarize, now=datetime.now(UTC))


async def hold(store: Store, number: int) -> None:
    """Take a lease and give it back: two small commits."""
    leases = await store.leases.acquire([f"key-{number}"], "me", seconds=LEASE.total_seconds())
    await store.leases.release(list(leases.values()))


async def ask_turn(store: Store, _number: int) -> None:
    """Ask for a turn of a quota that all share: a transaction on one row."""
    ask = Ask(wanted=1, ahead=0, limit=1000, taken_for=0.001, patience=60.0)
    await store.quotas.take("benchmark", ask)


async def measure(
    store: Store, work: Callable[[Store, int], Awaitable[None]], callers: int, seconds: float
) -> Figures:
    """Let so many callers work side by side for some seconds."""
    database = store.database
    writer = database.writer if isinstance(database, SqliteDatabase) else None
    before = writer.commits if writer else 0
    numbers = count()
    waits: list[float] = []
    began, cpu = time.perf_counter(), time.process_time()

    async def call() -> None:
        while (at := time.perf_counter()) - began < seconds:
            await work(store, next(numbers))
            waits.append(time.perf_counter() - at)

    await asyncio.gather(*(call() for _ in range(callers)))
    return Figures(
        operations=len(waits),
        seconds=time.perf_counter() - began,
        cpu=time.process_time() - cpu,
        waits=waits,
        commits=writer.commits - before if writer else None,
    )


async def bulk(store: Store) -> str:
    """Store ten thousand contacts for three backends as one operation."""
    items = [new_operation(number).items[0] for number in range(BULK)]
    operation = replace(new_operation(0), kind="CONTACTS", items=items)
    began = time.perf_counter()
    await store.operations.submit(operation, now=datetime.now(UTC))
    return f"{'one operation of 10,000 contacts':<34}{time.perf_counter() - began:9.2f} s to store"


async def run(name: str, url: str, seconds: float) -> None:
    """Print one database's table."""
    async with open_store(url) as store:
        print(f"\n{name:<34}{'per s':>9}{'p99 ms':>9}{'CPU ms':>9}{'commits':>8}")
        for title, work in (
            ("operation (3 steps)", deliver),
            ("operation (300 steps)", deliver_many),
            ("lease and release", hold),
            ("turn of a quota", ask_turn),
        ):
            for callers in (1, 8, 64):
                figures = await measure(store, work, callers, seconds)
                print(figures.line(f"{title}, {callers} at once"))
        print(await bulk(store))


async def on_postgres(server: str, seconds: float) -> None:
    """The same in a PostgreSQL database made for it."""
    import asyncpg

    try:
        admin = await asyncpg.connect(f"{server}/postgres", timeout=5)
    except OSError as error:
        print(f"\nPostgreSQL is left out: {error}")
        return
    name = f"gateway_benchmark_{uuid4().hex}"
    await admin.execute(f"CREATE DATABASE {name}")
    try:
        await run("PostgreSQL (asyncpg)", f"{server}/{name}", seconds)
    except StoreUnavailableError as error:
        print(f"\nPostgreSQL failed: {error}")
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


def main() -> None:
    """Run it on both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--postgres", default="postgresql://postgres@127.0.0.1:5432")
    options = parser.parse_args()
    # A folder of the disk, not of memory: what fsync costs is the point.
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        name = "SQLite (WAL, synchronous=FULL)"
        asyncio.run(run(name, f"sqlite:///{folder}/store.sqlite3", options.seconds))
    asyncio.run(on_postgres(options.postgres, options.seconds))


if __name__ == "__main__":
    main()
