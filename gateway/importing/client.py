"""The gateway as an import talks to it: the same calls whether it runs elsewhere or in this process."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
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


NUMBER_LIMIT = "GATEWAY_MAX_LIST_ITEMS"
"""The limit of every list, which an import meets by the number of its contacts alone."""
WAITS = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
"""Answers of who has taken nothing and, with Retry-After, will soon."""
WAIT_SECONDS = 300.0
"""For which one call waits at most until it is let in."""
SHORTEST_WAIT = 0.1
"""Between two tries, where who lets one wait asks for no time at all."""


class TooLargeError(ImportRefusedError):
    """The gateway, or what stands before it, takes no call as large as this."""

    def __init__(self, problems: Sequence[str], *, by_number: bool = False) -> None:
        super().__init__(problems)
        self.by_number = by_number
        """Whether it is too many contacts, however small."""


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
        """The payload of upsertContacts; without a key it is a dry run.

        Raises TooLargeError where fewer inputs may be taken.
        """
        variables = wanted.variables() | {"inputs": inputs, "key": key, "dryRun": key is None}
        data = await self._ask(SEND, variables)
        payload: dict[str, Any] | None = data["upsertContacts"]
        if payload is None:
            raise ImportRefusedError(["The gateway failed at this call; its log tells why."])
        for problem in payload["errors"]:
            if problem["code"] == "TOO_MANY" and problem["field"] == ["inputs"]:
                raise TooLargeError([problem["message"]], by_number=True)
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

    async def _post(self, body: dict[str, Any]) -> httpx.Response:
        """The answer of a gateway that has taken the request, which may let one wait first."""
        waited = 0.0
        while True:
            response = await self.http.post("/graphql", json=body)
            pause = _pause(response)
            if pause is None or waited + pause > WAIT_SECONDS:
                return response
            await asyncio.sleep(pause)
            waited += pause

    async def _ask(self, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The data of an answer; raises ImportRefusedError with what the gateway says instead."""
        try:
            response = await self._post({"query": query, "variables": dict(variables)})
        except httpx.TransportError as error:
            raise ImportRefusedError(
                [f"The gateway at {self.http.base_url} cannot be reached: {error!r}."]
            ) from error
        too_large = response.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        try:
            answer = response.json()
            errors = answer.get("errors", [])
            told = [f"The gateway says: {error['message']}" for error in errors]
            data: dict[str, Any] | None = answer.get("data")
        except (ValueError, AttributeError, TypeError, KeyError):
            status = f"{self.http.base_url} answered {response.status_code}"
            if too_large:
                raise TooLargeError([f"{status}: it takes no call as large as this."]) from None
            raise ImportRefusedError([f"{status}, and not as a gateway does."]) from None
        if too_large or any(map(_is_of_number, errors)):
            raise TooLargeError(told, by_number=not too_large)
        if told or data is None:
            raise ImportRefusedError(told or ["The gateway gave no data."])
        return data


def _pause(response: httpx.Response) -> float | None:
    """Seconds after which the same may be sent again, where nothing was taken and it is said when."""
    if response.status_code not in WAITS:
        return None
    try:
        asked = float(response.headers["Retry-After"])
    except (KeyError, ValueError):
        return None
    return max(SHORTEST_WAIT, asked)


def _is_of_number(error: Mapping[str, Any]) -> bool:
    return (error.get("extensions") or {}).get("setting") == NUMBER_LIMIT
