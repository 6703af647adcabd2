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
from contextlib import contextmanager
from dataclasses import dataclass, field
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

    points: int = 0
    answered: int = 0
    """Crashes behind the answer of all three calls."""
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)

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
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=SECONDS) as http:
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


def follow(port: int, operation_id: str) -> dict[str, Any]:
    """The operation, once it has ended or waits for a person."""
    until = time.monotonic() + SECONDS
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=SECONDS) as http:
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
    while time.monotonic() < until:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.01)  # no event tells when another process listens
    raise AssertionError("the gateway does not start")


def crash_once(number: int, run: Program, sandbox: Sandbox, folder: Path, table: Table) -> bool:
    """Crash at a point, start again, and note what has come of it; False when there is no such point."""
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
    if reached:
        table.points += 1
        point = Path(f"{database}.point").read_text()
        table.kinds[re.sub(r"[0-9a-f-]{16,}|\d{5,}", "…", point)] += 1
        port = free_port()
        child = run.say(port, database, 0)
        until_ready(port)
        ended = [follow(port, payload["operation"]["id"]) for payload in client.send(port)]
        run.say("end", child)
        note(f"{number} ({point})", client, ended, sandbox, table)
    return reached


def note(
    point: str, client: Client, ended: list[dict[str, Any]], sandbox: Sandbox, table: Table
) -> None:
    """Count each effect in the sandbox; a lead may also wait for a person."""
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
    statuses = [operation["status"] for operation in ended]
    waiting = {"linked lead": statuses[1], "free lead": statuses[2]}
    for effect, count in effects.items():
        if count > 1:
            table.doubled.append(f"{effect} at {point}")
        if waiting.get(effect) == "NEEDS_ATTENTION":
            table.unknown.append(f"{effect} at {point}")
        elif count == 0 or waiting.get(effect, statuses[0]) != "SUCCEEDED":
            table.lost.append(f"{effect} at {point}: {statuses}")


def test_a_crash_at_any_point_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    sandbox = create_sandbox()
    sandbox.sendgrid.switches["apply_seconds"] = sandbox.sendgrid.switches["finish_seconds"] = 0.0
    table = Table()
    with serving(Starlette(routes=sandbox.routes)) as address, program(address) as run:
        number = 1
        while crash_once(number, run, sandbox, tmp_path, table):
            number += 1
    print(table)  # noqa: T201 - the table is what this test shows (pytest -s)
    assert table.lost == []
    assert table.doubled == []
    assert table.points >= LEAST_POINTS
