"""A gateway killed at every point where it stores or sends loses nothing and doubles nothing.

One durable contact for three backends, one durable lead with an externalId and one without are
sent to a gateway that kills itself at its n-th point, for every n there is. The next gateway on the
same database finishes; the client repeats its calls under their keys. Then the sandbox is looked at.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from starlette.applications import Starlette

from gateway.sandbox.app import Sandbox, create_sandbox
from tests.harness import free_port, holding, serving
from tests.leads import NAMES
from tests.operations.calls import CONTACT, ENDED, LEAD, OPERATION

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
LEAST_POINTS = 50
LANES = 3
"""So many gateways crash side by side: mostly they wait for the leases of the dead to end."""
SECONDS = 30


@dataclass
class Program:
    """The program that runs crashing gateways."""

    process: subprocess.Popen[str]

    def say(self, *words: object) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()


@dataclass
class Table:
    """What the crash test has seen."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)

    @property
    def points(self) -> int:
        return self.kinds.total()

    def __str__(self) -> str:
        lines = [f"{'point':72} {'crashes':>7}"]
        lines += [f"{kind[:72]:72} {count:7}" for kind, count in sorted(self.kinds.items())]
        lines.append(
            f"points {self.points}, lost {len(self.lost)}, doubled {len(self.doubled)}, "
            f"leads that wait for a person {len(self.unknown)}"
        )
        return "\n".join(lines)


class Client:
    """A caller that repeats what was not answered."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.contact = {
            "externalId": f"E-9{number:04}",
            "email": f"crash{number}@example.com",
            "firstName": "Katherine",
            "lastName": f"Crash {number}",
            "groupsName": ["Newsletter"],
        }
        about = {**NAMES, "industryName": "Technology", "contact": {"externalId": "E-1001"}}
        self.linked = {**about, "name": f"Linked {number}", "externalId": f"L-{number}"}
        self.free = {**about, "name": f"Free {number}"}

    def send(self, port: int) -> list[dict[str, Any]]:
        """The payloads of the three calls; raises httpx.TransportError when the gateway dies."""
        with client_of(port) as http:
            return [
                self._ask(http, query, number, given)
                for number, (query, given) in enumerate(
                    ((CONTACT, self.contact), (LEAD, self.linked), (LEAD, self.free))
                )
            ]

    def _ask(
        self, http: httpx.Client, query: str, number: int, given: dict[str, Any]
    ) -> dict[str, Any]:
        variables = {"input": given, "delivery": "DURABLE", "idempotencyKey": f"key-{number}"}
        answer = http.post("/graphql", json={"query": query, "variables": variables}).json()
        assert "errors" not in answer, answer
        [payload] = answer["data"].values()
        return dict(payload)


def client_of(port: int) -> httpx.Client:
    """A client of a gateway; without certificates, which take longer to read than a call takes."""
    return httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=SECONDS, verify=False)


def follow(port: int, operation_id: str) -> dict[str, Any]:
    """The operation, once it has ended or waits for a person."""
    until = time.monotonic() + SECONDS
    with client_of(port) as http:
        while time.monotonic() < until:
            body = {"query": OPERATION, "variables": {"id": operation_id}}
            found = http.post("/graphql", json=body).json()["data"]["operation"]
            if found["status"] in {*ENDED, "NEEDS_ATTENTION"}:
                return dict(found)
            time.sleep(0.02)  # it is another process that works
    raise AssertionError(f"operation {operation_id} does not end: {found}")


@contextmanager
def program(address: str) -> Iterator[Program]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.operations.crashing_gateway", address],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Program(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def until_ready(port: int) -> None:
    until = time.monotonic() + SECONDS
    with client_of(port) as http:
        while time.monotonic() < until:
            with suppress(httpx.TransportError):
                if http.get("/readyz").status_code == httpx.codes.OK:
                    return
            time.sleep(0.01)  # no event tells when another process listens
    raise AssertionError("the gateway does not start")


@dataclass(frozen=True)
class Crash:
    """A crash that was seen, and what the calls had come to when the next gateway was through."""

    point: str
    client: Client
    ended: list[dict[str, Any]]


def crash_once(number: int, run: Program, folder: Path) -> Crash | None:
    """Crash at a point and start again; None when there is no such point."""
    client, database = Client(number), folder / f"crash-{number}.sqlite3"
    port = free_port()
    child = run.say(port, database, number)
    until_ready(port)
    reached = True
    try:
        for payload in client.send(port):
            follow(port, payload["operation"]["id"])
        reached = False
        run.say("end", child)
    except httpx.TransportError:
        assert run.say("wait", child) == "-9"
    if not reached:
        return None
    port = free_port()
    child = run.say(port, database, 0)
    until_ready(port)
    ended = [follow(port, payload["operation"]["id"]) for payload in client.send(port)]
    run.say("end", child)
    return Crash(Path(f"{database}.point").read_text(), client, ended)


def note(crash: Crash, sandbox: Sandbox, table: Table) -> None:
    """Count each effect in the sandbox; a lead may also wait for a person."""
    table.kinds[re.sub(r"[0-9a-f-]{16,}|\d{5,}", "…", crash.point)] += 1
    client = crash.client
    point = f"{client.number} ({crash.point})"
    ivvy = sandbox.ivvy.dump()["tables"]
    external_id = client.contact["externalId"]
    effects = {
        "iVvy contact": len(holding(ivvy["contacts"], {"externalId": external_id})),
        "Everbridge contact": len(
            holding(sandbox.everbridge.dump()["contacts"], {"externalId": external_id})
        ),
        "SendGrid contact": sum(
            row["identifiers"].get("email") == client.contact["email"]
            for row in sandbox.sendgrid.dump()["contacts"]
        ),
        "linked lead": len(holding(ivvy["leads"], {"name": client.linked["name"]})),
        "free lead": len(holding(ivvy["leads"], {"name": client.free["name"]})),
    }
    statuses = [operation["status"] for operation in crash.ended]
    waiting = {"linked lead": statuses[1], "free lead": statuses[2]}
    for effect, times in effects.items():
        if times > 1:
            table.doubled.append(f"{effect} at {point}")
        if waiting.get(effect) == "NEEDS_ATTENTION":
            table.unknown.append(f"{effect} at {point}")
        elif times == 0 or waiting.get(effect, statuses[0]) != "SUCCEEDED":
            table.lost.append(f"{effect} at {point}: {statuses}")


def crash_in_turn(lane: int, address: str, folder: Path) -> list[Crash]:
    """Crash at every point of a lane, until there are no more."""
    with program(address) as run:
        crashes: list[Crash] = []
        for number in count(1 + lane, LANES):
            if (crash := crash_once(number, run, folder)) is None:
                break
            crashes.append(crash)
        return crashes


def test_a_crash_at_any_point_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    sandbox = create_sandbox()
    sandbox.sendgrid.switches["apply_seconds"] = sandbox.sendgrid.switches["finish_seconds"] = 0.0
    table = Table()
    with (
        serving(Starlette(routes=sandbox.routes)) as address,
        ThreadPoolExecutor(LANES) as threads,
    ):
        lanes = list(threads.map(lambda lane: crash_in_turn(lane, address, tmp_path), range(LANES)))
    for crash in chain.from_iterable(lanes):
        note(crash, sandbox, table)
    print(table)  # noqa: T201 - the table is what this test shows (pytest -s)
    assert table.lost == []
    assert table.doubled == []
    assert table.points >= LEAST_POINTS
