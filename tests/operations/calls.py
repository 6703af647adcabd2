"""The mutations with the arguments that repeat and delay them, and what follows a durable one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tests.harness import UPSERT_CONTACT, Answer
from tests.leads import UPSERT_LEAD

if TYPE_CHECKING:
    from tests.harness import Gateway

ENDED = {"SUCCEEDED", "PARTIAL", "FAILED"}

OPERATION = """
query ($id: ID!) { operation(id: $id) {
  id kind status submittedAt completedAt total completed failed
  items { edges { node { id index externalId status steps {
    id backend attempts nextAttemptAt
    result {
      backend outcome id changedFields ignoredFields jobs { id status }
      errors { code message field retryable } warnings { code }
    }
  } } } pageInfo { hasNextPage endCursor } }
} }
"""

RESOLVE = """
mutation ($stepId: ID!, $as: StepResolution!, $recordId: ID) {
  resolveStep(stepId: $stepId, as: $as, recordId: $recordId) {
    step { id result { outcome id errors { code } } }
    errors { code message field }
  }
}
"""


def _with_arguments(query: str, field: str) -> str:
    """The query with a key and a delivery, and what they change in the payload."""
    variables = ", $idempotencyKey: String, $delivery: Delivery! = DIRECT) {"
    given = ", idempotencyKey: $idempotencyKey, delivery: $delivery) {"
    payload = "requestId status replayed operation { id status }"
    head, call, rest = query.partition(f"{field}(")
    head = head.replace(") {", variables, 1)
    rest = rest.replace(") {", given, 1).replace("requestId status", payload)
    return head + call + rest


CONTACT = _with_arguments(UPSERT_CONTACT, "upsertContact")
LEAD = _with_arguments(UPSERT_LEAD, "upsertLead")


async def upsert(gateway: Gateway, contact: dict[str, Any], **arguments: Any) -> Answer:
    """Send upsertContact."""
    data = await gateway.data(CONTACT, input=contact, **arguments)
    return Answer(data["upsertContact"])


async def upsert_lead(gateway: Gateway, lead: dict[str, Any], **arguments: Any) -> dict[str, Any]:
    """Send upsertLead."""
    data = await gateway.data(LEAD, input=lead, **arguments)
    payload: dict[str, Any] = data["upsertLead"]
    return payload


async def store_durably(gateway: Gateway, contact: dict[str, Any], **arguments: Any) -> str:
    """Send a durable upsertContact; the id of its operation."""
    answer = await upsert(gateway, contact, delivery="DURABLE", **arguments)
    assert (answer.status, answer.errors) == ("PENDING", [])
    return str(answer.data["operation"]["id"])


async def operation(gateway: Gateway, operation_id: str) -> dict[str, Any]:
    """An operation as it is."""
    data = await gateway.data(OPERATION, id=operation_id)
    found: dict[str, Any] = data["operation"]
    return found


async def until(gateway: Gateway, operation_id: str, **wanted: str) -> dict[str, dict[str, Any]]:
    """The steps by backend, once each of those named has that outcome (in any order)."""
    async with asyncio.timeout(20):
        while True:
            found = steps(await operation(gateway, operation_id))
            if all(found[name]["result"]["outcome"] == value for name, value in wanted.items()):
                return found
            await asyncio.sleep(0.01)  # the worker says to nobody but the store what it did


async def until_ended(gateway: Gateway, operation_id: str) -> dict[str, Any]:
    """The operation, once it has ended or waits for a person."""
    async with asyncio.timeout(20):
        while True:
            found = await operation(gateway, operation_id)
            if found["status"] in {*ENDED, "NEEDS_ATTENTION"}:
                return found
            await asyncio.sleep(0.01)  # as above


def steps(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The steps of an operation of one input, by backend."""
    [edge] = found["items"]["edges"]
    return {step["backend"]: step for step in edge["node"]["steps"]}


def outcomes(found: dict[str, Any]) -> dict[str, str]:
    """The outcomes of an operation of one input, by backend."""
    return {name: step["result"]["outcome"] for name, step in steps(found).items()}


async def resolve(gateway: Gateway, step_id: str, as_: str, **more: Any) -> dict[str, Any]:
    """Send resolveStep."""
    data = await gateway.data(RESOLVE, stepId=step_id, **{"as": as_}, **more)
    payload: dict[str, Any] = data["resolveStep"]
    return payload
