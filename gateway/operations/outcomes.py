"""What becomes of a step once a try of it has ended. Pure, but for the random wait."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from gateway.errors import NotWrittenError
from gateway.model import title
from gateway.results import Outcome, Problem, ProblemCode, UpsertStatus, summarize
from gateway.sending.tries import IN_DOUBT
from gateway.store.operation_records import ItemSummary, StepState
from gateway.stored_values import to_stored

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from strawberry import ID

    from gateway.results import BackendResult
    from gateway.store.operation_records import Step
    from gateway.target import Part

BACKOFF_BASE = 1.0
BACKOFF_CAP = 300.0
"""Seconds; the wait before try n is random between 0 and min(cap, base * 2^n) (full jitter)."""
LONGEST = timedelta(days=1)
"""Waited at most where it is not known how long a step is tried yet."""

FINAL = frozenset(
    {Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED, Outcome.CONFIRMED}
    | {Outcome.REJECTED, Outcome.SKIPPED}
)
FAILED_ITEMS = frozenset({UpsertStatus.PARTIAL, UpsertStatus.UNKNOWN, UpsertStatus.FAILED})


DOUBTFUL = frozenset({Outcome.UNKNOWN, Outcome.PARTIAL})
"""Outcomes after which something was or may be written."""
UNWRITTEN = "unwritten"
"""Stands in the stored result of a step that is tried again: up to which attempt nothing was written
for sure, but what CHANGED tells. One that a dead worker has never told of is not among those."""

MADE = "made"
"""Stands in the stored result of a step whose try has made a record by a call that must not be sent twice,
where what followed it may be: the record's id."""

CHANGED = "changed"
"""Stands in the stored result of a step of which a try did a part: the fields that it has changed."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a step is worked on."""

    give_up_after: timedelta
    """From its acceptance; then it is FAILED for good."""
    follow_for: timedelta
    """How long a backend's job is asked after."""
    look_every: timedelta
    """Between two questions after a job."""


def settled(
    step: Step,
    result: BackendResult,
    *,
    repeatable: bool,
    accepted_at: datetime,
    now: datetime,
    patience: Patience,
) -> Step:
    """The step after a try that came to `result`, which tells from now on what is not known of others.

    `repeatable` says whether what was sent, if anything, may be sent again.
    """
    _look_back(step, result, repeatable=repeatable)
    jobs = jobs_of(step, result)
    step = replace(step, jobs=jobs, intent=None)
    if result.outcome is Outcome.ACCEPTED and jobs:
        kept = to_stored(result) | {"following_since": now.isoformat()}
        return replace(
            step,
            state=StepState.FOLLOWING,
            holds_record=False,
            outcome=result.outcome.value,
            result=kept,
            due_at=now + patience.look_every,
        )
    if result.outcome in FINAL or result.outcome is Outcome.ACCEPTED:
        return done(step, result, now)
    doubtful = result.outcome is Outcome.UNKNOWN
    again = any(problem.retryable for problem in result.errors)
    if doubtful and not (repeatable and again):
        return needs_attention(step, result, now)
    if not again or (result.outcome is Outcome.PARTIAL and not repeatable):
        return done(step, result, now)
    left = accepted_at + patience.give_up_after - now
    if left <= timedelta(0):
        return needs_attention(step, result, now) if doubtful else done(step, result, now)
    return queued_again(step, result, now, left=left)


def _look_back(step: Step, result: BackendResult, *, repeatable: bool) -> None:
    """Tell with a try what those before it did, or what is not known of them."""
    before = step.result or {}
    changed = before.get(CHANGED, [])
    if result.outcome is Outcome.FAILED:
        if _known(step) < step.attempts - 1 or (changed and not repeatable):
            call_in_doubt(result)
        elif changed:
            call_partly_done(result, before.get("id"), changed)
    if result.outcome is Outcome.REJECTED and (CHANGED in before or MADE in before):
        call_partly_done(result, before.get("id"), changed)
    if changed and result.outcome in (Outcome.UPDATED, Outcome.UNCHANGED):
        result.outcome = Outcome.UPDATED
        result.changed_fields = _together(changed, result)


def call_in_doubt(result: BackendResult) -> None:
    """Call UNKNOWN what wrote nothing now, where an earlier try may have done what was asked."""
    result.outcome = Outcome.UNKNOWN
    for problem in result.errors:
        problem.message = f"{problem.message} {IN_DOUBT}"


def call_partly_done(result: BackendResult, record: ID | None, changed: Iterable[str]) -> None:
    """Call PARTIAL what wrote nothing now, where an earlier try has done a part: made `record`, say."""
    result.outcome = Outcome.PARTIAL
    result.id = result.id or record
    result.changed_fields = _together(changed, result)


def _known(step: Step) -> int:
    found: int = (step.result or {}).get(UNWRITTEN, 0)
    return found


def made_by(step: Step) -> str | None:
    """The record that an earlier try has made, and that must not be made again."""
    return (step.result or {}).get(MADE)


def refuse_making_twice(part: Part, made: str | None, by: str, field: Sequence[str] = ()) -> None:
    """Raise NotWrittenError for a write that would make once more the record that is `made` already."""
    if made is None or (part.plan is not None and part.plan.id == made):
        return
    raise NotWrittenError(
        Problem(
            backend=part.backend,
            code=ProblemCode.CONFLICT,
            message=f"{by} has made record {made} in {title(part.backend)}, and the input's keys do "
            "not find it now: nothing was sent, so that it is not made twice.",
            field=list(field),
            retryable=True,
        )
    )


def _together(changed: Iterable[str], result: BackendResult) -> list[str]:
    """The fields that were changed before, with this try's."""
    return list(dict.fromkeys([*changed, *result.changed_fields]))


def _stored(step: Step, result: BackendResult) -> dict[str, Any]:
    """A result as it is stored for the step's next try."""
    kept = {name: value for name, value in (step.result or {}).items() if name in (MADE, CHANGED)}
    if kept and result.id is None:
        result = replace(result, id=(step.result or {}).get("id"))
    stored: dict[str, Any] = to_stored(result)
    return stored | kept


def jobs_of(step: Step, result: BackendResult) -> tuple[str, ...]:
    """The ids of a step's jobs, those that a call has brought among them; each once."""
    return tuple(dict.fromkeys([*step.jobs, *(str(job.id) for job in result.jobs)]))


def done(step: Step, result: BackendResult, now: datetime) -> Step:
    """The step at its end."""
    return replace(
        step,
        state=StepState.DONE,
        outcome=result.outcome.value,
        result=to_stored(result),
        intent=None,
        due_at=now,
    )


def needs_attention(step: Step, result: BackendResult, now: datetime) -> Step:
    """The step as it waits for a person."""
    return replace(
        step,
        state=StepState.NEEDS_ATTENTION,
        outcome=Outcome.UNKNOWN.value,
        result=_stored(step, replace(result, outcome=Outcome.UNKNOWN)),
        due_at=now,
    )


def queued_again(
    step: Step, result: BackendResult, now: datetime, *, left: timedelta = LONGEST
) -> Step:
    """The step as it waits for its next try, with what kept the last one from succeeding.

    `left` is how long it is tried yet. A backend that asks for more than that has the last try then:
    neither this write nor those behind it on its record wait for years because of one answer's header.
    """
    asked = [problem.retry_after_seconds or 0.0 for problem in result.errors]
    longest = min(BACKOFF_CAP, BACKOFF_BASE * 2 ** min(step.attempts, 16))
    wait = max([*asked, random.uniform(0, longest)])  # noqa: S311 - jitter needs no secrecy
    wait = min(wait, left.total_seconds())
    known, partly = _known(step), result.outcome is Outcome.PARTIAL
    surely_nothing = result.outcome not in DOUBTFUL and known == step.attempts - 1
    if surely_nothing or (partly and result.changed_fields and made_by(step) is None):
        known = step.attempts
    stored = _stored(step, replace(result, outcome=Outcome.QUEUED)) | {UNWRITTEN: known}
    if partly:
        stored[CHANGED] = _together((step.result or {}).get(CHANGED, []), result)
    return replace(
        step,
        state=StepState.QUEUED,
        outcome=None,
        result=stored,
        intent=None,
        due_at=now + timedelta(seconds=wait),
    )


def sum_up(outcomes: Sequence[str | None]) -> ItemSummary:
    """What an item's steps come to; one without an outcome is still on its way."""
    status = summarize(Outcome(name) if name else Outcome.QUEUED for name in outcomes)
    failed = status in FAILED_ITEMS or status is UpsertStatus.REJECTED
    return ItemSummary(status=status.value, failed=failed)


def tell_beside(result: BackendResult, problems: Sequence[Problem]) -> None:
    """Tell with a target's result the problems of its whole input; none twice."""
    result.errors += [one for one in problems if one not in result.errors]


def ended_unseen(step: Step, result: BackendResult) -> BackendResult:
    """The result of a write that must not be repeated, and whose worker died over it."""
    return replace(
        result,
        outcome=Outcome.UNKNOWN,
        errors=[
            Problem(
                backend=result.backend,
                code=ProblemCode.TIMEOUT,
                message=f"The gateway was ended while it sent this write to {step.backend}, which "
                "must not be sent twice: it may or may not have been done. Look there, then settle "
                f"step {step.id} with resolveStep.",
            )
        ],
    )
