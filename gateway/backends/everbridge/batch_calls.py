"""Everbridge's calls for many contacts at once, and what their answers say.

A row is what the single call would send. The batch schema demands more on paper than the single one
does (contract: everbridge section 3.1); what it demands and the gateway can know is added.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gateway.calls import Call, Safety

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.calls import Reply

ALL_ROWS = 100
"""The batch code of a full success (contract: everbridge section 2.1)."""

MOST_ROWS = 500
"""Rows of one call. No limit is published; a client in use speaks of 1000 (contract: everbridge
section 3.1). Memberships are left by so many contacts in one call, too."""

PATH_DEFAULTS: Mapping[str, Any] = {"waitTime": 0, "skipValidation": False, "pathEnable": True}
"""What the batch schema wants in each path, with what a path has when nothing is said. It wants a
countryCode as well, which an e-mail address has not: ASSUMED optional, because a client in use
leaves it out."""


def fits_batch(call: Call) -> bool:
    """Whether a call of a plan can be a row: the batch schema demands the record type's id."""
    return call.method == "DELETE" or call.body.get("recordTypeId") is not None


def row_of(call: Call, body: Mapping[str, Any]) -> dict[str, Any]:
    """The row that says what a PUT or POST with this body would; a PUT's has the contact's id."""
    row = dict(body)
    if isinstance(row.get("paths"), list):
        row["paths"] = [{**PATH_DEFAULTS, **path} for path in row["paths"]]
    return {"id": int(contact_of(call)), **row} if call.method == "PUT" else row


def contact_of(call: Call) -> str:
    """The id of the contact that a PUT replaces."""
    return call.path.rpartition("/")[2]


def group_of(call: Call) -> str:
    """The id of the group that a DELETE takes contacts out of."""
    return dict(call.query)["groupId"]


def leave_group(
    organization_id: str, group_id: str, contact_id: str, *, carries: tuple[str, ...] = ()
) -> Call:
    """DELETE with a body: takes one contact out of a group."""
    return Call(
        method="DELETE",
        path=f"/groups/{organization_id}/contacts",
        query=(("byType", "id"), ("groupId", group_id), ("idType", "id")),
        body=[int(contact_id)],
        safety=Safety.REPEATABLE,
        carries=carries,
    )


def replace_contacts(calls: Sequence[Call]) -> Call:
    """One PUT for many. `updateType` is always said, because its default would not replace."""
    path = calls[0].path.rpartition("/")[0]
    query = (("idType", "id"), ("updateType", "full"))
    return _batch("PUT", f"{path}/batch", calls, query)


def create_contacts(calls: Sequence[Call]) -> Call:
    """One POST for many: overwrites those that have an externalId of these, and tells no ids."""
    return _batch("POST", f"{calls[0].path}/batch", calls)


def leave_together(calls: Sequence[Call]) -> Call:
    """One DELETE that takes many contacts out of one group."""
    return replace(calls[0], body=[contact for call in calls for contact in call.body])


def _batch(
    method: str, path: str, calls: Sequence[Call], query: tuple[tuple[str, str], ...] = ()
) -> Call:
    rows = [row_of(call, call.body) for call in calls]
    return Call(method=method, path=path, query=query, body=rows, safety=Safety.REPEATABLE)


def is_batch(call: Call) -> bool:
    """Whether a writing call's answer has a batch code."""
    return call.path.startswith("/groups/") or call.path.endswith("/batch")


def all_taken(reply: Reply) -> bool:
    """Whether an answer says that all rows were taken; otherwise some failed, or all."""
    return bool(reply.body["code"] == ALL_ROWS)
