"""Bodies that come slowly: those of slow lines are waited for, and those that never end are not."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from gateway.api import body
from tests.api.small_schema import asking
from tests.harness import UPSERT_CONTACT, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest

    from gateway.sandbox.app import Sandbox
    from gateway.sandbox.clock import ManualClock

HEADERS = {"Content-Type": "application/json"}
ASKS = json.dumps({"query": "{ __typename }"}).encode()


async def slowly(what: bytes, *, pieces: int, seconds: float) -> AsyncIterator[bytes]:
    """A body in as many pieces, with a pause before each."""
    size = -(-len(what) // pieces)
    for start in range(0, len(what), size):
        await asyncio.sleep(seconds / pieces)
        yield what[start : start + size]


async def test_a_body_that_drips_is_408_and_the_connection_is_not_kept() -> None:
    async with asking(body_timeout_seconds=0.2) as client:
        drips = slowly(ASKS.ljust(100), pieces=100, seconds=10)
        response = await client.post("/graphql", content=drips, headers=HEADERS)
    [error] = response.json()["errors"]
    assert (response.status_code, response.headers["Connection"]) == (408, "close")
    assert error["extensions"]["code"] == "REQUEST_TIMEOUT"
    assert "0.2 s (GATEWAY_BODY_TIMEOUT_SECONDS)" in error["message"]


async def test_a_body_of_which_enough_comes_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "BYTES_A_SECOND", 100)
    async with asking(body_timeout_seconds=0.3) as client:
        slow = slowly(ASKS.ljust(500), pieces=5, seconds=1)
        response = await client.post("/graphql", content=slow, headers=HEADERS)
    assert response.json()["data"] == {"__typename": "Query"}


async def test_the_time_of_a_request_begins_when_its_body_is_there(
    sandbox: Sandbox, clock: ManualClock
) -> None:
    contact = {"externalId": "E-1001", "lastName": "Slow"}
    asks = json.dumps({"query": UPSERT_CONTACT, "variables": {"input": contact}}).encode()
    limits = {"request_timeout_seconds": 1.5, "operation_timeout_seconds": 3}
    async with running(sandbox, clock, **limits) as gateway:
        slow = slowly(asks, pieces=5, seconds=2)
        response = await gateway.http.post("/graphql", content=slow, headers=HEADERS)
    assert response.json()["data"]["upsertContact"]["errors"] == []
