"""The simulated SendGrid as the sandbox mounts it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.sandbox.sendgrid.app import API_KEY, RESTRICTED_API_KEY, make_app
from gateway.sandbox.sendgrid.limits import Limits
from gateway.sandbox.sendgrid.seed import seed
from gateway.sandbox.sendgrid.store import Store
from gateway.sandbox.sendgrid.switches import DEFAULTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp

    from gateway.sandbox.clock import Clock

__all__ = ["API_KEY", "RESTRICTED_API_KEY", "SendGrid"]


class SendGrid:
    """SendGrid's marketing contacts with seed data; jobs move on as `clock` does."""

    def __init__(self, clock: Clock) -> None:
        self.name = "sendgrid"
        self._at_start: dict[str, Any] = dict(DEFAULTS)
        self.switches: dict[str, Any] = dict(DEFAULTS)
        self.store = Store()
        self._limits = Limits()
        seed(self.store)
        self.app: ASGIApp = make_app(self.store, self._limits, clock, self.switches)

    def start_with(self, **switches: Any) -> None:
        """Set switches to what a reset gives back, too."""
        self._at_start |= switches
        self.switches |= switches

    def reset(self) -> None:
        """Back to the seed data, the switches of the start, no jobs and unused rate limits."""
        self.switches.clear()
        self.switches.update(self._at_start)
        self._limits.forget()
        fresh = Store()
        seed(fresh)
        self.store.load(fresh.dump())

    def dump(self) -> dict[str, Any]:
        """The whole state as JSON values; switches and used rate limits are no part of it."""
        return self.store.dump()

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over a state that `dump` gave."""
        self.store.load(state)
