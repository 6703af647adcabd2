"""A gateway killed while it delivers a bulk loses no contact and doubles none."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from starlette.applications import Starlette

from gateway.sandbox.app import Sandbox, create_sandbox
from tests.harness import free_port, holding, serving
from tests.operations.bulk import SHORT, UPSERT_CONTACTS, people
from tests.operations.calls import ENDED
from tests.operations.test_crash import Table, client_of, program, until_ready

if TYPE_CHECKING:
    from tests.operations.test_crash import Program

STRIDE = int(os.environ.get("CONTACT_GATEWAY_CRASH_STRIDE", "14"))
"""Every so many points the gateway is killed; 1 for every point, which takes minutes."""
NUMBER = 4


def ask(port: int, query: str, **variables: Any) -> dict[str, Any]:
    with client_of(port) as http:
        answer = http.post("/graphql", json={"query": query, "variables": variables}).json()
    assert "errors" not in answer, answer
    data: dict[str, Any] = answer["data"]
    return data


def deliver(port: int, inputs: list[dict[str, Any]]) -> dict[str, Any]:
    """The operation at its end; raises httpx.TransportError when the gateway dies."""
    payload = ask(port, UPSERT_CONTACTS, inputs=inputs, key="bulk")["upsertContacts"]
    assert payload["errors"] == []
    while True:
        found: dict[str, Any] = ask(port, SHORT, id=payload["operation"]["id"])["operation"]
        if found["status"] in {*ENDED, "NEEDS_ATTENTION"}:
            return found


def crash_once(number: int, run: Program, sandbox: Sandbox, folder: Path, table: Table) -> bool:
    """Crash at a point, start again, and note what has come of it; False when there is no such point."""
    inputs = people(NUMBER, start=number * 100, groupsName=["Newsletter"])
    database, port = folder / f"bulk-{number}.sqlite3", free_port()
    child = run.say(port, database, number)
    until_ready(port)
    try:
        deliver(port, inputs)
    except httpx.TransportError:
        assert run.say("wait", child) == "-9"
    else:
        run.say("end", child)
        return False
    point = Path(f"{database}.point").read_text()
    table.kinds[point] += 1
    port = free_port()
    child = run.say(port, database, 0)
    until_ready(port)
    ended = deliver(port, inputs)
    run.say("end", child)
    if ended["status"] != "SUCCEEDED":
        table.lost.append(f"{ended} at {number} ({point})")
    for contact in inputs:
        note(contact, f"{number} ({point})", sandbox, table)
    return True


def note(contact: dict[str, Any], point: str, sandbox: Sandbox, table: Table) -> None:
    """Count the contact in each backend."""
    key = {"externalId": contact["externalId"]}
    email = contact["email"]
    counts = {
        "iVvy": len(holding(sandbox.ivvy.dump()["tables"]["contacts"], key)),
        "Everbridge": len(holding(sandbox.everbridge.dump()["contacts"], key)),
        "SendGrid": sum(
            row["identifiers"].get("email") == email for row in sandbox.sendgrid.dump()["contacts"]
        ),
    }
    for backend, count in counts.items():
        if count != 1:
            found = table.lost if count == 0 else table.doubled
            found.append(f"{contact['externalId']} in {backend} at {point}")


def test_a_crash_in_a_bulk_loses_nobody_and_doubles_nobody(tmp_path: Path) -> None:
    sandbox = create_sandbox()
    sandbox.sendgrid.switches["apply_seconds"] = sandbox.sendgrid.switches["finish_seconds"] = 0.0
    sandbox.ivvy.switches["batch_seconds"] = 0.1
    table = Table()
    with serving(Starlette(routes=sandbox.routes)) as address, program(address) as run:
        number = 1
        while crash_once(number, run, sandbox, tmp_path, table):
            number += STRIDE
    print(table)  # noqa: T201 - the table is what this test shows (pytest -s)
    assert table.lost == []
    assert table.doubled == []
    assert table.points * STRIDE >= 30
