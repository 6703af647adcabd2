"""A company in iVvy's words, inside a lead: input and what is stored → the exact body."""

from __future__ import annotations

from typing import Any

import pytest
from strawberry import Some

from gateway.backends.ivvy.company import company_body
from gateway.lead_checks import check_lead
from gateway.lead_model import CompanyInput
from gateway.model import AddressInput, CustomFieldInput
from tests.backends.ivvy.lead_writing import (
    ENGINES,
    NEW,
    RESOLVED,
    STORED_LEAD,
    body,
    held,
    lead,
    maybe,
    plan,
    told,
    write_of,
)

PERSON: dict[str, Any] = {"external_id": "E-1001"}


def changed(company: dict[str, Any], stored: dict[str, Any] | None = ENGINES) -> dict[str, Any]:
    """What a stored company is sent."""
    write = write_of(lead(company=company, contact=PERSON))
    made = plan(write, STORED_LEAD | {"company": {"id": 7001}}, company=stored)
    assert told(made) == {}
    if not made.plan.calls:
        return {}
    sent: dict[str, Any] = body(made)["company"]
    return sent


def address(**parts: Any) -> AddressInput:
    return AddressInput(**maybe(parts))


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"name": "Analytical Engines", "phone": "07700 900200"}, {}),
        ({"name": "Difference Engines"}, {"businessName": "Difference Engines"}),
        ({"external_id": "C-1"}, {"externalId": "C-1"}),
        ({"phone": None, "email": None, "website": None}, {"phone": ""}),
        ({"industry_name": "Technology"}, {}),
        ({"ivvy": {"industry_id": "401"}}, {}),
        (
            {"custom_fields": [CustomFieldInput(name="Remarks", values=["new"])]},
            {"customFields": [{"fieldId": 604, "value": "new"}]},
        ),
        ({"custom_fields": None}, {"customFields": [{"fieldId": 604, "value": ""}]}),
    ],
)
def test_what_changes_in_a_stored_company_is_sent_alone(
    given: dict[str, Any], sent: dict[str, Any]
) -> None:
    found = changed(given)
    assert {key: value for key, value in found.items() if key != "id"} == sent
    assert not found or found["id"] == 7001


@pytest.mark.parametrize("industry", ["Technology", None, {}])
def test_an_industry_that_is_not_shown_as_an_object_is_sent(industry: Any) -> None:
    sent = changed({"industry_name": "Technology"}, ENGINES | {"industry": industry})
    assert sent == {"id": 7001, "industryId": 401}


@pytest.mark.parametrize(
    ("industry", "problems"),
    [("Technology", {"company.industryName": "CANNOT_CLEAR"}), ({}, {}), ([], {}), (None, {})],
)
def test_null_is_told_for_an_industry_that_is_shown_by_its_name_alone(
    industry: Any, problems: dict[str, str]
) -> None:
    write = write_of(lead(company={"industry_name": None}, contact=PERSON))
    stored = ENGINES | {"industry": industry}
    made = plan(write, STORED_LEAD | {"company": {"id": 7001}}, company=stored)
    assert told(made) == problems


LONDON = {"line1": "1 Engine Row", "city": "London", "countryCode": "GB", "stateName": "London"}


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (address(city="Oxford"), LONDON | {"city": "Oxford"}),
        (address(line2="Hall 2", postal_code="EC1"), LONDON | {"line2": "Hall 2", "postalCode": "EC1"}),
        (address(line1=None), {key: LONDON[key] for key in LONDON if key != "line1"} | {"line1": ""}),
        (
            address(region="NSW", country_code="au"),
            {"line1": "1 Engine Row", "city": "London", "countryCode": "AU", "stateCode": "NSW", "stateName": ""},
        ),
        (address(region="Wales"), LONDON | {"stateName": "Wales"}),
        (address(region=None), {key: LONDON[key] for key in LONDON if key != "stateName"} | {"stateName": ""}),
        (None, dict.fromkeys(LONDON, "")),
    ],
)  # fmt: skip
def test_an_address_is_sent_whole_with_what_stays_of_it(
    given: AddressInput | None, sent: dict[str, str]
) -> None:
    assert changed({"address": given}) == {"id": 7001, "address": sent}


def test_a_blank_part_of_an_address_is_refused() -> None:
    company = {"name": "Engines", "address": address(line2="", city=" ")}
    _write, problems = check_lead(lead(company=company, contact=PERSON))
    assert [problem.field for problem in problems] == [
        ["company", "address", "line2"],
        ["company", "address", "city"],
    ]


@pytest.mark.parametrize("given", [address(region="LONDON"), address(city="London", line2=None)])
def test_an_address_that_says_nothing_new_is_not_sent(given: AddressInput) -> None:
    assert changed({"address": given}) == {}


@pytest.mark.parametrize("stored", [[], None, {"line1": "", "city": None}])
def test_an_address_without_parts_is_none(stored: Any) -> None:
    assert changed({"address": None}, ENGINES | {"address": stored}) == {}
    sent = changed({"address": address(city="Oxford")}, ENGINES | {"address": stored})
    assert sent["address"] == {"city": "Oxford"}


def test_only_parts_of_an_address_are_sent_back_and_as_text() -> None:
    stored = {"line3": "Hall 3", "city": "Sydney", "stateCode": 7, "postalCode": 2000, "id": 1}
    sent = changed({"address": address(city="Perth")}, ENGINES | {"address": stored})
    assert sent["address"] == {
        "line3": "Hall 3",
        "city": "Perth",
        "stateCode": "7",
        "postalCode": "2000",
    }
    given = address(city="Sydney", postal_code="2000", region="7")
    assert changed({"address": given}, ENGINES | {"address": stored}) == {}


def test_parts_of_an_address_that_ivvy_has_no_place_for_are_told() -> None:
    given = address(city="Oxford", location_name="Main", latitude=1.0, longitude=2.0)
    write = write_of(lead(company={"address": given}, contact=PERSON))
    made = plan(write, STORED_LEAD | {"company": {"id": 7001}})
    assert made.plan.ignored == (
        "company.address.locationName",
        "company.address.latitude",
        "company.address.longitude",
    )


def test_null_of_what_cannot_be_cleared_is_told() -> None:
    write = write_of(lead(company={"name": None, "industry_name": None}, contact=PERSON))
    made = plan(write, STORED_LEAD | {"company": {"id": 7001}})
    assert told(made) == {"company.name": "CANNOT_CLEAR", "company.industryName": "CANNOT_CLEAR"}


def test_a_new_company_carries_update_if_exists() -> None:
    write = write_of(lead(**NEW, company={"name": "Firm", "phone": None}, contact=PERSON))
    made = plan(write, company=None)
    assert body(made)["company"] == {"businessName": "Firm", "updateIfExists": True}
    # The person is linked to it, so that both stand in the call as objects.
    assert body(made)["contact"] == {"id": 40001}
    assert made.company is not None
    assert (made.company.id, made.company.changed) == (None, ("name",))


def test_a_company_that_its_name_has_found_keeps_its_spelling() -> None:
    write = write_of(lead(**NEW, company={"name": "analytical engines"}, contact=PERSON))
    made = plan(write, company_by="name")
    assert body(made)["companyId"] == 7001
    assert made.company is not None
    assert (made.company.changed, made.company.ignored) == ((), ())


def test_a_company_without_any_name_is_told() -> None:
    company = write_of(lead(company={"website": "x"})).company
    assert company is not None
    made = company_body(company, None, RESOLVED)
    assert [problem.field for problem in made.problems] == [["company", "name"]]
    assert company_body(company, held(ENGINES), RESOLVED).problems == []


def test_an_address_with_a_problem_is_left_alone() -> None:
    from gateway.lead_checks import check_company

    given = CompanyInput(name=Some("X"), address=Some(address(country_code="Germany")))
    write, problems = check_company(given)
    assert [problem.field for problem in problems] == [["company", "address", "countryCode"]]
    assert "address" not in company_body(write, None, RESOLVED).parameters
