"""SendGrid's jobs, as the gateway shows them, and how many ask after one with one call."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from strawberry import ID

from gateway.backends.sendgrid.client import get_job
from gateway.backends.sendgrid.refusals import unreadable
from gateway.errors import NotWrittenError, RefusedError
from gateway.model import Backend
from gateway.results import ImportJob, JobStatus
from gateway.sending.verdicts import timed_out
from gateway.upstream import Exchange

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.calls import Call, Reply
    from gateway.upstream import Sender

STATUSES = {
    "pending": JobStatus.PENDING,
    "completed": JobStatus.COMPLETED,
    "errored": JobStatus.ERRORED,
    "failed": JobStatus.FAILED,
}
FRESH_FOR = 1.0
"""Seconds for which the status of a job under way is told again without asking."""
LONGEST_ID = 100
"""Characters of a job's id; SendGrid's have 36."""
MOST_KNOWN = 1_000
"""Jobs whose last status is kept; one that has ended stays as it is."""


def job_of(reply: Reply) -> str:
    """The id of the job that an accepted write has become."""
    found: str = reply.body["job_id"]
    return found


def accepted_job(call: Call, reply: Reply) -> ImportJob:
    """The job that an accepted write has become."""
    contacts = (call.body or {}).get("contacts") or [None]
    return ImportJob(
        backend=Backend.SENDGRID,
        id=ID(job_of(reply)),
        status=JobStatus.PENDING,
        requested_count=len(contacts),
    )


def read_job(reply: Reply) -> ImportJob:
    """A job's status; counters that SendGrid leaves out are unknown.

    They can be final while the status still says pending (contract: sendgrid section 5). A completed
    job is documented to have no errors: one that counts some is ERRORED, whatever it calls itself, so
    that nobody in it is told of a success unseen.
    """
    body = reply.body
    status = STATUSES.get(str(body.get("status")))
    if status is None or not isinstance(body.get("id"), str):
        raise unreadable(reply)
    results = body.get("results")
    counts: dict[str, Any] = results if isinstance(results, dict) else {}
    if status is JobStatus.COMPLETED and counts.get("errored_count"):
        status = JobStatus.ERRORED
    return ImportJob(
        backend=Backend.SENDGRID,
        id=ID(body["id"]),
        status=status,
        requested_count=counts.get("requested_count"),
        created_count=counts.get("created_count"),
        updated_count=counts.get("updated_count"),
        errored_count=counts.get("errored_count"),
        errors_url=counts.get("errors_url") or None,
    )


def moment(text: object) -> datetime | None:
    """A moment as SendGrid writes it, in nanoseconds or whole seconds; None for anything else."""
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if found is None or found.tzinfo is not None else None


class _Known(NamedTuple):
    """What is known of a job; None of one that SendGrid does not know."""

    asked_at: float
    job: ImportJob | None
    began: datetime | None


class Jobs:
    """Asks after jobs: once for all who want to know of one job at about the same time.

    Thousands of contacts may have been written by one job, and each write follows it for itself.
    """

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._known: dict[str, _Known] = {}
        self._asking: dict[str, asyncio.Task[ImportJob | None]] = {}

    async def status(self, job_id: str, exchange: Exchange, now: float) -> ImportJob | None:
        """How a job stands; None when SendGrid knows none by that id.

        `now` is on the clock of `time.monotonic`. Raises BackendFailure when SendGrid cannot tell.
        """
        if not (0 < len(job_id) <= LONGEST_ID and job_id.isprintable()):
            return None  # callers may give anything, and not all of it makes an address
        known = self._known.get(job_id)
        if known is not None and (_is_over(known.job) or 0 <= now - known.asked_at < FRESH_FOR):
            return known.job and replace(known.job)
        asking = self._asking.get(job_id)
        if asking is None:
            asking = asyncio.create_task(self._ask(job_id, exchange, now))
            self._asking[job_id] = asking
            asking.add_done_callback(lambda task: self._asked(job_id, task))
        try:
            async with asyncio.timeout(exchange.left):
                job = await asyncio.shield(asking)
        except TimeoutError:
            message = "SendGrid did not say within the request's time how the job stands."
            raise NotWrittenError(timed_out(Backend.SENDGRID, message)) from None
        return job and replace(job)

    def may_have_written(self, jobs: Sequence[ImportJob], contact: Mapping[str, Any]) -> bool:
        """Whether a contact's `updated_at` is not before the jobs' beginning, both by SendGrid's clock.

        Also where one of the two is not known. A job in which all failed has written nothing
        (contract: sendgrid section 5).
        """
        if all(job.status is JobStatus.FAILED for job in jobs):
            return False
        began = [self.began(job.id) for job in jobs]
        written = moment(contact.get("updated_at"))
        return written is None or any(one is None or one <= written for one in began)

    def began(self, job_id: str) -> datetime | None:
        """When a job began by SendGrid's clock, where it was asked after lately and said so."""
        known = self._known.get(job_id)
        return known and known.began

    async def _ask(self, job_id: str, exchange: Exchange, now: float) -> ImportJob | None:
        alone = Exchange(deadline=exchange.deadline, request_id=exchange.request_id)
        try:
            reply = await self._sender.send(get_job(job_id), alone)
        except RefusedError:
            known = _Known(now, None, None)
        else:
            known = _Known(now, read_job(reply), moment(reply.body.get("started_at")))
        self._known.pop(job_id, None)
        self._known[job_id] = known
        while len(self._known) > MOST_KNOWN:
            del self._known[next(iter(self._known))]
        return known.job

    def _asked(self, job_id: str, task: asyncio.Task[ImportJob | None]) -> None:
        del self._asking[job_id]
        if not task.cancelled():
            task.exception()  # whoever still waits is told; nobody may be left to hear it


def _is_over(job: ImportJob | None) -> bool:
    return job is not None and job.status is not JobStatus.PENDING
