"""What a backend's last minute of calls tells of its health."""

from __future__ import annotations

import time


class Traffic:
    """The last minute's calls: what health and latency are told from."""

    WINDOW = 60.0

    def __init__(self) -> None:
        self._calls: list[tuple[float, float, bool]] = []

    def note(self, seconds: float, *, failed: bool) -> None:
        """Remember one try."""
        now = time.monotonic()
        self._calls.append((now, seconds, failed))
        if len(self._calls) > 1000:  # noqa: PLR2004 - enough for a median
            del self._calls[:500]

    def recent(self) -> list[tuple[float, bool]]:
        """Seconds and failure of each try of the last minute."""
        since = time.monotonic() - self.WINDOW
        return [(seconds, failed) for at, seconds, failed in self._calls if at >= since]
