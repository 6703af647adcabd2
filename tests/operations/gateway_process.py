"""A gateway in a process of its own, on a sandbox."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from tests.harness import free_port
from tests.operations.calls import CONTACT

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
SECONDS = 60

PROGRAM = """
import json, sys
from gateway.app import create_app
from gateway.dev import sandbox_settings
from gateway.logs import configure_logs
from gateway.serving.server import serve

configure_logs()
settings = sandbox_settings(sys.argv[1], **json.loads(sys.argv[3]))
serve(create_app(settings), "127.0.0.1", int(sys.argv[2]), seconds=min(10, settings.shutdown_seconds))
"""


class GatewayProcess:
    """A gateway that runs until it is told to end."""

    def __init__(self, sandbox: str, **settings: Any) -> None:
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        arguments = [sys.executable, "-c", PROGRAM, sandbox, str(port), json.dumps(settings)]
        self.process = subprocess.Popen(arguments, cwd=ROOT)

    def until_ready(self) -> None:
        until = time.monotonic() + SECONDS
        while not self._is_ready():
            assert self.process.poll() is None, "the gateway has ended"
            assert time.monotonic() < until, "the gateway does not start"
            time.sleep(0.02)  # no event tells when another process listens

    def _is_ready(self) -> bool:
        # The plainest client: it is asked again and again while the gateway needs the processor.
        connection = HTTPConnection(self.address.removeprefix("http://"), timeout=SECONDS)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == HTTPStatus.OK
        except OSError:
            return False
        finally:
            connection.close()

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        body = {"query": query, "variables": variables}
        answer = httpx.post(f"{self.address}/graphql", json=body, timeout=SECONDS).json()
        data: dict[str, Any] = answer["data"]
        return data

    def upsert(self, contact: dict[str, Any], **arguments: Any) -> dict[str, Any]:
        data = self.ask(CONTACT, **{"input": contact, "targets": ["EVERBRIDGE"], **arguments})
        payload: dict[str, Any] = data["upsertContact"]
        return payload

    def told_to_end(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def until_it_ends(self) -> None:
        """Wait until the gateway takes nothing more on."""
        until = time.monotonic() + SECONDS
        while self._is_ready():
            assert time.monotonic() < until
            time.sleep(0.02)  # no event tells when another process has heard a signal

    def code(self) -> int:
        return self.process.wait(SECONDS)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def gateway_process(sandbox: str, **settings: Any) -> Iterator[GatewayProcess]:
    """A gateway that is ready, for as long as the context lasts."""
    started = GatewayProcess(sandbox, **settings)
    try:
        started.until_ready()
        yield started
    finally:
        started.kill()
