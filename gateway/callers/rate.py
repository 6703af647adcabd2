"""How often each caller may call: a bucket that fills steadily and holds one minute's worth."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.callers.errors import TooManyError

if TYPE_CHECKING:
    from collections.abc import Callable

MINUTE = 60.0
MOST_BUCKETS = 10_000
"""Buckets kept at most; those that are full again are forgotten first."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a caller may still send."""

    limit: int
    remaining: int
    reset: float
    """Seconds until all of the limit is there again."""

    @property
    def headers(self) -> dict[str, str]:
        """As the answer tells it."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(math.ceil(self.reset)),
        }


@dataclass(kw_only=True)
class Rates:
    """The buckets of one process."""

    limit: int
    """Calls in a minute."""
    clock: Callable[[], float] = time.monotonic
    _full_at: dict[str, float] = field(default_factory=dict)
    """When each caller's bucket is full again: it says all of the bucket's level."""

    def take(self, caller: str) -> Allowance:
        """Count a call; raises TooManyError, which counts nothing."""
        now, each = self.clock(), MINUTE / self.limit
        full_at = max(self._full_at.get(caller, now), now) + each
        over = full_at - now - MINUTE
        if over > each * 1e-6:  # what adding up costs in exactness
            raise TooManyError(
                f"This caller has sent {self.limit:,} operations within a minute; more are let in "
                "steadily.",
                over,
            )
        if caller not in self._full_at and len(self._full_at) >= MOST_BUCKETS:
            self._forget(now)
        self._full_at[caller] = full_at
        return self._allowance(full_at - now)

    def left(self, caller: str) -> Allowance:
        """What a caller has left, without counting a call."""
        now = self.clock()
        return self._allowance(max(0.0, self._full_at.get(caller, now) - now))

    def _allowance(self, reset: float) -> Allowance:
        remaining = int(self.limit - reset * self.limit / MINUTE + 1e-6)
        return Allowance(self.limit, max(0, remaining), reset)

    def _forget(self, now: float) -> None:
        kept = {caller: full_at for caller, full_at in self._full_at.items() if full_at > now}
        # With more busy callers than that, whoever has called least begins with a full bucket.
        busiest = sorted(kept, key=kept.__getitem__)[-MOST_BUCKETS // 2 :]
        self._full_at = {caller: kept[caller] for caller in busiest}
