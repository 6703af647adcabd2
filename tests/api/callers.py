"""Callers of a gateway that tells them apart."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from gateway.callers.keys import new_key
from tests.harness import running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from gateway.sandbox.app import Sandbox
    from gateway.sandbox.clock import ManualClock
    from tests.harness import Gateway

NAMES = "{ groups(backend: IVVY) { name } }"


async def key_for(
    gateway: Gateway, name: str, *scopes: str, lives_for: timedelta | None = None
) -> str:
    """A new key of a caller."""
    text, stored = new_key(name, scopes, datetime.now(UTC), lives_for)
    await gateway.app.state.account.store.api_keys.add(stored)
    return text


def by_key(text: str) -> dict[str, str]:
    """The headers of a caller with a key."""
    return {"X-Api-Key": text}


async def called_by(
    gateway: Gateway, headers: dict[str, str], query: str, **variables: Any
) -> dict[str, Any]:
    """The whole answer to a caller's operation."""
    before, gateway.headers = gateway.headers, headers
    try:
        return await gateway.ask(query, **variables)
    finally:
        gateway.headers = before


def codes(answer: dict[str, Any]) -> list[str]:
    """The codes of an answer's errors."""
    return [error["extensions"]["code"] for error in answer.get("errors", [])]


@asynccontextmanager
async def asking_for_keys(
    sandbox: Sandbox, clock: ManualClock, **settings: Any
) -> AsyncIterator[Gateway]:
    """A gateway that lets in callers with keys."""
    async with running(sandbox, clock, **{"auth": "keys", **settings}) as gateway:
        yield gateway


def events_of(text: str) -> Iterator[str]:
    """The data of server-sent events."""
    for line in text.splitlines():
        if line.startswith("data:") and (data := line.removeprefix("data:").strip()):
            yield data
