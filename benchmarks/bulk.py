"""Bulk: what many contacts cost in vendor calls, time and memory.

`uv run python benchmarks/bulk.py 10000` starts the sandbox in one process and the gateway in
another, sends upsertContacts, follows the operation, and prints a line for the table in
docs/performance.md. The sandbox keeps its quotas, and its jobs take their time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

FIELDS = "id status total completed failed"
SEND = f"""
mutation ($inputs: [ContactInput!]!) {{
  upsertContacts(inputs: $inputs) {{ operation {{ {FIELDS} }} errors {{ code message field }} }}
}}
"""
LOOK = f"query ($id: ID!) {{ operation(id: $id) {{ {FIELDS} }} }}"
MOST = 10_000
"""Inputs of one call."""


def people(number: int) -> list[dict[str, Any]]:
    """Contacts that are new to all backends, with one set of groups."""
    return [
        {
            "externalId": f"BULK-{place}",
            "email": f"bulk{place}@example.com",
            "firstName": "Bulk",
            "lastName": f"Person {place}",
            "groupsName": ["Newsletter"],
        }
        for place in range(number)
    ]


def start(arguments: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """A gateway command in a process of its own."""
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "gateway", *arguments],
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


async def ready(client: httpx.AsyncClient, path: str) -> None:
    """Wait until a server answers."""
    async with asyncio.timeout(60):
        while True:
            try:
                if (await client.get(path)).is_success:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)


def status_of(process: subprocess.Popen[bytes], name: str) -> int:
    """A figure of /proc/PID/status, in MiB."""
    text = Path(f"/proc/{process.pid}/status").read_text()
    found = re.search(rf"{name}:\s+(\d+) kB", text)
    return int(found[1]) // 1024 if found else 0


def cpu_of(process: subprocess.Popen[bytes]) -> float:
    """Seconds of CPU that a process has used, in user and system."""
    stat = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")


async def deliver(client: httpx.AsyncClient, number: int) -> dict[str, float]:
    """Send them all, and wait until the last has ended."""
    began = time.monotonic()
    operations: list[str] = []
    inputs = people(number)
    for place in range(0, number, MOST):
        body = {"query": SEND, "variables": {"inputs": inputs[place : place + MOST]}}
        answer = (await client.post("/graphql", json=body)).json()
        payload = answer["data"]["upsertContacts"]
        if payload["errors"]:
            raise SystemExit(json.dumps(payload["errors"][:3]))
        operations.append(payload["operation"]["id"])
    accepted = time.monotonic() - began
    failed = 0
    for one in operations:
        while True:
            body = {"query": LOOK, "variables": {"id": one}}
            found = (await client.post("/graphql", json=body)).json()["data"]["operation"]
            if found["completed"] == found["total"]:
                failed += found["failed"]
                break
            await asyncio.sleep(1)
    return {"accepted": accepted, "ended": time.monotonic() - began, "failed": failed}


async def run(number: int, *, rates: dict[str, str]) -> None:
    """One run, printed."""
    sandbox_port, port = 8191, 8192
    with tempfile.TemporaryDirectory() as folder:
        base = f"http://127.0.0.1:{sandbox_port}"
        environment = {
            "GATEWAY_IVVY_BASE_URL": f"{base}/ivvy",
            "GATEWAY_IVVY_API_KEY": "sandbox-key",
            "GATEWAY_IVVY_API_SECRET": "sandbox-secret",
            "GATEWAY_EVERBRIDGE_BASE_URL": f"{base}/everbridge/rest",
            "GATEWAY_EVERBRIDGE_ORGANIZATION_ID": "1000000000000001",
            "GATEWAY_EVERBRIDGE_USERNAME": "sandbox",
            "GATEWAY_EVERBRIDGE_PASSWORD": "sandbox",
            "GATEWAY_EVERBRIDGE_EMAIL_PATH": "Work Email",
            "GATEWAY_EVERBRIDGE_RECORD_TYPE": "Employee",
            "GATEWAY_SENDGRID_BASE_URL": f"{base}/sendgrid",
            "GATEWAY_SENDGRID_API_KEY": "SG.sandbox.key",
            "GATEWAY_DATABASE_URL": f"sqlite:///{folder}/bulk.sqlite3",
            "GATEWAY_OPERATION_TIMEOUT_SECONDS": "600",
            "GATEWAY_REQUEST_TIMEOUT_SECONDS": "300",
        } | rates
        sandbox = start(["sandbox", "--port", str(sandbox_port)], {})
        gateway = start(["serve", "--port", str(port)], environment)
        try:
            async with (
                httpx.AsyncClient(base_url=base, timeout=60) as there,
                httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=600) as here,
            ):
                await ready(there, "/_sandbox/calls")
                await ready(here, "/readyz")
                idle = status_of(gateway, "VmRSS")
                took = await deliver(here, number)
                counts = (await there.get("/_sandbox/counts")).json()
                peak = status_of(gateway, "VmHWM")
                seconds = cpu_of(gateway)
        finally:
            for process in (gateway, sandbox):
                process.terminate()
                process.wait(30)
    print(
        f"{number} contacts: accepted after {took['accepted']:.1f} s, ended after "
        f"{took['ended']:.1f} s, failed {took['failed']:.0f}; gateway's CPU {seconds:.1f} s, "
        f"memory {idle} MiB idle, {peak} MiB at most"
    )
    for backend, kinds in counts.items():
        total = sum(kinds.values())
        print(f"  {backend}: {total} calls, {total / number:.4f} for each contact")
        for kind, count in kinds.items():
            print(f"    {count:7d}  {count / number:.4f}  {kind}")


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("numbers", nargs="*", type=int, default=[1000])
    for number in parser.parse_args().numbers:
        asyncio.run(run(number, rates={}))


if __name__ == "__main__":
    main()
