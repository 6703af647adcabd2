"""Who is let in: every request passes here, before anything of it is read but its head."""

from __future__ import annotations

from collections import Counter
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import structlog

from gateway.callers.caller import ANYBODY, Caller
from gateway.callers.errors import UnauthenticatedError
from gateway.callers.keys import KeyRing
from gateway.callers.rate import Rates

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.callers.credential import Credential
    from gateway.callers.rate import Allowance
    from gateway.callers.tokens import Tokens
    from gateway.settings import Settings
    from gateway.store.api_keys import ApiKeys

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Door:
    """Tells callers apart by their keys and tokens; without either it lets in everybody."""

    ring: KeyRing | None = None
    tokens: Tokens | None = None
    rates: Rates | None = None
    following: Counter[str] = field(default_factory=Counter)
    """How many subscriptions each caller has open."""
    loopback_only: bool = False
    """Whether it is open because nobody has said otherwise: then nobody from elsewhere may pass."""

    @property
    def is_open(self) -> bool:
        """Whether everybody is let in, with every scope."""
        return self.ring is None and self.tokens is None

    async def admit(self, credential: Credential | None) -> Caller:
        """Who has this key or token; raises UnauthenticatedError and CannotTellError."""
        if self.is_open:
            return ANYBODY
        if credential is None:
            raise UnauthenticatedError(self._wanted(), given=False)
        reader = self.ring if credential.is_key else self.tokens
        if reader is None:
            raise UnauthenticatedError(self._wanted())
        return await reader.caller_of(credential.text)

    def count(self, caller: Caller) -> Allowance | None:
        """Count an operation; None where they are not counted. Raises TooManyError."""
        return self.rates.take(caller.id) if self.rates is not None else None

    def left(self, caller: Caller) -> Allowance | None:
        """What a caller may still send."""
        return self.rates.left(caller.id) if self.rates is not None else None

    def _wanted(self) -> str:
        ways = []
        if self.ring is not None:
            ways.append("an API key, as X-Api-Key or Authorization: Bearer")
        if self.tokens is not None:
            ways.append("a JWT, as Authorization: Bearer")
        return f"Say who is calling: send {', or '.join(ways)}."


@asynccontextmanager
async def open_door(settings: Settings, keys: ApiKeys) -> AsyncIterator[Door]:
    """The door that the settings ask for."""
    ways = await chosen_ways(settings, keys)
    if not ways:
        yield Door(loopback_only=settings.auth == "auto")
        return
    limit = settings.rate_limit_per_minute
    door = Door(rates=Rates(limit=limit) if limit else None)
    async with AsyncExitStack() as parts:
        if "keys" in ways:
            ring = await parts.enter_async_context(aclosing(KeyRing(table=keys)))
            door = replace(door, ring=ring)
            if not await keys.has_any():
                log.warning("nobody can call yet: make a key with gateway keys create")
        if "jwt" in ways:
            door = replace(door, tokens=await parts.enter_async_context(_tokens(settings)))
        yield door


async def chosen_ways(settings: Settings, keys: ApiKeys) -> frozenset[str]:
    """The ways to tell callers apart that are asked for, or with auto: that are set up."""
    if settings.auth == "none":
        return frozenset()
    if settings.auth != "auto":
        return frozenset(settings.auth.split(","))
    found = {"jwt"} if settings.has_jwt else set()
    # A key that was revoked counts: taking the last one away must not let everybody in.
    return frozenset(found | {"keys"} if await keys.has_any() else found)


@asynccontextmanager
async def _tokens(settings: Settings) -> AsyncIterator[Tokens]:
    # Here, because the client and cryptography take a while to load, and few need them.
    import httpx

    from gateway.callers.jwks import KeySet
    from gateway.callers.tokens import Tokens

    async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport()) as client:
        yield Tokens(
            keys=KeySet(url=settings.jwt_jwks_url or "", client=client),
            issuer=settings.jwt_issuer or "",
            audience=settings.jwt_audience or "",
            algorithms=settings.jwt_algorithms,
        )
