"""Readiness, and the end of a gateway that is told to end: over real sockets and signals."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import httpx
from starlette.applications import Starlette

from gateway import readiness
from gateway.sandbox.app import create_sandbox
from gateway.store.errors import StoreUnavailableError
from tests.harness import holding, serving
from tests.operations.calls import CONTACT, ENDED, OPERATION
from tests.operations.gateway_process import SECONDS, GatewayProcess, gateway_process

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

    from gateway.sandbox.app import Sandbox
    from tests.harness import Gateway

HEDY = {
    "externalId": "E-3001",
    "email": "hedy@example.com",
    "firstName": "Hedy",
    "lastName": "Kiesler",
}

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


async def test_a_store_that_has_fallen_silent_is_not_waited_for(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answers = 0, asyncio.Event()

    async def silent(*_args: Any) -> None:
        nonlocal asked
        asked += 1
        while (
            not answers.is_set()
        ):  # as asyncpg, which asks the server to cancel, and waits for that
            with suppress(asyncio.CancelledError):
                await answers.wait()

    monkeypatch.setattr(readiness, "SECONDS", 0.05)
    monkeypatch.setattr(gateway.app.state.account.store.database, "read", silent)
    async with asyncio.timeout(SECONDS):
        for _ in range(3):
            answer = await gateway.http.get("/readyz")
            assert (answer.status_code, answer.text) == (503, "the store cannot be used\n")
    assert asked == 1
    answers.set()
    assert (await gateway.http.get("/readyz")).status_code == 200


# ---------------------------------------------------------------- signals


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
def started(address: str, folder: Path) -> Iterator[GatewayProcess]:
    url = f"sqlite:///{folder / 'gateway.sqlite3'}"
    with gateway_process(address, database_url=url, lease_seconds=1) as running:
        yield running


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
            call = pool.submit(running.upsert, HEDY)
            until_asked(sandbox)
            running.told_to_end()
            assert call.result()["results"][0]["outcome"] == "CREATED"
        assert running.code() == 0
        assert len(made(sandbox)) == 1


def test_a_request_that_takes_too_long_is_told_that_it_was_ended(tmp_path: Path) -> None:
    with slow_sandbox(5_000) as (sandbox, address):
        url = f"sqlite:///{tmp_path / 'gateway.sqlite3'}"
        with gateway_process(address, database_url=url, shutdown_seconds=0.5) as running:
            with ThreadPoolExecutor(1) as pool:
                body = {"query": CONTACT, "variables": {"input": HEDY, "targets": ["EVERBRIDGE"]}}
                call = pool.submit(
                    httpx.post, f"{running.address}/graphql", json=body, timeout=SECONDS
                )
                until_asked(sandbox)
                running.told_to_end()
                answer = call.result()
            running.code()
    assert answer.status_code == 504
    [error] = answer.json()["errors"]
    assert error["extensions"] == {"code": "TIMED_OUT"}
    assert "The gateway ends" in error["message"]


def test_the_log_tells_when_it_serves_and_when_it_ends(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with serving(Starlette()) as address, started(address, tmp_path) as running:
        running.told_to_end()
        running.code()
    began, ended = map(json.loads, capfd.readouterr().err.splitlines())
    assert (began["event"], began["host"], ended["event"]) == ("serving", "127.0.0.1", "ending")
    assert running.address.endswith(f":{began['port']}")
    assert began["backends"] == ["IVVY", "EVERBRIDGE", "SENDGRID"]


def test_a_second_signal_ends_at_once_and_loses_nothing(tmp_path: Path) -> None:
    with slow_sandbox(20_000) as (sandbox, address):
        with started(address, tmp_path) as running:
            operation_id = running.upsert(HEDY, delivery="DURABLE")["operation"]["id"]
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
                running.upsert({**HEDY, "firstName": name}, delivery="DURABLE")
                for name in ("First", "Second")
            )
            until_asked(sandbox)
            running.told_to_end()
            assert running.code() == 0
        assert [contact["firstName"] for contact in made(sandbox)] == ["First"]
        with started(address, tmp_path) as running:
            assert until_ended(running, first["operation"]["id"]) == "SUCCEEDED"
            assert until_ended(running, second["operation"]["id"]) == "SUCCEEDED"
        assert [contact["firstName"] for contact in made(sandbox)] == ["Second"]


def until_ended(running: GatewayProcess, operation_id: str) -> str:
    until = time.monotonic() + SECONDS
    while True:
        status = str(running.ask(OPERATION, id=operation_id)["operation"]["status"])
        if status in ENDED:
            return status
        assert time.monotonic() < until, status
        time.sleep(0.02)  # another process works on it
