"""Takes steps in hand: those whose time has come, and those whose holder has died."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.store.database import Statement, from_json, known_time, to_json
from gateway.store.operation_records import ClaimedStep, Step, StepState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gateway.store.database import Row, Transaction
    from gateway.store.operation_records import Which

# A step is due when its time has come and, if it holds its record, no other step stands in front:
# none accepted earlier that still holds the record, and none in hand (one that a person has put
# back into the queue may be earlier than the one that was let go meanwhile). What kind it is of stands
# in the text, as it does in the indexes of what is due: who looks for one kind passes none of another.
_CLAIM = """
    WITH due AS (
        SELECT id AS step_id FROM step AS mine
        WHERE {kind} AND due_at <= $1 AND (backend IN {any_of $5})
        AND (holds = 0 OR NOT EXISTS (
            SELECT 1 FROM step AS other
            WHERE other.backend = mine.backend AND other.record_key = mine.record_key
            AND other.holds = 1 AND other.id <> mine.id
            AND (other.id < mine.id OR other.owner IS NOT NULL)
        ))
        ORDER BY due_at, id LIMIT $4 {for_update} {skip_locked}
    )
    UPDATE step SET owner = $2, fence = fence + 1, due_at = $3,
        attempts = attempts + CASE WHEN state = 'QUEUED' THEN 1 ELSE 0 END
    FROM due WHERE step.id = due.step_id
    RETURNING id
"""

_OTHERS = (_CLAIM.replace("{kind}", "state IN ('QUEUED', 'FOLLOWING') AND name <> 'BULK_CONTACT'"),)
_BULK = (
    _CLAIM.replace("{kind}", "state = 'FOLLOWING' AND name = 'BULK_CONTACT'"),
    _CLAIM.replace("{kind}", "state = 'QUEUED' AND name = 'BULK_CONTACT'"),
)

_READ_CLAIMED = """
    SELECT step.*, operation.caller, operation.kind, operation.payload AS shared,
        operation.payload_version, item.external_id, item.payload
    FROM step
    JOIN item ON item.operation_id = step.operation_id AND item.position = step.position
    JOIN operation ON operation.id = step.operation_id
    WHERE step.id IN {any_int $1}
    ORDER BY step.id
"""


def claim_due(
    owner: str, which: Which, until: datetime, now: datetime, limit: int
) -> Transaction[list[ClaimedStep]]:
    """The steps that are the owner's from now on, in the order of their acceptance.

    Of bulks as many that follow a job as there are to be delivered: those are due later than whatever
    was stored before, and nothing would end before all of a great bulk was sent.
    """
    rows: list[Row] = []
    for sql in _BULK if which.bulk else _OTHERS:
        rows += yield Statement(sql, (now, owner, until, limit, to_json(list(which.backends))))
    if not rows:
        return []
    claimed = yield from _read_claimed(rows)
    yield from _mark_running({step.step.operation_id for step in claimed})
    return claimed


def claim_for_person(
    step_id: int, owner: str, until: datetime, now: datetime
) -> Transaction[ClaimedStep | None]:
    """A step that waits for a person, unless somebody has it in hand."""
    rows = yield Statement(
        "UPDATE step SET owner = $2, fence = fence + 1, due_at = $3"
        " WHERE id = $1 AND state = 'NEEDS_ATTENTION' AND (owner IS NULL OR due_at <= $4)"
        " RETURNING id",
        (step_id, owner, until, now),
    )
    claimed = (yield from _read_claimed(rows)) if rows else []
    return claimed[0] if claimed else None


def renew(steps: Sequence[Step], until: datetime) -> Transaction[frozenset[int]]:
    """Prolong leases; gives the ids of the steps that somebody else has taken over."""
    ids = to_json([step.id for step in steps])
    rows = yield Statement(
        "SELECT id, fence, owner FROM step WHERE id IN {any_int $1} ORDER BY id {for_update}",
        (ids,),
    )
    stored = {row["id"]: row["fence"] for row in rows if row["owner"] is not None}
    held = [step.id for step in steps if stored.get(step.id) == step.fence]
    yield Statement("UPDATE step SET due_at = $2 WHERE id IN {any_int $1}", (to_json(held), until))
    return frozenset(step.id for step in steps) - frozenset(held)


def read_step_row(row: Row) -> Step:
    """A step from its row."""
    return Step(
        id=row["id"],
        operation_id=row["operation_id"],
        position=row["position"],
        backend=row["backend"],
        name=row["name"],
        record_key=row["record_key"],
        state=StepState(row["state"]),
        holds_record=bool(row["holds"]),
        attempts=row["attempts"],
        due_at=known_time(row["due_at"]),
        owner=row["owner"],
        fence=row["fence"],
        outcome=row["outcome"],
        intent=from_json(row["intent"]),
        result=from_json(row["result"]),
        jobs=tuple(from_json(row["jobs"])),
    )


def _read_claimed(ids: Sequence[Row]) -> Transaction[list[ClaimedStep]]:
    rows = yield Statement(_READ_CLAIMED, (to_json([row["id"] for row in ids]),))
    return [
        ClaimedStep(
            step=read_step_row(row),
            caller=row["caller"],
            kind=row["kind"],
            shared=from_json(row["shared"]),
            payload_version=row["payload_version"],
            external_id=row["external_id"],
            payload=from_json(row["payload"]),
        )
        for row in rows
    ]


def _mark_running(operations: set[str]) -> Transaction[None]:
    """PENDING operations are RUNNING from now on.

    A row that is locked is left out rather than waited for: its holder, who saves a step of the
    same operation, waits for none of ours that way, and marks the operation itself.
    """
    yield Statement(
        "UPDATE operation SET status = 'RUNNING', revision = revision + 1"
        " WHERE id IN (SELECT id FROM operation WHERE id IN {any_of $1} AND status = 'PENDING'"
        " {for_update} {skip_locked})",
        (to_json(sorted(operations)),),
    )
