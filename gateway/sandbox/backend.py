"""What every simulated backend offers to the sandbox that mounts it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp


class SimulatedBackend(Protocol):
    """One backend's state and rules, with the ASGI app that serves them."""

    name: str
    """`ivvy`, `everbridge` or `sendgrid`: also the mount point and the key of faults and calls."""

    app: ASGIApp
    """The vendor's HTTP interface; paths start behind the mount point."""

    switches: dict[str, Any]
    """ASSUMED or rare vendor behaviour that can be changed while running, by name."""

    def reset(self) -> None:
        """Back to the seed data and the switches' defaults."""

    def dump(self) -> dict[str, Any]:
        """The whole state as JSON values."""

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over a state that `dump` gave."""
