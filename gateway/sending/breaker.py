"""A circuit breaker: a backend that keeps failing is left alone for a while.

Our own, because purgatory lets every waiting call through as a probe when its time is up, and
counts on the wall clock (docs/decisions/0007-limiter-breaker-budget.md).
"""

from __future__ import annotations

import time
from enum import Enum

THRESHOLD = 5
"""Outages in a row after which a backend is left alone."""
OPEN_SECONDS = 10.0
"""How long it is left alone before one call may try it."""


class BreakerState(Enum):
    """Whether calls go through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"
    """One call is trying whether the backend is back."""


class Breaker:
    """Counts a backend's outages in a row; refusals of the input are none."""

    def __init__(self, *, threshold: int = THRESHOLD, open_seconds: float = OPEN_SECONDS) -> None:
        self._threshold = threshold
        self._open_seconds = open_seconds
        self._failures = 0
        self._opened_at: float | None = None
        self._probing = False

    @property
    def state(self) -> BreakerState:
        """Whether calls go through now."""
        if self._opened_at is None:
            return BreakerState.CLOSED
        return BreakerState.HALF_OPEN if self._probing else BreakerState.OPEN

    @property
    def closed_for(self) -> float:
        """Seconds until a call is worth trying; 0 when it is now. Asking admits nothing."""
        if self._opened_at is None:
            return 0.0
        left = self._opened_at + self._open_seconds - time.monotonic()
        return max(left, 1.0 if self._probing else 0.0)

    def admit(self) -> float | None:
        """None lets the call through; otherwise the seconds until it is worth trying again.

        Once the time is up, one call is let through as a probe; the others wait for its end.
        """
        if self._opened_at is None:
            return None
        left = self._opened_at + self._open_seconds - time.monotonic()
        if left > 0:
            return left
        if self._probing:
            return 1.0
        self._probing = True
        return None

    def note(self, *, failed: bool) -> None:
        """Take note of how a call that was let through has ended."""
        self._probing = False
        if not failed:
            self._failures = 0
            self._opened_at = None
            return
        self._failures += 1
        if self._failures >= self._threshold:
            self._opened_at = time.monotonic()

    def forget(self) -> None:
        """Take note that a call that was let through has ended without telling anything."""
        self._probing = False
