from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from gateway.sandbox.app import create_sandbox
from gateway.sandbox.clock import ManualClock
from gateway.sandbox.sendgrid import API_KEY

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from gateway.sandbox.backend import SimulatedBackend

KEY = {"Authorization": f"Bearer {API_KEY}"}


def client_of(app: ASGIApp) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://sandbox")


async def test_three_backends_answer_at_one_address() -> None:
    sandbox = create_sandbox(clock=ManualClock())
    client = client_of(sandbox.app)
    lists = await client.get("/sendgrid/v3/marketing/lists", headers=KEY)
    assert lists.status_code == 200
    assert (await client.get("/everbridge/rest/contacts/1000000000000001")).status_code == 401
    token = await client.post("/everbridge/authorization/v1/tokens", data={"grant_type": "none"})
    assert token.status_code >= 400
    signed = await client.post("/ivvy/api/1.0/contact?action=getContactList", json={})
    assert signed.status_code != 404
    shown = sandbox.calls.shown()
    assert [(call["backend"], call["path"]) for call in shown] == [
        ("sendgrid", "/v3/marketing/lists"),
        ("everbridge", "/contacts/1000000000000001"),
        ("everbridge", "/authorization/v1/tokens"),
        ("ivvy", "/api/1.0/contact"),
    ]


async def test_links_lead_back_through_the_mount() -> None:
    client = client_of(create_sandbox().app)
    first = (await client.get("/sendgrid/v3/marketing/lists", headers=KEY)).json()
    rest = await client.get(first["_metadata"]["next"], headers=KEY)
    assert len(first["result"]) + len(rest.json()["result"]) == 134


async def test_routes_join_an_application_of_their_own() -> None:
    async def home(_: Request) -> PlainTextResponse:
        return PlainTextResponse("home")

    sandbox = create_sandbox()
    client = client_of(Starlette(routes=[Route("/", home), *sandbox.routes]))
    assert (await client.get("/")).text == "home"
    assert (await client.get("/sendgrid/v3/marketing/lists", headers=KEY)).status_code == 200
    assert (await client.get("/_sandbox/calls?backend=sendgrid")).json()[0]["status"] == 200


async def test_fault_for_an_ivvy_action_meets_that_action_alone() -> None:
    sandbox = create_sandbox()
    path = "/api/1.0/contact?action=addOrUpdateContact"
    sandbox.faults.add({"backend": "ivvy", "path": path, "status": 503})
    client = client_of(sandbox.app)
    other = await client.post("/ivvy/api/1.0/contact?action=getContactList", json={})
    assert other.status_code != 503
    assert (await client.post(f"/ivvy{path}", json={})).status_code == 503


async def test_every_backend_can_be_reset_dumped_and_loaded() -> None:
    sandbox = create_sandbox(clock=ManualClock())
    backends: tuple[SimulatedBackend, ...] = (sandbox.ivvy, sandbox.everbridge, sandbox.sendgrid)
    before = [backend.dump() for backend in backends]
    sandbox.reset()
    for backend, state in zip(backends, before, strict=True):
        backend.load(state)
        assert backend.dump() == state
    assert [backend.name for backend in backends] == ["ivvy", "everbridge", "sendgrid"]


async def test_database_keeps_what_was_written(tmp_path: Path) -> None:
    database = tmp_path / "sandbox.db"
    clock = ManualClock()
    first = create_sandbox(clock=clock, database=database)
    body = {"contacts": [{"email": "kept@example.com"}]}
    path = "/sendgrid/v3/marketing/contacts"
    accepted = await client_of(first.app).put(path, json=body, headers=KEY)
    first.close()
    clock.advance(60)
    second = create_sandbox(clock=clock, database=database)
    job_id = accepted.json()["job_id"]
    job = await client_of(second.app).get(f"{path}/imports/{job_id}", headers=KEY)
    second.close()
    assert job.json()["results"] == {"requested_count": 1, "created_count": 1}
