"""The organization's quota: calls within one second of the sandbox's clock (section 1.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.sandbox.everbridge.errors import quota_exceeded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.sandbox.clock import Clock

_READ_METHODS = ("GET", "HEAD", "DELETE")
"""The newest published table counts DELETE with GET, apart from POST, PUT and PATCH."""


class Quota:
    """Counts calls in whole seconds, reads and writes apart; ASSUMED: refused ones count too."""

    def __init__(self, clock: Clock, switches: Mapping[str, Any]) -> None:
        self._clock = clock
        self._switches = switches
        self._counts: dict[tuple[int, str], int] = {}

    def count(self, method: str) -> None:
        """Take one call; raises 429 when its second is used up."""
        kind = "reads_per_second" if method in _READ_METHODS else "writes_per_second"
        limit = self._switches[kind]
        if not limit:
            return
        second = int(self._clock.now().timestamp())
        self._counts = {key: n for key, n in self._counts.items() if key[0] == second}
        taken = self._counts.get((second, kind), 0) + 1
        self._counts[second, kind] = taken
        if taken > limit:
            raise quota_exceeded()
