"""The queries: what the backends can tell."""

from __future__ import annotations

from statistics import median
from typing import Annotated

import strawberry
from graphql import GraphQLError
from strawberry import ID

from gateway.account import Account
from gateway.api.catalog_types import (
    BackendStatus,
    CatalogEntry,
    ContactPath,
    CustomField,
    Entity,
    Health,
)
from gateway.api.context import Context, Info
from gateway.backends.adapter import Adapter
from gateway.entries import CatalogName, Entry
from gateway.model import Backend
from gateway.results import ImportJob

FIELDS_OF = {
    Entity.CONTACT: CatalogName.CUSTOM_FIELDS,
    Entity.COMPANY: CatalogName.COMPANY_FIELDS,
    Entity.LEAD: CatalogName.LEAD_FIELDS,
}

OfBackend = Annotated[Backend, strawberry.argument(description="Whose.")]


def configured(account: Account, backend: Backend) -> Adapter:
    """The backend's adapter; raises a GraphQL error where it is not configured."""
    adapter = account.adapters.get(backend)
    if adapter is None:
        raise GraphQLError(
            f"The gateway has no credentials for {backend.value}.",
            extensions={"code": "NOT_CONFIGURED"},
        )
    return adapter


async def entries(context: Context, backend: Backend, name: CatalogName) -> list[Entry]:
    """A backend's list of names; empty where the backend has no such list."""
    catalogs = configured(context.account, backend).catalogs
    if not catalogs.holds(name):
        return []
    return list((await context.loaders.catalog(catalogs, name)).entries)


@strawberry.type(
    description="Fields that ask a backend are nullable, so that one failure leaves the rest of "
    "the answer standing."
)
class Query:
    """The reads."""

    @strawberry.field(
        description="A backend's groups: iVvy's subscription groups, SendGrid's lists."
    )
    async def groups(self, info: Info, backend: OfBackend) -> list[CatalogEntry] | None:
        """Names and ids of groups."""
        found = await entries(info.context, backend, CatalogName.GROUPS)
        return [CatalogEntry.of(entry) for entry in found]

    @strawberry.field(description="Everbridge's record types.")
    async def record_types(self, info: Info) -> list[CatalogEntry] | None:
        """Names and ids of record types."""
        found = await entries(info.context, Backend.EVERBRIDGE, CatalogName.RECORD_TYPES)
        return [CatalogEntry.of(entry) for entry in found]

    @strawberry.field(description="Everbridge's delivery paths.")
    async def contact_paths(self, info: Info) -> list[ContactPath] | None:
        """Prompts and ids of contact paths."""
        found = await entries(info.context, Backend.EVERBRIDGE, CatalogName.PATHS)
        return [ContactPath.of(entry) for entry in found]

    @strawberry.field(description="A backend's custom fields, with their types and options.")
    async def custom_fields(
        self,
        info: Info,
        backend: OfBackend,
        entity: Annotated[
            Entity, strawberry.argument(description="What the fields belong to.")
        ] = Entity.CONTACT,
    ) -> list[CustomField] | None:
        """Names, ids and types of custom fields."""
        found = await entries(info.context, backend, FIELDS_OF[entity])
        return [CustomField.of(entry) for entry in found]

    @strawberry.field(description="A backend's asynchronous work; null when it knows no such job.")
    async def import_job(
        self,
        info: Info,
        backend: OfBackend,
        id: Annotated[ID, strawberry.argument(description="The job's id.")],  # noqa: A002 - the API's
    ) -> ImportJob | None:
        """Where a job stands."""
        adapter = configured(info.context.account, backend)
        return await adapter.job(str(id), info.context.exchange())

    @strawberry.field(description="Configuration and health of each backend.")
    async def backends(self, info: Info) -> list[BackendStatus]:
        """Health from the traffic of the last minute."""
        return [_status(info.context.account, backend) for backend in Backend]


def _status(account: Account, backend: Backend) -> BackendStatus:
    adapter = account.adapters.get(backend)
    if adapter is None:
        return BackendStatus(
            backend=backend,
            configured=False,
            health=Health.UNKNOWN,
            message="The gateway has no credentials for it.",
        )
    recent = adapter.sender.traffic.recent()
    failed = sum(1 for _seconds, failure in recent if failure)
    health = Health.UNKNOWN if not recent else Health.UP
    if failed:
        health = Health.DOWN if failed == len(recent) else Health.DEGRADED
    return BackendStatus(
        backend=backend,
        configured=True,
        health=health,
        latency_ms=round(median(seconds for seconds, _ in recent) * 1000, 3) if recent else None,
        message=f"{failed} of the last minute's {len(recent)} calls failed." if failed else None,
    )
