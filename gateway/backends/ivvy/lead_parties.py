"""Whom a lead belongs to: a company with a person there, or a contact (contract: ivvy section 6.1).

The company's presence decides. Pure: it works out what the call says of the two, and what is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gateway.backends.ivvy.belonging import NATIVE_COMPANIES
from gateway.backends.ivvy.lookups import stored_id
from gateway.entries import CatalogName, folded
from gateway.model import Backend
from gateway.results import Problem, ProblemCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.backends.adapter import Found
    from gateway.backends.leads import FoundLead
    from gateway.lead_write import LeadWrite
    from gateway.names import Wanted
    from gateway.results import BackendCall


@dataclass(frozen=True, kw_only=True)
class Party:
    """The contact or the company that a lead is to belong to."""

    given: bool
    """Whether the input names it."""
    id: str | None
    """None for a new one, and where there is none."""
    new: bool
    """Whether it is made by this write."""
    stored: str | None
    """The id that the stored lead has."""
    parameters: dict[str, Any]
    """What changes in it."""

    @property
    def exists(self) -> bool:
        """Whether the lead will have one."""
        return self.new or self.id is not None

    @property
    def moves(self) -> bool:
        """Whether the lead gets another one."""
        return self.new or (self.id is not None and self.id != self.stored)

    def said(self, inline: str, by_id: str, *, links: bool = False) -> dict[str, Any]:
        """What the lead's call says of it.

        An object where it is new, changes, or is to be linked to the other party; else its id.
        """
        if self.id is None:
            return {inline: dict(self.parameters)}
        if self.parameters or links:
            return {inline: {"id": int(self.id), **self.parameters}}
        return {by_id: int(self.id)}


@dataclass(kw_only=True)
class Belonging:
    """What a lead's call says of its contact and company."""

    values: dict[str, Any] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    of_contact: bool = False
    """Whether the lead belongs to a contact, not to a company."""
    becomes_of_contact: bool = False
    """Whether it did not before, or is new."""
    links: bool = False
    """Whether the call makes the contact one of the company's."""


def party(
    found: Found | None,
    stored: str | None,
    parameters: dict[str, Any],
    *,
    given: bool,
) -> Party:
    """The party that an input means; what it does not name stays what the stored lead has."""
    if not given:
        return Party(given=False, id=stored, new=False, stored=stored, parameters={})
    held = found.stored if found else None
    return Party(
        given=True,
        id=held.id if held else None,
        new=held is None and found is not None and _was_looked_for(found),
        stored=stored,
        parameters=parameters,
    )


def _was_looked_for(found: Found) -> bool:
    """Whether there was a key to look by; without one the record may be there, and the key is asked for."""
    return found.looked and (bool(found.asked_by) or not found.keyless)


def contact_names(write: LeadWrite, wanted: list[Wanted]) -> list[Wanted]:
    """The names of a lead's contact to look up: not that of the company that it is linked to.

    That one is found, or made, by this write.
    """
    own = (CatalogName.COMPANIES, _own_company(write))
    return [want for want in wanted if (want.catalog, want.name) != own or want.name is None]


def own_company_fields(write: LeadWrite) -> list[list[str]]:
    """Where the contact names the company that it is linked to, in whatever spelling.

    A company that is spelled just so is another one; that there is none is no problem.
    """
    own, contact = _own_company(write), write.contact
    if own is None or contact is None:
        return []
    return [
        contact.field_path("companies_name", place)
        for place, name in enumerate(contact.items("companies_name"))
        if folded(name) == folded(own)
    ]


def _own_company(write: LeadWrite) -> str | None:
    """The name of the company that the call links the contact to."""
    given = write.company.given("name") if write.company and write.links_inline else None
    return None if given is None or given.value is None else str(given.value)


def belong(write: LeadWrite, found: FoundLead, contact: Party, company: Party) -> Belonging:
    """What the call says of the two parties."""
    belonging = Belonging()
    creating = found.lead is None
    nulled = write.input.company is not None and write.input.company.value is None
    of_company = company.given or (company.exists and not nulled)
    belonging.of_contact = not of_company
    belonging.becomes_of_contact = not of_company and (creating or company.stored is not None)
    says_company = of_company and bool(company.parameters or company.moves)
    if creating or write.replaces or says_company or belonging.becomes_of_contact:
        belonging.problems += _missing(write, contact, of_company=of_company)
    belonging.problems += _personless(write, of_company=of_company)
    belonging.problems += _nulled(write, creating=creating)
    if not creating and belonging.becomes_of_contact:
        belonging.changed.append("company")
        belonging.warnings.append(_turns(write))
    if contact.moves:
        belonging.changed.append(".".join(write.contact_path))
    if company.moves and of_company:
        belonging.changed.append(".".join(write.company_path))
    if of_company:
        _say_company(belonging, write, found, contact, company)
    elif contact.exists and (contact.parameters or contact.moves or belonging.becomes_of_contact):
        belonging.values |= contact.said("contact", "contactId")
    return belonging


def _say_company(
    belonging: Belonging,
    write: LeadWrite,
    found: FoundLead,
    contact: Party,
    company: Party,
) -> None:
    """Say company and person together.

    ASSUMED, from the rule that the company's presence decides: a contact alone would turn a
    company's lead into a contact's.
    """
    speaks = contact.parameters or company.parameters or contact.moves or company.moves
    if not speaks or not contact.exists or not company.exists:
        return
    is_there = _is_there(found, contact, company)
    said = contact.parameters.get("companies")
    stays = is_there if said is None else company.id in _ids(said)
    belonging.links = links = write.links_inline and not is_there
    if not (links or stays):
        wrong = _leaves(write, company) if is_there else _not_there(write, contact, company)
        belonging.problems.append(wrong)
        return
    belonging.values |= company.said("company", "companyId", links=links)
    belonging.values |= contact.said("contact", "companyLeadContactId", links=links)


def _is_there(found: FoundLead, contact: Party, company: Party) -> bool:
    """Whether the contact belongs to the company already, as far as is known."""
    stored = found.contact.stored if found.contact else None
    held = stored.raw.get("companies") if stored else None
    if held is None:
        return not (contact.moves or company.moves)
    return company.id in _ids(held)


def _ids(companies: Sequence[Any]) -> set[str]:
    return {str(one) for one in companies}


def person_of(lead: Any) -> str | None:
    """The contact's id of a lead as iVvy shows it."""
    return stored_id(lead, "contact", "id")


def company_of(lead: Any) -> str | None:
    """The company's id of a lead as iVvy shows it."""
    return stored_id(lead, "company", "id")


def made_with(lead: Any, calls: Sequence[BackendCall], party: str, named: str) -> str | None:
    """The id of the lead's contact or company, as far as it is the one that the calls have made.

    The lead may have got another one since. `named` is what tells them apart in the call and in the
    lead alike.
    """
    said = [_inside(call.body, party, named) for call in calls]
    held = _inside(lead, party, named)
    is_other = held is not None and any(one not in (None, held) for one in said)
    return None if is_other else stored_id(lead, party, "id")


def _inside(holder: Any, party: str, named: str) -> str | None:
    """A text within the contact or company of a lead, or of a call, in the form that is compared."""
    part = holder.get(party) if isinstance(holder, dict) else None
    text = part.get(named) if isinstance(part, dict) else None
    return None if text is None else folded(str(text))


# ---------------------------------------------------------------- what is wrong


def _missing(write: LeadWrite, contact: Party, *, of_company: bool) -> list[Problem]:
    if contact.exists or contact.given:
        return []
    whose = (
        "the person at the lead's company"
        if of_company
        else "a lead belongs to a contact, or to a company with a person there"
    )
    return [
        _problem(
            ProblemCode.REQUIRED,
            f"contact is required: {whose}. Give contact, or its id in ivvy.",
            write.field_path("contact"),
        )
    ]


def _personless(write: LeadWrite, *, of_company: bool) -> list[Problem]:
    if write.contact_id_from != "ivvy.company_lead_contact_id" or of_company:
        return []
    return [
        _problem(
            ProblemCode.INVALID,
            "companyLeadContactId is the person at the lead's company, and this lead has no "
            "company: give company or ivvy.companyId too, or give ivvy.contactId instead.",
            write.field_path("ivvy.company_lead_contact_id"),
        )
    ]


def _nulled(write: LeadWrite, *, creating: bool) -> list[Problem]:
    """A lead always has a contact: null cannot be carried out."""
    given = write.input.contact
    if creating or given is None or given.value is not None or write.contact is not None:
        return []
    return [
        _problem(
            ProblemCode.CANNOT_CLEAR,
            "A lead in iVvy always has a contact: give another one, or leave it out.",
            write.field_path("contact"),
        )
    ]


def _not_there(write: LeadWrite, contact: Party, company: Party) -> Problem:
    who = f"Contact {contact.id}" if contact.id else "The new contact"
    where = f"company {company.id}" if company.id else "the new company"
    return _problem(
        ProblemCode.INVALID,
        f"{who} does not belong to {where}: iVvy links the two only when both stand in the lead as "
        "objects. Give contact and company, each with its ivvy.id where it exists already.",
        write.contact_path if contact.given else write.company_path,
    )


def _leaves(write: LeadWrite, company: Party) -> Problem:
    contact = write.contact or write
    by_id = contact.given(NATIVE_COMPANIES) is not None
    return _problem(
        ProblemCode.INVALID,
        f"The contact's companies leave out company {company.id}, the lead's, to which its person "
        "belongs: name that one too, or give the lead another contact or company.",
        contact.field_path(NATIVE_COMPANIES if by_id else "companies_name"),
    )


def _turns(write: LeadWrite) -> Problem:
    return _problem(
        ProblemCode.CANNOT_CLEAR,
        "Whether iVvy turns a company's lead into a contact's is not documented: look at the lead "
        "there.",
        write.field_path("company"),
    )


def _problem(code: ProblemCode, message: str, path: list[str]) -> Problem:
    return Problem(backend=Backend.IVVY, code=code, message=message, field=path)
