"""Every upsertContact goes through here: with or without a key, delivered now or later."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.checks import check_contact
from gateway.model import Backend
from gateway.operations.direct import DirectJournal
from gateway.operations.keyed import KeyRefusedError, Replay
from gateway.operations.order import contact_key
from gateway.results import BackendResult, Outcome
from gateway.target import Target
from gateway.targets import choose
from gateway.upsert import Receipt, upsert

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.backends.adapter import Adapter
    from gateway.names import Loaders
    from gateway.operations.asked import Asked
    from gateway.operations.keyed import HeldKey, KeyedCalls
    from gateway.operations.order import Order
    from gateway.results import Problem
    from gateway.target import Part
    from gateway.targets import Choice
    from gateway.upsert import Writer
    from gateway.write import ContactWrite


@dataclass(frozen=True, kw_only=True)
class Request:
    """The request that a call belongs to."""

    loaders: Loaders
    deadline: float
    """On the clock of `time.monotonic`."""
    request_id: str


@dataclass(kw_only=True)
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
    default_country: str | None

    async def upsert(self, asked: Asked, request: Request) -> Written:
        """Write one contact as asked, and tell what happened."""
        choice = choose(asked.targets, self.adapters)
        write, problems = check_contact(
            asked.input,
            mode=asked.mode,
            if_missing=asked.if_missing,
            targets_named=asked.targets is not None,
            default_country=self.default_country,
        )
        wrong_key = asked.key_problems()
        call = _Call(
            asked=asked,
            request=request,
            choice=choice,
            write=write,
            problems=[*wrong_key, *choice.problems, *problems],
        )
        if asked.key is None or wrong_key:
            return Written(write=write, receipt=await self._run(call, None))
        # A call with a key goes on to its end, so that what it has sent is known under the key.
        running = asyncio.create_task(self._run_keyed(call))
        self.writer.running.add(running)
        running.add_done_callback(self.writer.running.discard)
        return await asyncio.shield(running)

    async def _run_keyed(self, call: _Call) -> Written:
        try:
            async with self.keyed.hold(call.asked, call.request.deadline) as held:
                if isinstance(held, Replay):
                    return Written(write=call.write, receipt=call.given_back(held), replayed=True)
                receipt = await self._run(call, held)
                await held.finish(receipt)
                return Written(write=call.write, receipt=receipt)
        except KeyRefusedError as error:
            return Written(write=call.write, receipt=call.refused(error))

    async def _run(self, call: _Call, held: HeldKey | None) -> Receipt:
        """Write to every target, those left out that an earlier call under the key has written."""
        before = held.kept.final() if held else {}
        journal = DirectJournal(order=self.order, key_of=_key_of, held=held)
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
        chosen = {adapter.backend for adapter in call.choice.adapters}
        kept = [result for backend, result in before.items() if backend in chosen]
        return Receipt(
            results=call.choice.with_unconfigured([*kept, *receipt.results]),
            errors=[*receipt.errors, *(error for result in kept for error in result.errors)],
            rejected=receipt.rejected and not kept,
        )


@dataclass(frozen=True, kw_only=True)
class _Call:
    """One call on its way."""

    asked: Asked
    request: Request
    choice: Choice
    write: ContactWrite
    problems: list[Problem]

    def given_back(self, replay: Replay) -> Receipt:
        """The receipt of the call that was made before."""
        kept = replay.kept
        results = [kept.results[backend] for backend in Backend if backend in kept.results]
        return Receipt(results=results, errors=kept.errors, rejected=kept.rejected)

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
