"""Delivers the items of a bulk side by side, so that their calls can leave together.

Each item goes through the same story as a single contact. First all of them are checked, found and
planned, then all are written: whoever comes to a backend comes with hundreds of others.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from gateway.model import Backend
from gateway.names import Loaders
from gateway.operations.delivering import not_configured, refused
from gateway.operations.outcomes import tell_beside
from gateway.operations.payloads import contact_write, shared_of
from gateway.sending.gathering import Gathering
from gateway.upsert import finish_all
from gateway.upstream import Exchange

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from gateway.operations.delivering import Delivering
    from gateway.operations.hands import Hand
    from gateway.operations.payloads import Shared
    from gateway.operations.step_journal import StepJournal
    from gateway.planning import Prepared
    from gateway.results import BackendResult
    from gateway.store.operation_records import ClaimedStep

log = structlog.get_logger()

SECONDS = 300.0
"""How long one try of a bulk's items may take: they wait for each other and for the quotas."""
MOST, LEAST = 1000, 30
"""Items that are worked on at once. What waits for a backend's batch call is held in memory."""
QUIET, LONGEST = 0.1, 2.0
"""Seconds without a newcomer, and in all, after which those who wait for a call make it."""


def next_part(part: int, seconds: float) -> int:
    """How many items to take after `part` of them took so long.

    All are looked up before any is written: of a part that is too large for a slow backend, none
    would be written within the time, and the next try would begin anew.
    """
    return max(LEAST, part // 2) if seconds > SECONDS / 2 else min(MOST, part * 2)


@dataclass(frozen=True, kw_only=True)
class Try:
    """One try of one step."""

    claimed: ClaimedStep
    hand: Hand
    journal: StepJournal

    @property
    def backend(self) -> Backend:
        """Where it writes."""
        return Backend(self.claimed.step.backend)


@dataclass(frozen=True, kw_only=True)
class BulkDelivering:
    """Delivers many steps at once."""

    delivering: Delivering
    ended: Callable[[Try, BackendResult | None], Awaitable[None]]
    """Hears what became of a try; None after a fault of our own. Must not raise."""

    async def deliver(self, tries: Sequence[Try]) -> None:
        """Deliver steps, those of one item together."""
        items: dict[tuple[str, int], list[Try]] = defaultdict(list)
        for one in tries:
            items[one.claimed.step.operation_id, one.claimed.step.position].append(one)
        shared = {
            operation_id: shared_of(mine[0].claimed.shared)
            for (operation_id, _), mine in items.items()
        }
        gathering = Gathering(quiet=QUIET, longest=LONGEST)
        deadline = time.monotonic() + SECONDS

        def exchange(of: Shared) -> Exchange:
            return Exchange(deadline=deadline, request_id=of.request_id, gathering=gathering)

        loaders = {operation_id: Loaders(exchange(one)) for operation_id, one in shared.items()}
        deliveries = [
            _Item(
                tries=mine,
                shared=shared[operation_id],
                loaders=loaders[operation_id],
                exchange=exchange(shared[operation_id]),
                bulk=self,
            )
            for (operation_id, _), mine in items.items()
        ]
        await asyncio.gather(*(item.prepare() for item in deliveries))
        await asyncio.gather(*(item.finish() for item in deliveries))


@dataclass(kw_only=True)
class _Item:
    """One input of a bulk on its way."""

    tries: list[Try]
    shared: Shared
    loaders: Loaders
    exchange: Exchange
    """What its targets' exchanges are made after."""
    bulk: BulkDelivering
    prepared: Prepared | None = None

    async def prepare(self) -> None:
        """Check, find and plan; a try that ends with that is told at once."""
        try:
            self.prepared = await self._prepared()
        except Exception:
            log.exception("item of a bulk failed", operation=self._operation)
            await self._fail()

    async def finish(self) -> None:
        """Deliver what was planned, and tell what became of it."""
        if self.prepared is None:
            return
        try:
            await finish_all(self.prepared, self.bulk.delivering.writer)
        except Exception:
            log.exception("item of a bulk failed", operation=self._operation)
            await self._fail()
            return
        await self._tell(self.prepared)

    async def _prepared(self) -> Prepared | None:
        """What is to be delivered; None where nothing is."""
        adapters = self.bulk.delivering.adapters
        write, problems = contact_write(self.tries[0].claimed, self.shared)
        mine = []
        for one in self.tries:
            if one.backend not in adapters:
                await self.bulk.ended(one, refused(one.backend, [not_configured(one.backend)]))
            elif problems:
                await self.bulk.ended(one, refused(one.backend, problems))
            else:
                mine.append(one)
        if not mine:
            return None
        self.tries = mine
        prepared = await self.bulk.delivering.prepare(
            write,
            self.shared.backends,
            {one.backend: one.journal for one in mine},
            self.exchange,
            self.loaders,
            # There is no hurry to deliver to one backend before the others have been asked.
            self.exchange.left,
        )
        if prepared.rejected:
            await prepared.cancel_look_ups()
            prepared.call_off()
            await self._tell(prepared)
            return None
        return prepared

    async def _tell(self, prepared: Prepared) -> None:
        results = {target.backend: target.result for target in prepared.targets}
        for one in self.tries:
            result = results[one.backend] or refused(one.backend, prepared.problems)
            tell_beside(result, prepared.problems)
            await self.bulk.ended(one, result)

    async def _fail(self) -> None:
        for one in self.tries:
            await self.bulk.ended(one, None)

    @property
    def _operation(self) -> str:
        return self.tries[0].claimed.step.operation_id
