"""Operations, times and worker's habits for the store's tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from gateway.store.operation_records import (
    ClaimedStep,
    ItemSummary,
    NewItem,
    NewOperation,
    NewStep,
    Save,
    StepState,
    Which,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.store import Store

NOON = datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC)
BACKENDS = ("ivvy", "everbridge", "sendgrid")
EVERYTHING = Which(backends=BACKENDS)
"""All but the steps of bulks."""


def at(seconds: float) -> datetime:
    """A moment some seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def new_item(record: str, *backends: str) -> NewItem:
    """An input for one record, in these backends (Everbridge alone by default)."""
    return NewItem(
        external_id=record,
        status="PENDING",
        payload={"externalId": record},
        steps=[
            NewStep(backend=backend, name="upsert_contact", record_key=record)
            for backend in backends or ("everbridge",)
        ],
    )


def new_operation(name: str, *items: NewItem, caller: str = "ada") -> NewOperation:
    """An operation with one item for record E-1001 unless told otherwise."""
    return NewOperation(
        id=name,
        caller=caller,
        kind="CONTACTS",
        payload={"mode": "PATCH"},
        payload_version=1,
        items=items or (new_item("E-1001"),),
    )


async def claim(
    store: Store,
    owner: str = "worker",
    *,
    seconds: float = 0,
    lease: float = 30,
    limit: int = 100,
    bulk: bool = False,
) -> list[ClaimedStep]:
    """What a worker gets, some seconds after noon."""
    now = at(seconds)
    until = now + timedelta(seconds=lease)
    which = replace(EVERYTHING, bulk=bulk)
    return await store.operations.claim_steps(owner, which, until=until, now=now, limit=limit)


def summarize(outcomes: Sequence[str | None]) -> ItemSummary:
    """A simple reading of an item's outcomes."""
    failed = "FAILED" in outcomes
    if failed:
        written = "UPDATED" in outcomes
        return ItemSummary(status="PARTIAL" if written else "FAILED", failed=True)
    done = all(outcome == "UPDATED" for outcome in outcomes)
    return ItemSummary(status="APPLIED" if done else "PENDING", failed=False)


async def save(
    store: Store, claimed: ClaimedStep, *, seconds: float = 1, keep: float | None = None, **new: Any
) -> bool:
    """Save a step with new values; False when it was lost."""
    change = Save(
        step=replace(claimed.step, **new),
        keep_until=None if keep is None else at(keep),
    )
    lost = await store.operations.save([change], summarize=summarize, now=at(seconds))
    return not lost


async def end(store: Store, claimed: ClaimedStep, outcome: str = "UPDATED") -> bool:
    """Save a step as done."""
    return await save(store, claimed, state=StepState.DONE, outcome=outcome)
