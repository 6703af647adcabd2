"""Which connections are kept, how many there are, and what is known when one breaks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from gateway.wire import pool
from gateway.wire.errors import (
    ConnectTimeoutError,
    ServerDisconnectedError,
)
from tests.wire.served import (
    OK,
    Door,
    answering,
    ask,
    once,
    served,
    until,
)

if TYPE_CHECKING:
    from gateway.wire.connection import Connection
    from gateway.wire.network import NetworkWire

CLOSE = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"


async def test_a_connection_is_used_again(wire: NetworkWire) -> None:
    async with served(answering(OK)) as here:
        for _ in range(5):
            await ask(wire, here)
        assert len(here.peers) == 1


async def test_requests_side_by_side_have_connections_of_their_own(wire: NetworkWire) -> None:
    door = Door()
    async with served(door) as here:
        asking = [asyncio.create_task(ask(wire, here)) for _ in range(3)]
        await door.has_been_asked(3)
        door.opened.set()
        assert [answer.status for answer in await asyncio.gather(*asking)] == [200] * 3
        assert len(here.peers) == 3
        await asyncio.gather(*(ask(wire, here) for _ in range(3)))
        assert len(here.peers) == 3


async def test_a_connection_that_the_server_wants_to_close_is_not_used_again(
    wire: NetworkWire,
) -> None:
    async with served(answering(CLOSE)) as here:
        for _ in range(2):
            assert (await ask(wire, here)).content == b"{}"
        assert len(here.peers) == 2
        await until(2, here)


@pytest.mark.parametrize("reset", [False, True])
async def test_a_connection_that_was_closed_while_it_was_free_is_not_used_again(
    wire: NetworkWire, *, reset: bool
) -> None:
    async with served(answering(OK)) as here:
        await ask(wire, here)
        here.peers[0].cut() if reset else here.peers[0].hang_up()
        await asyncio.sleep(0.02)
        assert (await ask(wire, here, "POST", content=b"{}")).status == 200
        assert len(here.peers) == 2


async def test_what_comes_unasked_is_nobodys_answer(wire: NetworkWire) -> None:
    async with served(answering(OK)) as here:
        await ask(wire, here)
        await here.peers[0].say(OK.replace(b"{}", b"[]"))
        assert (await ask(wire, here)).content == b"{}"
        assert len(here.peers) == 2


async def test_what_comes_behind_an_answer_is_nobodys_answer(wire: NetworkWire) -> None:
    async with served(answering(OK + OK.replace(b"{}", b"[]"))) as here:
        for _ in range(3):
            assert (await ask(wire, here)).content == b"{}"
        assert len(here.peers) == 3
    async with served(answering(OK + b"rubbish")) as here:
        for _ in range(2):
            assert (await ask(wire, here)).content == b"{}"
        assert len(here.peers) == 2


async def test_a_free_connection_is_closed_after_a_while(
    wire: NetworkWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "IDLE_SECONDS", 0.05)
    async with served(answering(OK)) as here:
        await asyncio.gather(*(ask(wire, here) for _ in range(3)))
        await until(3, here)
        await ask(wire, here)
        assert len(here.peers) == 4


async def test_a_connection_in_use_is_not_closed_for_its_age(
    wire: NetworkWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "IDLE_SECONDS", 0.05)
    async with served(answering(OK)) as here:
        for _ in range(6):
            await ask(wire, here)
            await asyncio.sleep(0.02)
        assert len(here.peers) == 1


async def test_connections_are_limited_and_the_next_request_waits_for_one(
    wire: NetworkWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "CONNECTIONS", 2)
    door = Door()
    async with served(door) as here:
        asking = [asyncio.create_task(ask(wire, here)) for _ in range(7)]
        await door.has_been_asked(2)
        await asyncio.sleep(0.02)
        assert door.asked == 2
        door.opened.set()
        assert [answer.status for answer in await asyncio.gather(*asking)] == [200] * 7
        assert len(here.peers) == 2


async def test_who_waits_gets_the_place_of_a_connection_that_ended(
    wire: NetworkWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "CONNECTIONS", 1)
    async with served(once(CLOSE)) as here:
        answers = await asyncio.gather(*(ask(wire, here) for _ in range(5)))
        assert [answer.status for answer in answers] == [200] * 5
        assert len(here.peers) == 5


async def test_who_waits_too_long_for_a_connection_has_surely_not_sent(
    wire: NetworkWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "CONNECTIONS", 1)
    door = Door()
    async with served(door) as here:
        first = asyncio.create_task(ask(wire, here))
        await door.has_been_asked(1)
        with pytest.raises(ConnectTimeoutError):
            await ask(wire, here, seconds=0.05)
        door.opened.set()
        await first
        assert door.asked == 1
        await ask(wire, here)
        assert len(here.peers) == 1


async def test_who_leaves_the_queue_takes_no_turn_with_them(
    wire: NetworkWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "CONNECTIONS", 1)
    door = Door()
    async with served(door) as here:
        first, second, third = (asyncio.create_task(ask(wire, here)) for _ in range(3))
        await door.has_been_asked(1)
        waiting = wire._pools[here.address]._waiting
        turn = waiting[0]
        turn.add_done_callback(lambda _: second.cancel())  # called, and cancelled just then
        door.opened.set()
        assert (await first).status == 200
        assert (await third).status == 200
        with pytest.raises(asyncio.CancelledError):
            await second
        assert not waiting


async def test_who_leaves_the_queue_as_a_connection_gets_free_is_passed_over(
    wire: NetworkWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "CONNECTIONS", 1)
    door = Door()
    async with served(door) as here:
        first, second, third = (asyncio.create_task(ask(wire, here)) for _ in range(3))
        await door.has_been_asked(1)
        kept = wire._pools[here.address]
        give_back = kept._give_back

        def leave(connection: Connection) -> None:
            second.cancel()
            give_back(connection)

        monkeypatch.setattr(kept, "_give_back", leave)
        door.opened.set()
        assert (await first).status == 200
        assert (await third).status == 200
        with pytest.raises(asyncio.CancelledError):
            await second


async def test_who_is_cancelled_ends_the_connection(wire: NetworkWire) -> None:
    door = Door()
    async with served(door) as here:
        asking = asyncio.create_task(ask(wire, here))
        await door.has_been_asked(1)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        door.opened.set()
        await until(1, here)
        assert (await ask(wire, here)).status == 200
        assert len(here.peers) == 2


async def test_who_is_cancelled_while_connecting_leaves_no_connection_behind(
    wire: NetworkWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "CONNECTIONS", 1)
    async with served(answering(OK)) as here:
        for steps in range(12):
            asking = asyncio.create_task(ask(wire, here))
            for _ in range(steps):
                await asyncio.sleep(0)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
        async with asyncio.timeout(5):
            assert (await ask(wire, here)).status == 200
        [kept] = wire._pools.values()
        assert kept._places == 0


async def test_closing_ends_what_is_free_and_what_is_under_way(wire: NetworkWire) -> None:
    door = Door()
    async with served(door) as here:
        door.opened.set()
        await asyncio.gather(ask(wire, here), ask(wire, here))
        door.opened.clear()
        asking = asyncio.create_task(ask(wire, here))
        await door.has_been_asked(3)
        await wire.aclose()
        with pytest.raises(ServerDisconnectedError):
            await asking
        door.opened.set()
        await until(2, here)


async def test_each_backend_has_connections_of_its_own(
    wire: NetworkWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "CONNECTIONS", 1)
    door = Door()
    async with served(door) as slow, served(answering(OK)) as quick:
        asking = asyncio.create_task(ask(wire, slow))
        await door.has_been_asked(1)
        assert (await ask(wire, quick)).status == 200
        door.opened.set()
        await asking


async def test_an_address_of_ipv6_is_reached(wire: NetworkWire) -> None:
    try:
        async with served(answering(OK), host="::1") as here:
            assert (await ask(wire, here)).status == 200
    except OSError:
        pytest.skip("this machine has no IPv6")


async def test_the_other_address_of_a_name_is_tried(
    wire: NetworkWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first address of the name refuses, or does not answer at all."""
    loop = asyncio.get_running_loop()
    real = loop.getaddrinfo

    async def two(host: str, port: int, **given: int) -> object:
        found = await real("127.0.0.1", port, **given)
        first = [(*one[:4], (address, port)) for one in found for address in ("127.0.0.2",)]
        return first + found if host == "backend.example" else found

    monkeypatch.setattr(loop, "getaddrinfo", two)
    async with served(answering(OK)) as here:
        port = here.address.rpartition(":")[2]
        assert (await ask(wire, f"http://backend.example:{port}")).status == 200
