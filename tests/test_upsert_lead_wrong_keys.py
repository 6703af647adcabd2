"""A contact or a company that cannot be looked for, because its only key is wrong, hides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.harness import running
from tests.leads import ADA, ENGINES, NAMES, OF_ADA, refused, upsert_lead

if TYPE_CHECKING:
    from gateway.sandbox.app import Sandbox
    from gateway.sandbox.clock import ManualClock
    from tests.harness import Gateway

BADGE: dict[str, Any] = {"customFields": [{"name": "Badge number", "values": ["x"]}]}


@pytest.mark.parametrize(
    ("key", "beside", "field"),
    [
        ({"email": "nobody"}, {}, "contact.email"),
        ({"externalId": " "}, {}, "contact.externalId"),
        ({"ivvy": {"id": "x"}}, {}, "contact.ivvy.id"),
        ({}, {"contactId": "x"}, "ivvy.contactId"),
    ],
)
async def test_nothing_is_asked_for_that_the_contact_may_have(
    gateway: Gateway, key: dict[str, Any], beside: dict[str, Any], field: str
) -> None:
    lead = {"externalId": "L-1", "contact": key | BADGE, "ivvy": {"stageId": "24", **beside}}
    answer = await refused(gateway, lead)
    missing = ("name", "typeName", "sourceName", "industryName")
    assert answer.told() == dict.fromkeys(missing, "REQUIRED") | {
        field: "INVALID",
        "ivvy.stageId": "NOT_FOUND",
        "contact.customFields.0.values.0": "INVALID",
    }


@pytest.mark.parametrize(
    ("company", "beside", "field"),
    [
        ({"name": " "}, {}, "company.name"),
        ({"ivvy": {"id": "x"}}, {}, "company.ivvy.id"),
        ({}, {"companyId": "x"}, "ivvy.companyId"),
    ],
)
@pytest.mark.parametrize("contact", [{"externalId": "E-1001"}, None])
async def test_nothing_is_asked_for_that_the_company_may_have(
    gateway: Gateway,
    company: dict[str, Any],
    beside: dict[str, Any],
    field: str,
    contact: dict[str, Any] | None,
) -> None:
    rooms = {"customFields": [{"name": "Rooms", "values": ["x"]}]}
    ids = beside | ({} if contact else {"contactId": str(ADA)})
    lead = NAMES | {"contact": contact, "company": company | rooms, "ivvy": ids}
    answer = await refused(gateway, lead)
    assert answer.told() == {field: "INVALID", "company.customFields.0.values.0": "INVALID"}


async def test_a_contact_whose_key_is_wrong_is_not_taken_for_the_stored_leads_own(
    gateway: Gateway,
) -> None:
    lead = {"ivvy": {"id": "9002"}, "contact": {"email": "nobody"} | BADGE, "company": {"name": ""}}
    answer = await refused(gateway, lead)
    assert answer.told() == {
        "contact.email": "INVALID",
        "contact.customFields.0.values.0": "INVALID",
        "company.name": "INVALID",
    }
    for related in (answer.contact, answer.company):
        assert (related["id"], related["matchedBy"]) == (None, None)


async def test_a_contact_is_looked_for_by_the_key_that_is_right(gateway: Gateway) -> None:
    stored = {"externalId": "E-1001", "email": "nobody"}
    answer = await refused(gateway, OF_ADA | {"contact": stored})
    assert answer.told() == {"contact.email": "INVALID"}
    answer = await refused(gateway, OF_ADA | {"contact": stored | {"externalId": "E-9"}})
    assert answer.told() == {
        "contact.email": "INVALID",
        "contact.firstName": "REQUIRED",
        "contact.lastName": "REQUIRED",
    }


async def test_nothing_is_said_of_whom_a_company_or_contact_without_any_key_has(
    gateway: Gateway,
) -> None:
    answer = await refused(gateway, {"ivvy": {"id": "9001"}, "company": {"phone": None}})
    assert answer.told() == {"company.name": "REQUIRED"}
    lead = NAMES | {"contact": {"firstName": "Ada"}, "ivvy": {"companyId": str(ENGINES)}}
    answer = await refused(gateway, lead)
    assert answer.told() == {"contact.lastName": "REQUIRED", "contact.email": "REQUIRED"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"ivvy": {"id": "99999"}, "contact": {"externalId": "E-1001"} | BADGE},
            {("ivvy.id", "NOT_FOUND"), ("contact.customFields.0.values.0", "INVALID")},
        ),
        (
            {"ivvy": {"id": "nine"}, "customFields": [{"name": "Delegates", "values": ["x"]}]},
            {("ivvy.id", "INVALID"), ("customFields.0.values", "INVALID")},
        ),
        (
            {
                "contact": {"externalId": "E-NEW", "email": "ada@example.com"} | BADGE,
                "company": {
                    "ivvy": {"id": "99999"},
                    "customFields": [{"name": "Rooms", "values": ["x"]}],
                },
            },
            {
                ("contact.externalId", "CONFLICT"),
                ("contact.customFields.0.values.0", "INVALID"),
                ("company.ivvy.id", "NOT_FOUND"),
                ("company.customFields.0.values.0", "INVALID"),
            },
        ),
        ({"ivvy": {"id": "99999"}, "name": "x", "company": None}, {("ivvy.id", "NOT_FOUND")}),
    ],
)
async def test_no_key_of_a_lead_hides_a_wrong_value(
    sandbox: Sandbox,
    clock: ManualClock,
    given: dict[str, Any],
    expected: set[tuple[str, str]],
) -> None:
    async with running(sandbox, clock, ivvy_lead_fields={"Delegates": "701 NUMBER"}) as gateway:
        whole = (
            {} if given.get("name") else {key: OF_ADA[key] for key in OF_ADA if key != "contact"}
        )
        lead = await upsert_lead(gateway, whole | given)
        assert {(".".join(one["field"]), one["code"]) for one in lead.errors} == expected
        assert gateway.calls("ivvy", writes=True) == []
