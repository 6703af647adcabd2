"""Save one person in every backend, and say what became of it.

GATEWAY_URL=http://127.0.0.1:8000 python save_contact.py, before a running `gateway dev`.
"""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import Any

from gql import Client, GraphQLRequest
from gql.transport.exceptions import TransportQueryError
from gql.transport.httpx import HTTPXTransport

ADDRESS = os.environ.get("GATEWAY_URL", "http://127.0.0.1:8000")
TOKEN = os.environ.get("GATEWAY_TOKEN")  # an API key or a JWT; `gateway dev` asks for neither
SCHEMA = Path(__file__).parents[2] / "schema.graphql"

SAVE = """
mutation Save($input: ContactInput!, $key: String) {
  upsertContact(input: $input, idempotencyKey: $key) {
    status
    replayed
    results { backend outcome changedFields errors { message retryable } }
    errors { code message field suggestions }
  }
}
"""

# What a person is told of each outcome.
WORDS = {
    "CREATED": "new",
    "UPDATED": "changed",
    "UNCHANGED": "was so already",
    "CONFIRMED": "written",
    "ACCEPTED": "accepted, shows within minutes",
    "QUEUED": "stored, is delivered soon",
    "PLANNED": "would be written",
    "PARTIAL": "written in part",
    "REJECTED": "refused",
    "SKIPPED": "not tried",
    "FAILED": "not written, try again",
    "UNKNOWN": "perhaps written, look before you try again",
}


def new_client() -> Client:
    """A client that checks operations against the schema before it sends them."""
    headers = {"Authorization": f"Bearer {TOKEN}"} if TOKEN else None
    transport = HTTPXTransport(url=f"{ADDRESS}/graphql", headers=headers, timeout=60)
    return Client(transport=transport, schema=SCHEMA.read_text())


def save(client: Client, contact: dict[str, Any], key: str | None = None) -> dict[str, Any]:
    """Write a contact and show the receipt; the same `key` again writes nothing twice.

    A key of `contact` that is missing keeps what each backend holds, None clears it, a value sets it.
    """
    variables = {"input": contact, "key": key or str(uuid.uuid4())}
    answer = client.execute(GraphQLRequest(SAVE, variable_values=variables))
    payload: dict[str, Any] = answer["upsertContact"]
    print(payload["status"] + (", nothing was sent" if payload["replayed"] else ""))
    for result in payload["results"]:
        why = [error["message"] for error in result["errors"]]
        told = [WORDS[result["outcome"]], *result["changedFields"], *why]
        print(f"  {result['backend']}: {' '.join(told)}")
    for error in payload["errors"]:
        print(f"  {error['code']} at {'.'.join(error['field'])}: {error['message']}")
    return payload


def main() -> None:
    """Create, change, repeat and mistype."""
    client = new_client()
    person = {"externalId": "E-4002", "email": "chien@example.com", "recordTypeName": "Employee"}
    save(client, person | {"firstName": "Chien", "lastName": "Wu", "phone": "+1 202 555 0142"})

    # Absent keeps (email, firstName), None clears (phone), a value sets (lastName).
    change = {"externalId": "E-4002", "lastName": "Wu-Yuan", "phone": None}
    key = str(uuid.uuid4())
    save(client, change, key)
    save(client, change, key)

    save(client, {"externalId": "E-4002", "groupsName": ["Newsleter"]})


if __name__ == "__main__":
    try:
        main()
    except (
        TransportQueryError
    ) as error:  # no key, not allowed, or no request that the gateway takes
        raise SystemExit(f"The gateway refused: {error}") from None
