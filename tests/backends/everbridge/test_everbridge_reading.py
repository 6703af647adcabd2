"""A contact of Everbridge's as a record: what it shows, and that reading loses nothing."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings

from gateway.backends.everbridge.reading import ids_shown, read_contact
from gateway.entries import CatalogName
from gateway.model import Weekday, WriteMode
from gateway.records import QuietTimeFrame
from gateway.results import Outcome
from tests.backends.everbridge.random_contacts import stored_contacts
from tests.backends.everbridge.writing import (
    AREA,
    BADGE,
    BARE,
    BUSINESS,
    CATALOGS,
    EMPLOYEE,
    LANGUAGES,
    MOBILE,
    NEWSLETTER,
    ORGANIZATION,
    SHIFT,
    WORK_EMAIL,
    plan,
)
from tests.reading import contact_input

FIELDS = (
    *("external_id", "email", "first_name", "middle_initial", "last_name", "suffix", "phone"),
    *("country_code", "addresses", "record_type_name", "groups_name", "paths", "timezone_id"),
    "custom_fields",
)

BARE_CONTACT: dict[str, Any] = {"id": 1300000000000001, "externalId": "E-1001"}


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(stored_contacts(real=True))
def test_a_record_sent_back_whole_changes_nothing(raw: dict[str, Any]) -> None:
    record = read_contact(raw, CATALOGS, ORGANIZATION)
    made = plan(contact_input(record, *FIELDS), raw, mode=WriteMode.REPLACE)
    assert made.problems == ()
    assert made.ignored == ()
    assert (made.outcome, made.changed) == (Outcome.UNCHANGED, ())


def test_email_and_phone_are_those_of_the_paths_that_the_settings_name() -> None:
    raw = {
        **BARE_CONTACT,
        "paths": [
            {"pathId": BUSINESS, "value": "3023125101", "countryCode": "DE"},
            {"pathId": MOBILE, "value": "7700900101", "countryCode": "GB"},
            {"pathId": WORK_EMAIL, "value": "ada@example.com"},
        ],
    }
    record = read_contact(raw, CATALOGS, ORGANIZATION)
    assert (record.email, record.phone) == ("ada@example.com", "+447700900101")
    assert [path.prompt for path in record.paths] == [
        *("Business Phone", "Mobile Phone", "Work Email")
    ]
    unset = read_contact(raw, CATALOGS, BARE)
    assert (unset.email, unset.phone) == (None, None)


def test_an_empty_contact_has_nothing_but_its_keys() -> None:
    record = read_contact(BARE_CONTACT, CATALOGS, ORGANIZATION)
    assert (record.id, record.external_id) == ("1300000000000001", "E-1001")
    assert (record.email, record.phone, record.record_type_name) == (None, None, None)
    assert (record.paths, record.addresses, record.custom_fields) == ([], [], [])
    assert list(ids_shown(BARE_CONTACT)) == []
    assert read_contact({"id": 1}, CATALOGS, ORGANIZATION).external_id is None


def test_names_stand_for_ids_and_ids_for_names_that_are_not_known() -> None:
    raw = {
        **BARE_CONTACT,
        "recordTypeId": EMPLOYEE,
        "groups": [NEWSLETTER, 99],
        "paths": [{"pathId": 98, "value": "x"}, {"prompt": "Pager", "value": "y"}],
    }
    record = read_contact(raw, CATALOGS, ORGANIZATION)
    assert record.record_type_name == "Employee"
    assert record.groups_name == ["Newsletter", "99"]
    assert [(path.path_id, path.prompt) for path in record.paths] == [
        *(("98", None), (None, "Pager"))
    ]
    assert (CatalogName.RECORD_TYPES, str(EMPLOYEE)) in list(ids_shown(raw))
    unnamed = read_contact(raw, {}, ORGANIZATION)
    assert (unnamed.record_type_name, unnamed.groups_name) == (
        str(EMPLOYEE),
        [str(NEWSLETTER), "99"],
    )
    named = read_contact({**raw, "recordTypeName": "Guest"}, {}, ORGANIZATION)
    assert named.record_type_name == "Guest"


def test_a_quiet_time_has_days_by_name() -> None:
    frame = {"name": "Night", "days": [1, 7, 9], "fromHour": 22, "fromMin": 30, "toHour": 6}
    raw = {**BARE_CONTACT, "paths": [{"pathId": MOBILE, "value": "1", "quietTimeFrames": [frame]}]}
    [path] = read_contact(raw, CATALOGS, ORGANIZATION).paths
    assert path.quiet_time_frames == [
        QuietTimeFrame(
            name="Night",
            days=[Weekday.SUNDAY, Weekday.SATURDAY],
            from_hour=22,
            from_minute=30,
            to_hour=6,
            to_minute=0,
        )
    ]


def test_an_address_has_its_suite_as_line2_and_its_position() -> None:
    raw = {
        **BARE_CONTACT,
        "address": [
            {
                "locationName": "Office",
                "streetAddress": "1 Test Street",
                "suite": "4B",
                "state": "London",
                "country": "gb",
                "gisLocation": {"lat": 51.5, "lon": -0.1},
            }
        ],
    }
    [address] = read_contact(raw, CATALOGS, ORGANIZATION).addresses
    assert (address.line1, address.line2, address.region) == ("1 Test Street", "4B", "London")
    assert (address.country_code, address.latitude, address.longitude) == ("GB", 51.5, -0.1)


def test_attributes_are_shown_as_the_input_takes_them() -> None:
    rows = [
        {"orgAttrId": BADGE, "values": [16324267]},
        {"name": "Languages", "values": ["German", "French"]},
        {"orgAttrId": SHIFT, "values": []},
        {"orgAttrId": AREA, "values": ["POLYGON"]},
        {"orgAttrId": 77, "name": "Gone", "values": ["x"]},
        {"name": "Older", "values": ["y"]},
    ]
    record = read_contact({**BARE_CONTACT, "contactAttributes": rows}, CATALOGS, ORGANIZATION)
    assert [(item.id, item.name, item.values) for item in record.custom_fields] == [
        (str(BADGE), "Badge number", ["16324267"]),
        (str(LANGUAGES), "Languages", ["German", "French"]),
        ("77", None, ["x"]),
        ("Older", None, ["y"]),
    ]
    without = read_contact({**BARE_CONTACT, "contactAttributes": rows[:1]}, {}, ORGANIZATION)
    assert [(item.id, item.name) for item in without.custom_fields] == [(str(BADGE), None)]


def test_a_pin_is_not_shown() -> None:
    record = read_contact({**BARE_CONTACT, "securityPIN": "1234"}, CATALOGS, ORGANIZATION)
    assert record.raw["securityPIN"] == "***"  # type: ignore[index]  # JSON is any value
    assert record.raw["externalId"] == "E-1001"  # type: ignore[index]
