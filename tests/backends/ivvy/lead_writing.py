"""Leads, their lists of names and their stored records, said briefly for iVvy's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from strawberry import Some

from gateway.backends.adapter import Found, Stored
from gateway.backends.ivvy.catalog import read_field
from gateway.backends.ivvy.lead import plan_lead
from gateway.backends.ivvy.lead_fields import lead_field_entries
from gateway.backends.leads import FoundLead
from gateway.entries import Catalog, CatalogName, Entry
from gateway.lead_checks import check_lead
from gateway.lead_model import CompanyInput, IvvyCompanyInput, IvvyLeadInput, LeadInput
from gateway.model import ContactInput, IvvyContactInput
from gateway.names import Resolution

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.backends.leads import LeadPlan
    from gateway.lead_write import LeadWrite


def entry(entry_id: int, name: str, **children: str) -> Entry:
    """An entry with its children: their ids behind a letter, and their names."""
    kids = tuple(Entry(id=key[1:], name=text) for key, text in children.items())
    return Entry(id=str(entry_id), name=name, children=kids)


LISTS: dict[CatalogName, tuple[Entry, ...]] = {
    CatalogName.LEAD_TYPES: (
        entry(11, "Conference", s111="One day", s112="Residential"),
        entry(12, "Wedding"),
        entry(13, "Fair", s131="Indoor", s132="indoor "),
    ),
    CatalogName.LEAD_STAGES: (entry(21, "New"), entry(23, "Lost", r231="Price")),
    CatalogName.LEAD_SOURCES: (entry(31, "Website"),),
    CatalogName.INDUSTRIES: (entry(401, "Technology"),),
    CatalogName.LEAD_QUALITIES: (entry(41, "Hot"),),
    CatalogName.LEAD_CHANNELS: (entry(51, "Email"),),
    CatalogName.OWNERS: (entry(801, "Sam Seller"),),
    CatalogName.LEAD_FIELDS: tuple(
        lead_field_entries(
            {
                "Delegates": "701 NUMBER",
                "Note": "702",
                "Season": "703 CHOICE",
                "Days": "704 MULTIPLE_CHOICE",
                "Start": "705 DATE",
            }
        )
    ),
    CatalogName.COMPANY_FIELDS: tuple(
        found
        for row in ({"fieldId": 604, "fieldType": 1, "displayName": "Remarks"},)
        if (found := read_field(row)) is not None
    ),
    CatalogName.CUSTOM_FIELDS: (),
    CatalogName.GROUPS: (entry(301, "Newsletter"),),
}
CATALOGS = {name: Catalog(entries=entries) for name, entries in LISTS.items()}
RESOLVED = Resolution(
    found={(name, one.name): one for name, entries in LISTS.items() for one in entries},
    catalogs=CATALOGS,
)

STORED_LEAD: dict[str, Any] = {
    "id": 9001,
    "name": "Summer conference",
    "description": "Eighty people",
    "ownerUser": {
        "id": "801",
        "firstName": "Sam",
        "lastName": "Seller",
        "email": "sam@example.com",
    },
    "contact": {"id": 40001, "email": "ada@example.com"},
    "company": None,
    "typeId": 11,
    "subtypeId": 111,
    "stageId": 21,
    "stageReasonId": 0,
    "sourceId": 31,
    "qualityId": "41",
    "channelId": None,
    "createdDate": "2026-01-31 09:30:00 UTC",
}
ADA: dict[str, Any] = {
    "id": 40001, "externalId": "E-1001", "firstName": "Ada", "lastName": "Byron",
    "email": "ada@example.com", "companies": [7001], "groups": [], "customFields": [],
}  # fmt: skip
ENGINES: dict[str, Any] = {
    "id": "7001",
    "businessName": "Analytical Engines",
    "phone": "+44 7700 900200",
    "industry": {"id": 401, "name": "Technology"},
    "address": {
        "line1": "1 Engine Row",
        "city": "London",
        "countryCode": "GB",
        "stateName": "London",
    },
    "customFields": [{"fieldId": 604, "value": "old"}],
}
NEW: dict[str, Any] = {
    "name": "Offsite",
    "type_name": "Conference",
    "subtype_name": "One day",
    "stage_name": "New",
    "source_name": "Website",
    "industry_name": "Technology",
}


def maybe(values: Mapping[str, Any]) -> dict[str, Any]:
    """Each named field given; None is null."""
    return {name: Some(value) for name, value in values.items()}


def lead(
    *,
    ivvy: Mapping[str, Any] | None = None,
    contact: Mapping[str, Any] | None = None,
    company: Mapping[str, Any] | None = None,
    **fields: Any,
) -> LeadInput:
    """A lead's input; `ivvy` within contact and company is a mapping too."""
    given = maybe(fields)
    if ivvy is not None:
        given["ivvy"] = Some(IvvyLeadInput(**maybe(ivvy)))
    if contact is not None:
        native = contact.get("ivvy")
        inner = maybe({name: value for name, value in contact.items() if name != "ivvy"})
        if native is not None:
            inner["ivvy"] = Some(IvvyContactInput(**maybe(native)))
        given["contact"] = Some(ContactInput(**inner))
    if company is not None:
        native = company.get("ivvy")
        inner = maybe({name: value for name, value in company.items() if name != "ivvy"})
        if native is not None:
            inner["ivvy"] = Some(IvvyCompanyInput(**maybe(native)))
        given["company"] = Some(CompanyInput(**inner))
    return LeadInput(**given)


def write_of(given: LeadInput, **how: Any) -> LeadWrite:
    """The write of an input that passes the checks."""
    write, problems = check_lead(given, default_country="GB", **how)
    assert problems == []
    return write


def held(raw: Mapping[str, Any] | None) -> Stored | None:
    """A stored record as iVvy gave it."""
    if raw is None:
        return None
    return Stored(id=str(raw["id"]), external_id=None, email=raw.get("email"), raw=raw, read_at=0.0)


def plan(
    write: LeadWrite,
    stored: Mapping[str, Any] | None = None,
    *,
    contact: Mapping[str, Any] | None = ADA,
    company: Mapping[str, Any] | None = ENGINES,
    company_by: str = "ivvy.id",
    text_clear: str | None = "",
) -> LeadPlan:
    """The plan of a write over what was found: the lead, and its contact and company if named."""
    found = FoundLead(
        lead=held(stored),
        matched_by="ivvy.id" if stored else None,
        contact=Found(stored=held(contact), matched_by="externalId") if write.contact else None,
        company=Found(stored=held(company), matched_by=company_by) if write.company else None,
    )
    return plan_lead(write, found, RESOLVED, text_clear=text_clear)


def body(made: LeadPlan) -> dict[str, Any]:
    """The body of the one call, without the id."""
    [call] = made.plan.calls
    return {key: value for key, value in call.body.items() if key != "id"}


def told(made: LeadPlan) -> dict[str, str]:
    """The code of each problem, by its path."""
    return {".".join(problem.field): problem.code.value for problem in made.plan.problems}
