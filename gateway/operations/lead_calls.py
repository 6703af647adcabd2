"""Every upsertLead goes through here: with or without a key, delivered now or later."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.lead_checks import check_lead
from gateway.operations.direct import DirectJournal
from gateway.operations.keyed import KeyRefusedError, Replay
from gateway.operations.order import lead_key
from gateway.results import BackendResult, Outcome
from gateway.upsert_lead import LeadPart, LeadReceipt, upsert_lead

if TYPE_CHECKING:
    from gateway.backends.leads import Leads
    from gateway.lead_links import Links
    from gateway.lead_write import LeadWrite
    from gateway.operations.asked import Asked
    from gateway.operations.contact_calls import Request
    from gateway.operations.keyed import HeldKey, KeyedCalls
    from gateway.operations.order import Order
    from gateway.results import Problem
    from gateway.target import Part
    from gateway.upsert import Writer


@dataclass(kw_only=True)
class WrittenLead:
    """What became of a lead's call."""

    receipt: LeadReceipt
    replayed: bool = False
    operation_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class LeadCalls:
    """The calls that write one lead, into the one backend that holds leads."""

    leads: Leads
    links: Links
    writer: Writer
    keyed: KeyedCalls
    order: Order
    default_country: str | None

    async def upsert(self, asked: Asked, request: Request) -> WrittenLead:
        """Write one lead as asked, and tell what happened."""
        write, problems = check_lead(
            asked.input,
            mode=asked.mode,
            if_missing=asked.if_missing,
            default_country=self.default_country,
        )
        wrong_key = asked.key_problems()
        call = _Call(asked=asked, request=request, write=write, problems=[*wrong_key, *problems])
        if asked.key is None or wrong_key:
            return WrittenLead(receipt=await self._run(call, None))
        # A call with a key goes on to its end, so that what it has sent is known under the key.
        running = asyncio.create_task(self._run_keyed(call))
        self.writer.running.add(running)
        running.add_done_callback(self.writer.running.discard)
        return await asyncio.shield(running)

    async def _run_keyed(self, call: _Call) -> WrittenLead:
        try:
            async with self.keyed.hold(call.asked, call.request.deadline) as held:
                if isinstance(held, Replay):
                    return WrittenLead(receipt=_given_back(held), replayed=True)
                if held.kept.final():  # an earlier call was ended before it could say so
                    receipt = _given_back(Replay(kept=held.kept, operation_id=None))
                    await held.finish(receipt)
                    return WrittenLead(receipt=receipt, replayed=True)
                receipt = await self._run(call, held)
                await held.finish(receipt)
                return WrittenLead(receipt=receipt)
        except KeyRefusedError as error:
            return WrittenLead(receipt=self._refused(call, error))

    async def _run(self, call: _Call, held: HeldKey | None) -> LeadReceipt:
        return await upsert_lead(
            call.write,
            call.problems,
            self.leads,
            call.request.loaders,
            self.writer,
            self.links,
            deadline=call.request.deadline,
            request_id=call.request.request_id,
            dry=call.asked.dry,
            journal=DirectJournal(order=self.order, key_of=_key_of, held=held),
        )

    def _refused(self, call: _Call, error: KeyRefusedError) -> LeadReceipt:
        """The receipt of a call that its key does not allow."""
        outcome = Outcome.REJECTED if error.rejected else Outcome.FAILED
        return LeadReceipt(
            results=[BackendResult(backend=self.leads.backend, outcome=outcome)],
            errors=[error.problem, *call.problems],
            rejected=error.rejected,
        )


@dataclass(frozen=True, kw_only=True)
class _Call:
    """One call on its way."""

    asked: Asked
    request: Request
    write: LeadWrite
    problems: list[Problem]


def _given_back(replay: Replay) -> LeadReceipt:
    """The receipt of the call that was made before."""
    kept = replay.kept
    return LeadReceipt(
        results=list(kept.results.values()),
        errors=kept.errors,
        rejected=kept.rejected,
        contact=kept.contact,
        company=kept.company,
    )


def _key_of(part: Part) -> str:
    if not isinstance(part, LeadPart):
        raise TypeError("a lead's call has one part")
    return lead_key(part.write)
