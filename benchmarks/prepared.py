"""What prepared operations save: CPU of one upsertContact with them and without.

    python -m benchmarks.prepared [--rounds 5] [--requests 300]

The whole gateway runs in this process, called as an ASGI app; the backends' answers are recorded ones,
which cost nothing: neither does a server, nor the HTTP to the backends. A round measures both ways in
turn. `whole` is the request as it is: every name known, all three targets find their record and write
it. In `surface` the write itself is left out, so that HTTP, GraphQL and JSON remain. No two requests
have the same values. Milliseconds of CPU, medians of the rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import time
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from statistics import median
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import structlog

from gateway.app import create_app
from gateway.dev import sandbox_settings
from gateway.model import Backend
from gateway.sandbox.app import create_sandbox
from gateway.sending.transport import HttpxWire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.applications import Starlette

Written = Callable[[dict[str, Any], list[str]], bytes]

PLENTY = 1_000_000
SELECTION = """{
  requestId status
  errors { code message field backend }
  results {
    backend outcome id matchedBy changedFields ignoredFields
    errors { code message field } warnings { code message }
  }
}"""
BY_VARIABLES = f"""mutation ($input: ContactInput!, $targets: [Backend!]) {{
  upsertContact(input: $input, targets: $targets) {SELECTION}
}}"""
ALL, ONE = ["IVVY", "EVERBRIDGE", "SENDGRID"], ["SENDGRID"]
NUMBERS = count()
"""No two requests are the same."""
CONTACT: dict[str, Any] = {
    "externalId": "E-bench-1",
    "email": "bench@example.com",
    "firstName": "Ada",
    "lastName": "Lovelace",
    "phone": "+447700900123",
    "addresses": [
        {"line1": "1 Road", "city": "London", "postalCode": "N1 1AA", "countryCode": "GB"}
    ],
    "addGroupsName": ["Newsletter"],
}


def by_variables(contact: dict[str, Any], targets: list[str]) -> bytes:
    """A request whose values stand in its variables."""
    variables = {"input": contact, "targets": targets}
    return orjson.dumps({"query": BY_VARIABLES, "variables": variables})


def by_literals(contact: dict[str, Any], targets: list[str]) -> bytes:
    """The same request with its values in the text."""
    arguments = f"input: {written_out(contact)}, targets: [{', '.join(targets)}]"
    return orjson.dumps({"query": f"mutation {{ upsertContact({arguments}) {SELECTION} }}"})


def others(number: int) -> dict[str, Any]:
    """A contact that no other request has."""
    return CONTACT | {"lastName": f"Lovelace {number}"}


def written_out(value: Any) -> str:
    """A value as GraphQL writes it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {written_out(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written_out, value)) + "]"
    return orjson.dumps(value).decode()


@dataclass
class Recorded:
    """Answers each address as the sandbox has answered it first, once recording has begun."""

    real: Any
    recording: bool = False
    known: dict[tuple[str, str], Any] = field(default_factory=dict)

    async def send(self, wire: Any, method: str, base_url: str, target: str, *more: Any) -> Any:
        """One answer."""
        key = (method, base_url + target)
        if key not in self.known or not self.recording:
            self.known[key] = await self.real(wire, method, base_url, target, *more)
        return self.known[key]


@asynccontextmanager
async def gateway() -> AsyncIterator[tuple[Starlette, Recorded]]:
    """A gateway on recorded backends."""
    sandbox = create_sandbox()
    sandbox.everbridge.switches |= {"reads_per_second": PLENTY, "writes_per_second": PLENTY}
    sandbox.sendgrid.switches["rate_limit"] = PLENTY
    backends = Recorded(HttpxWire.send)

    async def send(wire: Any, *of_request: Any) -> Any:
        return await backends.send(wire, *of_request)

    wires: Any = HttpxWire
    wires.send = send
    settings = sandbox_settings(
        "http://sandbox",
        everbridge_reads_per_second=PLENTY,
        everbridge_writes_per_second=PLENTY,
        sendgrid_calls_per_minute=PLENTY,
    )
    app = create_app(settings, dict.fromkeys(Backend, httpx.ASGITransport(app=sandbox.app)))
    async with app.router.lifespan_context(app):
        yield app, backends


async def post(app: Starlette, content: bytes) -> bytes:
    """The answer's body."""
    length = str(len(content)).encode()
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/graphql",
        "query_string": b"",
        "headers": [
            (b"host", b"localhost"),
            (b"content-type", b"application/json"),
            (b"content-length", length),
        ],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 80),
    }
    body: list[bytes] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": content}

    async def send(message: Any) -> None:
        body.append(message.get("body", b""))

    await app(scope, receive, send)
    return b"".join(body)


async def milliseconds(
    app: Starlette, requests: int, written: Written, targets: list[str], *, prepared: bool
) -> float:
    """CPU of one request."""
    app.state.account.settings.prepared_operations = prepared
    contents = [written(others(next(NUMBERS)), targets) for _ in range(requests + 10)]
    for content in contents[:10]:
        await post(app, content)
    gc.collect()
    started = time.process_time()
    for content in contents[10:]:
        await post(app, content)
    return (time.process_time() - started) / requests * 1000


async def measure(app: Starlette, backends: Recorded, rounds: int, requests: int) -> None:
    """Print a table: a row for each way of writing a request, with and without its write."""
    first = orjson.loads(await post(app, by_variables(CONTACT | {"phone": "+447700900999"}, ALL)))
    if first["data"]["upsertContact"]["status"] != "PENDING":
        raise SystemExit(f"The contact was not written: {first}")
    backends.recording = True
    backends.known.clear()
    calls: Any = type(app.state.account.contact_calls)
    real = calls.upsert
    kept: list[Any] = []

    async def keep(self: Any, asked: Any, request: Any) -> Any:
        kept.append(await real(self, asked, request))
        return kept[-1]

    async def give(_self: Any, _asked: Any, _request: Any) -> Any:
        return kept[-1]

    calls.upsert = keep
    await post(app, by_variables(others(0), ALL))
    gc.freeze()
    print(f"{'':32}{'graphql-core':>14}{'prepared':>12}{'saved':>8}")
    for what, upsert, targets in (
        ("whole, one target", real, ONE),
        ("whole, all", real, ALL),
        ("surface", give, ALL),
    ):
        calls.upsert = upsert
        for written in (by_variables, by_literals):
            figures: dict[bool, list[float]] = {False: [], True: []}
            for _ in range(rounds):
                for prepared, into in figures.items():
                    into.append(
                        await milliseconds(app, requests, written, targets, prepared=prepared)
                    )
            core, own = median(figures[False]), median(figures[True])
            name = f"{what}, {written.__name__.replace('_', ' ')}"
            print(f"{name:32}{core:>11.3f} ms{own:>9.3f} ms{(core - own) / core:>8.0%}")


async def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=300)
    wanted = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    async with gateway() as (app, backends):
        await measure(app, backends, wanted.rounds, wanted.requests)


if __name__ == "__main__":
    asyncio.run(main())
