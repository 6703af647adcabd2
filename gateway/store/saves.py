"""Writes what became of steps, and what that makes of their items and operations."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from gateway.store.database import Batch, Statement, to_json, to_time
from gateway.store.operation_records import MAYBE_WRITTEN, OperationStatus, StepState
from gateway.store.submissions import final_status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from gateway.store.database import Row, Transaction, Value
    from gateway.store.operation_records import ItemSummary, Save, Step

Summarize: TypeAlias = "Callable[[Sequence[str | None]], ItemSummary]"
"""What the outcomes of an item's steps come to; None for a step that has none yet."""

ItemKey: TypeAlias = tuple[str, int]

# The steps to be saved, and with them the other steps of their items.
_READ = """
    SELECT step.id, step.operation_id, step.position, step.state, step.outcome, step.holds,
        step.owner, step.fence, item.ended, item.failed, item.attention
    FROM step
    JOIN item ON item.operation_id = step.operation_id AND item.position = step.position
    WHERE (step.operation_id, step.position)
        IN (SELECT operation_id, position FROM step WHERE id IN {any_int $1})
    ORDER BY step.id {for_update_of step}
"""

_UPDATE_STEP = """
    UPDATE step SET state = $2, holds = $3, due_at = $4, owner = $5, outcome = $6, intent = $7,
        result = $8, jobs = $9
    WHERE id = $1
"""


@dataclass(slots=True)
class _Delta:
    """What a save adds to an operation's counts."""

    ended: int = 0
    failed: int = 0
    attention: int = 0


def save(saves: Sequence[Save], summarize: Summarize, now: datetime) -> Transaction[frozenset[int]]:
    """Save claimed steps; gives the places of those that were lost to another, and are not saved.

    Operations are locked before steps, both in one order, so that two savers never wait for each
    other and an item's outcomes are summed up by one of them at a time.
    """
    operations = yield Statement(
        "SELECT * FROM operation WHERE id IN {any_of $1} ORDER BY id {for_update}",
        (to_json(sorted({save.step.operation_id for save in saves})),),
    )
    rows = yield Statement(_READ, (to_json([save.step.id for save in saves]),))
    stored = {row["id"]: row for row in rows}
    held = {save.step.id: save for save in saves if _is_held(save.step, stored)}
    if held:
        yield Batch(
            _UPDATE_STEP, [_step_row(save, stored[number]) for number, save in held.items()]
        )
        items, deltas = _sum_up_items(rows, held, summarize)
        if items:
            yield Batch(
                "UPDATE item SET status = $3, ended = $4, failed = $5, attention = $6"
                " WHERE operation_id = $1 AND position = $2",
                items,
            )
        yield from _save_operations(operations, list(held.values()), deltas, now)
    # By save, not by step: of two that bring one step, one may have lost it to the other.
    return frozenset(place for place, one in enumerate(saves) if held.get(one.step.id) is not one)


def _is_held(step: Step, stored: Mapping[int, Row]) -> bool:
    row = stored.get(step.id)
    return row is not None and row["owner"] is not None and row["fence"] == step.fence


def _step_row(save: Save, stored: Row) -> tuple[Value, ...]:
    step = save.step
    holds = step.state is StepState.QUEUED or (
        step.state is StepState.FOLLOWING and step.holds_record
    )
    if holds and not stored["holds"] and save.keep_until is not None:
        raise ValueError("A step that wants its record again gives its lease back, and waits.")
    return (
        step.id,
        step.state.value,
        int(holds),
        save.keep_until or step.due_at,
        None if save.keep_until is None else step.owner,
        step.outcome,
        None if step.intent is None else to_json(step.intent),
        None if step.result is None else to_json(step.result),
        to_json(list(step.jobs)),
    )


def _sum_up_items(
    rows: Sequence[Row], held: Mapping[int, Save], summarize: Summarize
) -> tuple[list[tuple[Value, ...]], dict[str, _Delta]]:
    """The new values of items whose steps have news, and what that adds to operations' counts."""
    siblings: dict[ItemKey, list[Row]] = defaultdict(list)
    for row in rows:
        siblings[row["operation_id"], row["position"]].append(row)
    updates: list[tuple[Value, ...]] = []
    deltas: dict[str, _Delta] = defaultdict(_Delta)
    for key, steps in siblings.items():
        before = [(row["state"], row["outcome"]) for row in steps]
        after = [_state_and_outcome(row, held.get(row["id"])) for row in steps]
        if before == after:
            continue
        summary = summarize([outcome for _, outcome in after])
        states = {state for state, _ in after}
        ended = states == {StepState.DONE}
        failed = ended and summary.failed
        attention = StepState.NEEDS_ATTENTION in states
        delta, item = deltas[key[0]], steps[0]
        delta.ended += ended - item["ended"]
        delta.failed += failed - item["failed"]
        delta.attention += attention - item["attention"]
        updates.append((*key, summary.status, int(ended), int(failed), int(attention)))
    return updates, deltas


def _state_and_outcome(row: Row, new: Save | None) -> tuple[str, str | None]:
    if new is None:
        return row["state"], row["outcome"]
    return new.step.state.value, new.step.outcome


def _save_operations(
    operations: Sequence[Row], saves: Sequence[Save], deltas: dict[str, _Delta], now: datetime
) -> Transaction[None]:
    updates: list[tuple[Value, ...]] = []
    written = yield from _written_in_part(operations, deltas)
    for operation in operations:
        mine = [save for save in saves if save.step.operation_id == operation["id"]]
        if not mine:
            continue
        completed, failed, attention = _counts(operation, deltas)
        status, completed_at = _status(
            operation, completed, failed, attention, now, written=operation["id"] in written
        )
        revision = operation["revision"] + len(mine)
        updates.append(
            (operation["id"], status, completed_at, completed, failed, attention, revision)
        )
    yield Batch(
        "UPDATE operation SET status = $2, completed_at = $3, completed = $4, failed = $5,"
        " attention = $6, revision = $7 WHERE id = $1",
        updates,
    )


def _status(
    operation: Row, completed: int, failed: int, attention: int, now: datetime, *, written: bool
) -> tuple[str, datetime | None]:
    if completed == operation["total"]:
        ended_at = to_time(operation["completed_at"]) or now
        return final_status(completed, failed, written=written).value, ended_at
    waiting = attention > 0
    return (OperationStatus.NEEDS_ATTENTION if waiting else OperationStatus.RUNNING).value, None


def _counts(operation: Row, deltas: Mapping[str, _Delta]) -> tuple[int, int, int]:
    """The operation's counts after the save: items that have ended, failed, and want attention."""
    delta = deltas.get(operation["id"], _Delta())
    return (
        operation["completed"] + delta.ended,
        operation["failed"] + delta.failed,
        operation["attention"] + delta.attention,
    )


def _written_in_part(
    operations: Sequence[Row], deltas: Mapping[str, _Delta]
) -> Transaction[frozenset[str]]:
    """Those of the operations whose items have all failed, but not all of them wholly.

    The items are stored by now, and those that other savers have ended are committed: they had the
    operation's lock before.
    """
    failed = [
        operation["id"]
        for operation in operations
        if _counts(operation, deltas)[:2] == (operation["total"], operation["total"])
    ]
    if not failed:
        return frozenset()
    rows = yield Statement(
        "SELECT DISTINCT operation_id FROM item"
        " WHERE operation_id IN {any_of $1} AND status IN {any_of $2}",
        (to_json(failed), to_json(MAYBE_WRITTEN)),
    )
    return frozenset(row["operation_id"] for row in rows)
