"""`gateway serve --workers`: several processes on one port, or a plain word why not."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from gateway.__main__ import cli
from gateway.errors import SettingsError
from gateway.serving.workers import Workers, run_workers
from tests.harness import free_port
from tests.store.conftest import postgres_url

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["postgres_url"]

ROOT = Path(__file__).parents[2]
SECONDS = 60


def gateway(folder: Path, port: int, workers: int, **environment: str) -> subprocess.Popen[str]:
    """`gateway serve`, with no settings but those given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    return subprocess.Popen(
        [sys.executable, "-m", "gateway", "serve", "--port", str(port), "--workers", str(workers)],
        env={**kept, "PYTHONPATH": str(ROOT), **environment},
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("url", ["sqlite:///gateway.sqlite3", "temporary"])
def test_more_workers_than_the_database_can_serve_are_refused(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GATEWAY_DATABASE_URL", url)
    ended = CliRunner().invoke(cli, ["serve", "--workers", "2"])
    assert isinstance(ended.exception, SettingsError)
    [problem] = ended.exception.problems
    assert "--workers 2 needs a database that several processes can share" in problem
    assert "postgresql://" in problem
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"Cannot serve on 127.0.0.1:{port}"):
            run_workers(2, "127.0.0.1", port)


def test_workers_serve_one_port_are_replaced_when_they_die_and_end_together(
    tmp_path: Path, postgres_url: str
) -> None:
    port = free_port()
    parent = gateway(tmp_path, port, 2, GATEWAY_DATABASE_URL=postgres_url)
    try:
        until(lambda: is_ready(port))
        first = children(parent.pid)
        assert len(first) == 2

        os.kill(first[0], signal.SIGKILL)
        until(lambda: len(set(children(parent.pid)) - set(first)) == 1)
        assert is_ready(port), "the other one serves meanwhile"

        workers = children(parent.pid)
        parent.send_signal(signal.SIGTERM)
        _, said = parent.communicate(timeout=SECONDS)
        assert parent.returncode == 0
        assert not any(is_alive(worker) for worker in workers)
        assert "worker died; starting another" in said
    finally:
        parent.kill()
        parent.communicate()


@pytest.mark.parametrize(("times", "code"), [(0, 0), (1, 0), (2, 128 + signal.SIGTERM)])
def test_an_end_in_order_is_no_failure_and_a_hurried_one_is(times: int, code: int) -> None:
    workers = Workers(2, "127.0.0.1", 0)
    for _ in range(times):
        workers._tell(signal.SIGTERM, None)
    assert workers._end() == code


def test_a_worker_ends_in_order_when_its_parent_is_gone() -> None:
    read, write = os.pipe()
    code = (
        "import sys, time; from gateway.serving.workers import end_with_parent;"
        "end_with_parent(int(sys.argv[1])); time.sleep(60)"
    )
    worker = subprocess.Popen([sys.executable, "-c", code, str(read)], cwd=ROOT, pass_fds=[read])
    os.close(read)
    os.close(write)
    assert worker.wait(SECONDS) == -signal.SIGTERM


def children(pid: int) -> list[int]:
    shown = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    return [int(line) for line in shown.stdout.split()]


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not asked after does not."""
    shown = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return shown.stdout.strip()[:1] not in {"", "Z"}


def is_ready(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


def until(happened: Callable[[], bool]) -> None:
    """Wait for what other processes do."""
    end = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.05)  # no event tells
