"""What `gateway steps` does: short transactions beside a gateway that serves, or without one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from gateway.account import NAME
from gateway.callers.audit import settled
from gateway.callers.caller import ALL, Caller
from gateway.errors import SettingsError
from gateway.operations.acceptance import result_of
from gateway.operations.settling import NotSettledError, Resolution, Settling
from gateway.settings import TEMPORARY
from gateway.store.errors import StoreError
from gateway.store.opening import open_store
from gateway.store.operation_records import OperationStatus, StepState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.settings import Settings
    from gateway.store.opening import Store
    from gateway.store.operation_records import Item, Operation, Step

PAGE = 100
AT_THE_MACHINE = Caller(id="cli", scopes=ALL)
"""Who may run the command: the audit has no other name for them."""


async def list_stuck(settings: Settings) -> list[str]:
    """A line for each step that waits for a person; raises SettingsError without a store."""
    try:
        async with open_store(_url(settings), serving=False) as store:
            lines = [_line(item, step) async for item, step in _stuck(store)]
    except StoreError as error:
        raise SettingsError([str(error)]) from error
    return lines or ["No step waits for a person."]


async def resolve(
    settings: Settings, step_id: str, resolution: str, record_id: str | None
) -> tuple[bool, str]:
    """Whether the step was settled, and what to say of it."""
    if resolution.upper() not in Resolution.__members__:
        return False, f"{resolution!r} is none of {', '.join(Resolution.__members__)}."
    try:
        async with open_store(_url(settings), serving=False) as store:
            settling = Settling(
                operations=store.operations,
                links=store.links,
                account=NAME,
                lease=timedelta(seconds=settings.lease_seconds),
            )
            said = Resolution[resolution.upper()]
            step = await settling.settle(step_id, said, record_id)
            settled(AT_THE_MACHINE, None, step_id, said.name, result_of(step))
    except NotSettledError as error:
        return False, error.problem.message
    except StoreError as error:
        raise SettingsError([str(error)]) from error
    return True, f"Step {step.id} is {result_of(step).outcome.value} now."


def _url(settings: Settings) -> str:
    if settings.database_url == TEMPORARY:
        raise SettingsError(["GATEWAY_DATABASE_URL is temporary: there are no steps to look at."])
    return settings.database_url


async def _stuck(store: Store) -> AsyncIterator[tuple[Item, Step]]:
    after: Operation | None = None
    while True:
        found = await store.operations.list_operations(
            status=OperationStatus.NEEDS_ATTENTION, first=PAGE, after=after
        )
        for after in found:
            async for item in _items(store, after.id):
                for step in item.steps:
                    if step.state is StepState.NEEDS_ATTENTION:
                        yield item, step
        if len(found) < PAGE:
            return


async def _items(store: Store, operation_id: str) -> AsyncIterator[Item]:
    position = -1
    while items := await store.operations.read_items(operation_id, first=PAGE, after=position):
        for item in items:
            yield item
        position = items[-1].position


def _line(item: Item, step: Step) -> str:
    result = result_of(step)
    why = result.errors[-1].message if result.errors else ""
    known = f" externalId {item.external_id}" if item.external_id else ""
    return (
        f"step {step.id}  {step.name} to {step.backend}{known}  operation {item.operation_id}  "
        f"tried {step.attempts} times  {why}"
    )
