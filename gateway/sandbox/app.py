"""The sandbox: iVvy, Everbridge and SendGrid, simulated at one address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.sandbox.clock import SystemClock
from gateway.sandbox.everbridge import Everbridge
from gateway.sandbox.frame import Frame, Mounted
from gateway.sandbox.ivvy import Ivvy
from gateway.sandbox.sendgrid import SendGrid

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp

    from gateway.sandbox.calls import Calls
    from gateway.sandbox.clock import Clock
    from gateway.sandbox.faults import Faults


class Sandbox:
    """The three backends, with the faults and recorded calls that they share.

    `app` serves `/ivvy`, `/everbridge/rest`, `/everbridge/authorization/v1`, `/sendgrid` and
    `/_sandbox`; `routes` are the same for mounting at the root of another Starlette app.
    """

    def __init__(self, *, clock: Clock, database: Path | None = None) -> None:
        self.clock = clock
        self.ivvy = Ivvy(clock)
        self.everbridge = Everbridge(clock)
        self.sendgrid = SendGrid(clock)
        self._frame = Frame(
            [
                Mounted(at="/ivvy", backend=self.ivvy, app=self.ivvy.app),
                Mounted(at="/everbridge/rest", backend=self.everbridge, app=self.everbridge.app),
                Mounted(
                    at="/everbridge/authorization/v1",
                    backend=self.everbridge,
                    app=self.everbridge.token_app,
                    prefix="/authorization/v1",
                ),
                Mounted(at="/sendgrid", backend=self.sendgrid, app=self.sendgrid.app),
            ],
            clock=clock,
            database=database,
        )
        self.app: ASGIApp = self._frame.app
        self.routes: list[BaseRoute] = self._frame.routes
        self.faults: Faults = self._frame.faults
        self.calls: Calls = self._frame.calls

    def reset(self) -> None:
        """Put state, switches, faults and recorded calls back to the start."""
        self._frame.reset()

    def close(self) -> None:
        """Close the database, if there is one."""
        self._frame.close()


def create_sandbox(*, clock: Clock | None = None, database: Path | None = None) -> Sandbox:
    """Give a sandbox with seed data, on real time unless a clock is given.

    With `database`, an SQLite file, state is loaded from it and kept in it; otherwise it lives in
    memory. Whoever gives a database closes the sandbox.
    """
    return Sandbox(clock=clock or SystemClock(), database=database)
