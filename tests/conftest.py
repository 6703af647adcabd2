"""Fixtures that every test may use; what they are made of stands in harness.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from gateway.dev import create_dev_app
from gateway.sandbox.app import Sandbox, create_sandbox
from gateway.sandbox.clock import ManualClock
from tests.harness import Gateway, free_port, running, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


# A busy machine takes its time; no test of ours is about how long an example takes.
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("here")


@pytest.fixture
def clock() -> ManualClock:
    """The sandbox's time, moved by the test."""
    return ManualClock()


@pytest.fixture
def sandbox(clock: ManualClock) -> Sandbox:
    """The three simulated backends with their seed data."""
    return create_sandbox(clock=clock)


@pytest.fixture
async def gateway(sandbox: Sandbox, clock: ManualClock) -> AsyncIterator[Gateway]:
    """A gateway wired to the sandbox."""
    async with running(sandbox, clock) as started:
        yield started


@pytest.fixture
def served() -> Iterator[str]:
    """The address of what `gateway dev` runs, on a real socket."""
    port = free_port()
    with serving(create_dev_app(port), port=port) as address:
        yield address


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls that failed are tried again at once."""
    monkeypatch.setattr("gateway.sending.tries.BACKOFF_BASE", 0.0)
