"""What a backend's calls tell of its health: the last minute's one by one, the last hour's by minute."""

from __future__ import annotations

import time
from bisect import bisect_left
from dataclasses import dataclass, field

MINUTE = 60.0
MINUTES = 60
"""How many minutes are kept."""
BOUNDS = tuple(0.001 * 2 ** (step / 2) for step in range(30))
"""Seconds, up to some 23: a minute's calls are counted between these. Each is 1.41 times the one
before, so that what is told from them, the middle between two, is off by a fifth at most."""
MIDDLE = 2**0.25


@dataclass(slots=True)
class Minute:
    """The calls of one minute."""

    number: int
    """Which minute, on the clock of `time.monotonic`."""
    calls: int = 0
    failed: int = 0
    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    """Calls by how long they took: those up to each of the bounds, then the longer ones."""


class Traffic:
    """The calls to one backend: what health, latency and plots are told from."""

    WINDOW = MINUTE

    def __init__(self) -> None:
        self._calls: list[tuple[float, float, bool]] = []
        self._minutes = [Minute(-1) for _ in range(MINUTES)]

    def note(self, seconds: float, *, failed: bool) -> None:
        """Remember one try."""
        now = time.monotonic()
        self._calls.append((now, seconds, failed))
        if len(self._calls) > 1000:  # noqa: PLR2004 - enough for a median
            del self._calls[:500]
        number = int(now / MINUTE)
        minute = self._minutes[number % MINUTES]
        if minute.number != number:
            minute = self._minutes[number % MINUTES] = Minute(number)
        minute.calls += 1
        minute.failed += failed
        minute.counts[bisect_left(BOUNDS, seconds)] += 1

    def recent(self) -> list[tuple[float, bool]]:
        """Seconds and failure of each try of the last minute."""
        since = time.monotonic() - self.WINDOW
        return [(seconds, failed) for at, seconds, failed in self._calls if at >= since]

    def hour(self) -> list[Minute]:
        """The last hour's minutes, oldest first, the one that runs last; quiet ones are empty."""
        last = int(time.monotonic() / MINUTE)
        kept = {minute.number: minute for minute in self._minutes}
        numbers = range(last - MINUTES + 1, last + 1)
        return [kept.get(number) or Minute(number) for number in numbers]


def quantile(minutes: list[Minute], share: float) -> float | None:
    """The seconds that this share of the calls took at most, roughly; None without calls."""
    counts = [sum(numbers) for numbers in zip(*(one.counts for one in minutes), strict=True)]
    wanted = share * sum(counts)
    if not wanted:
        return None
    reached = 0
    for number, bound in zip(counts, BOUNDS, strict=False):
        reached += number
        if reached >= wanted:
            return bound / MIDDLE
    return BOUNDS[-1]
