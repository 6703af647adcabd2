"""Idempotency keys: which calls of a caller were made before, and what became of them.

A key is held by the request that works on it, for a time and with a fence. The receipt is saved as
it grows, so that whoever takes the key over from a dead holder sees how far that one came.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from gateway.store.database import Statement, from_json, to_json, to_time

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.store.database import Database, Json, Row, Transaction


class KeyState(StrEnum):
    """What was found under a key."""

    HELD = "HELD"
    """It is yours now: work on it, save the receipt, finish it."""
    RUNNING = "RUNNING"
    """Another request works on it; ask again later."""
    FINISHED = "FINISHED"
    """It was done before: the receipt, or the operation, is the answer."""
    REUSED = "REUSED"
    """It was used for another input."""


@dataclass(frozen=True, kw_only=True)
class KeyUse:
    """One use of a key by one caller."""

    caller: str
    key: str
    state: KeyState
    fence: int
    taken_over: bool
    """Held before by a request that never finished it: what it sent and has no answer for in the
    receipt may have happened."""
    held_until: datetime | None
    receipt: Json | None
    """As far as it was saved."""
    receipt_version: int | None
    operation_id: str | None


class IdempotencyKeys:
    """Keys by caller. A key lives until it expires, and as long as its operation is kept."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def hold_key(
        self,
        caller: str,
        key: str,
        *,
        input_hash: str,
        holder: str,
        until: datetime,
        expires_at: datetime,
        now: datetime,
        again: bool = False,
    ) -> KeyUse:
        """Take a key that is new, has expired, or whose holder's time is up; otherwise tell why not.

        `again` takes a FINISHED key too, to run what its receipt shows as not done.
        """
        wanted = (caller, key, input_hash, holder, until, now, expires_at)
        return await self._database.write(_hold, wanted, again)

    async def renew_key(self, use: KeyUse, *, until: datetime) -> bool:
        """Work on it longer. False when another request has taken it over: write nothing then."""
        return await self._database.write(_renew, use, until)

    async def save_receipt(
        self, use: KeyUse, receipt: Json, version: int, *, finished: bool, expires_at: datetime
    ) -> bool:
        """Keep the receipt as it is now; `finished` lets go of the key. False as for `renew_key`."""
        return await self._database.write(
            _save, use, to_json(receipt), version, finished, expires_at
        )

    async def drop_key(self, use: KeyUse) -> bool:
        """Forget a key whose call had no effect at all. False as for `renew_key`."""
        return await self._database.write(_drop, use)

    async def purge_keys(self, now: datetime, limit: int = 1000) -> int:
        """Remove expired keys; gives how many. Call again until it gives 0."""
        return await self._database.write(_purge, now, limit)


_EXPIRED = (
    "expires_at <= $1 AND (holder IS NULL OR held_until <= $1)"
    " AND NOT EXISTS (SELECT 1 FROM operation WHERE operation.id = operation_id)"
)


def finish_with_operation(use: KeyUse, operation_id: str) -> Transaction[bool]:
    """The key's answer is an operation from now on; part of the transaction that stores it."""
    rows = yield Statement(
        "UPDATE idempotency_key SET operation_id = $4, holder = NULL, held_until = NULL"
        " WHERE caller = $1 AND key = $2 AND fence = $3 AND holder IS NOT NULL RETURNING key",
        (use.caller, use.key, use.fence, operation_id),
    )
    return bool(rows)


def _hold(
    wanted: tuple[str, str, str, str, datetime, datetime, datetime], again: bool
) -> Transaction[KeyUse]:
    caller, key, input_hash, holder, until, now, _ = wanted
    yield Statement(
        f"DELETE FROM idempotency_key WHERE caller = $2 AND key = $3 AND {_EXPIRED}",  # noqa: S608 - a constant
        (now, caller, key),
    )
    rows = yield Statement(
        "INSERT INTO idempotency_key"
        " (caller, key, input_hash, fence, holder, held_until, created_at, expires_at)"
        " VALUES ($1, $2, $3, 1, $4, $5, $6, $7)"
        " ON CONFLICT (caller, key) DO NOTHING RETURNING *",
        wanted,
    )
    if rows:
        return _use(rows[0], KeyState.HELD)
    rows = yield Statement(
        "SELECT * FROM idempotency_key WHERE caller = $1 AND key = $2 {for_update}", (caller, key)
    )
    if not rows:  # purged between the two statements
        return (yield from _hold(wanted, again))
    found = rows[0]
    if found["input_hash"] != input_hash:
        return _use(found, KeyState.REUSED)
    running = found["holder"] is not None
    held_until = to_time(found["held_until"])
    if running and held_until is not None and held_until > now:
        return _use(found, KeyState.RUNNING)
    if not running and not again:
        return _use(found, KeyState.FINISHED)
    rows = yield Statement(
        "UPDATE idempotency_key SET fence = fence + 1, holder = $3, held_until = $4"
        " WHERE caller = $1 AND key = $2 RETURNING *",
        (caller, key, holder, until),
    )
    return _use(rows[0], KeyState.HELD, taken_over=running)


def _renew(use: KeyUse, until: datetime) -> Transaction[bool]:
    rows = yield Statement(
        "UPDATE idempotency_key SET held_until = $4"
        " WHERE caller = $1 AND key = $2 AND fence = $3 AND holder IS NOT NULL RETURNING key",
        (use.caller, use.key, use.fence, until),
    )
    return bool(rows)


def _save(
    use: KeyUse, receipt: str, version: int, finished: bool, expires_at: datetime
) -> Transaction[bool]:
    rows = yield Statement(
        "UPDATE idempotency_key SET receipt = $4, receipt_version = $5, expires_at = $6,"
        " holder = CASE WHEN CAST($7 AS int) = 1 THEN NULL ELSE holder END,"
        " held_until = CASE WHEN CAST($7 AS int) = 1 THEN NULL ELSE held_until END"
        " WHERE caller = $1 AND key = $2 AND fence = $3 AND holder IS NOT NULL RETURNING key",
        (use.caller, use.key, use.fence, receipt, version, expires_at, int(finished)),
    )
    return bool(rows)


def _drop(use: KeyUse) -> Transaction[bool]:
    rows = yield Statement(
        "DELETE FROM idempotency_key"
        " WHERE caller = $1 AND key = $2 AND fence = $3 AND holder IS NOT NULL RETURNING key",
        (use.caller, use.key, use.fence),
    )
    return bool(rows)


def _purge(now: datetime, limit: int) -> Transaction[int]:
    rows = yield Statement(
        "DELETE FROM idempotency_key WHERE (caller, key) IN (SELECT caller, key"  # noqa: S608 - a constant
        f" FROM idempotency_key WHERE {_EXPIRED}"
        " ORDER BY expires_at LIMIT $2 {for_update} {skip_locked}) RETURNING key",
        (now, limit),
    )
    return len(rows)


def _use(row: Row, state: KeyState, *, taken_over: bool = False) -> KeyUse:
    return KeyUse(
        caller=row["caller"],
        key=row["key"],
        state=state,
        fence=row["fence"],
        taken_over=taken_over,
        held_until=to_time(row["held_until"]),
        receipt=from_json(row["receipt"]),
        receipt_version=row["receipt_version"],
        operation_id=row["operation_id"],
    )
