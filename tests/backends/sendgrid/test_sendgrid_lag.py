"""SendGrid shows a write half a minute later: nothing may be lost or undone meanwhile."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
import pytest

from gateway.backends.sendgrid.memory import REMEMBERED
from gateway.errors import NotWrittenError
from gateway.model import CustomFieldInput, MissingPolicy
from gateway.results import Outcome, ProblemCode
from tests.backends.sendgrid.sending import contact, write_of
from tests.backends.sendgrid.upserting import upserted

if TYPE_CHECKING:
    from tests.backends.sendgrid.conftest import Account

ADA, NEW = "ada@example.com", "new@example.com"


async def test_an_exact_set_leaves_a_list_that_was_joined_a_moment_ago(account: Account) -> None:
    await account.write(email=ADA, add_groups_name=["Berlin Office"])
    account.pass_time(1)
    result = await account.write(email=ADA, groups_name=["VIP"])
    assert [call.method for call in result.calls].count("DELETE") == 2
    await account.settled()
    assert account.lists_of(ADA) == {"VIP"}


async def test_a_list_that_was_left_a_moment_ago_can_be_joined_again(account: Account) -> None:
    await account.write(email=ADA, remove_groups_name=["VIP"])
    account.pass_time(1)
    await account.write(email=ADA, groups_name=["VIP", "Newsletter"])
    await account.settled()
    assert account.lists_of(ADA) == {"VIP", "Newsletter"}


async def test_a_field_that_a_read_does_not_show_yet_can_be_set_back(account: Account) -> None:
    await account.write(email=ADA, first_name="Augusta")
    account.pass_time(1)
    # The read still says Ada, which is what is wanted: only what is remembered tells otherwise.
    result = await account.write(email=ADA, first_name="Ada", groups_name=["Newsletter", "VIP"])
    assert result.outcome is Outcome.ACCEPTED
    assert "firstName" in result.changed_fields
    await account.settled()
    assert account.held(ADA).texts["first_name"] == "Ada"


async def test_a_text_that_a_read_does_not_show_yet_is_cleared(account: Account) -> None:
    rosalind = "rosalind@example.com"
    notes = CustomFieldInput(name="notes", values=["soon"])
    await account.write(email=rosalind, custom_fields=[notes])
    account.pass_time(1)
    await account.write(email=rosalind, custom_fields=None)
    await account.settled()
    assert account.custom(rosalind) == {}


async def test_a_new_contact_cannot_leave_a_list_before_it_can_be_read(account: Account) -> None:
    await account.write(email=NEW, groups_name=["VIP", "Newsletter"])
    account.pass_time(5)
    write = write_of(contact(email=NEW, groups_name=["VIP"]))
    with pytest.raises(NotWrittenError) as caught:
        await account.plan(write)
    problem = caught.value.problem
    assert (problem.code, problem.retryable) == (ProblemCode.UNAVAILABLE, True)
    assert problem.retry_after_seconds is not None
    assert 30 < problem.retry_after_seconds <= 40
    await account.settled()
    await account.write(email=NEW, groups_name=["VIP"])
    await account.settled()
    assert account.lists_of(NEW) == {"VIP"}


async def test_removal_by_name_waits_for_a_readable_contact_too(account: Account) -> None:
    await account.write(email=NEW, add_groups_name=["VIP"])
    with pytest.raises(NotWrittenError):
        await account.plan(write_of(contact(email=NEW, remove_groups_name=["VIP"])))
    # A list that it was never on needs no call.
    plan = await account.plan(write_of(contact(email=NEW, remove_groups_name=["Newsletter"])))
    assert plan.outcome is Outcome.UNCHANGED


async def test_the_same_exact_set_again_needs_no_readable_contact(account: Account) -> None:
    await account.write(email=NEW, groups_name=["VIP"])
    again = await account.write(email=NEW, groups_name=["VIP"])
    assert [call.method for call in again.calls] == ["PUT"]
    await account.settled()
    assert account.lists_of(NEW) == {"VIP"}


async def test_if_missing_skip_does_not_skip_a_contact_that_was_accepted(
    account: Account,
) -> None:
    await account.write(email=NEW)
    how = {"if_missing": MissingPolicy.SKIP}
    found = await account.find(write_of(contact(email=NEW, first_name="N"), **how))
    assert not found.looked
    assert account.adapter.lock_keys(write_of(contact(email=NEW)), found) == [f"email:{NEW}"]


async def test_a_write_that_reads_asks_how_the_job_stands(account: Account) -> None:
    await account.write(email=ADA, add_groups_name=["Berlin Office"])
    await account.settled()
    account.wire.calls.clear()
    again = await account.write(email=ADA, groups_name=["VIP", "Newsletter", "Berlin Office"])
    assert again.outcome is Outcome.UNCHANGED
    assert len([path for _, path in account.wire.calls if "imports" in path]) == 1
    assert len(account.adapter.memory) == 0


async def test_after_a_removal_has_ended_the_contact_is_read_once_more(account: Account) -> None:
    await account.write(email=ADA, remove_groups_name=["VIP"])
    await account.settled()
    account.wire.calls.clear()
    again = await account.write(email=ADA, groups_name=["Newsletter"])
    assert again.outcome is Outcome.UNCHANGED
    reads = [path for _, path in account.wire.calls if path.endswith("/search/emails")]
    assert len(reads) == 2
    assert len(account.adapter.memory) == 0


async def test_a_removal_that_failed_is_made_again(account: Account) -> None:
    account.sendgrid.switches["list_removal_works"] = False
    await account.write(email=ADA, remove_groups_name=["VIP"])
    await account.settled()
    account.sendgrid.switches["list_removal_works"] = True
    result = await account.write(email=ADA, remove_groups_name=["VIP"])
    assert result.outcome is Outcome.ACCEPTED
    await account.settled()
    assert account.lists_of(ADA) == {"Newsletter"}


async def test_a_status_that_cannot_be_read_leaves_the_write_remembered(account: Account) -> None:
    await account.write(email=ADA, add_groups_name=["Berlin Office"])
    account.pass_time(10)
    account.wire.stub = lambda request: (
        httpx.Response(403, json={"errors": []}) if "imports" in request.url.path else None
    )
    result = await account.write(email=ADA, groups_name=["VIP", "Newsletter"])
    assert [call.method for call in result.calls] == ["DELETE"]


async def test_a_job_that_sendgrid_knows_no_more_is_over(account: Account) -> None:
    await account.write(email=ADA, add_groups_name=["Berlin Office"])
    await account.settled()
    account.wire.stub = lambda request: (
        httpx.Response(404, json={"errors": []}) if "imports" in request.url.path else None
    )
    again = await account.write(email=ADA, groups_name=["VIP", "Newsletter", "Berlin Office"])
    assert again.outcome is Outcome.UNCHANGED
    assert len(account.adapter.memory) == 0


async def test_an_upserts_unknown_job_is_over_at_the_first_look(account: Account) -> None:
    await account.write(email=ADA, add_groups_name=["Berlin Office"])
    account.wire.stub = lambda request: (
        httpx.Response(404, json={"errors": []}) if "imports" in request.url.path else None
    )
    account.pass_time(10)
    assert len(account.adapter.memory) == 1
    await account.find(write_of(contact(email=ADA, groups_name=["VIP"])))
    assert len(account.adapter.memory) == 0


async def test_a_job_that_cannot_be_asked_after_is_not_taken_for_over_at_once(
    account: Account,
) -> None:
    account.wire.stub = lambda request: (
        httpx.Response(404, json={"errors": []}) if "imports" in request.url.path else None
    )
    await account.write(email=ADA, remove_groups_name=["VIP"])
    account.pass_time(10)
    again = await account.write(email=ADA, groups_name=["VIP", "Newsletter"])
    assert again.outcome is Outcome.ACCEPTED
    await account.settled()
    assert account.lists_of(ADA) == {"VIP", "Newsletter"}


async def test_a_write_is_forgotten_in_the_end(account: Account) -> None:
    await account.write(email=NEW, groups_name=["VIP"])
    account.wire.stub = lambda request: (
        httpx.Response(403, json={"errors": []}) if "imports" in request.url.path else None
    )
    account.pass_time(REMEMBERED)
    result = await account.write(email=NEW, groups_name=["VIP"])
    assert result.outcome is Outcome.UNCHANGED


@pytest.mark.parametrize("person", [ADA, NEW])
async def test_of_two_exact_sets_at_once_one_wins(account: Account, person: str) -> None:
    answers = await asyncio.gather(
        *(
            upserted(account, contact(email=person, groups_name=[group]))
            for group in ("Berlin Office", "Black Friday")
        )
    )
    await account.settled()
    outcomes = {result.outcome for result in answers}
    if person == NEW:
        # The second one must leave what the first has joined, by a contact that is not shown yet.
        assert outcomes == {Outcome.ACCEPTED, Outcome.FAILED}
    else:
        assert outcomes == {Outcome.ACCEPTED}
    assert len(account.lists_of(person)) == 1
