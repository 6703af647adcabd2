"""The mutations: input in, one call, payload out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import strawberry
from strawberry import ID

from gateway.api.arguments import (
    REPLAYED,
    DeliveryArgument,
    DryRun,
    IdempotencyKey,
    Mode,
    Targets,
    given_key,
    given_targets,
)
from gateway.api.bulk_mutation import UpsertContactsPayload, upsert_many_contacts
from gateway.api.context import Info
from gateway.api.lead_mutation import UpsertLeadPayload, upsert_one_lead
from gateway.api.operation_queries import operation_of
from gateway.api.operation_types import Operation
from gateway.api.resolve_step import ResolveStepPayload, resolve_one_step
from gateway.lookup import ContactKeys, NobodyAskedError
from gateway.model import Backend, ContactInput, Delivery, MissingPolicy, WriteMode
from gateway.operations.asked import Asked
from gateway.records import Contact
from gateway.results import BackendResult, Problem, UpsertStatus
from gateway.write import ContactWrite, native_id


@strawberry.type(description="What became of a contact's write.")
class UpsertContactPayload:
    """What became of a contact's write."""

    request_id: ID = strawberry.field(
        description=(
            "The request's id, which is also in the gateway's log and in its calls to the backends."
        )
    )
    status: UpsertStatus = strawberry.field(description="What became of it over all targets.")
    results: list[BackendResult] = strawberry.field(
        description="One for each target, in the order of the Backend enum, present whatever "
        "happened."
    )
    errors: list[Problem] = strawberry.field(
        description="Every problem of the call, those of the input first; empty when all went well."
    )
    replayed: bool = strawberry.field(description=REPLAYED)
    write: strawberry.Private[ContactWrite]
    """Says what the contact is read by when `contact` is selected."""
    operation_id: strawberry.Private[str | None]

    @strawberry.field(description="The stored operation, for DURABLE delivery.")
    async def operation(self, info: Info) -> Operation | None:
        """The operation, as it is when it is asked for."""
        return await operation_of(info, self.operation_id)

    @strawberry.field(
        description="The contact as the backends hold it now; read only when selected, and after the "
        "write. Null where nothing tells which contact it is, or none holds it. SendGrid shows a "
        "write half a minute after it was accepted, or later: until then its record is the one from "
        "before, or is missing."
    )
    async def contact(self, info: Info) -> Contact | None:
        """Read anew at each mutation, never from what was read before the write."""
        [found] = await info.context.read_contacts([_known_by(self.write, self.results)])
        if isinstance(found, NobodyAskedError):
            return (
                Contact(records=[], errors=found.problems, differences=[])
                if found.problems
                else None
            )
        return found


@strawberry.type(
    description=(
        "Each field is nullable, so that a fault in one does not take away the answers of "
        "the others."
    )
)
class Mutation:
    """The writes."""

    upsert_lead: UpsertLeadPayload | None = strawberry.mutation(
        resolver=upsert_one_lead,
        description="Create or update one lead, and with it the contact or company that it belongs "
        "to.\n\n"
        "Contact and company are found first, by id, then by externalId and e-mail, or by name; then "
        "one call writes all three. With an externalId, a call may be repeated: it updates the lead "
        "that it has made.",
    )

    upsert_contacts: UpsertContactsPayload | None = strawberry.mutation(
        resolver=upsert_many_contacts,
        description="Create or update many contacts. Always durable: returns at once with the "
        "operation to follow.\n\n"
        "All inputs are checked before anything is stored; a wrong one is left out, and the others go "
        "on.",
    )

    resolve_step: ResolveStepPayload | None = strawberry.mutation(
        resolver=resolve_one_step,
        description="Decide what becomes of a stored write that waits for a person. Needs the admin scope.",
    )

    @strawberry.mutation(
        description="Create or update one contact in every target backend.\n\n"
        "A field that is absent stays as it is in the backend, a field that is null is cleared, "
        "and a field with a value is set: on every backend alike, whatever its own call does with "
        "missing fields."
    )
    async def upsert_contact(
        self,
        info: Info,
        input: Annotated[  # noqa: A002 - the API's own name
            ContactInput, strawberry.argument(description="The contact.")
        ],
        targets: Targets = strawberry.UNSET,
        mode: Mode = WriteMode.PATCH,
        if_missing: Annotated[
            MissingPolicy,
            strawberry.argument(
                description="What happens in a backend that does not hold the contact."
            ),
        ] = MissingPolicy.CREATE,
        dry_run: DryRun = False,
        delivery: DeliveryArgument = Delivery.DIRECT,
        idempotency_key: IdempotencyKey = strawberry.UNSET,
    ) -> UpsertContactPayload | None:
        """Write one contact."""
        context = info.context
        asked = Asked(
            mutation="upsertContact",
            input=input,
            targets=given_targets(targets),
            mode=mode,
            if_missing=if_missing,
            delivery=delivery,
            caller=context.caller.id,
            dry=dry_run,
            key=given_key(idempotency_key),
        )
        written = await context.account.contact_calls.upsert(asked, context.request())
        receipt = written.receipt
        if not dry_run:
            context.account.watching.metrics.wrote(
                "contact", receipt.results, durable=asked.durable, replayed=written.replayed
            )
        return UpsertContactPayload(
            request_id=ID(context.request_id),
            status=receipt.status(dry=dry_run),
            results=receipt.results,
            errors=receipt.errors,
            replayed=written.replayed,
            write=written.write,
            operation_id=written.operation_id,
        )


def _known_by(write: ContactWrite, results: Sequence[BackendResult]) -> ContactKeys:
    """What a contact is known by once it was written: its ids, and the keys of the input."""
    native = {
        backend: given
        for backend in Backend
        if (given := write.text(native_id(backend))) is not None
    } | {item.backend: str(item.id) for item in results if item.id is not None}
    return ContactKeys(
        external_id=write.text("external_id"),
        email=write.text("email"),
        native_ids=tuple(native.items()),
    )
