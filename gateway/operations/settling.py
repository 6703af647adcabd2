"""Settles a step that waits for a person, as the person says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING
from uuid import uuid4

from strawberry import ID

from gateway.model import enum_value
from gateway.operations.acceptance import GIVEN_UP, result_of
from gateway.operations.keyed import utc_now
from gateway.operations.outcomes import CHANGED, MADE, UNWRITTEN, done, sum_up
from gateway.operations.payloads import LEAD
from gateway.results import Outcome, Problem, ProblemCode
from gateway.store.link_records import Intent, LinkConflict
from gateway.store.operation_records import Save, StepState

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from gateway.store.links import LeadLinks
    from gateway.store.operation_records import ClaimedStep, Step
    from gateway.store.operations import Operations


class Resolution(Enum):
    """What a person says of a step."""

    RETRY = enum_value("RETRY", description="Try it again now.")
    GIVE_UP = enum_value("GIVE_UP", description="Stop trying; the step ends FAILED.")
    WRITTEN = enum_value("WRITTEN", description="The write is in the backend.")
    NOT_WRITTEN = enum_value(
        "NOT_WRITTEN", description="The write is not in the backend: try it again."
    )


class NotSettledError(Exception):
    """The step is as it was; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass(frozen=True, kw_only=True)
class Settling:
    """Settles steps of one account."""

    operations: Operations
    links: LeadLinks
    account: str
    lease: timedelta
    wake: Callable[[], None] = lambda: None
    """Tells the worker that there may be work."""
    clock: Callable[[], datetime] = utc_now

    async def settle(self, step_id: str, resolution: Resolution, record_id: str | None) -> Step:
        """The step as it is from now on. Raises NotSettledError."""
        if record_id is not None and resolution is not Resolution.WRITTEN:
            raise NotSettledError(_wrong("recordId", "Only WRITTEN takes a recordId."))
        now = self.clock()
        claimed = await self._claim(step_id, now)
        kept = claimed.step
        try:
            settled = await self._settled(claimed, resolution, record_id, now)
        except BaseException:
            await self._save(replace(kept, due_at=now))
            raise
        if not await self._save(settled):
            raise NotSettledError(_taken())
        self.wake()
        return replace(settled, owner=None)

    async def _claim(self, step_id: str, now: datetime) -> ClaimedStep:
        number = int(step_id) if step_id.isdecimal() and len(step_id) < 19 else None  # noqa: PLR2004 - as many digits as an id has
        claimed = number and await self.operations.claim_for_person(
            number, f"person-{uuid4().hex}", until=now + self.lease, now=now
        )
        if claimed:
            return claimed
        step = await self.operations.read_step(number) if number else None
        if step is None:
            raise NotSettledError(
                _wrong("stepId", f"There is no step {step_id!r}.", ProblemCode.NOT_FOUND)
            )
        if step.state is StepState.NEEDS_ATTENTION:
            raise NotSettledError(_taken())
        raise NotSettledError(
            _wrong("stepId", "This step does not wait for a person: it goes on, or has ended.")
        )

    async def _settled(
        self,
        claimed: ClaimedStep,
        resolution: Resolution,
        record_id: str | None,
        now: datetime,
    ) -> Step:
        step, result = claimed.step, result_of(claimed.step)
        match resolution:
            case Resolution.GIVE_UP:
                ended = done(step, replace(result, outcome=Outcome.FAILED), now)
                return replace(ended, result={**(ended.result or {}), GIVEN_UP: True})
            case Resolution.WRITTEN:
                if step.name == LEAD and claimed.external_id is not None:
                    await self._link(claimed.external_id, record_id, now)
                seen = replace(
                    result,
                    outcome=Outcome.CONFIRMED,
                    id=ID(record_id) if record_id else result.id,
                    errors=[],
                )
                return done(step, seen, now)
            case Resolution.NOT_WRITTEN:
                if step.name == LEAD and claimed.external_id is not None:
                    await self._unlink(claimed.external_id)
                return _again(step, now, unwritten=step.attempts)
            case Resolution.RETRY:
                return _again(step, now)

    async def _link(self, external_id: str, record_id: str | None, now: datetime) -> None:
        """Link the lead that was seen; without its id, nobody could find it again."""
        if record_id is None:
            raise NotSettledError(
                _wrong(
                    "recordId",
                    f"The lead's id is needed, because externalId {external_id!r} is to stand for it.",
                    ProblemCode.REQUIRED,
                )
            )
        if not (record_id.isascii() and record_id.isdecimal()):
            raise NotSettledError(_wrong("recordId", f"{record_id!r} is no id of a lead."))
        linked = await self.links.adopt_link(
            self.account, external_id, record_id, holder="a person", now=now
        )
        if isinstance(linked, LinkConflict):
            standing = linked.standing
            told = (
                "Another call is making that lead now."
                if isinstance(standing, Intent)
                else f"externalId {standing.external_id!r} stands for lead {standing.lead_id}."
            )
            raise NotSettledError(_wrong("recordId", told, ProblemCode.CONFLICT))

    async def _unlink(self, external_id: str) -> None:
        """Forget the create that did not happen, so that another one may begin."""
        standing = await self.links.read_link(self.account, external_id)
        if isinstance(standing, Intent):
            await self.links.drop_link(standing)

    async def _save(self, step: Step) -> bool:
        return not await self.operations.save([Save(step=step)], summarize=sum_up, now=self.clock())


def _again(step: Step, now: datetime, *, unwritten: int = 0) -> Step:
    """The step in the queue; nothing was written up to the attempt `unwritten` for sure."""
    result = dict(step.result or {}) | {"outcome": Outcome.QUEUED.value, UNWRITTEN: unwritten}
    if unwritten:
        for name in (MADE, CHANGED):
            result.pop(name, None)
    return replace(
        step,
        state=StepState.QUEUED,
        holds_record=True,
        outcome=None,
        intent=None,
        result=result if step.result else None,
        due_at=now,
    )


def _wrong(field: str, message: str, code: ProblemCode = ProblemCode.INVALID) -> Problem:
    return Problem(code=code, message=message, field=[field])


def _taken() -> Problem:
    problem = _wrong("stepId", "Somebody else is settling this step now.", ProblemCode.CONFLICT)
    problem.retryable = True
    return problem
