"""What a backend gives that holds leads, beside what it gives for contacts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from gateway.backends.adapter import Answer, Found, Plan, Stored
    from gateway.calls import Call, FromReply, Reply
    from gateway.catalogs import Catalogs
    from gateway.entries import CatalogName
    from gateway.lead_records import LeadRecord
    from gateway.lead_write import LeadWrite
    from gateway.model import Backend
    from gateway.names import Resolution, Wanted
    from gateway.results import BackendCall, Problem
    from gateway.upstream import Exchange, Sender


@dataclass(frozen=True, kw_only=True)
class FoundLead:
    """What looking for a lead, its contact and its company brought."""

    lead: Stored | None = None
    matched_by: str | None = None
    contact: Found | None = None
    """None where neither the input nor the stored lead names a contact that matters."""
    company: Found | None = None
    problems: tuple[Problem, ...] = ()
    """Why a contact or a company that the input names cannot be the one meant."""


@dataclass(frozen=True, kw_only=True)
class LeadPlan:
    """What a lead's write comes to, with the two records that are written with it."""

    plan: Plan
    """The call that writes the lead, and what is known of it."""
    contact: Plan | None = None
    """Outcome, id and fields of the contact; its calls are those of `plan`."""
    company: Plan | None = None
    after: Callable[[str | FromReply], tuple[Call, ...]] | None = None
    """The calls that can only follow once the id of a new contact is known; pure."""
    intent: Mapping[str, Any] = field(default_factory=dict)
    """What a lead made by this plan could be recognised by, should its answer be lost."""
    kept: Sequence[list[str]] = ()
    """Paths of names that have left their lists and still name what is stored: no problems."""


@dataclass(frozen=True, kw_only=True)
class Alike:
    """A lead that looks like one that was to be made."""

    id: str
    created_at: datetime | None
    """By the backend's clock, in whole seconds; None where it does not say."""


class Leads(Protocol):
    """The leads of a backend that holds leads."""

    backend: Backend
    sender: Sender
    catalogs: Catalogs

    def check(self, write: LeadWrite) -> list[Problem]:
        """What is wrong with the input for this backend, before anybody is asked. Pure."""
        ...

    def can_be_id(self, text: str) -> bool:
        """Whether a text has the form of the backend's ids. Pure."""
        ...

    def wanted(self, write: LeadWrite) -> list[Wanted]:
        """The names that the lead, its contact and its company need resolved. Pure."""
        ...

    async def find(
        self, write: LeadWrite, lead_id: str | None, matched_by: str | None, exchange: Exchange
    ) -> FoundLead:
        """The stored lead of that id, and the contact and company that the write means.

        Raises RefusedError when there is no such lead, NotWrittenError when the backend cannot
        tell.
        """
        ...

    def ids_shown(self, found: FoundLead) -> Iterable[tuple[CatalogName, str]]:
        """The ids of named things that the lead's contact shows. Pure."""
        ...

    def plan(self, write: LeadWrite, found: FoundLead, resolution: Resolution) -> LeadPlan:
        """The calls that bring the lead to what the write says. Pure."""
        ...

    def lock_keys(self, write: LeadWrite, found: FoundLead) -> list[str]:
        """What must be held while the plan is delivered, in the order to take it in. Pure."""
        ...

    async def send(self, call: Call, exchange: Exchange) -> Reply:
        """The successful answer to a call of a plan."""
        ...

    def read_answer(self, call: Call, reply: Reply) -> Answer:
        """What a successful reply to a writing call says."""
        ...

    async def read(self, lead_id: str, exchange: Exchange) -> Stored | None:
        """The lead of that id as the backend holds it; None when there is none.

        Raises NotWrittenError when the backend cannot tell.
        """
        ...

    def read_lead(self, lead: Stored) -> LeadRecord:
        """A lead in the unified model's words. Pure."""
        ...

    def contact_made(self, lead: Stored, calls: Sequence[BackendCall]) -> str | None:
        """The id of the contact that these calls have made with a lead. Pure.

        None where the lead shows another one by now.
        """
        ...

    def company_made(self, lead: Stored, calls: Sequence[BackendCall]) -> str | None:
        """The same for its company. Pure."""
        ...

    async def alike(self, intent: Mapping[str, Any], exchange: Exchange) -> list[Alike]:
        """The leads that look like the one of this intent, whenever they were made.

        Raises NotWrittenError when the backend cannot tell.
        """
        ...


@runtime_checkable
class HoldsLeads(Protocol):
    """A backend's adapter that also has leads."""

    leads: Leads
