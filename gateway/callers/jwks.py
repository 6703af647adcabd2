"""The public keys of whoever issues callers' JWTs: fetched, kept, and fetched again when they change."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
import structlog
from httpx import HTTPError
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from gateway.callers.errors import CannotTellError

if TYPE_CHECKING:
    from collections.abc import Callable

    from httpx import AsyncClient

log = structlog.get_logger()

FRESH_SECONDS = 600.0
"""Until the keys are fetched anew: so long a key that was withdrawn may still be believed."""
STALE_SECONDS = 3600.0
"""For how long the keys are good when they cannot be fetched."""
AGAIN_SECONDS = 10.0
"""Between two fetches at least, whatever unknown keys tokens name."""
TIMEOUT_SECONDS = 5.0
MOST_BYTES = 1_000_000


@dataclass(kw_only=True)
class KeySet:
    """The keys at one address."""

    url: str
    client: AsyncClient
    clock: Callable[[], float] = time.monotonic
    generation: int = 0
    """Grows when other keys have come: what was found good by the ones before is looked at again."""
    _keys: list[dict[str, Any]] = field(default_factory=list)
    _made: dict[tuple[str | None, str], PyJWK | None] = field(default_factory=dict)
    _fetched_at: float | None = None
    _tried_at: float | None = None
    _is_cut_off: bool = False
    _fetching: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def refresh(self) -> None:
        """Fetch the keys where they are old; raises CannotTellError when there are none to go by."""
        is_old = self._age(self._fetched_at) >= FRESH_SECONDS
        if is_old and self._age(self._tried_at) >= AGAIN_SECONDS:
            await self._fetch()
        if self._fetched_at is None or self._age(self._fetched_at) >= STALE_SECONDS:
            raise CannotTellError("The keys that JWTs are checked with cannot be fetched now.")

    async def find(self, kid: str | None, algorithm: str) -> PyJWK | None:
        """The key of that name, for that algorithm; a token without a name is for an only key.

        Raises CannotTellError also for one that is not known while it may be a new one.
        """
        await self.refresh()
        found = self._find(kid, algorithm)
        if found is None and self._age(self._tried_at) >= AGAIN_SECONDS:
            await self._fetch()
            found = self._find(kid, algorithm)
        if found is None and self._is_cut_off:
            raise CannotTellError("The keys that JWTs are checked with cannot be fetched now.")
        return found

    def _age(self, at: float | None) -> float:
        return float("inf") if at is None else self.clock() - at

    def _find(self, kid: str | None, algorithm: str) -> PyJWK | None:
        named = (kid, algorithm)
        if named not in self._made:
            found = [key for key in self._keys if kid is None or key.get("kid") == kid]
            made = _made(found[0], algorithm) if len(found) == 1 else None
            if made is None:  # not remembered: tokens can name any number of keys
                return None
            self._made[named] = made
        return self._made[named]

    async def _fetch(self) -> None:
        """Fetch the keys, once for all who wait; those from before stay when it fails."""
        before = self._tried_at
        async with self._fetching:
            if self._tried_at != before:
                return
            began = self.clock()
            try:
                keys = await self._fetched()
            except (HTTPError, ValueError, TimeoutError) as error:
                self._is_cut_off = True
                log.warning("keys for JWTs not fetched", url=self.url, why=str(error))
                return
            finally:
                self._tried_at = self.clock()  # not before: who comes meanwhile waits for the end
            self._fetched_at, self._is_cut_off = began, False
            if keys != self._keys:
                self._keys, self._made = keys, {}
                self.generation += 1

    async def _fetched(self) -> list[dict[str, Any]]:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            response = await self.client.get(self.url, headers={"Accept": "application/json"})
        if not response.is_success:
            raise ValueError(f"the answer is {response.status_code}")
        if len(response.content) > MOST_BYTES:
            raise ValueError("the answer is too long")
        body = orjson.loads(response.content)
        keys = body.get("keys") if isinstance(body, dict) else None
        if not isinstance(keys, list):
            raise ValueError("the answer has no list of keys")
        usable = [key for key in keys if isinstance(key, dict) and key.get("use", "sig") == "sig"]
        return [key for key in usable if key.get("kty") in {"RSA", "EC", "OKP"}]


def _made(key: dict[str, Any], algorithm: str) -> PyJWK | None:
    """The key, unless it is for another algorithm."""
    if key.get("alg", algorithm) != algorithm:
        return None
    try:
        return PyJWK(key, algorithm=algorithm)
    except PyJWTError:
        return None
