"""The sandbox's own calls under `/_sandbox`: faults, recorded calls, switches, clock, reset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import Response
from starlette.routing import Route

from gateway.sandbox.clock import ManualClock
from gateway.sandbox.faults import InvalidFaultError, read_fault

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request

    from gateway.sandbox.backend import SimulatedBackend
    from gateway.sandbox.calls import Calls
    from gateway.sandbox.clock import Clock
    from gateway.sandbox.faults import Faults

_LONGEST_ADVANCE = 10 * 366 * 24 * 3600


class _ImproperError(Exception):
    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class Control:
    """Answers `/_sandbox/*` for these backends."""

    def __init__(
        self,
        backends: Mapping[str, SimulatedBackend],
        *,
        faults: Faults,
        calls: Calls,
        clock: Clock,
        reset: Callable[[], None],
    ) -> None:
        self._backends = backends
        self._faults = faults
        self._calls = calls
        self._clock = clock
        self._reset = reset

    def routes(self) -> list[Route]:
        """Give the routes behind `/_sandbox`."""
        table: list[tuple[str, dict[str, Callable[[Request, Any], Any]]]] = [
            (
                "/faults",
                {
                    "GET": lambda _, __: self._faults.left(),
                    "POST": self._add_faults,
                    "DELETE": lambda _, __: self._faults.clear(),
                },
            ),
            ("/calls", {"GET": self._list_calls, "DELETE": lambda _, __: self._calls.clear()}),
            ("/counts", {"GET": lambda _, __: self._calls.counts()}),
            ("/switches", {"GET": lambda _, __: self._switches(), "POST": self._switch}),
            ("/clock", {"GET": lambda _, __: self._time(), "POST": self._advance}),
            ("/reset", {"POST": lambda _, __: self._reset()}),
        ]
        return [Route(path, _serve(acts), methods=list(acts)) for path, acts in table]

    def _add_faults(self, _: Request, asked: Any) -> list[dict[str, Any]]:
        wanted = asked if isinstance(asked, list) else [asked]
        try:
            for one in wanted:  # all or none
                read_fault(one, self._backends)
            return [self._faults.add(one).left() for one in wanted]
        except InvalidFaultError as error:
            raise _ImproperError(str(error)) from error

    def _list_calls(self, request: Request, _: Any) -> list[dict[str, Any]]:
        backend = request.query_params.get("backend")
        if backend is not None:
            self._known(backend)
        return self._calls.shown(backend)

    def _switches(self) -> dict[str, Any]:
        return {name: dict(backend.switches) for name, backend in self._backends.items()}

    def _switch(self, _: Request, asked: Any) -> dict[str, Any]:
        if not isinstance(asked, dict) or set(asked) != {"backend", "name", "value"}:
            raise _ImproperError("a switch is set by an object of backend, name and value")
        switches = self._known(asked["backend"]).switches
        name, value = asked["name"], asked["value"]
        if not isinstance(name, str) or name not in switches:
            raise _ImproperError(f"unknown switch; known are {', '.join(switches)}")
        if not _alike(switches[name], value):
            meant = type(switches[name]).__name__
            raise _ImproperError(f"{name} takes values of the kind {meant}")
        try:
            switches[name] = value
        except ValueError as error:
            raise _ImproperError(str(error)) from error
        return dict(switches)

    def _known(self, name: Any) -> SimulatedBackend:
        if not isinstance(name, str) or name not in self._backends:
            raise _ImproperError(f"backend must be one of {', '.join(self._backends)}")
        return self._backends[name]

    def _time(self) -> dict[str, Any]:
        advances = isinstance(self._clock, ManualClock)
        return {"now": self._clock.now().isoformat(), "canAdvance": advances}

    def _advance(self, _: Request, asked: Any) -> dict[str, Any]:
        seconds = asked.get("advanceSeconds") if isinstance(asked, dict) else None
        number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
        if seconds is None or not number or not 0 <= seconds <= _LONGEST_ADVANCE:
            raise _ImproperError("advanceSeconds must be a number of seconds from 0")
        if not isinstance(self._clock, ManualClock):
            raise _ImproperError("this sandbox runs on the system's clock", 409)
        self._clock.advance(float(seconds))
        return self._time()


def _alike(held: Any, value: Any) -> bool:
    """Whether a switch that holds one value may take the other."""
    if held is None:
        return True
    if isinstance(held, float):
        return isinstance(value, int | float) and not isinstance(value, bool)
    return type(held) is type(value)


def _serve(
    acts: Mapping[str, Callable[[Request, Any], Any]],
) -> Callable[[Request], Awaitable[Response]]:
    """Give an endpoint: what an act returns is the answer's JSON, nothing is 204."""

    async def serve(request: Request) -> Response:
        body = await request.body()
        try:
            asked = orjson.loads(body) if body else None
            act = acts["GET" if request.method == "HEAD" else request.method]
            content = act(request, asked)
        except orjson.JSONDecodeError:
            return _json({"error": "the body is not JSON"}, 400)
        except _ImproperError as error:
            return _json({"error": str(error)}, error.status)
        return Response(status_code=204) if content is None else _json(content, 200)

    return serve


def _json(content: Any, status: int) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")
