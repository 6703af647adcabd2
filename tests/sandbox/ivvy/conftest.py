"""The simulated iVvy, mounted under /ivvy as the sandbox mounts it, with a client that signs."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from gateway.sandbox.clock import ManualClock
from gateway.sandbox.ivvy import Ivvy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Send = Callable[..., Awaitable[httpx.Response]]
    Ask = Callable[..., Awaitable[Any]]


class FrozenClock(ManualClock):
    """Moves only by `advance`, so that no test depends on how fast the machine is."""

    def __init__(self) -> None:
        super().__init__()
        self._now = datetime(2026, 1, 15, 8, 30, tzinfo=UTC)

    def now(self) -> datetime:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> ManualClock:
    return FrozenClock()


@pytest.fixture
def ivvy(clock: ManualClock) -> Ivvy:
    return Ivvy(clock)


@pytest.fixture
async def http(ivvy: Ivvy) -> AsyncIterator[httpx.AsyncClient]:
    """Sends what it is given, unsigned."""
    transport = httpx.ASGITransport(app=Starlette(routes=[Mount("/ivvy", app=ivvy.app)]))
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
        yield client


@pytest.fixture
def sign(clock: ManualClock) -> Callable[..., dict[str, str]]:
    """Gives the headers of a signed request; written apart from the sandbox's own signature."""

    def headers(target: str, body: bytes, **replaced: str) -> dict[str, str]:
        sent = {
            "Content-Type": "application/json",
            "Content-MD5": hashlib.md5(body).hexdigest(),
            "IVVY-Date": clock.now().strftime("%Y-%m-%d %H:%M:%S"),
            **{name.replace("_", "-"): text for name, text in replaced.items()},
        }
        signed = f"POST{sent['Content-MD5']}{sent['Content-Type']}{target}1.0IVVYDate={sent['IVVY-Date']}"
        mac = hmac.new(b"sandbox-secret", signed.lower().encode(), "sha1").hexdigest()
        return {**sent, "X-Api-Authorization": f"IWS sandbox-key:{mac}"}

    return headers


@pytest.fixture
def send(http: httpx.AsyncClient, sign: Callable[..., dict[str, str]]) -> Send:
    """Makes one signed call, `send("contact/getContact", id=6)`, and gives the response."""

    async def signed(call: str, /, **params: Any) -> httpx.Response:
        namespace, _, action = call.partition("/")
        target = f"/api/1.0/{namespace}?action={action}"
        body = json.dumps(params).encode()
        return await http.post(f"/ivvy{target}", content=body, headers=sign(target, body))

    return signed


@pytest.fixture
def ask(send: Send) -> Ask:
    """Makes one signed call that is to be answered with HTTP 200, and gives the JSON."""

    async def answered(call: str, /, **params: Any) -> Any:
        response = await send(call, **params)
        assert response.status_code == 200, response.text
        return response.json()

    return answered


@pytest.fixture
def fail(send: Send) -> Ask:
    """Makes one signed call that is to end with an error object, and gives the object."""

    async def refused(call: str, /, **params: Any) -> Any:
        response = await send(call, **params)
        answer = response.json()
        assert response.status_code == answer["errorCode"], response.text
        return answer

    return refused


@pytest.fixture
def lead(ask: Ask) -> Ask:
    """Reads one lead by its id."""

    async def read(key: int) -> Any:
        (row,) = (await ask("crm/getLeadList", filter={"id": key}))["results"]
        return row

    return read


@pytest.fixture
def problems(fail: Ask) -> Ask:
    """Writes a lead that is to be refused as invalid, and gives the sentences that say why."""

    async def refused(**sent: Any) -> Any:
        answer = await fail("contact/addOrUpdateLead", **sent)
        assert (answer["errorCode"], answer["specificCode"]) == (400, 24218)
        return answer["additionalMessages"]

    return refused
