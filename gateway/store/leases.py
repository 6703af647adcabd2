"""Keys held for a time, by one process over all: a lock that survives its holder's death.

A lease is a row, never an open transaction. Its fence grows with each holder, so that whoever has
lost a lease without noticing is told apart from its successor. As `gateway/locks.py` does within a
process, the row remembers when it was last let go: who read a record before that moment and takes
the lease after it has read something old. All times are the database's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.store.database import Statement, to_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.store.database import Database, Transaction

MICROS = 1_000_000
"""Times are kept as whole microseconds: every database reckons with those alike."""

_ACQUIRE = """
    INSERT INTO lease (key, fence, holder, held_until, touched_at)
    VALUES ($1, {micros}, $2, {micros} + $3, {micros})
    ON CONFLICT (key) DO UPDATE SET fence = lease.fence + 1, holder = excluded.holder,
        held_until = {micros} + $3, touched_at = {micros},
        released_at = CASE WHEN lease.holder IS NULL THEN lease.released_at ELSE {micros} END,
        wanted_by = NULL, wanted_until = NULL
    WHERE (lease.holder IS NULL OR lease.held_until <= {micros})
        AND (lease.wanted_by IS NULL OR lease.wanted_by = excluded.holder
            OR lease.wanted_until <= {micros})
    RETURNING fence, {micros} - released_at AS released_ago
"""
# The first fence of a row is the time, so that it grows even when the row was removed in between.

_WANT = """
    UPDATE lease SET wanted_by = $2, wanted_until = {micros} + $3
    WHERE key = $1
        AND (wanted_by IS NULL OR wanted_by = $2 OR wanted_until <= {micros})
"""


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
        self, key: str, holder: str, *, seconds: float, wanted_for: float = 0.0
    ) -> Lease | None:
        """The lease; None while somebody else, or the same holder, has it.

        With `wanted_for`, a key that was refused is kept for this holder for so many seconds once
        it is free, unless another holder has asked before: then nobody who keeps asking starves.
        """
        return await self._database.write(_acquire, key, holder, seconds, wanted_for)

    async def renew(
        self, holder: str, leases: Sequence[Lease], *, seconds: float
    ) -> frozenset[Lease]:
        """Hold them longer; gives those that somebody else has taken meanwhile.

        A lease that has run out is renewed too, as long as nobody else has had it.
        """
        return await self._database.write(_renew, holder, leases, seconds)

    async def release(self, lease: Lease) -> bool:
        """Let go of it. False when it had been lost before."""
        return await self._database.write(_release, lease)

    async def forget_idle(self, seconds: float, limit: int = 1000) -> int:
        """Remove what nobody has touched for so long; gives how many keys were removed."""
        return await self._database.write(_forget_idle, seconds, limit)


def _micros(seconds: float) -> int:
    return round(seconds * MICROS)


def _acquire(key: str, holder: str, seconds: float, wanted_for: float) -> Transaction[Lease | None]:
    alone = wanted_for <= 0
    rows = yield Statement(_ACQUIRE, (key, holder, _micros(seconds)), alone=alone)
    if rows:
        ago = rows[0]["released_ago"]
        return Lease(
            key=key,
            holder=holder,
            fence=rows[0]["fence"],
            released_ago=None if ago is None else ago / MICROS,
        )
    if not alone:
        yield Statement(_WANT, (key, holder, _micros(wanted_for)))
    return None


def _renew(holder: str, leases: Sequence[Lease], seconds: float) -> Transaction[frozenset[Lease]]:
    rows = yield Statement(
        "UPDATE lease SET held_until = {micros} + $3, touched_at = {micros}"
        " WHERE key IN {any_of $1} AND holder = $2 RETURNING key, fence",
        (to_json([lease.key for lease in leases]), holder, _micros(seconds)),
        alone=True,
    )
    fences = {row["key"]: row["fence"] for row in rows}
    return frozenset(lease for lease in leases if fences.get(lease.key) != lease.fence)


def _release(lease: Lease) -> Transaction[bool]:
    rows = yield Statement(
        "UPDATE lease SET holder = NULL, held_until = NULL, released_at = {micros},"
        " touched_at = {micros} WHERE key = $1 AND fence = $2 AND holder IS NOT NULL RETURNING key",
        (lease.key, lease.fence),
        alone=True,
    )
    return bool(rows)


def _forget_idle(seconds: float, limit: int) -> Transaction[int]:
    rows = yield Statement(
        "DELETE FROM lease WHERE key IN (SELECT key FROM lease WHERE holder IS NULL"
        " AND touched_at < {micros} - $1 ORDER BY touched_at LIMIT $2 {for_update} {skip_locked})"
        " RETURNING key",
        (_micros(seconds), limit),
    )
    return len(rows)
