"""SendGrid's jobs, as the gateway shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from strawberry import ID

from gateway.backends.sendgrid.refusals import unreadable
from gateway.model import Backend
from gateway.results import ImportJob, JobStatus

if TYPE_CHECKING:
    from gateway.calls import Call, Reply

STATUSES = {
    "pending": JobStatus.PENDING,
    "completed": JobStatus.COMPLETED,
    "errored": JobStatus.ERRORED,
    "failed": JobStatus.FAILED,
}


def accepted_job(call: Call, reply: Reply) -> ImportJob:
    """The job that an accepted write has become."""
    contacts = (call.body or {}).get("contacts") or [None]
    return ImportJob(
        backend=Backend.SENDGRID,
        id=ID(reply.body["job_id"]),
        status=JobStatus.PENDING,
        requested_count=len(contacts),
    )


def read_job(reply: Reply) -> ImportJob:
    """A job's status; counters that SendGrid leaves out are unknown.

    They can be final while the status still says pending (contract: sendgrid section 5).
    """
    body = reply.body
    status = STATUSES.get(str(body.get("status")))
    if status is None or not isinstance(body.get("id"), str):
        raise unreadable(reply)
    results = body.get("results")
    counts: dict[str, Any] = results if isinstance(results, dict) else {}
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
