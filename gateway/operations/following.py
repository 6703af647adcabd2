"""Asks after a backend's jobs until they have ended, and looks at what a failed one has left."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from gateway.backends.adapter import ReadsBack
from gateway.deciding import siblings_of
from gateway.errors import BackendFailure
from gateway.model import Backend, title
from gateway.names import Loaders
from gateway.operations.acceptance import result_of
from gateway.operations.outcomes import done
from gateway.planning import prepare
from gateway.results import ImportJob, JobStatus, Outcome, Problem, ProblemCode
from gateway.stored_values import to_stored

if TYPE_CHECKING:
    from gateway.backends.adapter import Adapter, Found
    from gateway.operations.delivering import Delivering
    from gateway.operations.outcomes import Patience
    from gateway.results import BackendResult
    from gateway.store.operation_records import ClaimedStep, Step
    from gateway.target import Target

log = structlog.get_logger()

SLOWER, SLOWEST = 1.5, 12.0
"""Each question after a job comes later than the one before, up to so many times as late."""


@dataclass(frozen=True, kw_only=True)
class Following:
    """Follows jobs."""

    delivering: Delivering
    patience: Patience

    async def look(self, claimed: ClaimedStep, now: datetime) -> Step:
        """The step after its jobs were asked after."""
        step, result = claimed.step, result_of(claimed.step)
        since = datetime.fromisoformat((step.result or {})["following_since"])
        ended = await self._ended(claimed, result)
        if ended is not None:
            return done(step, ended, now)
        if now - since >= self.patience.follow_for:
            return done(step, _unconfirmed(result), now)
        # The later it is, the less it matters to know at once.
        every = self.patience.look_every
        wait = min(every * SLOWEST, max(every, (now - since) * (SLOWER - 1)))
        kept = dict(step.result or {})
        kept["jobs"] = [_stored(job) for job in result.jobs]
        return replace(step, result=kept, due_at=now + wait)

    async def _ended(self, claimed: ClaimedStep, result: BackendResult) -> BackendResult | None:
        """What the write has come to, by its jobs, whose state is noted in `result`.

        None while they go on, or cannot be asked after. Where the backend knows no such job, the record
        may show that the write is done, and nothing shows that it is not.
        """
        adapter = self.delivering.adapters.get(Backend(claimed.step.backend))
        known = await self._jobs(claimed, adapter) if adapter else None
        if adapter is None or known is None:
            return None
        held = {str(job.id): job for job in result.jobs}
        each = [job or held.get(one) for one, job in zip(claimed.step.jobs, known, strict=True)]
        result.jobs = jobs = [job for job in each if job is not None]
        if None in known:
            shown = await self._compared(claimed, adapter, result)
            return shown if shown and shown.outcome is Outcome.CONFIRMED else None
        if all(job.status is JobStatus.COMPLETED for job in jobs):
            seen = await self._is_seen(claimed, adapter, result)
            return replace(result, outcome=Outcome.CONFIRMED) if seen else None
        if any(job.status is JobStatus.PENDING for job in jobs):
            return None
        return await self._compared(claimed, adapter, result)

    async def _jobs(self, claimed: ClaimedStep, adapter: Adapter) -> list[ImportJob | None] | None:
        """How the jobs stand, None for one that is not known; None while that cannot be asked."""
        exchange = self.delivering.exchange(claimed)
        jobs: list[ImportJob | None] = []
        for job_id in claimed.step.jobs:
            try:
                job = await adapter.job(job_id, exchange)
            except BackendFailure as failure:
                log.info("job not readable", backend=claimed.step.backend, why=failure.problem.code)
                return None
            jobs.append(job)
        return jobs

    async def _compared(
        self, claimed: ClaimedStep, adapter: Adapter, result: BackendResult
    ) -> BackendResult | None:
        """What is to be said of a contact whose job ended with errors, by reading it back.

        None while it cannot be read.
        """
        mine, siblings = await self._found_again(claimed, result)
        if mine.found is None or not isinstance(adapter, ReadsBack):
            return None
        try:
            found = await adapter.read_back(mine.found, mine.exchange)
            plan = adapter.plan(mine.write, found, mine.resolution, siblings)
        except BackendFailure:
            return None
        if not plan.calls and not plan.problems:
            return replace(result, outcome=Outcome.CONFIRMED)
        if adapter.may_be_overwritten(result, found):
            return _overwritten(result)
        problem = _not_taken(result.backend, list(plan.changed))
        return replace(result, outcome=Outcome.FAILED, errors=[problem])

    async def _is_seen(self, claimed: ClaimedStep, adapter: Adapter, result: BackendResult) -> bool:
        """Whether the contact shows what its completed jobs have done, where that is in doubt."""
        if not isinstance(adapter, ReadsBack) or not adapter.must_be_seen(result):
            return True
        mine, _ = await self._found_again(claimed, result)
        if mine.found is None:
            return False
        try:
            return adapter.is_seen(result, await adapter.read_back(mine.found, mine.exchange))
        except BackendFailure:
            return False

    async def _found_again(
        self, claimed: ClaimedStep, result: BackendResult
    ) -> tuple[Target, dict[Backend, Found]]:
        """The step's target, looked up anew, and what its siblings have."""
        targets = self.delivering.targets(claimed)
        mine = next(target for target in targets if target.backend is result.backend)
        loaders = Loaders(self.delivering.exchange(claimed))
        prepared = await prepare(targets, [], loaders, self.delivering.seconds)
        await prepared.cancel_look_ups()
        return mine, siblings_of(mine, prepared.targets)


def _stored(job: ImportJob) -> dict[str, object]:
    stored: dict[str, object] = to_stored(job)
    return stored


def _unconfirmed(result: BackendResult) -> BackendResult:
    """What is said of a job that has not ended within the limit."""
    jobs = [
        replace(job, status=JobStatus.UNCONFIRMED) if job.status is JobStatus.PENDING else job
        for job in result.jobs
    ]
    name = title(result.backend)
    says_done = all(job.status is JobStatus.COMPLETED for job in jobs)
    problem = Problem(
        backend=result.backend,
        code=ProblemCode.UNCONFIRMED,
        message=f"{name} says that the write is done, and does not show it within the gateway's limit."
        if says_done
        else f"{name} has accepted the write, and did not say within the gateway's limit that it "
        "is done.",
    )
    return replace(
        result, outcome=Outcome.ACCEPTED, jobs=jobs, warnings=[*result.warnings, problem]
    )


def _overwritten(result: BackendResult) -> BackendResult:
    """What is said of a contact that was written since, by whom and however."""
    problem = Problem(
        backend=result.backend,
        code=ProblemCode.UNCONFIRMED,
        message=f"{title(result.backend)} accepted the write in a job that ended with errors, and the "
        "contact was written since: whether this write was done, and then another over it, cannot be "
        "told.",
    )
    return replace(result, outcome=Outcome.ACCEPTED, warnings=[*result.warnings, problem])


def _not_taken(backend: Backend, changed: list[str]) -> Problem:
    told = f" It does not hold {', '.join(changed)} as sent." if changed else ""
    return Problem(
        backend=backend,
        code=ProblemCode.BACKEND_ERROR,
        message=f"{title(backend)} accepted the write in a job that ended with errors.{told}",
    )
