"""What SendGrid has accepted from other processes, where these share a store.

A note is left for each accepted write before its caller is told, and looked for before a contact is
read; so who writes after another's answer knows of it, whichever process took that. What cannot
be left or found in time costs no write: then only this process's own are known, as they are alone.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import structlog

from gateway.backends.sendgrid.memory import REMEMBERED
from gateway.sending.slots import Slots
from gateway.store.errors import StoreError
from gateway.store.notes import Note

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from gateway.backends.sendgrid.memory import WriteMemory

log = structlog.get_logger()

SHORTEST_WAIT, LONGEST_WAIT = 0.1, 2.0
"""Seconds that a write waits for the store: even without any time left, so that its note leaves."""
MOST_NOTES = 5_000
"""Notes in one transaction."""
MOST_ENDED = 10_000
"""Jobs that are known to have ended; another process's notes of them stay for a while."""

QUIET = 10.0
"""Seconds between two lines in the log that say the same: a bulk's contacts all have the same to say."""


class KeepsNotes(Protocol):
    """What keeps notes for all processes: the store's `Notes`."""

    async def keep(self, notes: Sequence[Note]) -> None:
        """Keep them; raises StoreError."""
        ...

    async def recall(self, subjects: Sequence[str], seconds: float) -> list[Note]:
        """Those of these subjects that are no older, the oldest first; raises StoreError."""
        ...


@dataclass(frozen=True, kw_only=True)
class _Written:
    """That a job does something to a contact."""

    subject: str
    job_id: str


class SharedMemory:
    """Brings a process's memory of accepted writes together with that of others."""

    def __init__(self, memory: WriteMemory, notes: KeepsNotes, account: str) -> None:
        self._memory = memory
        self._notes = notes
        self._prefix = f"{account}:sendgrid:"
        self._ended: dict[str, None] = {}
        self._said: dict[str, float] = {}
        # Thousands are told at the same moment that the call with their contacts was accepted.
        self._telling = Slots[_Written, None](together=self._keep, most=MOST_NOTES, at_once=2)
        self._asking = Slots[str, list[Note]](together=self._recall, most=MOST_NOTES, at_once=2)

    async def tell(self, subject: str, job_id: str, seconds: float) -> None:
        """Let the others know what is remembered of a job and a contact, within so many seconds."""
        written = _Written(subject=subject, job_id=job_id)
        try:
            await self._telling.go(written, _patience(seconds))
        except (StoreError, TimeoutError) as error:
            self._warn("accepted write not told to other processes", error)

    async def learn(
        self, subjects: Iterable[str], seconds: float, now: Callable[[], float]
    ) -> None:
        """Remember what others have told of these contacts, within so many seconds."""
        asked, patience = list(subjects), _patience(seconds)
        try:
            told = await asyncio.gather(*(self._asking.go(one, patience) for one in asked))
        except (StoreError, TimeoutError) as error:
            self._warn("accepted writes of others not known", error)
            return
        for subject, notes in zip(asked, told, strict=True):
            for note in notes:
                if note.source not in self._ended:
                    self._remember(subject, note, now())

    def forget(self, job_id: str) -> None:
        """Learn nothing more of a job that has ended."""
        self._ended[job_id] = None
        while len(self._ended) > MOST_ENDED:
            del self._ended[next(iter(self._ended))]

    def _warn(self, event: str, error: Exception) -> None:
        at = asyncio.get_running_loop().time()
        if at >= self._said.get(event, -QUIET) + QUIET:
            self._said[event] = at
            log.warning(event, why=type(error).__name__)

    def _remember(self, subject: str, note: Note, now: float) -> None:
        lists = note.content["lists"]
        self._memory.remember(
            subject,
            note.source,
            now - note.age,
            joined=[one for one, joined in lists.items() if joined],
            left=[one for one, joined in lists.items() if not joined],
            identifiers=note.content["identifiers"],
        )

    async def _keep(self, written: Sequence[_Written]) -> list[None]:
        notes = []
        for one in dict.fromkeys(written):
            noted = self._memory.noted(one.subject, one.job_id)
            if noted is not None:
                content = {"lists": dict(noted.lists), "identifiers": dict(noted.identifiers)}
                subject = self._prefix + one.subject
                notes.append(Note(subject=subject, source=one.job_id, content=content))
        if notes:
            await self._notes.keep(notes)
        return [None] * len(written)

    async def _recall(self, subjects: Sequence[str]) -> list[list[Note]]:
        found: dict[str, list[Note]] = {subject: [] for subject in subjects}
        asked = [self._prefix + subject for subject in found]
        for note in await self._notes.recall(asked, REMEMBERED):
            found[note.subject.removeprefix(self._prefix)].append(note)
        return [found[subject] for subject in subjects]


def _patience(seconds: float) -> float:
    return min(LONGEST_WAIT, max(SHORTEST_WAIT, seconds))
