"""A contact that leaves a list of SendGrid's: a job that is done may have changed nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.harness import running
from tests.operations.calls import outcomes, steps, store_durably, until, until_ended

if TYPE_CHECKING:
    from gateway.sandbox.app import Sandbox
    from gateway.sandbox.clock import ManualClock
    from tests.harness import Gateway

LEAVE = {"email": "ada@example.com", "removeGroupsName": ["Newsletter"]}


async def test_a_removal_that_is_seen_is_confirmed(quick: Gateway, clock: ManualClock) -> None:
    operation_id = await store_durably(quick, LEAVE, targets=["SENDGRID"])
    await until(quick, operation_id, SENDGRID="ACCEPTED")
    clock.advance(60)
    assert outcomes(await until_ended(quick, operation_id)) == {"SENDGRID": "CONFIRMED"}


async def test_a_removal_whose_job_is_not_known_is_confirmed_once_it_is_seen(
    quick: Gateway, clock: ManualClock
) -> None:
    quick.sandbox.sendgrid.switches["removal_jobs_known"] = False
    given = {"email": "ada@example.com", "firstName": "Augusta", "groupsName": ["VIP"]}
    operation_id = await store_durably(quick, given, targets=["SENDGRID"])
    await until(quick, operation_id, SENDGRID="ACCEPTED")
    clock.advance(60)
    result = steps(await until_ended(quick, operation_id))["SENDGRID"]["result"]
    assert result["outcome"] == "CONFIRMED"
    assert [job["status"] for job in result["jobs"]] == ["COMPLETED", "PENDING"]


@pytest.mark.usefixtures("soon")
async def test_a_write_whose_job_is_not_known_and_that_is_never_seen_is_not_confirmed(
    sandbox: Sandbox, clock: ManualClock
) -> None:
    sandbox.sendgrid.switches.update(list_removal_works=False, removal_jobs_known=False)
    async with running(sandbox, clock, job_look_seconds=0.01, job_follow_minutes=0.005) as gateway:
        operation_id = await store_durably(gateway, LEAVE, targets=["SENDGRID"])
        await until(gateway, operation_id, SENDGRID="ACCEPTED")
        clock.advance(60)
        result = steps(await until_ended(gateway, operation_id))["SENDGRID"]["result"]
        assert result["outcome"] == "ACCEPTED"
        assert [job["status"] for job in result["jobs"]] == ["UNCONFIRMED"]
        assert [warning["code"] for warning in result["warnings"]] == ["UNCONFIRMED"]


@pytest.mark.usefixtures("soon")
async def test_a_removal_that_is_done_and_never_seen_is_not_confirmed(
    sandbox: Sandbox, clock: ManualClock
) -> None:
    now = {"apply_seconds": 0.0, "finish_seconds": 0.0}
    sandbox.sendgrid.switches.update(now, list_removal_works=False)
    async with running(sandbox, clock, job_look_seconds=0.01, job_follow_minutes=0.005) as gateway:
        operation_id = await store_durably(gateway, LEAVE, targets=["SENDGRID"])
        result = steps(await until_ended(gateway, operation_id))["SENDGRID"]["result"]
        assert result["outcome"] == "ACCEPTED"
        assert [job["status"] for job in result["jobs"]] == ["COMPLETED"]
        assert [warning["code"] for warning in result["warnings"]] == ["UNCONFIRMED"]


async def test_leaving_a_list_that_is_no_more_is_confirmed_with_the_rest(
    quick: Gateway, clock: ManualClock
) -> None:
    [held] = quick.sendgrid("ada@example.com")
    quick.sandbox.sendgrid.store.remove_list(held["list_ids"][0], linger=True)
    gone = {"email": "ada@example.com", "firstName": "Augusta", "groupsName": None}
    operation_id = await store_durably(quick, gone, targets=["SENDGRID"])
    await until(quick, operation_id, SENDGRID="ACCEPTED")
    clock.advance(60)
    assert outcomes(await until_ended(quick, operation_id)) == {"SENDGRID": "CONFIRMED"}
