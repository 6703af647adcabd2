"""Readiness, and the end of a gateway that is told to end: over real sockets and signals."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from starlette.applications import Starlette

from gateway.sandbox.app import create_sandbox
from gateway.store.errors import StoreUnavailableError
from tests.harness import free_port, holding, serving
from tests.operations.calls import CONTACT, ENDED, OPERATION

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from gateway.sandbox.app import Sandbox
    from tests.harness import Gateway

ROOT = Path(__file__).parents[2]
SECONDS = 30
HEDY = {
    "externalId": "E-3001",
    "email": "hedy@example.com",
    "firstName": "Hedy",
    "lastName": "Kiesler",
}

PROGRAM = """
import sys
from gateway.app import create_app
from gateway.dev import sandbox_settings
from gateway.logs import configure_logs
from gateway.serving import serve

configure_logs()
settings = sandbox_settings(sys.argv[1], database_url=f"sqlite:///{sys.argv[3]}",
                            lease_seconds=1)
serve(create_app(settings), "127.0.0.1", int(sys.argv[2]), seconds=10)
"""


# ---------------------------------------------------------------- readiness


async def test_a_gateway_is_ready_until_it_is_to_end(gateway: Gateway) -> None:
    answer = await gateway.http.get("/readyz")
    assert (answer.status_code, answer.text) == (200, "ready\n")
    gateway.app.state.account.drain()
    answer = await gateway.http.get("/readyz")
    assert (answer.status_code, answer.text) == (503, "ending\n")
    assert (await gateway.http.get("/healthz")).status_code == 200


async def test_a_gateway_without_its_store_is_not_ready(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_args: Any) -> None:
        raise StoreUnavailableError("no disk")

    monkeypatch.setattr(gateway.app.state.account.store.database, "read", broken)
    answer = await gateway.http.get("/readyz")
    assert (answer.status_code, answer.text) == (503, "the store cannot be used\n")


# ---------------------------------------------------------------- signals


class Running:
    """A gateway in a process of its own."""

    def __init__(self, sandbox: str, database: Path) -> None:
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        arguments = [sys.executable, "-c", PROGRAM, sandbox, str(port), str(database)]
        self.process = subprocess.Popen(arguments, cwd=ROOT)
        until = time.monotonic() + SECONDS
        while not self._is_ready():
            assert time.monotonic() < until, "the gateway does not start"
            time.sleep(0.01)  # no event tells when another process listens

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.address}/readyz").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        body = {"query": query, "variables": variables}
        answer = httpx.post(f"{self.address}/graphql", json=body, timeout=SECONDS).json()
        data: dict[str, Any] = answer["data"]
        return data

    def upsert(self, **arguments: Any) -> dict[str, Any]:
        data = self.ask(CONTACT, **{"input": HEDY, "targets": ["EVERBRIDGE"], **arguments})
        payload: dict[str, Any] = data["upsertContact"]
        return payload

    def told_to_end(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def until_it_ends(self) -> None:
        """Wait until the gateway takes nothing more on."""
        until = time.monotonic() + SECONDS
        while self._is_ready():
            assert time.monotonic() < until
            time.sleep(0.01)  # no event tells when another process has heard a signal

    def code(self) -> int:
        return self.process.wait(SECONDS)


@contextmanager
def slow_sandbox(milliseconds: int) -> Iterator[tuple[Sandbox, str]]:
    """A sandbox on a socket whose Everbridge takes its time over the first create."""
    sandbox = create_sandbox()
    with serving(Starlette(routes=sandbox.routes)) as address:
        sandbox.faults.add(
            {"backend": "everbridge", "method": "POST", "times": 1, "delayMs": milliseconds}
        )
        yield sandbox, address


@contextmanager
def started(address: str, folder: Path) -> Iterator[Running]:
    running = Running(address, folder / "gateway.sqlite3")
    try:
        yield running
    finally:
        running.process.kill()
        running.process.wait()


def until_asked(sandbox: Sandbox) -> None:
    """Wait until Everbridge has the create in hand."""
    until = time.monotonic() + SECONDS
    while sandbox.faults.left():
        assert time.monotonic() < until
        time.sleep(0.01)  # another process sends it


def made(sandbox: Sandbox) -> list[dict[str, Any]]:
    return holding(sandbox.everbridge.dump()["contacts"], {"externalId": "E-3001"})


def test_a_running_request_is_finished_and_none_is_taken_on(tmp_path: Path) -> None:
    with slow_sandbox(700) as (sandbox, address), started(address, tmp_path) as running:
        with ThreadPoolExecutor(1) as pool:
            call = pool.submit(running.upsert)
            until_asked(sandbox)
            running.told_to_end()
            assert call.result()["results"][0]["outcome"] == "CREATED"
        assert running.code() == -signal.SIGTERM
        assert len(made(sandbox)) == 1


def test_a_second_signal_ends_at_once_and_loses_nothing(tmp_path: Path) -> None:
    with slow_sandbox(20_000) as (sandbox, address):
        with started(address, tmp_path) as running:
            operation_id = running.upsert(delivery="DURABLE")["operation"]["id"]
            until_asked(sandbox)
            running.told_to_end()
            running.until_it_ends()  # two signals at once are one
            running.told_to_end()
            assert running.code() == 128 + signal.SIGTERM
        with started(address, tmp_path) as running:
            assert until_ended(running, operation_id) == "SUCCEEDED"
        assert len(made(sandbox)) == 1


def test_stored_work_is_left_for_the_next_process(tmp_path: Path) -> None:
    with slow_sandbox(700) as (sandbox, address):
        with started(address, tmp_path) as running:
            first, second = (
                running.upsert(delivery="DURABLE", input={**HEDY, "firstName": name})
                for name in ("First", "Second")
            )
            until_asked(sandbox)
            running.told_to_end()
            assert running.code() == -signal.SIGTERM
        assert [contact["firstName"] for contact in made(sandbox)] == ["First"]
        with started(address, tmp_path) as running:
            assert until_ended(running, first["operation"]["id"]) == "SUCCEEDED"
            assert until_ended(running, second["operation"]["id"]) == "SUCCEEDED"
        assert [contact["firstName"] for contact in made(sandbox)] == ["Second"]


def until_ended(running: Running, operation_id: str) -> str:
    until = time.monotonic() + SECONDS
    while True:
        status = str(running.ask(OPERATION, id=operation_id)["operation"]["status"])
        if status in ENDED:
            return status
        assert time.monotonic() < until, status
        time.sleep(0.02)  # another process works on it
