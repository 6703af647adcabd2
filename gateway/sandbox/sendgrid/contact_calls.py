"""Writing, deleting and following: the asynchronous calls (contract: sendgrid sections 4, 5, 7)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import orjson
from starlette.responses import Response

from gateway.sandbox.sendgrid import jobs, upsert
from gateway.sandbox.sendgrid.asked import answer
from gateway.sandbox.sendgrid.errors import refused, refused_object

if TYPE_CHECKING:
    from gateway.sandbox.sendgrid.asked import Asked

_KINDS = {
    "EMAIL": "email",
    "PHONENUMBERID": "phone_number_id",
    "EXTERNALID": "external_id",
    "ANONYMOUSID": "anonymous_id",
}


def put_contacts(asked: Asked) -> Response:
    """Queue an upsert: 202 with its job's id."""
    contacts, list_ids = upsert.check(asked.json(), asked.store, asked.now, asked.switches)
    payload = {"contacts": contacts, "list_ids": list_ids}
    return answer({"job_id": asked.queue("upsert", payload, len(contacts))}, 202)


def delete_contacts(asked: Asked) -> Response:
    """Queue the deletion of `ids`, or of everything that is stored when the job applies."""
    ids = asked.query_ids("ids")
    everything = asked.request.query_params.get("delete_all_contacts") == "true"
    if everything == bool(ids):
        raise refused(400, "one of ids and delete_all_contacts is required", "ids")
    # ASSUMED: "all" are those stored when the call is made.
    ids = list(asked.store.contacts) if everything else ids
    return answer({"job_id": asked.queue("delete", {"ids": ids}, len(ids))}, 202)


def delete_identifier(asked: Asked) -> Response:
    """Queue the removal of one identifier; whether it may go is for the job to find out."""
    kind, value = asked.member("identifier_type"), asked.member("identifier_value")
    if kind not in _KINDS:
        raise refused(400, f"identifier_type must be one of {', '.join(_KINDS)}", "identifier_type")
    if not isinstance(value, str) or not value:
        raise refused(400, "identifier_value is required", "identifier_value")
    contact_id = asked.part("id")
    if contact_id not in asked.store.contacts:
        raise refused(404, "contact not found")
    payload = {"contact_id": contact_id, "kind": _KINDS[kind], "value": value}
    return answer({"job_id": asked.queue("delete_identifier", payload, 1)}, 202)


def get_import(asked: Asked) -> Response:
    """Give the status of any job. ASSUMED for those of removals from a list, hence switchable."""
    job_id = asked.part("id")
    if not upsert.is_uuid(job_id):
        raise refused_object(400, "invalid job id")
    job = asked.store.jobs.get(job_id)
    hidden = job and job.kind == "remove_from_list" and not asked.switches["removal_jobs_known"]
    if job is None or hidden:
        raise refused(404, "import not found")
    errors_url = f"{asked.root}/job-errors/{job.id}?signature={_signature(job.id)}"
    return answer(jobs.report(job, errors_url, asked.switches))


def get_job_errors(asked: Asked) -> Response:
    """Give the file behind `errors_url`, which needs its signature and no API key.

    ASSUMED throughout: the vendor publishes neither the host nor the format of this file. Here it
    is JSON Lines with `index` (place in the PUT) and `message`.
    """
    job = asked.store.jobs.get(asked.part("id"))
    if job is None or asked.request.query_params.get("signature") != _signature(job.id):
        return Response("AccessDenied", 403, media_type="text/plain")
    lines = b"".join(orjson.dumps(error) + b"\n" for error in job.errors)
    return Response(lines, media_type="application/x-ndjson")


def _signature(job_id: str) -> str:
    return hashlib.sha256(f"sandbox {job_id}".encode()).hexdigest()[:32]
