"""Takes durable writes: stored in one commit, answered at once, delivered by the worker."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from gateway.operations.keyed import KeyRefusedError, utc_now
from gateway.results import BackendResult, Outcome, Problem, ProblemCode
from gateway.store.errors import (
    KeyLostError,
    StoreError,
    StoreUnavailableError,
    StoreUntouchedError,
)
from gateway.store.operation_records import StepState
from gateway.stored_values import from_stored

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from gateway.model import Backend
    from gateway.store.idempotency import KeyUse
    from gateway.store.operation_records import NewOperation, Step
    from gateway.store.operations import Operations

log = structlog.get_logger()


FAILED = frozenset({Outcome.FAILED.value, Outcome.REJECTED.value, Outcome.SKIPPED.value})
"""Outcomes that a repeated key runs again."""
GIVEN_UP = "given_up"
"""Stands in the stored result of a step that a person has given up. It may have been written, so
that a repeated key does not run it again."""


class NotAcceptedError(Exception):
    """A durable write was not stored, or nobody knows whether it was."""

    def __init__(self, problem: Problem, outcome: Outcome) -> None:
        super().__init__(problem.message)
        self.problem = problem
        self.outcome = outcome


@dataclass(frozen=True, kw_only=True)
class FoundOperation:
    """The operation of one input, as it is now."""

    operation_id: str | None
    steps: Sequence[Step] = ()

    @property
    def results(self) -> list[BackendResult]:
        """What its targets have come to."""
        return [result_of(step) for step in self.steps]

    @property
    def runs_again(self) -> bool:
        """Whether a repeated key has something to run: all has ended, and not all of it well."""
        ended = all(step.state is StepState.DONE for step in self.steps)
        return ended and any(map(is_run_again, self.steps))

    @property
    def kept(self) -> list[Step]:
        """The steps that a repeated key gives back as they are."""
        return [step for step in self.steps if not is_run_again(step)]


@dataclass(kw_only=True)
class Acceptance:
    """Where durable writes are stored."""

    operations: Operations
    wake: Callable[[], None] = lambda: None
    """Tells the worker that there is work."""
    clock: Callable[[], datetime] = field(default=utc_now)
    heard: Callable[[NewOperation], None] = lambda _operation: None
    """Hears of what was stored."""

    async def store(self, operation: NewOperation, use: KeyUse | None) -> None:
        """Store it, so that from now on it is delivered whatever happens.

        `use` is the idempotency key that it answers. Raises NotAcceptedError.
        """
        try:
            await self._submit(operation, use)
        except KeyLostError:
            raise NotAcceptedError(_taken_over(), Outcome.FAILED) from None
        except StoreError as error:
            log.exception("durable write not stored")
            if _may_be_stored(error):
                raise NotAcceptedError(_perhaps_stored(operation.id), Outcome.UNKNOWN) from error
            raise NotAcceptedError(_not_stored(), Outcome.FAILED) from error
        self.heard(operation)
        self.wake()

    async def _submit(self, operation: NewOperation, use: KeyUse | None) -> None:
        try:
            await self.operations.submit(operation, now=self.clock(), key=use)
        except StoreUnavailableError as first:
            # The connection may have broken behind the commit. A second one of the same id is none.
            try:
                await self.operations.submit(operation, now=self.clock(), key=use)
            except StoreUntouchedError:
                raise first from None  # which says of both what is known

    async def found(self, operation_id: str | None) -> FoundOperation:
        """What the operation of a key has come to; raises KeyRefusedError when that is not known."""
        try:
            operation = await self.operations.read_operation(operation_id or "")
            items = await self.operations.read_items(operation_id or "", first=1)
        except StoreError as error:
            log.exception("operation not read")
            raise KeyRefusedError(_not_readable(), rejected=False) from error
        if operation is None or not items:
            return FoundOperation(operation_id=operation_id)
        return FoundOperation(operation_id=operation_id, steps=items[0].steps)


def is_run_again(step: Step) -> bool:
    """Whether a step that has ended is run again by a repeated key."""
    return step.outcome in FAILED and not was_given_up(step)


def was_given_up(step: Step) -> bool:
    """Whether a person has said that it is not to be tried any more."""
    return bool((step.result or {}).get(GIVEN_UP))


def result_of(step: Step) -> BackendResult:
    """What a step has come to so far."""
    if step.result is None:
        return queued(step.backend)
    return from_stored(BackendResult, step.result)


def queued(backend: Backend | str) -> BackendResult:
    """The result of a step that was not tried yet."""
    return from_stored(
        BackendResult,
        {
            "backend": backend if isinstance(backend, str) else backend.value,
            "outcome": Outcome.QUEUED.value,
        },
    )


def _may_be_stored(error: StoreError) -> bool:
    return isinstance(error, StoreUnavailableError) and not isinstance(error, StoreUntouchedError)


def _not_readable() -> Problem:
    return Problem(
        code=ProblemCode.UNAVAILABLE,
        message="The gateway's store cannot be used now: repeat the call for its payload.",
        field=["idempotencyKey"],
        retryable=True,
    )


def _not_stored() -> Problem:
    return Problem(
        code=ProblemCode.UNAVAILABLE,
        message="The gateway's store cannot be used now: the write was not stored, and will not be "
        "delivered. Repeat it.",
        retryable=True,
    )


def _perhaps_stored(operation_id: str) -> Problem:
    return Problem(
        code=ProblemCode.UNAVAILABLE,
        message="The gateway's store did not say whether it has the write. If it has, it is "
        f"delivered as operation {operation_id}; repeat it only where twice does no harm.",
        retryable=True,
    )


def _taken_over() -> Problem:
    return Problem(
        code=ProblemCode.CONFLICT,
        message="Another call with the same idempotencyKey has gone on with this one; nothing was "
        "stored by it.",
        field=["idempotencyKey"],
        retryable=True,
    )
