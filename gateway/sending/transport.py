"""What a sender sends by: the network, or whatever httpx transport a test puts in its place.

The network is `wire/`. httpx's client took three times the CPU of the connections alone, for models of
requests and answers of which the sender uses four values (docs/performance.md); so it stays what tests
inject, and its errors stand beside those of the wire in `verdicts.py`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

import httpx

from gateway.calls import Answer
from gateway.wire.errors import UnfitAddressError
from gateway.wire.pool import CONNECT_SHARE

if TYPE_CHECKING:
    from collections.abc import Mapping


class Wire(Protocol):
    """Sends single requests."""

    async def send(
        self,
        method: str,
        base_url: str,
        target: str,
        headers: Mapping[str, str],
        content: bytes,
        seconds: float,
    ) -> Answer:
        """The answer to one request, sent once; empty `content` sends no body.

        Raises errors of `wire/errors.py` or of httpx, and TimeoutError when the answer has not come
        after so many `seconds`, of which connecting takes CONNECT_SHARE at most.
        """
        ...

    async def aclose(self) -> None:
        """Let the connections go."""
        ...


class HttpxWire:
    """An httpx client, with whatever transport it has."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def send(
        self,
        method: str,
        base_url: str,
        target: str,
        headers: Mapping[str, str],
        content: bytes,
        seconds: float,
    ) -> Answer:
        """The answer to one request."""
        connecting = seconds * CONNECT_SHARE
        try:
            async with asyncio.timeout(seconds):
                answer = await self._client.request(
                    method,
                    base_url + target,
                    content=content or None,
                    headers=dict(headers),
                    timeout=httpx.Timeout(seconds, connect=connecting, pool=connecting),
                )
        except httpx.InvalidURL as error:
            raise UnfitAddressError from error
        told = {name.lower(): value for name, value in answer.headers.items()}
        return Answer(answer.status_code, told, answer.content, answer.text)

    async def aclose(self) -> None:
        """Close the client."""
        await self._client.aclose()


Client = httpx.AsyncClient | Wire
"""What a sender can be given to send by."""


def wire_of(client: Client) -> Wire:
    """What a sender sends by."""
    return HttpxWire(client) if isinstance(client, httpx.AsyncClient) else client
