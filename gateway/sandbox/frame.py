"""Any simulated backends at one address, with what all of them share around them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.routing import BaseRoute, Mount, Router

from gateway.sandbox.calls import Calls
from gateway.sandbox.control import Control
from gateway.sandbox.faults import Faults
from gateway.sandbox.front import Front
from gateway.sandbox.persistence import StateFile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from starlette.types import ASGIApp

    from gateway.sandbox.backend import SimulatedBackend
    from gateway.sandbox.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Mounted:
    """One ASGI app of a backend, and where it is served.

    `prefix` sets the paths of a backend's second app apart in recorded calls and faults.
    """

    at: str
    backend: SimulatedBackend
    app: ASGIApp
    prefix: str = ""


class Frame:
    """The apps of any simulated backends, with recording, faults and `/_sandbox` around them."""

    def __init__(
        self, mounted: Sequence[Mounted], *, clock: Clock, database: Path | None = None
    ) -> None:
        self.backends = {one.backend.name: one.backend for one in mounted}
        self.faults = Faults(self.backends)
        self.calls = Calls()
        self._state_file = None if database is None else StateFile(database)
        if self._state_file is not None:
            for backend in self.backends.values():
                self._state_file.restore(backend)
        control = Control(
            self.backends, faults=self.faults, calls=self.calls, clock=clock, reset=self.reset
        )
        self.routes: list[BaseRoute] = [
            Mount(one.at, app=self._front(one, clock)) for one in mounted
        ]
        self.routes.append(Mount("/_sandbox", routes=control.routes()))
        self.app: ASGIApp = Router(routes=self.routes)

    def _front(self, one: Mounted, clock: Clock) -> Front:
        return Front(
            one.backend,
            one.app,
            faults=self.faults,
            calls=self.calls,
            clock=clock,
            state_file=self._state_file,
            prefix=one.prefix,
        )

    def reset(self) -> None:
        """Everything back to the start: state, switches, faults, recorded calls."""
        for backend in self.backends.values():
            backend.reset()
            if self._state_file is not None:
                self._state_file.keep(backend)
        self.faults.clear()
        self.calls.clear()

    def close(self) -> None:
        """Close the database, if there is one."""
        if self._state_file is not None:
            self._state_file.close()
