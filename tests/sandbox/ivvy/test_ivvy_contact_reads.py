"""Sections 4, 5.3, 5.4 and 5.5 of the contract: reading contacts, fields and groups, and lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.sandbox.clock import ManualClock
    from gateway.sandbox.ivvy import Ivvy

    Ask = Callable[..., Awaitable[Any]]

LIST = "contact/getContactList"
ADA, GRACE, MARY, OLIVE, OSCAR, DELETED = range(40001, 40007)
EVERYONE = [ADA, GRACE, MARY, OLIVE, OSCAR]


async def found(ask: Ask, **filters: Any) -> list[int]:
    return [row["id"] for row in (await ask(LIST, filter=filters))["results"]]


async def test_get_contact_shows_every_documented_field(ask: Ask) -> None:
    ada = await ask("contact/getContact", id=ADA)
    assert set(ada) == {
        *("id", "firstName", "lastName", "email", "phone", "status", "smsStatus", "customFields"),
        *("groups", "companies", "companiesData", "externalId", "modifiedDate", "isAnonymised"),
        *("privacyConsentData", "externalUrls", "eventInvitations", "eventRegistrations"),
    }
    assert ada["groups"] == [{"contactId": ADA, "groupId": 301, "joinDate": "2024-03-01 09:00:00"}]
    assert ada["modifiedDate"] == "2025-01-15 08:30:00 UTC"
    assert ada["companiesData"] == [{"id": 7001, "businessName": "Analytical Engines"}]
    assert ada["customFields"][0] == {"fieldId": 501, "displayName": "Shift", "value": "1"}


async def test_list_leaves_out_what_the_page_does_not_list(ask: Ask) -> None:
    full = set(await ask("contact/getContact", id=ADA))
    listed = set((await ask(LIST))["results"][0])
    assert full - listed == {
        *("status", "smsStatus", "externalUrls", "eventInvitations", "eventRegistrations"),
    }
    assert listed < full


@pytest.mark.parametrize("key", [5, DELETED])
async def test_unknown_and_deleted_contacts_are_24096(fail: Ask, key: int) -> None:
    answer = await fail("contact/getContact", id=key)
    assert (answer["errorCode"], answer["specificCode"]) == (400, 24096)


async def test_get_contact_requires_an_id(fail: Ask) -> None:
    assert (await fail("contact/getContact"))["message"] == "'id' is required"


async def test_events_are_sorted_by_start_when_asked(ask: Ask) -> None:
    stored = await ask("contact/getContact", id=MARY)
    assert [event["eventId"] for event in stored["eventInvitations"]] == [82, 81]
    by_start = await ask("contact/getContact", id=MARY, useEventSortOrder=True)
    assert [event["eventId"] for event in by_start["eventInvitations"]] == [81, 82]


async def test_deleted_contacts_are_not_listed(ask: Ask) -> None:
    assert await found(ask) == EVERYONE
    assert await found(ask, id=DELETED) == []


FILTERS: list[tuple[str, dict[str, Any], list[int]]] = [
    ("equals", {"firstName": "Ada"}, [ADA]),
    ("equals id", {"id": GRACE}, [GRACE]),
    ("equals id as text", {"id": str(GRACE)}, [GRACE]),
    ("equals indexed", {"externalId": "E-1004"}, [MARY]),
    ("equals nothing", {"externalId": "E-1"}, []),
    ("ignores case", {"email": "OFFICE@example.com"}, [OLIVE, OSCAR]),
    ("contains", {"lastName__CONTAINS": "ill"}, [MARY]),
    ("does not contain", {"lastName__NOTCONTAINS": "desk"}, [ADA, GRACE, MARY]),
    ("begins", {"email__BEGINS": "office"}, [OLIVE, OSCAR]),
    ("ends", {"externalId__ENDS": "2"}, [GRACE, OSCAR]),
    ("not", {"lastName__NOT": "Desk"}, [ADA, GRACE, MARY]),
    ("less than includes", {"id__LESSTHAN": GRACE}, [ADA, GRACE]),
    ("greater than includes", {"id__GREATERTHAN": OLIVE}, [OLIVE, OSCAR]),
    ("null is never less", {"phone__LESSTHAN": "zzz"}, [ADA, GRACE, MARY]),
    ("less than a date", {"modifiedDate__LESSTHAN": "2025-01-15 08:30:00"}, EVERYONE),
    ("greater than a date", {"modifiedDate__GREATERTHAN": "2025-01-15 08:30:01 UTC"}, []),
    ("is null", {"phone": "__ISNULL__"}, [OLIVE, OSCAR]),
    ("is not null", {"phone__NOT": "__ISNULL__"}, [ADA, GRACE, MARY]),
    ("is empty", {"phone__EMPTY": True}, [OLIVE, OSCAR]),
    ("is not empty", {"phone__EMPTY": 0}, [ADA, GRACE, MARY]),
    ("several are joined by and", {"lastName": "Desk", "externalId": "E-2002"}, [OSCAR]),
    ("company", {"companyId": 7001}, [ADA, GRACE]),
    ("venue", {"venueId": 1}, [ADA]),
    ("venue group", {"venueGroupId": 1}, [ADA]),
    ("boolean", {"isAnonymised": False}, EVERYONE),
]


@pytest.mark.parametrize(
    ("filters", "expected"), [case[1:] for case in FILTERS], ids=[c[0] for c in FILTERS]
)
async def test_filter(ask: Ask, filters: dict[str, Any], expected: list[int]) -> None:
    assert await found(ask, **filters) == expected


async def test_modified_filters_include_their_moments(ask: Ask, clock: ManualClock) -> None:
    clock.advance(3600)
    await ask("contact/addOrUpdateContact", id=GRACE, phone="1")
    moment = (await ask("contact/getContact", id=GRACE))["modifiedDate"]
    assert await found(ask, fromModifiedDate=moment) == [GRACE]
    assert await found(ask, toModifiedDate="2025-01-15 08:30:00 UTC") == [ADA, MARY, OLIVE, OSCAR]
    assert await found(ask, toModifiedDate="2025-01-15") == []


@pytest.mark.parametrize(
    "bad",
    [
        {"fromModifiedDate": "yesterday"},
        {"toModifiedDate": 7},
        {"companyId": "x"},
        {"firstName": ["Ada"]},
    ],
)
async def test_bad_filter_value_does_not_validate(fail: Ask, bad: dict[str, Any]) -> None:
    answer = await fail(LIST, filter=bad)
    assert (answer["message"], answer["specificCode"]) == ("'filter' does not validate", 23016)


async def test_filter_follows_a_changed_value(ask: Ask) -> None:
    await ask("contact/addOrUpdateContact", id=ADA, externalId="E-5", email="byron@example.com")
    assert await found(ask, externalId="E-1001") == []
    assert await found(ask, externalId="E-5") == [ADA]
    assert await found(ask, email="byron@example.com") == [ADA]


async def test_case_counts_when_told(ask: Ask, ivvy: Ivvy) -> None:
    ivvy.switches["match_case"] = "exact"
    assert await found(ask, email="OFFICE@example.com") == []
    assert await found(ask, email="office@example.com") == [OLIVE, OSCAR]


@pytest.mark.parametrize("unknown", [{"shoeSize": 7}, {"firstName__LIKE": "A"}, {"status": 1}])
async def test_unknown_filter_keys_follow_their_switch(
    ask: Ask, fail: Ask, ivvy: Ivvy, unknown: dict[str, Any]
) -> None:
    assert await found(ask, **unknown) == EVERYONE
    ivvy.switches["unknown_filter"] = "none"
    assert await found(ask, **unknown) == []
    ivvy.switches["unknown_filter"] = "error"
    assert not 23000 <= (await fail(LIST, filter=unknown))["specificCode"] <= 24999


async def test_only_documented_fields_filter_when_told(ask: Ask, ivvy: Ivvy) -> None:
    ivvy.switches["filterable"] = "documented"
    assert await found(ask, externalId="E-1001") == [ADA]
    assert await found(ask, email="ada@example.com") == EVERYONE


async def test_lists_can_ignore_the_filter(ask: Ask, ivvy: Ivvy) -> None:
    ivvy.switches["ignore_filters"] = True
    assert await found(ask, externalId="E-1004") == EVERYONE


async def test_meta_tells_total_start_page_size_and_count(ask: Ask) -> None:
    answer = await ask(LIST, perPage=2, start=3)
    assert answer["meta"] == {"totalResults": 5, "start": 3, "perPage": 2, "count": 2}
    assert [row["id"] for row in answer["results"]] == [OLIVE, OSCAR]


async def test_start_is_a_record_offset(ask: Ask) -> None:
    assert [row["id"] for row in (await ask(LIST, perPage=2, start=1))["results"]] == [GRACE, MARY]
    beyond = await ask(LIST, start=50)
    assert beyond["results"] == []
    assert beyond["meta"]["count"] == 0


@pytest.mark.parametrize("paging", [{"perPage": 0}, {"perPage": "x"}, {"start": -1}, {"start": []}])
async def test_bad_paging_does_not_validate(fail: Ask, paging: dict[str, Any]) -> None:
    answer = await fail(LIST, **paging)
    assert answer["message"] == f"'{next(iter(paging))}' does not validate"


async def test_large_per_page_is_capped_in_silence(ask: Ask) -> None:
    answer = await ask("contact/getCompanyList", perPage=1000)
    assert answer["meta"] == {"totalResults": 134, "start": 0, "perPage": 100, "count": 100}
    rest = await ask("contact/getCompanyList", perPage=1000, start=100)
    ids = {row["id"] for row in (*answer["results"], *rest["results"])}
    assert len(ids) == 134


async def test_page_size_cap_and_default_can_be_changed(ask: Ask, ivvy: Ivvy) -> None:
    ivvy.switches.update(page_cap=3, default_per_page=2)
    assert (await ask(LIST))["meta"]["perPage"] == 2
    assert (await ask(LIST, perPage=50))["meta"]["perPage"] == 3


async def test_meta_keys_can_be_missing(ask: Ask, ivvy: Ivvy) -> None:
    ivvy.switches["meta_omits"] = ["perPage", "count"]
    assert set((await ask(LIST))["meta"]) == {"totalResults", "start"}


async def test_order_of_lists_can_be_changed(ask: Ask, ivvy: Ivvy, clock: ManualClock) -> None:
    ivvy.switches["list_order"] = "id_desc"
    assert await found(ask) == EVERYONE[::-1]
    ivvy.switches["list_order"] = "modified"
    clock.advance(60)
    await ask("contact/addOrUpdateContact", id=MARY, phone="1")
    assert (await found(ask))[0] == MARY


async def test_ids_can_be_text_in_every_answer(ask: Ask, ivvy: Ivvy) -> None:
    ivvy.switches["ids_as_strings"] = True
    ada = await ask("contact/getContact", id=str(ADA))
    assert (ada["id"], ada["companies"]) == (str(ADA), ["7001"])
    assert ada["groups"][0]["groupId"] == "301"
    assert ada["status"] == 1
    assert await ask("contact/addOrUpdateContact", id=ADA, phone="1") == {"id": str(ADA)}


async def test_field_definitions_are_a_bare_array(ask: Ask) -> None:
    rows = await ask("contact/getCustomFieldDefinition")
    assert rows[0] == {
        "fieldId": 501,
        "fieldType": 2,
        "displayName": "Shift",
        "isRequired": False,
        "isActive": True,
        "sortOrder": 1,
        "selectValues": {"1": "Day", "2": "Night", "3": "Early"},
        "fileTypes": None,
    }
    types = {row["displayName"]: row["fieldType"] for row in rows}
    assert {types[name] for name in types} == {0, 1, 2, 3, 4, 5, 6, 7, 8}
    assert {row["displayName"]: row["fileTypes"] for row in rows}["Photo"] == ["images"]
    assert [row["displayName"] for row in rows if not row["isActive"]] == ["Former code"]


async def test_company_field_definitions_are_their_own(ask: Ask) -> None:
    rows = await ask("contact/getCompanyCustomFieldDefinition")
    assert {row["displayName"]: row["fieldType"] for row in rows}["Market"] == 9


async def test_groups_are_a_bare_array_with_member_counts(ask: Ask) -> None:
    rows = await ask("contact/getSubscriptionGroupList")
    assert {row["groupName"]: row["memberCount"] for row in rows} == {
        "Newsletter": 2,
        "Berlin Office": 1,
        "VIP": 1,
    }
    assert set(rows[0]) == {"id", "groupName", "memberCount", "tagColour"}


async def test_group_add_and_remove_tell_of_each_contact(ask: Ask) -> None:
    add, remove = (
        f"contact/{name}SubscriptionGroup" for name in ("addContactsTo", "removeContactsFrom")
    )
    assert await ask(add, contacts=[ADA, 5, DELETED], group=303) == [
        {"contactId": ADA, "status": True},
        {"contactId": 5, "status": False},
        {"contactId": DELETED, "status": False},
    ]
    groups = (await ask("contact/getContact", id=ADA))["groups"]
    assert [row["groupId"] for row in groups] == [301, 303]
    assert await ask(add, contacts=[ADA], group=303) == [{"contactId": ADA, "status": True}]
    assert await ask(remove, contacts=[ADA], group=301) == [{"contactId": ADA, "status": True}]
    groups = (await ask("contact/getContact", id=ADA))["groups"]
    assert [row["groupId"] for row in groups] == [303]


async def test_group_calls_can_refuse_single_contacts(ask: Ask, ivvy: Ivvy) -> None:
    ivvy.switches["group_refuses"] = [GRACE]
    call = "contact/addContactsToSubscriptionGroup"
    assert await ask(call, contacts=[ADA, GRACE], group=303) == [
        {"contactId": ADA, "status": True},
        {"contactId": GRACE, "status": False},
    ]


@pytest.mark.parametrize("action", ["addContactsTo", "removeContactsFrom"])
async def test_group_calls_require_contacts_and_a_known_group(fail: Ask, action: str) -> None:
    call = f"contact/{action}SubscriptionGroup"
    assert (await fail(call, group=303))["message"] == "'contacts' is required"
    assert (await fail(call, contacts=[ADA]))["message"] == "'group' is required"
    assert (await fail(call, contacts=ADA, group=303))["specificCode"] == 23016
    assert (await fail(call, contacts=[ADA], group=9))["specificCode"] == 90423
