"""What is known of a request when its connection cannot be made, breaks, or takes too long."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from gateway.wire.errors import (
    CannotConnectError,
    ConnectTimeoutError,
    ServerDisconnectedError,
    WireError,
)
from tests.wire.served import (
    OK,
    Door,
    Peer,
    ask,
    closed_port,
    served,
    until,
)

if TYPE_CHECKING:
    from gateway.wire.network import NetworkWire


async def test_a_closed_port_is_surely_not_sent(wire: NetworkWire) -> None:
    for _ in range(3):
        with pytest.raises(CannotConnectError):
            await ask(wire, f"http://127.0.0.1:{closed_port()}")


@pytest.mark.parametrize("host", ["unknown.invalid", "a..b", "x" * 64 + ".invalid"])
async def test_a_name_that_nobody_knows_is_surely_not_sent(wire: NetworkWire, host: str) -> None:
    with pytest.raises(CannotConnectError):
        await ask(wire, f"http://{host}")


async def test_connecting_has_a_share_of_the_time_and_is_surely_not_sent(
    wire: NetworkWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", never)
    started = time.monotonic()
    with pytest.raises(ConnectTimeoutError):
        await ask(wire, "http://127.0.0.1:9", seconds=0.2)
    assert time.monotonic() - started < 0.2


async def test_an_answer_that_does_not_come_in_time_may_have_been_sent(wire: NetworkWire) -> None:
    door = Door()
    async with served(door) as here:
        patient = asyncio.create_task(ask(wire, here))
        await door.has_been_asked(1)
        with pytest.raises(TimeoutError) as raised:
            await ask(wire, here, seconds=0.05)
        assert not isinstance(raised.value, WireError)
        await until(0, here)
        with pytest.raises(TimeoutError):
            await ask(wire, here, seconds=0.05)
        door.opened.set()
        assert (await patient).status == 200


async def test_an_answer_that_trickles_in_ends_in_time(wire: NetworkWire) -> None:
    async def story(peer: Peer) -> None:
        await peer.asked()
        await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            await peer.say(b" ")

    async with served(story) as here:
        with pytest.raises(TimeoutError):
            await ask(wire, here, seconds=0.1)
        await until(1, here)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
async def test_a_connection_that_breaks_under_a_request_is_not_tried_again(
    wire: NetworkWire, method: str
) -> None:
    async def story(peer: Peer) -> None:
        await peer.asked()
        await peer.say(OK)
        here.requests.append(await peer.asked())

    async with served(story) as here:
        await ask(wire, here)
        with pytest.raises(ServerDisconnectedError):
            await ask(wire, here, method)
        assert (len(here.requests), len(here.peers)) == (1, 1)


async def test_an_answer_that_does_not_wait_for_the_body_counts(wire: NetworkWire) -> None:
    async def story(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.say(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        await asyncio.sleep(5)

    async with served(story) as here:
        answer = await ask(wire, here, "POST", content=bytes(30_000_000))
        assert answer.status == 413
        [kept] = wire._pools.values()
        assert not kept._free, "the rest of the body would be taken for a request"
