"""The unified lead, with the company that it may belong to; its contact is the one of `model.py`."""

from __future__ import annotations

import strawberry
from strawberry import ID, Maybe

from gateway.model import (
    AddressInput,
    ContactInput,
    CustomFieldByIdInput,
    CustomFieldInput,
    described,
)


@strawberry.input(description="iVvy's own ids of a company; an id here wins over the name outside.")
class IvvyCompanyInput:
    """iVvy's own ids of a company."""

    id: Maybe[ID | None] = described("The company's id in iVvy.")
    industry_id: Maybe[ID | None] = described("The company's industry, by id.")
    custom_fields: Maybe[list[CustomFieldByIdInput] | None] = described("Custom fields, by id.")


@strawberry.input(description="A company that a lead belongs to.")
class CompanyInput:
    """A company that a lead belongs to."""

    external_id: Maybe[ID | None] = described(
        "Stored with the company; not used to find it, because iVvy cannot search for it."
    )
    name: Maybe[str | None] = described("Matches an existing company of that name, or creates it.")
    trading_name: Maybe[str | None] = described("The name under which the company trades.")
    business_number: Maybe[str | None] = described("The company's registration number.")
    phone: Maybe[str | None] = described("Phone number in any common notation.")
    email: Maybe[str | None] = described("E-mail address.")
    website: Maybe[str | None] = described("Address of the company's website.")
    address: Maybe[AddressInput | None] = described("The company's postal address.")
    industry_name: Maybe[str | None] = described("The company's industry, by name.")
    custom_fields: Maybe[list[CustomFieldInput] | None] = described(
        "Company fields, by name; fields not named stay as they are."
    )
    ivvy: Maybe[IvvyCompanyInput | None] = described(
        "Ids of iVvy; an id here wins over a name above."
    )


@strawberry.input(description="iVvy's own ids of a lead; an id here wins over the name outside.")
class IvvyLeadInput:
    """iVvy's own ids of a lead and of what it points to."""

    id: Maybe[ID | None] = described("The lead's id in iVvy.")
    type_id: Maybe[ID | None] = described("The lead's type, by id.")
    subtype_id: Maybe[ID | None] = described("The sub type, by id; it must belong to the type.")
    stage_id: Maybe[ID | None] = described("The lead's stage, by id.")
    stage_reason_id: Maybe[ID | None] = described("The reason, by id; it must belong to the stage.")
    source_id: Maybe[ID | None] = described("Where the lead comes from, by id.")
    industry_id: Maybe[ID | None] = described("The industry, by id.")
    quality_id: Maybe[ID | None] = described("How good the lead is, by id.")
    channel_id: Maybe[ID | None] = described("The way the lead came in, by id.")
    owner_user_id: Maybe[ID | None] = described("The sales person, by user id.")
    contact_id: Maybe[ID | None] = described("The contact that the lead belongs to, by id.")
    company_id: Maybe[ID | None] = described("The company that the lead belongs to, by id.")
    company_lead_contact_id: Maybe[ID | None] = described("The person at that company, by id.")
    custom_fields: Maybe[list[CustomFieldByIdInput] | None] = described("Lead fields, by id.")


@strawberry.input(description="One lead; iVvy is the system that holds leads.")
class LeadInput:
    """One lead."""

    external_id: Maybe[ID | None] = described(
        "The lead's key in the caller's own system. iVvy has no such field: the gateway remembers "
        "which lead it stands for, so that repeating a call updates that lead instead of adding "
        "another."
    )
    name: Maybe[str | None] = described("What the lead is called.")
    description: Maybe[str | None] = described("More about it.")
    type_name: Maybe[str | None] = described("The lead's type, by name.")
    subtype_name: Maybe[str | None] = described(
        "The sub type, by name; needed where the type has any."
    )
    stage_name: Maybe[str | None] = described("The lead's stage, by name.")
    stage_reason_name: Maybe[str | None] = described("The reason for the stage, by name.")
    source_name: Maybe[str | None] = described("Where the lead comes from, by name.")
    industry_name: Maybe[str | None] = described("The industry, by name.")
    quality_name: Maybe[str | None] = described("How good the lead is, by name.")
    channel_name: Maybe[str | None] = described("The way the lead came in, by name.")
    owner_name: Maybe[str | None] = described("The sales person, by email address or full name.")
    contact: Maybe[ContactInput | None] = described(
        "The contact that the lead belongs to, created or updated with it; with a company: the "
        "person at that company."
    )
    company: Maybe[CompanyInput | None] = described(
        "The company that the lead belongs to, created or updated with it."
    )
    custom_fields: Maybe[list[CustomFieldInput] | None] = described(
        "Lead fields, by the names configured for them."
    )
    ivvy: Maybe[IvvyLeadInput | None] = described("Ids of iVvy; an id here wins over a name above.")
