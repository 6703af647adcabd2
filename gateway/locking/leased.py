"""What this process holds by a lease of the store's: it is prolonged in time, or may be another's.

Whoever works under it asks `holds` before anything leaves, without a question to the store.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

RENEWALS = 3
"""Renewals of a lease within its length."""


@dataclass(kw_only=True)
class Leased:
    """Something that is held until its lease ends."""

    until: float
    """When that is unless it is renewed, on the clock of `time.monotonic`."""
    lost: bool = False
    """Whether it may be somebody else's before that."""

    @property
    def holds(self) -> bool:
        """Whether it is surely nobody else's now."""
        return not self.lost and time.monotonic() < self.until

    def renewed(self, *, until: float, lost: bool) -> None:
        """Take over what a renewal has brought; what was lost before stays lost."""
        self.lost |= lost
        if not self.lost:
            self.until = until
