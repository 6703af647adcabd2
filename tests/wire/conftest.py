"""A wire for each test."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from gateway.wire.network import NetworkWire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def wire() -> AsyncIterator[NetworkWire]:
    async with aclosing(NetworkWire()) as open_wire:
        yield open_wire
