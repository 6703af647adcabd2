"""Generated operations and inputs find no internal error.

CONTACT_GATEWAY_HOSTILE_EXAMPLES says how many are generated; by hand some 100,000:

    CONTACT_GATEWAY_HOSTILE_EXAMPLES=100000 uv run pytest tests/api/test_hostile_operations.py
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

import orjson
from hypothesis import HealthCheck, Phase, given, settings
from structlog.testing import capture_logs

from gateway.sandbox.app import create_sandbox
from gateway.sandbox.clock import ManualClock
from tests.api.hostile import REQUESTS
from tests.harness import running

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from contextlib import AbstractAsyncContextManager

    import httpx

    from tests.harness import Gateway

FEW = 300
EXAMPLES = int(os.environ.get("CONTACT_GATEWAY_HOSTILE_EXAMPLES", FEW))
"""The few are always the same, so that nobody's change fails for another's; more are by chance."""
PLENTY = 1_000_000
RENEWED_AFTER = 500
"""Examples for one sandbox; a fresh one keeps finding contacts fast."""


def unhurried() -> AbstractAsyncContextManager[Gateway]:
    """A gateway and a sandbox that mind no quota."""
    clock = ManualClock()
    sandbox = create_sandbox(clock=clock)
    sandbox.everbridge.switches |= {"reads_per_second": PLENTY, "writes_per_second": PLENTY}
    sandbox.sendgrid.switches["rate_limit"] = PLENTY
    return running(
        sandbox,
        clock,
        everbridge_reads_per_second=PLENTY,
        everbridge_writes_per_second=PLENTY,
        sendgrid_calls_per_minute=PLENTY,
    )


def is_fault(entry: MutableMapping[str, Any]) -> bool:
    return entry["log_level"] in {"error", "critical"}


def told(answer: httpx.Response) -> list[dict[str, Any]]:
    """The errors of an answer, which has to be a GraphQL one."""
    assert answer.headers["content-type"].startswith("application/json"), answer.text
    body = answer.json()
    assert set(body) <= {"data", "errors"}
    assert body.get("data") is not None or body.get("errors"), body
    return list(body.get("errors", []))


async def send(gateway: Gateway, content: bytes) -> None:
    """Send one request and look for faults in the answer and in the log."""
    with capture_logs() as logs:
        answer = await gateway.http.post(
            "/graphql", content=content, headers={"Content-Type": "application/json"}
        )
    codes = [error.get("extensions", {}).get("code") for error in told(answer)]
    faults = [entry for entry in logs if is_fault(entry)]
    assert answer.status_code < 500, (answer.text, faults)
    assert "INTERNAL_ERROR" not in codes, (answer.text, faults)
    assert not faults


def test_generated_operations_find_no_internal_error() -> None:
    with asyncio.Runner() as runner:
        opened: list[Any] = []
        count = 0

        def gateway() -> Gateway:
            nonlocal count
            count += 1
            if count % RENEWED_AFTER == 1:
                close()
                opened.append(unhurried())
                opened.append(runner.run(opened[0].__aenter__()))
            found: Gateway = opened[-1]
            return found

        def close() -> None:
            if opened:
                runner.run(opened[0].__aexit__(None, None, None))
                opened.clear()

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=EXAMPLES == FEW,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )
        @given(REQUESTS)
        def check(content: bytes) -> None:
            runner.run(send(gateway(), content))

        try:
            check()
        finally:
            close()


def test_examples_are_requests_of_every_kind() -> None:
    seen: set[str] = set()

    @settings(
        max_examples=400,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(REQUESTS)
    def look(content: bytes) -> None:
        try:
            request = orjson.loads(bytes(content))
        except orjson.JSONDecodeError:
            seen.add("no JSON")
            return
        text = request.get("query") if isinstance(request, dict) else None
        if isinstance(text, str):
            seen.add("mutation" if text.startswith("mutation") else "query")
        if isinstance(request, dict) and request.get("variables"):
            seen.add("variables")

    look()
    assert seen == {"no JSON", "mutation", "query", "variables"}
