"""Bearer tokens by the client-credentials grant: fetched once, shared, renewed in time.

Contract: everbridge section 1.2. The refresh token is not used, because its use is not documented:
a new token is fetched instead.
"""

from __future__ import annotations

import asyncio
import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.calls import Call
from gateway.errors import NotWrittenError
from gateway.model import Backend
from gateway.results import Problem, ProblemCode
from gateway.upstream import Exchange

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.upstream import Sender

SCOPE = "openid user-profile role service-profile"
FETCH_TIMEOUT = 30.0
"""Seconds that one fetch may take, its retries included."""
LIFETIME = 28800.0
"""Seconds that a token lives when the answer does not say."""
MARGIN = 60.0
"""Seconds before its end at which a token is no longer used; a tenth of a shorter life."""

_sent: ContextVar[str | None] = ContextVar("token of this task's last try", default=None)
"""The token of the last try of the call that this task is sending. A 401 must renew the token that
was refused, not the new one that another call has fetched meanwhile."""


@dataclass(frozen=True, kw_only=True)
class ClientCredentials:
    """What a token is asked for with."""

    token_url: str
    """The service's address, with or without `/tokens` at its end."""
    client_id: str
    client_secret: str = field(repr=False)

    def call(self) -> Call:
        """The call that brings a token; as a read it is neither recorded nor shown."""
        return Call(
            method="POST",
            base_url=self.token_url.rstrip("/").removesuffix("/tokens"),
            path="/tokens",
            form=(
                ("grant_type", "client_credentials"),
                ("client_id", self.client_id),
                ("client_secret", self.client_secret),
                ("scope", SCOPE),
            ),
        )


@dataclass(frozen=True, kw_only=True)
class _Token:
    value: str = field(repr=False)
    good_until: float
    """On the clock of `Tokens`."""


class Tokens:
    """The one token of one set of credentials."""

    def __init__(
        self, credentials: ClientCredentials, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._credentials = credentials
        self._clock = clock
        self._token: _Token | None = None
        self._fetching: asyncio.Task[_Token] | None = None

    async def current(self, sender: Sender, exchange: Exchange, *, renew: bool) -> str:
        """A token that is not known to be bad; `renew` gives up the one of this task's last try.

        Raises NotWrittenError when none can be had within the exchange's time.
        """
        if renew and self._token is not None and self._token.value == _sent.get():
            self._token = None
        token = self._token
        if token is None or self._clock() >= token.good_until:
            token = await self._fetched(sender, exchange)
        _sent.set(token.value)
        return token.value

    async def _fetched(self, sender: Sender, exchange: Exchange) -> _Token:
        """What the running fetch brings: a task of its own, so that no caller's end cancels it."""
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._fetch(sender), name="Everbridge token")
            self._fetching.add_done_callback(self._settle)
        task = self._fetching
        done, _ = await asyncio.wait({task}, timeout=exchange.left)
        if not done:
            raise NotWrittenError(
                Problem(
                    backend=Backend.EVERBRIDGE,
                    code=ProblemCode.TIMEOUT,
                    message="Everbridge's token service did not answer in time; nothing was sent.",
                    retryable=True,
                )
            )
        return task.result()

    async def _fetch(self, sender: Sender) -> _Token:
        asked_at = self._clock()
        exchange = Exchange(deadline=time.monotonic() + FETCH_TIMEOUT)
        reply = await sender.send(self._credentials.call(), exchange)
        lifetime = _seconds(reply.body.get("expires_in"))
        return _Token(
            value=str(reply.body["access_token"]),
            good_until=asked_at + lifetime - min(MARGIN, lifetime / 10),
        )

    def _settle(self, task: asyncio.Task[_Token]) -> None:
        self._fetching = None
        # Asking for the exception also marks it as seen: every waiter may have given up.
        if not task.cancelled() and task.exception() is None:
            self._token = task.result()


def _seconds(lifetime: object) -> float:
    if isinstance(lifetime, int | float) and not isinstance(lifetime, bool) and lifetime > 0:
        return float(lifetime)
    return LIFETIME
