"""A program that runs gateways which kill themselves at a given point, for the crash test.

It reads lines from standard input: a port, a database and the number of the point (0 for none).
For each it forks a gateway, which saves starting Python anew, and prints the child's pid; a line
`end PID` ends that child, and `wait PID` waits for it. Points are counted from the first GraphQL
request on: in front of and behind every commit that stores something and every call to a backend.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import httpx

from gateway.app import create_app
from gateway.dev import sandbox_settings
from gateway.logs import configure_logs
from gateway.model import Backend
from gateway.operations import outcomes, worker
from gateway.serving.server import serve
from gateway.store.claims import claim_due, renew
from gateway.store.sqlite import SqliteDatabase

if TYPE_CHECKING:
    from starlette.applications import Starlette

NOT_COUNTED = {renew.__name__, "_renew", "purge", "_purge", "_forget_idle"}
"""Commits that come with time, not with what is done."""


class Points:
    """Counts the points, and ends the process at one of them."""

    def __init__(self, crash_at: int, said: Path) -> None:
        self._crash_at = crash_at
        self._said = said
        self._count = 0
        self.armed = False

    def pass_by(self, what: str) -> None:
        """One point; the last one for this process when it is the one to crash at."""
        if not self.armed:
            return
        self._count += 1
        if self._count == self._crash_at:
            self._said.write_text(what)
            os.kill(os.getpid(), signal.SIGKILL)


class CountedTransport(httpx.AsyncHTTPTransport):
    """Calls backends over sockets, with a point in front of each call and one behind."""

    points: Points

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        called = f"{request.method} {request.url.path}?{request.url.query.decode()[:40]}"
        self.points.pass_by(f"before {called}")
        answer = await super().handle_async_request(request)
        self.points.pass_by(f"after {called}")
        return answer


def count_commits(points: Points) -> None:
    """Put a point in front of and behind each commit."""
    real = SqliteDatabase.write

    async def write(self: SqliteDatabase, transaction: Any, *args: Any, **named: Any) -> Any:
        name = transaction.__name__
        if name in NOT_COUNTED:
            return await real(self, transaction, *args, **named)
        if name != claim_due.__name__:
            points.pass_by(f"before the commit of {name}")
        result = await real(self, transaction, *args, **named)
        if name != claim_due.__name__ or result:
            points.pass_by(f"behind the commit of {name}")
        return result

    SqliteDatabase.write = write  # type: ignore[method-assign]


def run(sandbox: str, port: int, database: str, crash_at: int) -> None:
    """Serve until killed."""
    points = Points(crash_at, Path(f"{database}.point"))
    CountedTransport.points = points
    count_commits(points)
    outcomes.BACKOFF_BASE = 0.01
    worker.POLL_SECONDS = 0.05
    settings = sandbox_settings(
        sandbox,
        database_url=f"sqlite:///{database}",
        lease_seconds=0.5,
        job_look_seconds=0.05,
        request_timeout_seconds=2.0,
    )
    # The sandbox has no TLS; reading the certificates of authorities takes longer than all else here.
    transports = {backend: CountedTransport(verify=False) for backend in Backend}
    app = create_app(settings, transports)
    configure_logs()
    serve(cast("Starlette", _Armed(app, points)), "127.0.0.1", port, seconds=2)


class _Armed:
    """The app, which begins to count with the first GraphQL request."""

    def __init__(self, app: Any, points: Points) -> None:
        self._app = app
        self._points = points
        self.state = app.state

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self._points.armed |= scope["type"] == "http" and scope["path"] == "/graphql"
        await self._app(scope, receive, send)


def tell(answer: object) -> None:
    """Answer a line."""
    sys.stdout.write(f"{answer}\n")
    sys.stdout.flush()


def main() -> None:
    """Obey the lines."""
    sandbox = sys.argv[1]
    for line in sys.stdin:
        match line.split():
            case ["end", pid]:
                os.kill(int(pid), signal.SIGTERM)
                os.waitpid(int(pid), 0)
                tell("ended")
            case ["wait", pid]:
                _, status = os.waitpid(int(pid), 0)
                tell(os.waitstatus_to_exitcode(status))
            case [port, database, crash_at]:
                child = os.fork()
                if child == 0:
                    sys.stdout = sys.stderr
                    run(sandbox, int(port), database, int(crash_at))
                    os._exit(0)
                tell(child)


if __name__ == "__main__":
    main()
