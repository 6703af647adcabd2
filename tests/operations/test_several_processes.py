"""Two gateway processes on one PostgreSQL: no write lost, one quota, work that outlives its process.

The sandbox runs in this process, on real time, and tells what it received and when. The two
processes take seconds to start, so the tests share them; the last test ends one.
"""

from __future__ import annotations

import asyncio
import json
import signal
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import asyncpg
import httpx
import pytest
import pytest_asyncio
from starlette.applications import Starlette

from gateway.sandbox.app import create_sandbox
from tests.harness import holding, is_write, serving
from tests.operations.calls import CONTACT, ENDED, OPERATION
from tests.operations.gateway_process import SECONDS, GatewayProcess
from tests.store.conftest import postgres_database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from gateway.sandbox.app import Sandbox

WRITERS = 40
LEASE = 1.5
READS, WRITES = 100, 16
FIRST_FIELD = 1400000000002000
HEDY = {"externalId": "E-3001", "firstName": "Hedy", "lastName": "Kiesler"}


@dataclass(frozen=True)
class Pair:
    """Two gateways that share a PostgreSQL, and their backends."""

    one: GatewayProcess
    other: GatewayProcess
    sandbox: Sandbox
    postgres_url: str

    async def upsert_at_once(self, contacts: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Send all at once, every second one to the other gateway; their results in Everbridge."""
        addresses = (self.one.address, self.other.address)
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(timeout=SECONDS, limits=limits) as http:

            async def send(number: int, contact: dict[str, Any]) -> dict[str, Any]:
                variables = {"input": contact, "targets": ["EVERBRIDGE"]}
                answer = await http.post(
                    f"{addresses[number % 2]}/graphql",
                    json={"query": CONTACT, "variables": variables},
                )
                assert "errors" not in answer.json(), answer.json()
                [result] = answer.json()["data"]["upsertContact"]["results"]
                return dict(result)

            return list(await asyncio.gather(*(send(*one) for one in enumerate(contacts))))

    def calls(self, method: str) -> list[dict[str, Any]]:
        """What Everbridge received."""
        shown = self.sandbox.calls.shown("everbridge")
        return [call for call in shown if call["method"] == method]

    def busiest_second(self, *, writes: bool) -> int:
        """Most calls of a kind that Everbridge received within any one second."""
        at = sorted(
            datetime.fromisoformat(call["at"]).timestamp()
            for call in self.sandbox.calls.shown("everbridge")
            if is_write(call) is writes
        )
        return max(sum(1 for moment in at if start <= moment < start + 1) for start in at)

    def stored(self, external_id: str) -> list[dict[str, Any]]:
        """What Everbridge holds under an externalId."""
        return holding(self.sandbox.everbridge.dump()["contacts"], {"externalId": external_id})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def database() -> AsyncIterator[str]:
    async with postgres_database() as url:
        yield url


@pytest.fixture(scope="module")
def processes(database: str) -> Iterator[Pair]:
    sandbox = create_sandbox()
    with ExitStack() as stack:
        address = stack.enter_context(serving(Starlette(routes=sandbox.routes)))
        settings = {
            "database_url": database,
            "lease_seconds": LEASE,
            "everbridge_reads_per_second": READS,
            "everbridge_writes_per_second": WRITES,
        }
        one, other = (GatewayProcess(address, **settings) for _ in range(2))
        for each in (one, other):
            stack.callback(each.kill)
        for each in (one, other):
            each.until_ready()
        yield Pair(one, other, sandbox, database)


@pytest.fixture
def pair(processes: Pair) -> Pair:
    """The two, with the backends as they are at first."""
    processes.sandbox.reset()
    return processes


async def test_writes_of_other_fields_at_once_over_both_lose_none(pair: Pair) -> None:
    state = pair.sandbox.everbridge.dump()
    notes = next(one for one in state["contactAttributes"] if one["name"] == "Notes")
    state["contactAttributes"] += [
        {**notes, "id": FIRST_FIELD + number, "name": f"Field {number}", "seq": 50 + number}
        for number in range(WRITERS)
    ]
    pair.sandbox.everbridge.load(state)

    results = await pair.upsert_at_once(
        [
            {
                "externalId": "E-1001",
                "customFields": [{"name": f"Field {n}", "values": [f"value {n}"]}],
            }
            for n in range(WRITERS)
        ]
    )

    assert [result["outcome"] for result in results] == ["UPDATED"] * WRITERS, results
    [ada] = pair.stored("E-1001")
    values = {one["orgAttrId"]: one["values"] for one in ada["contactAttributes"]}
    written = {n: values.get(FIRST_FIELD + n) for n in range(WRITERS)}
    assert written == {n: [f"value {n}"] for n in range(WRITERS)}
    assert len(pair.calls("PUT")) == WRITERS


async def test_creates_of_one_contact_at_once_over_both_make_one(pair: Pair) -> None:
    results = await pair.upsert_at_once(
        [{**HEDY, "middleInitial": initial} for initial in "ABCDEFGH"]
    )

    assert sorted(result["outcome"] for result in results) == ["CREATED", *["UPDATED"] * 7]
    assert len(pair.calls("POST")) == 1


async def test_a_quota_holds_over_both(pair: Pair) -> None:
    results = await pair.upsert_at_once(
        [{**HEDY, "externalId": f"E-4{number:03}"} for number in range(2 * WRITES)]
    )

    assert [result["outcome"] for result in results] == ["CREATED"] * 2 * WRITES, results
    assert {result["calls"][0]["attempts"] for result in results} == {1}
    assert pair.busiest_second(writes=True) <= WRITES
    assert pair.busiest_second(writes=False) <= READS


async def test_one_that_stood_still_for_longer_than_its_lease_sends_nothing(pair: Pair) -> None:
    database = await asyncpg.connect(pair.postgres_url)
    # All turns to write are taken for a while: there it waits, with the lease on the record.
    until_micros = int((time.time() + LEASE) * 1_000_000)
    await database.execute(
        "INSERT INTO quota VALUES ('default:everbridge:writes', $1)"
        " ON CONFLICT (name) DO UPDATE SET turns = excluded.turns",
        json.dumps([until_micros] * WRITES),
    )
    late = asyncio.create_task(
        asyncio.to_thread(pair.one.upsert, {"externalId": "E-1001", "middleInitial": "Q"})
    )
    held = "SELECT 1 FROM lease WHERE key = 'EVERBRIDGE:ext:E-1001' AND holder IS NOT NULL"
    async with asyncio.timeout(SECONDS):
        while await database.fetchval(held) is None:  # noqa: ASYNC110 - another process takes it
            await asyncio.sleep(0.01)
    await database.close()
    pair.one.process.send_signal(signal.SIGSTOP)
    try:
        king = {"externalId": "E-1001", "lastName": "King"}
        [written] = (await asyncio.to_thread(pair.other.upsert, king))["results"]
    finally:
        pair.one.process.send_signal(signal.SIGCONT)
    [result] = (await late)["results"]

    assert written["outcome"] == "UPDATED"
    assert result["outcome"] == "FAILED"
    assert [(one["code"], one["retryable"]) for one in result["errors"]] == [("CONFLICT", True)]
    [ada] = pair.stored("E-1001")
    assert (ada["lastName"], ada["middleInitial"]) == ("King", "A")
    assert len(pair.calls("PUT")) == 1


async def test_the_other_finishes_what_a_killed_one_had_in_hand(pair: Pair) -> None:
    pair.sandbox.faults.add(
        {"backend": "everbridge", "method": "POST", "times": 1, "delayMs": 5000}
    )
    pair.other.process.send_signal(signal.SIGSTOP)  # so that the first one takes it in hand
    try:
        operation = pair.one.upsert(HEDY, delivery="DURABLE")["operation"]
        until(lambda: not pair.sandbox.faults.left())
    finally:
        pair.other.process.send_signal(signal.SIGCONT)
    pair.one.process.send_signal(signal.SIGKILL)

    until(lambda: status(pair.other, operation["id"]) in ENDED)
    assert status(pair.other, operation["id"]) == "SUCCEEDED"
    assert len(pair.calls("POST")) == 2
    assert len(pair.stored("E-3001")) == 1


def until(happened: Callable[[], bool]) -> None:
    """Wait for what another process does."""
    end = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.02)  # no event tells


def status(gateway: GatewayProcess, operation_id: str) -> str:
    return str(gateway.ask(OPERATION, id=operation_id)["operation"]["status"])
