"""What SendGrid has accepted and may not show yet.

A read shows a write only half a minute later or more (contract: sendgrid section 10). Until its
job is seen to have ended, an accepted write is remembered here and laid over what is read, so
that a second write starts from what the first one asked for. No I/O and no clock: moments are
passed in, on the clock of `time.monotonic`, and whoever uses this asks for the jobs' status.

One job may hold the writes of thousands of contacts: each has a note of its own.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

REMEMBERED = 600.0
"""Seconds after which a job that was never seen to end is given up."""
MAX_NOTES = 50_000
"""Notes kept at most; above, the oldest jobs are forgotten. More than one process writes in the
READABLE_AFTER seconds in which they matter, a bulk's largest job of 30,000 contacts beside."""
FIRST_LOOK, NEXT_LOOK = 5.0, 15.0
"""Seconds before a job's status is asked for, first and again (contract: sendgrid section 10)."""
LONGEST_READ = 60.0
"""Seconds for which an ended job is kept for reads that began before it was known to have ended."""
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

    def also(self, joined: Iterable[str], identifiers: Mapping[str, str], at: float) -> Accepted:
        """The same with one more write, which is about to be accepted."""
        return Accepted(
            lists={**self.lists, **dict.fromkeys(joined, True)},
            identifiers={**self.identifiers, **identifiers},
            latest_at=at,
        )

    def overlay(self, list_ids: Iterable[str]) -> list[str]:
        """The memberships that were read, with those written since laid over them."""
        kept = [list_id for list_id in list_ids if self.lists.get(list_id, True)]
        return [*kept, *(list_id for list_id in self.joined if list_id not in kept)]

    def readable_in(self, now: float) -> float:
        """Seconds until all of it can probably be read, at least one."""
        return max(1.0, self.latest_at + READABLE_AFTER - now)


NOTHING = Accepted(lists={}, identifiers={}, latest_at=0.0)


@dataclass(frozen=True, slots=True)
class _Note:
    """What one job does to one contact.

    There may be tens of thousands: notes with the same lists share them, and the identifiers are
    packed.
    """

    job: _Job
    lists: Mapping[str, bool]
    packed: str

    @property
    def identifiers(self) -> dict[str, str]:
        """The identifiers that were sent."""
        identifiers: dict[str, str] = orjson.loads(self.packed) if self.packed else {}
        return identifiers


def _packed(identifiers: Mapping[str, str]) -> str:
    """In a text of its own length; orjson's bytes keep the room that they were written in."""
    return orjson.dumps(identifiers).decode() if identifiers else ""


@lru_cache(maxsize=4096)
def _shared(joined: tuple[str, ...], left: tuple[str, ...]) -> Mapping[str, bool]:
    """What is done to lists, the same object for all who do the same."""
    return dict.fromkeys(joined, True) | dict.fromkeys(left, False)


@dataclass(kw_only=True, slots=True)
class _Job:
    id: str
    accepted_at: float
    look_at: float
    subjects: list[str] = field(default_factory=list)


class WriteMemory:
    """The unconfirmed writes of one account, by contact.

    A contact is known by subjects: `by_identifier` for upserts, `by_id` for removals from lists.
    """

    def __init__(self) -> None:
        self._jobs: dict[str, _Job] = {}
        self._notes: dict[str, _Note | list[_Note]] = {}
        """By contact; most have one note, and no list for it."""
        self._ended: deque[tuple[float, dict[str, _Note]]] = deque()
        self._size = 0

    def __len__(self) -> int:
        """The notes of jobs that have not ended."""
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
        """Note what an accepted job will do to a contact.

        Two writes to one contact may be in the same job: then it does both.
        """
        job = self._jobs.get(job_id)
        if job is None:
            job = self._jobs[job_id] = _Job(id=job_id, accepted_at=now, look_at=now + FIRST_LOOK)
        lists = _shared(tuple(joined), tuple(left))
        sent = dict(identifiers or {})
        notes = self._of(subject)
        for place, before in enumerate(notes):
            if before.job is job:
                both = {**before.identifiers, **sent}
                notes[place] = _Note(job, {**before.lists, **lists}, _packed(both))
                break
        else:
            notes.append(_Note(job, lists, _packed(sent)))
            job.subjects.append(subject)
            self._size += 1
        self._keep(subject, notes)
        self._sweep(now)

    def _of(self, subject: str) -> list[_Note]:
        """A contact's notes."""
        notes = self._notes.get(subject, [])
        return list(notes) if isinstance(notes, list) else [notes]

    def _keep(self, subject: str, notes: list[_Note]) -> None:
        """Put a contact's notes in the place of those that there were."""
        if notes:
            self._notes[subject] = notes[0] if len(notes) == 1 else notes
        else:
            del self._notes[subject]

    def recall(
        self, subjects: Sequence[str], now: float, *, read_at: float | None = None
    ) -> Accepted | None:
        """What is remembered of a contact, the later write winning; None when that is nothing.

        `read_at` is when a read of it began: a job that was seen to end after that may be missing in
        what was read, so it counts.
        """
        self._sweep(now)
        notes = [note for subject in subjects for note in self._of(subject)]
        notes += self._ended_since(now if read_at is None else read_at, subjects)
        if not notes:
            return None
        lists: dict[str, bool] = {}
        identifiers: dict[str, str] = {}
        for note in sorted(notes, key=lambda note: note.job.accepted_at):
            lists.update(note.lists)
            identifiers.update(note.identifiers)
        latest = max(note.job.accepted_at for note in notes)
        return Accepted(lists=lists, identifiers=identifiers, latest_at=latest)

    def due(self, subject: str, now: float) -> list[str]:
        """The jobs of a contact whose status is to be asked for now; not again for a while."""
        jobs = [note.job for note in self._of(subject) if note.job.look_at <= now]
        for job in jobs:
            job.look_at = now + NEXT_LOOK
        return [job.id for job in jobs]

    def forget(self, job_id: str, now: float) -> None:
        """Drop a job that has ended: reads that begin from now on tell what it did."""
        dropped = self._drop(job_id)
        if dropped:
            self._ended.append((now, dropped))

    def _drop(self, job_id: str) -> dict[str, _Note]:
        """Take out a job; its notes by contact."""
        job = self._jobs.pop(job_id, None)
        dropped: dict[str, _Note] = {}
        for subject in job.subjects if job else ():
            notes = self._of(subject)
            dropped[subject] = next(note for note in notes if note.job is job)
            self._keep(subject, [note for note in notes if note.job is not job])
            self._size -= 1
        return dropped

    def _ended_since(self, read_at: float, subjects: Sequence[str]) -> list[_Note]:
        """The notes of jobs that were seen to end after a moment."""
        found = []
        for ended_at, notes in reversed(self._ended):
            if ended_at <= read_at:
                break
            found += [notes[subject] for subject in subjects if subject in notes]
        return found

    def _sweep(self, now: float) -> None:
        """Forget the jobs that are too old, or too many; they stand in order of acceptance."""
        while self._ended and now - self._ended[0][0] > LONGEST_READ:
            self._ended.popleft()
        while self._jobs:
            oldest, job = next(iter(self._jobs.items()))
            if now - job.accepted_at < REMEMBERED and self._size <= MAX_NOTES:
                return
            self._drop(oldest)


def by_identifier(kind: str, value: str) -> str:
    """The subject of a contact by the identifier that it is written with."""
    return f"{kind}:{value}"


def by_id(contact_id: str) -> str:
    """The subject of a contact by SendGrid's id."""
    return f"id:{contact_id}"
