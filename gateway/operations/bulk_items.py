"""The inputs of a bulk as items of its operation: how they are stored, and which are run again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.operations.acceptance import is_run_again
from gateway.operations.outcomes import sum_up
from gateway.operations.payloads import kept_step
from gateway.results import Outcome, Problem, UpsertStatus
from gateway.store.operation_records import BULK_CONTACT, NewItem, NewStep, StepState
from gateway.stored_values import from_stored, to_stored

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.operations.bulk_checks import Checked
    from gateway.store.operation_records import Item, Operation


def problems_of(item: Item) -> list[Problem]:
    """Why an item was rejected before anything of it was stored for delivery."""
    return [from_stored(Problem, one) for one in (item.result or {}).get("errors", [])]


def runs_again(operation: Operation, items: Sequence[Item]) -> bool:
    """Whether a repeated key has something to run: all has ended, and not all of it for good."""
    return operation.completed_at is not None and any(map(has_failed, items))


def has_failed(item: Item) -> bool:
    """Whether anything of an item that has ended is to be run again.

    One that was rejected has no steps but those that were done before.
    """
    return bool(problems_of(item)) or any(is_run_again(step) for step in item.steps)


def new_item(given: object, checked: Checked | None, before: Item | None) -> NewItem:
    """An input as it is stored: to be delivered, rejected, or done already as it was `before`.

    `checked` is None for one that is not delivered again.
    """
    kept = [] if before is None else _kept(before)
    payload = {"input": to_stored(given)}
    if checked is None:
        if before is None:
            raise AssertionError("an input that is not checked was delivered before")
        summary = sum_up([step.outcome for step in kept])
        return NewItem(
            external_id=before.external_id,
            status=summary.status,
            payload=payload,
            steps=kept,
            failed=summary.failed,
        )
    if checked.problems:
        # What is not kept of it has no steps, and is rejected.
        summary = sum_up([*(step.outcome for step in kept), Outcome.REJECTED.value])
        return NewItem(
            external_id=checked.external_id,
            status=summary.status,
            payload=payload,
            steps=kept,
            result={"errors": to_stored(checked.problems)},
            failed=summary.failed,
        )
    return NewItem(
        external_id=checked.external_id,
        status=UpsertStatus.PENDING.value,
        payload=payload,
        steps=[*kept, *_to_be_done(checked, {step.backend for step in kept})],
    )


def _kept(before: Item) -> list[NewStep]:
    """The steps that have ended and stay as they are."""
    return [
        kept_step(step)
        for step in before.steps
        if step.state is StepState.DONE and not is_run_again(step)
    ]


def _to_be_done(checked: Checked, done: set[str]) -> list[NewStep]:
    """The steps of the other targets, to be delivered."""
    return [
        NewStep(backend=backend.value, name=BULK_CONTACT, record_key=key)
        for backend, key in checked.records.items()
        if backend.value not in done
    ]
