"""Delivers stored steps: claims what is due, tries it, stores what became of it.

Every gateway process has a worker. A worker that dies loses its leases, and another one, or its
successor, goes on with what is stored. Nothing waits in memory for its next try.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog

from gateway.callers.audit import delivered
from gateway.logs import Seldom
from gateway.model import Backend
from gateway.operations.acceptance import queued, result_of
from gateway.operations.bulk_delivering import MOST, BulkDelivering, Try, next_part
from gateway.operations.outcomes import ended_unseen, needs_attention, queued_again, settled
from gateway.operations.payloads import (
    LEAD,
    PAYLOAD_VERSION,
    STEP_NAMES,
    shared_of,
)
from gateway.operations.step_journal import StepJournal
from gateway.results import Outcome, Problem, ProblemCode
from gateway.store.errors import StoreError
from gateway.store.operation_records import StepState, Which
from gateway.telemetry.spans import span, without_details

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence

    from gateway.operations.delivering import Delivering
    from gateway.operations.following import Following
    from gateway.operations.hands import Hand, Hands
    from gateway.operations.outcomes import Patience
    from gateway.results import BackendResult
    from gateway.store.operation_records import ClaimedStep, Step

log = structlog.get_logger()

AT_ONCE = 64
"""Single steps in hand at most."""
POLL_SECONDS = 1.0
"""Between two looks for what has become due, when nothing says so."""


class _Tried(NamedTuple):
    """What a try has come to."""

    step: Step
    """As it is to be stored."""
    result: BackendResult
    looked_at: bool = False
    """Whether only a job was asked after."""


@dataclass(kw_only=True)
class Worker:
    """The worker of one process."""

    hands: Hands
    delivering: Delivering
    following: Following
    patience: Patience
    _singly: int = 0
    """Single steps in hand."""
    _part: int = MOST
    """Items of bulks to take in hand next."""
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _woken_for_bulk: asyncio.Event = field(default_factory=asyncio.Event)
    _claiming: list[asyncio.Task[None]] = field(default_factory=list)
    _renewing: asyncio.Task[None] = field(init=False)
    _store_is_told: Seldom = field(default_factory=Seldom)
    _stopping: bool = False
    _ending: bool = False

    def start(self) -> None:
        """Begin to work."""
        self._claiming = [
            asyncio.create_task(self._until_the_end(self._claim_and_wait)),
            asyncio.create_task(self._until_the_end(self._claim_bulk_and_wait)),
        ]
        self._renewing = asyncio.create_task(self._forever(self.hands.renew))

    def wake(self) -> None:
        """Say that there may be something due."""
        self._woken.set()
        self._woken_for_bulk.set()

    def pause(self) -> None:
        """Claim nothing more; what is in hand is finished."""
        self._stopping = True

    async def stop(self, seconds: float) -> None:
        """Claim nothing more, and finish what is in hand; after `seconds` it is left as stored.

        What is left is taken over by another worker once its lease has ended.
        """
        self.pause()
        self._ending = True
        self.wake()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                # What is being claimed just now is worked on as well: nobody else gets it so soon.
                await asyncio.wait(self._claiming)
                if self._tasks:
                    await asyncio.wait(self._tasks)
        ending = [*self._claiming, self._renewing, *self._tasks]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)

    # ---------------------------------------------------------------- the loops

    async def _until_the_end(self, turn: Callable[[], Awaitable[None]]) -> None:
        while not self._ending:
            await self._turn(turn)

    async def _forever(self, turn: Callable[[], Awaitable[None]]) -> None:
        while True:
            await self._turn(turn)

    async def _turn(self, turn: Callable[[], Awaitable[None]]) -> None:
        """One turn; one that fails is logged, and the next comes a little later."""
        try:
            await turn()
        except Exception as error:
            if not isinstance(error, StoreError):
                log.exception("worker's turn failed")
            elif self._store_is_told.again():
                log.exception("operation log not available")
            await asyncio.sleep(POLL_SECONDS)

    async def _claim_and_wait(self) -> None:
        """Take in hand what is due, then wait until there may be more."""
        self._woken.clear()
        room = AT_ONCE - self._singly
        claimed = await self._claim(room, bulk=False)
        for step, hand in claimed:
            self._singly += 1
            self._begin(self._work_singly(step, hand))
        if len(claimed) < room or room <= 0:
            await self._wait_for(self._woken)

    async def _claim_bulk_and_wait(self) -> None:
        """Take a part of what bulks have due, work on it to its end, then look for more."""
        self._woken_for_bulk.clear()
        claimed = await self._claim(self._part * len(self.delivering.adapters), bulk=True)
        if claimed:
            began = time.monotonic()
            await self._begin(self._work_in_bulk(claimed))
            self._part = next_part(self._part, time.monotonic() - began)
        else:
            await self._wait_for(self._woken_for_bulk)

    async def _wait_for(self, woken: asyncio.Event) -> None:
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await woken.wait()
        except TimeoutError:
            return

    async def _claim(self, room: int, *, bulk: bool) -> list[tuple[ClaimedStep, Hand]]:
        """Steps that are due: those of bulks, or all others."""
        backends = [
            backend.value
            for backend, adapter in self.delivering.adapters.items()
            if adapter.sender.breaker.closed_for <= 0
        ]
        if not backends or room <= 0 or self._stopping:
            return []
        return await self.hands.claim(Which(backends=backends, bulk=bulk), room)

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # ---------------------------------------------------------------- many steps

    async def _work_in_bulk(self, held: Sequence[tuple[ClaimedStep, Hand]]) -> None:
        """One try of many steps, side by side."""
        tries = [
            Try(claimed=one, hand=hand, journal=StepJournal(hand=hand, keep=self.hands.keep))
            for one, hand in held
            if self._is_new(one)
        ]
        alone = [self._work(one, hand) for one, hand in held if not self._is_new(one)]
        bulk = BulkDelivering(delivering=self.delivering, ended=self._tried_in_bulk)
        try:
            with span("deliver bulk", steps=len(tries)), without_details():
                await asyncio.gather(bulk.deliver(tries), *alone)
        finally:
            for one in tries:
                self.hands.drop(one.hand)
            self.wake()

    @staticmethod
    def _is_new(claimed: ClaimedStep) -> bool:
        """Whether a step is to be delivered, and nothing is known of what an earlier try has sent."""
        step = claimed.step
        return (
            step.state is StepState.QUEUED
            and step.intent is None
            and claimed.payload_version <= PAYLOAD_VERSION
        )

    async def _tried_in_bulk(self, one: Try, result: BackendResult | None) -> None:
        """Store what became of a step of a bulk, and let go of it."""
        async with self._letting_go(one.claimed, one.hand):
            if result is None:
                await self._put_back(one.hand)
            else:
                await self._end(one.claimed, self._after(one.claimed, one.journal, result))

    # ---------------------------------------------------------------- one step

    async def _work_singly(self, claimed: ClaimedStep, hand: Hand) -> None:
        try:
            await self._work(claimed, hand)
        finally:
            self._singly -= 1
            self.wake()

    async def _work(self, claimed: ClaimedStep, hand: Hand) -> None:
        """One try of a step, from what is stored of it to what is stored next."""
        async with self._letting_go(claimed, hand):
            await self._end(claimed, await self._traced(claimed, hand))

    @asynccontextmanager
    async def _letting_go(self, claimed: ClaimedStep, hand: Hand) -> AsyncIterator[None]:
        """The last of a step in hand: whatever fails is logged, and the step is let go of."""
        log_ = self._log(claimed)
        try:
            yield
        except StoreError:
            log_.exception("step not stored; it is tried again when its lease has ended")
        except Exception:
            log_.exception("step failed")
            await self._put_back(hand)
        finally:
            self.hands.drop(hand)

    async def _traced(self, claimed: ClaimedStep, hand: Hand) -> _Tried:
        step, request_id = claimed.step, str(claimed.shared.get("request_id", ""))
        with (
            structlog.contextvars.bound_contextvars(request_id=request_id),
            span(
                "deliver step",
                backend=step.backend,
                operation=step.operation_id,
                step=step.id,
                request_id=request_id,
            ) as current,
        ):
            tried = await self._tried(claimed, hand)
            current.note("gateway.outcome", tried.result.outcome.value)
            return tried

    async def _tried(self, claimed: ClaimedStep, hand: Hand) -> _Tried:
        step, now = claimed.step, self.hands.clock()
        if claimed.payload_version > PAYLOAD_VERSION or claimed.step.name not in STEP_NAMES:
            return self._left_to_newer(step)
        if step.state is StepState.FOLLOWING:
            followed = await self.following.look(claimed, now)
            return _Tried(followed, result_of(followed), looked_at=True)
        if step.intent is not None:
            result = ended_unseen(step, result_of(step))
            return _Tried(needs_attention(step, result, now), result)
        journal = StepJournal(hand=hand, keep=self.hands.keep)
        deliver = self.delivering.lead if step.name == LEAD else self.delivering.contact
        return self._after(claimed, journal, await deliver(claimed, journal))

    def _after(self, claimed: ClaimedStep, journal: StepJournal, result: BackendResult) -> _Tried:
        """The step after a try."""
        after = settled(
            journal.hand.step,
            result,
            repeatable=journal.repeatable,
            accepted_at=shared_of(claimed.shared).accepted,
            now=self.hands.clock(),
            patience=self.patience,
        )
        return _Tried(after, result)

    async def _end(self, claimed: ClaimedStep, tried: _Tried) -> None:
        """Store a step as it is after a try, and tell the audit what became of its record."""
        step = tried.step
        if not await self.hands.end(step, tried.result):
            self._log(claimed).warning("step taken over by another worker")
            return
        goes_on = tried.looked_at and step.state is StepState.FOLLOWING
        if step.state is not StepState.QUEUED and not goes_on:
            request_id = claimed.shared.get("request_id")
            delivered(claimed.caller, request_id, step.operation_id, tried.result)

    def _left_to_newer(self, step: Step) -> _Tried:
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
        return _Tried(queued_again(step, result, self.hands.clock()), result)

    async def _put_back(self, hand: Hand) -> None:
        """After a fault of our own: later again, unless something that must not be repeated left."""
        result = queued(hand.step.backend)
        result.errors.append(_fault(hand.step))
        after_fault = needs_attention if hand.step.intent is not None else queued_again
        doubtful = replace(result, outcome=Outcome.UNKNOWN)  # it may have been sent
        after = after_fault(hand.step, doubtful, self.hands.clock())
        try:
            await self.hands.end(after, result)
        except StoreError:
            log.exception("step not put back; it is tried again when its lease has ended")

    @staticmethod
    def _log(claimed: ClaimedStep) -> structlog.stdlib.BoundLogger:
        step = claimed.step
        bound: structlog.stdlib.BoundLogger = log.bind(
            operation=step.operation_id,
            step=step.id,
            backend=step.backend,
            request_id=str(claimed.shared.get("request_id", "")),
        )
        return bound


def _fault(step: Step) -> Problem:
    return Problem(
        backend=Backend(step.backend),
        code=ProblemCode.BACKEND_ERROR,
        message=f"The gateway failed while it wrote to {step.backend}; its log tells why.",
        retryable=True,
    )
