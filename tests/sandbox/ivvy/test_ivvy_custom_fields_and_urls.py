"""Sections 5.2 and 5.4 of the contract: custom field values by type, and external URLs."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.sandbox.ivvy import Ivvy

    Ask = Callable[..., Awaitable[Any]]

WRITE, READ = "contact/addOrUpdateContact", "contact/getContact"
ADA, GRACE = 40001, 40002
NEW = {"firstName": "Emmy", "lastName": "Noether", "email": "emmy@example.com"}
SHIFT, DIETARY, SINCE, BADGE, NOTES, SMALL, INFO, OFFICE, PHOTO, FORMER = range(501, 511)


def custom(contact: dict[str, Any], field_id: int) -> Any:
    return {row["fieldId"]: row["value"] for row in contact["customFields"]}[field_id]


ADDRESS = {"line1": "1 Engine Row", "city": "London", "countryCode": "GB"}
GOOD_VALUES = {
    "small text": (SMALL, "hello", "hello"),
    "large text": (NOTES, "a\nb", "a\nb"),
    "single select": (SHIFT, "2", "2"),
    "multiple select": (DIETARY, ["Vegan", "Vegetarian"], ["Vegan", "Vegetarian"]),
    "address": (OFFICE, ADDRESS, ADDRESS),
    "date": (SINCE, "2022-08-30 10:00:00 UTC", "2022-08-30 10:00:00 UTC"),
    "date without its suffix": (SINCE, "2022-08-30 10:00:00", "2022-08-30 10:00:00 UTC"),
    "whole number": (BADGE, 0, 0),
}


@pytest.mark.parametrize("case", GOOD_VALUES)
async def test_custom_field_takes_a_value_of_its_type(ask: Ask, case: str) -> None:
    field_id, value, shown = GOOD_VALUES[case]
    await ask(WRITE, id=GRACE, customFields=[{"fieldId": field_id, "value": value}])
    assert custom(await ask(READ, id=GRACE), field_id) == shown


BAD_VALUES: dict[str, tuple[int, Any]] = {
    "text from a number": (SMALL, 7),
    "label of an option": (SHIFT, "Night"),
    "unknown option": (SHIFT, "9"),
    "options as one text": (DIETARY, "Vegan"),
    "unknown option in a list": (DIETARY, ["Vegan", "Raw"]),
    "address as text": (OFFICE, "London"),
    "address with another key": (OFFICE, {"street": "x"}),
    "bare date": (SINCE, "2022-08-30"),
    "date that does not exist": (SINCE, "2022-02-30 10:00:00"),
    "date as ISO 8601": (SINCE, "2022-08-30T10:00:00Z"),
    "number with a fraction": (BADGE, 1.5),
    "boolean for a number": (BADGE, True),
    "static text": (INFO, "x"),
    "file": (PHOTO, "x"),
    "inactive field": (FORMER, "x"),
}


@pytest.mark.parametrize("case", BAD_VALUES)
async def test_custom_field_refuses_a_bad_value(ask: Ask, ivvy: Ivvy, case: str) -> None:
    before = deepcopy(ivvy.dump())
    field_id, value = BAD_VALUES[case]
    answer = await ask(WRITE, id=ADA, customFields=[{"fieldId": field_id, "value": value}])
    assert answer["success"] is False
    assert answer["message"].startswith("Custom field ")
    assert ivvy.dump() == before


@pytest.mark.parametrize(
    ("switch", "field_id", "value"),
    [
        ("custom_date_only", SINCE, "2022-08-30"),
        ("custom_file", PHOTO, {"name": "a.png"}),
        ("custom_inactive", FORMER, "x"),
    ],
)
async def test_doubtful_custom_values_can_be_accepted(
    ask: Ask, ivvy: Ivvy, switch: str, field_id: int, value: Any
) -> None:
    ivvy.switches[switch] = "accept"
    await ask(WRITE, id=ADA, customFields=[{"fieldId": field_id, "value": value}])
    expected = "2022-08-30 00:00:00 UTC" if field_id == SINCE else value
    assert custom(await ask(READ, id=ADA), field_id) == expected


@pytest.mark.parametrize("rule", ["merge", "replace"])
async def test_sent_custom_fields_merge_unless_told_to_replace(
    ask: Ask, ivvy: Ivvy, rule: str
) -> None:
    ivvy.switches["custom_fields_on_update"] = rule
    await ask(WRITE, id=ADA, customFields=[{"fieldId": SHIFT, "value": "2"}])
    ada = await ask(READ, id=ADA)
    assert custom(ada, SHIFT) == "2"
    assert custom(ada, BADGE) == (1815 if rule == "merge" else None)


EMPTY_READS: list[tuple[int, Any, Any]] = [
    (SMALL, "", ""),
    (SHIFT, "", ""),
    (DIETARY, [], [""]),
    (DIETARY, [""], [""]),
    (SINCE, "", None),
    (BADGE, "", None),
    (OFFICE, {}, None),
]


@pytest.mark.parametrize(("field_id", "sent", "read"), EMPTY_READS)
@pytest.mark.parametrize("as_null", [False, True])
async def test_empty_value_and_null_clear_a_custom_field(
    ask: Ask, field_id: int, sent: Any, read: Any, as_null: bool
) -> None:
    full = {field: value for field, value, _ in GOOD_VALUES.values()}
    await ask(WRITE, id=ADA, customFields=[{"fieldId": field_id, "value": full[field_id]}])
    value = None if as_null else sent
    await ask(WRITE, id=ADA, customFields=[{"fieldId": field_id, "value": value}])
    assert custom(await ask(READ, id=ADA), field_id) == read


async def test_custom_null_follows_its_switch(ask: Ask, ivvy: Ivvy) -> None:
    null = [{"fieldId": BADGE, "value": None}]
    ivvy.switches["custom_null"] = "keep"
    await ask(WRITE, id=ADA, customFields=null)
    assert custom(await ask(READ, id=ADA), BADGE) == 1815
    ivvy.switches["custom_null"] = "error"
    assert (await ask(WRITE, id=ADA, customFields=null))["success"] is False


async def test_only_set_custom_fields_are_read_when_told(ask: Ask, ivvy: Ivvy) -> None:
    ivvy.switches["custom_fields_read"] = "set_only"
    assert [row["fieldId"] for row in (await ask(READ, id=ADA))["customFields"]] == [SHIFT, BADGE]


async def test_required_custom_fields_hold_for_a_create_when_told(ask: Ask, ivvy: Ivvy) -> None:
    ivvy.switches["custom_fields_required"] = [BADGE]
    assert (await ask(WRITE, **NEW))["message"] == "Custom field Badge number is required"
    assert "id" in await ask(WRITE, **NEW, customFields=[{"fieldId": BADGE, "value": 7}])
    definitions = await ask("contact/getCustomFieldDefinition")
    assert [row["fieldId"] for row in definitions if row["isRequired"]] == [BADGE]


async def test_external_urls_are_kept_by_ref(ask: Ask) -> None:
    new = {"ref": "crm", "url": "https://example.com/crm/2", "label": "CRM"}
    await ask(WRITE, id=GRACE, externalUrls=[new])
    await ask(WRITE, id=GRACE, externalUrls=[{"ref": "intranet", "label": "People"}])
    assert (await ask(READ, id=GRACE))["externalUrls"] == [
        {"ref": "intranet", "url": "https://example.com/people/grace", "label": "People"},
        new,
    ]


@pytest.mark.parametrize(
    ("switches", "sent", "label"),
    [
        ({}, "", ""),
        ({"text_clear": "keep"}, "", "Profile"),
        ({}, None, "Profile"),
        ({"null_scalar": "clear"}, None, None),
    ],
)
async def test_a_label_is_cleared_like_any_text(
    ask: Ask, ivvy: Ivvy, switches: dict[str, str], sent: str | None, label: str | None
) -> None:
    ivvy.switches.update(switches)
    link = {"ref": "crm", "url": "https://example.com/crm/2"}
    await ask(WRITE, id=GRACE, externalUrls=[{**link, "label": "Profile"}])
    await ask(WRITE, id=GRACE, externalUrls=[{**link, "label": sent}])
    assert (await ask(READ, id=GRACE))["externalUrls"][-1] == {**link, "label": label}


async def test_external_url_null_removes_the_one_with_its_ref(ask: Ask) -> None:
    new = {"ref": "crm", "url": "https://example.com/crm/2"}
    await ask(WRITE, id=GRACE, externalUrls=[new, {"ref": "intranet", "url": None}])
    assert [row["ref"] for row in (await ask(READ, id=GRACE))["externalUrls"]] == ["crm"]


async def test_external_urls_null_removes_all_and_absent_or_empty_none(ask: Ask) -> None:
    await ask(WRITE, id=GRACE, phone="1")
    await ask(WRITE, id=GRACE, externalUrls=[])
    assert len((await ask(READ, id=GRACE))["externalUrls"]) == 1
    await ask(WRITE, id=GRACE, externalUrls=None)
    assert (await ask(READ, id=GRACE))["externalUrls"] == []


async def test_three_external_urls_at_most_after_the_merge(ask: Ask, ivvy: Ivvy) -> None:
    three = [{"ref": ref, "url": f"https://example.com/{ref}"} for ref in "abc"]
    answer = await ask(WRITE, id=GRACE, externalUrls=three)
    assert answer == {"success": False, "message": "At most 3 external URLs are allowed"}
    removal = {"ref": "intranet", "url": None}
    ivvy.switches["external_urls_limit"] = "sent"
    assert (await ask(WRITE, id=GRACE, externalUrls=[removal, *three]))["success"] is False
    ivvy.switches["external_urls_limit"] = "kept"
    assert await ask(WRITE, id=GRACE, externalUrls=[removal, *three]) == {"id": GRACE}


async def test_external_urls_replace_when_told(ask: Ask, ivvy: Ivvy) -> None:
    ivvy.switches["external_urls_on_update"] = "replace"
    await ask(WRITE, id=GRACE, externalUrls=[{"ref": "b", "url": "https://example.com/b"}])
    assert [row["ref"] for row in (await ask(READ, id=GRACE))["externalUrls"]] == ["b"]
