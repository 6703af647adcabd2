"""Where the backends disagree about a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.harness import running
from tests.reading import read

if TYPE_CHECKING:
    from gateway.sandbox.app import Sandbox
    from gateway.sandbox.clock import ManualClock
    from tests.harness import Gateway

Differences = dict[str, dict[str, str | None]]

EDITH: dict[str, Any] = {
    "externalId": "E-7001",
    "email": "edith@example.com",
    "firstName": "Edith",
    "lastName": "Clarke",
    "phone": "+44 7700 900701",
    "countryCode": "GB",
    "recordTypeName": "Employee",
    "groupsName": ["Newsletter"],
    "customFields": [{"name": "Shift", "values": ["Day"]}, {"name": "Notes", "values": ["x"]}],
}


async def differences(gateway: Gateway, **by: str) -> Differences:
    contact = await read(gateway, **by)
    return {
        item["field"]: {value["backend"]: value["value"] for value in item["values"]}
        for item in contact["differences"]
    }


async def edith(gateway: Gateway, **changed: Any) -> Differences:
    """What differs once one backend has been told something else than the others."""
    backend = changed.pop("backend")
    await gateway.upsert(EDITH)
    gateway.clock.advance(60)
    answer = await gateway.upsert(
        {"externalId": "E-7001", "email": "edith@example.com"} | changed, targets=[backend]
    )
    assert answer.errors == []
    gateway.clock.advance(60)
    return await differences(gateway, externalId="E-7001")


async def test_backends_that_were_told_the_same_do_not_disagree(gateway: Gateway) -> None:
    await gateway.upsert(EDITH)
    gateway.clock.advance(60)
    assert await differences(gateway, externalId="E-7001") == {}


@pytest.mark.parametrize(
    ("changed", "field", "values"),
    [
        (
            {"backend": "EVERBRIDGE", "firstName": "Edie"},
            "firstName",
            {"IVVY": "Edith", "EVERBRIDGE": "Edie", "SENDGRID": "Edith"},
        ),
        (
            {"backend": "SENDGRID", "phone": None},
            "phone",
            {"IVVY": "+447700900701", "EVERBRIDGE": "+447700900701", "SENDGRID": None},
        ),
        (
            {"backend": "EVERBRIDGE", "countryCode": "US"},
            "countryCode",
            {"EVERBRIDGE": "US", "SENDGRID": "GB"},
        ),
        (
            {"backend": "IVVY", "addGroupsName": ["Berlin Office"]},
            "groupsName.Berlin Office",
            {"IVVY": "Berlin Office", "EVERBRIDGE": None, "SENDGRID": None},
        ),
        (
            {"backend": "IVVY", "addGroupsName": ["VIP"]},
            "groupsName.VIP",
            {"IVVY": "VIP", "SENDGRID": None},
        ),
        (
            {"backend": "EVERBRIDGE", "customFields": [{"name": "Shift", "values": ["Night"]}]},
            "customFields.Shift",
            {"IVVY": "Day", "EVERBRIDGE": "Night", "SENDGRID": "Day"},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_field_that_one_backend_has_otherwise_is_a_difference(
    gateway: Gateway, changed: dict[str, Any], field: str, values: dict[str, str | None]
) -> None:
    assert await edith(gateway, **changed) == {field: values}


async def test_the_first_address_is_compared_as_one(gateway: Gateway) -> None:
    found = await edith(
        gateway,
        backend="EVERBRIDGE",
        addresses=[{"line1": "1  Test Street", "city": "Schenectady", "countryCode": "US"}],
    )
    assert found["addresses"] == {
        "EVERBRIDGE": "1 Test Street, Schenectady, US",
        "SENDGRID": None,
    }


async def test_notation_and_case_are_no_difference(gateway: Gateway) -> None:
    await gateway.upsert(EDITH | {"email": "Edith@example.com", "lastName": "Clark\u00e9"})
    gateway.clock.advance(60)
    [ivvy] = gateway.ivvy(externalId="E-7001")
    store = gateway.sandbox.ivvy._store
    shown = {"phone": "+44 (7700) 900 701", "firstName": " Edith ", "lastName": "Clarke\u0301"}
    store.put("contacts", ivvy | shown)
    contact = await read(gateway, externalId="E-7001")
    assert contact["differences"] == []
    assert contact["email"] == "Edith@example.com"


async def test_what_only_one_of_the_backends_can_hold_is_no_difference(
    sandbox: Sandbox, clock: ManualClock
) -> None:
    async with running(
        sandbox, clock, everbridge_email_path=None, everbridge_phone_path=None
    ) as gateway:
        contact = await read(gateway, externalId="E-1002")
    assert [item["backend"] for item in contact["records"]] == ["IVVY", "EVERBRIDGE"]
    assert contact["records"][1]["email"] is None
    fields = {item["field"] for item in contact["differences"]}
    assert fields == {"groupsName.Newsletter", "groupsName.Berlin Office", "customFields.Shift"}
