"""`contact(by)` through GraphQL: who is asked by what, and what becomes of failures."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.harness import running
from tests.reading import CONTACT, backends, read, record, refusal

if TYPE_CHECKING:
    from gateway.sandbox.app import Sandbox
    from gateway.sandbox.clock import ManualClock
    from tests.harness import Gateway

NO_IVVY = {"ivvy_base_url": None, "ivvy_api_key": None, "ivvy_api_secret": None}
NO_EVERBRIDGE = {
    "everbridge_organization_id": None,
    "everbridge_username": None,
    "everbridge_password": None,
}
NO_SENDGRID = {"sendgrid_api_key": None}
ALL = ["IVVY", "EVERBRIDGE", "SENDGRID"]


async def absent(gateway: Gateway, **by: str) -> bool:
    return (await gateway.data(CONTACT, by=by))["contact"] is None


# ---------------------------------------------------------------- who is asked by what


@pytest.mark.parametrize(
    "by",
    [
        {"externalId": "E-1001"},
        {"email": "ada@example.com"},
        {"email": "ADA@Example.com"},
        {"ivvyId": "40001"},
        {"everbridgeId": "1300000000000001"},
        {"sendgridId": "56c7eb18-1c23-549a-8ee6-0944312350fb"},
    ],
    ids=lambda by: next(iter(by)),
)
async def test_every_key_leads_to_all_records_of_the_person(
    gateway: Gateway, by: dict[str, str]
) -> None:
    contact = await read(gateway, **by)
    assert backends(contact) == ALL
    assert contact["errors"] == []
    assert (contact["externalId"], contact["email"]) == ("E-1001", "ada@example.com")
    assert (contact["firstName"], contact["lastName"]) == ("Ada", "Byron")
    assert contact["phone"] == "+447700900101"


async def test_a_backend_that_does_not_hold_the_person_has_no_record(gateway: Gateway) -> None:
    assert backends(await read(gateway, externalId="E-1002")) == ["IVVY", "EVERBRIDGE"]
    assert backends(await read(gateway, externalId="E-1003")) == ["EVERBRIDGE"]
    assert backends(await read(gateway, externalId="E-1004")) == ["IVVY", "SENDGRID"]
    assert backends(await read(gateway, email="rosalind@example.com")) == ["SENDGRID"]


async def test_a_person_whom_nobody_knows_is_null_without_an_error(gateway: Gateway) -> None:
    assert await absent(gateway, externalId="E-9999")
    assert await absent(gateway, email="nobody@example.com")
    assert await absent(gateway, ivvyId="99999")
    assert await absent(gateway, everbridgeId="1300000000000999")
    assert await absent(gateway, sendgridId="00000000-0000-4000-8000-000000000000")


async def test_an_id_of_another_form_is_nobodys(gateway: Gateway) -> None:
    assert await absent(gateway, ivvyId="abc")
    assert await absent(gateway, ivvyId="9" * 40)
    assert await absent(gateway, everbridgeId="E-1001")
    assert await absent(gateway, sendgridId="40001")
    assert gateway.recorded() == []


async def test_an_external_id_that_everbridge_cannot_hold_is_not_asked_for_there(
    gateway: Gateway,
) -> None:
    assert await absent(gateway, externalId="E" * 5000)
    assert gateway.calls("everbridge") == []
    assert len(gateway.calls("ivvy")) == 1


async def test_an_external_id_with_a_comma_is_one_external_id(gateway: Gateway) -> None:
    given = {
        "externalId": "E-1,2",
        "firstName": "Comma",
        "lastName": "Case",
        "recordTypeName": "Employee",
    }
    await gateway.upsert(given, targets=["EVERBRIDGE"])
    assert backends(await read(gateway, externalId="E-1,2")) == ["EVERBRIDGE"]


async def test_the_email_of_another_person_does_not_make_them_one(gateway: Gateway) -> None:
    """SendGrid's record by iVvy's e-mail holds another externalId: it is somebody else."""
    await gateway.upsert(
        {
            "externalId": "E-5001",
            "email": "lise@example.org",
            "firstName": "Lina",
            "lastName": "Other",
        },
        targets=["IVVY"],
    )
    assert backends(await read(gateway, externalId="E-5001")) == ["IVVY"]
    assert backends(await read(gateway, email="lise@example.org")) == ["IVVY"]


async def test_a_record_reached_by_email_tells_the_external_id(gateway: Gateway) -> None:
    contact = await read(gateway, email="lise@example.org")
    assert (backends(contact), contact["externalId"]) == (["SENDGRID"], "E-3001")
    asked = gateway.calls("everbridge")
    assert [call["query"].get("externalIds") for call in asked if "contacts" in call["path"]] == [
        "E-3001"
    ]


async def test_several_ivvy_contacts_of_one_address_are_a_conflict_that_names_them(
    gateway: Gateway,
) -> None:
    contact = await read(gateway, email="office@example.com")
    assert contact["records"] == []
    [problem] = contact["errors"]
    assert (problem["backend"], problem["code"]) == ("IVVY", "CONFLICT")
    assert "40004, 40005" in problem["message"]
    assert backends(await read(gateway, externalId="E-2001")) == ["IVVY"]


async def test_where_sendgrid_is_used_by_external_id_it_is_asked_by_that_first(
    sandbox: Sandbox, clock: ManualClock
) -> None:
    async with running(sandbox, clock, sendgrid_identifier="external_id") as gateway:
        contact = await read(gateway, externalId="E-3001")
        assert backends(contact) == ["SENDGRID"]
        assert contact["records"][0]["externalId"] == "E-3001"
        assert backends(await read(gateway, externalId="E-1001")) == ALL, "by iVvy's e-mail"


# ---------------------------------------------------------------- what cannot be asked


@pytest.mark.parametrize(
    ("by", "words"),
    [
        ({"email": "nobody"}, "is not an e-mail address"),
        ({"email": " "}, "email is empty"),
        ({"externalId": ""}, "externalId is empty"),
        ({"ivvyId": " "}, "ivvyId is empty"),
    ],
)
async def test_a_key_that_can_be_no_key_is_an_error(
    gateway: Gateway, by: dict[str, str], words: str
) -> None:
    error = await refusal(gateway, **by)
    assert error["extensions"]["code"] == "INVALID"
    assert words in error["message"]
    assert gateway.recorded() == []


async def test_two_keys_or_none_are_refused(gateway: Gateway) -> None:
    for by in ({}, {"externalId": "E-1001", "email": "ada@example.com"}):
        answer = await gateway.ask(CONTACT, by=by)
        assert answer.get("data") is None
        assert answer["errors"]


@pytest.mark.parametrize(
    ("settings", "by"),
    [
        (NO_IVVY, {"ivvyId": "40001"}),
        (NO_IVVY | NO_SENDGRID, {"email": "ada@example.com"}),
        (NO_IVVY | NO_EVERBRIDGE, {"externalId": "E-1001"}),
        (NO_IVVY | NO_EVERBRIDGE | NO_SENDGRID, {"externalId": "E-1001"}),
    ],
)
async def test_a_key_that_no_configured_backend_takes_is_an_error(
    sandbox: Sandbox, clock: ManualClock, settings: dict[str, Any], by: dict[str, str]
) -> None:
    async with running(sandbox, clock, **settings) as gateway:
        error = await refusal(gateway, **by)
    assert error["extensions"]["code"] == "NOT_CONFIGURED"
    assert next(iter(by)) in error["message"]


# ---------------------------------------------------------------- names


async def test_a_list_that_cannot_be_read_leaves_ids_and_is_told(gateway: Gateway) -> None:
    gateway.sandbox.faults.add(
        {"backend": "everbridge", "path": "/groups/1000000000000001/pagination",
         "times": 9, "status": 403, "body": {"status": 403, "message": "Access is denied"}}
    )  # fmt: skip
    contact = await read(gateway, externalId="E-1001")
    assert backends(contact) == ALL
    everbridge = contact["records"][1]
    assert everbridge["groupsName"][0] == "1200000000000001"
    assert everbridge["recordTypeName"] == "Employee"
    [problem] = contact["errors"]
    assert (problem["backend"], problem["code"]) == ("EVERBRIDGE", "FORBIDDEN")
    assert problem["message"].startswith("Everbridge's groups could not be read, so their ids")
    [vip] = [item for item in contact["differences"] if item["field"] == "groupsName.VIP"]
    assert [value["backend"] for value in vip["values"]] == ["IVVY", "SENDGRID"]
    assert "groupsName.Berlin Office" not in {item["field"] for item in contact["differences"]}, (
        "of the two whose groups are known, neither has it"
    )


async def test_a_group_that_is_newer_than_the_list_gets_its_name(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    await read(gateway, externalId="E-1001")
    store = gateway.sandbox.ivvy._store
    store.put("groups", {"id": 304, "groupName": "Brand New", "tagColour": None})
    joined = {"groupId": 304, "joinDate": store.stamp()}
    store.put("contacts", {**(store.get("contacts", 40001) or {}), "groups": [joined]})
    assert (await record(gateway, "IVVY", externalId="E-1001"))["groupsName"] == ["304"]
    monkeypatch.setattr("gateway.catalogs.REREAD_EVERY", 0.0)
    assert (await record(gateway, "IVVY", externalId="E-1001"))["groupsName"] == ["Brand New"]


async def test_statuses_and_links_are_read_although_lists_do_not_show_them(
    gateway: Gateway,
) -> None:
    grace = await record(gateway, "IVVY", externalId="E-1002")
    assert (grace["emailStatus"], grace["smsStatus"]) == (None, "SUBSCRIBED"), "registering"
    assert grace["externalUrls"] == [
        {"ref": "intranet", "url": "https://example.com/people/grace", "label": "Intranet"}
    ]
    assert grace["companiesName"] == ["Analytical Engines"]
    assert grace["raw"]["status"] == 4


async def test_the_query_in_the_documentation_reads_all_three(gateway: Gateway) -> None:
    page = (Path(__file__).parents[1] / "docs" / "reading.md").read_text()
    [query] = re.findall(r"```graphql\n(.*?)```", page, re.DOTALL)
    contact = (await gateway.data(query))["contact"]
    assert backends(contact) == ALL
