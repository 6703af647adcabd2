"""SendGrid's adapter against the simulated account: find, plan, deliver, follow."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from strawberry import Some

from gateway.backends.adapter import Found
from gateway.entries import CatalogName
from gateway.errors import BackendFailure, RefusedError
from gateway.model import (
    AddressInput,
    Backend,
    CustomFieldInput,
    WriteMode,
)
from gateway.results import JobStatus, Outcome, ProblemCode
from tests.backends.sendgrid.sending import contact, write_of

if TYPE_CHECKING:
    from gateway.results import BackendResult
    from tests.backends.sendgrid.conftest import Account

ADA = "ada@example.com"


def custom(**values: list[str]) -> list[CustomFieldInput]:
    return [CustomFieldInput(name=name, values=given) for name, given in values.items()]


def first_body(result: BackendResult) -> Any:
    """The body of the first call of a receipt."""
    return result.calls[0].body


# ---------------------------------------------------------------- writing


async def test_a_new_contact_is_created_by_one_call(account: Account) -> None:
    result = await account.write(
        email="Hedy@Example.com", first_name="Hedy", phone="+1 202 555 0101",
        alternate_emails=["H@Example.org"], add_groups_name=["Newsletter", "Region 130"],
        addresses=[AddressInput(line1=Some("1 Main St"), country_code=Some("US"))],
        custom_fields=custom(shift=["Night"], badge_number=["7"], member_since=["2026-01-31"]),
    )  # fmt: skip
    assert (result.outcome, result.id, result.matched_by) == (Outcome.ACCEPTED, None, None)
    [job] = result.jobs
    assert (job.status, job.backend) == (JobStatus.PENDING, Backend.SENDGRID)
    assert [(call.method, call.status_code) for call in result.calls] == [("PUT", 202)]
    await account.settled()
    made = account.held("hedy@example.com")
    assert made.identifiers == {"email": "hedy@example.com"}
    assert made.texts == {
        "first_name": "Hedy", "phone_number": "+12025550101", "address_line_1": "1 Main St",
        "country": "US",
    }  # fmt: skip
    assert made.alternate_emails == ["h@example.org"]
    assert account.lists_of("hedy@example.com") == {"Newsletter", "Region 130"}
    assert account.custom("hedy@example.com") == {
        "shift": "Night", "badge_number": 7, "member_since": "2026-01-31T00:00:00Z",
    }  # fmt: skip


async def test_a_patch_keeps_what_it_does_not_mention(account: Account) -> None:
    before = dict(account.held(ADA).texts)
    await account.write(email=ADA, last_name="Lovelace", custom_fields=custom(shift=["Early"]))
    await account.settled()
    assert account.held(ADA).texts == before | {"last_name": "Lovelace"}
    assert account.custom(ADA)["badge_number"] == 1815
    assert account.custom(ADA)["shift"] == "Early"
    assert account.lists_of(ADA) == {"Newsletter", "VIP"}


async def test_null_clears(account: Account) -> None:
    result = await account.write(
        email=ADA, last_name=None, phone=None, addresses=None, custom_fields=None,
        groups_name=None,
    )  # fmt: skip
    assert result.ignored_fields == ["customFields.badge_number", "customFields.member_since"]
    await account.settled()
    left = {name: text for name, text in account.held(ADA).texts.items() if text}
    assert left == {"first_name": "Ada"}
    assert set(account.custom(ADA)) == {"badge_number", "member_since"}
    assert account.lists_of(ADA) == set()


async def test_a_cleared_list_of_alternate_addresses_is_empty(account: Account) -> None:
    assert account.held("mary@example.com").alternate_emails == ["m.somerville@example.org"]
    await account.write(email="mary@example.com", alternate_emails=None)
    await account.settled()
    assert account.held("mary@example.com").alternate_emails == []


async def test_a_read_contact_that_holds_it_all_is_unchanged(account: Account) -> None:
    fields: dict[str, Any] = {
        "email": "ADA@example.com", "first_name": "Ada", "phone": "+44 7700 900001",
        "groups_name": ["VIP", "Newsletter"],
        "custom_fields": custom(
            shift=["Day"], badge_number=["1815"], member_since=["2024-02-01"]
        ),
    }  # fmt: skip
    result = await account.write(**fields)
    assert (result.outcome, result.calls, result.jobs) == (Outcome.UNCHANGED, [], [])
    assert result.matched_by == "email"
    assert result.id == account.held(ADA).id


async def test_a_replace_leaves_what_the_input_says_and_what_cannot_be_cleared(
    account: Account,
) -> None:
    result = await account.write(
        email=ADA, first_name="Augusta", groups_name=["Berlin Office"],
        how={"mode": WriteMode.REPLACE},
    )  # fmt: skip
    assert result.outcome is Outcome.ACCEPTED
    assert [call.method for call in result.calls] == ["PUT", "DELETE", "DELETE"]
    assert len({job.id for job in result.jobs}) == 3
    await account.settled()
    assert {name: text for name, text in account.held(ADA).texts.items() if text} == {
        "first_name": "Augusta"
    }
    assert account.lists_of(ADA) == {"Berlin Office"}
    assert set(account.custom(ADA)) == {"badge_number", "member_since"}
    assert set(result.ignored_fields) == {
        "customFields.badge_number", "customFields.member_since"
    }  # fmt: skip


async def test_joining_and_leaving_keeps_the_other_lists(account: Account) -> None:
    await account.write(email=ADA, add_groups_name=["Berlin Office"], remove_groups_name=["VIP"])
    await account.settled()
    assert account.lists_of(ADA) == {"Newsletter", "Berlin Office"}


@pytest.mark.parametrize("field", ["addGroupsName", "groupsName", "sendgrid.listIds"])
@pytest.mark.parametrize("status", ["404", "400"])
async def test_a_list_that_sendgrid_has_lost_meanwhile_blames_the_field_that_was_given(
    account: Account, field: str, status: str
) -> None:
    account.sendgrid.switches["unknown_list"] = status
    await account.adapter.catalogs.read(CatalogName.GROUPS, account.exchange())
    lists = account.sendgrid.store.lists
    [vip] = [one.id for one in lists.values() if one.name == "VIP"]
    del lists[vip]
    given: dict[str, dict[str, Any]] = {
        "addGroupsName": {"add_groups_name": ["VIP"]},
        "groupsName": {"groups_name": ["VIP"]},
        "sendgrid.listIds": {"sendgrid": {"list_ids": [vip]}},
    }
    result = await account.write(email="new@example.com", **given[field])
    assert (result.outcome, result.errors[0].field) == (Outcome.REJECTED, field.split("."))


async def test_an_upsert_that_is_not_found_blames_no_lists_where_none_are_given(
    account: Account,
) -> None:
    account.wire.stub = lambda _request: httpx.Response(404, json={"errors": []})
    result = await account.write(email=ADA, first_name="A")
    assert (result.errors[0].code, result.errors[0].field) == (ProblemCode.NOT_FOUND, [])


async def test_a_failed_removal_after_the_upsert_is_partial(account: Account) -> None:
    account.wire.stub = lambda request: (
        httpx.Response(400, json=[{"message": "no"}]) if request.method == "DELETE" else None
    )
    result = await account.write(email=ADA, first_name="A", groups_name=[])
    assert result.outcome is Outcome.PARTIAL
    assert result.errors[0].backend_message == "no"
    assert len(result.jobs) == 1


async def test_a_field_that_sendgrid_has_lost_meanwhile_is_blamed(account: Account) -> None:
    await account.adapter.catalogs.read(CatalogName.CUSTOM_FIELDS, account.exchange())
    account.sendgrid.store.fields.popitem()
    result = await account.write(email=ADA, first_name="X", custom_fields=custom(notes=["x"]))
    [problem] = result.errors
    assert (result.outcome, problem.field) == (Outcome.REJECTED, ["customFields"])
    assert "invalid custom field ids" in (problem.backend_message or "")
    read = await account.adapter.catalogs.read(CatalogName.CUSTOM_FIELDS, account.exchange())
    assert "notes" not in [entry.name for entry in read.entries], "they were read anew"
    await account.settled()
    assert account.held(ADA).texts["first_name"] == "Ada"


async def test_a_field_that_sendgrid_does_not_take_yet_is_worth_another_try(
    account: Account,
) -> None:
    ready_at = account.clock.now() + timedelta(seconds=5)
    made = account.sendgrid.store.make_field("shoe_size", "Number", ready_at)
    given = custom(shoe_size=["43"])
    result = await account.write(email=ADA, custom_fields=given)
    [problem] = result.errors
    assert (result.outcome, problem.code) == (Outcome.FAILED, ProblemCode.UNAVAILABLE)
    assert (problem.retryable, problem.retry_after_seconds) == (True, 5.0)
    assert made.id in problem.message
    account.pass_time(5)
    assert (await account.write(email=ADA, custom_fields=given)).outcome is Outcome.ACCEPTED
    await account.settled()
    assert account.custom(ADA)["shoe_size"] == 43


# ---------------------------------------------------------------- external ids


async def test_every_identifier_that_is_held_is_sent(by_external_id: Account) -> None:
    result = await by_external_id.write(external_id="E-3001", first_name="Elise")
    assert result.matched_by == "externalId"
    await by_external_id.settled()
    held = by_external_id.held("lise@example.org")
    assert (held.texts["first_name"], held.identifiers["external_id"]) == ("Elise", "E-3001")


async def test_an_email_that_another_contact_has_is_a_conflict(by_external_id: Account) -> None:
    ways_out = {ADA: "no externalId", "lise@example.org": "another externalId"}
    for email, words in ways_out.items():
        with pytest.raises(RefusedError) as caught:
            await by_external_id.find(write_of(contact(external_id="E-9", email=email)))
        assert caught.value.problem.code is ProblemCode.CONFLICT
        assert caught.value.problem.field == ["email"]
        assert words in caught.value.problem.message


@pytest.mark.parametrize(
    ("name", "value"), [("phone_number_id", "07700 900009"), ("anonymous_id", "a-1")]
)
async def test_a_further_identifier_that_another_contact_has_is_a_conflict(
    account: Account, name: str, value: str
) -> None:
    first, second = (
        contact(email=email, sendgrid={name: value})
        for email in ("one@example.com", "two@example.com")
    )
    assert (await account.find(write_of(first))).stored is None
    await account.write(email="one@example.com", sendgrid={name: value})
    await account.settled()
    assert (await account.find(write_of(first))).stored is not None
    with pytest.raises(RefusedError) as caught:
        await account.find(write_of(second))
    problem = caught.value.problem
    assert (problem.code, problem.field[0]) == (ProblemCode.CONFLICT, "sendgrid")
    assert "leave it out" in problem.message


async def test_a_new_contact_with_both_identifiers_can_be_written_again(
    by_external_id: Account,
) -> None:
    await by_external_id.write(external_id="E-9", email="new@example.com")
    by_external_id.pass_time(1)
    # Not readable yet: what was sent a second ago tells which identifiers it will hold.
    again = await by_external_id.write(external_id="E-9", first_name="New")
    assert first_body(again) == {
        "contacts": [
            {"external_id": "E-9", "email": "new@example.com", "first_name": "New"}
        ]
    }  # fmt: skip
    await by_external_id.settled()
    assert by_external_id.held("new@example.com").texts == {"first_name": "New"}
    followed = await by_external_id.adapter.job(again.jobs[0].id, by_external_id.exchange())
    assert followed is not None
    assert followed.status is JobStatus.COMPLETED


# ---------------------------------------------------------------- jobs, catalogs, locks


async def test_a_job_is_followed_to_its_end(account: Account) -> None:
    [job] = (await account.write(email="new@example.com")).jobs
    pending = await account.adapter.job(job.id, account.exchange())
    assert pending is not None
    assert (pending.status, pending.requested_count) == (JobStatus.PENDING, 1)
    await account.settled()
    done = await account.adapter.job(job.id, account.exchange())
    assert done is not None
    assert (done.status, done.created_count) == (JobStatus.COMPLETED, 1)


@pytest.mark.parametrize("job_id", ["00000000-0000-4000-8000-000000000000", "no id at all"])
async def test_an_unknown_job_is_none(account: Account, job_id: str) -> None:
    assert await account.adapter.job(job_id, account.exchange()) is None


async def test_a_job_that_cannot_be_asked_for_is_an_error(account: Account) -> None:
    account.wire.stub = lambda _request: httpx.Response(403, json={"errors": []})
    with pytest.raises(BackendFailure):
        await account.adapter.job("00000000-0000-4000-8000-000000000000", account.exchange())


async def test_a_failed_job_tells_its_errors_url(account: Account) -> None:
    # Lise Otto holds an external id too, which a plain patch in email mode does not send.
    [job] = (await account.write(email="lise@example.org", first_name="X")).jobs
    await account.settled()
    failed = await account.adapter.job(job.id, account.exchange())
    assert failed is not None
    assert (failed.status, failed.errored_count) == (JobStatus.FAILED, 1)
    assert failed.errors_url is not None
    assert account.held("lise@example.org").texts["first_name"] == "Lise"


async def test_a_read_contact_with_a_second_identifier_is_written(account: Account) -> None:
    await account.write(email="lise@example.org", first_name="X", groups_name=["VIP"])
    await account.settled()
    assert account.held("lise@example.org").texts["first_name"] == "X"
    assert account.lists_of("lise@example.org") == {"VIP"}


async def test_catalogs_are_read_whole(account: Account) -> None:
    lists = await account.adapter.catalogs.read(CatalogName.GROUPS, account.exchange())
    assert len(lists.entries) == 134
    assert account.wire.calls == [("GET", "/lists"), ("GET", "/lists")]
    fields = await account.adapter.catalogs.read(CatalogName.CUSTOM_FIELDS, account.exchange())
    assert [entry.name for entry in fields.entries] == [
        "shift", "badge_number", "member_since", "notes",
    ]  # fmt: skip


async def test_only_a_write_that_reads_holds_a_lock(account: Account) -> None:
    plain = write_of(contact(email="Ada@Example.com"))
    assert account.adapter.lock_keys(plain, await account.find(plain)) == []
    reading = write_of(contact(email="Ada@Example.com", groups_name=[]))
    found = await account.find(reading)
    assert account.adapter.lock_keys(reading, found) == ["email:ada@example.com"]
    assert account.adapter.lock_keys(reading, Found(keyless=True)) == ["email:ada@example.com"]
    assert account.adapter.fresh_for(found) > 0
