"""What SendGrid has accepted and may not show yet.

A read shows a write only half a minute later or more (contract: sendgrid section 10). Until its
job is seen to have ended, an accepted write is remembered here and laid over what is read, so
that a second write starts from what the first one asked for. No I/O and no clock: moments are
passed in, on the clock of `time.monotonic`, and whoever uses this asks for the jobs' status.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

REMEMBERED = 600.0
"""Seconds after which a job that was never seen to end is given up."""
MAX_NOTES = 100_000
"""Notes kept at most; above, the oldest jobs are forgotten."""
FIRST_LOOK, NEXT_LOOK = 5.0, 15.0
"""Seconds before a job's status is asked for, first and again (contract: sendgrid section 10)."""
READABLE_AFTER = 45.0
"""Seconds after which an accepted write can be read. ASSUMED: seen were 30 to 33."""


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """What the unconfirmed writes to one contact come to."""

    lists: Mapping[str, bool]
    """Lists that were joined (True) or left (False) last."""
    identifiers: Mapping[str, str]
    """Identifiers that were sent, by SendGrid's words for them."""
    latest_at: float

    @property
    def joined(self) -> list[str]:
        """The lists that were joined."""
        return [list_id for list_id, joined in self.lists.items() if joined]

    def overlay(self, list_ids: Iterable[str]) -> list[str]:
        """The memberships that were read, with those written since laid over them."""
        kept = [list_id for list_id in list_ids if self.lists.get(list_id, True)]
        return [*kept, *(list_id for list_id in self.joined if list_id not in kept)]

    def readable_in(self, now: float) -> float:
        """Seconds until all of it can probably be read, at least one."""
        return max(1.0, self.latest_at + READABLE_AFTER - now)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Note:
    """What one job does to one contact."""

    at: float
    lists: Mapping[str, bool]
    identifiers: Mapping[str, str]


@dataclass(kw_only=True, slots=True)
class _Job:
    accepted_at: float
    look_at: float
    subjects: set[str] = field(default_factory=set)


class WriteMemory:
    """The unconfirmed writes of one account, by contact.

    A contact is known by subjects: `by_identifier` for upserts, `by_id` for removals from lists.
    """

    def __init__(self) -> None:
        self._jobs: dict[str, _Job] = {}
        self._notes: dict[str, dict[str, _Note]] = {}
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def remember(
        self,
        subject: str,
        job_id: str,
        now: float,
        *,
        joined: Iterable[str] = (),
        left: Iterable[str] = (),
        identifiers: Mapping[str, str] | None = None,
    ) -> None:
        """Note what an accepted job will do to a contact."""
        job = self._jobs.setdefault(job_id, _Job(accepted_at=now, look_at=now + FIRST_LOOK))
        lists = dict.fromkeys(joined, True) | dict.fromkeys(left, False)
        notes = self._notes.setdefault(subject, {})
        self._size += job_id not in notes
        notes[job_id] = _Note(at=now, lists=lists, identifiers=dict(identifiers or {}))
        job.subjects.add(subject)
        self._sweep(now)

    def recall(self, subjects: Sequence[str], now: float) -> Accepted | None:
        """What is remembered of a contact, the later write winning; None when that is nothing."""
        self._sweep(now)
        notes = [note for subject in subjects for note in self._notes.get(subject, {}).values()]
        if not notes:
            return None
        lists: dict[str, bool] = {}
        identifiers: dict[str, str] = {}
        for note in sorted(notes, key=lambda note: note.at):
            lists.update(note.lists)
            identifiers.update(note.identifiers)
        latest = max(note.at for note in notes)
        return Accepted(lists=lists, identifiers=identifiers, latest_at=latest)

    def due(self, subject: str, now: float) -> list[str]:
        """The jobs of a contact whose status is to be asked for now; not again for a while."""
        jobs = [
            job_id for job_id in self._notes.get(subject, {}) if self._jobs[job_id].look_at <= now
        ]
        for job_id in jobs:
            self._jobs[job_id].look_at = now + NEXT_LOOK
        return jobs

    def forget(self, job_id: str) -> None:
        """Drop a job that has ended: from now on reads tell what it did."""
        job = self._jobs.pop(job_id, None)
        for subject in job.subjects if job else ():
            notes = self._notes[subject]
            del notes[job_id]
            self._size -= 1
            if not notes:
                del self._notes[subject]

    def _sweep(self, now: float) -> None:
        """Forget the jobs that are too old, or too many; they stand in order of acceptance."""
        while self._jobs:
            oldest, job = next(iter(self._jobs.items()))
            if now - job.accepted_at < REMEMBERED and self._size <= MAX_NOTES:
                return
            self.forget(oldest)


def by_identifier(kind: str, value: str) -> str:
    """The subject of a contact by the identifier that it is written with."""
    return f"{kind}:{value}"


def by_id(contact_id: str) -> str:
    """The subject of a contact by SendGrid's id."""
    return f"id:{contact_id}"
