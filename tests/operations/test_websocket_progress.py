"""An operation's progress over a WebSocket, by graphql-transport-ws, on a real socket."""

from __future__ import annotations

import httpx
import orjson
from websockets.sync.client import connect

from tests.operations.calls import CONTACT
from tests.operations.test_ending import HEDY
from tests.operations.test_operations_api import FOLLOW


def test_progress_is_told_over_a_websocket(served: str) -> None:
    variables = {"input": HEDY, "targets": ["EVERBRIDGE"], "delivery": "DURABLE"}
    body = {"query": CONTACT, "variables": variables}
    payload = httpx.post(f"{served}/graphql", json=body).json()["data"]["upsertContact"]
    address = served.replace("http", "ws") + "/graphql"
    with connect(address, subprotocols=["graphql-transport-ws"]) as socket:  # type: ignore[list-item]
        socket.send(orjson.dumps({"type": "connection_init"}).decode())
        assert orjson.loads(socket.recv())["type"] == "connection_ack"
        asked = {"query": FOLLOW, "variables": {"id": payload["operation"]["id"]}}
        message = {"type": "subscribe", "id": "1", "payload": asked}
        socket.send(orjson.dumps(message).decode())
        told = [orjson.loads(socket.recv())]
        while told[-1]["type"] == "next":
            told.append(orjson.loads(socket.recv()))
    assert told[-1]["type"] == "complete"
    assert told[-2]["payload"]["data"]["operation"] == {
        "status": "SUCCEEDED",
        "completed": 1,
        "total": 1,
    }
