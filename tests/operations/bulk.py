"""upsertContacts as tests send it, and its operation as they read it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tests.operations.calls import ENDED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.harness import Gateway

UPSERT_CONTACTS = """
mutation ($inputs: [ContactInput!]!, $targets: [Backend!], $mode: WriteMode! = PATCH,
          $ifMissing: MissingPolicy! = CREATE, $dryRun: Boolean! = false, $key: String) {
  upsertContacts(inputs: $inputs, targets: $targets, mode: $mode, ifMissing: $ifMissing,
                 dryRun: $dryRun, idempotencyKey: $key) {
    replayed
    operation { id kind total completed failed }
    errors { backend code message field suggestions }
  }
}
"""

ITEMS = """
query ($id: ID!, $after: String, $status: UpsertStatus) { operation(id: $id) {
  status total completed failed
  items(first: 500, after: $after, status: $status) {
    edges { node { index externalId status errors { code field }
      steps { backend result { outcome id errors { code message field } warnings { code }
                               calls { path body } } } } }
    pageInfo { hasNextPage endCursor }
  }
} }
"""

SHORT = "query ($id: ID!) { operation(id: $id) { status total completed failed } }"


def people(number: int, *, start: int = 0, **more: Any) -> list[dict[str, Any]]:
    """Contacts that no backend holds yet."""
    return [
        {
            "externalId": f"B-{place}",
            "email": f"bulk{place}@example.com",
            "firstName": "Bulk",
            "lastName": f"Person {place}",
            **more,
        }
        for place in range(start, start + number)
    ]


async def upsert_all(
    gateway: Gateway, inputs: Sequence[dict[str, Any]], **arguments: Any
) -> dict[str, Any]:
    """Send upsertContacts; its payload."""
    data = await gateway.data(UPSERT_CONTACTS, inputs=inputs, **arguments)
    payload: dict[str, Any] = data["upsertContacts"]
    return payload


async def items_of(gateway: Gateway, operation_id: str, **arguments: Any) -> list[dict[str, Any]]:
    """All items of an operation."""
    found: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        data = await gateway.data(ITEMS, id=operation_id, after=after, **arguments)
        page = data["operation"]["items"]
        found += [edge["node"] for edge in page["edges"]]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


def outcomes_of(item: dict[str, Any]) -> dict[str, str]:
    """An item's outcomes by backend."""
    return {step["backend"]: step["result"]["outcome"] for step in item["steps"]}


async def until_tried(gateway: Gateway, operation_id: str) -> list[dict[str, Any]]:
    """The items, once no step of them waits to be delivered."""
    async with asyncio.timeout(60):
        while True:
            found = await items_of(gateway, operation_id)
            if not any("QUEUED" in outcomes_of(item).values() for item in found):
                return found
            await asyncio.sleep(0.02)  # the worker says to nobody but the store what it did


async def until_over(gateway: Gateway, operation_id: str) -> dict[str, Any]:
    """The operation, once it has ended."""
    async with asyncio.timeout(60):
        while True:
            found: dict[str, Any] = (await gateway.data(SHORT, id=operation_id))["operation"]
            if found["status"] in ENDED:
                return found
            await asyncio.sleep(0.02)  # as above
