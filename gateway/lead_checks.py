"""What can be said of a lead's input without asking anybody."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from strawberry import Some

from gateway.checks import CLEARED, KEPT, Check, check_contact, listed
from gateway.lead_model import CompanyInput, IvvyCompanyInput
from gateway.lead_write import COMPANY_AT, CONTACT_AT, CompanyWrite, LeadWrite
from gateway.model import Backend, ContactInput, IvvyContactInput, MissingPolicy, WriteMode
from gateway.results import Problem, ProblemCode
from gateway.values import read_country, read_email, read_phone
from gateway.write import input_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from strawberry import ID, Maybe

    from gateway.lead_model import LeadInput
    from gateway.write import ContactWrite

_LEAD_TEXTS = (
    *("external_id", "name", "description", "type_name", "subtype_name", "stage_name"),
    *("stage_reason_name", "source_name", "industry_name", "quality_name", "channel_name"),
    "owner_name",
)
LEAD_TEXTS = dict.fromkeys(_LEAD_TEXTS, KEPT) | {"description": CLEARED}
_COMPANY_TEXTS = (
    *("external_id", "name", "trading_name", "business_number", "phone", "email", "website"),
    "industry_name",
)
COMPANY_TEXTS = dict.fromkeys(_COMPANY_TEXTS, CLEARED) | {"name": KEPT, "industry_name": KEPT}
CONTACT_IDS = ("ivvy.contact_id", "ivvy.company_lead_contact_id")
"""The lead's own fields that name its contact; the first that is given counts."""
COMPANY_IDS = ("ivvy.company_id",)
LEADS_IN = Backend.IVVY
"""The one system that holds leads."""


def check_lead(
    lead: LeadInput,
    *,
    mode: WriteMode = WriteMode.PATCH,
    if_missing: MissingPolicy = MissingPolicy.CREATE,
    default_country: str | None = None,
) -> tuple[LeadWrite, list[Problem]]:
    """The write that a lead's input means, and every problem seen in it and in what it holds."""
    check = Check(())
    own = replace(lead, contact=None, company=None)  # the two have checks of their own
    check.characters((), own)
    check.texts(lead, LEAD_TEXTS)
    check.custom_fields([item.name for item in listed(lead.custom_fields)])
    if lead.external_id and "\0" in (lead.external_id.value or ""):
        check.wrong(("external_id",), "externalId holds a NUL, which nothing can store.")
    if lead.external_id and lead.external_id.value is None and _given_id(lead, ("ivvy.id",)):
        check.wrong(
            ("external_id",),
            "A lead keeps its externalId: leave it out, or give it to change the lead by it.",
            ProblemCode.CANNOT_CLEAR,
        )
    contact, contact_problems = _contact(lead, default_country)
    company, company_problems = _company(lead, default_country)
    write = LeadWrite(
        input=lead,
        mode=mode,
        if_missing=if_missing,
        targets_named=True,  # a lead goes to the one system that holds leads
        invalid=frozenset(check.invalid),
        invalid_items=frozenset(check.invalid_items),
        contact=contact,
        contact_id_from=_first_given(lead, CONTACT_IDS),
        company=company,
        company_id_from=_first_given(lead, COMPANY_IDS),
    )
    return write, [*check.problems, *contact_problems, *company_problems, *_contradictions(lead)]


def _contact(
    lead: LeadInput, default_country: str | None
) -> tuple[ContactWrite | None, list[Problem]]:
    """The contact's write; an id beside the inline contact is that contact's id."""
    given = lead.contact.value if lead.contact else None
    contact_id = _given_id(lead, CONTACT_IDS)
    if given is None and contact_id is None:
        return None, []
    contact = given or ContactInput()
    if contact_id is not None:
        native = (contact.ivvy.value if contact.ivvy else None) or IvvyContactInput()
        contact = replace(contact, ivvy=Some(replace(native, id=Some(contact_id))))
    write, problems = check_contact(
        contact,
        targets_named=True,
        targets=(LEADS_IN,),
        at=CONTACT_AT,
        default_country=default_country,
    )
    named = input_name(_first_given(lead, CONTACT_IDS) or "contact.ivvy.id")
    return replace(write, targets_chosen=False, id_field=named), problems


def _company(
    lead: LeadInput, default_country: str | None
) -> tuple[CompanyWrite | None, list[Problem]]:
    """The company's write; an id beside the inline company is that company's id."""
    given = lead.company.value if lead.company else None
    company_id = _given_id(lead, COMPANY_IDS)
    if given is None and company_id is None:
        return None, []
    company = given or CompanyInput()
    if company_id is not None:
        native = (company.ivvy.value if company.ivvy else None) or IvvyCompanyInput()
        company = replace(company, ivvy=Some(replace(native, id=Some(company_id))))
    return check_company(company, default_country)


def check_company(
    company: CompanyInput, default_country: str | None = None
) -> tuple[CompanyWrite, list[Problem]]:
    """The write that a lead's company means, and every problem seen in it."""
    check = Check(COMPANY_AT)
    check.characters((), company)
    check.texts(company, COMPANY_TEXTS)
    address = company.address.value if company.address else None
    region = default_country
    if address is not None:
        check.address(("address",), address)
        region = _country_of(address.country_code) or default_country
    email = check.read("email", company.email, read_email)
    phone = check.read("phone", company.phone, lambda text: read_phone(text, region))
    check.custom_fields([item.name for item in listed(company.custom_fields)])
    write = CompanyWrite(
        input=company,
        targets_named=True,
        email=email,
        phone=phone,
        invalid=frozenset(check.invalid),
        invalid_items=frozenset(check.invalid_items),
        at=COMPANY_AT,
    )
    return write, check.problems


def _country_of(given: Maybe[str | None]) -> str | None:
    """The country that an address names, where it can be read."""
    try:
        return read_country(given.value) if given and given.value else None
    except ValueError:
        return None


def _contradictions(lead: LeadInput) -> list[Problem]:
    """A problem for two ids of one record that differ."""
    contact = lead.contact.value if lead.contact else None
    company = lead.company.value if lead.company else None
    contact_id, company_id = _own_id(contact), _own_id(company)
    return [
        *_differing(lead, "contact.ivvy.id", contact_id, CONTACT_IDS),
        *_differing(lead, "company.ivvy.id", company_id, COMPANY_IDS),
    ]


def _differing(
    lead: LeadInput, inline: str, inline_id: str | None, names: tuple[str, ...]
) -> list[Problem]:
    said = {name: _given_id(lead, (name,)) for name in names} | {inline: inline_id}
    known = {input_name(name): value for name, value in said.items() if value is not None}
    if len(set(known.values())) < 2:  # noqa: PLR2004 - one value cannot differ
        return []
    ids = " and ".join(f"{name} is {value!r}" for name, value in known.items())
    return [
        Problem(
            code=ProblemCode.CONFLICT,
            message=f"Two records are named where a lead has one: {ids}. Give one of them.",
            field=next(iter(known)).split("."),
        )
    ]


def _own_id(inline: ContactInput | CompanyInput | None) -> str | None:
    native = inline.ivvy.value if inline is not None and inline.ivvy else None
    return str(native.id.value) if native and native.id and native.id.value is not None else None


def _given_id(lead: LeadInput, names: tuple[str, ...]) -> ID | None:
    """The first id that is given under one of these names of `ivvy`."""
    return next((value for _, value in _given_ids(lead, names)), None)


def _first_given(lead: LeadInput, names: tuple[str, ...]) -> str | None:
    """Under which of these names of `ivvy` the first id is given."""
    return next((name for name, _ in _given_ids(lead, names)), None)


def _given_ids(lead: LeadInput, names: tuple[str, ...]) -> Iterator[tuple[str, ID]]:
    native = lead.ivvy.value if lead.ivvy else None
    for name in names:
        given: Maybe[ID | None] = getattr(native, name.partition(".")[2], None)
        if given is not None and given.value is not None:
            yield name, given.value
