"""Keys held for a time, by one process over all: a lock that survives its holder's death.

A lease is a row, never an open transaction. Its fence grows with each holder, so that whoever has
lost a lease without noticing is told apart from its successor. As `locking/locks.py` does within a
process, the row remembers when it was last let go: who read a record before that moment and takes
the lease after it has read something old. All times are the database's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.store.database import Statement, to_json

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from gateway.store.database import Database, Row, Transaction

MICROS = 1_000_000
"""Times are kept as whole microseconds: every database reckons with those alike."""

_ACQUIRE = """
    WITH asked (key) AS {any_of $1}
    INSERT INTO lease (key, fence, holder, held_until, touched_at)
    SELECT key, {micros}, $2, {micros} + $3, {micros} FROM asked WHERE true ORDER BY key
    ON CONFLICT (key) DO UPDATE SET fence = lease.fence + 1, holder = excluded.holder,
        held_until = {micros} + $3, touched_at = {micros},
        released_at = CASE WHEN lease.holder IS NULL THEN lease.released_at ELSE {micros} END,
        wanted_by = NULL, wanted_until = NULL
    WHERE (lease.holder IS NULL OR lease.held_until <= {micros})
        AND (lease.wanted_by IS NULL OR lease.wanted_by = excluded.holder
            OR lease.wanted_until <= {micros})
    RETURNING key, fence, {micros} - released_at AS released_ago
"""
# The first fence of a row is the time, so that it grows even when the row was removed in between.

_WANT = """
    WITH refused AS (
        SELECT key AS refused_key FROM lease WHERE key IN {any_of $1}
        AND (wanted_by IS NULL OR wanted_by = $2 OR wanted_until <= {micros})
        ORDER BY key {for_update}
    )
    UPDATE lease SET wanted_by = $2, wanted_until = {micros} + $3
    FROM refused WHERE key = refused_key
"""

_RENEW = """
    WITH held AS (
        SELECT key AS held_key FROM lease WHERE key IN {any_of $1} AND holder = $2
        ORDER BY key {for_update}
    )
    UPDATE lease SET held_until = {micros} + $3, touched_at = {micros}
    FROM held WHERE key = held_key
    RETURNING key, fence
"""

_RELEASE = """
    WITH held AS (
        SELECT key AS held_key FROM lease WHERE key IN {any_of $1}
        AND fence || ' ' || key IN {any_of $2} AND holder IS NOT NULL
        ORDER BY key {for_update}
    )
    UPDATE lease SET holder = NULL, held_until = NULL, released_at = {micros}, touched_at = {micros}
    FROM held WHERE key = held_key
    RETURNING key
"""
# Each is a transaction of one statement, which locks its rows in the order of their keys: no two
# wait for each other, and none waits for a process that stands still in the middle of its own.


@dataclass(frozen=True, kw_only=True)
class Lease:
    """A key in hand."""

    key: str
    holder: str
    fence: int
    released_ago: float | None
    """Seconds since it was last let go, None when it never was; of a holder that did not let go,
    since it was taken from it."""


class Leases:
    """Leases by key; a holder is a process, which has each key once at most."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def acquire(
        self, keys: Collection[str], holder: str, *, seconds: float
    ) -> dict[str, Lease]:
        """Leases by their keys; without those that somebody else, or the same holder, has."""
        return await self._database.write(_acquire, keys, holder, seconds)

    async def want(self, keys: Collection[str], holder: str, *, seconds: float) -> None:
        """Keep keys that were refused for this holder, for so many seconds, once they are free.

        Not those that another holder has asked for before: so nobody who keeps asking starves.
        """
        await self._database.write(_want, keys, holder, seconds)

    async def renew(
        self, holder: str, leases: Sequence[Lease], *, seconds: float
    ) -> frozenset[Lease]:
        """Hold them longer; gives those that somebody else has taken meanwhile.

        A lease that has run out is renewed too, as long as nobody else has had it.
        """
        return await self._database.write(_renew, holder, leases, seconds)

    async def release(self, leases: Collection[Lease]) -> frozenset[Lease]:
        """Let go of them, each of another key; gives those that had been lost before."""
        return await self._database.write(_release, leases)

    async def forget_idle(self, seconds: float, limit: int = 1000) -> int:
        """Remove what nobody has touched for so long; gives how many keys were removed."""
        return await self._database.write(_forget_idle, seconds, limit)


def _micros(seconds: float) -> int:
    return round(seconds * MICROS)


def _acquire(keys: Collection[str], holder: str, seconds: float) -> Transaction[dict[str, Lease]]:
    asked = to_json(sorted(set(keys)))
    rows = yield Statement(_ACQUIRE, (asked, holder, _micros(seconds)), alone=True)
    return {row["key"]: _lease(row, holder) for row in rows}


def _lease(row: Row, holder: str) -> Lease:
    ago = row["released_ago"]
    return Lease(
        key=row["key"],
        holder=holder,
        fence=row["fence"],
        released_ago=None if ago is None else ago / MICROS,
    )


def _want(keys: Collection[str], holder: str, seconds: float) -> Transaction[None]:
    yield Statement(_WANT, (to_json(list(keys)), holder, _micros(seconds)), alone=True)


def _renew(holder: str, leases: Sequence[Lease], seconds: float) -> Transaction[frozenset[Lease]]:
    rows = yield Statement(
        _RENEW, (to_json([lease.key for lease in leases]), holder, _micros(seconds)), alone=True
    )
    fences = {row["key"]: row["fence"] for row in rows}
    return frozenset(lease for lease in leases if fences.get(lease.key) != lease.fence)


def _release(leases: Collection[Lease]) -> Transaction[frozenset[Lease]]:
    keys = [lease.key for lease in leases]
    fenced = [f"{lease.fence} {lease.key}" for lease in leases]
    rows = yield Statement(_RELEASE, (to_json(keys), to_json(fenced)), alone=True)
    released = {row["key"] for row in rows}
    return frozenset(lease for lease in leases if lease.key not in released)


def _forget_idle(seconds: float, limit: int) -> Transaction[int]:
    rows = yield Statement(
        "DELETE FROM lease WHERE key IN (SELECT key FROM lease WHERE holder IS NULL"
        " AND touched_at < {micros} - $1 ORDER BY touched_at LIMIT $2 {for_update} {skip_locked})"
        " RETURNING key",
        (_micros(seconds), limit),
        alone=True,
    )
    return len(rows)
