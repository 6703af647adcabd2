"""groupsName, addGroupsName and removeGroupsName give the same result on all three."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.harness import Gateway

PERSON: dict[str, Any] = {
    "externalId": "E-8100",
    "email": "groups@example.com",
    "firstName": "Group",
    "lastName": "Member",
}


def memberships(gateway: Gateway) -> dict[str, set[str]]:
    gateway.clock.advance(60)
    names = gateway.group_names()
    [ivvy] = gateway.ivvy(externalId="E-8100")
    [everbridge] = gateway.everbridge(externalId="E-8100")
    [sendgrid] = gateway.sendgrid("groups@example.com")
    return {
        "IVVY": {names["IVVY"][str(group["groupId"])] for group in ivvy["groups"]},
        "EVERBRIDGE": {names["EVERBRIDGE"][str(group)] for group in everbridge["groups"]},
        "SENDGRID": {names["SENDGRID"][group] for group in sendgrid["list_ids"]},
    }


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"groupsName": ["Berlin Office"]}, {"Berlin Office"}),
        ({"groupsName": ["Newsletter", "Berlin Office"]}, {"Newsletter", "Berlin Office"}),
        ({"groupsName": []}, set()),
        ({"groupsName": None}, set()),
        ({"addGroupsName": ["Berlin Office"]}, {"Newsletter", "Berlin Office"}),
        ({"addGroupsName": ["Newsletter"]}, {"Newsletter"}),
        ({"removeGroupsName": ["Newsletter"]}, set()),
        ({"removeGroupsName": ["Berlin Office"]}, {"Newsletter"}),
        (
            {"addGroupsName": ["Berlin Office"], "removeGroupsName": ["Newsletter"]},
            {"Berlin Office"},
        ),
        ({"addGroupsName": None, "removeGroupsName": None}, {"Newsletter"}),
        ({"groupsName": [" newsletter "]}, {"Newsletter"}),
        ({"lastName": "Other"}, {"Newsletter"}),
    ],
)
async def test_memberships_are_the_same_everywhere(
    gateway: Gateway, change: dict[str, Any], expected: set[str]
) -> None:
    made = await gateway.upsert(PERSON | {"groupsName": ["Newsletter"]})
    assert made.errors == []
    assert set(map(frozenset, memberships(gateway).values())) == {frozenset({"Newsletter"})}
    answer = await gateway.upsert(PERSON | change)
    assert answer.errors == []
    assert memberships(gateway) == dict.fromkeys(("IVVY", "EVERBRIDGE", "SENDGRID"), expected)


async def test_groups_of_a_new_contact_are_the_same_everywhere(gateway: Gateway) -> None:
    answer = await gateway.upsert(PERSON | {"addGroupsName": ["Newsletter", "Berlin Office"]})
    assert answer.errors == []
    expected = {"Newsletter", "Berlin Office"}
    assert memberships(gateway) == dict.fromkeys(("IVVY", "EVERBRIDGE", "SENDGRID"), expected)


async def test_removal_that_fails_after_the_write_is_partial(gateway: Gateway) -> None:
    await gateway.upsert(PERSON | {"groupsName": ["Newsletter"]})
    gateway.sandbox.faults.add(
        {"backend": "everbridge", "method": "DELETE", "times": 50, "status": 503}
    )
    answer = await gateway.upsert(
        PERSON | {"groupsName": [], "lastName": "Changed"}, targets=["EVERBRIDGE"]
    )
    assert answer.status == "PARTIAL"
    assert answer.outcomes() == {"EVERBRIDGE": "PARTIAL"}
    statuses = [call["statusCode"] for call in answer.result("EVERBRIDGE")["calls"]]
    assert statuses == [200, 503]
    assert gateway.everbridge(externalId="E-8100")[0]["lastName"] == "Changed"


async def test_a_name_that_is_missing_while_a_catalog_cannot_be_read_is_no_input_error(
    gateway: Gateway,
) -> None:
    gateway.sandbox.faults.add(
        {"backend": "sendgrid", "path": "/v3/marketing/lists", "times": 100, "status": 503}
    )
    answer = await gateway.upsert(PERSON | {"groupsName": ["Black Friday"]})
    assert answer.outcomes() == {
        "IVVY": "CREATED",
        "EVERBRIDGE": "CREATED",
        "SENDGRID": "FAILED",
    }
    [problem] = answer.errors
    assert (problem["backend"], problem["code"]) == ("SENDGRID", "UNAVAILABLE")
    assert answer.result("IVVY")["ignoredFields"] == ["groupsName"]


async def test_two_lists_of_one_name_are_ambiguous_with_their_ids(gateway: Gateway) -> None:
    answer = await gateway.upsert(PERSON | {"companiesName": ["Twin Peaks Catering"]})
    assert answer.status == "REJECTED"
    [problem] = answer.errors
    assert (problem["code"], problem["backend"]) == ("NAME_AMBIGUOUS", "IVVY")
    assert len(problem["suggestions"]) == 2
    assert all(suggestion in problem["message"] for suggestion in problem["suggestions"])


async def test_an_id_wins_over_the_name(gateway: Gateway) -> None:
    ids = {name: group for group, name in gateway.group_names()["IVVY"].items()}
    answer = await gateway.upsert(
        PERSON | {"groupsName": ["Newsletter"], "ivvy": {"groupIds": [ids["Berlin Office"]]}},
        targets=["IVVY"],
    )
    assert answer.errors == []
    assert "groupsName" in answer.result("IVVY")["ignoredFields"]
    [contact] = gateway.ivvy(externalId="E-8100")
    assert [str(group["groupId"]) for group in contact["groups"]] == [ids["Berlin Office"]]
