"""Store a write for durable delivery, then follow it over a WebSocket until it has ended.

GATEWAY_URL=http://127.0.0.1:8000 python follow_operation.py, before a running `gateway dev`.
"""

from __future__ import annotations

import asyncio
import os

from gql import Client, GraphQLRequest
from gql.transport.exceptions import TransportError
from gql.transport.websockets import WebsocketsTransport

ADDRESS = os.environ.get("GATEWAY_URL", "http://127.0.0.1:8000")
TOKEN = os.environ.get("GATEWAY_TOKEN")

STORE = """
mutation Store($inputs: [ContactInput!]!) {
  upsertContacts(inputs: $inputs) {
    operation { id status total }
    errors { code message field suggestions }
  }
}
"""

FOLLOW = """
subscription Follow($id: ID!) {
  operation(id: $id) {
    status
    completed
    failed
    total
  }
}
"""

PEOPLE = [
    {"externalId": "E-1001", "firstName": "Augusta"},
    {"externalId": "E-1002", "addGroupsName": ["Newsleter"]},
    {
        "externalId": "E-4003",
        "email": "rita@example.com",
        "firstName": "Rita",
        "lastName": "Levi",
        "recordTypeName": "Employee",
    },
]


async def main() -> None:
    """Store three people, one of them with a typo, and show how the good ones get on."""
    transport = WebsocketsTransport(
        url=f"{ADDRESS.replace('http', 'ws', 1)}/graphql",
        # A WebSocket of a browser takes no headers; the first message does, for everybody.
        init_payload={"Authorization": f"Bearer {TOKEN}"} if TOKEN else {},
    )
    async with Client(transport=transport) as session:
        store = GraphQLRequest(STORE, variable_values={"inputs": PEOPLE})
        stored = (await session.execute(store))["upsertContacts"]
        for error in stored["errors"]:
            print(f"{error['code']} at {'.'.join(error['field'])}: {error['message']}")
        operation = stored["operation"]
        if operation is None:
            return
        print(f"Stored {operation['total']}: {operation['status']}")
        follow = GraphQLRequest(FOLLOW, variable_values={"id": operation["id"]})
        async for event in session.subscribe(follow):
            now = event["operation"]
            ended = f"{now['completed']} of {now['total']} ended, {now['failed']} failed"
            print(f"{ended}: {now['status']}")


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except TransportError as error:  # not let in, not allowed, or gone meanwhile
        raise SystemExit(f"The gateway ended it: {error}") from None
