"""iVvy's calls for many jobs at once, and whose answer is whose in the results."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import orjson

from gateway.backends.ivvy import client
from gateway.calls import Reply, Safety, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.calls import Call

MOST_JOBS = 200
"""Jobs of one batch (iVvy: "Run", code 24448)."""
NOT_COMPLETED = "24114"
"""The results were asked for too soon."""

MARKS = ("id", "externalId", "email", "firstName", "lastName", "group", "contacts")
"""The parameters that tell which record a job is about."""


def run(calls: Sequence[Call], callback_url: str | None) -> Call:
    """One batch of jobs. Sent twice it would be done twice."""
    body: dict[str, Any] = {"jobs": [_job(call, call.body) for call in calls]}
    if callback_url is not None:
        body["callbackUrl"] = callback_url
    return client.call("batch", "run", body, Safety.ONCE)


def shown_job(call: Call) -> dict[str, Any]:
    """A batch's body with this one job alone, for its receipt."""
    return {"jobs": [_job(call, shown(call).body)]}


def progress(async_id: str) -> Call:
    """How far a batch has come. The id is answered as asyncId and sent as async."""
    return client.call("batch", "progress", {"async": async_id})


def results(async_id: str) -> Call:
    """What a batch's jobs have answered; kept for two days."""
    return client.call("batch", "results", {"async": async_id})


def _job(call: Call, params: Any) -> dict[str, Any]:
    namespace = call.path.rpartition("/")[2]
    return {"namespace": namespace, "action": client.action_of(call), "params": params}


def responses_of(calls: Sequence[Call], reply: Reply) -> list[Reply | None]:
    """Each job's answer, as the call alone would have had it; None where there is none.

    A result is known by the action and the record that it says it was about, because the order of
    results is not documented. ASSUMED: several about one record are in the order of their jobs.
    """
    waiting: dict[bytes, list[Any]] = defaultdict(list)
    for row in reply.body["results"]:
        waiting[_likeness(row.get("action"), row.get("request"))].append(row.get("response"))
    found: list[Reply | None] = []
    for call in calls:
        told = waiting[_likeness(client.action_of(call), call.body)]
        response = told.pop(0) if told else None
        found.append(None if response is None else _alone(reply, response))
    return found


def _likeness(action: Any, params: Any) -> bytes:
    """What two sayings of one job have in common; numbers may be told as text.

    ASSUMED: a result's `request` is the job's parameters, or the job with them in it.
    """
    given: Mapping[str, Any] = params if isinstance(params, dict) else {}
    given = given["params"] if isinstance(given.get("params"), dict) else given
    marks = {name: _as_text(given[name]) for name in MARKS if given.get(name) is not None}
    return orjson.dumps([action, marks], option=orjson.OPT_SORT_KEYS)


def _as_text(value: Any) -> Any:
    return [str(item) for item in value] if isinstance(value, list) else str(value)


def _alone(reply: Reply, response: Any) -> Reply:
    text = orjson.dumps(response).decode()
    return Reply(status=reply.status, headers=reply.headers, body=response, text=text)
