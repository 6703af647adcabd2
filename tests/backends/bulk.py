"""Many writes to one backend as the items of a bulk go: all are planned, then all are delivered."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from gateway.checks import check_contact
from gateway.locking.locks import Locks
from gateway.names import Loaders
from gateway.planning import prepare
from gateway.sending.gathering import Gathering
from gateway.upsert import Writer, finish_all, receipt_of, targets_of
from gateway.upstream import Exchange

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.backends.adapter import Adapter
    from gateway.model import ContactInput
    from gateway.results import BackendResult


async def bulk_upsert(
    adapter: Adapter, inputs: Iterable[ContactInput], **how: Any
) -> list[BackendResult]:
    """The backend's result for each input."""
    deadline = time.monotonic() + 60
    gathering = Gathering(quiet=0.05, longest=2.0)
    exchange = Exchange(deadline=deadline, gathering=gathering)
    loaders, writer = Loaders(exchange), Writer(locks=Locks())

    async def planned(given: ContactInput) -> Any:
        write, problems = check_contact(given, default_country="GB", **how)
        assert problems == []
        targets = targets_of(write, [adapter], deadline=deadline, request_id="bulk")
        targets[0].exchange.gathering = gathering
        return await prepare(targets, [], loaders, 60)

    items = await asyncio.gather(*map(planned, inputs))
    for item in items:
        if item.rejected:
            item.call_off()
    await asyncio.gather(*(finish_all(item, writer) for item in items if not item.rejected))
    return [receipt_of(item).results[0] for item in items]
