"""A gateway wired to the sandbox in one process: what most tests stand on."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import uvicorn

from gateway.app import create_app
from gateway.dev import sandbox_settings
from gateway.model import Backend
from gateway.sandbox.faults import ConnectionDropped
from gateway.sandbox.sendgrid.jobs import settle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from starlette.applications import Starlette
    from starlette.types import ASGIApp

    from gateway.sandbox.app import Sandbox
    from gateway.sandbox.clock import ManualClock

SANDBOX = "http://sandbox"


class InProcess(httpx.AsyncBaseTransport):
    """Calls the sandbox without a socket; a dropped connection looks as it does over one."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._inner = httpx.ASGITransport(app=sandbox.app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await self._inner.handle_async_request(request)
        except ConnectionDropped:
            raise httpx.ReadError("the connection was dropped", request=request) from None


@dataclass
class Answer:
    """A GraphQL answer of one mutation, with what tests ask of it."""

    data: dict[str, Any]

    @property
    def status(self) -> str:
        return str(self.data["status"])

    @property
    def errors(self) -> list[dict[str, Any]]:
        return list(self.data["errors"])

    def result(self, backend: str) -> dict[str, Any]:
        return next(item for item in self.data["results"] if item["backend"] == backend)

    def outcomes(self) -> dict[str, str]:
        return {item["backend"]: item["outcome"] for item in self.data["results"]}


UPSERT_CONTACT = """
mutation ($input: ContactInput!, $targets: [Backend!], $mode: WriteMode! = PATCH,
          $ifMissing: MissingPolicy! = CREATE, $dryRun: Boolean! = false) {
  upsertContact(input: $input, targets: $targets, mode: $mode, ifMissing: $ifMissing,
                dryRun: $dryRun) {
    requestId status
    errors { ...problem }
    results {
      backend outcome id matchedBy changedFields ignoredFields
      jobs { backend id status }
      errors { ...problem }
      warnings { ...problem }
      calls { method path body statusCode attempts }
    }
  }
}
fragment problem on Problem {
  backend code message field suggestions backendCode backendMessage retryable retryAfterSeconds
}
"""


@dataclass
class Gateway:
    """A running gateway with its sandbox."""

    app: Starlette
    sandbox: Sandbox
    clock: ManualClock
    http: httpx.AsyncClient
    headers: dict[str, str] = field(default_factory=dict)

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The whole GraphQL answer."""
        response = await self.http.post(
            "/graphql", json={"query": query, "variables": variables}, headers=self.headers
        )
        answer: dict[str, Any] = response.json()
        return answer

    async def data(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of an answer without errors."""
        answer = await self.ask(query, **variables)
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    async def upsert(self, contact: dict[str, Any], **arguments: Any) -> Answer:
        """Send upsertContact."""
        data = await self.data(UPSERT_CONTACT, input=contact, **arguments)
        return Answer(data["upsertContact"])

    def calls(self, backend: str, *, writes: bool = False) -> list[dict[str, Any]]:
        """What a backend received, oldest first."""
        found = [call for call in self.recorded() if call["backend"] == backend]
        return [call for call in found if is_write(call)] if writes else found

    def recorded(self) -> list[dict[str, Any]]:
        """What all backends received, oldest first."""
        return [dict(call) for call in self.sandbox.calls.shown()]

    def ivvy(self, **fields: Any) -> list[dict[str, Any]]:
        """The contacts that iVvy holds with these values."""
        return holding(self.sandbox.ivvy.dump()["tables"]["contacts"], fields)

    def everbridge(self, **fields: Any) -> list[dict[str, Any]]:
        """The contacts that Everbridge holds with these values."""
        return holding(self.sandbox.everbridge.dump()["contacts"], fields)

    def sendgrid(self, email: str) -> list[dict[str, Any]]:
        """The contacts that SendGrid holds with this address, its jobs so far applied."""
        simulated = self.sandbox.sendgrid
        settle(simulated.store, self.clock.now(), simulated.switches)
        contacts = simulated.dump()["contacts"]
        return [row for row in contacts if row["identifiers"].get("email") == email]

    def group_names(self) -> dict[str, dict[str, str]]:
        """Each backend's groups: name by id, ids as text."""
        return {
            "IVVY": {
                str(row["id"]): row["groupName"]
                for row in self.sandbox.ivvy.dump()["tables"]["groups"]
            },
            "EVERBRIDGE": {
                str(row["id"]): row["name"] for row in self.sandbox.everbridge.dump()["groups"]
            },
            "SENDGRID": {row["id"]: row["name"] for row in self.sandbox.sendgrid.dump()["lists"]},
        }


def holding(rows: list[dict[str, Any]], fields: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows that have these values."""
    return [row for row in rows if all(row.get(key) == value for key, value in fields.items())]


def is_write(call: dict[str, Any]) -> bool:
    """Whether a recorded call changes something."""
    if call["backend"] == "ivvy":
        action = call["query"].get("action", "")
        return str(action).startswith(("addOrUpdate", "addContacts", "removeContacts"))
    return call["method"] in {"PUT", "POST", "DELETE", "PATCH"} and "search" not in call["path"]


@contextmanager
def serving(app: ASGIApp, *, port: int = 0) -> Iterator[str]:
    """An app on a real socket, in a thread of its own; gives its address."""
    # An answer that is still to come a second after the end is nobody's any more.
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, log_level="warning", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.01)  # no event tells when a socket listens
        [listening] = server.servers[0].sockets
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def running(sandbox: Sandbox, clock: ManualClock, **settings: Any) -> AsyncIterator[Gateway]:
    """A gateway on a sandbox, for as long as the context lasts."""
    app = create_app(
        sandbox_settings(SANDBOX, **settings),
        dict.fromkeys(Backend, InProcess(sandbox)),
    )
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url="http://localhost"
        ) as http,
    ):
        yield Gateway(app=app, sandbox=sandbox, clock=clock, http=http)
