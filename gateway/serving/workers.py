"""Several gateway processes on one port: `gateway serve --workers N`.

The parent opens the port, starts the workers on it, starts another one for each that dies, and
passes on what it is told by signals. It does no work of its own. A worker whose parent has gone
ends too.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import structlog

from gateway.errors import SettingsError
from gateway.store.opening import POSTGRES

if TYPE_CHECKING:
    from types import FrameType

log = structlog.get_logger()

CANNOT_START = {2, 3}
"""Exit codes of a worker that would fail again: wrong settings, or no start."""
LOOK_SECONDS = 0.2
"""Between two looks at the workers."""
PAUSE_SECONDS = 1.0
"""Before a worker that has just been started is started again."""
BACKLOG = 2048
"""Connections that wait to be accepted, as uvicorn has it."""


class Workers:
    """The workers of one port."""

    def __init__(self, count: int, host: str, port: int) -> None:
        self._count = count
        self._host = host
        self._port = port
        self._running: dict[subprocess.Popen[bytes], float] = {}
        self._told: int | None = None
        """The signal by which the workers were told to end."""
        self._told_again = False

    def run(self) -> int:
        """Keep the workers running until they are told to end; gives the exit code."""
        alive, self._held_open = os.pipe()
        with open_port(self._host, self._port) as listening:
            for sig in (signal.SIGTERM, signal.SIGINT):
                signal.signal(sig, self._tell)
            for _ in range(self._count):
                self._start(listening.fileno(), alive)
            code = 0
            while self._running:
                time.sleep(LOOK_SECONDS)
                for worker in [one for one in self._running if one.poll() is not None]:
                    started_at = self._running.pop(worker)
                    if self._told is None and worker.returncode in CANNOT_START:
                        code = worker.returncode
                        self._tell(signal.SIGTERM, None)
                    self._replace(worker, started_at, listening.fileno(), alive)
        return code or self._end()

    def _replace(
        self, worker: subprocess.Popen[bytes], started_at: float, listening: int, alive: int
    ) -> None:
        """Start another worker for one that has died, unless all are to end."""
        if self._told is not None:
            return
        log.warning("worker died; starting another", code=worker.returncode)
        time.sleep(max(0.0, started_at + PAUSE_SECONDS - time.monotonic()))
        if self._told is None:
            self._start(listening, alive)

    def _start(self, listening: int, alive: int) -> None:
        command = [
            *(sys.executable, "-m", "gateway", "serve"),
            *("--host", self._host, "--port", str(self._port)),
            *("--listening", str(listening), "--parent", str(alive)),
        ]
        # In a session of its own: Ctrl-C reaches the parent alone, which passes it on once.
        worker = subprocess.Popen(command, pass_fds=(listening, alive), start_new_session=True)  # noqa: S603 - our own program
        self._running[worker] = time.monotonic()

    def _tell(self, sig: int, _frame: FrameType | None) -> None:
        self._told, self._told_again = self._told or sig, self._told is not None
        for worker in self._running:
            worker.send_signal(signal.SIGTERM)

    def _end(self) -> int:
        """End as one process without workers does: well on SIGTERM, on Ctrl-C by its signal."""
        if self._told is None:
            return 0
        if self._told == signal.SIGTERM:
            return 128 + self._told if self._told_again else 0
        signal.signal(self._told, signal.SIG_DFL)
        os.kill(os.getpid(), self._told)
        return 128 + self._told  # the first process of a container is not ended by its own signal


def check_workers(count: int, database_url: str) -> None:
    """Refuse, with SettingsError, more workers than the database can serve."""
    if count > 1 and not database_url.startswith(POSTGRES):
        kept = database_url.partition(":")[0]
        problem = (
            f"--workers {count} needs a database that several processes can share: set "
            f"GATEWAY_DATABASE_URL to postgresql://…, or leave --workers out. It is {kept} now, "
            "which serves one process."
        )
        raise SettingsError([problem])


def run_workers(count: int, host: str, port: int) -> int:
    """Serve by that many workers until a signal comes; gives the exit code."""
    try:
        return Workers(count, host, port).run()
    except OSError as error:
        raise SettingsError([f"Cannot serve on {host}:{port}: {error.strerror}."]) from None


def open_port(host: str, port: int) -> socket.socket:
    """A socket that listens there; raises OSError when it cannot."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


def end_with_parent(alive: int) -> None:
    """End this process, in order, when its parent has gone: nothing else holds the pipe open."""

    def watch() -> None:
        os.read(alive, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True, name="parent-watch").start()
