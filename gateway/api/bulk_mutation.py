"""upsertContacts: many contacts in, one operation out."""

from __future__ import annotations

from typing import Annotated

import strawberry
from strawberry import ID

from gateway.api.arguments import REPLAYED, IdempotencyKey, Mode, Targets, given_key, given_targets
from gateway.api.context import Info
from gateway.api.operation_queries import operation_of
from gateway.api.operation_types import Operation
from gateway.model import ContactInput, Delivery, MissingPolicy, WriteMode
from gateway.operations.asked import Asked
from gateway.results import Problem


@strawberry.type(description="What became of a call with many contacts.")
class UpsertContactsPayload:
    """What became of a call with many contacts."""

    request_id: ID = strawberry.field(
        description=(
            "The request's id, which is also in the gateway's log and in its calls to the backends."
        )
    )
    errors: list[Problem] = strawberry.field(
        description="Problems of the inputs; `field` starts with the input's place, such as "
        '["inputs", "17", "email"].'
    )
    replayed: bool = strawberry.field(description=REPLAYED)
    operation_id: strawberry.Private[str | None]

    @strawberry.field(
        description="The operation that delivers the good inputs; those with problems are its items "
        "too, REJECTED. Null when the call was refused as a whole, when no input is good, and for a "
        "dry run."
    )
    async def operation(self, info: Info) -> Operation | None:
        """The operation, as it is when it is asked for."""
        return await operation_of(info, self.operation_id)


async def upsert_many_contacts(
    info: Info,
    inputs: Annotated[
        list[ContactInput], strawberry.argument(description="The contacts, at most 10,000.")
    ],
    targets: Targets = strawberry.UNSET,
    mode: Mode = WriteMode.PATCH,
    if_missing: Annotated[
        MissingPolicy,
        strawberry.argument(description="What happens in a backend that does not hold a contact."),
    ] = MissingPolicy.CREATE,
    dry_run: Annotated[
        bool, strawberry.argument(description="Check every input and store nothing.")
    ] = False,
    idempotency_key: IdempotencyKey = strawberry.UNSET,
) -> UpsertContactsPayload | None:
    """Store the writes of many contacts."""
    context = info.context
    asked = Asked(
        mutation="upsertContacts",
        input=inputs,
        targets=given_targets(targets),
        mode=mode,
        if_missing=if_missing,
        delivery=Delivery.DURABLE,
        caller=context.caller.id,
        dry=dry_run,
        key=given_key(idempotency_key),
    )
    written = await context.account.bulk_calls.upsert(asked, context.request())
    context.account.watching.metrics.wrote("contact", (), durable=True, replayed=written.replayed)
    return UpsertContactsPayload(
        request_id=ID(context.request_id),
        errors=written.errors,
        replayed=written.replayed,
        operation_id=written.operation_id,
    )
