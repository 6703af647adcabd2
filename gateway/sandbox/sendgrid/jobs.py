"""Queued work: what is accepted now shows later, in the order of acceptance.

Nothing runs in the background. `settle` is called at the start of every request and does all that
has come due by the clock since the last one, as if it had happened at its own instant.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from gateway.sandbox.sendgrid import merge
from gateway.sandbox.sendgrid.instants import whole_seconds

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from gateway.sandbox.sendgrid.store import Job, Store


def settle(store: Store, now: datetime, switches: Mapping[str, Any]) -> None:
    """Apply and finish every job whose time has come.

    ASSUMED: jobs apply first in, first out; a job waits for the one before it.
    """
    apply_after = timedelta(seconds=float(switches["apply_seconds"]))
    finish_after = timedelta(seconds=float(switches["finish_seconds"]))
    earliest: datetime | None = None
    for job in list(store.open_jobs.values()):
        if job.applied_at is None:
            due = job.started_at + apply_after
            due = due if earliest is None else max(due, earliest)
            if due > now:
                return
            _apply(store, job, due, switches)
            job.applied_at = due
            job.payload = {}
        earliest = job.applied_at
        done = max(job.started_at + finish_after, job.applied_at)
        if done <= now:
            job.finished_at = done
            del store.open_jobs[job.id]


def _apply(store: Store, job: Job, at: datetime, switches: Mapping[str, Any]) -> None:
    if job.kind == "upsert":
        _apply_upsert(store, job, at, switches)
    elif job.kind == "delete":
        # ASSUMED: ids that no longer exist are passed over.
        job.deleted = sum(store.remove(contact_id) for contact_id in job.payload["ids"])
    elif job.kind == "delete_identifier":
        _apply_identifier_removal(store, job, at)
    elif switches["list_removal_works"]:
        for contact_id in job.payload["ids"]:
            contact = store.contacts.get(contact_id)
            if contact is not None and job.payload["list_id"] in contact.list_ids:
                contact.list_ids.remove(job.payload["list_id"])
                contact.updated_at = at
                job.updated += 1


def _apply_upsert(store: Store, job: Job, at: datetime, switches: Mapping[str, Any]) -> None:
    for index, given in enumerate(job.payload["contacts"]):
        if switches["own_id_swallows_contact"] and "id" in given:
            continue
        try:
            created = merge.upsert_one(
                store,
                given,
                job.payload["list_ids"],
                started_at=job.started_at,
                at=at,
                switches=switches,
            )
        except merge.RowError as error:
            job.errors.append({"index": index, "message": str(error)})
        else:
            job.created += created
            job.updated += not created


def _apply_identifier_removal(store: Store, job: Job, at: datetime) -> None:
    try:
        merge.remove_identifier(store, at=at, **job.payload)
    except merge.RowError as error:
        job.errors.append({"index": 0, "message": str(error)})
    else:
        job.updated = 1


def status(job: Job, switches: Mapping[str, Any]) -> str:
    """Give pending until the job is finished, then completed, errored (some) or failed (all)."""
    if job.finished_at is None:
        return "pending"
    if not job.errors or switches["errors_end_as"] == "completed":
        return "completed"
    return "failed" if len(job.errors) >= job.requested else "errored"


def report(job: Job, errors_url: str, switches: Mapping[str, Any]) -> dict[str, Any]:
    """Give a job as `imports/{id}` shows it (contract: sendgrid section 5).

    Its counters appear with the apply step, while the status still says pending.
    """
    counters = {
        "created_count": job.created,
        "updated_count": job.updated,
        "deleted_count": job.deleted,
        "errored_count": len(job.errors),
    }
    results: dict[str, Any] = {"requested_count": job.requested}
    sparse = switches["sparse_results"]
    results |= {name: count for name, count in counters.items() if count or not sparse}
    if job.errors and switches["errors_url"]:
        results["errors_url"] = errors_url
    observed = switches["job_type_form"] == "observed"
    # The recorded upsert says "upsert_contacts"; ASSUMED that deletions are named alike.
    job_type = ("upsert" if job.kind == "upsert" else "delete") + ("_contacts" if observed else "")
    shown: dict[str, Any] = {
        "id": job.id,
        "status": status(job, switches),
        "job_type": job_type,
        "results": results,
        "started_at": whole_seconds(job.started_at),
    }
    if job.finished_at is not None:
        shown["finished_at"] = whole_seconds(job.finished_at)
    return shown
