"""A plan's calls, one after the other, and what they came to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from strawberry import ID

from gateway.calls import Safety, filled, shown
from gateway.errors import BackendFailure
from gateway.results import BackendResult, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.backends.adapter import Answer, Plan
    from gateway.calls import Call, Reply
    from gateway.model import Backend
    from gateway.target import Journal
    from gateway.upstream import Exchange


class Writes(Protocol):
    """What sends a plan's calls and reads their answers: an adapter, or the leads of one."""

    backend: Backend

    async def send(self, call: Call, exchange: Exchange) -> Reply:
        """The backend's successful answer to a writing call, which may leave with others' calls.

        Raises RefusedError, NotWrittenError or MaybeWrittenError, by what is known of the call.
        """
        ...

    def read_answer(self, call: Call, reply: Reply) -> Answer:
        """What a successful reply to a writing call says."""
        ...


def is_repeatable(calls: Iterable[Call]) -> bool:
    """Whether all of these calls may be sent twice."""
    return Safety.ONCE not in [call.safety for call in calls]


async def deliver(
    plan: Plan, adapter: Writes, exchange: Exchange, journal: Journal | None = None
) -> BackendResult:
    """The result of a plan's calls; the first one that fails ends them.

    A failure after a call that took effect is PARTIAL; before, it is what is known of the call.
    """
    result = planned(plan, adapter.backend, plan.outcome)
    replies: list[Reply] = []
    try:
        for call in plan.calls:
            reply = await adapter.send(filled(call, replies), exchange)
            replies.append(reply)
            answer = adapter.read_answer(call, reply)
            result.id = ID(answer.id) if answer.id is not None else result.id
            result.jobs += answer.jobs
            if journal is not None and len(replies) < len(plan.calls):
                left = plan.calls[len(replies) :]
                await journal.answered(result, repeatable=is_repeatable(left))
        if result.outcome is Outcome.ACCEPTED and not result.jobs:
            result.outcome = Outcome.CONFIRMED  # nothing of it is left to be done
    except BackendFailure as failure:
        result.outcome = Outcome.PARTIAL if replies else failure.outcome
        result.errors.append(failure.problem)
        result.changed_fields = _changed_so_far(plan, len(replies))
    finally:
        result.calls = exchange.calls
    return result


def _changed_so_far(plan: Plan, answered: int) -> list[str]:
    """The fields that a plan's first calls have changed; the others have not been carried yet."""
    if answered == 0:
        return []
    done = {name for call in plan.calls[:answered] for name in call.carries}
    undone = {name for call in plan.calls[answered:] for name in call.carries} - done
    return [name for name in plan.changed if name not in undone]


def planned(plan: Plan, backend: Backend, outcome: Outcome) -> BackendResult:
    """The result of a plan before any call: what would change, and what is ignored."""
    return BackendResult(
        backend=backend,
        outcome=outcome,
        id=ID(plan.id) if plan.id is not None else None,
        matched_by=plan.matched_by,
        changed_fields=list(plan.changed),
        ignored_fields=list(plan.ignored),
        errors=list(plan.problems),
        warnings=list(plan.warnings),
    )


def dry_run(plan: Plan, backend: Backend) -> BackendResult:
    """The result of a plan that is not delivered, with the calls that would be made."""
    result = planned(plan, backend, Outcome.PLANNED)
    result.calls = [shown(call) for call in plan.calls]
    return result
