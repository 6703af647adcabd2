"""Sections 5.1, 5.2, 5.4 and 5.7 of the contract: what addOrUpdateContact does and refuses."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.sandbox.ivvy import Ivvy

    Ask = Callable[..., Awaitable[Any]]

WRITE, READ = "contact/addOrUpdateContact", "contact/getContact"
ADA, GRACE, MARY = 40001, 40002, 40003
NEW = {"firstName": "Emmy", "lastName": "Noether", "email": "emmy@example.com"}
SHIFT = 501


async def test_create_answers_with_the_bare_id_and_stores_the_contact(ask: Ask) -> None:
    answer = await ask(WRITE, **NEW, phone="+44 7700 900111", externalId="E-7", status=2)
    assert set(answer) == {"id"}
    contact = await ask(READ, id=answer["id"])
    assert {key: contact[key] for key in (*NEW, "phone", "externalId", "status")} == {
        **NEW,
        "phone": "+44 7700 900111",
        "externalId": "E-7",
        "status": 2,
    }


async def test_write_answer_switch_adds_success(ask: Ask, ivvy: Ivvy) -> None:
    ivvy.switches["write_answer"] = "success"
    answer = await ask(WRITE, id=ADA, phone="1")
    assert answer == {"success": True, "id": ADA}


@pytest.mark.parametrize("missing", NEW)
@pytest.mark.parametrize("value", [None, ""])
async def test_create_requires_first_name_last_name_and_email(
    fail: Ask, missing: str, value: str | None
) -> None:
    assert await fail(WRITE, **{**NEW, missing: value}) == {
        "errorCode": 400,
        "message": f"'{missing}' is required",
        "specificCode": 23017,
    }
    rest = {key: text for key, text in NEW.items() if key != missing}
    assert (await fail(WRITE, **rest))["specificCode"] == 23017


async def test_update_requires_nothing_and_keeps_what_is_absent(ask: Ask) -> None:
    before = await ask(READ, id=ADA)
    assert await ask(WRITE, id=ADA, phone="+44 7700 900199") == {"id": ADA}
    after = await ask(READ, id=ADA)
    changed = {key for key in after if after[key] != before[key]}
    assert changed == {"phone", "modifiedDate"}


async def test_id_of_the_wrong_type_is_the_documented_error(fail: Ask) -> None:
    assert await fail(READ, id="six") == {
        "errorCode": 400,
        "message": "'id' does not validate",
        "specificCode": 23016,
        "additionalMessages": ["Value must be a whole number"],
    }


BAD_PARAMETERS: dict[str, list[Any]] = {
    "id": ["x", 1.5, True, {}],
    "externalId": [7, []],
    "firstName": [7],
    "email": ["not an address", "two@at@example.com", 7],
    "phone": [44],
    "groups": ["301", [301], [{"id": 301}], [{"groupId": "x"}], {}],
    "customFields": ["x", [{"fieldId": SHIFT}], [{"value": "1"}], [{"fieldId": "x", "value": 1}]],
    "companies": [7001, ["x"], [{"id": 7001}]],
    "status": [0, 4, 6, "Subscribed"],
    "smsStatus": [0, 5],
    "updateIfExists": ["yes", 2],
    "externalUrls": [
        {"ref": "a"},
        [{"url": "https://example.com"}],
        [{"ref": "", "url": "https://example.com"}],
        [{"ref": "a", "url": "http://example.com"}],
        [{"ref": "a", "url": ""}],
        [{"ref": "a", "label": 7}],
    ],
    "privacyConsent": ["true"],
}


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in BAD_PARAMETERS.items() for value in values],
)
async def test_wrong_type_names_the_parameter(fail: Ask, name: str, value: Any) -> None:
    answer = await fail(WRITE, **{"id": ADA, name: value})
    assert answer["message"] == f"'{name}' does not validate"
    assert (answer["errorCode"], answer["specificCode"]) == (400, 23016)
    assert len(answer["additionalMessages"]) == 1


async def test_only_the_first_bad_parameter_is_reported(fail: Ask) -> None:
    answer = await fail(WRITE, id=ADA, status=4, email="nonsense", phone=7)
    assert answer["message"] == "'email' does not validate"


async def test_numeric_string_is_taken_for_an_id(ask: Ask) -> None:
    assert (await ask(READ, id=str(ADA)))["id"] == ADA


async def test_unknown_parameters_are_ignored(ask: Ask) -> None:
    assert await ask(WRITE, id=ADA, LastName="Lovelace", favourite=1) == {"id": ADA}
    assert (await ask(READ, id=ADA))["lastName"] == "Byron"


async def test_email_status_4_is_refused_and_5_is_taken(ask: Ask, fail: Ask) -> None:
    assert (await fail(WRITE, id=ADA, status=4))["specificCode"] == 23016
    await ask(WRITE, id=ADA, status=5, smsStatus=4)
    contact = await ask(READ, id=ADA)
    assert (contact["status"], contact["smsStatus"]) == (5, 4)


async def test_email_status_4_is_read(ask: Ask) -> None:
    assert (await ask(READ, id=GRACE))["status"] == 4


async def test_groups_override_the_whole_set_and_keep_join_dates(ask: Ask) -> None:
    await ask(WRITE, id=MARY, groups=[{"groupId": 303}, {"groupId": 302}])
    groups = (await ask(READ, id=MARY))["groups"]
    assert [row["groupId"] for row in groups] == [303, 302]
    assert groups[0] == {"contactId": MARY, "groupId": 303, "joinDate": "2024-04-03 09:00:00"}


@pytest.mark.parametrize(
    ("switch", "rule", "sent", "left"),
    [
        ("groups_empty", "clear", [], []),
        ("groups_empty", "keep", [], [301, 303]),
        ("groups_null", "keep", None, [301, 303]),
        ("groups_null", "clear", None, []),
    ],
)
async def test_empty_groups_and_null_follow_their_switches(
    ask: Ask, ivvy: Ivvy, switch: str, rule: str, sent: Any, left: list[int]
) -> None:
    ivvy.switches[switch] = rule
    await ask(WRITE, id=MARY, groups=sent)
    assert [row["groupId"] for row in (await ask(READ, id=MARY))["groups"]] == left


async def test_null_groups_can_be_an_error(fail: Ask, ivvy: Ivvy) -> None:
    ivvy.switches["groups_null"] = "error"
    assert (await fail(WRITE, id=MARY, groups=None))["message"] == "'groups' does not validate"


@pytest.mark.parametrize(("rule", "left"), [("replace", [7003]), ("merge", [7002, 7003])])
async def test_sent_companies_replace_unless_told_to_merge(
    ask: Ask, ivvy: Ivvy, rule: str, left: list[int]
) -> None:
    ivvy.switches["companies_on_update"] = rule
    await ask(WRITE, id=MARY, companies=[7003])
    contact = await ask(READ, id=MARY)
    assert contact["companies"] == left
    assert contact["companiesData"][-1] == {"id": 7003, "businessName": "Twin Peaks Catering"}


@pytest.mark.parametrize(("rule", "left"), [("keep", [7002]), ("clear", [])])
async def test_null_companies_follow_their_switch(
    ask: Ask, ivvy: Ivvy, rule: str, left: list[int]
) -> None:
    ivvy.switches["companies_null"] = rule
    await ask(WRITE, id=MARY, companies=None)
    assert (await ask(READ, id=MARY))["companies"] == left


BROKEN_RULES: dict[str, dict[str, Any]] = {
    "Contact 5 does not exist": {"id": 5},
    "Contact 40006 does not exist": {"id": 40006},
    "Subscription group 9 does not exist": {"groups": [{"groupId": 301}, {"groupId": 9}]},
    "Company 9 does not exist": {"companies": [9]},
    "Custom field 9 does not exist": {"customFields": [{"fieldId": 9, "value": "x"}]},
}


@pytest.mark.parametrize("message", BROKEN_RULES)
async def test_broken_rule_is_success_false_and_changes_nothing(
    ask: Ask, ivvy: Ivvy, message: str
) -> None:
    before = deepcopy(ivvy.dump())
    sent = {"id": ADA, "phone": "+44 7700 900188", **BROKEN_RULES[message]}
    assert await ask(WRITE, **sent) == {"success": False, "message": message}
    assert ivvy.dump() == before


async def test_broken_rule_can_be_an_error_object(fail: Ask, ivvy: Ivvy) -> None:
    ivvy.switches["business_errors"] = "error_object"
    answer = await fail(WRITE, id=5)
    assert (answer["errorCode"], answer["message"]) == (400, "Contact 5 does not exist")
    assert not 23000 <= answer["specificCode"] <= 24999


async def test_update_if_exists_updates_the_same_name_and_email(ask: Ask) -> None:
    ada = {"firstName": "ada", "lastName": "BYRON", "email": "Ada@example.com"}
    answer = await ask(WRITE, **ada, phone="+44 7700 900177", updateIfExists=True)
    assert answer == {"id": ADA}
    assert (await ask(READ, id=ADA))["phone"] == "+44 7700 900177"


async def test_update_if_exists_compares_exactly_when_told(ask: Ask, ivvy: Ivvy) -> None:
    ivvy.switches["match_case"] = "exact"
    other = {"firstName": "ada", "lastName": "Byron", "email": "ada@example.com"}
    assert (await ask(WRITE, **other, updateIfExists=True))["id"] != ADA


async def test_update_if_exists_creates_when_one_of_the_three_differs(ask: Ask) -> None:
    other = {"firstName": "Ada", "lastName": "King", "email": "ada@example.com"}
    assert (await ask(WRITE, **other, updateIfExists=True))["id"] != ADA


async def test_update_if_exists_is_ignored_with_an_id(ask: Ask) -> None:
    ada = {"firstName": "Ada", "lastName": "Byron", "email": "ada@example.com"}
    assert await ask(WRITE, id=GRACE, **ada, updateIfExists=True) == {"id": GRACE}


@pytest.mark.parametrize(("rule", "chosen"), [("first", 0), ("last", 1), ("refuse", None)])
async def test_several_matches_follow_their_switch(
    ask: Ask, ivvy: Ivvy, rule: str, chosen: int | None
) -> None:
    ivvy.switches.update(duplicate_contact="create", several_matches=rule)
    made = [(await ask(WRITE, **NEW))["id"], (await ask(WRITE, **NEW))["id"]]
    answer = await ask(WRITE, **NEW, updateIfExists=True)
    if chosen is None:
        assert answer == {"success": False, "message": "More than one contact matches"}
    else:
        assert answer == {"id": made[chosen]}


@pytest.mark.parametrize("rule", ["refuse", "create", "update"])
async def test_duplicate_create_follows_its_switch(ask: Ask, ivvy: Ivvy, rule: str) -> None:
    first = await ask(WRITE, **NEW)
    ivvy.switches["duplicate_contact"] = rule
    second = await ask(WRITE, **NEW)
    if rule == "refuse":
        assert second["success"] is False
        assert "already exists" in second["message"]
    else:
        assert (second == first) is (rule == "update")


@pytest.mark.parametrize(
    ("switches", "sent", "phone"),
    [
        ({}, "", ""),
        ({"text_clear": "keep"}, "", "+44 7700 900101"),
        ({}, None, "+44 7700 900101"),
        ({"null_scalar": "clear"}, None, None),
    ],
)
async def test_empty_text_clears_and_null_keeps_unless_switched(
    ask: Ask, ivvy: Ivvy, switches: dict[str, str], sent: str | None, phone: str | None
) -> None:
    ivvy.switches.update(switches)
    await ask(WRITE, id=ADA, phone=sent)
    assert (await ask(READ, id=ADA))["phone"] == phone


async def test_null_scalar_can_be_an_error(fail: Ask, ivvy: Ivvy) -> None:
    ivvy.switches["null_scalar"] = "error"
    assert (await fail(WRITE, id=ADA, phone=None))["message"] == "'phone' does not validate"


async def test_cleared_external_id_reads_null(ask: Ask) -> None:
    await ask(WRITE, id=ADA, externalId="")
    assert (await ask(READ, id=ADA))["externalId"] is None


async def test_clearing_a_required_text_follows_its_switch(ask: Ask, fail: Ask, ivvy: Ivvy) -> None:
    await ask(WRITE, id=ADA, lastName="")
    assert (await ask(READ, id=ADA))["lastName"] == ""
    ivvy.switches["clear_required"] = "refuse"
    assert (await fail(WRITE, id=ADA, email=""))["message"] == "'email' does not validate"


async def test_privacy_consent_is_recorded_with_source_api(ask: Ask) -> None:
    await ask(WRITE, id=ADA, privacyConsent=True)
    consent = (await ask(READ, id=ADA))["privacyConsentData"]
    assert set(consent) == {"source", "dateTime"}
    assert consent["source"] == 5


@pytest.mark.parametrize("rule", ["keep", "clear"])
async def test_privacy_consent_false_follows_its_switch(ask: Ask, ivvy: Ivvy, rule: str) -> None:
    ivvy.switches["privacy_consent_false"] = rule
    await ask(WRITE, id=MARY, privacyConsent=False)
    assert ((await ask(READ, id=MARY))["privacyConsentData"] is None) is (rule == "clear")
