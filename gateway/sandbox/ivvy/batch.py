"""Batches: jobs that run as the clock goes on, one share for each share of the time (contract: 7).

A batch is a JSON row: what is due is worked out from its start whenever a request comes in, so
there is no task in the background.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from gateway.sandbox.ivvy.errors import ApiError
from gateway.sandbox.ivvy.parameters import Parameter, check, listed, mapping, read, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.sandbox.ivvy.store import Row, Store

Perform = Callable[[str, str, "Mapping[str, Any]"], Any]
"""Does one call, and gives the JSON that the call would have answered."""

MOST_JOBS: Final = 200
KEPT: Final = timedelta(days=2)
BAD_FORMAT: Final = 24092
NO_JOBS: Final = 24093
TOO_MANY: Final = 24448
PROGRESS_UNKNOWN: Final = 24105
NOT_COMPLETED: Final = 24114
RESULTS_UNKNOWN: Final = 24115

# The id is answered as `asyncId` but sent as `async`.
_WHICH: Final = (Parameter(name="async", convert=text, required="always"),)


def run(store: Store, params: Mapping[str, Any]) -> Row:
    """Answer run: `{asyncId}`, 32 hex digits. No callback is ever posted by the sandbox."""
    jobs = params.get("jobs")
    if jobs in (None, [], ""):
        raise ApiError(400, NO_JOBS, "The job parameter is empty")
    jobs = check("jobs", listed, jobs)
    if len(jobs) > MOST_JOBS:
        raise ApiError(400, TOO_MANY, f"A batch holds at most {MOST_JOBS} jobs")
    for position, job in enumerate(jobs):
        if not _well_formed(job):
            raise ApiError(400, BAD_FORMAT, f"Job {position} needs namespace, action and params")
    # Required in the older manual; the current page does not say. Switch.
    needed = store.switches["batch_callback_required"]
    callback = Parameter(name="callbackUrl", convert=text, required="always" if needed else "never")
    read(params, (callback,), store.switches)
    store.batches = {key: row for key, row in store.batches.items() if _is_kept(store, row)}
    async_id = uuid.uuid4().hex
    store.batches[async_id] = {
        "jobs": jobs if store.switches["batch_order"] == "jobs" else jobs[::-1],
        "startedAt": store.now().timestamp(),
        "seconds": store.switches["batch_seconds"],
        "results": [],
        "stopped": False,
    }
    store.open_batches[async_id] = None
    return {"asyncId": async_id}


def _well_formed(job: Any) -> bool:
    """Tell whether a job has its three parts; PHP writes empty params as an empty array."""
    return (
        isinstance(job, dict)
        and isinstance(job.get("namespace"), str)
        and isinstance(job.get("action"), str)
        and (isinstance(job.get("params"), dict) or job.get("params") == [])
    )


def progress(store: Store, params: Mapping[str, Any]) -> Row:
    """Answer progress: `{progress: 0..100}`."""
    batch = _find(store, params, PROGRESS_UNKNOWN)
    if _complete(batch):
        return {"progress": 100}
    return {"progress": min(99, math.floor(_share(store, batch) * 100))}


def results(store: Store, params: Mapping[str, Any]) -> Row:
    """Answer results; kept for two days."""
    batch = _find(store, params, RESULTS_UNKNOWN)
    if not _complete(batch):
        raise ApiError(400, NOT_COMPLETED, "The batch has not completed")
    told = [
        {**row, "request": _echo(row, store.switches["batch_request_echo"])}
        for position, row in enumerate(batch["results"])
        if position not in store.switches["batch_omits"]
    ]
    return {"asyncId": params["async"], "results": told}


def _echo(row: Row, how: str) -> Any:
    """A job's params as the results show them. ASSUMED: as they were sent."""
    request = row["request"]
    if how == "job":
        return {"namespace": row["namespace"], "action": row["action"], "params": request}
    return request if how == "whole" else _reduced(request)


def _reduced(request: Any) -> Any:
    """Params without nulls and with numbers as text."""
    if isinstance(request, dict):
        return {key: _reduced(value) for key, value in request.items() if value is not None}
    if isinstance(request, list):
        return [_reduced(value) for value in request]
    whole = isinstance(request, int) and not isinstance(request, bool)
    return str(request) if whole else request


def restart(store: Store, params: Mapping[str, Any]) -> Row:
    """Answer restart. ASSUMED: every job runs again from the start."""
    batch = _find(store, params, PROGRESS_UNKNOWN)
    fresh = {"results": [], "stopped": False, "startedAt": store.now().timestamp()}
    store.batches[params["async"]] = {**batch, **fresh}
    store.open_batches[params["async"]] = None
    return {"restarted": True}


def repost(store: Store, params: Mapping[str, Any]) -> Row:
    """Answer repost. The sandbox posts to no callback, so nothing else happens."""
    _find(store, params, PROGRESS_UNKNOWN)
    return {"reposted": True}


def settle(store: Store, perform: Perform) -> None:
    """Run every job that is due, of the batches that have any left.

    ASSUMED: jobs run in their order and independently; a failed one carries its error object
    (switch `batch_on_failure`).
    """
    for async_id in list(store.open_batches):
        batch = store.batches[async_id]
        due = math.floor(_share(store, batch) * len(batch["jobs"]))
        while len(batch["results"]) < due and not batch["stopped"]:
            job = batch["jobs"][len(batch["results"])]
            response = perform(job["namespace"], job["action"], mapping(job["params"]))
            batch["results"].append(_result(job, response))
            failed = isinstance(response, dict) and (
                "errorCode" in response or response.get("success") is False
            )
            batch["stopped"] = failed and store.switches["batch_on_failure"] == "stop"
        if _complete(batch):
            del store.open_batches[async_id]


def _result(job: Row, response: Any) -> Row:
    if isinstance(response, dict) and set(response) == {"id"}:
        # The manual's sample of a contact job's response has success as well.
        response = {"success": True, **response}
    parts = {"namespace": job["namespace"], "action": job["action"], "request": job["params"]}
    return {**parts, "response": response}


def _find(store: Store, params: Mapping[str, Any], code: int) -> Row:
    key = read(params, _WHICH, store.switches)["async"]
    batch = store.batches.get(key)
    if batch is None or not _is_kept(store, batch):
        raise ApiError(400, code, "Batch not found")
    return batch


def _is_kept(store: Store, batch: Row) -> bool:
    """Tell whether a batch is no older than two days."""
    ended = batch["startedAt"] + batch["seconds"]
    return bool(store.now().timestamp() <= ended + KEPT.total_seconds())


def _share(store: Store, batch: Row) -> float:
    """Give how much of a batch's time has passed, from 0 to 1."""
    passed = store.now().timestamp() - batch["startedAt"]
    return 1.0 if passed >= batch["seconds"] else max(0.0, passed / batch["seconds"])


def _complete(batch: Row) -> bool:
    return batch["stopped"] or len(batch["results"]) == len(batch["jobs"])


BATCH: Final[Mapping[str, Callable[[Store, Mapping[str, Any]], Row]]] = {
    "run": run,
    "progress": progress,
    "results": results,
    "restart": restart,
    "repost": repost,
}
