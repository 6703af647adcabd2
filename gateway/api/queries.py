"""The queries: what the backends can tell."""

from __future__ import annotations

from statistics import median
from typing import Annotated, cast

import strawberry
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
from gateway.api.connections import CompanyConnection, company_page
from gateway.api.contact_key import ContactKey, asked_by, keys_of
from gateway.api.context import Info
from gateway.api.lead_queries import read_lead, read_lead_options
from gateway.api.lead_types import Lead, LeadOptions
from gateway.api.lists import configured, entries
from gateway.api.operation_queries import read_operation, read_operations
from gateway.api.operation_types import Operation, OperationConnection
from gateway.api.refusals import failed, nobody_asked
from gateway.entries import CatalogName
from gateway.errors import BackendFailure
from gateway.lookup import NobodyAskedError
from gateway.model import Backend
from gateway.records import Contact
from gateway.results import ImportJob
from gateway.write import input_name

FIELDS_OF = {
    Entity.CONTACT: CatalogName.CUSTOM_FIELDS,
    Entity.COMPANY: CatalogName.COMPANY_FIELDS,
    Entity.LEAD: CatalogName.LEAD_FIELDS,
}

OfBackend = Annotated[Backend, strawberry.argument(description="The backend.")]


@strawberry.type(
    description=(
        "Fields that ask a backend are nullable, so that one failure does not take away "
        "the rest of the answer."
    )
)
class Query:
    """The reads."""

    @strawberry.field(
        description="One contact, read from every configured backend side by side; null when every "
        "backend was asked and none knows it.\n\n"
        "A record leads to the others by its externalId and e-mail address. A backend that cannot "
        "be read stands in `errors`, and the others' records are there all the same; when none "
        "could be asked, the field is null with an error. SendGrid shows a write half a minute "
        "after it was accepted, or later."
    )
    async def contact(
        self,
        info: Info,
        by: Annotated[ContactKey, strawberry.argument(description="The key to find it by.")],
    ) -> Contact | None:
        """One contact; those of one request are read together."""
        try:
            found = await info.context.contacts.load(keys_of(by))
        except NobodyAskedError as error:
            raise nobody_asked(error, input_name(asked_by(by)[0])) from None
        return cast("Contact | None", found)

    lead: Lead | None = strawberry.field(
        resolver=read_lead,
        description="One lead, as iVvy holds it now; null when there is none, or when its externalId "
        "is not known.",
    )

    lead_options: LeadOptions | None = strawberry.field(
        resolver=read_lead_options,
        description="The names that a lead's fields take; only the lists that are selected are read.",
    )

    @strawberry.field(
        description=(
            "A backend's groups: subscription groups in iVvy, groups in Everbridge, lists in "
            "SendGrid."
        )
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

    @strawberry.field(
        description="iVvy's companies, in the order of their names; at most 500 at a time."
    )
    async def companies(
        self,
        info: Info,
        search: Annotated[
            str | None,
            strawberry.argument(description="Part of the name, in any case; default: all."),
        ] = strawberry.UNSET,
        first: Annotated[int, strawberry.argument(description="How many, from 0 to 500.")] = 50,
        after: Annotated[
            str | None,
            strawberry.argument(description="The cursor after which the page begins."),
        ] = strawberry.UNSET,
    ) -> CompanyConnection | None:
        """Names and ids of companies, page by page."""
        found = await entries(info.context, Backend.IVVY, CatalogName.COMPANIES)
        return company_page(found, search=search or None, first=first, after=after or None)

    @strawberry.field(
        description="A backend's job; null when the backend has no such job. Only SendGrid has jobs."
    )
    async def import_job(
        self,
        info: Info,
        backend: OfBackend,
        id: Annotated[ID, strawberry.argument(description="The job's id.")],  # noqa: A002 - the API's
    ) -> ImportJob | None:
        """Where a job stands."""
        adapter = configured(info.context.account, backend)
        try:
            return await adapter.job(str(id), info.context.exchange())
        except BackendFailure as failure:
            raise failed(failure.problem) from failure

    operation: Operation | None = strawberry.field(
        resolver=read_operation,
        description="A durable operation; null when there is none, or it was removed after its time.",
    )

    operations: OperationConnection | None = strawberry.field(
        resolver=read_operations,
        description="The caller's operations, newest first; everyone's with the admin scope.",
    )

    @strawberry.field(description="Configuration and health of each backend.")
    async def backends(self, info: Info) -> list[BackendStatus]:
        """Health from the traffic of the last minute."""
        return [status_of(info.context.account, backend) for backend in Backend]


def status_of(account: Account, backend: Backend) -> BackendStatus:
    """Health from the traffic of the last minute."""
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
