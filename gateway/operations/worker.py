"""Delivers stored steps: claims what is due, tries it, stores what became of it.

Every gateway process has a worker. A worker that dies loses its leases, and another one, or its
successor, goes on with what is stored. Nothing waits in memory for its next try.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import structlog

from gateway.model import Backend
from gateway.operations.acceptance import queued, result_of
from gateway.operations.keyed import utc_now
from gateway.operations.outcomes import (
    detail_of,
    ended_unseen,
    needs_attention,
    queued_again,
    settled,
    sum_up,
)
from gateway.operations.payloads import CONTACT, LEAD, PAYLOAD_VERSION, shared_of
from gateway.operations.step_journal import Hand, StepJournal
from gateway.results import Outcome, Problem, ProblemCode
from gateway.store.errors import StoreError
from gateway.store.operation_records import Save, StepState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime, timedelta

    from gateway.operations.delivering import Delivering
    from gateway.operations.following import Following
    from gateway.operations.outcomes import Patience
    from gateway.results import BackendResult
    from gateway.store.operation_records import ClaimedStep, Step
    from gateway.store.operations import Operations

log = structlog.get_logger()

AT_ONCE = 64
"""Steps in hand at most."""
POLL_SECONDS = 1.0
"""Between two looks for what has become due, when nothing says so."""
RENEWALS = 3
"""Renewals of a lease within its length."""


@dataclass(kw_only=True)
class Worker:
    """The worker of one process."""

    operations: Operations
    delivering: Delivering
    following: Following
    patience: Patience
    owner: str
    lease: timedelta
    clock: Callable[[], datetime] = utc_now
    _hands: dict[int, Hand] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _loops: list[asyncio.Task[None]] = field(default_factory=list)
    _stopping: bool = False

    def start(self) -> None:
        """Begin to work."""
        self._loops = [
            asyncio.create_task(self._forever(self._claim_and_wait)),
            asyncio.create_task(self._forever(self._renew)),
        ]

    def wake(self) -> None:
        """Say that there may be something due."""
        self._woken.set()

    def pause(self) -> None:
        """Claim nothing more; what is in hand is finished."""
        self._stopping = True

    async def stop(self, seconds: float) -> None:
        """Claim nothing more, and finish what is in hand; after `seconds` it is left as stored.

        What is left is taken over by another worker once its lease has ended.
        """
        self.pause()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        ending = [*self._loops, *self._tasks]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)

    # ---------------------------------------------------------------- the loops

    async def _forever(self, turn: Callable[[], Awaitable[None]]) -> None:
        """Turn after turn; one that fails is logged, and the next comes a little later."""
        while True:
            try:
                await turn()
            except StoreError:
                log.exception("operation log not available")
                await asyncio.sleep(POLL_SECONDS)
            except Exception:
                log.exception("worker's turn failed")
                await asyncio.sleep(POLL_SECONDS)

    async def _claim_and_wait(self) -> None:
        """Take in hand what is due, then wait until there may be more."""
        self._woken.clear()
        claimed: list[ClaimedStep] = []
        room = AT_ONCE - len(self._hands)
        if room > 0 and not self._stopping:
            claimed = await self._claim(room)
        for step in claimed:
            self._take(step)
        if len(claimed) == room and room > 0:
            return  # there may be more
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _claim(self, room: int) -> list[ClaimedStep]:
        backends = [
            backend.value
            for backend, adapter in self.delivering.adapters.items()
            if adapter.sender.breaker.closed_for <= 0
        ]
        if not backends:
            return []
        now = self.clock()
        return await self.operations.claim_steps(
            self.owner, backends=backends, until=now + self.lease, now=now, limit=room
        )

    def _take(self, claimed: ClaimedStep) -> None:
        until = time.monotonic() + self.lease.total_seconds()
        hand = Hand(step=claimed.step, until=until)
        self._hands[claimed.step.id] = hand
        task = asyncio.create_task(self._work(claimed, hand))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _renew(self) -> None:
        """Keep what is in hand."""
        await asyncio.sleep(self.lease.total_seconds() / RENEWALS)
        hands = [hand for hand in self._hands.values() if not hand.lost]
        if not hands:
            return
        until = time.monotonic() + self.lease.total_seconds()
        lost = await self.operations.renew_steps(
            [hand.step for hand in hands], until=self.clock() + self.lease
        )
        for hand in hands:
            hand.lost = hand.step.id in lost
            hand.until = until if not hand.lost else hand.until

    # ---------------------------------------------------------------- one step

    async def _work(self, claimed: ClaimedStep, hand: Hand) -> None:
        """One try of a step, from what is stored of it to what is stored next."""
        log_ = log.bind(
            operation=claimed.step.operation_id, step=claimed.step.id, backend=claimed.step.backend
        )
        try:
            step, event, result = await self._tried(claimed, hand)
            if not await self._save(step, event, result):
                log_.warning("step taken over by another worker")
        except StoreError:
            log_.exception("step not stored; it is tried again when its lease has ended")
        except Exception:
            log_.exception("step failed")
            await self._put_back(hand)
        finally:
            del self._hands[claimed.step.id]
            self.wake()

    async def _tried(self, claimed: ClaimedStep, hand: Hand) -> tuple[Step, str, BackendResult]:
        step = claimed.step
        if claimed.payload_version > PAYLOAD_VERSION or claimed.step.name not in {CONTACT, LEAD}:
            return self._left_to_newer(step)
        if step.state is StepState.FOLLOWING:
            followed = await self.following.look(claimed, self.clock())
            return followed, "followed", result_of(followed)
        if step.intent is not None:
            result = ended_unseen(step, result_of(step))
            return needs_attention(step, result, self.clock()), "unknown", result
        journal = StepJournal(hand=hand, keep=self._keep)
        deliver = self.delivering.lead if step.name == LEAD else self.delivering.contact
        result = await deliver(claimed, journal)
        after = settled(
            hand.step,
            result,
            repeatable=journal.repeatable,
            accepted_at=shared_of(claimed.shared).accepted,
            now=self.clock(),
            patience=self.patience,
        )
        return after, "tried", result

    def _left_to_newer(self, step: Step) -> tuple[Step, str, BackendResult]:
        """A step that a newer version has stored: it keeps its place until that one comes."""
        result = queued(step.backend)
        problem = Problem(
            backend=Backend(step.backend),
            code=ProblemCode.UNAVAILABLE,
            message="A newer version of the gateway has stored this step, and delivers it.",
            retryable=True,
            retry_after_seconds=60.0,
        )
        result.errors.append(problem)
        return queued_again(step, result, self.clock()), "left", result

    async def _put_back(self, hand: Hand) -> None:
        """After a fault of our own: later again, unless something that must not be repeated left."""
        result = queued(hand.step.backend)
        result.errors.append(_fault(hand.step))
        now = self.clock()
        if hand.step.intent is not None:
            after = needs_attention(hand.step, replace(result, outcome=Outcome.UNKNOWN), now)
        else:
            after = queued_again(hand.step, result, now)
        try:
            await self._save(after, "failed", result)
        except StoreError:
            log.exception("step not put back; it is tried again when its lease has ended")

    async def _keep(self, hand: Hand, event: str) -> bool:
        """Store a step that stays in hand."""
        save = Save(step=hand.step, event=event, keep_until=self.clock() + self.lease)
        lost = await self.operations.save([save], summarize=sum_up, now=self.clock())
        hand.lost = bool(lost)
        return not lost

    async def _save(self, step: Step, event: str, result: BackendResult) -> bool:
        """Store a step and let go of it."""
        save = Save(step=step, event=event, detail=detail_of(result))
        return not await self.operations.save([save], summarize=sum_up, now=self.clock())


def _fault(step: Step) -> Problem:
    return Problem(
        backend=Backend(step.backend),
        code=ProblemCode.BACKEND_ERROR,
        message=f"The gateway failed while it wrote to {step.backend}; its log tells why.",
        retryable=True,
    )
