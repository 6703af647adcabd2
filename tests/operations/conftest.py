"""A gateway whose worker waits little between two tries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.operations import bulk_delivering, outcomes
from tests.harness import Gateway, running
from tests.store.conftest import database_url, postgres_url, sqlite_url

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.sandbox.app import Sandbox
    from gateway.sandbox.clock import ManualClock

__all__ = ["database_url", "postgres_url", "sqlite_url"]


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps are tried again at once."""
    monkeypatch.setattr(outcomes, "BACKOFF_BASE", 0.001)
    monkeypatch.setattr("gateway.operations.worker.POLL_SECONDS", 0.02)
    monkeypatch.setattr("gateway.sending.tries.BACKOFF_BASE", 0.001)


@pytest.fixture
async def quick(sandbox: Sandbox, clock: ManualClock, soon: None) -> AsyncIterator[Gateway]:  # noqa: ARG001
    """A gateway that tries again at once, and asks after jobs all the time."""
    async with running(sandbox, clock, job_look_seconds=0.02) as started:
        yield started


@pytest.fixture
async def both(
    sandbox: Sandbox,
    clock: ManualClock,
    postgres_url: str,
    soon: None,  # noqa: ARG001
) -> AsyncIterator[tuple[Gateway, Gateway]]:
    """Two gateways that share a PostgreSQL."""
    settings = {"database_url": postgres_url, "lease_seconds": 1.0, "job_look_seconds": 0.02}
    async with (
        running(sandbox, clock, **settings) as one,
        running(sandbox, clock, **settings) as other,
    ):
        yield one, other


@pytest.fixture
async def bulk(
    sandbox: Sandbox,
    clock: ManualClock,
    soon: None,  # noqa: ARG001
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Gateway]:
    """A gateway whose calls do not wait long for each other."""
    monkeypatch.setattr(bulk_delivering, "QUIET", 0.05)
    async with running(sandbox, clock, job_look_seconds=0.02) as started:
        yield started


@pytest.fixture
async def bulk_on_each(
    sandbox: Sandbox,
    clock: ManualClock,
    database_url: str,
    soon: None,  # noqa: ARG001
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Gateway]:
    """As `bulk`, on each kind of database."""
    monkeypatch.setattr(bulk_delivering, "QUIET", 0.05)
    async with running(sandbox, clock, database_url=database_url) as started:
        yield started
