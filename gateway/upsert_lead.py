"""The story of a lead's write, in the steps of `upsert.py`: check, resolve, find, plan, deliver.

There is one target, the backend that holds leads, and so nobody to wait for. Contact and company
are found first; then one call writes all three. An externalId is kept by `lead_links.py`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gateway.backends.adapter import Found
from gateway.backends.leads import FoundLead
from gateway.calls import FromReply
from gateway.delivery import deliver, dry_run, is_repeatable
from gateway.errors import BackendFailure, NotWrittenError, RefusedError
from gateway.held_names import held_ids, with_held
from gateway.lead_link_problems import dead_link, made_already
from gateway.lead_links import Meant
from gateway.lead_receipt import receipt_of
from gateway.matching import besides, but_required, is_blamed
from gateway.model import MissingPolicy, title
from gateway.name_problems import nowhere_found
from gateway.names import Loaders, resolve
from gateway.results import HAS_IT, BackendResult, Outcome, Problem, ProblemCode
from gateway.target import SILENT, Border, Journal, Part
from gateway.upstream import Exchange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.backends.adapter import Plan
    from gateway.backends.leads import LeadPlan, Leads
    from gateway.lead_links import Links
    from gateway.lead_receipt import LeadReceipt
    from gateway.lead_write import LeadWrite
    from gateway.names import Resolution
    from gateway.upsert import Writer

UNREAD = FromReply(call=0, key="contact.id")
"""Stands in a dry run for the id of a contact that is to be made."""


UNFOUND = FoundLead(contact=Found(looked=False), company=Found(looked=False))
"""No lead, because its key is wrong: what else is wrong is told, and what may be stored is not missed."""


@dataclass(kw_only=True)
class LeadPart(Part):
    """The write of a lead, as far as it has come."""

    leads: Leads
    write: LeadWrite
    links: Links
    meant: Meant = Meant()  # noqa: RUF009 - it cannot be changed
    found: FoundLead | None = None
    planned: LeadPlan | None = None
    contact_id: str | None = None
    """The id of a new contact, once the lead was read back for it."""

    @property
    def external_id(self) -> str | None:
        """The lead's key in the caller's own system."""
        return self.write.text("external_id")

    @property
    def native_id(self) -> str | None:
        """The lead's id in the backend, where the input has it."""
        return self.write.text("ivvy.id")


async def upsert_lead(
    write: LeadWrite,
    problems: Sequence[Problem],
    leads: Leads,
    loaders: Loaders,
    writer: Writer,
    links: Links,
    *,
    deadline: float,
    request_id: str = "",
    dry: bool = False,
    journal: Journal = SILENT,
) -> LeadReceipt:
    """Write one lead with its contact and company, and tell what happened.

    `problems` are those that the checks of the input have found; with them nothing is written,
    but everything else that is wrong is still looked for, so that it is told at once.
    """
    part = LeadPart(
        backend=leads.backend,
        exchange=Exchange(deadline=deadline, request_id=request_id),
        leads=leads,
        write=write,
        links=links,
        journal=SILENT if dry else journal,
    )
    with Border(part):
        await _prepare(part, loaders)
    unknown = nowhere_found({part.backend: part.wanted}, {part.backend: part.resolution})
    input_problems = [*problems, *unknown]
    if input_problems and (part.result is None or part.result.outcome is Outcome.SKIPPED):
        part.end(Outcome.REJECTED)
    refused = part.result is not None and part.result.outcome is Outcome.REJECTED
    rejected = refused or bool(input_problems)
    if not rejected:
        await asyncio.shield(writer.start(_finish(part, writer, dry=dry)))
    result = part.result or BackendResult(backend=part.backend, outcome=Outcome.FAILED)
    return receipt_of(result, part.planned, part.contact_id, input_problems, rejected=rejected)


# ---------------------------------------------------------------- check, resolve, find, plan


async def _prepare(part: LeadPart, loaders: Loaders) -> None:
    """Bring the write as far as its plan."""
    part.wanted = part.leads.wanted(part.write)
    problems = part.leads.check(part.write)
    resolving = asyncio.create_task(_resolve(part, loaders))
    try:
        found = None
        if not is_blamed(problems, [part.write.field_path("ivvy.id")]):
            await part.journal.looking(part)
            found = await _find(part, locked=False)
    except asyncio.CancelledError:
        resolving.cancel()
        raise
    except RefusedError as error:
        problems.append(error.problem)
    finally:
        part.resolution = await resolving
    if part.resolution.unreadable is not None:
        raise part.resolution.unreadable
    _plan(part, UNFOUND if found is None else found, problems)


async def _resolve(part: LeadPart, loaders: Loaders) -> Resolution:
    with part.span("resolve"):
        return await resolve(part.wanted, part.leads.catalogs, loaders)


async def _find(part: LeadPart, *, locked: bool) -> FoundLead:
    """Find the lead that the keys mean, and the contact and company of the write."""
    with part.span("find"):
        return await _found(part, locked=locked)


async def _found(part: LeadPart, *, locked: bool) -> FoundLead:
    part.meant = await part.links.meant(
        part.external_id, part.native_id, part.leads, part.exchange, locked=locked
    )
    try:
        return await part.leads.find(
            part.write, part.meant.lead_id, part.meant.matched_by, part.exchange
        )
    except RefusedError as error:
        if part.meant.linked is not None and error.problem.code is ProblemCode.NOT_FOUND:
            raise RefusedError(dead_link(part.leads, part.meant.linked)) from error
        raise


def _plan(part: LeadPart, found: FoundLead, checked: Sequence[Problem] = ()) -> None:
    """Decide what the write comes to, from what has been found.

    `checked` is what is wrong whatever was found: nothing is written then, and the plan only tells
    what else is wrong.
    """
    part.found = found
    if part.resolution.missing:
        held = held_ids(part.resolution, part.leads.ids_shown(found))
        part.resolution = with_held(part.resolution, held)
    if found.lead is None and part.write.if_missing is MissingPolicy.SKIP:
        part.end(Outcome.REJECTED if checked else Outcome.SKIPPED, checked)
        return
    try:
        with part.span("plan"):
            part.planned = part.leads.plan(part.write, found, part.resolution)
    except ValueError:
        if not checked:
            raise
        # A value that the check refused, an id that is no number say, cannot always be laid out.
        part.end(Outcome.REJECTED, [*checked, *part.resolution.problems])
        return
    part.plan = part.planned.plan
    unknown = [one for one in part.resolution.problems if one.field not in part.planned.kept]
    wrong = part.plan.problems if found is not UNFOUND else but_required(part.plan.problems)
    problems = besides(checked, [*wrong, *unknown])
    if problems:
        part.end(Outcome.REJECTED, problems)


# ---------------------------------------------------------------- deliver


async def _finish(part: LeadPart, writer: Writer, *, dry: bool) -> None:
    """Deliver the plan, or show it."""
    with Border(part):
        if part.result is not None or part.found is None or part.planned is None:
            return
        if dry:
            part.result = dry_run(_whole(part.planned), part.backend)
        else:
            with part.span("deliver"):
                part.result = await _deliver_under_locks(part, part.found, part.planned, writer)
    if not dry:
        await part.journal.ended(part)


def _whole(planned: LeadPlan) -> Plan:
    """The plan with the calls that follow once a new contact's id is known."""
    after = planned.after(UNREAD) if planned.after else ()
    return replace(planned.plan, calls=(*planned.plan.calls, *after))


async def _deliver_under_locks(
    part: LeadPart, found: FoundLead, planned: LeadPlan, writer: Writer
) -> BackendResult:
    """Deliver while nobody else makes the same records; what is to be made is looked for again."""
    async with writer.locks.holding(part.exchange) as held:
        keys: set[str] = set()
        while new := [key for key in part.leads.lock_keys(part.write, found) if key not in keys]:
            for key in new:
                await held.take(f"{part.backend.value}:{key}")
                keys.add(key)
            found = await _find(part, locked=True)
            _plan(part, found)
            if part.result is not None:
                return part.result
            planned = part.planned or planned
        return await _deliver(part, planned)


async def _deliver(part: LeadPart, planned: LeadPlan) -> BackendResult:
    """Send the plan's calls, with what the externalId needs around them."""
    external_id = part.external_id
    if planned.plan.calls:
        # With an externalId, the link table keeps a create from being sent twice.
        safe = external_id is not None or is_repeatable(planned.plan.calls)
        await part.journal.sending(part, repeatable=safe)
    if external_id is None:
        return await _send(part, planned)
    if part.meant.lead_id is not None:
        await part.links.adopt(part.meant, external_id, part.leads, part.exchange.request_id or "?")
        return await _send(part, planned)
    return await part.links.create_once(
        external_id, planned.intent, part.exchange, lambda: _send(part, planned)
    )


async def _send(part: LeadPart, planned: LeadPlan) -> BackendResult:
    """What becomes of the plan's calls; of a new lead that nothing finds again, told as such."""
    result = await _sent(part, planned)
    anew = part.external_id is None and part.meant.lead_id is None
    if anew and result.outcome is Outcome.PARTIAL:
        for problem in result.errors:
            made_already(problem, str(result.id))
    return result


async def _sent(part: LeadPart, planned: LeadPlan) -> BackendResult:
    """The lead's call, then those that need the id of a contact that it has made."""
    result = await deliver(planned.plan, part.leads, part.exchange)
    if planned.after is None or result.outcome not in HAS_IT or result.id is None:
        return result
    followed = None
    try:
        part.contact_id = await _contact_made(part, result)
        after = replace(planned.plan, calls=planned.after(part.contact_id))
        followed = await deliver(after, part.leads, part.exchange)
        result.errors = followed.errors
    except BackendFailure as failure:
        result.errors.append(failure.problem)
    if result.errors:
        result.outcome = Outcome.PARTIAL
        if followed is not None and followed.outcome is Outcome.PARTIAL:
            result.changed_fields = followed.changed_fields
        else:
            undone = {name for call in planned.after(UNREAD) for name in call.carries}
            result.changed_fields = [name for name in planned.plan.changed if name not in undone]
    return result


async def _contact_made(part: LeadPart, result: BackendResult) -> str:
    """The id of the contact that was made with a lead, by reading the lead back."""
    lead = await part.leads.read(str(result.id), part.exchange)
    contact_id = part.leads.contact_made(lead, result.calls) if lead is not None else None
    if contact_id is not None:
        return contact_id
    raise NotWrittenError(
        Problem(
            backend=part.backend,
            code=ProblemCode.BACKEND_ERROR,
            message=f"{title(part.backend)} does not show lead {result.id} with its new contact: the "
            "contact's groups were not changed.",
            field=["contact"],
            retryable=True,
        )
    )
