"""Look-ups that meet: up to 100 contacts in one search.

The work of a bulk waits for company; other look-ups wait for none, and go together only where they
come at the same moment or as many as may be are under way already. A read that has left is never joined: under a lock a contact
must be read after the lock was taken.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from gateway.backends.adapter import KeyKind
from gateway.backends.everbridge.client import PAGE_SIZE
from gateway.backends.everbridge.reader import CONTACT_ID, LONGEST_EXTERNAL_ID
from gateway.backends.joint_calls import joint_exchange, own_failure
from gateway.errors import BackendFailure, NotWrittenError, RefusedError
from gateway.model import Backend
from gateway.sending.slots import MANY, Slots
from gateway.sending.verdicts import timed_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.backends.adapter import Stored
    from gateway.backends.everbridge.reader import ContactReader
    from gateway.upstream import Exchange


TOO_LATE = "Everbridge did not answer within the request's time; nothing was sent."


class _Asked(NamedTuple):
    """One key that is looked up for one write."""

    value: str
    exchange: Exchange


class JoinedReads:
    """Finds contacts for writes, many at a time."""

    def __init__(self, reader: ContactReader) -> None:
        self._reader = reader
        self._searches = asyncio.Semaphore(MANY)  # the slots bound them
        self._together = {
            kind: partial(self._read, kind) for kind in (KeyKind.NATIVE_ID, KeyKind.EXTERNAL_ID)
        }
        self._slots = {
            kind: Slots[_Asked, list["Stored"]](
                together=together, most=PAGE_SIZE, quota=reader.quota
            )
            for kind, together in self._together.items()
        }

    async def find(self, kind: KeyKind, value: str, exchange: Exchange) -> list[Stored]:
        """The contacts with that id or externalId; the caller verifies them. Raises BackendFailure."""
        if not _may_join(kind, value):
            return await self._alone(kind, value, exchange)
        asked = _Asked(value=value, exchange=exchange)
        try:
            if exchange.gathering is None:
                return await self._slots[kind].go(asked, exchange.left)
            async with asyncio.timeout(exchange.left):
                with exchange.gathering.on_the_way(self._reader):
                    return await exchange.gathering.meet(
                        (self, kind), asked, self._together[kind], most=PAGE_SIZE
                    )
        except TimeoutError:
            raise NotWrittenError(timed_out(Backend.EVERBRIDGE, TOO_LATE)) from None

    async def _read(
        self, kind: KeyKind, asked: Sequence[_Asked]
    ) -> Sequence[list[Stored] | Exception]:
        """What one search brings for each of those who asked."""
        values = list(dict.fromkeys(one.value for one in asked))
        exchange = joint_exchange(one.exchange for one in asked)
        if len(values) == 1:
            try:
                rows = await self._alone(kind, values[0], exchange)
            except BackendFailure as failure:
                return [own_failure(failure) for _ in asked]
            return [rows] * len(asked)
        found = await self._reader.look_up(kind, values, exchange, self._searches)
        if any(isinstance(brought, RefusedError) for brought in found.values()):
            return await asyncio.gather(*(self._own(kind, one, found[one.value]) for one in asked))
        return [_told(found[one.value]) for one in asked]

    async def _own(
        self, kind: KeyKind, one: _Asked, found: list[Stored] | BackendFailure
    ) -> list[Stored] | Exception:
        """What is told to one of them; a search that was refused may have been so for another."""
        if not isinstance(found, RefusedError):
            return _told(found)
        try:
            return await self._alone(kind, one.value, one.exchange)
        except BackendFailure as failure:
            return failure

    async def _alone(self, kind: KeyKind, value: str, exchange: Exchange) -> list[Stored]:
        if kind is KeyKind.NATIVE_ID:
            return await self._reader.by_id(value, exchange)
        return await self._reader.by_external_id(value, exchange)


def _told(found: list[Stored] | BackendFailure) -> list[Stored] | BackendFailure:
    """What a search has brought, as one of several is told it."""
    return own_failure(found) if isinstance(found, BackendFailure) else found


def _may_join(kind: KeyKind, value: str) -> bool:
    """Whether a search for many can have this value in it: what is no key would spoil it."""
    if kind is KeyKind.NATIVE_ID:
        return CONTACT_ID.fullmatch(value) is not None
    return 0 < len(value) <= LONGEST_EXTERNAL_ID and "," not in value
