"""A lead in iVvy's words: the field table, and the plan of the one call that writes it. Pure.

What the lead points to by id stands in `lead_lookups.py`, whom it belongs to in `lead_parties.py`, its
company in `company.py`, its custom fields in `lead_fields.py`; its contact is the one of `contact.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from gateway.backends.adapter import Plan
from gateway.backends.ivvy import client
from gateway.backends.ivvy.belonging import group_calls, tell_of_link
from gateway.backends.ivvy.company import CompanyBody, company_body
from gateway.backends.ivvy.compared import as_text
from gateway.backends.ivvy.contact import ContactBody, contact_body
from gateway.backends.ivvy.custom_values import NATIVE
from gateway.backends.ivvy.lead_fields import lay_lead_fields
from gateway.backends.ivvy.lead_intent import intent_of
from gateway.backends.ivvy.lead_lookups import (
    LEAD_LOOKUPS,
    OWNER,
    REASON,
    SUBTYPE,
    lay_lookups,
    required_problems,
)
from gateway.backends.ivvy.lead_parties import (
    Belonging,
    Party,
    belong,
    company_of,
    own_company_fields,
    party,
    person_of,
)
from gateway.backends.ivvy.lookups import INDUSTRY
from gateway.backends.leads import LeadPlan
from gateway.fields import EMPTY_TEXT, IMPOSSIBLE, NULL, Clear, Field, Table, to_backend
from gateway.matching import but_required
from gateway.model import Backend
from gateway.results import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.backends.adapter import Found
    from gateway.backends.leads import FoundLead
    from gateway.calls import Call, FromReply
    from gateway.fields import Laid
    from gateway.lead_write import LeadWrite
    from gateway.names import Resolution
    from gateway.results import Problem

NATIVE_ID = "ivvy.id"
NOTHING = Clear(says="null changes nothing", left_out=True)


@cache
def lead_rows(text_clear: str | None = "") -> Table:
    """Where each field of a lead goes; `text_clear` is what clearing a text sends (ASSUMED)."""
    cleared = EMPTY_TEXT if text_clear == "" else NULL

    def by_function(name: str, at: str, clear: Clear, note: str = "") -> Field:
        return Field(name=name, at=at, clear=clear, by_function=True, note=note)

    return Table(
        by_function(
            "external_id",
            "–",
            IMPOSSIBLE,
            "kept in the gateway's own table of links, because iVvy has no such field for leads",
        ),
        Field(name="name", at="name", clear=IMPOSSIBLE, compared=as_text),
        Field(name="description", at="description", clear=cleared, compared=as_text),
        *(
            by_function(row.name, row.at, IMPOSSIBLE, _NOTES.get(row.at, ""))
            for row in LEAD_LOOKUPS
        ),
        by_function(
            "contact",
            "contact",
            IMPOSSIBLE,
            "or `contactId`, `companyLeadContactId` when only that",
        ),
        by_function(
            "company",
            "company",
            Clear(says="`contactId` or `contact` alone (ASSUMED)"),
            "or `companyId` when only that",
        ),
        by_function("custom_fields", "customFields", IMPOSSIBLE, "`{fieldId, fieldValue}`"),
        by_function(NATIVE_ID, "id", NOTHING, "finds the lead; never changed"),
        *(by_function(row.native, row.at, IMPOSSIBLE) for row in LEAD_LOOKUPS),
        by_function("ivvy.contact_id", "contactId", NOTHING, "the id of `contact`"),
        by_function("ivvy.company_id", "companyId", NOTHING, "the id of `company`"),
        by_function(
            "ivvy.company_lead_contact_id",
            "companyLeadContactId",
            NOTHING,
            "the id of `contact`, for a lead of a company",
        ),
        by_function(NATIVE, "customFields", IMPOSSIBLE, "`{fieldId, fieldValue}`"),
    )


_NOTES = {
    SUBTYPE.at: "must belong to the type; goes with it (ASSUMED)",
    REASON.at: "must belong to the stage; goes with it (ASSUMED)",
    INDUSTRY.at: "not shown by iVvy: sent whenever it is given",
    OWNER.at: "e-mail address or full name of an active user",
}
FIELDS = lead_rows()


@dataclass(frozen=True, kw_only=True)
class _Bodies:
    """What the write comes to in the two records beside the lead."""

    contact: ContactBody | None
    company: CompanyBody | None
    belonging: Belonging
    person: Party
    firm: Party


def plan_lead(
    write: LeadWrite,
    found: FoundLead,
    resolution: Resolution,
    *,
    text_clear: str | None = "",
) -> LeadPlan:
    """The one call that brings lead, contact and company to what the write says."""
    raw = found.lead.raw if found.lead else None
    laid = to_backend(lead_rows(text_clear), write, Backend.IVVY, raw)
    bodies = _bodies(write, found, resolution, text_clear)
    lay_lookups(laid, write, raw, resolution, bodies.belonging)
    lay_lead_fields(laid, write, resolution, new=raw is None, text_clear=text_clear)
    laid.values |= bodies.belonging.values
    laid.changed += bodies.belonging.changed
    missing = required_problems(write, raw)
    blamed = [problem.field for problem in missing]
    laid.problems = missing + [one for one in laid.problems if one.field not in blamed]
    problems = [*found.problems, *laid.problems, *bodies.belonging.problems]
    for body in (bodies.contact, bodies.company):
        problems += body.problems if body else []
    for problem in problems:
        problem.field = write.of_lead(problem.field)
    kept = [*laid.kept, *own_company_fields(write)]
    return replace(_planned(write, found, laid, bodies, problems), kept=kept)


def _bodies(
    write: LeadWrite, found: FoundLead, resolution: Resolution, text_clear: str | None
) -> _Bodies:
    raw = found.lead.raw if found.lead else None
    company = _company_body(write, found, resolution, text_clear)
    firm = party(
        found.company,
        company_of(raw),
        company.parameters if company else {},
        given=write.company is not None,
    )
    contact = None
    if write.contact is not None and found.contact is not None:
        contact = contact_body(
            write.contact,
            found.contact.stored,
            resolution,
            linked_to=firm.id if write.links_inline else None,
            text_clear=text_clear,
        )
        if not found.contact.looked:
            contact.problems = but_required(contact.problems)
    person = party(
        found.contact,
        person_of(raw),
        contact.parameters if contact else {},
        given=write.contact is not None,
    )
    belonging = belong(write, found, person, firm)
    if contact and person.id is not None and belonging.links:
        tell_of_link(contact.changed)
    return _Bodies(contact=contact, company=company, belonging=belonging, person=person, firm=firm)


def _company_body(
    write: LeadWrite, found: FoundLead, resolution: Resolution, text_clear: str | None
) -> CompanyBody | None:
    if write.company is None or found.company is None:
        return None
    stored = found.company.stored
    named = stored is not None and found.company.matched_by == "name"
    body = company_body(write.company, stored, resolution, named=named, text_clear=text_clear)
    if stored is None:
        body.parameters["updateIfExists"] = True
    if not found.company.looked:
        body.problems = but_required(body.problems)
    return body


# ---------------------------------------------------------------- the plan


def _planned(
    write: LeadWrite, found: FoundLead, laid: Laid, bodies: _Bodies, problems: list[Problem]
) -> LeadPlan:
    stored = found.lead
    calls: list[Call] = []
    if stored is None:
        calls.append(client.save_lead(laid.values))
    elif laid.values:
        calls.append(client.save_lead({"id": int(stored.id), **laid.values}))
    contact, company = bodies.contact, bodies.company
    after = _group_calls(contact) if contact and (contact.joins or contact.leaves) else None
    if after and bodies.person.id is not None:
        calls += after(bodies.person.id)
        after = None
    changed, ignored, warnings = list(laid.changed), list(laid.ignored), []
    for name, body in (("contact", contact), ("company", company)):
        if body is not None:
            changed += [f"{name}.{field}" for field in body.changed]
            ignored += [f"{name}.{field}" for field in body.ignored]
    warnings = [*bodies.belonging.warnings, *(contact.warnings if contact else [])]
    updated = Outcome.UPDATED if calls or after else Outcome.UNCHANGED
    plan = Plan(
        outcome=Outcome.CREATED if stored is None else updated,
        calls=tuple(calls),
        id=stored.id if stored else None,
        matched_by=found.matched_by,
        changed=tuple(dict.fromkeys(changed)),
        ignored=tuple(dict.fromkeys(ignored)),
        problems=tuple(problems),
        warnings=tuple(warnings),
    )
    return LeadPlan(
        plan=plan,
        contact=_related(found.contact, contact) if write.contact else None,
        company=_related(found.company, company) if write.company else None,
        after=after,
        intent=intent_of(laid.values, bodies.person, bodies.firm, found, write),
    )


def _related(found: Found | None, body: ContactBody | CompanyBody | None) -> Plan:
    """What becomes of the contact or the company; its call is the lead's."""
    stored = found.stored if found else None
    if stored is None:
        outcome = Outcome.CREATED
    else:
        outcome = Outcome.UPDATED if body and body.changed else Outcome.UNCHANGED
    return Plan(
        outcome=outcome,
        id=stored.id if stored else None,
        matched_by=found.matched_by if found else None,
        changed=tuple(dict.fromkeys(body.changed)) if body else (),
        ignored=tuple(dict.fromkeys(body.ignored)) if body else (),
    )


def _group_calls(contact: ContactBody) -> Callable[[str | FromReply], tuple[Call, ...]]:
    """The calls by which the contact joins and leaves groups, once its id is known."""

    def after(contact_id: str | FromReply) -> tuple[Call, ...]:
        who = int(contact_id) if isinstance(contact_id, str) else contact_id
        calls = group_calls(who, contact.joins, contact.leaves)
        return tuple(
            replace(call, carries=tuple(f"contact.{name}" for name in call.carries))
            for call in calls
        )

    return after
