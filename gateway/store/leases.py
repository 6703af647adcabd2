"""Keys held for a time, by one holder over all processes: a lock that survives its holder's death.

A lease is a row, never an open transaction. Its fence grows with each holder, so that whoever has
lost a lease without noticing is told apart from its successor. As `gateway/locks.py` does within a
process, the row remembers when it was last let go: who read a record before that moment and takes
the lease after it has read something old.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.store.database import Statement, to_time

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.store.database import Database, Transaction


@dataclass(frozen=True, kw_only=True)
class Lease:
    """A key in hand."""

    key: str
    holder: str
    fence: int
    until: datetime
    """When it ends by itself."""
    previous: int
    """The holder's fence before this one, 0 for none: what `fence_of` gave while nobody held it.
    When it is what a reader was given, nobody has held the key in between, whatever clocks say."""
    released_at: datetime | None
    """When it was last let go; for a holder that never did, the moment it was taken from it."""


class Leases:
    """Leases by key.

    The clocks of machines that share a database must agree to well below the length of a lease.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def acquire(
        self, key: str, holder: str, *, until: datetime, now: datetime
    ) -> Lease | None:
        """The lease; None while somebody else, or the same holder, has it."""
        return await self._database.write(_acquire, key, holder, until, now)

    async def renew(self, lease: Lease, *, until: datetime, now: datetime) -> bool:
        """Hold it longer. False when somebody else has taken it meanwhile: stop writing then.

        A lease that has run out is renewed too, as long as nobody else has had it.
        """
        return await self._database.write(_renew, lease, until, now)

    async def release(self, lease: Lease, now: datetime) -> bool:
        """Let go of it. False when it had been lost before."""
        return await self._database.write(_release, lease, now)

    async def fence_of(self, key: str) -> int:
        """The fence of the last holder, or 0: remember it when reading what the key guards."""
        return await self._database.read(_fence_of, key)

    async def forget_idle(self, before: datetime, limit: int = 1000) -> int:
        """Remove what nobody has touched since `before`; gives how many keys were removed."""
        return await self._database.write(_forget_idle, before, limit)


def _acquire(key: str, holder: str, until: datetime, now: datetime) -> Transaction[Lease | None]:
    # The first fence of a row is the time in microseconds, so that it grows even when the row was
    # removed in between.
    rows = yield Statement(
        "INSERT INTO lease (key, fence, previous, holder, held_until, touched_at)"
        " VALUES ($1, $2, 0, $3, $4, $5)"
        " ON CONFLICT (key) DO UPDATE SET fence = lease.fence + 1, previous = lease.fence,"
        " holder = excluded.holder, held_until = excluded.held_until,"
        " released_at = CASE WHEN lease.holder IS NULL THEN lease.released_at"
        " ELSE excluded.touched_at END, touched_at = excluded.touched_at"
        " WHERE lease.holder IS NULL OR lease.held_until <= excluded.touched_at"
        " RETURNING fence, previous, released_at",
        (key, int(now.timestamp() * 1_000_000), holder, until, now),
    )
    if not rows:
        return None
    return Lease(
        key=key,
        holder=holder,
        fence=rows[0]["fence"],
        until=until,
        previous=rows[0]["previous"],
        released_at=to_time(rows[0]["released_at"]),
    )


def _renew(lease: Lease, until: datetime, now: datetime) -> Transaction[bool]:
    rows = yield Statement(
        "UPDATE lease SET held_until = $3, touched_at = $4"
        " WHERE key = $1 AND fence = $2 AND holder IS NOT NULL RETURNING key",
        (lease.key, lease.fence, until, now),
    )
    return bool(rows)


def _release(lease: Lease, now: datetime) -> Transaction[bool]:
    rows = yield Statement(
        "UPDATE lease SET holder = NULL, held_until = NULL, released_at = $3, touched_at = $3"
        " WHERE key = $1 AND fence = $2 AND holder IS NOT NULL RETURNING key",
        (lease.key, lease.fence, now),
    )
    return bool(rows)


def _fence_of(key: str) -> Transaction[int]:
    rows = yield Statement("SELECT fence FROM lease WHERE key = $1", (key,))
    return int(rows[0]["fence"]) if rows else 0


def _forget_idle(before: datetime, limit: int) -> Transaction[int]:
    rows = yield Statement(
        "DELETE FROM lease WHERE key IN (SELECT key FROM lease WHERE holder IS NULL"
        " AND touched_at < $1 ORDER BY touched_at LIMIT $2 {for_update} {skip_locked})"
        " RETURNING key",
        (before, limit),
    )
    return len(rows)
