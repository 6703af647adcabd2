"""The sandbox's time: real, sped up, or moved by hand in tests."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What the simulated backends ask for the time."""

    def now(self) -> datetime:
        """The current instant, in UTC."""
        ...


class SystemClock:
    """Real time, passing `speed` times as fast; 10 turns SendGrid's 30 s into 3 s."""

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._started = datetime.now(UTC)
        self._monotonic = time.monotonic()

    def now(self) -> datetime:
        """The current instant, in UTC."""
        elapsed = (time.monotonic() - self._monotonic) * self._speed
        return self._started + timedelta(seconds=elapsed)


class ManualClock:
    """Real time plus what a test has added with `advance`."""

    def __init__(self) -> None:
        self._added = timedelta()

    def now(self) -> datetime:
        """The current instant, in UTC."""
        return datetime.now(UTC) + self._added

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass at once."""
        self._added += timedelta(seconds=seconds)
