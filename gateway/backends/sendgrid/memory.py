"""What SendGrid has accepted and may not show yet.

A read shows a write only half a minute later or more (contract: sendgrid section 10). Until its
job is seen to have ended, an accepted write is remembered here and laid over what is read, so
that a second write starts from what the first one asked for. No I/O and no clock: moments are
passed in, on the clock of `time.monotonic`, and whoever uses this asks for the jobs' status.

One job may hold the writes of thousands of contacts: each has a note of its own. There may be tens
of thousands, and most are never read. As objects they took some 290 bytes each; so they are lines of
JSON, those of a few contacts in one run of bytes.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
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
PLACES = 4_096
"""Places for the lines of notes: a dozen in each when there are as many as may be."""
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
NEVER = math.inf


@lru_cache(maxsize=4096)
def _only(
    joined: tuple[str, ...], left: tuple[str, ...], kinds: tuple[str, ...]
) -> tuple[tuple[Mapping[str, bool], tuple[str, ...]]]:
    """The form of all notes of a job, where they have one: what is done to lists, and kinds of identifiers.

    It is the same object for all such jobs.
    """
    return ((dict.fromkeys(joined, True) | dict.fromkeys(left, False), kinds),)


@dataclass(kw_only=True, slots=True)
class _Job:
    id: str
    number: int
    """Its place in the order of acceptance."""
    accepted_at: float
    asked_at: float | None = None
    """When its status was asked for last."""
    ended_at: float = NEVER
    notes: int = 0
    forms: tuple[tuple[Mapping[str, bool], tuple[str, ...]], ...] = ()
    """What it does to lists, and the kinds of identifiers sent; mostly all its notes have one form."""

    def counts(self, now: float) -> bool:
        """Whether it is not given up yet; of another process's it may be known late, behind later ones."""
        return self.ended_at != NEVER or now < self.accepted_at + REMEMBERED

    def due(self, now: float) -> bool:
        """Whether its status is to be asked for."""
        if self.asked_at is None:
            return now >= self.accepted_at + FIRST_LOOK
        return now >= self.asked_at + NEXT_LOOK


@dataclass(frozen=True, kw_only=True, slots=True)
class _Note:
    """What one job does to one contact."""

    job: _Job
    lists: Mapping[str, bool]
    identifiers: dict[str, str]


class WriteMemory:
    """The unconfirmed writes of one account, by contact.

    A contact is known by subjects: `by_identifier` for upserts, `by_id` for removals from lists.

    A job that is forgotten leaves its lines where they are: they say nothing any more, and go when
    others come to their places.
    """

    def __init__(self) -> None:
        self._jobs: dict[str, _Job] = {}
        """Those that have not ended, in the order of acceptance."""
        self._ended: deque[_Job] = deque()
        self._numbered: dict[int, _Job] = {}
        """Both."""
        self._latest = 0
        self._places: list[bytes] = [b""] * PLACES
        """Lines of a job's number, the subject, which of the job's forms, and the identifiers."""
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
        job = self._jobs.get(job_id) or self._new_job(job_id, now)
        sent = identifiers or {}
        only = _only(tuple(joined), tuple(left), tuple(sent))
        [form] = only
        place = hash(subject) % PLACES
        lines = self._swept(self._places[place])
        begin = _begin(job, subject)
        if (start := lines.find(begin)) >= 0:
            end = lines.index(b"\n", start) + 1
            before = self._read(lines[start:end])
            sent = {**before.identifiers, **sent}
            form = ({**before.lists, **form[0]}, tuple(sent))
            lines = lines[:start] + lines[end:]
        else:
            job.notes += 1
            self._size += 1
        if form not in job.forms:
            job.forms = (*job.forms, form) if job.forms else only
        rest = orjson.dumps([job.forms.index(form), *_packed(subject, sent)])[1:]
        self._places[place] = lines + begin + rest + b"\n"
        self._sweep(now)

    def _new_job(self, job_id: str, now: float) -> _Job:
        self._latest += 1
        job = _Job(id=job_id, number=self._latest, accepted_at=now)
        self._jobs[job_id] = self._numbered[job.number] = job
        return job

    def recall(
        self, subjects: Sequence[str], now: float, *, read_at: float | None = None
    ) -> Accepted | None:
        """What is remembered of a contact, the later write winning; None when that is nothing.

        `read_at` is when a read of it began: a job that was seen to end after that may be missing in
        what was read, so it counts.
        """
        self._sweep(now)
        since = now if read_at is None else read_at
        notes = [
            note
            for subject in subjects
            for note in self._of(subject)
            if note.job.ended_at > since and note.job.counts(now)
        ]
        if not notes:
            return None
        lists: dict[str, bool] = {}
        identifiers: dict[str, str] = {}
        # Of another process's jobs one may be told of later than it was accepted.
        for note in sorted(notes, key=lambda note: (note.job.accepted_at, note.job.number)):
            lists.update(note.lists)
            identifiers.update(note.identifiers)
        latest = max(note.job.accepted_at for note in notes)
        return Accepted(lists=lists, identifiers=identifiers, latest_at=latest)

    def noted(self, subject: str, job_id: str) -> Accepted | None:
        """What a job that has not ended does to a contact; None where nothing is known."""
        job = self._jobs.get(job_id)
        for note in self._of(subject) if job else ():
            if note.job is job:
                return Accepted(
                    lists=note.lists, identifiers=note.identifiers, latest_at=job.accepted_at
                )
        return None

    def due(self, subject: str, now: float) -> list[str]:
        """The jobs of a contact whose status is to be asked for now; not again for a while."""
        jobs = [note.job for note in self._of(subject) if note.job.ended_at == NEVER]
        due = [job for job in jobs if job.counts(now) and job.due(now)]
        for job in due:
            job.asked_at = now
        return [job.id for job in due]

    def shows(self, job_id: str, now: float) -> bool:
        """Whether what a job does can probably be read, where SendGrid does not know that job.

        It knows the jobs of upserts until they are over; that it knows those of removals is ASSUMED
        (contract: sendgrid section 5), so these count until enough time has passed.
        """
        job = self._jobs.get(job_id)
        leaves = job is not None and any(False in lists.values() for lists, _ in job.forms)
        return job is None or not leaves or now >= job.accepted_at + READABLE_AFTER

    def forget(self, job_id: str, now: float) -> None:
        """Note that a job has ended: reads that begin from now on tell what it did."""
        job = self._jobs.pop(job_id, None)
        if job is not None:
            job.ended_at = now
            self._size -= job.notes
            self._ended.append(job)

    # ---------------------------------------------------------------- lines

    def _of(self, subject: str) -> list[_Note]:
        """A contact's notes, of jobs that are remembered."""
        lines = self._places[hash(subject) % PLACES]
        mine = b"," + orjson.dumps(subject) + b","
        if mine not in lines:
            return []
        return [
            self._read(line)
            for line in lines.splitlines()
            if line.startswith(mine, line.index(b",")) and _number(line) in self._numbered
        ]

    def _read(self, line: bytes) -> _Note:
        number, subject, form, *values = orjson.loads(line)
        job = self._numbered[number]
        lists, kinds = job.forms[form]
        return _Note(job=job, lists=lists, identifiers=_unpacked(subject, kinds, values))

    def _swept(self, lines: bytes) -> bytes:
        """Lines without the first ones that say nothing any more; the oldest are the first."""
        while lines and _number(lines) not in self._numbered:
            lines = lines[lines.index(b"\n") + 1 :]
        return lines

    def _sweep(self, now: float) -> None:
        """Forget the jobs that are too old, or too many; they stand in order of acceptance."""
        while self._ended and now - self._ended[0].ended_at > LONGEST_READ:
            del self._numbered[self._ended.popleft().number]
        while self._jobs:
            oldest = next(iter(self._jobs.values()))
            if now - oldest.accepted_at < REMEMBERED and self._size <= MAX_NOTES:
                return
            del self._jobs[oldest.id], self._numbered[oldest.number]
            self._size -= oldest.notes


def _begin(job: _Job, subject: str) -> bytes:
    """How the line of a job's note begins, and nothing else does: quotes within a text are escaped."""
    return orjson.dumps([job.number, subject])[:-1] + b","


def _number(lines: bytes) -> int:
    """The number of the job in the first line."""
    return int(lines[1 : lines.index(b",")])


def _packed(subject: str, identifiers: Mapping[str, str]) -> list[str | None]:
    """The identifiers' values, with null for the one that the subject tells."""
    return [
        None if by_identifier(kind, value) == subject else value
        for kind, value in identifiers.items()
    ]


def _unpacked(subject: str, kinds: Sequence[str], values: Sequence[str | None]) -> dict[str, str]:
    return {
        kind: subject.removeprefix(by_identifier(kind, "")) if value is None else value
        for kind, value in zip(kinds, values, strict=True)
    }


def by_identifier(kind: str, value: str) -> str:
    """The subject of a contact by the identifier that it is written with."""
    return f"{kind}:{value}"


def by_id(contact_id: str) -> str:
    """The subject of a contact by SendGrid's id."""
    return f"id:{contact_id}"
