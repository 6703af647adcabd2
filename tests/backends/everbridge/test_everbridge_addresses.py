"""Addresses: stored contact and input to the exact `address`, without I/O."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.model import WriteMode
from gateway.results import Outcome, ProblemCode
from tests.backends.everbridge.writing import EMPLOYEE, address, contact, plan, sent

OFFICE: dict[str, Any] = {
    "locationName": "Office",
    "streetAddress": "1 Test Street",
    "suite": "4B",
    "city": "London",
    "postalCode": "EC1A 1AA",
    "country": "GB",
    "gisLocation": {"lat": 51.5, "lon": -0.1, "precision": "roof"},
    "source": "MANUAL",
    "locationId": 1660000000000001,
    "future": [1],
}
BERLIN: dict[str, Any] = {
    "locationName": "Berlin",
    "streetAddress": "Teststrasse 12",
    "country": "DE",
}
ADA: dict[str, Any] = {
    "id": 1300000000000001,
    "externalId": "E-1001",
    "firstName": "Ada",
    "lastName": "Byron",
    "recordTypeId": EMPLOYEE,
    "address": [OFFICE, BERLIN],
}
NEW = {"line1": "2 New Road", "country_code": "gb"}


def addresses_after(*given: Any, raw: dict[str, Any] = ADA) -> Any:
    return sent(plan(contact(addresses=list(given)), raw))["address"]


def test_coordinates_survive_a_change_of_the_city() -> None:
    after = addresses_after(address(location_name="Office", city="Leeds"))
    assert after == [{**OFFICE, "city": "Leeds"}]


def test_addresses_without_a_name_take_that_of_the_same_place() -> None:
    after = addresses_after(address(city="Leeds"), address(city="Bonn"), address(**NEW))
    assert after == [
        {**OFFICE, "city": "Leeds"},
        {**BERLIN, "city": "Bonn"},
        {"locationName": "Address 3", "streetAddress": "2 New Road", "country": "GB"},
    ]


def test_a_name_that_another_address_claims_is_not_taken() -> None:
    after = addresses_after(address(**NEW), address(location_name="Office", city="Leeds"))
    assert [each["locationName"] for each in after] == ["Primary", "Office"]
    assert after[1] == {**OFFICE, "city": "Leeds"}


def test_an_address_takes_the_first_number_that_nobody_claims() -> None:
    given = [address(**NEW), address(**NEW), address(**NEW, location_name="Address 2")]
    made = plan(contact(addresses=given), {**ADA, "address": []})
    names = [each["locationName"] for each in sent(made)["address"]]
    assert names == ["Primary", "Address 3", "Address 2"]
    numbered = [address(**NEW, location_name=f"Address {number}") for number in (1, 2, 3, 4)]
    made = plan(contact(addresses=[address(**NEW), *numbered]), {**ADA, "address": []})
    assert sent(made)["address"][0]["locationName"] == "Primary"


def test_the_first_address_of_a_contact_without_one_is_primary() -> None:
    made = plan(contact(addresses=[address(**NEW)]), {**ADA, "address": []})
    assert [each["locationName"] for each in sent(made)["address"]] == ["Primary"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"line2": None}, {"suite": None}),
        ({"line2": "Floor 2"}, {"suite": "Floor 2"}),
        (
            {"line2": "Behind the old mill"},
            {"streetAddress": "1 Test Street, Behind the old mill", "suite": None},
        ),
        (
            {"line1": "3 Side Street", "line2": "Behind the mill"},
            {"streetAddress": "3 Side Street, Behind the mill", "suite": None},
        ),
        ({"region": "Greater London"}, {"state": "Greater London"}),
        ({"postal_code": None}, {"postalCode": None}),
        ({"latitude": None, "longitude": None}, {"gisLocation": None}),
        (
            {"latitude": 0.0, "longitude": 1.5},
            {"gisLocation": {"lat": 0.0, "lon": 1.5, "precision": "roof"}},
        ),
    ],
)
def test_the_parts_of_an_address_go_where_they_belong(
    given: dict[str, Any], expected: dict[str, Any]
) -> None:
    wanted = {key: value for key, value in {**OFFICE, **expected}.items() if value is not None}
    given_address = address(location_name="Office", **given)
    assert addresses_after(given_address) == [wanted]
    again = {**ADA, "address": [wanted]}
    assert plan(contact(addresses=[given_address]), again).outcome is Outcome.UNCHANGED


@pytest.mark.parametrize("nothing", [None, []])
def test_an_empty_list_removes_all_addresses(nothing: list[Any] | None) -> None:
    made = plan(contact(addresses=nothing), ADA)
    assert "address" not in sent(made)
    assert made.changed == ("addresses",)


def test_a_replace_that_leaves_addresses_out_removes_them() -> None:
    given = contact(first_name="Ada", last_name="Byron")
    assert "address" not in sent(plan(given, ADA, mode=WriteMode.REPLACE))


@pytest.mark.parametrize(
    ("given", "code", "part"),
    [
        ({"country_code": "GB"}, ProblemCode.REQUIRED, "line1"),
        ({"line1": "2 New Road"}, ProblemCode.REQUIRED, "countryCode"),
        ({**NEW, "line1": "x" * 101}, ProblemCode.TOO_LONG, "line1"),
        ({**NEW, "line2": "x" * 95}, ProblemCode.TOO_LONG, "line1"),
        ({**NEW, "city": "x" * 41}, ProblemCode.TOO_LONG, "city"),
        ({**NEW, "region": "x" * 41}, ProblemCode.TOO_LONG, "region"),
        ({**NEW, "postal_code": "x" * 11}, ProblemCode.TOO_LONG, "postalCode"),
        ({**NEW, "location_name": "x" * 201}, ProblemCode.TOO_LONG, "locationName"),
        (
            {**NEW, "country_code": "US", "postal_code": "1234"},
            ProblemCode.INVALID,
            "postalCode",
        ),
        ({**NEW, "country_code": "US", "region": "Bavaria"}, ProblemCode.INVALID, "region"),
    ],
)
def test_what_everbridge_would_refuse_is_told_with_its_place(
    given: dict[str, Any], code: ProblemCode, part: str
) -> None:
    made = plan(contact(addresses=[address(**given)]), {**ADA, "address": []})
    assert [(each.code, each.field) for each in made.problems] == [(code, ["addresses", "0", part])]


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ({"line2": "x" * 95}, "line1"),
        ({"country_code": "US"}, "postalCode"),
        ({"country_code": "US", "postal_code": "22201"}, "region"),
        ({"line1": None}, "line1"),
    ],
)
def test_what_is_wrong_of_a_stored_address_is_told_without_what_is_stored(
    given: dict[str, Any], part: str
) -> None:
    made = plan(
        contact(addresses=[address(**given)]),
        {**ADA, "address": [{**OFFICE, "state": "Midlands"}]},
    )
    told = next(each for each in made.problems if each.field[-1] == part)
    for text in ("Office", "1 Test Street", "EC1A 1AA", "Midlands"):
        assert text not in told.message


@pytest.mark.parametrize("code", ["22201", "22201-1234", "222011234"])
@pytest.mark.parametrize("state", ["VA", "virginia"])
def test_postal_codes_and_states_of_the_us_are_taken(code: str, state: str) -> None:
    given = address(line1="2 Avenue", country_code="US", region=state, postal_code=code)
    [row] = addresses_after(given, raw={**ADA, "address": []})
    assert (row["state"], row["postalCode"]) == (state, code)


def test_accents_of_a_province_do_not_matter() -> None:
    given = address(line1="2 Rue", country_code="CA", region="Quebec")
    assert addresses_after(given, raw={**ADA, "address": []})[0]["state"] == "Quebec"


def test_two_addresses_of_one_name_are_refused() -> None:
    given = [address(location_name="Office"), address(location_name="Office", city="Leeds")]
    [problem] = plan(contact(addresses=given), ADA).problems
    assert (problem.code, problem.field) == (
        ProblemCode.INVALID,
        ["addresses", "1", "locationName"],
    )


def test_stored_parts_beyond_a_limit_are_left_alone() -> None:
    raw = {**ADA, "address": [{**OFFICE, "postalCode": "x" * 12}]}
    assert addresses_after(address(city="Leeds"), raw=raw)[0]["postalCode"] == "x" * 12
