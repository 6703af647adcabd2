"""Keeps the memory of accepted writes true: adds what is accepted, and drops what has ended."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gateway.backends.sendgrid.client import list_left, removed
from gateway.backends.sendgrid.job import job_of
from gateway.backends.sendgrid.memory import WriteMemory, by_id, by_identifier
from gateway.backends.sendgrid.shared_memory import SharedMemory
from gateway.backends.sendgrid.writes import written_by
from gateway.errors import BackendFailure
from gateway.results import JobStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.backends.sendgrid.identifiers import Identifier
    from gateway.backends.sendgrid.job import Jobs
    from gateway.backends.sendgrid.shared_memory import KeepsNotes
    from gateway.calls import Call, Reply
    from gateway.upstream import Exchange


AT_ONCE = 16
"""Jobs that one read asks after side by side. A contact may have been written a hundred times lately, by other
processes, and the first read in this one asks after all of it."""


class Remembering:
    """What was accepted from this process, and from those that share a store with it."""

    def __init__(self, jobs: Jobs, identifier: Identifier, clock: Callable[[], float]) -> None:
        """`clock` is that of `time.monotonic`."""
        self.memory = WriteMemory()
        self._jobs = jobs
        self._identifier = identifier
        self._clock = clock
        self._shared: SharedMemory | None = None

    def share(self, notes: KeepsNotes, account: str) -> None:
        """Tell other processes from now on, and learn from them."""
        self._shared = SharedMemory(self.memory, notes, account)

    async def accepted(self, call: Call, reply: Reply, exchange: Exchange) -> None:
        """Remember what a call will have done to its contacts, until its job is seen to have ended."""
        job_id, now = job_of(reply), self._clock()
        if call.method == "PUT":
            joined, identifiers = written_by(call)
            subjects = [by_identifier(self._identifier, identifiers[self._identifier])]
            self.memory.remember(subjects[0], job_id, now, joined=joined, identifiers=identifiers)
        else:
            subjects = [by_id(contact_id) for contact_id in removed(call)]
            for subject in subjects:
                self.memory.remember(subject, job_id, now, left=[list_left(call)])
        if self._shared is not None:
            for subject in subjects:
                await self._shared.tell(subject, job_id, exchange.left)

    async def learn(self, subjects: Sequence[str], exchange: Exchange) -> None:
        """Learn of other processes' writes to contacts."""
        if self._shared is not None:
            await self._shared.learn(subjects, exchange.left, self._clock)

    async def renew(self, subject: str, exchange: Exchange) -> bool:
        """Learn of others' writes to a contact, and ask how the jobs stand; whether one is over."""
        await self.learn([subject], exchange)
        return await self.settle(subject, exchange)

    async def settle(self, subject: str, exchange: Exchange) -> bool:
        """Ask how the jobs that touched a contact stand; whether one is over.

        So is a job that SendGrid knows no more; a removal's, once it can be read. A status that cannot
        be read changes nothing: the job stays remembered.
        """
        due = self.memory.due(subject, self._clock())
        at_once = asyncio.Semaphore(AT_ONCE)
        return any(await asyncio.gather(*(self._over(one, at_once, exchange) for one in due)))

    async def _over(self, job_id: str, at_once: asyncio.Semaphore, exchange: Exchange) -> bool:
        try:
            async with at_once:
                job = await self._jobs.status(job_id, exchange, self._clock())
        except BackendFailure:
            return False
        if job is None:
            goes_on = not self.memory.shows(job_id, self._clock())
        else:
            goes_on = job.status is JobStatus.PENDING
        if goes_on:
            return False
        self.memory.forget(job_id, self._clock())
        if self._shared is not None:
            self._shared.forget(job_id)
        return True
