"""Turns to call a backend, given away over all processes: a quota that they keep together.

A quota is one row: when each turn that was given away is free again, by the database's clock. Who
asks is given the earliest turns that keep the quota, now or later, and its place in their order.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.store.database import Statement, from_json, to_json
from gateway.store.leases import MICROS

if TYPE_CHECKING:
    from gateway.store.database import Database, Transaction


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What a process asks for."""

    wanted: int
    """Turns for those who wait for one."""
    ahead: int
    """Turns for those who are expected: given only while more than half of the quota is free."""
    limit: int
    """Turns that are taken at a time, at most."""
    taken_for: float
    """Seconds for which a turn is taken, from its beginning: the quota's window, and how late in
    its turn a call may still arrive."""
    patience: float
    """Seconds after which a turn is of no use."""


@dataclass(frozen=True, kw_only=True)
class Turns:
    """What it is given."""

    starts: list[float]
    """When each turn begins, in seconds from now."""
    next_start: float
    """When the next one would begin, had it been given."""
    ample: bool = True
    """Whether less than half of the quota is used up now, by all processes."""


class Quotas:
    """Quotas by name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, name: str, ask: Ask) -> Turns:
        """Turns of a quota, the earliest first; fewer than wanted when the others come too late."""
        return await self._database.write(_take, name, ask)


def _take(name: str, ask: Ask) -> Transaction[Turns]:
    reading = Statement(
        "SELECT turns, {micros} AS now FROM quota WHERE name = $1 {for_update}", (name,)
    )
    rows = yield reading
    if not rows:
        yield Statement(
            "INSERT INTO quota (name, turns) VALUES ($1, '[]') ON CONFLICT (name) DO NOTHING",
            (name,),
        )
        rows = yield reading
    taken, turns = give(from_json(rows[0]["turns"]), rows[0]["now"], ask)
    if turns.starts:
        yield Statement("UPDATE quota SET turns = $2 WHERE name = $1", (name, to_json(taken)))
    return turns


def give(taken: list[int], now: int, ask: Ask) -> tuple[list[int], Turns]:
    """The turns for who asks, and when those that are taken are free again, in order. Pure.

    Moments are in microseconds. A turn begins when fewer than `limit` others are taken, those
    that begin later included: so at no moment are more than `limit` taken.
    """
    taken = sorted(until for until in taken if until > now)
    starts: list[float] = []
    spare = max(0, ask.limit // 2 - len(taken))
    for number in range(ask.wanted + min(ask.ahead, spare)):
        start = now if len(taken) < ask.limit else taken[len(taken) - ask.limit]
        expected = number >= ask.wanted
        if start - now > ask.patience * MICROS or (expected and start > now):
            break
        starts.append((start - now) / MICROS)
        insort(taken, start + round(ask.taken_for * MICROS))
    following = now if len(taken) < ask.limit else taken[len(taken) - ask.limit]
    return taken, Turns(
        starts=starts, next_start=(following - now) / MICROS, ample=2 * len(taken) < ask.limit
    )
