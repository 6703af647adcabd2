"""Reads the operation log, and clears away what is past its time."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from gateway.store.claims import read_step_row
from gateway.store.database import Statement, from_json, known_time, to_json, to_time
from gateway.store.operation_records import (
    Backlog,
    Item,
    Operation,
    OperationStatus,
    Step,
    StepState,
    Waiting,
)

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from gateway.store.database import Row, Transaction, Value


def read_operation(operation_id: str) -> Transaction[Operation | None]:
    """An operation by id."""
    rows = yield Statement("SELECT * FROM operation WHERE id = $1", (operation_id,))
    return _operation(rows[0]) if rows else None


def list_operations(
    caller: str | None, status: OperationStatus | None, first: int, after: Operation | None
) -> Transaction[list[Operation]]:
    """Operations, newest first."""
    values: list[Value] = [first]
    wheres = ["1 = 1"]
    if caller is not None:
        values.append(caller)
        wheres.append(f"caller = ${len(values)}")
    if status is not None:
        values.append(status.value)
        wheres.append(f"status = ${len(values)}")
    if after is not None:
        values += [after.submitted_at, after.id]
        wheres.append(f"(submitted_at, id) < (${len(values) - 1}, ${len(values)})")
    rows = yield Statement(
        f"SELECT * FROM operation WHERE {' AND '.join(wheres)}"  # noqa: S608 - parts from above
        " ORDER BY submitted_at DESC, id DESC LIMIT $1",
        tuple(values),
    )
    return [_operation(row) for row in rows]


def read_items(
    operation_id: str, status: str | None, first: int, after: int
) -> Transaction[list[Item]]:
    """Items behind a position, in order, with their steps."""
    values: tuple[Value, ...] = (operation_id, after, first)
    matching = "" if status is None else " AND status = $4"
    rows = yield Statement(
        "SELECT * FROM item WHERE operation_id = $1 AND position > $2"  # noqa: S608 - parts from above
        f"{matching} ORDER BY position LIMIT $3",
        values if status is None else (*values, status),
    )
    step_rows = yield Statement(
        "SELECT * FROM step WHERE operation_id = $1 AND position IN {any_int $2} ORDER BY id",
        (operation_id, to_json([row["position"] for row in rows])),
    )
    steps: dict[int, list[Step]] = defaultdict(list)
    for row in step_rows:
        steps[row["position"]].append(read_step_row(row))
    return [_item(row, steps[row["position"]]) for row in rows]


def read_step(step_id: int) -> Transaction[Step | None]:
    """A step by id."""
    rows = yield Statement("SELECT * FROM step WHERE id = $1", (step_id,))
    return read_step_row(rows[0]) if rows else None


def waiting_records(
    records: Collection[tuple[str, str]],
) -> Transaction[frozenset[tuple[str, str]] | None]:
    """Those of the records, each a backend and a key, that a step holds that is not through yet.

    None where there is no such step at all: then one row of nulls is missing, too.
    """
    backends = sorted({backend for backend, _ in records})
    keys = sorted({key for _, key in records})
    rows = yield Statement(
        "SELECT DISTINCT backend, record_key FROM step"
        " WHERE holds = 1 AND backend IN {any_of $1} AND record_key IN {any_of $2}"
        " UNION ALL SELECT NULL, NULL WHERE EXISTS (SELECT 1 FROM step WHERE holds = 1)",
        (to_json(backends), to_json(keys)),
        alone=True,
    )
    if not rows:
        return None
    return frozenset((row["backend"], row["record_key"]) for row in rows).intersection(records)


def read_backlog(now: datetime) -> Transaction[Backlog]:
    """What has not ended."""
    operations = yield Statement(
        "SELECT count(*) AS number, min(submitted_at) AS oldest FROM operation"
        " WHERE completed_at IS NULL"
    )
    waiting = yield Statement(
        "SELECT step.backend, step.state, count(*) AS number,"
        " count(CASE WHEN step.state <> 'NEEDS_ATTENTION' AND step.due_at <= $1 THEN 1 END) AS due,"
        " min(operation.submitted_at) AS oldest"
        " FROM operation JOIN step ON step.operation_id = operation.id"
        " WHERE operation.completed_at IS NULL AND step.state <> 'DONE'"
        " GROUP BY step.backend, step.state ORDER BY step.backend, step.state",
        (now,),
    )
    return Backlog(
        operations=operations[0]["number"],
        oldest=to_time(operations[0]["oldest"]),
        due=sum(row["due"] for row in waiting),
        attention=sum(
            row["number"] for row in waiting if row["state"] == StepState.NEEDS_ATTENTION
        ),
        steps=tuple(
            Waiting(
                backend=row["backend"],
                state=StepState(row["state"]),
                number=row["number"],
                oldest=known_time(row["oldest"]),
            )
            for row in waiting
        ),
    )


_ENDED = "operation_id IN (SELECT id FROM operation WHERE completed_at < $1)"


def purge(before: datetime, limit: int) -> Transaction[int]:
    """Remove a batch of what belongs to operations that ended before; gives the number of rows.

    Rows go from the leaves up, so that a great operation is taken apart over several batches.
    """
    removed = 0
    for table, columns, ended in (
        ("event", "operation_id, number", _ENDED),  # of older gateways alone
        ("step", "id", _ENDED),
        ("item", "operation_id, position", _ENDED),
        ("operation", "id", "completed_at < $1"),
    ):
        if removed < limit:
            rows = yield Statement(
                f"DELETE FROM {table} WHERE ({columns}) IN (SELECT {columns} FROM {table}"  # noqa: S608
                f" WHERE {ended} LIMIT $2) RETURNING 1 AS gone",
                (before, limit - removed),
            )
            removed += len(rows)
    return removed


def _operation(row: Row) -> Operation:
    return Operation(
        id=row["id"],
        caller=row["caller"],
        kind=row["kind"],
        status=OperationStatus(row["status"]),
        payload=from_json(row["payload"]),
        payload_version=row["payload_version"],
        submitted_at=known_time(row["submitted_at"]),
        completed_at=to_time(row["completed_at"]),
        total=row["total"],
        completed=row["completed"],
        failed=row["failed"],
        revision=row["revision"],
    )


def _item(row: Row, steps: list[Step]) -> Item:
    return Item(
        operation_id=row["operation_id"],
        position=row["position"],
        external_id=row["external_id"],
        status=row["status"],
        payload=from_json(row["payload"]),
        result=from_json(row["result"]),
        steps=tuple(steps),
    )
