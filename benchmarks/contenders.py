"""The programs that are measured side by side: the gateway, and what users would build instead."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from benchmarks.work import Mode

HERE = Path(__file__).parent
PEERS = HERE / "peers"
TICKS = os.sysconf("SC_CLK_TCK")
START_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Contender:
    """A program that is measured."""

    name: str
    title: str
    command: Sequence[str]
    cold_command: Sequence[str] = ()
    """What is run where names are not cached, when that is another program."""
    env: Mapping[str, str] = field(default_factory=dict)
    """`{upstream}` stands for the upstream's address."""
    modes: Sequence[str] = ()
    """Those in which it is measured; none for all."""


POSTGRES = os.environ.get(
    "CONTACT_GATEWAY_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres"
)
"""The database of gateways that share one."""

GATEWAY_SETTINGS = {
    "GATEWAY_DATABASE_URL": "temporary",
    "GATEWAY_IVVY_BASE_URL": "{upstream}/ivvy",
    "GATEWAY_IVVY_API_KEY": "bench-key",
    "GATEWAY_IVVY_API_SECRET": "bench-secret",
    "GATEWAY_EVERBRIDGE_BASE_URL": "{upstream}/everbridge/rest",
    "GATEWAY_EVERBRIDGE_ORGANIZATION_ID": "1000000000000001",
    "GATEWAY_EVERBRIDGE_USERNAME": "bench",
    "GATEWAY_EVERBRIDGE_PASSWORD": "bench",
    "GATEWAY_EVERBRIDGE_EMAIL_PATH": "Work Email",
    "GATEWAY_EVERBRIDGE_READS_PER_SECOND": "1000000",
    "GATEWAY_EVERBRIDGE_WRITES_PER_SECOND": "1000000",
    "GATEWAY_SENDGRID_BASE_URL": "{upstream}/sendgrid",
    "GATEWAY_SENDGRID_API_KEY": "SG.bench",
    "GATEWAY_SENDGRID_CALLS_PER_MINUTE": "100000000",
}
"""As they come, but for the quotas, which are the vendors' and not the gateway's speed."""

GATEWAY = Contender(
    name="gateway",
    title="contact-gateway",
    command=(sys.executable, "-m", "gateway", "serve", "--port", "{port}"),
    cold_command=(sys.executable, "-m", "benchmarks.cold_gateway", "{port}"),
    env={**GATEWAY_SETTINGS, "PYTHONPATH": str(HERE.parent)},
)
CONTENDERS = (
    GATEWAY,
    replace(
        GATEWAY,
        name="gateway-alone",
        title="contact-gateway, which waits for no company at SendGrid",
        env={**GATEWAY.env, "GATEWAY_SENDGRID_WINDOW_MS": "0"},
        modes=("one",),
    ),
    replace(
        GATEWAY,
        name="gateway-core",
        title="contact-gateway, on graphql-core alone",
        env={**GATEWAY.env, "GATEWAY_PREPARED_OPERATIONS": "false"},
    ),
    Contender(
        name="apollo-rest",
        title="Apollo Server + datasource-rest",
        command=("node", str(PEERS / "apollo_rest.mjs")),
    ),
    Contender(
        name="apollo-undici",
        title="Apollo Server + undici",
        command=("node", str(PEERS / "apollo_undici.mjs")),
    ),
    Contender(name="yoga", title="GraphQL Yoga", command=("node", str(PEERS / "yoga.mjs"))),
    Contender(
        name="strawberry",
        title="plain Strawberry + httpx",
        command=(sys.executable, str(PEERS / "plain_strawberry.py")),
    ),
)


class Running:
    """A contender's process."""

    def __init__(self, contender: Contender, process: subprocess.Popen[bytes], port: int) -> None:
        self.contender = contender
        self.process = process
        self.url = f"http://127.0.0.1:{port}/" + (
            "graphql" if contender.name.startswith(("gateway", "yoga")) else ""
        )

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """One GraphQL answer."""
        answer: dict[str, Any] = httpx.post(self.url, json=dict(request), timeout=120).json()
        return answer

    @property
    def cpu_seconds(self) -> float:
        """User and system time of the process and those below it so far."""
        return sum(_cpu_ticks(pid) for pid in tree(self.process.pid)) / TICKS

    @property
    def resident_mb(self) -> float:
        """Resident memory of the process and those below it, in MB."""
        page = os.sysconf("SC_PAGE_SIZE")
        pages = (
            int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in tree(self.process.pid)
        )
        return sum(pages) * page / 1e6


def tree(pid: int) -> list[int]:
    """A process and all below it."""
    below = Path(f"/proc/{pid}/task").glob("*/children")
    children = [int(child) for part in below for child in part.read_text().split()]
    return [pid, *(one for child in children for one in tree(child))]


def _cpu_ticks(pid: int) -> int:
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return int(after_name[11]) + int(after_name[12])


@contextmanager
def started(
    contender: Contender, mode: Mode, upstream: str, folder: Path, core: int | None
) -> Iterator[Running]:
    """A contender on one core (or on any), ready to answer, for as long as the context lasts."""
    port = free_port()
    command = (mode.cold and contender.cold_command) or contender.command
    command = [part.format(port=port) for part in command]
    env = {name: value.format(upstream=upstream) for name, value in contender.env.items()}
    env |= {"PORT": str(port), "UPSTREAM": upstream, "NAMES": "cold" if mode.cold else "kept"}
    env |= {"NODE_ENV": "production"}
    log = folder / f"{contender.name}.log"
    with (
        log.open("wb") as kept,
        subprocess.Popen(  # noqa: S603 - our own commands
            pinned(core, command), cwd=folder, env={**os.environ, **env}, stdout=kept, stderr=kept
        ) as process,
    ):
        running = Running(contender, process, port)
        try:
            _wait(running)
            yield running
        finally:
            if process.poll() is not None:  # nobody has ended it
                sys.stderr.write(log.read_text()[-4000:])
            process.terminate()


def _wait(running: Running) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            running.ask({"query": "{ __typename }"})
        except (httpx.TransportError, ValueError):
            if running.process.poll() is not None or time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return


def pinned(core: int | None, command: Sequence[str]) -> list[str]:
    """The command, kept on one core where the system can do that."""
    taskset = None if core is None else shutil.which("taskset")
    return [taskset, "-c", str(core), *command] if taskset else list(command)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
