"""Rate limits per endpoint, in windows of one UTC clock minute (contract: sendgrid section 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.sandbox.sendgrid.errors import refused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from gateway.sandbox.sendgrid.errors import RefusalError

LIMIT = 600
"""Seen on the GET calls; ASSUMED for every call whose limit is not published."""

LIMITS = {("POST", "/contacts/search"): 200}
_MINUTE = 60


class Limits:
    """Counts calls; a window is forgotten when the next one is asked for."""

    def __init__(self) -> None:
        self._used: dict[tuple[str, str], tuple[int, int]] = {}

    def take(
        self, endpoint: tuple[str, str], now: datetime, switches: Mapping[str, Any]
    ) -> tuple[dict[str, str], RefusalError | None]:
        """Count one call: its rate headers, and the 429 when the window is used up."""
        limit = int(switches["rate_limit"]) or LIMITS.get(endpoint, LIMIT)
        second = int(now.timestamp())
        window = second // _MINUTE
        counted, used = self._used.get(endpoint, (window, 0))
        used = used if counted == window else 0
        ends = (window + 1) * _MINUTE
        reset = ends if switches["rate_limit_reset"] == "epoch" else ends - second
        over = used >= limit
        self._used[endpoint] = (window, used if over else used + 1)
        headers = {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(0 if over else limit - used - 1),
            "X-RateLimit-Reset": str(reset),
        }
        return headers, refused(429, "too many requests") if over else None

    def forget(self) -> None:
        """Start all windows afresh."""
        self._used.clear()
