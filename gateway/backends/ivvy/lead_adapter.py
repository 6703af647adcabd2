"""iVvy's leads: what is asked of it, and the pure functions that decide."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gateway.backends.adapter import Answer, Found, Key, KeyKind, Stored
from gateway.backends.ivvy import client, lead_intent, lead_parties
from gateway.backends.ivvy.answers import not_asked
from gateway.backends.ivvy.companies import Companies, same_name, the_record, to_stored
from gateway.backends.ivvy.company import wanted_company
from gateway.backends.ivvy.contact import has_only_wrong_keys
from gateway.backends.ivvy.ids import ill_formed_ids, is_id
from gateway.backends.ivvy.lead import plan_lead
from gateway.backends.ivvy.lead_fields import wanted_lead_fields
from gateway.backends.ivvy.lead_lookups import LEAD_LOOKUPS
from gateway.backends.ivvy.lead_parties import contact_names
from gateway.backends.ivvy.lead_reading import read_lead
from gateway.backends.ivvy.lookups import INDUSTRY
from gateway.backends.ivvy.pages import read_rows
from gateway.backends.leads import Alike, FoundLead
from gateway.entries import CatalogName, folded
from gateway.errors import MaybeWrittenError, NotWrittenError, RefusedError
from gateway.matching import fitting
from gateway.model import Backend
from gateway.results import Problem, ProblemCode
from gateway.write import input_name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from gateway.backends.ivvy.adapter import IvvyAdapter
    from gateway.backends.leads import LeadPlan
    from gateway.calls import Call, Reply
    from gateway.lead_records import LeadRecord
    from gateway.lead_write import LeadWrite
    from gateway.names import Resolution, Wanted
    from gateway.results import BackendCall
    from gateway.upstream import Exchange

LEAD_IDS = (
    *("ivvy.id", "ivvy.contact_id", "ivvy.company_id", "ivvy.company_lead_contact_id"),
    *(row.native for row in LEAD_LOOKUPS),
)
COMPANY_IDS = ("ivvy.id", INDUSTRY.native)

NOT_LOOKED_FOR = Found(looked=False)
"""A contact or a company whose keys are wrong: it may be there or not."""


class IvvyLeads:
    """The leads of one key.

    How they differ: one call writes the lead with its contact and company, which are found first
    by the contact's adapter and by name. A create can never be repeated. There is no call that
    reads one lead, and the list shows neither custom fields nor industry.
    """

    backend: Backend = Backend.IVVY

    def __init__(self, contacts: IvvyAdapter, *, text_clear: str | None = "") -> None:
        self._contacts = contacts
        self.sender = contacts.sender
        self.catalogs = contacts.catalogs
        self._companies = Companies(contacts.sender, contacts.catalogs)
        self._text_clear = text_clear

    def check(self, write: LeadWrite) -> list[Problem]:
        """Ids that are no iVvy ids."""
        problems = ill_formed_ids(write, LEAD_IDS)
        if write.company is not None:
            problems += ill_formed_ids(write.company, COMPANY_IDS)
        if write.contact is not None:
            problems += self._contacts.check(write.contact)
        unique: dict[tuple[str, ...], Problem] = {}
        for problem in problems:
            problem.field = write.of_lead(problem.field)
            unique.setdefault(tuple(problem.field), problem)
        return list(unique.values())

    def can_be_id(self, text: str) -> bool:
        """Whether it is a whole number."""
        return is_id(text)

    def wanted(self, write: LeadWrite) -> list[Wanted]:
        """The names of the lead, of its company and of its contact."""
        return [
            *(want for row in LEAD_LOOKUPS for want in row.wanted(write)),
            *wanted_lead_fields(write),
            *(wanted_company(write.company) if write.company else []),
            *(contact_names(write, self._contacts.wanted(write.contact)) if write.contact else []),
        ]

    def ids_shown(self, found: FoundLead) -> Iterable[tuple[CatalogName, str]]:
        """The ids of the contact's groups."""
        stored = found.contact.stored if found.contact else None
        return self._contacts.ids_shown(stored) if stored else ()

    async def find(
        self, write: LeadWrite, lead_id: str | None, matched_by: str | None, exchange: Exchange
    ) -> FoundLead:
        """The lead of that id, then side by side the contact and the company that are meant."""
        lead = None
        if lead_id is not None:
            lead = await self.read(lead_id, exchange)
            if lead is None:
                raise RefusedError(_no_lead(lead_id, write))
        problems: list[Problem] = []
        contact, company = await asyncio.gather(
            _collected(self._contact, write, lead, exchange, problems),
            _collected(self._company, write, lead, exchange, problems),
        )
        return FoundLead(
            lead=lead,
            matched_by=matched_by if lead else None,
            contact=contact,
            company=company,
            problems=tuple(problems),
        )

    async def _contact(
        self, write: LeadWrite, lead: Stored | None, exchange: Exchange
    ) -> Found | None:
        """The contact that the input means; one without a key is the stored lead's own.

        The stored lead's own is looked at as well where it is to be the person at another company.
        """
        own = lead_parties.person_of(lead.raw) if lead else None
        if write.contact is None:
            moves = write.company is not None and own is not None
            return await self._contact_by_id(str(own), exchange) if moves else None
        if has_only_wrong_keys(write.contact):
            return NOT_LOOKED_FOR
        if own is not None and self._contacts.needs_siblings(write.contact):
            return await self._contact_by_id(own, exchange)
        found = await self._contacts.find(write.contact, {}, exchange)
        if write.contact_id_from is None or found.matched_by != "ivvy.id":
            return found
        return replace(found, matched_by=input_name(write.contact_id_from))

    async def _contact_by_id(self, contact_id: str, exchange: Exchange) -> Found:
        read_at = time.monotonic()
        try:
            reply = await self.sender.send(client.get_contact(contact_id), exchange)
        except RefusedError as error:
            error.problem.field = ["contact"]
            raise
        stored = the_record(contact_id, reply.body, read_at)
        return Found(stored=stored, matched_by="lead", looked_at=read_at)

    async def _company(
        self, write: LeadWrite, lead: Stored | None, exchange: Exchange
    ) -> Found | None:
        """The company by its id, then by its exact name; one without either is the lead's own."""
        if write.company is None:
            return None
        own = lead_parties.company_of(lead.raw) if lead else None
        company_id = write.company.text("ivvy.id")
        name = write.company.text("name")
        if "name" in write.company.invalid if company_id is None else not is_id(company_id):
            return NOT_LOOKED_FOR
        if company_id is not None:
            source = write.company_id_from
            by = "ivvy.id" if source is None else input_name(source)
            return await self._companies.by_id(company_id, by, exchange)
        if own is not None and (name is None or same_name(_company_name(lead), name)):
            return await self._companies.by_id(own, "lead" if name is None else "name", exchange)
        if name is None:
            return Found(keyless=True, looked_at=time.monotonic())
        return await self._companies.by_name(write.company, name, exchange)

    def plan(self, write: LeadWrite, found: FoundLead, resolution: Resolution) -> LeadPlan:
        """The one call of the write, and the calls for single groups of its contact."""
        return plan_lead(write, found, resolution, text_clear=self._text_clear)

    def lock_keys(self, write: LeadWrite, found: FoundLead) -> list[str]:
        """The names of what is to be made: company, contact, lead; updates mostly need no lock."""
        keys: list[str] = []
        if write.company is not None and found.company is not None and not found.company.stored:
            keys.append(f"company:{folded(write.company.text('name') or '')}")
        if write.contact is not None and found.contact is not None:
            keys += self._contacts.lock_keys(write.contact, found.contact)
        external_id = write.text("external_id")
        if external_id is not None and found.lead is None:
            keys.append(f"lead:{external_id}")
        return keys

    async def send(self, call: Call, exchange: Exchange) -> Reply:
        """The answer to a call. A company made or renamed by it is not in the list of names yet."""
        try:
            reply = await self.sender.send(call, exchange)
        except MaybeWrittenError:
            self._forget_names(call)
            raise
        except RefusedError:
            self.catalogs.doubt()
            raise
        self._forget_names(call)
        return reply

    def _forget_names(self, call: Call) -> None:
        if "businessName" in (call.body.get("company") or ()):
            self.catalogs.expire(CatalogName.COMPANIES)

    def read_answer(self, call: Call, reply: Reply) -> Answer:
        """The lead's id; group calls bring none."""
        if client.action_of(call) in client.GROUP_ACTIONS:
            return Answer()
        return Answer(id=str(reply.body["id"]))

    async def read(self, lead_id: str, exchange: Exchange) -> Stored | None:
        """The lead of that id, by the list: there is no other way."""
        key = Key(kind=KeyKind.NATIVE_ID, value=lead_id, source="ivvy.id", path=("ivvy", "id"))
        rows = fitting(self.backend, key, await self._listed({"id": int(lead_id)}, exchange, 1))
        return rows[0] if rows else None

    def read_lead(self, lead: Stored) -> LeadRecord:
        """The lead's record."""
        return read_lead(lead.raw)

    def contact_made(self, lead: Stored, calls: Sequence[BackendCall]) -> str | None:
        """The id of the lead's contact, which a new one's e-mail address tells from others."""
        return lead_parties.made_with(lead.raw, calls, "contact", "email")

    def company_made(self, lead: Stored, calls: Sequence[BackendCall]) -> str | None:
        """The id of the lead's company, which a new one's name tells from others."""
        return lead_parties.made_with(lead.raw, calls, "company", "businessName")

    async def alike(self, intent: Mapping[str, Any], exchange: Exchange) -> list[Alike]:
        """The leads with the intent's name, contact and company.

        ASSUMED: the list can be filtered by name. Where the filter is not honoured every lead
        comes, where it is refused every lead is asked for; the rows are compared all the same.
        """
        try:
            leads = await self._rows({"name": intent["name"]}, exchange)
        except RefusedError:
            leads = await self._listed({}, exchange)
        return [
            Alike(id=lead.id, created_at=lead_intent.created_at(lead.raw))
            for lead in leads
            if lead_intent.fits(lead.raw, intent)
        ]

    async def _listed(
        self, chosen: Mapping[str, Any], exchange: Exchange, enough: int | None = None
    ) -> list[Stored]:
        try:
            return await self._rows(chosen, exchange, enough)
        except RefusedError as error:
            raise NotWrittenError(not_asked("the lead", error.problem)) from error

    async def _rows(
        self, chosen: Mapping[str, Any], exchange: Exchange, enough: int | None = None
    ) -> list[Stored]:
        read_at = time.monotonic()

        def page(start: int) -> Call:
            return client.list_leads(chosen, start)

        rows = await read_rows(self.sender, page, exchange, enough=enough)
        return [to_stored(row, read_at) for row in rows]


async def _collected(
    find: Callable[[LeadWrite, Stored | None, Exchange], Awaitable[Found | None]],
    write: LeadWrite,
    lead: Stored | None,
    exchange: Exchange,
    problems: list[Problem],
) -> Found | None:
    """What was found; what speaks against it is put to the problems, so that all are told.

    The rest of a contact or company that no record can be told for is still judged.
    """
    try:
        return await find(write, lead, exchange)
    except RefusedError as error:
        error.problem.field = write.of_lead(error.problem.field)
        problems.append(error.problem)
        return NOT_LOOKED_FOR


def _company_name(lead: Stored | None) -> Any:
    company = lead.raw.get("company") if lead else None
    return company.get("businessName") if isinstance(company, dict) else None


def _no_lead(lead_id: str, write: LeadWrite) -> Problem:
    return Problem(
        backend=Backend.IVVY,
        code=ProblemCode.NOT_FOUND,
        message=f"iVvy has no lead with the id {lead_id!r}.",
        field=write.field_path("ivvy.id"),
    )
