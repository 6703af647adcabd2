"""The order of writes to one record: a direct write does not overtake those stored before it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from uuid import uuid4

import structlog

from gateway.backends.adapter import KeyKind
from gateway.errors import NotWrittenError
from gateway.model import title
from gateway.operations.waiting import WaitingRecords
from gateway.results import Problem, ProblemCode
from gateway.store.database import is_storable
from gateway.store.errors import StoreError
from gateway.values import folded_email
from gateway.write import native_id

if TYPE_CHECKING:
    from gateway.backends.adapter import Adapter
    from gateway.lead_write import LeadWrite
    from gateway.model import Backend
    from gateway.store.operations import Operations
    from gateway.upstream import Exchange
    from gateway.write import ContactWrite

log = structlog.get_logger()

FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.5
"""Seconds between two looks at whether the record's earlier writes are through."""
STORE_SECONDS = 5.0
"""For which a durable write waits for what it can do without."""


def contact_key(write: ContactWrite, adapter: Adapter) -> str:
    """What a contact is known by in one backend: of what the input gives, what is tried first.

    A contact that is written once by its id and once by its externalId has two keys, and no order.
    """
    kinds = [*adapter.key_kinds, KeyKind.EXTERNAL_ID, KeyKind.EMAIL]
    for kind in kinds:
        if kind is KeyKind.NATIVE_ID:
            name = native_id(adapter.backend)
        else:
            name = "external_id" if kind is KeyKind.EXTERNAL_ID else "email"
        value = write.text(name)
        if value is not None:
            return f"{kind.value}:{folded_email(value) if kind is KeyKind.EMAIL else value}"
    return _of_its_own()


def lead_key(write: LeadWrite) -> str:
    """What a lead is known by; one that has no key stands in nobody's order."""
    for name, kind in (("external_id", "externalId"), ("ivvy.id", "id")):
        value = write.text(name)
        if value is not None:
            return f"lead:{kind}:{value}"
    return _of_its_own()


def _of_its_own() -> str:
    return f"once:{uuid4().hex}"


@dataclass(frozen=True, kw_only=True)
class Order:
    """Lets direct writes wait for the durable ones that were accepted before them."""

    operations: Operations

    def is_empty(self) -> bool:
        """Whether surely no write waits, for whatever record; False also where it takes a question."""
        return self._waiting.are_none()

    async def is_waiting(self, backend: Backend, key: str) -> bool:
        """Whether an accepted write to the record is not through."""
        if key.startswith("once:") or not is_storable(key):
            return False  # nothing can have been stored under it
        return await self._waiting.includes(backend.value, key)

    @cached_property
    def _waiting(self) -> WaitingRecords:
        return WaitingRecords(self.operations)

    async def is_certainly_waiting(self, backend: Backend, key: str) -> bool:
        """As `is_waiting`; a store that cannot tell now is taken for no."""
        try:
            async with asyncio.timeout(STORE_SECONDS):
                return await self.is_waiting(backend, key)
        except (StoreError, TimeoutError):
            log.exception("order of writes not known")
            return False

    async def my_turn(self, backend: Backend, key: str, exchange: Exchange) -> None:
        """Wait until the writes that were accepted before are through.

        Raises NotWrittenError when they are not, within the exchange's time, and when the store
        cannot tell.
        """
        pause, until = FIRST_PAUSE, time.monotonic() + exchange.patience
        try:
            async with asyncio.timeout(exchange.left):
                while await self.is_waiting(backend, key):
                    if until - time.monotonic() <= pause:
                        raise NotWrittenError(_overtaking(backend))
                    await asyncio.sleep(pause)
                    pause = min(LONGEST_PAUSE, pause * 2)
        except (StoreError, TimeoutError) as error:
            log.exception("order of writes not known")
            raise NotWrittenError(_cannot_tell(backend)) from error


def _overtaking(backend: Backend) -> Problem:
    return Problem(
        backend=backend,
        code=ProblemCode.CONFLICT,
        message=f"Durable writes to this record that were accepted before have not reached "
        f"{title(backend)} yet, and this one would overtake them: repeat it later, or send it with "
        "delivery: DURABLE, which keeps its place behind them.",
        retryable=True,
    )


def _cannot_tell(backend: Backend) -> Problem:
    return Problem(
        backend=backend,
        code=ProblemCode.UNAVAILABLE,
        message="The gateway's store, which keeps the order of writes, cannot be used now: nothing "
        "was sent.",
        retryable=True,
    )
