"""The connections to the backends: aiohttp's, and whatever httpx transport a test puts in their place.

httpx's client on aiohttp's connections took three times the CPU of the connections alone, for models of
requests and answers of which the sender uses four values (docs/performance.md). So the sender speaks
to a `Wire`, and httpx stays what tests inject.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Protocol

import httpx
from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from httpx_aiohttp import AiohttpTransport
from yarl import URL

from gateway.calls import Answer

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

CONNECT_SHARE = 0.9
"""The share of a try's time that connecting may take: less than all of it, so that a connection
that does not come about ends before the whole try does, and is known as not sent."""
CONNECTIONS = 100
"""To one backend at a time; what comes on top waits for one, as for connecting."""
IDLE_SECONDS = 3.0
"""How long a connection is kept without a request.

Well below the 5 s after which many servers (uvicorn, Node, Apache) close theirs: of calls that left on
a connection just then 6 in 100 had no answer, and creating a lead must not be repeated after that."""
LONGEST_ADDRESS = 65_536
"""Characters; httpx refuses longer ones, and no server takes them."""

_PLAIN = re.compile(r"[A-Za-z0-9!$&'()*+,./:;=?@_~%-]*")
"""What may stand in an address as it is."""


class UnfitAddressError(Exception):
    """An address that no request can have; nothing was sent."""


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

        Raises errors of aiohttp or httpx, TimeoutError, and UnfitAddressError. Connecting takes
        CONNECT_SHARE of the `seconds` at most; the whole is for the caller to bound.
        """
        ...

    async def aclose(self) -> None:
        """Let the connections go."""
        ...


class AiohttpWire:
    """aiohttp's connections, on which a request leaves once, and which keep no cookies.

    By itself aiohttp sends GET, PUT and DELETE a second time when a connection that it had kept is
    dropped, after the backend may have had the whole call. What may be repeated is for the sender
    to decide, and its `attempts` are to be true.
    """

    def __init__(self) -> None:
        self._session: ClientSession | None = None

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
        async with (self._session or self._open()).request(
            method,
            _address(base_url, target),
            headers=headers,
            data=content or None,
            allow_redirects=False,
            timeout=ClientTimeout(connect=connecting, sock_connect=connecting),
        ) as answer:
            received = await answer.read()
        told: dict[str, str] = {}
        for name, value in answer.headers.items():
            lower = name.lower()
            told[lower] = f"{told[lower]}, {value}" if lower in told else value
        text = received.decode(answer.get_encoding() if received else "utf-8", errors="replace")
        return Answer(answer.status, told, received, text)

    def _open(self) -> ClientSession:
        """The session; made with the first request, because it belongs to an event loop."""
        connector = TCPConnector(
            ssl=_certificates(), limit=CONNECTIONS, keepalive_timeout=IDLE_SECONDS
        )
        self._session = ClientSession(
            connector=connector,
            cookie_jar=DummyCookieJar(),
            headers={"User-Agent": "contact-gateway"},
        )
        # aiohttp has no public setting; its own test client uses this one.
        self._session._retry_connection = False  # noqa: SLF001
        return self._session

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


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


class OneTryTransport(AiohttpTransport):
    """The same for httpx: aiohttp's connections, on which a request leaves once."""

    def get_client(self) -> ClientSession:
        """The session, made with the first request."""
        session = super().get_client()
        session._retry_connection = False  # noqa: SLF001 - as above
        return session


def _address(base_url: str, target: str) -> URL:
    """The address, letter by letter as it is given: a signature may be over it."""
    if len(base_url) + len(target) > LONGEST_ADDRESS or not target.isprintable():
        raise UnfitAddressError
    if _PLAIN.fullmatch(target):
        return URL(_encoded(base_url) + target, encoded=True)
    return URL(base_url + target)


@lru_cache(maxsize=64)
def _encoded(base_url: str) -> str:
    """A base URL as it goes over the wire, its host in ASCII."""
    return str(URL(base_url)).rstrip("/")


@cache
def _certificates() -> ssl.SSLContext:
    """What servers are checked against, as httpx does."""
    return httpx.create_ssl_context()
