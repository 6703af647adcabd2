"""The simulated iVvy: contacts, companies, groups, leads and batches, with signed requests.

The story of a request: `app` checks method, call and signature, `calls` finds the action, and the
action's module (`contacts`, `companies`, `leads`, …) holds the rules over the rows in `store`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.sandbox.ivvy import seed
from gateway.sandbox.ivvy.app import create_app
from gateway.sandbox.ivvy.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp

    from gateway.sandbox.clock import Clock

__all__ = ["Ivvy"]


class Ivvy:
    """One simulated iVvy account with its app and its switches (`SimulatedBackend`)."""

    def __init__(self, clock: Clock) -> None:
        self.name = "ivvy"
        self._store = Store(clock)
        self.switches: dict[str, Any] = self._store.switches
        self.app: ASGIApp = create_app(self._store)
        self.reset()

    def reset(self) -> None:
        """Back to the seed data and the switches' defaults."""
        self._store.switches.restore()
        seed.fill(self._store)

    def dump(self) -> dict[str, Any]:
        """Every record and batch as JSON values; switches are not state."""
        return self._store.dump()

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over a state that `dump` gave."""
        self._store.load(state)
