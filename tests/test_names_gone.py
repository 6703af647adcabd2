"""Names that a backend has no more while the gateway still knows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.harness import Gateway


def remove_group(gateway: Gateway, backend: str, name: str, *, members: bool = True) -> None:
    """Take a group out of a backend, with its memberships unless `members` says no."""
    sandbox = gateway.sandbox
    if backend == "IVVY":
        state = sandbox.ivvy.dump()
        groups = state["tables"]["groups"]
        groups[:] = [row for row in groups if row["groupName"] != name]
        sandbox.ivvy.load(state)
        return
    state = sandbox.everbridge.dump()
    [gone] = [row for row in state["groups"] if row["name"] == name]
    state["groups"].remove(gone)
    for contact in state["contacts"] if members else ():
        contact["groups"] = [group for group in contact.get("groups", ()) if group != gone["id"]]
    sandbox.everbridge.load(state)


@pytest.mark.parametrize(("backend", "name"), [("IVVY", "VIP"), ("EVERBRIDGE", "Fire Wardens")])
async def test_a_group_that_has_gone_is_told_by_its_name_after_the_first_refusal(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, backend: str, name: str
) -> None:
    monkeypatch.setattr("gateway.catalogs.DOUBT_AFTER", 0.0)
    given = {"externalId": "E-1001", "addGroupsName": [name]}
    await gateway.upsert(given, targets=[backend], dryRun=True)
    remove_group(gateway, backend, name)
    refused = await gateway.upsert(given, targets=[backend])
    assert [(error["code"], error["backend"]) for error in refused.errors] == [("INVALID", backend)]
    gateway.sandbox.calls.clear()
    told = await gateway.upsert(given, targets=[backend])
    assert [(error["code"], error["field"]) for error in told.errors] == [
        ("NAME_NOT_FOUND", ["addGroupsName", "0"])
    ]
    assert gateway.calls(backend.lower(), writes=True) == []


async def test_a_group_that_has_gone_holds_up_no_other_that_is_to_be_left(gateway: Gateway) -> None:
    person = {"externalId": "E-1001", "groupsName": ["Fire Wardens", "Newsletter"]}
    await gateway.upsert(person, targets=["EVERBRIDGE"])
    remove_group(gateway, "EVERBRIDGE", "Fire Wardens", members=False)
    left = await gateway.upsert(person | {"groupsName": []}, targets=["EVERBRIDGE"])
    assert left.outcomes() == {"EVERBRIDGE": "UPDATED"}
    calls = left.result("EVERBRIDGE")["calls"]
    assert sorted(call["statusCode"] for call in calls) == [200, 404]
    [stored] = gateway.everbridge(externalId="E-1001")
    assert len(stored["groups"]) == 1


async def test_a_list_of_sendgrids_that_has_gone_holds_up_no_other(gateway: Gateway) -> None:
    person = {"email": "ada@example.com"}
    [held] = gateway.sendgrid("ada@example.com")
    names = gateway.group_names()["SENDGRID"]
    gone, *others = held["list_ids"]
    assert others
    gateway.sandbox.sendgrid.store.remove_list(gone, linger=True)
    left = await gateway.upsert(
        {**person, "firstName": "Augusta", "groupsName": []}, targets=["SENDGRID"]
    )
    assert left.outcomes() == {"SENDGRID": "ACCEPTED"}
    result = left.result("SENDGRID")
    assert sorted(call["statusCode"] for call in result["calls"]) == [202, 202, 404]
    assert result["changedFields"] == ["firstName", "groupsName"]
    gateway.clock.advance(60)
    [stored] = gateway.sendgrid("ada@example.com")
    assert stored["list_ids"] == [gone]
    told = await gateway.upsert({**person, "groupsName": []}, targets=["SENDGRID"])
    assert told.outcomes() == {"SENDGRID": "CONFIRMED"}
    assert told.result("SENDGRID")["jobs"] == []
    by_name = await gateway.upsert(
        {**person, "removeGroupsName": [names[gone]]}, targets=["SENDGRID"]
    )
    assert [error["code"] for error in by_name.errors] == ["NAME_NOT_FOUND"]
