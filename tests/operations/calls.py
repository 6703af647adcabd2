"""The mutations with the arguments that repeat and delay them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.harness import UPSERT_CONTACT, Answer
from tests.leads import UPSERT_LEAD

if TYPE_CHECKING:
    from tests.harness import Gateway


def _with_arguments(query: str, field: str, payload: str) -> str:
    """The query with a key, and what it changes in the payload."""
    variables = ", $idempotencyKey: String) {"
    given = ", idempotencyKey: $idempotencyKey) {"
    head, call, rest = query.partition(f"{field}(")
    head = head.replace(") {", variables, 1)
    rest = rest.replace(") {", given, 1).replace("requestId status", f"requestId status {payload}")
    return head + call + rest


CONTACT = _with_arguments(UPSERT_CONTACT, "upsertContact", "replayed")
LEAD = _with_arguments(UPSERT_LEAD, "upsertLead", "replayed")


async def upsert(gateway: Gateway, contact: dict[str, Any], **arguments: Any) -> Answer:
    """Send upsertContact."""
    data = await gateway.data(CONTACT, input=contact, **arguments)
    return Answer(data["upsertContact"])


async def upsert_lead(gateway: Gateway, lead: dict[str, Any], **arguments: Any) -> dict[str, Any]:
    """Send upsertLead."""
    data = await gateway.data(LEAD, input=lead, **arguments)
    payload: dict[str, Any] = data["upsertLead"]
    return payload
