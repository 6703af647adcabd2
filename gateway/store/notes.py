"""Notes that processes leave each other for a while: a subject, whose doing it is, and what it says.

They may be lost when the database breaks down, and cost no wait for the disk where it allows that.
Ages are by the database's clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gateway.store.database import Batch, Statement, from_json, to_json
from gateway.store.leases import MICROS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.store.database import Database, Json, Transaction

_KEEP = (
    "INSERT INTO note (subject, source, content, kept_at) VALUES ($1, $2, $3, {micros})"
    " ON CONFLICT (subject, source) DO UPDATE SET content = excluded.content"
)


@dataclass(frozen=True, kw_only=True)
class Note:
    """What is known of a subject from one source."""

    subject: str
    source: str
    content: Json
    age: float = 0.0
    """Seconds since it was kept first."""


class Notes:
    """Notes by subject."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, notes: Sequence[Note]) -> None:
        """Keep notes; one of the same subject and source has the new content from now on."""
        await self._database.write(_keep, notes)

    async def recall(self, subjects: Sequence[str], seconds: float) -> list[Note]:
        """The notes of these subjects that are younger than so many seconds, the oldest first."""
        return await self._database.read(_recall, subjects, seconds)

    async def forget(self, seconds: float, limit: int = 1000) -> int:
        """Remove those that are older; gives how many. Call again until it gives 0."""
        return await self._database.write(_forget, seconds, limit)


def _keep(notes: Sequence[Note]) -> Transaction[None]:
    rows = [(note.subject, note.source, to_json(note.content)) for note in notes]
    if len(rows) == 1:
        yield Statement(_KEEP, rows[0], alone=True)
    else:
        yield Batch(_KEEP, rows)


def _recall(subjects: Sequence[str], seconds: float) -> Transaction[list[Note]]:
    rows = yield Statement(
        "SELECT subject, source, content, {micros} - kept_at AS age FROM note"
        " WHERE subject IN {any_of $1} AND kept_at > {micros} - $2 ORDER BY kept_at",
        (to_json(list(subjects)), round(seconds * MICROS)),
        alone=True,
    )
    return [
        Note(
            subject=row["subject"],
            source=row["source"],
            content=_content(row["content"]),
            age=row["age"] / MICROS,
        )
        for row in rows
    ]


def _content(text: str) -> dict[str, Any]:
    content: dict[str, Any] = from_json(text)
    return content


def _forget(seconds: float, limit: int) -> Transaction[int]:
    rows = yield Statement(
        "DELETE FROM note WHERE (subject, source) IN (SELECT subject, source FROM note"
        " WHERE kept_at < {micros} - $1 ORDER BY kept_at LIMIT $2 {for_update} {skip_locked})"
        " RETURNING subject",
        (round(seconds * MICROS), limit),
    )
    return len(rows)
