"""Every upsertContact goes through here: with or without a key, delivered now or later."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.callers.audit import Trail
from gateway.checks import check_contact
from gateway.model import Backend
from gateway.operations.acceptance import NotAcceptedError, queued, result_of
from gateway.operations.direct import DirectJournal
from gateway.operations.keyed import HeldKey, KeyRefusedError, utc_now
from gateway.operations.order import contact_key
from gateway.operations.payloads import CONTACT, Shared, new_operation
from gateway.planning import prepare
from gateway.results import BackendResult, Outcome, in_order
from gateway.target import Target
from gateway.targets import choose
from gateway.upsert import Receipt, receipt_of, targets_of, upsert

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.backends.adapter import Adapter
    from gateway.callers.caller import Caller
    from gateway.names import Loaders
    from gateway.operations.acceptance import Acceptance, FoundOperation
    from gateway.operations.asked import Asked
    from gateway.operations.keyed import KeyedCalls, Replay
    from gateway.operations.order import Order
    from gateway.results import Problem
    from gateway.store.operation_records import Step
    from gateway.target import Part
    from gateway.targets import Choice
    from gateway.upsert import Writer
    from gateway.write import ContactWrite


@dataclass(kw_only=True, slots=True)
class Request:
    """The request that a call belongs to."""

    loaders: Loaders
    deadline: float
    """On the clock of `time.monotonic`."""
    request_id: str
    caller: Caller

    def trail(self, asked: Asked) -> Trail | None:
        """What a call leaves in the audit; nothing for a dry run."""
        if asked.dry:
            return None
        return Trail(mutation=asked.mutation, caller=self.caller, request_id=self.request_id)


@dataclass(kw_only=True, slots=True)
class Written:
    """What became of a contact's call."""

    write: ContactWrite
    receipt: Receipt
    replayed: bool = False
    operation_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class ContactCalls:
    """The calls that write one contact."""

    adapters: Mapping[Backend, Adapter]
    writer: Writer
    keyed: KeyedCalls
    order: Order
    acceptance: Acceptance
    default_country: str | None

    async def upsert(self, asked: Asked, request: Request) -> Written:
        """Write one contact as asked, and tell what happened."""
        choice = choose(asked.targets, self.adapters)
        write, problems = check_contact(
            asked.input,
            mode=asked.mode,
            if_missing=asked.if_missing,
            targets_named=asked.targets is not None,
            targets=choice.backends,
            default_country=self.default_country,
        )
        wrong_key = asked.key_problems()
        call = _Call(
            asked=asked,
            request=request,
            choice=choice,
            write=write,
            problems=[*wrong_key, *choice.problems, *problems],
            trail=request.trail(asked),
        )
        if asked.key is None or wrong_key:
            return call.audited(await self._run_held(call, None))
        # A call with a key goes on to its end, so that what it has sent is known under the key.
        return await asyncio.shield(self.writer.start(self._audited(call)))

    async def _audited(self, call: _Call) -> Written:
        return call.audited(await self._run_keyed(call))

    async def _run_keyed(self, call: _Call) -> Written:
        try:
            async with self.keyed.hold(call.asked, call.request.deadline) as held:
                if isinstance(held, HeldKey):
                    return await self._run_held(call, held)
                if held.operation_id is None:
                    return Written(write=call.write, receipt=call.given_back(held), replayed=True)
                found = await self.acceptance.found(held.operation_id)
                if not found.runs_again:
                    return call.followed(found)
            async with self.keyed.hold_again(call.asked, call.request.deadline) as held:
                newest = await self.acceptance.found(held.use.operation_id)
                if newest.operation_id != found.operation_id:
                    await held.let_go()  # another call was faster to run it again
                    return call.followed(newest)
                return await self._accept(call, held, found.kept)
        except KeyRefusedError as error:
            return Written(write=call.write, receipt=call.refused(error))

    async def _run_held(self, call: _Call, held: HeldKey | None) -> Written:
        if call.asked.durable:
            return await self._accept(call, held, [])
        receipt = await self._run(call, held)
        if held is not None:
            await held.finish(receipt)
        return Written(write=call.write, receipt=receipt)

    async def _accept(self, call: _Call, held: HeldKey | None, kept: Sequence[Step]) -> Written:
        """Check what can be checked now, then store the write for delivery.

        `kept` are the steps that an earlier call under the key has done.
        """
        before = [result_of(step) for step in kept]
        told = [problem for result in before for problem in result.errors]
        targets = targets_of(
            call.write,
            call.choice.adapters,
            deadline=call.request.deadline,
            request_id=call.request.request_id,
        )
        records: dict[Backend, str] = {}
        for target in targets:
            target.observed = any(result.backend is target.backend for result in before)
            if not target.observed:
                key = contact_key(call.write, target.adapter)
                records[target.backend] = key
                # What writes before this one will have made of the record cannot be known yet.
                target.names_only = await self.order.is_certainly_waiting(target.backend, key)
        prepared = await prepare(
            targets, call.problems, call.request.loaders, self.writer.plan_wait
        )
        await prepared.cancel_look_ups()
        if prepared.rejected:
            prepared.call_off()
            receipt = receipt_of(prepared, rejected=not before)
            receipt.results = call.choice.with_unconfigured([*before, *receipt.results])
            receipt.errors += told
            if held is not None:
                await held.finish(receipt)
            return Written(write=call.write, receipt=receipt)
        shared = call.shared([target.backend for target in targets], self.default_country)
        operation = new_operation(call.asked, CONTACT, shared, records, kept)
        try:
            await self.acceptance.store(operation, held.use if held else None)
        except NotAcceptedError as error:
            return Written(write=call.write, receipt=call.not_accepted(error, before))
        results = [*before, *(queued(backend) for backend in records)]
        return Written(
            write=call.write,
            receipt=Receipt(results=call.choice.with_unconfigured(results), errors=told),
            operation_id=operation.id,
        )

    async def _run(self, call: _Call, held: HeldKey | None) -> Receipt:
        """Write to every target, those left out that an earlier call under the key has written."""
        before = held.kept.final() if held else {}
        journal = DirectJournal(order=self.order, key_of=_key_of, held=held, trail=call.trail)
        receipt = await upsert(
            call.write,
            call.problems,
            call.choice.adapters,
            call.request.loaders,
            self.writer,
            deadline=call.request.deadline,
            request_id=call.request.request_id,
            dry=call.asked.dry,
            journal=journal,
            observed=before.keys(),
        )
        if held is not None:
            held.look_back(receipt.results)
        chosen = [adapter.backend for adapter in call.choice.adapters] if before else ()
        kept = [result for backend, result in before.items() if backend in chosen]
        receipt.results = call.choice.with_unconfigured([*kept, *receipt.results])
        receipt.errors += [error for result in kept for error in result.errors]
        receipt.rejected = receipt.rejected and not kept
        return receipt


@dataclass(kw_only=True, slots=True)
class _Call:
    """One call on its way."""

    asked: Asked
    request: Request
    choice: Choice
    write: ContactWrite
    problems: list[Problem]
    trail: Trail | None

    def audited(self, written: Written) -> Written:
        """What became of it, told to the audit."""
        if self.trail is not None:
            self.trail.finish(
                written.receipt.results,
                operation_id=written.operation_id,
                replayed=written.replayed,
            )
        return written

    def given_back(self, replay: Replay) -> Receipt:
        """The receipt of the call that was made before."""
        kept = replay.kept
        results = [kept.results[backend] for backend in Backend if backend in kept.results]
        return Receipt(results=results, errors=kept.errors, rejected=kept.rejected)

    def followed(self, found: FoundOperation) -> Written:
        """The payload of a durable call that was accepted before, as it is now."""
        results = in_order(found.results)
        return Written(
            write=self.write,
            receipt=Receipt(
                results=results, errors=[error for result in results for error in result.errors]
            ),
            replayed=True,
            operation_id=found.operation_id,
        )

    def shared(self, backends: list[Backend], country: str | None) -> Shared:
        """What of the call is stored beside its input."""
        return Shared(
            mode=self.asked.mode,
            if_missing=self.asked.if_missing,
            targets_named=self.asked.targets is not None,
            backends=backends,
            country=country,
            request_id=self.request.request_id,
            accepted_at=utc_now().isoformat(),
        )

    def not_accepted(self, error: NotAcceptedError, before: list[BackendResult]) -> Receipt:
        """The receipt of a durable call that was not stored; `before` stands as it did."""
        done = {result.backend: result for result in before}
        return Receipt(
            results=[
                done.get(adapter.backend)
                or BackendResult(backend=adapter.backend, outcome=error.outcome)
                for adapter in self.choice.adapters
            ],
            errors=[error.problem],
        )

    def refused(self, error: KeyRefusedError) -> Receipt:
        """The receipt of a call that its key does not allow."""
        outcome = Outcome.REJECTED if error.rejected else Outcome.FAILED
        return Receipt(
            results=self.choice.with_unconfigured(
                [
                    BackendResult(backend=adapter.backend, outcome=outcome)
                    for adapter in self.choice.adapters
                ]
            ),
            errors=[error.problem, *self.problems],
            rejected=error.rejected,
        )


def _key_of(part: Part) -> str:
    if not isinstance(part, Target):
        raise TypeError("a contact's call has targets")
    return contact_key(part.write, part.adapter)
