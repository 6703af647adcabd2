"""A company in iVvy's words, inside a lead: the field table, and what a table cannot say. Pure.

`company_body` gives the body of addOrUpdateCompany (contract: ivvy section 5.6).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from gateway.backends.ivvy.company_address import lay_address
from gateway.backends.ivvy.compared import as_text, compared_email, compared_number
from gateway.backends.ivvy.custom_values import NATIVE, lay_custom_fields
from gateway.backends.ivvy.lookups import INDUSTRY, choose, stored_id
from gateway.custom_fields import wanted_custom_fields
from gateway.entries import CatalogName
from gateway.fields import EMPTY_TEXT, IMPOSSIBLE, NULL, Clear, Field, Table, to_backend
from gateway.model import Backend
from gateway.results import Problem, ProblemCode

if TYPE_CHECKING:
    from gateway.backends.adapter import Stored
    from gateway.lead_write import CompanyWrite
    from gateway.names import Resolution, Wanted

NATIVE_ID = "ivvy.id"


@cache
def company_rows(text_clear: str | None = "") -> Table:
    """Where each field of a company goes; `text_clear` is what clearing a text sends (ASSUMED)."""
    cleared = EMPTY_TEXT if text_clear == "" else NULL
    nothing = Clear(says="null changes nothing", left_out=True)
    texts = (
        ("external_id", "externalId"),
        ("trading_name", "tradingName"),
        ("business_number", "businessNumber"),
        ("website", "website"),
    )
    return Table(
        Field(
            name="name",
            at="businessName",
            clear=IMPOSSIBLE,
            compared=as_text,
            note="finds the company where no id is given; beside an id it is the company's new name",
        ),
        *(Field(name=name, at=at, clear=cleared, compared=as_text) for name, at in texts),
        Field(
            name="phone",
            at="phone",
            clear=cleared,
            to=lambda phone: phone.e164,
            compared=compared_number,
            note="E.164, compared by number",
        ),
        Field(name="email", at="email", clear=cleared, compared=compared_email),
        Field(
            name="address",
            at="address",
            clear=Clear(says="every part cleared like a text"),
            by_function=True,
            note="sent as a whole, with the stored parts that are not given; `region` is `stateCode` where "
            "the country has such a code, else `stateName`; no locationName and no coordinates",
        ),
        Field(name="industry_name", at="industryId", clear=IMPOSSIBLE, by_function=True),
        Field(
            name="custom_fields",
            at="customFields",
            clear=Clear(says="as for a contact's customFields"),
            by_function=True,
            note="`{fieldId, value}` of the fields that change",
        ),
        Field(
            name=NATIVE_ID,
            at="id",
            clear=nothing,
            by_function=True,
            note="finds the company; never changed",
        ),
        Field(name="ivvy.industry_id", at="industryId", clear=IMPOSSIBLE, by_function=True),
        Field(
            name=NATIVE,
            at="customFields",
            clear=Clear(says="as for customFields"),
            by_function=True,
        ),
    )


FIELDS = company_rows()


def wanted_company(write: CompanyWrite) -> list[Wanted]:
    """The names that the company needs resolved; its own name is looked up when it is found."""
    return [
        *INDUSTRY.wanted(write),
        *wanted_custom_fields(write, NATIVE, CatalogName.COMPANY_FIELDS, shared=False),
    ]


@dataclass(kw_only=True)
class CompanyBody:
    """What a write comes to in one company of iVvy's."""

    parameters: dict[str, Any]
    """addOrUpdateCompany's parameters without `id`; empty where nothing changes."""
    changed: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def company_body(
    write: CompanyWrite,
    stored: Stored | None,
    resolution: Resolution,
    *,
    named: bool = False,
    text_clear: str | None = "",
) -> CompanyBody:
    """What changes in a stored company, or all of a new one.

    `named` says that its name found it: then the name is not a new one, even in other letters.
    """
    raw = stored.raw if stored else None
    but = ("name",) if named else ()
    laid = to_backend(company_rows(text_clear), write, Backend.IVVY, raw, but=but)
    if stored is None and not write.mentions("name"):
        laid.problems.append(_needs_name(write))
    lay_address(laid, write, raw, text_clear)
    held = _industry(raw.get("industry") if raw else None)
    choose(INDUSTRY, write, resolution, laid, held, new=stored is None)
    lay_custom_fields(
        laid, write, raw, resolution, text_clear=text_clear, catalog=CatalogName.COMPANY_FIELDS
    )
    return CompanyBody(
        parameters=laid.values,
        changed=laid.changed,
        ignored=laid.ignored,
        problems=laid.problems,
    )


def _industry(industry: Any) -> str | None:
    """The stored industry's id, or its name where that is all that is shown: it is like no id.

    The vendor's pages show an object here, and its name alone there.
    """
    if isinstance(industry, dict):
        return stored_id(industry, "id")
    return str(industry) if industry else None


def _needs_name(write: CompanyWrite) -> Problem:
    return Problem(
        backend=Backend.IVVY,
        code=ProblemCode.REQUIRED,
        message="name is required: it finds the company, or names the new one; or give "
        "company.ivvy.id.",
        field=write.field_path("name"),
    )
