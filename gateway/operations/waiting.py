"""Which records have durable writes waiting: mostly none, and then the store is not asked again.

Where it must be asked, one question is for many who ask at once.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.store.operations import Operations

Record = tuple[str, str]
"""A backend, and what the record is known by in it."""


@dataclass(kw_only=True)
class _Question:
    """One question on its way."""

    records: set[Record] = field(default_factory=set)
    asking: asyncio.Task[frozenset[Record]]


class WaitingRecords:
    """Asks for every direct write, and so must cost next to nothing.

    Where nothing at all has waited, nothing does until something is stored; that it was, by whatever
    process, the store's version tells. While the store answers one question, those who come gather
    for the next one: an answer is always of a state later than the asking. A read of its own for
    each took three threads' turns a write.
    """

    def __init__(self, operations: Operations) -> None:
        self._operations = operations
        self._turn = asyncio.Lock()
        self._next: _Question | None = None
        self._none_at: int | None = None
        """The store's version at which nothing waited."""
        self._version_now: int | None = None
        """The store's version in this turn of the event loop."""

    def are_none(self) -> bool:
        """Whether nothing waits for any record, where that can be told without asking."""
        return self._none_at is not None and self._none_at == self._version()

    def _version(self) -> int | None:
        """The store's version, asked for once for all who want it in one turn of the event loop.

        Whoever knows of something that was stored after the asking has heard of it through the loop,
        and what the loop is told after the asking runs after `_turn_over`: it gets a new version.
        """
        if self._version_now is None:
            self._version_now = self._operations.version()
            asyncio.get_running_loop().call_soon(self._turn_over)
        return self._version_now

    def _turn_over(self) -> None:
        self._version_now = None

    async def includes(self, backend: str, key: str) -> bool:
        """Whether the record has a write waiting. Raises StoreError."""
        if self.are_none():
            return False
        question = self._next
        if question is None:
            question = _Question(asking=asyncio.create_task(self._ask()))
            question.asking.add_done_callback(_seen)
            self._next = question
        question.records.add((backend, key))
        return (backend, key) in await asyncio.shield(question.asking)

    async def _ask(self) -> frozenset[Record]:
        async with self._turn:
            question, self._next = self._next, None
            # Before the question: of what is stored meanwhile, the next version tells.
            version = self._operations.version()
            waiting = await self._operations.waiting_records(question.records if question else ())
            self._none_at = version if waiting is None else None
            return waiting or frozenset()


def _seen(asking: asyncio.Task[frozenset[Record]]) -> None:
    """Mark a failure as seen: those who asked may all have gone."""
    if not asking.cancelled():
        asking.exception()
