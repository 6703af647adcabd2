"""The installed program as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx

from tests.harness import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

START_SECONDS = 120
FOREIGN = ("GATEWAY_", "PYTHONDONTWRITEBYTECODE")
"""What of this process's environment is not the program's: settings, and that nothing is compiled."""

HERE = (sys.executable, "-m", "gateway")
"""The program of the environment that runs the tests."""


@contextmanager
def gateway_dev(log: Path, program: Sequence[str] = HERE, **environment: str) -> Iterator[str]:
    """`gateway dev` for as long as the context lasts; gives its address. `log` takes what it prints."""
    port = free_port()
    given = {key: text for key, text in os.environ.items() if not key.startswith(FOREIGN)}
    with log.open("wb") as printed:
        process = subprocess.Popen(
            [*program, "dev", "--port", str(port)],
            cwd=log.parent,
            env=given | environment,
            stdout=printed,
            stderr=printed,
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/healthz", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=START_SECONDS)


def wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the address answers; fail when the process ends before, or takes far too long."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        assert process.poll() is None, log.read_text()
        try:
            # Certificates take longer to read than anything else that is asked here.
            httpx.get(address, verify=False).raise_for_status()
        except httpx.HTTPError:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)  # no event tells when a socket of another process listens
        else:
            return
