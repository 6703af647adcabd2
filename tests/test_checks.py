"""What is said of an input before anybody is asked: every problem, each with its place."""

from __future__ import annotations

from typing import Any

import pytest
from strawberry import ID, Some

from gateway.checks import check_contact
from gateway.model import (
    AddressInput,
    ContactInput,
    CustomFieldInput,
    ExternalUrlInput,
    MissingPolicy,
    PathInput,
    QuietTimeFrameInput,
    Weekday,
    WriteMode,
)
from gateway.results import ProblemCode
from gateway.values import Phone


def places(*, mode: WriteMode = WriteMode.PATCH, **values: Any) -> list[str]:
    _write, problems = check_contact(ContactInput(**values), mode=mode)
    assert all(problem.backend is None for problem in problems)
    return [".".join(problem.field) for problem in problems]


def frame(**values: Any) -> QuietTimeFrameInput:
    given = {"from_hour": 22, "from_minute": 0, "to_hour": 6, "to_minute": 0, **values}
    return QuietTimeFrameInput(**{"days": [Weekday.MONDAY], **given})


def test_a_good_input_becomes_a_write_with_its_values_read() -> None:
    write, problems = check_contact(
        ContactInput(
            email=Some(" Ada@EXAMPLE.com"),
            phone=Some("07700 900123"),
            phone_country_code=Some("gb"),
            addresses=Some([AddressInput(country_code=Some("DE"), latitude=Some(1.0), longitude=Some(2.0))]),
            paths=Some([PathInput(prompt=Some("SMS"), value="+447700900123", country_code=Some("GB"), quiet_time_frames=Some([frame()]))]),
            external_urls=Some([ExternalUrlInput(ref="a", url=Some("https://example.com/a"))]),
        ),
        mode=WriteMode.REPLACE,
        if_missing=MissingPolicy.SKIP,
        targets_named=True,
        at=("inputs", "3"),
    )  # fmt: skip
    assert problems == []
    assert write.given("email") == Some("Ada@example.com")
    assert write.given("phone") == Some(
        Phone(e164="+447700900123", national="7700900123", country="GB")
    )
    assert (write.mode, write.if_missing) == (WriteMode.REPLACE, MissingPolicy.SKIP)
    assert (write.targets_named, write.at) == (True, ("inputs", "3"))
    assert write.default_country == "GB"


def test_the_country_of_the_settings_reads_a_national_number() -> None:
    contact = ContactInput(phone=Some("07700 900123"))
    write, problems = check_contact(contact, default_country="GB")
    assert problems == []
    assert write.default_country == "GB"
    assert check_contact(contact)[1][0].field == ["phone"]


def test_null_is_no_problem_and_stays_null() -> None:
    write, problems = check_contact(
        ContactInput(
            email=Some(None),
            phone=Some(None),
            addresses=Some(None),
            paths=Some(None),
            add_groups_name=Some(None),
            custom_fields=Some(None),
        )
    )
    assert problems == []
    assert write.given("email") == Some(None)
    assert write.given("phone") == Some(None)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"external_id": Some(ID(" "))}, ["externalId"]),
        ({"email": Some("")}, ["email"]),
        ({"email": Some("ada@")}, ["email"]),
        ({"phone_country_code": Some("Germany")}, ["phoneCountryCode"]),
        ({"country_code": Some("DEU")}, ["countryCode"]),
        ({"timezone_id": Some("Berlin")}, ["timezoneId"]),
        ({"alternate_emails": Some(["a@example.com", "b@"])}, ["alternateEmails.1"]),
        ({"addresses": Some([AddressInput(country_code=Some("X"))])}, ["addresses.0.countryCode"]),
        (
            {"addresses": Some([AddressInput(latitude=Some(91.0), longitude=Some(181.0))])},
            ["addresses.0.latitude", "addresses.0.longitude"],
        ),
        ({"addresses": Some([AddressInput(latitude=Some(1.0))])}, ["addresses.0.longitude"]),
        ({"addresses": Some([AddressInput(longitude=Some(1.0))])}, ["addresses.0.latitude"]),
        (
            {"addresses": Some([AddressInput(latitude=Some(None), longitude=Some(1.0))])},
            ["addresses.0.latitude"],
        ),
        ({"addresses": Some([AddressInput(latitude=Some(None), longitude=Some(None))])}, []),
        ({"paths": Some([PathInput(value=" ")])}, ["paths.0.prompt", "paths.0.value"]),
        (
            {"paths": Some([PathInput(path_id=Some(ID("")), prompt=Some("SMS"), value="1")])},
            ["paths.0.pathId"],
        ),
        (
            {"paths": Some([PathInput(path_id=Some(ID("1")), prompt=Some(" "), value="1")])},
            ["paths.0.prompt"],
        ),
        (
            {"paths": Some([PathInput(path_id=Some(ID("1")), value="1", country_code=Some("?"))])},
            ["paths.0.countryCode"],
        ),
        (
            {
                "paths": Some(
                    [
                        PathInput(
                            prompt=Some("SMS"),
                            value="1",
                            quiet_time_frames=Some([frame(days=[]), frame(to_hour=24)]),
                        )
                    ]
                )
            },
            ["paths.0.quietTimeFrames.0.days", "paths.0.quietTimeFrames.1.toHour"],
        ),
        (
            {
                "custom_fields": Some(
                    [CustomFieldInput(name=name, values=[]) for name in ("A", "a ", "A")]
                )
            },
            ["customFields.2.name"],
        ),
        (
            {"external_urls": Some([ExternalUrlInput(ref=ref) for ref in ("x", "x", " ")])},
            ["externalUrls", "externalUrls.2.ref"],
        ),
        ({"first_name": Some("half \ud83d")}, ["firstName"]),
        ({"last_name": Some("bell\x07"), "suffix": Some("a\x1f")}, ["lastName", "suffix"]),
        ({"first_name": Some("tab\tline\r\nend")}, []),
        ({"groups_name": Some(["ok", "\udc00"])}, ["groupsName.1"]),
        ({"addresses": Some([AddressInput(city=Some("\ud800"))])}, ["addresses.0.city"]),
    ],
)
def test_each_problem_is_told_with_its_place(values: dict[str, Any], expected: list[str]) -> None:
    assert places(**values) == expected


@pytest.mark.parametrize("blank", ["", " "])
def test_a_blank_text_inside_a_list_is_refused_as_one_outside_is(blank: str) -> None:
    parts = ("location_name", "line1", "line2", "city", "region", "postal_code")
    labels = ["locationName", "line1", "line2", "city", "region", "postalCode"]
    given: dict[str, Any] = dict.fromkeys(parts, Some(blank))
    address = AddressInput(**given)
    found = places(addresses=Some([AddressInput(city=Some(None)), address]))
    assert found == [f"addresses.1.{label}" for label in labels]
    quiet = frame(name=Some(blank))
    path = PathInput(
        prompt=Some("SMS"), value="1", extension=Some(blank), quiet_time_frames=Some([quiet])
    )
    link = ExternalUrlInput(ref="a", label=Some(blank))
    assert places(paths=Some([path]), external_urls=Some([link])) == [
        "paths.0.extension",
        "paths.0.quietTimeFrames.0.name",
        "externalUrls.0.label",
    ]
    _write, [problem] = check_contact(ContactInput(external_urls=Some([link])))
    assert "null" in problem.message


@pytest.mark.parametrize("url", ["http://example.com", "example.com", "https://", "https://[x", ""])
def test_a_link_that_is_not_https_is_refused(url: str) -> None:
    links = [ExternalUrlInput(ref="a", url=Some(None)), ExternalUrlInput(ref="b", url=Some(url))]
    assert places(external_urls=Some(links)) == ["externalUrls.1.url"]


def test_a_set_and_a_difference_of_groups_contradict_each_other() -> None:
    groups: dict[str, Any] = {"groups_name": Some(["A"]), "add_groups_name": Some(["B"])}
    assert places(**groups, remove_groups_name=Some(["C"])) == [
        "addGroupsName",
        "removeGroupsName",
    ]
    assert places(groups_name=Some(["A"]), add_groups_name=Some([])) == []


def test_a_replace_takes_no_difference_of_groups() -> None:
    assert places(mode=WriteMode.REPLACE, remove_groups_name=Some(["A"])) == ["removeGroupsName"]


def test_a_group_is_not_joined_and_left_at_once() -> None:
    found = places(add_groups_name=Some(["VIP", "B"]), remove_groups_name=Some(["VIP"]))
    assert found == ["removeGroupsName"]
    assert places(add_groups_name=Some(["VIP"]), remove_groups_name=Some(["vip"])) == []


def test_every_problem_is_told_and_a_path_starts_where_the_input_stands() -> None:
    contact = ContactInput(email=Some("x"), country_code=Some("x"), first_name=Some(""))
    write, problems = check_contact(contact, at=("contact",))
    assert sorted(".".join(problem.field) for problem in problems) == [
        "contact.countryCode",
        "contact.email",
        "contact.firstName",
    ]
    assert write.invalid == {"email", "country_code", "first_name"}
    assert write.given("email") is None
    assert write.mentions("email")


def test_a_missing_path_name_is_required() -> None:
    _write, [problem] = check_contact(ContactInput(paths=Some([PathInput(value="1")])))
    assert problem.code is ProblemCode.REQUIRED
