"""The steps that this process has in hand: their leases, and how they are stored.

Steps that are stored at about the same time are stored in one commit: while one is under way, what
comes meanwhile waits for the next.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from gateway.locking.leased import RENEWALS, Leased
from gateway.operations.keyed import utc_now
from gateway.operations.outcomes import sum_up
from gateway.store.errors import StoreError
from gateway.store.operation_records import Save, StepState

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from gateway.results import BackendResult
    from gateway.store.operation_records import ClaimedStep, Step, Which
    from gateway.store.operations import Operations

ENDS = frozenset({StepState.DONE, StepState.NEEDS_ATTENTION})
MOST_SAVES = 500
"""Steps stored in one commit at most."""


@dataclass(kw_only=True)
class Hand(Leased):
    """A step in hand."""

    step: Step


@dataclass(kw_only=True)
class Hands:
    """Takes steps, keeps them, and stores what became of them."""

    operations: Operations
    owner: str
    """Names this process's worker."""
    lease: timedelta
    clock: Callable[[], datetime] = utc_now
    heard: Callable[[str, BackendResult], None] = lambda _name, _result: None
    """Hears what became of a step, by its name, when it has come to its end or to a person."""
    _held: dict[int, Hand] = field(default_factory=dict)
    _waiting: list[tuple[Save, asyncio.Future[bool]]] = field(default_factory=list)
    _storing: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._held)

    async def claim(self, which: Which, limit: int) -> list[tuple[ClaimedStep, Hand]]:
        """Steps that are due, in hand from now on."""
        now = self.clock()
        # The lease counts from before the question, whenever the answer comes.
        until = time.monotonic() + self.lease.total_seconds()
        claimed = await self.operations.claim_steps(
            self.owner, which, until=now + self.lease, now=now, limit=limit
        )
        return [(one, self._take(one.step, until)) for one in claimed]

    def _take(self, step: Step, until: float) -> Hand:
        """Hold a step.

        Where this process had it already, and stood still until its lease ran out, it is lost to
        the earlier hand.
        """
        if earlier := self._held.get(step.id):
            earlier.lost = True
        self._held[step.id] = Hand(step=step, until=until)
        return self._held[step.id]

    def drop(self, hand: Hand) -> None:
        """Hold it no longer."""
        if self._held.get(hand.step.id) is hand:
            del self._held[hand.step.id]

    async def renew(self) -> None:
        """Prolong the leases of all that is held, when it is time."""
        await asyncio.sleep(self.lease.total_seconds() / RENEWALS)
        hands = [hand for hand in self._held.values() if not hand.lost]
        if not hands:
            return
        until = time.monotonic() + self.lease.total_seconds()
        lost = await self.operations.renew_steps(
            [hand.step for hand in hands], until=self.clock() + self.lease
        )
        for hand in hands:
            hand.renewed(until=until, lost=hand.step.id in lost)

    async def keep(self, hand: Hand) -> bool:
        """Store a step that stays in hand; False when another worker has it. Raises StoreError."""
        until = self.clock() + self.lease
        held = await self._store(Save(step=hand.step, keep_until=until))
        hand.lost |= not held
        return held

    async def end(self, step: Step, result: BackendResult) -> bool:
        """Store a step and let go of it; False when another worker has it. Raises StoreError."""
        stored = await self._store(Save(step=step))
        if stored and step.state in ENDS:
            self.heard(step.name, result)
        return stored

    async def _store(self, save: Save) -> bool:
        stored: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((save, stored))
        if self._storing is None or self._storing.done():
            self._storing = asyncio.create_task(self._store_waiting())
        return await stored

    async def _store_waiting(self) -> None:
        """Commit after commit, as long as somebody waits."""
        while self._waiting:
            batch, self._waiting = _next_batch(self._waiting)
            try:
                lost = await self.operations.save(
                    [save for save, _ in batch], summarize=sum_up, now=self.clock()
                )
            except Exception as error:  # noqa: BLE001 - whatever it is, those who wait are told
                if not isinstance(error, StoreError) and len(batch) > 1:
                    await self._store_singly(batch)  # one of them is at fault, and not the others
                    continue
                for _, stored in batch:
                    if not stored.done():
                        stored.set_exception(error)
                continue
            for place, (_, stored) in enumerate(batch):
                if not stored.done():
                    stored.set_result(place not in lost)

    async def _store_singly(self, batch: list[Waiting]) -> None:
        for save, stored in batch:
            try:
                lost = await self.operations.save([save], summarize=sum_up, now=self.clock())
            except Exception as error:  # noqa: BLE001 - as above
                if not stored.done():
                    stored.set_exception(error)
            else:
                if not stored.done():
                    stored.set_result(not lost)


Waiting: TypeAlias = "tuple[Save, asyncio.Future[bool]]"


def _next_batch(waiting: list[Waiting]) -> tuple[list[Waiting], list[Waiting]]:
    """What is stored in the next commit, and what comes after it.

    A step stands in a batch once: which of two hands has it is told by step.
    """
    batch: dict[int, Waiting] = {}
    rest: list[Waiting] = []
    for one in waiting:
        step_id = one[0].step.id
        if step_id in batch or len(batch) == MOST_SAVES:
            rest.append(one)
        else:
            batch[step_id] = one
    return list(batch.values()), rest
