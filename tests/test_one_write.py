"""An answer goes out in one piece, and nothing of it is lost or held back."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from gateway.serving.connections import MOST_HELD, OneWrite


class Recorded:
    """A transport that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[bytes | str] = []

    def write(self, data: bytes) -> None:
        self.told.append(bytes(data))

    def close(self) -> None:
        self.told.append("closed")

    def abort(self) -> None:
        self.told.append("aborted")

    def is_closing(self) -> bool:
        return "closed" in self.told

    def get_extra_info(self, name: str) -> str:
        return f"the {name}"


def one_write() -> tuple[Recorded, Any]:
    recorded = Recorded()
    return recorded, OneWrite(cast("asyncio.Transport", recorded), asyncio.get_running_loop())


async def test_what_is_written_at_once_goes_out_together() -> None:
    recorded, transport = one_write()
    transport.write(b"head ")
    transport.write(b"body")
    assert recorded.told == []
    await asyncio.sleep(0)
    assert recorded.told == [b"head body"]


async def test_what_is_written_later_goes_out_later() -> None:
    recorded, transport = one_write()
    for data in (b"first", b"second"):
        transport.write(data)
        await asyncio.sleep(0)
    assert recorded.told == [b"first", b"second"]


async def test_what_is_complete_goes_out_now() -> None:
    recorded, transport = one_write()
    transport.write(b"head ")
    transport.write(b"body")
    transport.send()
    assert recorded.told == [b"head body"]
    await asyncio.sleep(0)
    assert recorded.told == [b"head body"]


async def test_much_is_not_held() -> None:
    recorded, transport = one_write()
    transport.write(b"head")
    transport.write(b"x" * MOST_HELD)
    assert recorded.told == [b"head" + b"x" * MOST_HELD]
    await asyncio.sleep(0)
    transport.write(b"more")
    await asyncio.sleep(0)
    assert recorded.told[1:] == [b"more"]


async def test_what_was_written_goes_out_before_the_end() -> None:
    recorded, transport = one_write()
    transport.write(b"all")
    transport.close()
    await asyncio.sleep(0)
    assert recorded.told == [b"all", "closed"]
    assert transport.is_closing()


async def test_an_aborted_connection_gets_no_more() -> None:
    recorded, transport = one_write()
    transport.write(b"all")
    transport.abort()
    await asyncio.sleep(0)
    assert recorded.told == ["aborted"]


async def test_everything_else_is_the_transports() -> None:
    _, transport = one_write()
    assert transport.get_extra_info("socket") == "the socket"
