"""Callers over WebSockets and server-sent events: who is let in, and for how long."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from gateway.callers import keys
from gateway.commands.keys import create_key, revoke_key, wanted_key
from gateway.dev import create_dev_app, sandbox_settings
from tests.api.callers import events_of
from tests.api.small_schema import small_app
from tests.harness import SANDBOX, free_port, serving
from tests.operations.calls import CONTACT
from tests.operations.durable import HEDY
from tests.operations.test_operations_api import FOLLOW

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from websockets.asyncio.client import ClientConnection

    from gateway.settings import Settings

HELLO = "{ hello }"
ENDLESS = "subscription { endless }"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Of a gateway that asks for keys, whose store is shared with `gateway keys`."""
    url = f"sqlite:///{tmp_path / 'gateway.sqlite3'}"
    return sandbox_settings(SANDBOX, auth="keys", database_url=url)


@pytest.fixture
def address(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The small schema on a real socket, for callers with keys; each look at a key is a new one."""
    monkeypatch.setattr(keys, "FRESH_SECONDS", 0.0)
    app = small_app(auth="keys", database_url=settings.database_url, rate_limit_per_minute=3)
    with serving(app) as address:
        yield address


async def key_beside(settings: Settings, name: str, *scopes: str) -> str:
    """A key that `gateway keys create` makes while the gateway serves."""
    wanted = wanted_key(name, scopes or ("admin",), days=None, file=None, if_missing=False)
    made = await create_key(settings, wanted)
    assert made.key is not None
    return made.key


@asynccontextmanager
async def opened(address: str, **headers: str) -> AsyncIterator[ClientConnection]:
    url = address.replace("http", "ws") + "/graphql"
    protocols: list[Any] = ["graphql-transport-ws"]
    async with connect(url, subprotocols=protocols, additional_headers=headers) as socket:
        yield socket


async def say(socket: ClientConnection, **message: Any) -> dict[str, Any]:
    """What is answered to a message."""
    await socket.send(json.dumps(message))
    heard: dict[str, Any] = json.loads(await socket.recv())
    return heard


async def ask(socket: ClientConnection, number: int, query: str = HELLO) -> dict[str, Any]:
    """The answer to an operation."""
    heard = await say(socket, type="subscribe", id=str(number), payload={"query": query})
    if heard["type"] == "next":
        assert json.loads(await socket.recv())["type"] == "complete"
    return heard


async def test_the_greeting_brings_the_key_in_any_of_its_forms(
    address: str, settings: Settings
) -> None:
    for number, payload in enumerate(
        (
            {"X-Api-Key": "{}"},
            {"x-api-key": "{}"},
            {"Authorization": "Bearer {}"},
            {"headers": {"authorization": "Bearer {}"}},
        )
    ):
        key = await key_beside(settings, f"caller {number}")
        said = json.loads(json.dumps(payload).replace("{}", key))
        async with opened(address) as socket:
            assert (await say(socket, type="connection_init", payload=said))["type"] == (
                "connection_ack"
            )
            assert (await ask(socket, 1))["payload"] == {"data": {"hello": "Hello world"}}


async def test_the_handshake_brings_the_key(address: str, settings: Settings) -> None:
    key = await key_beside(settings, "crm")
    async with opened(address, Authorization=f"Bearer {key}") as socket:
        assert (await say(socket, type="connection_init"))["type"] == "connection_ack"
        assert (await ask(socket, 1))["type"] == "next"


@pytest.mark.parametrize("payload", [None, {}, {"X-Api-Key": "cgw_wrong"}, {"X-Api-Key": 7}])
async def test_who_greets_without_a_key_is_sent_away(
    address: str, payload: dict[str, Any] | None
) -> None:
    async with opened(address) as socket:
        greeting = {"type": "connection_init"} | ({} if payload is None else {"payload": payload})
        await socket.send(json.dumps(greeting))
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4403


async def test_nothing_runs_before_the_greeting(address: str, settings: Settings) -> None:
    key = await key_beside(settings, "crm")
    async with opened(address, **{"X-Api-Key": key}) as socket:
        await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": {"query": HELLO}}))
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401


async def test_a_connection_is_of_no_use_once_its_key_is_revoked(
    address: str, settings: Settings
) -> None:
    key = await key_beside(settings, "crm")
    async with opened(address, **{"X-Api-Key": key}) as socket:
        await say(socket, type="connection_init")
        assert (await ask(socket, 1))["type"] == "next"
        assert (await revoke_key(settings, "crm"))[0]
        refused = await ask(socket, 2)
    assert refused["type"] == "error"
    assert refused["payload"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_each_operation_of_a_connection_is_counted(address: str, settings: Settings) -> None:
    key = await key_beside(settings, "crm")
    async with opened(address, **{"X-Api-Key": key}) as socket:
        await say(socket, type="connection_init")
        heard = [await ask(socket, number) for number in range(4)]
    assert [one["type"] for one in heard] == ["next", "next", "next", "error"]
    assert heard[-1]["payload"][0]["extensions"]["code"] == "TOO_MANY_REQUESTS"


async def test_server_sent_events_bring_the_key_in_their_headers(
    address: str, settings: Settings
) -> None:
    key = await key_beside(settings, "crm")
    body = {"query": "subscription { count(to: 2) }"}
    async with httpx.AsyncClient(base_url=address) as client:
        head = {"Accept": "text/event-stream"}
        refused = await client.post("/graphql", json=body, headers=head)
        assert refused.status_code == 401
        told = await client.post("/graphql", json=body, headers={**head, "X-Api-Key": key})
    assert told.headers["RateLimit-Remaining"] == "2"
    assert [json.loads(data) for data in events_of(told.text)] == [
        {"data": {"count": 1}},
        {"data": {"count": 2}},
    ]


@asynccontextmanager
async def streamed(address: str, key: str) -> AsyncIterator[dict[str, Any]]:
    """A subscription that does not end, as server-sent events, with what it says first."""
    head = {"Accept": "text/event-stream", "X-Api-Key": key}
    async with (
        httpx.AsyncClient(base_url=address, headers=head) as client,
        client.stream("POST", "/graphql", json={"query": ENDLESS}) as stream,
    ):
        async for line in stream.aiter_lines():
            for data in events_of(line):
                yield json.loads(data)
                return


async def test_a_caller_has_so_many_subscriptions_open_over_all_its_connections(
    settings: Settings,
) -> None:
    app = small_app(auth="keys", database_url=settings.database_url, max_subscriptions_per_caller=2)
    one, same, other = [await key_beside(settings, name) for name in ("crm", "crm", "shop")]
    with serving(app) as address:
        async with streamed(address, one) as told, opened(address, **{"X-Api-Key": same}) as socket:
            assert told == {"data": {"endless": "begun"}}
            await say(socket, type="connection_init")
            payload = {"query": ENDLESS}
            begun = await say(socket, type="subscribe", id="1", payload=payload)
            assert begun["type"] == "next"
            refused = await ask(socket, 2, ENDLESS)
            assert refused["type"] == "error"
            [error] = refused["payload"]
            assert (
                "at most 2 are allowed (GATEWAY_MAX_SUBSCRIPTIONS_PER_CALLER)" in error["message"]
            )
            assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
            assert (await ask(socket, 3))["type"] == "next"  # what is no subscription runs
            async with streamed(address, one) as more, streamed(address, other) as others:
                assert more["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"
                assert others == {"data": {"endless": "begun"}}
            await socket.send(json.dumps({"type": "complete", "id": "1"}))
            again = await say(socket, type="subscribe", id="4", payload=payload)
            assert again["type"] == "next"


def test_an_operation_is_followed_until_the_key_is_revoked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "FRESH_SECONDS", 0.0)
    url = f"sqlite:///{tmp_path / 'gateway.sqlite3'}"
    monkeypatch.setenv("GATEWAY_DATABASE_URL", url)
    settings = sandbox_settings(SANDBOX, database_url=url)
    key = asyncio.run(key_beside(settings, "crm", "contacts:write"))
    port = free_port()
    with (
        serving(create_dev_app(port), port=port) as address,
        httpx.Client(base_url=address, headers={"X-Api-Key": key}) as client,
    ):
        fault = {"backend": "everbridge", "times": 10_000, "status": 503}
        client.post("/_sandbox/faults", json=fault).raise_for_status()
        variables: dict[str, Any] = {"input": HEDY, "targets": ["EVERBRIDGE"]}
        variables["delivery"] = "DURABLE"
        stored = client.post("/graphql", json={"query": CONTACT, "variables": variables}).json()
        asked = {"id": stored["data"]["upsertContact"]["operation"]["id"]}
        told: list[Any] = []
        body = {"query": FOLLOW, "variables": asked}
        head = {"Accept": "text/event-stream"}
        with client.stream("POST", "/graphql", json=body, headers=head) as stream:
            for line in stream.iter_lines():
                events = [json.loads(data) for data in events_of(line)]
                if events and not told:
                    assert asyncio.run(revoke_key(settings, "crm"))[0]
                told += events
    assert told[0]["data"]["operation"]["total"] == 1
    assert told[-1]["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize(("host", "status"), [("localhost", 101), ("evil.example.com", 403)])
def test_an_open_gateway_shakes_hands_under_its_own_names_alone(
    served: str, host: str, status: int
) -> None:
    shake = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    shake |= {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Host": host}
    shake |= {"Sec-WebSocket-Protocol": "graphql-transport-ws"}
    with (
        httpx.Client(base_url=served) as client,
        client.stream("GET", "/graphql", headers=shake) as response,
    ):
        assert response.status_code == status
