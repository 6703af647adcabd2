"""The gateway as an import talks to it: the same calls whether it runs elsewhere or in this process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from gateway.importing.rows import ImportRefusedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

SEND = """
mutation ($inputs: [ContactInput!]!, $targets: [Backend!], $mode: WriteMode!,
          $ifMissing: MissingPolicy!, $dryRun: Boolean!, $key: String) {
  upsertContacts(inputs: $inputs, targets: $targets, mode: $mode, ifMissing: $ifMissing,
                 dryRun: $dryRun, idempotencyKey: $key) {
    replayed operation { id } errors { backend code message field }
  }
}
"""

LOOK = "query ($id: ID!) { operation(id: $id) { status total completed failed } }"

ITEMS = """
query ($id: ID!, $after: String) { operation(id: $id) {
  items(first: 500, after: $after) {
    edges { node {
      index status errors { backend message field }
      steps { backend result { outcome errors { message field } warnings { message } } }
    } }
    pageInfo { hasNextPage endCursor }
  }
} }
"""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """How the contacts are to be written."""

    targets: Sequence[str] | None
    mode: str
    if_missing: str

    def variables(self) -> dict[str, Any]:
        """As the mutation takes it."""
        return {"targets": self.targets, "mode": self.mode, "ifMissing": self.if_missing}


@dataclass(frozen=True, kw_only=True)
class Client:
    """Sends GraphQL to one gateway."""

    http: httpx.AsyncClient

    async def upsert(
        self, inputs: Sequence[dict[str, Any]], wanted: Wanted, *, key: str | None
    ) -> dict[str, Any]:
        """The payload of upsertContacts; without a key it is a dry run."""
        variables = wanted.variables() | {"inputs": inputs, "key": key, "dryRun": key is None}
        data = await self._ask(SEND, variables)
        payload: dict[str, Any] | None = data["upsertContacts"]
        if payload is None:
            raise ImportRefusedError(["The gateway failed at this call; its log tells why."])
        return payload

    async def operation(self, operation_id: str) -> dict[str, Any]:
        """How far an operation is."""
        data = await self._ask(LOOK, {"id": operation_id})
        found: dict[str, Any] | None = data["operation"]
        if found is None:
            raise ImportRefusedError([f"The gateway knows no operation {operation_id} any more."])
        return found

    async def items(self, operation_id: str) -> AsyncIterator[dict[str, Any]]:
        """What became of each input of an operation."""
        after: str | None = None
        while True:
            data = await self._ask(ITEMS, {"id": operation_id, "after": after})
            page = data["operation"]["items"]
            for edge in page["edges"]:
                yield edge["node"]
            if not page["pageInfo"]["hasNextPage"]:
                return
            after = page["pageInfo"]["endCursor"]

    async def _ask(self, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The data of an answer; raises ImportRefusedError with what the gateway says instead."""
        try:
            response = await self.http.post(
                "/graphql", json={"query": query, "variables": dict(variables)}
            )
        except httpx.TransportError as error:
            raise ImportRefusedError(
                [f"The gateway at {self.http.base_url} cannot be reached: {error!r}."]
            ) from error
        try:
            answer = response.json()
        except ValueError:
            raise ImportRefusedError(
                [
                    f"{self.http.base_url} answered {response.status_code}, and not as a gateway does."
                ]
            ) from None
        if answer.get("errors"):
            raise ImportRefusedError(
                [f"The gateway says: {error['message']}" for error in answer["errors"]]
            )
        data: dict[str, Any] = answer["data"]
        return data
