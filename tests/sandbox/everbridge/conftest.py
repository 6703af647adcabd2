"""The simulated Everbridge mounted as the sandbox mounts it, with a client that may call it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from gateway.sandbox.clock import ManualClock
from gateway.sandbox.everbridge import Everbridge

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def everbridge(clock: ManualClock) -> Everbridge:
    return Everbridge(clock)


@pytest.fixture
def transport(everbridge: Everbridge) -> httpx.ASGITransport:
    mounts = [
        Mount("/everbridge/rest", everbridge.app),
        Mount("/everbridge/authorization/v1", everbridge.token_app),
    ]
    return httpx.ASGITransport(app=Starlette(routes=mounts))


@pytest.fixture
async def anonymous(transport: httpx.ASGITransport) -> AsyncIterator[httpx.AsyncClient]:
    base = "http://sandbox/everbridge/"
    async with httpx.AsyncClient(transport=transport, base_url=base) as client:
        yield client


@pytest.fixture
async def rest(transport: httpx.ASGITransport) -> AsyncIterator[httpx.AsyncClient]:
    base = "http://sandbox/everbridge/rest/"
    auth = ("sandbox", "sandbox")
    async with httpx.AsyncClient(transport=transport, base_url=base, auth=auth) as client:
        yield client


@pytest.fixture
def body() -> Callable[..., dict[str, Any]]:
    """Makes the smallest contact body, with what a test adds; None leaves a field out."""

    def make(**fields: Any) -> dict[str, Any]:
        smallest = {
            "externalId": "E-77",
            "firstName": "Ada",
            "lastName": "Byron",
            "recordTypeName": "Employee",
        }
        return {name: value for name, value in {**smallest, **fields}.items() if value is not None}

    return make


@pytest.fixture
def read(rest: httpx.AsyncClient) -> Callable[[str], Awaitable[dict[str, Any]]]:
    """Reads one contact by external id."""

    async def contact(external_id: str) -> dict[str, Any]:
        answer = await rest.get(
            f"contacts/1000000000000001/{external_id}", params={"idType": "externalId"}
        )
        assert answer.status_code == 200, answer.text
        result: dict[str, Any] = answer.json()["result"]
        return result

    return contact
