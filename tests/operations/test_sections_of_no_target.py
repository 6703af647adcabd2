"""A native section of a backend that is no target of the call reaches nobody, and is told so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.harness import running
from tests.leads import OF_ADA, upsert_lead
from tests.operations.bulk import upsert_all
from tests.operations.calls import store_durably, until

if TYPE_CHECKING:
    from gateway.sandbox.app import Sandbox
    from gateway.sandbox.clock import ManualClock
    from tests.harness import Gateway

TOPICS = {"everbridge": {"topicIds": ["1600000000000003"]}}
ADA = {"externalId": "E-1001", "email": "ada@example.com"}


def told(results: list[dict[str, Any]]) -> dict[str, list[str]]:
    """The native sections that each backend has ignored."""
    sections = {"ivvy", "everbridge", "sendgrid"}
    return {one["backend"]: [f for f in one["ignoredFields"] if f in sections] for one in results}


async def test_every_target_tells_of_it_as_of_any_field_that_it_cannot_hold(
    gateway: Gateway,
) -> None:
    answer = await gateway.upsert({**ADA, **TOPICS}, targets=["IVVY", "SENDGRID"])
    assert answer.errors == []
    assert told(answer.data["results"]) == {"IVVY": ["everbridge"], "SENDGRID": ["everbridge"]}
    native = {"ivvy": {"updateIfExists": None}, "sendgrid": {"emailChange": "REJECT"}}
    answer = await gateway.upsert({**ADA, **native}, targets=["EVERBRIDGE"])
    assert told(answer.data["results"]) == {"EVERBRIDGE": ["ivvy", "sendgrid"]}


@pytest.mark.parametrize("section", [None, {}])
async def test_one_that_says_nothing_is_not_told(gateway: Gateway, section: Any) -> None:
    answer = await gateway.upsert({**ADA, "everbridge": section}, targets=["IVVY"])
    assert told(answer.data["results"]) == {"IVVY": []}


async def test_one_of_a_backend_that_is_not_configured_is_told(
    sandbox: Sandbox, clock: ManualClock
) -> None:
    native = {"sendgrid": {"anonymousId": "a"}}
    async with running(sandbox, clock, sendgrid_api_key=None) as gateway:
        answer = await gateway.upsert({**ADA, **TOPICS, **native})
        assert told(answer.data["results"]) == {"IVVY": ["sendgrid"], "EVERBRIDGE": ["sendgrid"]}
        answer = await gateway.upsert({**ADA, **native}, targets=["IVVY", "SENDGRID"])
        assert told(answer.data["results"]) == {"IVVY": [], "SENDGRID": []}  # it is a target


@pytest.mark.parametrize("bulk", [True, False])
@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        (["IVVY", "SENDGRID"], {"IVVY": ["everbridge"], "SENDGRID": ["everbridge"]}),
        (None, {"IVVY": [], "EVERBRIDGE": [], "SENDGRID": []}),
    ],
)
async def test_a_delivery_later_tells_the_same(
    quick: Gateway, bulk: bool, targets: list[str] | None, expected: dict[str, list[str]]
) -> None:
    contact = {**ADA, **TOPICS}
    if bulk:
        payload = await upsert_all(quick, [contact], targets=targets)
        operation = str(payload["operation"]["id"])
    else:
        operation = await store_durably(quick, contact, targets=targets)
    steps = await until(quick, operation, IVVY="UNCHANGED", SENDGRID="ACCEPTED")
    if "EVERBRIDGE" in expected:
        steps = await until(quick, operation, EVERBRIDGE="UPDATED")
    assert told([step["result"] for step in steps.values()]) == expected


async def test_a_lead_tells_of_its_contacts_sections_for_others(gateway: Gateway) -> None:
    contact = {
        **OF_ADA["contact"],
        "ivvy": {"groupIds": ["301"]},
        "everbridge": {"recordTypeId": "1"},
        "sendgrid": {"listIds": ["x"]},
    }
    answer = await upsert_lead(gateway, OF_ADA | {"contact": contact})
    assert answer.errors == []
    assert answer.result["ignoredFields"] == ["contact.everbridge", "contact.sendgrid"]
    assert answer.contact["ignoredFields"] == ["everbridge", "sendgrid"]
