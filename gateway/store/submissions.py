"""Stores a new operation with its items and steps: what is stored here will be delivered."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from gateway.store.database import Batch, Statement, to_json
from gateway.store.errors import KeyLostError
from gateway.store.idempotency import finish_with_operation
from gateway.store.operation_records import MAYBE_WRITTEN, OperationStatus, StepState

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from gateway.store.database import Transaction, Value
    from gateway.store.idempotency import KeyUse
    from gateway.store.operation_records import NewOperation

ORDER_LOCKS = 64
ORDER_LOCK = 0x73746570
"""Class of the PostgreSQL advisory locks that keep the order of acceptance; see `_lock_order`."""


def submit(operation: NewOperation, key: KeyUse | None, now: datetime) -> Transaction[bool]:
    """True when it is stored now, False when an operation of that id was there before."""
    yield _lock_order(f"{s.backend}:{s.record_key}" for item in operation.items for s in item.steps)
    ended = [item for item in operation.items if item.ended]
    failed = sum(item.failed for item in ended)
    open_ = len(ended) < len(operation.items)
    written = any(item.status in MAYBE_WRITTEN for item in ended)
    status = OperationStatus.PENDING if open_ else final_status(len(ended), failed, written=written)
    rows = yield Statement(
        "INSERT INTO operation (id, caller, kind, status, payload, payload_version, submitted_at,"
        " completed_at, total, completed, failed, attention, revision)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, 1)"
        " ON CONFLICT (id) DO NOTHING RETURNING id",
        (
            operation.id,
            operation.caller,
            operation.kind,
            status.value,
            to_json(operation.payload),
            operation.payload_version,
            now,
            None if open_ else now,
            len(operation.items),
            len(ended),
            failed,
        ),
    )
    if not rows:
        return False
    yield Batch(
        "INSERT INTO item (operation_id, position, external_id, status, ended, failed, attention,"
        " payload, result) VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8)",
        _item_rows(operation),
    )
    yield Batch(
        "INSERT INTO step (operation_id, position, backend, name, record_key, state, holds,"
        " attempts, due_at, fence, outcome, result, jobs)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, 0, $9, $10, '[]')",
        _step_rows(operation, now),
    )
    if key is not None and not (yield from finish_with_operation(key, operation.id)):
        raise KeyLostError("Another request has taken the idempotency key over.")
    return True


def final_status(total: int, failed: int, *, written: bool) -> OperationStatus:
    """The status of an operation whose items have all ended.

    `written` tells, where all of them count as failed, whether one of them is MAYBE_WRITTEN.
    """
    if failed == 0:
        return OperationStatus.SUCCEEDED
    return OperationStatus.PARTIAL if failed < total or written else OperationStatus.FAILED


def _item_rows(operation: NewOperation) -> list[tuple[Value, ...]]:
    return [
        (
            operation.id,
            position,
            item.external_id,
            item.status,
            int(item.ended),
            int(item.ended and item.failed),
            to_json(item.payload),
            None if item.result is None else to_json(item.result),
        )
        for position, item in enumerate(operation.items)
    ]


def _step_rows(operation: NewOperation, now: datetime) -> list[tuple[Value, ...]]:
    return [
        (
            operation.id,
            position,
            step.backend,
            step.name,
            step.record_key,
            (StepState.QUEUED if step.outcome is None else StepState.DONE).value,
            int(step.outcome is None),
            now,
            step.outcome,
            None if step.result is None else to_json(step.result),
        )
        for position, item in enumerate(operation.items)
        for step in item.steps
    ]


def _lock_order(records: Iterable[str]) -> Statement:
    """Lets submissions that touch the same record commit one after the other on PostgreSQL.

    Step ids are drawn before the commit. Without this, a step with a smaller id could appear after
    one with a greater id on the same record has been claimed, and overtake nobody and everybody.
    The records share a few locks, so that a submission of thousands takes no more than those; they
    are taken in one order, so that two submissions cannot wait for each other.
    """
    locks = sorted({zlib.crc32(record.encode()) % ORDER_LOCKS for record in records})
    return Statement(
        f"SELECT pg_advisory_xact_lock({ORDER_LOCK}, CAST(bucket AS int))"  # noqa: S608 - a constant
        " FROM jsonb_array_elements_text(CAST($1 AS jsonb)) AS bucket",
        (to_json(locks),),
        lock_only=True,
    )
