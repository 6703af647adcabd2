"""What a new lead could be recognised by, should the answer to its create be lost. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.backends.ivvy.clock import instant
from gateway.backends.ivvy.lead_parties import company_of, person_of
from gateway.backends.ivvy.lookups import stored_id
from gateway.entries import folded
from gateway.values import folded_email

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from gateway.backends.ivvy.lead_parties import Party
    from gateway.backends.leads import FoundLead
    from gateway.lead_write import LeadWrite

IDS = ("typeId", "sourceId")
"""Ids that are compared. A stage is not: it moves on."""


def intent_of(
    values: Mapping[str, Any], person: Party, firm: Party, found: FoundLead, write: LeadWrite
) -> dict[str, Any]:
    """Name, type, source, contact and company of a lead that is to be made; empty for others."""
    if found.lead is not None:
        return {}
    email = person.parameters.get("email")
    name = write.company.given("name") if write.company else None
    described = {
        "name": values.get("name"),
        **{key: values.get(key) for key in IDS},
        "contactId": person.id,
        "contactEmail": folded_email(email) if email and person.id is None else None,
        "companyId": firm.id,
        "companyName": folded(name.value) if name and name.value and firm.id is None else None,
    }
    return {key: value for key, value in described.items() if value is not None}


def fits(lead: Mapping[str, Any], intent: Mapping[str, Any]) -> bool:
    """Whether a lead as iVvy shows it may be the one of this intent."""
    contact, company = lead.get("contact"), lead.get("company")
    said = {
        "name": lead.get("name"),
        **{key: lead.get(key) for key in IDS},
        "contactId": person_of(lead),
        "contactEmail": folded_email(_text(contact, "email")),
        "companyId": company_of(lead),
        "companyName": folded(_text(company, "businessName")),
    }
    # What the intent does not name is as good as any, but for a company: none was meant.
    alike = all(str(said[key]) == str(value) for key, value in intent.items())
    of_company = "companyId" in intent or "companyName" in intent
    return alike and (stored_id(lead, "company", "id") is not None) is of_company


def created_at(lead: Mapping[str, Any]) -> datetime | None:
    """When a lead was made; None where iVvy does not say it in a form that can be read."""
    return instant(lead.get("createdDate"))


def _text(part: Any, key: str) -> str:
    return str(part.get(key) or "") if isinstance(part, dict) else ""
