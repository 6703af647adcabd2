"""What a step's worker stores while it delivers: the intent before, jobs as they become known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gateway.errors import NotWrittenError
from gateway.operations.outcomes import MADE, jobs_of, made_by, refuse_making_twice
from gateway.results import Outcome, Problem, ProblemCode
from gateway.store.errors import StoreError
from gateway.stored_values import to_stored

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.operations.hands import Hand
    from gateway.results import BackendResult
    from gateway.store.operation_records import Step
    from gateway.target import Part


@dataclass(kw_only=True)
class StepJournal:
    """The journal of one try of a step."""

    hand: Hand
    keep: Callable[[Hand], Awaitable[bool]]
    """Stores the step as it is now, still in hand; False when another worker has it."""
    repeatable: bool = True
    """Whether what was sent, if anything, may be sent again."""

    async def looking(self, part: Part) -> None:
        """Nothing to wait for: a step is claimed when it is its turn."""

    async def sending(self, part: Part, *, repeatable: bool) -> None:
        """Store the intent of a write that must not be repeated.

        A repeatable one needs none: the claim says that it may be under way. Raises NotWrittenError
        when the step is no longer this worker's, and for a write that would make once more what an
        earlier try has made.
        """
        refuse_making_twice(part, made_by(self.hand.step), "An earlier try")
        self.repeatable = repeatable
        if not self.hand.holds:
            raise NotWrittenError(_not_mine(part))
        # Looked at again when a call leaves: until then it may wait for others, and for the quota.
        part.exchange.held.append(self.hand)
        if repeatable:
            return
        calls = part.plan.calls if part.plan else ()
        intent = {"calls": [f"{call.method} {call.target}" for call in calls]}
        await self._store(replace(self.hand.step, intent=intent), part)

    async def answered(self, result: BackendResult, *, repeatable: bool) -> None:
        """Store the jobs of a call, before the ones that follow it are made; and what must not be made twice."""
        step = replace(self.hand.step, jobs=jobs_of(self.hand.step, result))
        if repeatable and not self.repeatable and result.id is not None:
            self.repeatable = True
            known = to_stored(replace(result, outcome=Outcome.QUEUED))
            step = replace(step, intent=None, result=known | {MADE: str(result.id)})
        if step != self.hand.step:
            await self._store(step, None)

    async def ended(self, part: Part) -> None:
        """Nothing: the worker stores what became of it."""

    async def _store(self, step: Step, part: Part | None) -> None:
        """Store the step as it is from now on; raises NotWrittenError where it is not kept."""
        self.hand.step = step
        try:
            held = await self.keep(self.hand)
        except StoreError as error:
            raise NotWrittenError(_not_stored(part)) from error
        if not held:
            raise NotWrittenError(_not_mine(part))


def _not_mine(part: Part | None) -> Problem:
    return Problem(
        backend=part.backend if part else None,
        code=ProblemCode.CONFLICT,
        message="This process stood still for too long, and another has taken the step over.",
        retryable=True,
    )


def _not_stored(part: Part | None) -> Problem:
    return Problem(
        backend=part.backend if part else None,
        code=ProblemCode.UNAVAILABLE,
        message="The gateway's store cannot be used now: the write is tried again when it can.",
        retryable=True,
    )
