"""Every upsertLead goes through here: with or without a key, delivered now or later."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.lead_checks import check_lead
from gateway.lead_receipt import LeadReceipt
from gateway.operations.acceptance import NotAcceptedError, queued
from gateway.operations.direct import DirectJournal
from gateway.operations.keyed import HeldKey, KeyRefusedError, utc_now
from gateway.operations.order import lead_key
from gateway.operations.payloads import LEAD, Shared, new_operation
from gateway.results import BackendResult, Outcome
from gateway.upsert_lead import LeadPart, upsert_lead

if TYPE_CHECKING:
    from gateway.backends.leads import Leads
    from gateway.callers.audit import Trail
    from gateway.lead_links import Links
    from gateway.lead_write import LeadWrite
    from gateway.operations.acceptance import Acceptance, FoundOperation
    from gateway.operations.asked import Asked
    from gateway.operations.contact_calls import Request
    from gateway.operations.keyed import KeyedCalls
    from gateway.operations.order import Order
    from gateway.operations.receipts import Kept
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
    acceptance: Acceptance
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
        call = _Call(
            asked=asked,
            request=request,
            write=write,
            problems=[*wrong_key, *problems],
            trail=request.trail(asked),
        )
        if asked.key is None or wrong_key:
            return call.audited(await self._run_held(call, None))
        # A call with a key goes on to its end, so that what it has sent is known under the key.
        return await asyncio.shield(self.writer.start(self._audited(call)))

    async def _audited(self, call: _Call) -> WrittenLead:
        return call.audited(await self._run_keyed(call))

    async def _run_keyed(self, call: _Call) -> WrittenLead:
        try:
            async with self.keyed.hold(call.asked, call.request.deadline) as held:
                if isinstance(held, HeldKey):
                    if not held.kept.final():
                        return await self._run_held(call, held)
                    # An earlier call was ended before it could say so; what one before it said
                    # beside its results is told no more.
                    receipt = _receipt(list(held.kept.results.values()))
                    await held.finish(receipt)
                    return WrittenLead(receipt=receipt, replayed=True)
                if held.operation_id is None:
                    return WrittenLead(receipt=_given_back(held.kept), replayed=True)
                found = await self.acceptance.found(held.operation_id)
                if not found.runs_again:
                    return _followed(found)
            async with self.keyed.hold_again(call.asked, call.request.deadline) as held:
                newest = await self.acceptance.found(held.use.operation_id)
                if newest.operation_id != found.operation_id:
                    await held.let_go()  # another call was faster to run it again
                    return _followed(newest)
                return await self._accept(call, held)
        except KeyRefusedError as error:
            return WrittenLead(receipt=self._refused(call, error))

    async def _run_held(self, call: _Call, held: HeldKey | None) -> WrittenLead:
        if call.asked.durable:
            return await self._accept(call, held)
        receipt = await self._run(call, held)
        if held is not None:
            await held.finish(receipt)
        return WrittenLead(receipt=receipt)

    async def _accept(self, call: _Call, held: HeldKey | None) -> WrittenLead:
        """Check what can be checked now, then store the lead for delivery."""
        backend, key = self.leads.backend, lead_key(call.write)
        refused = await self._checked(call, key)
        if refused is not None:
            if held is not None:
                await held.finish(refused)
            return WrittenLead(receipt=refused)
        shared = Shared(
            mode=call.asked.mode,
            if_missing=call.asked.if_missing,
            targets_named=True,
            backends=[backend],
            country=self.default_country,
            request_id=call.request.request_id,
            accepted_at=utc_now().isoformat(),
        )
        operation = new_operation(call.asked, LEAD, shared, {backend: key})
        try:
            await self.acceptance.store(operation, held.use if held else None)
        except NotAcceptedError as error:
            result = BackendResult(backend=backend, outcome=error.outcome)
            return WrittenLead(receipt=LeadReceipt(results=[result], errors=[error.problem]))
        receipt = LeadReceipt(results=[queued(backend)], errors=[])
        return WrittenLead(receipt=receipt, operation_id=operation.id)

    async def _checked(self, call: _Call, key: str) -> LeadReceipt | None:
        """The receipt of a lead that cannot be written, as far as can be told at once.

        What writes before this one will have made of the lead cannot be known yet: then only what
        the input says by itself is checked.
        """
        backend = self.leads.backend
        if await self.order.is_certainly_waiting(backend, key):
            problems = [*call.problems, *self.leads.check(call.write)]
            result = BackendResult(backend=backend, outcome=Outcome.REJECTED, errors=problems)
            refused = LeadReceipt(results=[result], errors=problems, rejected=True)
            return refused if problems else None
        soon = time.monotonic() + self.writer.plan_wait
        planned = await upsert_lead(
            call.write,
            call.problems,
            self.leads,
            call.request.loaders,
            self.writer,
            self.links,
            deadline=min(soon, call.request.deadline),
            request_id=call.request.request_id,
            dry=True,
        )
        return planned if planned.rejected else None

    async def _run(self, call: _Call, held: HeldKey | None) -> LeadReceipt:
        receipt = await upsert_lead(
            call.write,
            call.problems,
            self.leads,
            call.request.loaders,
            self.writer,
            self.links,
            deadline=call.request.deadline,
            request_id=call.request.request_id,
            dry=call.asked.dry,
            journal=DirectJournal(order=self.order, key_of=_key_of, held=held, trail=call.trail),
        )
        if held is not None:
            held.look_back(receipt.results)
        return receipt

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
    trail: Trail | None

    def audited(self, written: WrittenLead) -> WrittenLead:
        """What became of it, told to the audit."""
        if self.trail is not None:
            self.trail.finish(
                written.receipt.results,
                operation_id=written.operation_id,
                replayed=written.replayed,
            )
        return written


def _followed(found: FoundOperation) -> WrittenLead:
    """The payload of a durable call that was accepted before, as it is now."""
    return WrittenLead(
        receipt=_receipt(found.results), replayed=True, operation_id=found.operation_id
    )


def _receipt(results: list[BackendResult]) -> LeadReceipt:
    """The receipt of which these results are all that is known."""
    errors = [error for result in results for error in result.errors]
    return LeadReceipt(results=results, errors=errors)


def _given_back(kept: Kept) -> LeadReceipt:
    """The receipt of the call that was made before."""
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
