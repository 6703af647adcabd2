"""What the gateway's own executor runs, it answers as graphql-core does: byte for byte.

Each request is sent twice, with prepared operations and without. CONTACT_GATEWAY_HOSTILE_EXAMPLES says
how many are written; by hand some 20,000:

    CONTACT_GATEWAY_HOSTILE_EXAMPLES=20000 uv run pytest tests/api/test_prepared_equals_core.py
"""

from __future__ import annotations

import asyncio
import os
import random
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from structlog.testing import capture_logs

from gateway.account import Account
from gateway.api.prepared import Running
from gateway.lookup import ContactKeys
from gateway.results import UpsertStatus
from gateway.sandbox.app import create_sandbox
from gateway.sandbox.clock import ManualClock
from tests.api.echoes import Echo
from tests.api.hostile import REQUESTS, SERVED
from tests.api.operations_at_random import Author, with_other_literals
from tests.harness import running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx

    from tests.harness import Gateway

FEW = 150
EXAMPLES = int(os.environ.get("CONTACT_GATEWAY_HOSTILE_EXAMPLES", FEW))
"""The few are always the same, so that nobody's change fails for another's; more are by chance."""
TOLD_BY = ("content-type", "content-length", "allow", "x-request-id")


class Both:
    """A gateway that is asked everything twice."""

    def __init__(self, gateway: Gateway) -> None:
        self._http = gateway.http
        self._settings = gateway.app.state.account.settings
        self.answers: list[httpx.Response] = []

    async def ask(self, request: dict[str, Any]) -> httpx.Response:
        """The answer, which has to be the same both ways."""
        return await self.send(orjson.dumps(request))

    async def send(self, content: bytes) -> httpx.Response:
        """The same for a body that may be anything."""
        told = {"Content-Type": "application/json", "X-Request-Id": "r-1"}
        answers, logged = [], []
        for prepared in (True, False):
            self._settings.prepared_operations = prepared
            with capture_logs() as logs:
                answers.append(await self._http.post("/graphql", content=content, headers=told))
            logged.append(
                [(log["event"], log.get("path"), repr(log.get("exc_info"))) for log in logs]
            )
        own, core = answers
        assert logged[0] == logged[1], content
        assert own.status_code == core.status_code, content
        assert own.text == core.text, content
        for name in TOLD_BY:
            assert own.headers.get(name) == core.headers.get(name), content
        self.answers.append(own)
        return own


@asynccontextmanager
async def asking_both(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Both]:
    """A gateway whose writes echo what they were asked, and whose figures do not depend on time."""
    clock = ManualClock()
    async with running(create_sandbox(clock=clock), clock) as gateway:
        account: Account = gateway.app.state.account
        monkeypatch.setattr(account, "contact_calls", Echo())
        monkeypatch.setattr(account, "bulk_calls", Echo())
        monkeypatch.setattr(Account, "lead_calls", Echo())
        monkeypatch.setattr(account.watching.metrics, "wrote", lambda *_, **__: None)
        known = ContactKeys(external_id="E-1001")
        monkeypatch.setattr("gateway.api.mutations._known_by", lambda *_: known)
        monkeypatch.setattr("gateway.api.queries.median", lambda _: 0.25)
        monkeypatch.setattr("gateway.upsert.summarize", lambda *_, **__: UpsertStatus.APPLIED)
        yield Both(gateway)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """One entry for each operation that was run prepared."""
    seen: list[bool] = []
    run = Running.run

    async def seen_run(self: Running) -> Any:
        seen.append(True)
        return await run(self)

    monkeypatch.setattr(Running, "run", seen_run)
    return seen


async def test_operations_at_random_are_answered_alike(
    monkeypatch: pytest.MonkeyPatch, runs: list[bool]
) -> None:
    first = 0 if EXAMPLES == FEW else random.SystemRandom().randrange(10**9)
    async with asking_both(monkeypatch) as both:
        for seed in range(first, first + EXAMPLES):
            request = Author(SERVED, seed).request()
            try:
                await both.ask(request)
                # The same but for its literals, so that it is not parsed again.
                await both.ask(with_other_literals(request, seed))
            except AssertionError as error:
                raise AssertionError(f"seed {seed}") from error
    answers = [answer.json() for answer in both.answers]
    good = sum("errors" not in answer for answer in answers)
    partly = sum("errors" in answer and answer.get("data") is not None for answer in answers)
    assert good > EXAMPLES / 4
    assert partly > EXAMPLES / 20
    assert len(runs) > EXAMPLES / 3


def test_hostile_requests_are_answered_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    with asyncio.Runner() as runner:
        world = asking_both(monkeypatch)
        both = runner.run(world.__aenter__())

        @settings(
            max_examples=EXAMPLES // 5,
            derandomize=EXAMPLES == FEW,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(REQUESTS)
        def check(content: bytes) -> None:
            runner.run(both.send(content))

        try:
            check()
        finally:
            runner.run(world.__aexit__(None, None, None))
