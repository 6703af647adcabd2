"""The mutation that writes a lead: input in, one call, payload out."""

from __future__ import annotations

import asyncio
from typing import Annotated

import strawberry
from strawberry import ID

from gateway.api.arguments import (
    REPLAYED,
    DeliveryArgument,
    DryRun,
    IdempotencyKey,
    given_key,
)
from gateway.api.context import Context, Info
from gateway.api.lead_queries import not_configured
from gateway.api.lead_types import Lead
from gateway.api.operation_queries import operation_of
from gateway.api.operation_types import Operation
from gateway.api.refusals import failed
from gateway.backends.adapter import Stored
from gateway.backends.leads import Leads
from gateway.errors import BackendFailure
from gateway.lead_checks import LEADS_IN, check_lead
from gateway.lead_model import LeadInput
from gateway.lead_receipt import LeadReceipt, Related
from gateway.model import Delivery, MissingPolicy, WriteMode
from gateway.operations.asked import Asked
from gateway.operations.lead_calls import WrittenLead
from gateway.results import (
    HAS_IT,
    BackendResult,
    Outcome,
    Problem,
    UpsertStatus,
)


class ReadBack:
    """The lead as it is after its write, read once however much of it is selected."""

    def __init__(self, context: Context, leads: Leads | None, result: BackendResult) -> None:
        self._context = context
        self.leads = leads
        written = result.outcome in HAS_IT or result.outcome is Outcome.PARTIAL
        self.calls = result.calls
        self._lead_id = str(result.id) if written and result.id is not None else None
        self._reading: asyncio.Task[Stored | None] | None = None

    async def lead(self) -> Stored | None:
        """The lead; None where none was written. Raises a GraphQL error when it cannot be read."""
        if self._lead_id is None or self.leads is None:
            return None
        if self._reading is None:
            reading = self.leads.read(self._lead_id, self._context.exchange())
            self._reading = asyncio.ensure_future(reading)
        try:
            return await asyncio.shield(self._reading)
        except BackendFailure as failure:
            raise failed(failure.problem) from failure


@strawberry.type(description="A record that a lead's call wrote beside the lead.")
class RelatedRecord:
    """A record that a lead's call wrote beside the lead."""

    outcome: Outcome = strawberry.field(description="What became of it.")
    matched_by: str | None = strawberry.field(
        default=None,
        description=(
            "The key that found the stored record: an input field such as externalId, or "
            "`lead` where the input had no key and the stored lead's own was meant; null for "
            "a new one."
        ),
    )
    changed_fields: list[str] = strawberry.field(
        description="Its fields whose stored value this write changes; every given one when new."
    )
    ignored_fields: list[str] = strawberry.field(
        description="Fields of the input that the backend cannot hold."
    )
    known_id: strawberry.Private[str | None]
    read_back: strawberry.Private[ReadBack]
    of_company: strawberry.Private[bool]

    @strawberry.field(
        description=(
            "The record's id in iVvy. That of a new record is read back from the lead, only "
            "when selected; null where the lead has another one by then."
        )
    )
    async def id(self) -> ID | None:
        """The backend's own id."""
        if self.known_id is not None:
            return ID(self.known_id)
        lead, leads = await self.read_back.lead(), self.read_back.leads
        if lead is None or leads is None:
            return None
        made = leads.company_made if self.of_company else leads.contact_made
        found = made(lead, self.read_back.calls)
        return None if found is None else ID(found)

    @classmethod
    def of(
        cls, related: Related | None, read_back: ReadBack, *, of_company: bool
    ) -> RelatedRecord | None:
        """From what became of it; None where the input names no such record."""
        if related is None:
            return None
        return cls(
            outcome=related.outcome,
            matched_by=related.matched_by,
            changed_fields=related.changed,
            ignored_fields=related.ignored,
            known_id=related.id,
            read_back=read_back,
            of_company=of_company,
        )


@strawberry.type(description="What became of a lead's write.")
class UpsertLeadPayload:
    """What became of a lead's write."""

    request_id: ID = strawberry.field(
        description=(
            "The request's id, which is also in the gateway's log and in its calls to the backends."
        )
    )
    status: UpsertStatus = strawberry.field(description="What became of it.")
    results: list[BackendResult] = strawberry.field(
        description=(
            "One entry, for iVvy. Its changedFields and ignoredFields also name fields of the "
            "contact and the company, such as contact.phone."
        )
    )
    contact: RelatedRecord | None = strawberry.field(
        default=None, description="The person written with the lead."
    )
    company: RelatedRecord | None = strawberry.field(
        default=None, description="The company written with the lead."
    )
    errors: list[Problem] = strawberry.field(
        description="Every problem of the call, those of the input first; empty when all went well."
    )
    replayed: bool = strawberry.field(description=REPLAYED)
    read_back: strawberry.Private[ReadBack]
    operation_id: strawberry.Private[str | None]

    @strawberry.field(description="The stored operation, for DURABLE delivery.")
    async def operation(self, info: Info) -> Operation | None:
        """The operation, as it is when it is asked for."""
        return await operation_of(info, self.operation_id)

    @strawberry.field(description="The lead as iVvy holds it now; read only when selected.")
    async def lead(self, info: Info) -> Lead | None:
        """The lead, read after the write."""
        stored, leads = await self.read_back.lead(), self.read_back.leads
        if stored is None or leads is None:
            return None
        try:
            external_id = await info.context.account.links.external_id_of(stored.id)
        except BackendFailure as failure:
            raise failed(failure.problem) from failure
        return Lead.of(leads.read_lead(stored), external_id, written=True)


async def upsert_one_lead(
    info: Info,
    input: Annotated[  # noqa: A002 - the API's own name
        LeadInput, strawberry.argument(description="The lead.")
    ],
    mode: Annotated[
        WriteMode,
        strawberry.argument(
            description="Applies to the lead; its contact and company are always patched."
        ),
    ] = WriteMode.PATCH,
    if_missing: Annotated[
        MissingPolicy,
        strawberry.argument(description="What happens when there is no such lead yet."),
    ] = MissingPolicy.CREATE,
    dry_run: DryRun = False,
    delivery: DeliveryArgument = Delivery.DIRECT,
    idempotency_key: IdempotencyKey = strawberry.UNSET,
) -> UpsertLeadPayload | None:
    """Write one lead."""
    context = info.context
    calls = context.account.lead_calls
    asked = Asked(
        mutation="upsertLead",
        input=input,
        mode=mode,
        if_missing=if_missing,
        delivery=delivery,
        caller=context.caller.id,
        dry=dry_run,
        key=given_key(idempotency_key),
    )
    if calls is None:
        written = WrittenLead(receipt=_nowhere(asked, context.account.settings.default_country))
    else:
        written = await calls.upsert(asked, context.request())
    receipt = written.receipt
    if not dry_run:
        context.account.watching.metrics.wrote(
            "lead", receipt.results, durable=asked.durable, replayed=written.replayed
        )
    read_back = ReadBack(context, context.account.leads, receipt.results[0])
    return UpsertLeadPayload(
        request_id=ID(context.request_id),
        status=receipt.status(dry=dry_run),
        results=receipt.results,
        contact=RelatedRecord.of(receipt.contact, read_back, of_company=False),
        company=RelatedRecord.of(receipt.company, read_back, of_company=True),
        errors=receipt.errors,
        replayed=written.replayed,
        read_back=read_back,
        operation_id=written.operation_id,
    )


def _nowhere(asked: Asked, default_country: str | None) -> LeadReceipt:
    """The receipt of a gateway without the system that holds leads."""
    _write, problems = check_lead(
        asked.input,
        mode=asked.mode,
        if_missing=asked.if_missing,
        default_country=default_country,
    )
    problem = not_configured()
    result = BackendResult(backend=LEADS_IN, outcome=Outcome.REJECTED, errors=[problem])
    return LeadReceipt(results=[result], errors=[*problems, problem], rejected=True)
