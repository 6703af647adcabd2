"""What a slow or silent backend must not lead to: a write that should not have been."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from gateway.entries import CatalogName
from tests.harness import running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.sandbox.app import Sandbox
    from gateway.sandbox.clock import ManualClock
    from tests.harness import Gateway

LIST = "/api/1.0/contact?action=getContactList"


@pytest.fixture
async def hasty(sandbox: Sandbox, clock: ManualClock) -> AsyncIterator[Gateway]:
    """A gateway that waits a tenth of a second for a silent backend, with warm catalogs."""
    async with running(sandbox, clock, plan_wait_seconds=0.1) as gateway:
        yield gateway


def slow(gateway: Gateway, backend: str, path: str | None = None, **fault: Any) -> None:
    found: dict[str, Any] = {"backend": backend, "times": 20, "delayMs": 400, **fault}
    gateway.sandbox.faults.add(found | ({"path": path} if path else {}))


async def test_a_target_that_waits_for_its_siblings_has_time_of_its_own(hasty: Gateway) -> None:
    slow(hasty, "ivvy", LIST)
    answer = await hasty.upsert(
        {
            "externalId": "E-1001",
            "suffix": "Q1",
            "sendgrid": {"listIds": ["0e020309-86fd-50cc-bfa5-bfcfdc2c0000"]},
        }
    )
    assert answer.status == "REJECTED"
    assert answer.outcomes()["SENDGRID"] == "REJECTED"
    assert hasty.calls("everbridge", writes=True) == []


async def test_a_typo_is_told_even_when_the_list_that_lacks_it_comes_late(hasty: Gateway) -> None:
    known = await hasty.upsert(
        {"externalId": "E-1001", "email": "ada@example.com", "addGroupsName": ["VIP"]}
    )
    assert known.errors == []
    for adapter in hasty.app.state.account.adapters.values():
        adapter.catalogs.expire(CatalogName.GROUPS)
    slow(hasty, "sendgrid", "/v3/marketing/lists")
    answer = await hasty.upsert(
        {
            "externalId": "E-1001",
            "email": "ada@example.com",
            "lastName": "L4",
            "addGroupsName": ["Nonsuch"],
        }
    )
    assert answer.status == "PARTIAL"
    assert answer.outcomes()["SENDGRID"] == "REJECTED"
    assert [error["code"] for error in answer.errors] == ["NAME_NOT_FOUND"]


@pytest.mark.parametrize("fault", [{"status": 503, "delayMs": 1}, {}])
async def test_what_is_wrong_whatever_is_stored_is_told_by_a_silent_backend_too(
    hasty: Gateway, fault: dict[str, Any]
) -> None:
    slow(hasty, "everbridge", **fault)
    answer = await hasty.upsert(
        {
            "externalId": "E-1001",
            "email": "ada@example.com",
            "lastName": "NEW",
            "suffix": "waytoolongsuffix",
        }
    )
    assert answer.status == "REJECTED"
    assert answer.outcomes() == {
        "IVVY": "SKIPPED",
        "EVERBRIDGE": "REJECTED",
        "SENDGRID": "SKIPPED",
    }
    [problem] = answer.errors
    assert (problem["code"], problem["field"], problem["retryable"]) == (
        "TOO_LONG",
        ["suffix"],
        False,
    )


async def test_a_borrowed_key_does_not_depend_on_who_answers_first(hasty: Gateway) -> None:
    await hasty.upsert(
        {"externalId": "E-1001", "email": "old.ada@example.com"}, targets=["EVERBRIDGE"]
    )
    slow(hasty, "ivvy", LIST)
    answer = await hasty.upsert({"externalId": "E-1001", "lastName": "Late"})
    assert answer.outcomes()["EVERBRIDGE"] == "UPDATED"
    assert answer.outcomes()["SENDGRID"] == "FAILED"
    hasty.clock.advance(60)
    assert hasty.sendgrid("old.ada@example.com") == []


@pytest.mark.parametrize("fault", [{"status": 503, "delayMs": 1}, {}])
async def test_no_second_sendgrid_contact_is_made_while_the_sibling_that_could_tell_is_silent(
    hasty: Gateway, fault: dict[str, Any]
) -> None:
    slow(hasty, "ivvy", LIST, **fault)
    answer = await hasty.upsert(
        {"externalId": "E-1004", "email": "m2@example.com"}, targets=["IVVY", "SENDGRID"]
    )
    assert answer.outcomes()["SENDGRID"] == "FAILED"
    [problem] = answer.result("SENDGRID")["errors"]
    assert (problem["code"], problem["retryable"]) == ("UNAVAILABLE", True)
    hasty.clock.advance(60)
    assert hasty.sendgrid("m2@example.com") == []


async def test_what_failed_is_not_told_as_changed(gateway: Gateway) -> None:
    gateway.sandbox.faults.add(
        {"backend": "everbridge", "method": "DELETE", "times": 20, "status": 500}
    )
    answer = await gateway.upsert(
        {"externalId": "E-1001", "suffix": "Z", "removeGroupsName": ["Newsletter"]},
        targets=["EVERBRIDGE"],
    )
    assert answer.outcomes() == {"EVERBRIDGE": "PARTIAL"}
    assert answer.result("EVERBRIDGE")["changedFields"] == ["suffix"]


async def test_a_caller_that_goes_away_does_not_stop_a_write(gateway: Gateway) -> None:
    gateway.sandbox.faults.add(
        {"backend": "everbridge", "method": "PUT", "times": 1, "delayMs": 300}
    )
    call = asyncio.create_task(
        gateway.upsert({"externalId": "E-1001", "suffix": "Gone"}, targets=["EVERBRIDGE"])
    )
    while not gateway.calls("everbridge", writes=True):  # noqa: ASYNC110 - the sandbox tells nobody
        await asyncio.sleep(0.01)
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    await gateway.app.state.account.writer.drain()
    assert gateway.everbridge(externalId="E-1001")[0]["suffix"] == "Gone"
