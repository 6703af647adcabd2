"""Reads durable operations: one, a page of them, and one as it goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

import strawberry
from strawberry import ID

from gateway.api.connections import read_cursor, to_cursor
from gateway.api.context import Context, Info
from gateway.api.operation_types import (
    After,
    First,
    Operation,
    OperationConnection,
    OperationEdge,
    OperationStatus,
    check_size,
    page_info,
)
from gateway.api.refusals import failed, told, wrong
from gateway.results import Problem, ProblemCode
from gateway.store import operation_records as stored

POLL_SECONDS = 0.25
"""Between two looks at an operation that is followed: another process may be at work on it."""

OperationId = Annotated[ID, strawberry.argument(description="The operation's id.")]

_ANYWHERE = stored.Operation(
    id="",
    caller="",
    kind="",
    status=stored.OperationStatus.PENDING,
    payload={},
    payload_version=0,
    submitted_at=datetime.max.replace(tzinfo=UTC),
    completed_at=None,
    total=0,
    completed=0,
    failed=0,
    revision=0,
)


async def read_operation(info: Info, id: OperationId) -> Operation | None:  # noqa: A002 - the API's
    """One operation."""
    found = await find_operation(info.context, str(id))
    return None if found is None else Operation.of(found)


async def operation_of(info: Info, operation_id: str | None) -> Operation | None:
    """The operation of a payload; None for a call that is not durable."""
    found = None if operation_id is None else await find_operation(info.context, operation_id)
    return None if found is None else Operation.of(found)


async def find_operation(context: Context, operation_id: str) -> stored.Operation | None:
    """An operation that the caller may see, as it is stored; another caller's is none.

    Raises a GraphQL error when the store cannot tell.
    """
    if not _is_id(operation_id):
        return None
    found = await told(context.account.store.operations.read_operation(operation_id))
    if found is None or context.caller.is_admin or found.caller == context.caller.id:
        return found
    return None


def _is_id(text: str) -> bool:
    """Whether it can be an operation's id: 32 hexadecimal digits, and no text that a store refuses."""
    return text.isascii() and text.isalnum()


async def read_operations(
    info: Info,
    first: First = 50,
    after: After = strawberry.UNSET,
    status: Annotated[
        OperationStatus | None, strawberry.argument(description="Only those in this status.")
    ] = strawberry.UNSET,
) -> OperationConnection | None:
    """A page of the caller's operations, newest first; of everyone's for an admin."""
    check_size(first)
    caller = info.context.caller
    found = await told(
        info.context.account.store.operations.list_operations(
            caller=None if caller.is_admin else caller.id,
            status=stored.OperationStatus(status.value) if status else None,
            first=first + 1,
            after=_place(after) if after else None,
        )
    )
    edges = [
        OperationEdge(
            cursor=to_cursor((one.submitted_at.isoformat(), one.id)), node=Operation.of(one)
        )
        for one in found[:first]
    ]
    return OperationConnection(edges=edges, page_info=page_info(edges, len(found), first))


def _place(cursor: str) -> stored.Operation:
    submitted_at, operation_id = read_cursor(cursor)
    try:
        at = datetime.fromisoformat(submitted_at)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or not _is_id(operation_id):
        raise wrong(
            f"{cursor!r} is no cursor of this list: give an endCursor that it has answered."
        )
    return replace(_ANYWHERE, id=operation_id, submitted_at=at)


@strawberry.type(description="What the gateway sends whenever there is news.")
class Subscription:
    """What is told as it happens."""

    @strawberry.subscription(
        description="The operation now, and again at each change until it has ended."
    )
    async def operation(self, info: Info, id: OperationId) -> AsyncGenerator[Operation, None]:  # noqa: A002 - the API's
        """An operation as it goes on; changes that come faster than they can be told are joined."""
        context, seen = info.context, -1
        found = await find_operation(context, str(id))
        if found is None:
            raise wrong(f"There is no operation {str(id)!r}, or it was removed after its time.")
        while found is not None:
            if found.revision != seen:
                seen = found.revision
                yield Operation.of(found)
            if found.completed_at is not None:
                return
            await asyncio.sleep(POLL_SECONDS)
            if context.account.draining:
                raise failed(_ending())
            await context.check_admission()
            found = await find_operation(context, str(id))


def _ending() -> Problem:
    return Problem(
        code=ProblemCode.UNAVAILABLE,
        message="This gateway is ending: subscribe again, and another goes on from here.",
        retryable=True,
    )
