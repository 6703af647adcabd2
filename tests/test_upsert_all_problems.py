"""Every problem of an input is told at once, whatever else is wrong and whoever is silent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.harness import running
from tests.leads import OF_ADA, upsert_lead

if TYPE_CHECKING:
    from gateway.sandbox.app import Sandbox
    from gateway.sandbox.clock import ManualClock
    from tests.harness import Answer, Gateway

LONG = "x" * 101


def told(answer: Answer) -> set[tuple[str, str]]:
    return {(".".join(problem["field"]), problem["code"]) for problem in answer.errors}


async def test_each_bad_path_is_told(gateway: Gateway) -> None:
    paths = [
        {"prompt": "SMS", "value": ""},
        {"prompt": "Telepathy", "value": "x"},
        {"prompt": "Work Email", "value": "nomail"},
        {"prompt": "Mobile Phone", "value": "+44 7700 900101"},
    ]
    answer = await gateway.upsert({"externalId": "E-1001", "paths": paths}, targets=["EVERBRIDGE"])
    assert answer.status == "REJECTED"
    assert told(answer) == {
        ("paths.0.value", "INVALID"),
        ("paths.1.prompt", "NAME_NOT_FOUND"),
        ("paths.2.value", "INVALID"),
    }
    assert gateway.calls("everbridge", writes=True) == []


async def test_a_custom_field_named_twice_hides_no_other_problem(gateway: Gateway) -> None:
    fields = [
        {"name": "Shift", "values": ["Brunch"]},
        {"name": "shift", "values": ["Day"]},
        {"name": "zz", "values": ["1"]},
    ]
    answer = await gateway.upsert(
        {"externalId": "E-1001", "customFields": fields}, targets=["EVERBRIDGE"]
    )
    assert told(answer) == {
        ("customFields.0.values.0", "INVALID"),
        ("customFields.1.name", "INVALID"),
        ("customFields.2.name", "NAME_NOT_FOUND"),
    }


@pytest.mark.parametrize("backend", ["IVVY", "EVERBRIDGE", "SENDGRID"])
async def test_a_custom_field_of_spaces_is_refused_as_other_texts_are(
    gateway: Gateway, backend: str
) -> None:
    ada: dict[str, Any] = {"externalId": "E-1001", "email": "ada@example.com"}
    fields = [{"name": "Notes", "values": [" \t"]}]
    answer = await gateway.upsert(ada | {"customFields": fields}, targets=[backend])
    assert told(answer) == {("customFields.0.values.0", "INVALID")}
    assert gateway.calls(backend.lower(), writes=True) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Notes", "x"),
        ("Badge number", "7"),
        ("Shift", "Night"),
        ("Dietary", "Vegan"),
        ("Member since", "2024-02-01"),
    ],
)
async def test_an_empty_text_clears_a_custom_field_of_any_type(
    gateway: Gateway, name: str, value: str
) -> None:
    for given in (value, ""):
        fields = [{"name": name, "values": [given]}]
        await gateway.upsert({"externalId": "E-2001", "customFields": fields}, targets=["IVVY"])
        [held] = gateway.ivvy(externalId="E-2001")
        assert bool(held["customFields"]) is bool(given)


async def test_an_id_that_is_none_is_told_of_once(gateway: Gateway) -> None:
    native = {"groupIds": ["x"], "companyIds": ["y"], "customFields": [{"id": "z", "values": []}]}
    wrong = {"externalId": "E-1001", "ivvy": native}
    expected = {
        ("ivvy.groupIds.0", "INVALID"),
        ("ivvy.companyIds.0", "INVALID"),
        ("ivvy.customFields.0.id", "INVALID"),
    }
    answer = await gateway.upsert(wrong, targets=["IVVY"])
    assert (told(answer), len(answer.errors)) == (expected, len(expected))
    lead = await upsert_lead(gateway, OF_ADA | {"contact": wrong})
    assert {(".".join(one["field"]), one["code"]) for one in lead.errors} == {
        (f"contact.{field}", code) for field, code in expected
    }
    assert len(lead.errors) == len(expected)


async def test_with_its_only_key_wrong_no_backend_says_what_a_new_contact_lacks(
    gateway: Gateway,
) -> None:
    wrong = {"externalId": "", "customFields": [{"name": "Joined", "values": ["soon"]}]}
    for targets in (None, ["EVERBRIDGE"], ["IVVY"]):
        keys = {"email": "ada@example.com"} if targets is None else {}
        answer = await gateway.upsert({**wrong, **keys}, targets=targets)
        assert answer.status == "REJECTED"
        assert ("externalId", "INVALID") in told(answer)
        assert "REQUIRED" not in {code for _, code in told(answer)}
    answer = await gateway.upsert(wrong, targets=["EVERBRIDGE"], mode="REPLACE")
    assert ("firstName", "REQUIRED") in told(answer)  # of which there is no doubt
    answer = await gateway.upsert({"externalId": "E-9", "email": "x"}, targets=["IVVY"])
    assert ("firstName", "REQUIRED") in told(answer)  # it was looked for by the other key


@pytest.mark.parametrize(("wrong", "code"), [("x", "INVALID"), ("999999", "NOT_FOUND")])
async def test_with_the_only_key_of_a_sibling_wrong_nobody_says_what_a_new_contact_lacks(
    gateway: Gateway, wrong: str, code: str
) -> None:
    ada = {"email": "ada@example.com", "ivvy": {"id": wrong}}
    answer = await gateway.upsert(ada, targets=["IVVY", "EVERBRIDGE"])
    assert answer.outcomes() == {"IVVY": "REJECTED", "EVERBRIDGE": "SKIPPED"}
    assert told(answer) == {("ivvy.id", code)}


@pytest.mark.parametrize("targets", [["EVERBRIDGE", "SENDGRID"], ["SENDGRID", "EVERBRIDGE"]])
async def test_a_sibling_with_a_wrong_key_is_not_told_to_be_silent(
    gateway: Gateway, targets: list[str]
) -> None:
    new = {"externalId": "N-1", "email": "n1@example.com", "everbridge": {"id": "x"}}
    answer = await gateway.upsert(new, targets=targets)
    assert answer.outcomes() == {"EVERBRIDGE": "REJECTED", "SENDGRID": "SKIPPED"}
    assert told(answer) == {("everbridge.id", "INVALID")}


async def test_lengths_and_ids_are_told_together_while_everbridge_is_silent(
    gateway: Gateway,
) -> None:
    gateway.sandbox.faults.add({"backend": "everbridge", "times": 50, "status": 503})
    address = {"line1": LONG, "countryCode": "US", "postalCode": "1", "region": "Bavaria"}
    answer = await gateway.upsert(
        {
            "externalId": "E-1001",
            "firstName": LONG,
            "suffix": "waytoolongsuffix",
            "addresses": [address],
            "everbridge": {"topicIds": ["x"]},
        },
        targets=["EVERBRIDGE"],
    )
    assert answer.outcomes() == {"EVERBRIDGE": "REJECTED"}
    assert told(answer) == {
        ("firstName", "TOO_LONG"),
        ("suffix", "TOO_LONG"),
        ("addresses.0.line1", "TOO_LONG"),
        ("addresses.0.postalCode", "INVALID"),
        ("addresses.0.region", "INVALID"),
        ("everbridge.topicIds.0", "INVALID"),
    }
    assert len(answer.errors) == len(told(answer))


@pytest.mark.parametrize(
    ("section", "field"),
    [
        ({"topicIds": ["x"]}, "everbridge.topicIds.0"),
        ({"groupIds": ["x"]}, "everbridge.groupIds.0"),
        ({"recordTypeId": "x"}, "everbridge.recordTypeId"),
    ],
)
async def test_an_id_that_is_none_hides_no_other_problem(
    gateway: Gateway, section: dict[str, Any], field: str
) -> None:
    answer = await gateway.upsert(
        {
            "externalId": "E-1001",
            "addresses": [{"locationName": "Attic"}],
            "timezoneId": None,
            "customFields": [{"name": "Joined", "values": ["soon"]}],
            "everbridge": section,
        },
        targets=["EVERBRIDGE"],
    )
    assert told(answer) - {(field, "NOT_FOUND")} == {
        (field, "INVALID"),
        ("addresses.0.line1", "REQUIRED"),
        ("addresses.0.countryCode", "REQUIRED"),
        ("timezoneId", "REQUIRED"),
        ("customFields.0.values.0", "INVALID"),
    }
    assert gateway.calls("everbridge", writes=True) == []


async def test_a_second_line_that_goes_to_the_street_is_warned_of(gateway: Gateway) -> None:
    address = {"locationName": "Home", "line1": "1 A", "countryCode": "GB"}
    long = {**address, "line2": "A very long second line here"}
    answer = await gateway.upsert(
        {"externalId": "E-1002", "addresses": [long]}, targets=["EVERBRIDGE"]
    )
    [warning] = answer.result("EVERBRIDGE")["warnings"]
    assert warning["field"] == ["addresses", "0", "line2"]
    short = {**address, "line2": "Flat 2"}
    answer = await gateway.upsert(
        {"externalId": "E-1002", "addresses": [short]}, targets=["EVERBRIDGE"]
    )
    assert (answer.errors, answer.result("EVERBRIDGE")["warnings"]) == ([], [])


async def test_a_path_that_only_a_setting_names_is_told_with_the_setting(
    sandbox: Sandbox, clock: ManualClock
) -> None:
    async with running(sandbox, clock, everbridge_email_path="Nonexistent") as gateway:
        answer = await gateway.upsert(
            {"externalId": "E-1001", "email": "ada@example.com"}, targets=["EVERBRIDGE"]
        )
    [problem] = answer.errors
    assert problem["code"] == "NAME_NOT_FOUND"
    assert "GATEWAY_EVERBRIDGE_EMAIL_PATH" in problem["message"]


async def test_a_field_that_is_given_twice_by_its_id_is_told_once(gateway: Gateway) -> None:
    fields = [{"id": "505", "values": [value]} for value in ("one", "two")]
    answer = await gateway.upsert(
        {"externalId": "E-1001", "ivvy": {"customFields": fields}}, targets=["IVVY"]
    )
    [problem] = answer.errors
    assert (problem["code"], problem["field"]) == ("INVALID", ["ivvy", "customFields", "1", "id"])


NIGHT = {"days": ["MONDAY"], "fromHour": 22, "fromMinute": 0, "toHour": 6, "toMinute": 0}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(
            {"addresses": [{"line1": LONG, "countryCode": "QQ"}, {"city": "Bern"}]},
            {
                ("addresses.0.countryCode", "INVALID"),
                ("addresses.0.line1", "TOO_LONG"),
                ("addresses.1.line1", "REQUIRED"),
                ("addresses.1.countryCode", "REQUIRED"),
            },
            id="an address",
        ),
        pytest.param(
            {"addresses": [{"line1": " ", "countryCode": "GB"}]},
            {("addresses.0.line1", "INVALID")},
            id="a part that is told already",
        ),
        pytest.param(
            {"alternateEmails": ["bad", *(f"a{number}@example.com" for number in range(5))]},
            {("alternateEmails.0", "INVALID"), ("alternateEmails", "TOO_MANY")},
            id="an alternate address",
        ),
        pytest.param(
            {
                "externalUrls": [
                    {"ref": ref, "url": url}
                    for ref, url in zip(
                        "abcd", ["ftp://x", *["https://x.example"] * 3], strict=True
                    )
                ]
            },
            {("externalUrls.0.url", "INVALID"), ("externalUrls", "TOO_MANY")},
            id="a link",
        ),
        pytest.param(
            {
                "paths": [
                    {"prompt": "SMS", "value": "1", "quietTimeFrames": [NIGHT | {"toHour": 24}]}
                ]
            },
            {
                ("paths.0.quietTimeFrames.0.toHour", "INVALID"),
                ("paths.0.value", "INVALID"),
                ("timezoneId", "REQUIRED"),
            },
            id="a quiet time",
        ),
        pytest.param(
            {"paths": [{"prompt": "Telepathy", "value": "x", "quietTimeFrames": [NIGHT]}]},
            {("paths.0.prompt", "NAME_NOT_FOUND"), ("timezoneId", "REQUIRED")},
            id="a path that there is not",
        ),
        pytest.param(
            {
                "paths": [
                    {"prompt": "SMS", "value": "7700900124", "countryCode": "QQ"},
                    {"prompt": "SMS", "value": "+447700900124"},
                ]
            },
            {("paths.0.countryCode", "INVALID"), ("paths.1.prompt", "INVALID")},
            id="a path's country",
        ),
    ],
)
async def test_a_wrong_part_of_a_list_hides_nothing_else_of_it(
    gateway: Gateway, given: dict[str, Any], expected: set[tuple[str, str]]
) -> None:
    new = {"externalId": "N-1", "firstName": "N", "lastName": "L", "email": "n@example.com"}
    answer = await gateway.upsert(new | given)
    assert told(answer) == expected
    assert answer.status == "REJECTED"
    assert not any(gateway.calls(name, writes=True) for name in ("ivvy", "everbridge", "sendgrid"))


WRONG_VALUE = {"customFields": [{"name": "Badge number", "values": ["many"]}]}


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (
            {"externalId": "E-NEW", "email": "ada@example.com"},
            {("externalId", "CONFLICT"), ("customFields.0.values.0", "INVALID")},
        ),
        (
            {"ivvy": {"id": "99999", "groupIds": ["1"]}},
            {
                ("ivvy.id", "NOT_FOUND"),
                ("ivvy.groupIds.0", "NOT_FOUND"),
                ("customFields.0.values.0", "INVALID"),
            },
        ),
    ],
)
async def test_a_key_that_means_no_one_record_hides_no_wrong_value(
    gateway: Gateway, keys: dict[str, Any], expected: set[tuple[str, str]]
) -> None:
    answer = await gateway.upsert(WRONG_VALUE | keys, targets=["IVVY"])
    assert told(answer) == expected
    skipped = await gateway.upsert(WRONG_VALUE | keys, targets=["IVVY"], ifMissing="SKIP")
    assert ("customFields.0.values.0", "INVALID") not in told(skipped)
