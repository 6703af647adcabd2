"""How a gateway stands now: what the status page shows."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gateway.api.queries import status_of
from gateway.model import Backend
from gateway.store.errors import StoreError
from gateway.store.operation_records import OperationStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.account import Account
    from gateway.api.catalog_types import BackendStatus
    from gateway.backends.adapter import Adapter
    from gateway.status.backlog import KnownBacklog
    from gateway.store.operation_records import Backlog, Operation

SHOWN = 10
"""Operations of each status on the page."""
ASK_SECONDS = 3.0
UNFINISHED = (OperationStatus.NEEDS_ATTENTION, OperationStatus.RUNNING, OperationStatus.PENDING)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How things stand."""

    at: datetime
    not_ready: str | None
    backends: Sequence[tuple[BackendStatus, Adapter | None]]
    """Each backend's health, with its adapter where it is configured."""
    backlog: Backlog | None
    """None while the store cannot tell."""
    operations: Sequence[Operation]
    """Some of those that have not ended, those that need a person first."""


async def standing_of(account: Account, backlog: KnownBacklog) -> Standing:
    """How an account stands now."""
    not_ready, known, operations = await asyncio.gather(
        account.not_ready(), backlog.read(), _unfinished(account)
    )
    return Standing(
        at=datetime.now(UTC),
        not_ready=not_ready,
        backends=[
            (status_of(account, backend), account.adapters.get(backend)) for backend in Backend
        ],
        backlog=known,
        operations=operations,
    )


async def _unfinished(account: Account) -> list[Operation]:
    listed = account.store.operations.list_operations
    try:
        async with asyncio.timeout(ASK_SECONDS):
            found = [await listed(status=status, first=SHOWN) for status in UNFINISHED]
    except (StoreError, TimeoutError):
        return []
    return [operation for some in found for operation in some]
