"""iVvy's lists of names and ids, against the simulated iVvy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from strawberry import Some

from gateway.entries import CatalogName, CustomFieldType
from gateway.errors import NotWrittenError
from gateway.model import (
    ExternalUrlInput,
)
from gateway.results import Outcome
from tests.backends.ivvy.writing import NEW, contact

if TYPE_CHECKING:
    from gateway.entries import Entry
    from tests.backends.ivvy.conftest import Desk

ADA, GRACE, MARY = 40001, 40002, 40003
URL = "https://example.com/people/eve"


def link(ref: str, url: str | None) -> ExternalUrlInput:
    return ExternalUrlInput(ref=ref, url=Some(url))


async def entries(desk: Desk, name: CatalogName) -> dict[str, Entry]:
    catalog = await desk.adapter.catalogs.read(name, desk.exchange())
    return {entry.name: entry for entry in catalog.entries}


async def test_every_page_of_a_catalog_is_read(desk: Desk) -> None:
    companies = await entries(desk, CatalogName.COMPANIES)
    assert companies["Company 130"].id == "7230"
    starts = [body["start"] for action, body in desk.calls() if action == "getCompanyList"]
    assert starts == [0, 100]
    assert "Industry 130" in await entries(desk, CatalogName.INDUSTRIES)


async def test_a_smaller_page_than_asked_for_loses_nothing(desk: Desk) -> None:
    desk.switches.update(page_cap=33, meta_omits=["totalResults", "perPage", "count"])
    assert (
        len((await desk.adapter.catalogs.read(CatalogName.COMPANIES, desk.exchange())).entries)
        == 134
    )


async def test_a_list_that_repeats_its_first_page_is_an_error_and_no_endless_loop(
    desk: Desk,
) -> None:
    page = {"results": [{"id": 1, "businessName": "One"}]}
    desk.sandbox.faults.add(
        {"backend": "ivvy", "path": "/api/1.0/contact?action=getCompanyList", "times": 9,
         "status": 200, "body": page}
    )  # fmt: skip
    with pytest.raises(NotWrittenError, match="same page"):
        await desk.adapter.catalogs.read(CatalogName.COMPANIES, desk.exchange())


async def test_fields_have_their_types_options_and_writability(desk: Desk) -> None:
    fields = await entries(desk, CatalogName.CUSTOM_FIELDS)
    assert "Former code" not in fields
    kinds = {
        name: (entry.field.type, entry.field.writable)
        for name, entry in fields.items()
        if entry.field
    }
    assert kinds == {
        "Shift": (CustomFieldType.CHOICE, True),
        "Dietary": (CustomFieldType.MULTIPLE_CHOICE, True),
        "Member since": (CustomFieldType.DATE, True),
        "Badge number": (CustomFieldType.NUMBER, True),
        "Notes": (CustomFieldType.TEXT, True),
        "Small note": (CustomFieldType.TEXT, True),
        "Info": (CustomFieldType.OTHER, False),
        "Office address": (CustomFieldType.OTHER, False),
        "Photo": (CustomFieldType.OTHER, False),
    }
    shift = fields["Shift"].field
    assert shift is not None
    assert (shift.options[0].value, shift.options[0].label) == ("1", "Day")
    market = (await entries(desk, CatalogName.COMPANY_FIELDS))["Market"].field
    assert market is not None
    assert market.type is CustomFieldType.CHOICE


async def test_the_lists_that_leads_need_are_read_under_their_own_labels(desk: Desk) -> None:
    types = await entries(desk, CatalogName.LEAD_TYPES)
    assert [child.name for child in types["Conference"].children] == ["One day", "Residential"]
    stages = await entries(desk, CatalogName.LEAD_STAGES)
    assert [child.name for child in stages["Lost"].children] == ["Price", "Date taken"]
    assert "Proposal sent" not in stages
    assert "Referral Program" in await entries(desk, CatalogName.LEAD_SOURCES)
    assert {"Hot", "Warm", "Cold"} <= (await entries(desk, CatalogName.LEAD_QUALITIES)).keys()
    assert {"Email", "Phone"} <= (await entries(desk, CatalogName.LEAD_CHANNELS)).keys()


async def test_stages_are_all_offered_where_the_list_does_not_tell_them_apart(desk: Desk) -> None:
    desk.switches["stages_apply_to"] = False
    assert "Proposal sent" in await entries(desk, CatalogName.LEAD_STAGES)


async def test_owners_are_found_by_name_or_email_and_are_active_people(desk: Desk) -> None:
    owners = await desk.adapter.catalogs.read(CatalogName.OWNERS, desk.exchange())
    assert [entry.id for entry in owners.matches("sam.seller@example.com")] == ["801"]
    assert [entry.id for entry in owners.matches("Sam Seller")] == ["801"]
    users = desk.sandbox.ivvy.dump()["tables"]["users"]
    normal = [row for row in users if (row["currentStatus"], row["userType"]) == (1, 1)]
    assert len(owners.entries) == len(normal) < len(users)


async def test_a_refused_catalog_is_a_failure_of_ivvy_and_not_of_the_input(desk: Desk) -> None:
    refusal = {"errorCode": 400, "message": "No", "specificCode": 23016}
    desk.sandbox.faults.add(
        {"backend": "ivvy", "path": "/api/1.0/contact?action=getSubscriptionGroupList",
         "status": 400, "body": refusal}
    )  # fmt: skip
    result = await desk.write(contact(**NEW, groups_name=["VIP"]))
    assert result.outcome is Outcome.FAILED
    assert desk.writes() == []
