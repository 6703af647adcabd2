"""API keys: how one is made, and the ring of those that work.

A key is `cgw_`, its id, `_` and 256 random bits. With that many, one SHA-256 is as good as a slow
hash, which is for secrets that can be guessed, and costs a request nothing. The ring holds the
hashes of all keys and is read anew every few seconds, when somebody calls: a request asks the store
for nothing, however wrong its key is.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from gateway.callers.caller import Caller, scopes_of
from gateway.callers.errors import CannotTellError, UnauthenticatedError
from gateway.store.api_keys import StoredKey
from gateway.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gateway.store.api_keys import ApiKeys

log = structlog.get_logger()

NO_STORE = "The gateway's store, which knows the API keys, cannot be used now."
PREFIX = "cgw_"
"""By which people and scanners of repositories know a key."""
LONGEST = 100
"""Characters; keys have fewer."""

FRESH_SECONDS = 5.0
"""Until the ring is read anew: so long a revoked key may still work."""
STALE_SECONDS = 60.0
"""For how long the ring is good when the store cannot be read."""
MISS_SECONDS = 1.0
"""The same where a key is not in the ring: it may be new. However many such keys come, the store is
asked once in that time."""
READ_SECONDS = 2.0
"""For a reading of the ring; a store that takes longer counts as one that cannot be read."""
AGAIN_SECONDS = 5.0
"""After a reading that failed, until the next one. It keeps nobody waiting whose key may be known."""
USE_SECONDS = 10.0
"""Before a key's use is noted in the store, together with all that follow meanwhile."""


def new_key(
    name: str, scopes: Iterable[str], now: datetime, lives_for: timedelta | None = None
) -> tuple[str, StoredKey]:
    """A key to be shown once, and what is stored of it."""
    key_id = secrets.token_hex(5)
    text = f"{PREFIX}{key_id}_{secrets.token_urlsafe(32)}"
    stored = StoredKey(
        id=key_id,
        name=name,
        hash=digest(text),
        scopes=tuple(scopes),
        created_at=now,
        expires_at=None if lives_for is None else now + lives_for,
    )
    return text, stored


def digest(text: str) -> str:
    """What is stored of a key."""
    return hashlib.sha256(text.encode()).hexdigest()


def utc_now() -> datetime:
    """The current instant in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Held:
    """A key of the ring."""

    key: StoredKey
    caller: Caller


@dataclass(kw_only=True)
class KeyRing:
    """The keys that work, by their hashes."""

    table: ApiKeys
    now: Callable[[], datetime] = utc_now
    clock: Callable[[], float] = time.monotonic
    _held: dict[str, _Held] = field(default_factory=dict)
    _read_at: float | None = None
    _failed_at: float | None = None
    """When the last reading ended, where it failed."""
    _tries: int = 0
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)
    _retrying: asyncio.Task[None] | None = None
    _used: dict[str, datetime] = field(default_factory=dict)
    """Uses that the store does not know of, by key id."""
    _noting: asyncio.Task[None] | None = None

    async def caller_of(self, text: str) -> Caller:
        """Whose key it is; raises UnauthenticatedError, and CannotTellError without a store."""
        await self._read_when_older(FRESH_SECONDS)
        known = digest(text) if text.startswith(PREFIX) and len(text) <= LONGEST else ""
        if known and known not in self._held:
            await self._read_when_older(MISS_SECONDS)
            if known not in self._held and self._failed_at is not None:
                raise CannotTellError(NO_STORE)  # it may be a new one
        held, now = self._held.get(known), self.now()
        if held is None or not held.key.works(now):
            raise UnauthenticatedError(
                "The API key is not known here, was revoked, or has expired."
            )
        self._used[held.key.id] = now
        if self._noting is None:
            self._noting = asyncio.create_task(self._note_soon())
        return held.caller

    async def aclose(self) -> None:
        """Tell the store of the last uses."""
        tasks = [task for task in (self._noting, self._retrying) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.note_uses()

    async def _note_soon(self) -> None:
        await asyncio.sleep(USE_SECONDS)
        self._noting = None
        await self.note_uses()

    async def note_uses(self) -> None:
        """Tell the store which keys were used; what it cannot take now is told later."""
        used, self._used = self._used, {}
        if not used:
            return
        try:
            await self.table.note_uses(used)
        except StoreError:
            self._used = used | self._used
            log.warning("use of API keys not stored")

    async def _read_when_older(self, seconds: float) -> None:
        """Read the ring, unless it is young enough or could not be read a moment ago."""
        if self._age() >= seconds and self._may_try():
            if self._failed_at is None or self._age() > STALE_SECONDS:
                await self._read_once()
            elif self._retrying is None or self._retrying.done():
                self._retrying = asyncio.create_task(self._read_once())
        if self._age() > STALE_SECONDS:
            raise CannotTellError(NO_STORE)

    async def _read_once(self) -> None:
        """Read the ring, once for all who wait for it."""
        before = self._tries
        async with self._reading:
            if self._tries == before:
                await self._read()
                self._tries += 1

    async def _read(self) -> None:
        """Read the ring; where that fails, it is as it was."""
        began = self.clock()
        try:
            async with asyncio.timeout(READ_SECONDS):
                keys = await self.table.list_keys(working_at=self.now())
        except (StoreError, TimeoutError) as error:
            self._failed_at = self.clock()
            log.warning("API keys not read", error=type(error).__name__)
            return
        self._held = {key.hash: _Held(key, _caller(key)) for key in keys}
        self._read_at, self._failed_at = began, None

    def _may_try(self) -> bool:
        return self._failed_at is None or self.clock() - self._failed_at >= AGAIN_SECONDS

    def _age(self) -> float:
        return math.inf if self._read_at is None else self.clock() - self._read_at


def _caller(key: StoredKey) -> Caller:
    expires_at = None if key.expires_at is None else key.expires_at.timestamp()
    return Caller(
        id=f"key:{key.name}", scopes=scopes_of(key.scopes), key=key.id, expires_at=expires_at
    )
