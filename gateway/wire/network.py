"""The network, as the sender sees it: a pool of connections for each backend."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gateway.wire.pool import Pool
from gateway.wire.request import origin_of, request_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.calls import Answer


class NetworkWire:
    """Real connections, on which a request leaves once, which keep no cookies and follow nothing.

    A connection that breaks under a request may have carried it: whether it may be sent again is for
    the sender to decide, and its `attempts` are to be true. Proxies of the environment are not used.
    """

    def __init__(self) -> None:
        self._pools: dict[str, Pool] = {}
        """By base URL."""

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
        origin = origin_of(base_url)
        request = request_of(method, origin, target, headers, content)
        pool = self._pools.get(base_url)
        if pool is None:
            pool = self._pools[base_url] = Pool(origin)
        return await pool.ask(request, seconds, headless=method == "HEAD")

    async def aclose(self) -> None:
        """End the connections."""
        await asyncio.gather(*(pool.aclose() for pool in self._pools.values()))
