"""Custom fields that SendGrid lists already and does not take yet.

For some seconds after a field was made, an upsert with it is refused as with one that is unknown
(contract: sendgrid section 9). Then the input is right, and the same write is taken a little later.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.entries import CatalogName
from gateway.errors import BackendFailure
from gateway.results import ProblemCode

if TYPE_CHECKING:
    from gateway.calls import Call
    from gateway.catalogs import Catalogs
    from gateway.results import Problem
    from gateway.upstream import Exchange

READY_AFTER = 5.0
"""Seconds for which another client waits after it has made a field."""
_REFUSED = "invalid custom field id"
_WORD = re.compile(r"\w+")


async def too_new(
    call: Call, refused: Problem, catalogs: Catalogs, exchange: Exchange
) -> Problem | None:
    """The problem of a write that is refused for fields which SendGrid lists, read anew; else None."""
    said = refused.backend_message or ""
    if call.method != "PUT" or _REFUSED not in said.lower():
        return None
    [contact] = call.body["contacts"]
    blamed = set(_WORD.findall(said)) & contact.get("custom_fields", {}).keys()
    try:
        listed = await catalogs.read(CatalogName.CUSTOM_FIELDS, exchange)
    except BackendFailure:
        return None
    if not blamed or not blamed <= {entry.id for entry in listed.entries}:
        return None
    return replace(
        refused,
        code=ProblemCode.UNAVAILABLE,
        message=f"SendGrid lists the custom field {', '.join(sorted(blamed))}, but does not take it "
        "yet, as it does for some seconds after one was made: nothing was written there.",
        retryable=True,
        retry_after_seconds=READY_AFTER,
    )
