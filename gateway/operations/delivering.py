"""Delivers one step: the same story as a direct write, for the one target that the step is about."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.model import Backend, title
from gateway.names import Loaders
from gateway.operations.outcomes import tell_beside
from gateway.operations.payloads import contact_write, lead_write, shared_of
from gateway.planning import prepare
from gateway.results import BackendResult, Outcome, Problem, ProblemCode
from gateway.upsert import finish_all, targets_of
from gateway.upsert_lead import upsert_lead
from gateway.upstream import Exchange

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from gateway.backends.adapter import Adapter
    from gateway.backends.leads import Leads
    from gateway.lead_links import Links
    from gateway.operations.step_journal import StepJournal
    from gateway.planning import Prepared
    from gateway.store.operation_records import ClaimedStep
    from gateway.target import Target
    from gateway.upsert import Writer
    from gateway.write import ContactWrite


@dataclass(frozen=True, kw_only=True)
class Delivering:
    """What delivering a step needs."""

    adapters: Mapping[Backend, Adapter]
    leads: Callable[[], Leads | None]
    links: Links
    writer: Writer
    seconds: float
    """How long one try may take."""

    def exchange(self, claimed: ClaimedStep) -> Exchange:
        """Calls of one try of a step, named after the request that asked for it."""
        request_id = shared_of(claimed.shared).request_id
        return Exchange(deadline=time.monotonic() + self.seconds, request_id=request_id)

    async def contact(self, claimed: ClaimedStep, journal: StepJournal) -> BackendResult:
        """Deliver a contact to the step's backend."""
        backend = Backend(claimed.step.backend)
        shared = shared_of(claimed.shared)
        write, problems = contact_write(claimed, shared)
        if backend not in self.adapters:
            return refused(backend, [not_configured(backend)])
        if problems:
            return refused(backend, problems)
        prepared = await self.prepare(
            write,
            shared.backends,
            {backend: journal},
            self.exchange(claimed),
            Loaders(self.exchange(claimed)),
            self.writer.plan_wait,
        )
        mine = next(target for target in prepared.targets if target.backend is backend)
        if prepared.rejected:
            await prepared.cancel_look_ups()
            prepared.call_off()
        else:
            await finish_all(prepared, self.writer)
        result = mine.result or refused(backend, prepared.problems)
        tell_beside(result, prepared.problems)
        return result

    async def prepare(
        self,
        write: ContactWrite,
        backends: Collection[Backend],
        mine: Mapping[Backend, StepJournal],
        exchange: Exchange,
        loaders: Loaders,
        patience: float,
    ) -> Prepared:
        """The targets that are `mine`, and those beside them, as far as their plans.

        Mostly the others are not asked for the record: only where one of mine lacks a key that
        their records may have, which some backends tell beforehand and some by their look-up.
        """
        targets = self._journaled(self.targets_of(write, backends, mine, exchange), mine)
        prepared = await prepare(targets, [], loaders, patience)
        asked = {target.backend for target in targets if not target.names_only}
        others = self.adapters.keys() & set(backends) - asked
        if others and any(target.found and target.found.keyless for target in targets):
            await prepared.cancel_look_ups()
            targets = self.targets_of(write, backends, mine, exchange, borrows=True)
            prepared = await prepare(self._journaled(targets, mine), [], loaders, patience)
        return prepared

    @staticmethod
    def _journaled(targets: list[Target], mine: Mapping[Backend, StepJournal]) -> list[Target]:
        for target in targets:
            if target.backend in mine:
                target.journal = mine[target.backend]
        return targets

    def targets(self, claimed: ClaimedStep) -> list[Target]:
        """The step's target, and those beside it that tell it keys or know its names."""
        shared = shared_of(claimed.shared)
        write, _problems = contact_write(claimed, shared)
        backend = Backend(claimed.step.backend)
        return self.targets_of(write, shared.backends, {backend}, self.exchange(claimed))

    def targets_of(
        self,
        write: ContactWrite,
        backends: Collection[Backend],
        mine: Collection[Backend],
        exchange: Exchange,
        *,
        borrows: bool = False,
    ) -> list[Target]:
        """The targets that are `mine` to write, and what of the others they depend on.

        The others' records are looked up where mine are known to need them, or `borrows` says so.
        Their exchanges end and meet others where `exchange` does.
        """
        own = [self.adapters[backend] for backend in mine]
        borrows = borrows or any(adapter.needs_siblings(write) for adapter in own)
        shared_names = any(
            one.shared and one.name is not None for adapter in own for one in adapter.wanted(write)
        )
        chosen = [
            self.adapters[other]
            for other in backends
            if other in self.adapters and (other in mine or shared_names or borrows)
        ]
        targets = targets_of(
            write, chosen, deadline=exchange.deadline, request_id=exchange.request_id
        )
        for target in targets:
            target.exchange.gathering = exchange.gathering
            target.observed = target.backend not in mine
            target.names_only = target.observed and not borrows
        return targets

    async def lead(self, claimed: ClaimedStep, journal: StepJournal) -> BackendResult:
        """Deliver a lead."""
        backend = Backend(claimed.step.backend)
        write, problems = lead_write(claimed)
        leads = self.leads()
        if leads is None or leads.backend is not backend:
            return refused(backend, [not_configured(backend)])
        exchange = self.exchange(claimed)
        receipt = await upsert_lead(
            write,
            problems,
            leads,
            Loaders(exchange),
            self.writer,
            self.links,
            deadline=exchange.deadline,
            request_id=exchange.request_id,
            journal=journal,
        )
        [result] = receipt.results
        tell_beside(result, receipt.errors)
        return result


def refused(backend: Backend, problems: list[Problem]) -> BackendResult:
    """The result of a step that cannot be delivered as it is."""
    return BackendResult(backend=backend, outcome=Outcome.REJECTED, errors=list(problems))


def not_configured(backend: Backend) -> Problem:
    """The problem of a step whose backend was configured when it was stored."""
    return Problem(
        backend=backend,
        code=ProblemCode.NOT_CONFIGURED,
        message=f"The gateway has no credentials for {title(backend)} any more.",
    )
