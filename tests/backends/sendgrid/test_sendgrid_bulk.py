"""A bulk in SendGrid: few calls for all of it, and each contact's own end."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from strawberry import ID

from gateway.backends.adapter import Found, Stored
from gateway.backends.sendgrid.job import Jobs, moment
from gateway.model import Backend
from gateway.operations import bulk_delivering
from gateway.results import BackendResult, ImportJob, JobStatus, Outcome
from tests.harness import running
from tests.operations.bulk import (
    items_of,
    outcomes_of,
    people,
    until_over,
    until_tried,
    upsert_all,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.sandbox.app import Sandbox
    from gateway.sandbox.clock import ManualClock
    from tests.harness import Gateway

LISE = "lise@example.org"
FEW = 12
"""Calls of a kind for some hundred contacts: one or two, more where the machine is busy."""


@pytest.fixture
async def bulk(
    sandbox: Sandbox, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Gateway]:
    """A gateway that asks after jobs soon."""
    monkeypatch.setattr(bulk_delivering, "QUIET", 0.05)
    monkeypatch.setattr("gateway.operations.worker.POLL_SECONDS", 0.02)
    async with running(sandbox, clock, job_look_seconds=0.05) as started:
        yield started


def counted(gateway: Gateway) -> Counter[tuple[str, str]]:
    """How often each call was made, by method and the last word of its path."""
    paths = ((call["method"], call["path"]) for call in gateway.calls("sendgrid"))
    return Counter(
        (method, "imports" if "/imports/" in path else path.rpartition("/")[2])
        for method, path in paths
    )


def outcomes(items: list[dict[str, Any]]) -> list[str]:
    return [outcomes_of(item)["SENDGRID"] for item in items]


async def test_exact_sets_of_many_contacts_cost_few_calls(
    bulk: Gateway, clock: ManualClock
) -> None:
    payload = await upsert_all(
        bulk, people(130, groupsName=["Newsletter", "VIP"]), targets=["SENDGRID"]
    )
    await until_tried(bulk, payload["operation"]["id"])
    calls = counted(bulk)
    assert 2 <= calls["POST", "emails"] <= FEW
    assert 1 <= calls["PUT", "contacts"] <= FEW
    clock.advance(60)
    over = await until_over(bulk, payload["operation"]["id"])
    assert (over["status"], over["completed"]) == ("SUCCEEDED", 130)
    assert counted(bulk)["GET", "imports"] <= 60, "one job, not 130"
    assert all(len(bulk.sendgrid(f"bulk{place}@example.com")) == 1 for place in (0, 129))


async def test_many_contacts_leave_a_list_with_few_calls(bulk: Gateway, clock: ManualClock) -> None:
    first = await upsert_all(
        bulk, people(120, addGroupsName=["Newsletter", "VIP"]), targets=["SENDGRID"]
    )
    await until_tried(bulk, first["operation"]["id"])
    clock.advance(60)
    await until_over(bulk, first["operation"]["id"])
    bulk.sandbox.calls.clear()
    second = await upsert_all(bulk, people(120, groupsName=["VIP"]), targets=["SENDGRID"])
    await until_tried(bulk, second["operation"]["id"])
    calls = counted(bulk)
    assert 2 <= calls["POST", "emails"] <= FEW
    assert 2 <= calls["DELETE", "contacts"] <= FEW
    clock.advance(60)
    assert (await until_over(bulk, second["operation"]["id"]))["status"] == "SUCCEEDED"
    [held] = bulk.sendgrid("bulk7@example.com")
    names = bulk.group_names()["SENDGRID"]
    assert [names[one] for one in held["list_ids"]] == ["VIP"]


@pytest.mark.parametrize("ends_as", ["documented", "completed"])
async def test_of_a_shared_job_that_fails_for_one_contact_the_others_are_confirmed(
    bulk: Gateway, clock: ManualClock, ends_as: str
) -> None:
    bulk.sandbox.sendgrid.switches["errors_end_as"] = ends_as
    # Lise Otto holds an external id too, which a plain patch in email mode does not send.
    inputs = [*people(110), {"email": LISE, "firstName": "Bulk", "lastName": "Person"}]
    payload = await upsert_all(bulk, inputs, targets=["SENDGRID"])
    await until_tried(bulk, payload["operation"]["id"])
    clock.advance(60)
    over = await until_over(bulk, payload["operation"]["id"])
    assert (over["status"], over["failed"]) == ("PARTIAL", 1)
    items = await items_of(bulk, payload["operation"]["id"])
    assert outcomes(items) == ["CONFIRMED"] * 110 + ["FAILED"]
    [problem] = items[-1]["steps"][0]["result"]["errors"]
    assert "lastName" in problem["message"] or "firstName" in problem["message"]
    calls = counted(bulk)
    assert 1 <= calls["PUT", "contacts"] <= FEW
    assert calls["POST", "emails"] <= FEW, "111 contacts are read back by hundreds"
    assert calls["GET", "imports"] <= 60


async def test_one_that_sendgrid_refuses_spoils_no_other(bulk: Gateway) -> None:
    bulk.sandbox.sendgrid.switches["blame"] = "none"
    inputs = people(30)
    inputs[7]["email"] = "bülk@example.com"
    payload = await upsert_all(bulk, inputs, targets=["SENDGRID"])
    items = await until_tried(bulk, payload["operation"]["id"])
    found = outcomes(items)
    assert found.pop(7) == "REJECTED"
    assert set(found) <= {"ACCEPTED", "CONFIRMED"}
    [error] = items[7]["steps"][0]["result"]["errors"]
    assert "'bülk@example.com' is not valid" in error["message"]
    assert counted(bulk)["PUT", "contacts"] <= 1 + 2 * 5 + FEW


async def test_who_was_written_again_since_a_job_that_ended_with_errors_is_not_said_to_have_failed(
    bulk: Gateway, clock: ManualClock
) -> None:
    # Lise Otto's makes the job end with errors, as above.
    inputs = [*people(2), {"email": LISE, "firstName": "Bulk"}]
    first = await upsert_all(bulk, inputs, targets=["SENDGRID"])
    await until_tried(bulk, first["operation"]["id"])
    second = await upsert_all(bulk, [people(1)[0] | {"firstName": "Later"}], targets=["SENDGRID"])
    await until_tried(bulk, second["operation"]["id"])
    clock.advance(60)
    await until_over(bulk, first["operation"]["id"])
    items = await items_of(bulk, first["operation"]["id"])
    assert outcomes(items) == ["ACCEPTED", "CONFIRMED", "FAILED"]
    result = items[0]["steps"][0]["result"]
    assert result["errors"] == []
    assert [warning["code"] for warning in result["warnings"]] == ["UNCONFIRMED"]


@pytest.mark.parametrize(
    ("started_at", "updated_at", "may_be"),
    [
        ("2026-07-15T16:19:27Z", "2026-07-15T16:19:26.999999999Z", False),
        ("2026-07-15T16:19:27Z", "2026-07-15T16:19:57.687296469Z", True),
        ("2026-07-15T16:19:27Z", "2026-07-15T16:19:27Z", True),
        (None, "2026-07-15T16:19:26Z", True),
        ("2026-07-15T16:19:27Z", None, True),
        ("2026-07-15T16:19:27Z", "just now", True),
    ],
)
async def test_when_a_contact_was_written_tells_whether_a_job_may_have_written_it(
    bulk: Gateway,
    monkeypatch: pytest.MonkeyPatch,
    started_at: str | None,
    updated_at: str | None,
    may_be: bool,
) -> None:
    adapter = bulk.app.state.account.adapters[Backend.SENDGRID]
    monkeypatch.setattr(Jobs, "began", lambda *_: moment(started_at))
    raw = {"updated_at": updated_at}
    stored = Stored(id="c-1", external_id=None, email=LISE, raw=raw, read_at=0.0)
    job = ImportJob(backend=Backend.SENDGRID, id=ID("j-1"), status=JobStatus.ERRORED)
    result = BackendResult(backend=Backend.SENDGRID, outcome=Outcome.ACCEPTED, jobs=[job])
    assert adapter.may_be_overwritten(result, Found(stored=stored)) is may_be
    assert not adapter.may_be_overwritten(result, Found(stored=None))
    job.status = JobStatus.FAILED
    assert not adapter.may_be_overwritten(result, Found(stored=stored)), "it has written nothing"
