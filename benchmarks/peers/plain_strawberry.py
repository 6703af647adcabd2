"""Strawberry, uvicorn, httpx and aiodataloader, put together as their documentation shows."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import os
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from enum import Enum
from typing import Any
from urllib.parse import quote

import httpx
import strawberry
import uvicorn
from aiodataloader import DataLoader
from strawberry import ID, UNSET
from strawberry.asgi import GraphQL

UPSTREAM = os.environ["UPSTREAM"]
TTL = 0 if os.environ.get("NAMES") == "cold" else 300
ORGANIZATION = "1000000000000001"
BASIC = "Basic " + base64.b64encode(b"bench:bench").decode()
READ_ONLY = {
    *("id", "status", "organizationId", "createdDate", "createdId", "createdName"),
    *("lastModifiedDate", "lastModifiedId", "lastModifiedName", "groups"),
}

Fetch = Callable[[], Awaitable[dict[str, Any]]]

client = httpx.AsyncClient()
kept: dict[str, tuple[float, dict[str, Any]]] = {}


@strawberry.enum
class Backend(Enum):
    """The backends."""

    IVVY = "IVVY"
    EVERBRIDGE = "EVERBRIDGE"
    SENDGRID = "SENDGRID"


@strawberry.input
class CustomFieldInput:
    """One custom field."""

    name: str
    values: list[str]


@strawberry.input
class ContactInput:
    """The contact."""

    external_id: ID
    email: str
    first_name: str
    last_name: str
    record_type_name: str | None = UNSET
    add_groups_name: list[str] = strawberry.field(default_factory=list)
    custom_fields: list[CustomFieldInput] = strawberry.field(default_factory=list)


@strawberry.type
class Problem:
    """What went wrong."""

    code: str
    message: str
    field: list[str]
    backend: Backend | None = None


@strawberry.type
class BackendResult:
    """What became of the write in one backend."""

    backend: Backend
    outcome: str
    id: ID | None = None
    errors: list[Problem] = strawberry.field(default_factory=list)


@strawberry.type
class UpsertContactPayload:
    """What became of the write."""

    status: str
    results: list[BackendResult]
    errors: list[Problem]


class Names:
    """Names to ids, by one DataLoader for each list and request."""

    def __init__(self) -> None:
        self.loaders: dict[str, DataLoader[str, Any]] = {}

    async def id(self, listed: str, name: str, fetch: Fetch) -> Any:
        """The id of a name in a list."""

        async def load(names: list[str]) -> list[Any]:
            until, entries = kept.get(listed, (0.0, {}))
            if time.monotonic() >= until:
                entries = await fetch()
                kept[listed] = (time.monotonic() + TTL, entries)
            return [entries.get(one) or KeyError(one) for one in names]

        if listed not in self.loaders:
            self.loaders[listed] = DataLoader(load)
        return await self.loaders[listed].load(name)


async def ivvy(action: str, body: dict[str, Any]) -> Any:
    """One signed call to iVvy."""
    target = f"/api/1.0/contact?action={action}"
    content = json.dumps(body).encode()
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    date = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
    text = f"POST{md5}application/json{target}1.0IVVYDate={date}".lower()
    sign = hmac.new(b"bench-secret", text.encode(), "sha1").hexdigest()
    headers = {
        "Content-Type": "application/json",
        "Content-MD5": md5,
        "IVVY-Date": date,
        "X-Api-Authorization": f"IWS bench-key:{sign}",
    }
    answer = await client.post(f"{UPSTREAM}/ivvy{target}", content=content, headers=headers)
    return answer.raise_for_status().json()


async def everbridge(method: str, path: str, body: Any = None) -> Any:
    """One call to Everbridge."""
    url = f"{UPSTREAM}/everbridge/rest{path}"
    answer = await client.request(method, url, json=body, headers={"Authorization": BASIC})
    return answer.raise_for_status().json()


async def sendgrid(method: str, path: str, body: Any = None) -> Any:
    """One call to SendGrid."""
    url = f"{UPSTREAM}/sendgrid{path}"
    headers = {"Authorization": "Bearer SG.bench"}
    answer = await client.request(method, url, json=body, headers=headers)
    return answer.raise_for_status().json()


async def ivvy_groups() -> dict[str, Any]:
    """IVvy's groups."""
    return {row["groupName"]: row["id"] for row in await ivvy("getSubscriptionGroupList", {})}


async def ivvy_fields() -> dict[str, Any]:
    """IVvy's custom fields, with the values of their options."""
    return {
        row["displayName"]: (
            row["fieldId"],
            {label: value for value, label in (row["selectValues"] or {}).items()},
        )
        for row in await ivvy("getCustomFieldDefinition", {})
    }


def everbridge_list(listed: str) -> Fetch:
    """One of Everbridge's lists."""

    async def fetch() -> dict[str, Any]:
        page = "/pagination?pageNumber=1&pageSize=100" if listed == "groups" else ""
        answer = await everbridge("GET", f"/{listed}/{ORGANIZATION}{page}")
        return {
            row.get("name") or row["prompt"]: row.get("pathId") or row["id"]
            for row in answer["page"]["data"]
        }

    return fetch


async def sendgrid_lists() -> dict[str, Any]:
    """SendGrid's lists."""
    answer = await sendgrid("GET", "/v3/marketing/lists?page_size=100")
    return {row["name"]: row["id"] for row in answer["result"]}


async def sendgrid_fields() -> dict[str, Any]:
    """SendGrid's custom fields."""
    answer = await sendgrid("GET", "/v3/marketing/field_definitions")
    return {row["name"]: row["id"] for row in answer["custom_fields"]}


async def upsert_ivvy(given: ContactInput, names: Names) -> BackendResult:
    """Find and write."""
    chosen = {"perPage": 100, "start": 0, "filter": {"externalId": given.external_id}}
    found, _, fields = await asyncio.gather(
        ivvy("getContactList", chosen),
        asyncio.gather(
            *(names.id("ivvy groups", name, ivvy_groups) for name in given.add_groups_name)
        ),
        asyncio.gather(
            *(names.id("ivvy fields", one.name, ivvy_fields) for one in given.custom_fields)
        ),
    )
    rows = [row for row in found["results"] if row["externalId"] == given.external_id]
    body: dict[str, Any] = {"firstName": given.first_name, "lastName": given.last_name}
    body |= (
        {"id": rows[0]["id"]} if rows else {"externalId": given.external_id, "email": given.email}
    )
    body["customFields"] = [
        {"fieldId": field_id, "value": options.get(one.values[0], one.values[0])}
        for one, (field_id, options) in zip(given.custom_fields, fields, strict=True)
    ]
    saved = await ivvy("addOrUpdateContact", body)
    outcome = "UPDATED" if rows else "CREATED"
    return BackendResult(backend=Backend.IVVY, outcome=outcome, id=ID(str(saved["id"])))


async def upsert_everbridge(given: ContactInput, names: Names) -> BackendResult:
    """Read, merge and put."""

    def known(listed: str, name: str) -> Awaitable[Any]:
        return names.id(f"everbridge {listed}", name, everbridge_list(listed))

    search = f"externalIds={quote(given.external_id)}&pageNumber=1&pageSize=100"
    found, record_type, groups, fields, path = await asyncio.gather(
        everbridge("GET", f"/contacts/{ORGANIZATION}?{search}"),
        known("recordTypes", given.record_type_name or "Employee"),
        asyncio.gather(*(known("groups", name) for name in given.add_groups_name)),
        asyncio.gather(*(known("contactAttributes", one.name) for one in given.custom_fields)),
        known("contactPaths", "Work Email"),
    )
    rows = [row for row in found["page"]["data"] if row["externalId"] == given.external_id]
    stored = rows[0] if rows else {}
    body = {name: value for name, value in stored.items() if name not in READ_ONLY}
    body |= {
        "externalId": given.external_id,
        "firstName": given.first_name,
        "lastName": given.last_name,
        "recordTypeId": record_type,
        "groups": list(groups),
        "paths": [
            *(one for one in stored.get("paths", []) if one["pathId"] != path),
            {"pathId": path, "value": given.email, "waitTime": 0},
        ],
        "contactAttributes": [
            *(one for one in stored.get("contactAttributes", []) if one["orgAttrId"] not in fields),
            *(
                {"orgAttrId": field_id, "name": one.name, "values": one.values}
                for one, field_id in zip(given.custom_fields, fields, strict=True)
            ),
        ],
    }
    if rows:
        saved = await everbridge("PUT", f"/contacts/{ORGANIZATION}/{stored['id']}", body)
    else:
        saved = await everbridge("POST", f"/contacts/{ORGANIZATION}", body)
    outcome = "UPDATED" if rows else "CREATED"
    return BackendResult(backend=Backend.EVERBRIDGE, outcome=outcome, id=ID(str(saved["id"])))


async def upsert_sendgrid(given: ContactInput, names: Names) -> BackendResult:
    """One upsert."""
    lists, fields = await asyncio.gather(
        asyncio.gather(
            *(names.id("sendgrid lists", name, sendgrid_lists) for name in given.add_groups_name)
        ),
        asyncio.gather(
            *(names.id("sendgrid fields", one.name, sendgrid_fields) for one in given.custom_fields)
        ),
    )
    written = {
        "email": given.email.lower(),
        "first_name": given.first_name,
        "last_name": given.last_name,
        "custom_fields": {
            field_id: one.values[0]
            for one, field_id in zip(given.custom_fields, fields, strict=True)
        },
    }
    await sendgrid(
        "PUT", "/v3/marketing/contacts", {"list_ids": list(lists), "contacts": [written]}
    )
    return BackendResult(backend=Backend.SENDGRID, outcome="ACCEPTED")


UPSERTS = {
    Backend.IVVY: upsert_ivvy,
    Backend.EVERBRIDGE: upsert_everbridge,
    Backend.SENDGRID: upsert_sendgrid,
}


@strawberry.type
class Query:
    """The queries."""

    ready: bool = True


@strawberry.type
class Mutation:
    """The mutations."""

    @strawberry.mutation
    async def upsert_contact(
        self,
        info: strawberry.Info[dict[str, Any], None],
        input: ContactInput,  # noqa: A002 - the API's own name
        targets: list[Backend] | None = None,
    ) -> UpsertContactPayload:
        """Write one contact to its targets."""
        names = info.context["names"]
        results = await asyncio.gather(
            *(UPSERTS[target](input, names) for target in targets or Backend)
        )
        return UpsertContactPayload(status="APPLIED", results=list(results), errors=[])


class Served(GraphQL[dict[str, Any], None]):
    """The schema with loaders of its own for each request."""

    async def get_context(self, request: Any, response: Any) -> dict[str, Any]:
        """The context of one request."""
        return {"request": request, "response": response, "names": Names()}


app = Served(strawberry.Schema(Query, Mutation))

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning")
