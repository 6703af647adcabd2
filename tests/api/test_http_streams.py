"""Subscriptions and other operations over WebSockets and server-sent events, on a real socket."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from structlog.testing import capture_logs
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gateway.api.errors import FAILED
from gateway.api.http import ORIGIN_SHOWN
from gateway.api.trusted import digest
from tests.api.small_schema import SECRET, small_app
from tests.harness import serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from websockets.asyncio.client import ClientConnection

PAGE = "https://app.example.com"
COUNT = "subscription ($to: Int!) { count(to: $to) }"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The small schema on a real socket, with limits that tests reach."""
    trusted = tmp_path_factory.mktemp("trusted") / "documents.json"
    trusted.write_text(json.dumps({"count": COUNT}))
    app = small_app(
        cors_origins=PAGE,
        max_subscriptions=2,
        max_body_bytes=2000,
        max_aliases=2,
        trusted_documents=trusted,
    )
    with serving(app) as address:
        yield address


@asynccontextmanager
async def opened_socket(
    address: str, protocol: str = "graphql-transport-ws", **headers: str
) -> AsyncIterator[ClientConnection]:
    url = address.replace("http", "ws") + "/graphql"
    async with connect(url, subprotocols=[protocol], additional_headers=headers) as socket:  # type: ignore[list-item]
        yield socket


@asynccontextmanager
async def greeted(address: str, **headers: str) -> AsyncIterator[ClientConnection]:
    async with opened_socket(address, **headers) as socket:
        await say(socket, type="connection_init")
        assert await hear(socket) == {"type": "connection_ack"}
        yield socket


async def say(socket: ClientConnection, **message: Any) -> None:
    await socket.send(json.dumps(message))


async def hear(socket: ClientConnection) -> dict[str, Any]:
    message = await socket.recv()
    assert isinstance(message, str), "graphql-transport-ws speaks in text frames"
    found: dict[str, Any] = json.loads(message)
    return found


async def start(socket: ClientConnection, id_: str, query: str | None, **more: Any) -> None:
    payload = more if query is None else {"query": query, **more}
    await say(socket, type="subscribe", id=id_, payload=payload)


async def close_of(socket: ClientConnection) -> tuple[int, str]:
    """Code and reason of the close that comes, whatever is said before."""
    with pytest.raises(ConnectionClosed) as caught:  # noqa: PT012 - the loop has one statement
        while True:
            await socket.recv()
    assert caught.value.rcvd is not None
    return caught.value.rcvd.code, caught.value.rcvd.reason


async def test_subscription_over_a_websocket_runs_to_its_end(address: str) -> None:
    async with greeted(address) as socket:
        await start(socket, "1", COUNT, variables={"to": 2})
        heard = [await hear(socket) for _ in range(3)]
    assert heard == [
        {"id": "1", "type": "next", "payload": {"data": {"count": 1}}},
        {"id": "1", "type": "next", "payload": {"data": {"count": 2}}},
        {"id": "1", "type": "complete"},
    ]


async def test_queries_and_mutations_run_over_a_websocket_too(address: str) -> None:
    async with greeted(address) as socket:
        await start(socket, "1", 'mutation { say(word: "x") }')
        assert (await hear(socket))["payload"] == {"data": {"say": "x"}}
        assert (await hear(socket))["type"] == "complete"


async def test_each_operation_of_a_connection_has_its_own_id_and_time(address: str) -> None:
    async with greeted(address, **{"X-Request-Id": "the-socket"}) as socket:
        assert socket.response is not None
        assert socket.response.headers["x-request-id"] == "the-socket"
        told = []
        for number in ("1", "2"):
            await start(socket, number, "{ requestId deadline }")
            told.append((await hear(socket))["payload"]["data"])
            assert (await hear(socket))["type"] == "complete"
    assert [data["requestId"] for data in told] == ["the-socket-1", "the-socket-2"]
    assert told[0]["deadline"] < told[1]["deadline"]


async def test_more_operations_than_the_limit_are_refused_until_one_ends(address: str) -> None:
    async with greeted(address) as socket:
        for number in ("1", "2"):
            await start(socket, number, "subscription { endless }")
            assert (await hear(socket))["type"] == "next"
        await start(socket, "3", COUNT, variables={"to": 1})
        refused = await hear(socket)
        assert refused["type"] == "error"
        assert refused["id"] == "3"
        [error] = refused["payload"]
        assert "at most 2 are allowed (GATEWAY_MAX_SUBSCRIPTIONS)" in error["message"]
        await say(socket, type="complete", id="1")
        await start(socket, "4", COUNT, variables={"to": 1})
        assert (await hear(socket))["payload"] == {"data": {"count": 1}}


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("subscription { missing }", "missing"),
        ("subscription {", "Syntax Error"),
        ("{ a: hello b: hello c: hello }", "at most 2 are allowed (GATEWAY_MAX_ALIASES)"),
        ("subscription ($to: Int!) { count(to: $to) }", "$to"),
    ],
)
async def test_request_error_is_told_and_the_connection_goes_on(
    address: str, query: str, words: str
) -> None:
    async with greeted(address) as socket:
        await start(socket, "1", query)
        heard = await hear(socket)
        if heard["type"] == "error":
            [error] = heard["payload"]
            assert words in error["message"]
            await start(socket, "2", "{ hello }")
            assert (await hear(socket))["payload"] == {"data": {"hello": "Hello world"}}
            return
    pytest.fail(f"no error came: {heard}")


async def test_fault_of_a_subscription_is_masked(address: str) -> None:
    async with greeted(address, **{"X-Request-Id": "r"}) as socket:
        await start(socket, "1", "subscription { breaks }")
        heard = [await hear(socket) for _ in range(2)]
    assert heard[0]["payload"] == {"data": {"breaks": 1}}
    [error] = heard[1]["payload"]["errors"]
    assert error["message"] == FAILED
    assert error["extensions"]["requestId"] == "r-1"
    assert SECRET not in json.dumps(heard)


async def test_trusted_document_is_subscribed_to_by_its_id(address: str) -> None:
    async with greeted(address) as socket:
        for number, id_ in (("1", "count"), ("2", "sha256:" + digest(COUNT))):
            await start(socket, number, None, documentId=id_, variables={"to": 1})
            assert (await hear(socket))["payload"] == {"data": {"count": 1}}
            assert (await hear(socket))["type"] == "complete"
        await start(socket, "3", None, documentId="other")
        refused = await hear(socket)
    assert refused["type"] == "error"
    assert refused["payload"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"


@pytest.mark.parametrize(
    "message",
    [
        "{",
        "[]",
        "7",
        "null",
        '"connection_init"',
        "{}",
        '{"type": ["subscribe"]}',
        '{"type": "other"}',
        '{"type": "subscribe"}',
        '{"type": "subscribe", "id": [], "payload": {"query": "{ hello }"}}',
        '{"type": "subscribe", "id": "1", "payload": 7}',
        '{"type": "subscribe", "id": "1", "payload": {"query": 7}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ hello }", "variables": []}}',
        '{"type": "complete", "id": {}}',
        '{"type": "connection_init", "payload": 7}',
    ],
)
async def test_message_of_another_shape_closes_the_connection(address: str, message: str) -> None:
    async with opened_socket(address) as socket:
        await socket.send(message)
        assert (await close_of(socket))[0] == 4400


async def test_message_over_the_limit_closes_the_connection(address: str) -> None:
    async with greeted(address) as socket:
        await start(socket, "1", "{ hello }" + " " * 2000)
        code, reason = await close_of(socket)
    assert code == 1009
    assert "2,000 bytes (GATEWAY_MAX_BODY_BYTES)" in reason


async def test_reason_of_closing_is_cut_to_what_a_close_frame_holds(address: str) -> None:
    async with greeted(address) as socket:
        for _ in range(2):
            await start(socket, "ü" * 100, "subscription { endless }")
        code, reason = await close_of(socket)
    assert code == 4409
    assert reason.startswith("Subscriber for üü")


async def test_operation_before_the_greeting_closes_the_connection(address: str) -> None:
    async with opened_socket(address) as socket:
        await start(socket, "1", "{ hello }")
        assert (await close_of(socket))[0] == 4401


async def test_legacy_protocol_is_not_spoken(address: str) -> None:
    async with opened_socket(address, protocol="graphql-ws") as socket:
        assert socket.subprotocol is None
        assert (await close_of(socket))[0] == 4406


async def test_page_of_another_origin_gets_no_websocket(address: str) -> None:
    with pytest.raises(InvalidStatus) as caught:
        async with opened_socket(address, Origin="https://evil.example.org"):
            pass
    assert caught.value.response.status_code == 403
    for origin in (PAGE, address):
        async with greeted(address, Origin=origin) as socket:
            await start(socket, "1", "{ hello }")
            assert (await hear(socket))["type"] == "next"


async def test_origin_that_is_refused_is_logged_by_its_beginning(address: str) -> None:
    origin = "https://evil.example.org/" + "x" * 5_000
    with capture_logs() as logs, pytest.raises(InvalidStatus):
        async with opened_socket(address, Origin=origin):
            pass
    [told] = [entry["origin"] for entry in logs if entry["event"] == "origin refused"]
    assert told == origin[:ORIGIN_SHOWN]


async def events(address: str, **request: Any) -> tuple[httpx.Response, list[tuple[str, Any]]]:
    """The answer as server-sent events: name and data of each."""
    async with httpx.AsyncClient(base_url=address) as client:
        headers = {"Accept": "text/event-stream"}
        if request.pop("method", "POST") == "GET":
            answer = await client.get("/graphql", params=request, headers=headers)
        else:
            answer = await client.post("/graphql", json=request, headers=headers)
    found = []
    for block in answer.text.replace("\r\n", "\n").split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "event" in lines:
            data = lines.get("data", "")
            found.append((lines["event"], json.loads(data) if data else None))
    return answer, found


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_subscription_comes_as_server_sent_events(address: str, method: str) -> None:
    query = "subscription { count(to: 2) }"
    answer, heard = await events(address, method=method, query=query)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "no-cache" in answer.headers["cache-control"]
    assert "content-encoding" not in answer.headers
    assert answer.headers["x-request-id"]
    assert heard == [
        ("next", {"data": {"count": 1}}),
        ("next", {"data": {"count": 2}}),
        ("complete", None),
    ]


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"query": "subscription { missing }"}, "missing"),
        ({"query": "{"}, "Syntax Error"),
        ({"query": "{ a: hello b: hello c: hello }"}, "GATEWAY_MAX_ALIASES"),
        ({"query": "{ hello }", "operationName": "Other"}, "Other"),
    ],
)
async def test_request_error_is_the_only_event_of_a_stream(
    address: str, request_: dict[str, str], words: str
) -> None:
    _, heard = await events(address, **request_)
    [(name, answer), (end, _)] = heard
    assert (name, end) == ("next", "complete")
    assert list(answer) == ["errors"]
    assert words in answer["errors"][0]["message"]


async def test_fault_of_a_streamed_subscription_is_masked(address: str) -> None:
    answer, heard = await events(address, query="subscription { breaks }")
    assert heard[0] == ("next", {"data": {"breaks": 1}})
    assert heard[1][1]["errors"][0]["message"] == FAILED
    assert SECRET not in answer.text
