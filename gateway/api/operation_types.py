"""Durable operations as GraphQL shows them."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Annotated

import strawberry
from strawberry import ID

from gateway.api.connections import MOST, PageInfo, read_cursor, to_cursor
from gateway.api.context import Info
from gateway.api.refusals import told, wrong
from gateway.model import Backend, enum_value
from gateway.operations.acceptance import result_of
from gateway.operations.bulk_items import problems_of
from gateway.results import BackendResult, Problem, UpsertStatus
from gateway.store import operation_records as stored
from gateway.store.operation_records import StepState

First = Annotated[int, strawberry.argument(description="How many, from 0 to 500.")]
After = Annotated[
    str | None, strawberry.argument(description="The cursor after which the page begins.")
]


@strawberry.enum(description="What an operation writes.")
class OperationKind(Enum):
    """What an operation writes."""

    CONTACT = enum_value("CONTACT", description="One contact.")
    CONTACTS = enum_value("CONTACTS", description="Many contacts.")
    LEAD = enum_value("LEAD", description="One lead.")


@strawberry.enum(description="How far an operation is.")
class OperationStatus(Enum):
    """Where an operation is."""

    PENDING = enum_value("PENDING", description="Stored; nothing of it was tried yet.")
    RUNNING = enum_value("RUNNING", description="On its way.")
    SUCCEEDED = enum_value("SUCCEEDED", description="Every item has succeeded in every target.")
    PARTIAL = enum_value("PARTIAL", description="Some items did not succeed in every target.")
    FAILED = enum_value("FAILED", description="Nothing of any item was written.")
    NEEDS_ATTENTION = enum_value(
        "NEEDS_ATTENTION",
        description="A step waits for a person's decision (resolveStep).",
    )


@strawberry.type(description="One backend's part of an item.")
class OperationStep:
    """One backend's part of an item."""

    id: ID = strawberry.field(description="The step's id, for resolveStep.")
    backend: Backend = strawberry.field(description="The backend that it writes to.")
    result: BackendResult = strawberry.field(
        description="What became of it; while it is QUEUED, with the errors of the last try."
    )
    attempts: int = strawberry.field(description="How often it was tried.")
    next_attempt_at: datetime | None = strawberry.field(
        description=(
            "When it is tried next, or its job is next asked for; null when that is due now, "
            "or when nothing is left to do."
        )
    )

    @classmethod
    def of(cls, step: stored.Step) -> OperationStep:
        """From what is stored."""
        waits = step.state in {StepState.QUEUED, StepState.FOLLOWING} and step.owner is None
        return cls(
            id=ID(str(step.id)),
            backend=Backend(step.backend),
            result=result_of(step),
            attempts=step.attempts,
            next_attempt_at=step.due_at if waits else None,
        )


@strawberry.type(description="What became of one input of the operation.")
class OperationItem:
    """What became of one input of the operation."""

    id: ID = strawberry.field(description="The item's id.")
    index: int = strawberry.field(description="Its place among the inputs, from 0.")
    external_id: ID | None = strawberry.field(description="The input's externalId.")
    status: UpsertStatus = strawberry.field(description="What became of it over all its targets.")
    steps: list[OperationStep] = strawberry.field(
        description="One for each target; none where the input was rejected before it was stored."
    )
    errors: list[Problem] = strawberry.field(
        description="Why the input was rejected before it was stored for delivery."
    )

    @classmethod
    def of(cls, item: stored.Item) -> OperationItem:
        """From what is stored."""
        return cls(
            id=ID(f"{item.operation_id}-{item.position}"),
            index=item.position,
            external_id=None if item.external_id is None else ID(item.external_id),
            status=UpsertStatus(item.status),
            steps=[OperationStep.of(step) for step in item.steps],
            errors=problems_of(item),
        )


@strawberry.type(description="One item of a page.")
class OperationItemEdge:
    """One item of a page."""

    cursor: str = strawberry.field(
        description="Its place in the list: give it as `after` for what follows."
    )
    node: OperationItem = strawberry.field(description="The item.")


@strawberry.type(description="A page of an operation's items, in the order of the inputs.")
class OperationItemConnection:
    """A page of an operation's items."""

    edges: list[OperationItemEdge] = strawberry.field(description="The items of this page.")
    page_info: PageInfo = strawberry.field(description="Where the page ends.")


@strawberry.type(description="A write that the gateway has stored, and delivers.")
class Operation:
    """A durable operation."""

    id: ID = strawberry.field(description="The operation's id.")
    kind: OperationKind = strawberry.field(description="What it writes.")
    status: OperationStatus = strawberry.field(description="How far it is.")
    submitted_at: datetime = strawberry.field(description="When it was stored.")
    completed_at: datetime | None = strawberry.field(
        description="When its last item ended; null before."
    )
    total: int = strawberry.field(description="How many items there are.")
    completed: int = strawberry.field(
        description="How many items have ended, failed ones included."
    )
    failed: int = strawberry.field(
        description="How many items have ended without success in every target."
    )

    @classmethod
    def of(cls, operation: stored.Operation) -> Operation:
        """From what is stored."""
        return cls(
            id=ID(operation.id),
            kind=OperationKind(operation.kind),
            status=OperationStatus(operation.status.value),
            submitted_at=operation.submitted_at,
            completed_at=operation.completed_at,
            total=operation.total,
            completed=operation.completed,
            failed=operation.failed,
        )

    @strawberry.field(description="What became of each input; at most 500 at a time.")
    async def items(
        self,
        info: Info,
        first: First = 50,
        after: After = strawberry.UNSET,
        status: Annotated[
            UpsertStatus | None, strawberry.argument(description="Only those in this status.")
        ] = strawberry.UNSET,
    ) -> OperationItemConnection:
        """A page of items."""
        check_size(first)
        found = await told(
            info.context.account.store.operations.read_items(
                str(self.id),
                status=status.value if status else None,
                first=first + 1,
                after=_position(after) if after else -1,
            )
        )
        edges = [
            OperationItemEdge(
                cursor=to_cursor(("item", str(item.position))), node=OperationItem.of(item)
            )
            for item in found[:first]
        ]
        return OperationItemConnection(edges=edges, page_info=page_info(edges, len(found), first))


def check_size(first: int) -> None:
    """Raise a GraphQL error for a page size that cannot be used."""
    if not 0 <= first <= MOST:
        raise wrong(f"first is {first}: give 0 to {MOST}, and after for what follows.")


def page_info(
    edges: list[OperationItemEdge] | list[OperationEdge], found: int, first: int
) -> PageInfo:
    """Where a page ends, of which one more was asked for than it shows."""
    return PageInfo(has_next_page=found > first, end_cursor=edges[-1].cursor if edges else None)


def _position(cursor: str) -> int:
    kind, position = read_cursor(cursor)
    if kind != "item" or not position.isdecimal():
        raise wrong(
            f"{cursor!r} is no cursor of this list: give an endCursor that it has answered."
        )
    return int(position)


@strawberry.type(description="One operation of a page.")
class OperationEdge:
    """One operation of a page."""

    cursor: str = strawberry.field(
        description="Its place in the list: give it as `after` for what follows."
    )
    node: Operation = strawberry.field(description="The operation.")


@strawberry.type(description="A page of operations, newest first.")
class OperationConnection:
    """A page of operations."""

    edges: list[OperationEdge] = strawberry.field(description="The operations of this page.")
    page_info: PageInfo = strawberry.field(description="Where the page ends.")
