"""A job that many writes share: asked after once, remembered for each of its contacts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
import pytest

from gateway.backends.sendgrid import job as job_module
from gateway.errors import BackendFailure, NotWrittenError
from gateway.results import JobStatus, Outcome
from tests.backends.sendgrid.sending import contact, write_of
from tests.backends.sendgrid.upserting import upserted

if TYPE_CHECKING:
    from gateway.results import ImportJob
    from tests.backends.sendgrid.conftest import Account

ADA, MARY, LISE, NEW = "ada@example.com", "mary@example.com", "lise@example.org", "new@example.com"


def questions(account: Account) -> int:
    """How often jobs were asked after."""
    return len([path for _, path in account.wire.calls if "/imports/" in path])


async def written(account: Account, *people: str) -> str:
    """Write several contacts in one call; the id of their job."""
    results = await asyncio.gather(
        *(upserted(account, contact(email=one, first_name="N")) for one in people)
    )
    [job_id] = {str(job.id) for result in results for job in result.jobs}
    assert len(account.wire.sent()) == 1
    return job_id


async def status(account: Account, job_id: str) -> JobStatus | None:
    job = await account.adapter.job(job_id, account.exchange())
    return None if job is None else job.status


# ---------------------------------------------------------------- how it stands


async def test_many_who_ask_at_once_are_told_by_one_call(sharing: Account) -> None:
    job_id = await written(sharing, ADA, MARY)
    told = await asyncio.gather(*(status(sharing, job_id) for _ in range(50)))
    assert (told, questions(sharing)) == ([JobStatus.PENDING] * 50, 1)


async def test_for_a_second_the_status_is_told_again(sharing: Account) -> None:
    job_id = await written(sharing, ADA)
    assert await status(sharing, job_id) is JobStatus.PENDING
    assert await status(sharing, job_id) is JobStatus.PENDING
    assert questions(sharing) == 1
    sharing.pass_time(60)
    assert await status(sharing, job_id) is JobStatus.COMPLETED
    assert questions(sharing) == 2


async def test_a_job_that_has_ended_is_not_asked_after_again(sharing: Account) -> None:
    job_id = await written(sharing, ADA)
    await sharing.settled()
    first = await sharing.adapter.job(job_id, sharing.exchange())
    assert first is not None
    first.status = JobStatus.UNCONFIRMED  # whoever is told may change its own
    sharing.pass_time(600)
    assert await status(sharing, job_id) is JobStatus.COMPLETED
    assert questions(sharing) == 1


async def test_only_so_many_jobs_are_known(
    sharing: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_module, "MOST_KNOWN", 1)
    one = await written(sharing, ADA)
    other = "00000000-0000-4000-8000-000000000000"
    for job_id in (one, other, one):
        await status(sharing, job_id)
    assert questions(sharing) == 3


async def test_a_failure_is_told_to_all_and_not_kept(sharing: Account) -> None:
    job_id = await written(sharing, ADA)
    sharing.wire.stub = lambda _request: httpx.Response(403, json={"errors": []})
    told = await asyncio.gather(
        *(status(sharing, job_id) for _ in range(3)), return_exceptions=True
    )
    assert all(isinstance(one, BackendFailure) for one in told)
    assert questions(sharing) == 1
    sharing.wire.stub = lambda _request: None
    assert await status(sharing, job_id) is JobStatus.PENDING


async def test_who_has_less_time_than_the_first_does_not_wait_for_it(sharing: Account) -> None:
    job_id = await written(sharing, ADA)
    sharing.wire.open.clear()
    sharing.wire.reached.clear()
    patient = asyncio.create_task(sharing.adapter.job(job_id, sharing.exchange()))
    await sharing.wire.reached.wait()
    with pytest.raises(NotWrittenError):
        await sharing.adapter.job(job_id, sharing.exchange(0.0))
    sharing.wire.open.set()
    job: ImportJob | None = await patient
    assert job is not None


async def test_an_answer_that_nobody_waits_for_any_more_does_no_harm(sharing: Account) -> None:
    sharing.wire.stub = lambda _request: httpx.Response(403, json={"errors": []})
    sharing.wire.open.clear()
    asking = asyncio.create_task(sharing.adapter.job("j-1", sharing.exchange()))
    await sharing.wire.reached.wait()
    asking.cancel()
    sharing.wire.open.set()
    with pytest.raises(NotWrittenError):
        await sharing.adapter.job("j-1", sharing.exchange())


# ---------------------------------------------------------------- what is remembered


async def test_each_contact_of_a_shared_call_has_its_own_note(sharing: Account) -> None:
    await asyncio.gather(
        *(
            upserted(sharing, contact(email=one, add_groups_name=["Berlin Office"]))
            for one in (ADA, NEW)
        )
    )
    assert len(sharing.adapter.memory) == 2
    sharing.pass_time(1)
    # Neither is shown on the list yet; an exact set without it takes Ada off again.
    result = await sharing.write(email=ADA, groups_name=["VIP"])
    assert [call.method for call in result.calls].count("DELETE") == 2
    again = await sharing.write(email=NEW, groups_name=["Berlin Office"])
    assert again.outcome is Outcome.ACCEPTED
    await sharing.settled()
    assert sharing.lists_of(ADA) == {"VIP"}
    assert sharing.lists_of(NEW) == {"Berlin Office"}


async def test_merged_writes_are_remembered_together(sharing: Account) -> None:
    hers = {"anonymous_id": "x"}
    first = write_of(contact(email=NEW, sendgrid=hers))
    plans = [await sharing.plan(first), await sharing.plan(write_of(contact(email=NEW)))]
    calls = [(call, sharing.exchange()) for plan in plans for call in plan.calls]
    replies = await asyncio.gather(*(sharing.adapter.send(*call) for call in calls))
    for (call, _), answer in zip(calls, replies, strict=True):
        sharing.adapter.read_answer(call, answer)
    assert len(sharing.wire.sent()) == 1
    # The one that came later says nothing of the identifier, which is to be sent again all the same.
    again = await sharing.write(email=NEW, first_name="N", sendgrid=hers)
    [sent] = sharing.wire.contacts()[-1]
    assert (again.outcome, sent["anonymous_id"]) == (Outcome.ACCEPTED, "x")


async def test_a_job_that_is_seen_to_end_while_a_contact_is_read_still_counts(
    sharing: Account,
) -> None:
    await asyncio.gather(
        *(
            upserted(sharing, contact(email=one, add_groups_name=["Berlin Office"]))
            for one in (ADA, MARY)
        )
    )
    sharing.pass_time(10)
    stale = sharing.held(ADA).list_ids
    sharing.wire.open.clear()
    sharing.wire.reached.clear()

    def stub(request: httpx.Request) -> httpx.Response | None:
        if request.url.path.endswith("/search/emails"):
            row = {"id": sharing.held(ADA).id, "email": ADA, "list_ids": stale}
            return httpx.Response(200, json={"result": {ADA: {"contact": row}}})
        return None

    sharing.wire.stub = stub
    # Mary's write has asked how the job stands a moment ago, so Ada's does not ask.
    [job_id] = sharing.adapter.memory.due(f"email:{MARY}", sharing.now)
    finding = asyncio.create_task(sharing.find(write_of(contact(email=ADA, groups_name=[]))))
    await sharing.wire.reached.wait()
    sharing.adapter.memory.forget(job_id, sharing.now)
    sharing.wire.open.set()
    found = await finding
    assert found.stored is not None
    berlin = next(
        one.id for one in sharing.sendgrid.store.lists.values() if one.name == "Berlin Office"
    )
    assert berlin in found.stored.raw["list_ids"]


# ---------------------------------------------------------------- a job that fails for one of them


async def test_of_a_job_that_ended_with_errors_each_contact_can_be_read_back(
    sharing: Account,
) -> None:
    # Lise Otto holds an external id too, which a plain patch in email mode does not send.
    job_id = await written(sharing, ADA, LISE)
    await sharing.settled()
    assert await status(sharing, job_id) is JobStatus.ERRORED
    held = {one: sharing.held(one).texts["first_name"] for one in (ADA, LISE)}
    assert held == {ADA: "N", LISE: "Lise"}


# ---------------------------------------------------------------- what is about to be accepted


async def test_a_write_that_reads_knows_of_those_that_are_about_to_leave(sharing: Account) -> None:
    sharing.wire.gated = {"PUT"}
    sharing.wire.open.clear()
    plain = [
        asyncio.create_task(upserted(sharing, contact(email=ADA, first_name=name)))
        for name in ("Augusta", "Countess")
    ]
    await sharing.wire.reached.wait()
    # SendGrid still shows the name that is wanted; only what is on its way tells otherwise.
    plan = await sharing.plan(write_of(contact(email=ADA, first_name="Ada", groups_name=["VIP"])))
    assert "firstName" in plan.changed
    sharing.wire.open.set()
    await asyncio.gather(*plain)


async def test_a_caller_who_hangs_up_is_written_all_the_same(sharing: Account) -> None:
    sharing.wire.open.clear()
    sharing.wire.reached.clear()
    caller = asyncio.create_task(upserted(sharing, contact(email=NEW, first_name="N")))
    while not sharing.adapter._writes.under_way(NEW):  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    sharing.wire.open.set()
    await sharing.writer.drain()
    await sharing.settled()
    assert sharing.held(NEW).texts["first_name"] == "N"
