from __future__ import annotations

import json
import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from tests.sandbox.sendgrid.conftest import Account


async def test_job_is_pending_then_counts_then_completes(account: Account) -> None:
    job_id = await account.put({"email": "new@example.com"})
    first = await account.job(job_id)
    assert set(first) == {"id", "status", "job_type", "results", "started_at"}
    assert (first["id"], first["status"]) == (job_id, "pending")
    assert first["job_type"] == "upsert_contacts"
    assert first["results"] == {"requested_count": 1}
    account.clock.advance(31)
    counted = await account.job(job_id)
    assert counted["status"] == "pending"
    assert counted["results"] == {"requested_count": 1, "created_count": 1}
    assert "finished_at" not in counted
    account.clock.advance(15)
    done = await account.job(job_id)
    assert done["status"] == "completed"
    passed = datetime.fromisoformat(done["finished_at"]) - datetime.fromisoformat(
        done["started_at"]
    )
    assert passed.total_seconds() == 45


async def test_times_can_be_shortened_while_a_job_waits(account: Account) -> None:
    job_id = await account.put({"email": "new@example.com"})
    account.switches |= {"apply_seconds": 0, "finish_seconds": 0}
    assert (await account.job(job_id))["status"] == "completed"


async def test_documented_forms_are_switchable(account: Account) -> None:
    account.switches |= {"job_type_form": "documented", "sparse_results": False}
    job = await account.put_and_wait({"email": "new@example.com"})
    assert job["job_type"] == "upsert"
    assert job["results"] == {
        "requested_count": 1,
        "created_count": 1,
        "updated_count": 0,
        "deleted_count": 0,
        "errored_count": 0,
    }


async def test_jobs_apply_in_the_order_of_acceptance(account: Account) -> None:
    await account.put({"email": "new@example.com", "city": "first", "country": "GB"})
    await account.put({"email": "new@example.com", "city": "second"})
    account.clock.advance(60)
    found = await account.find("new@example.com")
    assert found is not None
    assert (found["city"], found["country"]) == ("second", "GB")


async def test_later_job_waits_for_the_one_before_it(account: Account) -> None:
    first = await account.put({"email": "new@example.com"})
    account.clock.advance(20)
    second = await account.put({"email": "new@example.com", "city": "x"})
    account.clock.advance(11)
    assert "created_count" in (await account.job(first))["results"]
    assert (await account.job(second))["results"] == {"requested_count": 1}


async def test_repeated_identifier_in_one_put_counts_as_created_and_updated(
    account: Account,
) -> None:
    job = await account.put_and_wait(
        {"email": "new@example.com", "city": "a"}, {"email": "NEW@example.com", "country": "GB"}
    )
    assert job["results"] == {"requested_count": 2, "created_count": 1, "updated_count": 1}


async def test_created_at_is_the_puts_second_and_updated_at_the_apply_step(
    account: Account,
) -> None:
    job = await account.put_and_wait({"email": "new@example.com"})
    found = await account.find("new@example.com")
    assert found is not None
    assert found["created_at"] == job["started_at"]
    lag = datetime.fromisoformat(found["updated_at"]) - datetime.fromisoformat(found["created_at"])
    assert lag.total_seconds() == 30


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("badge_number", "5"),
        ("badge_number", True),
        ("member_since", "1392815263"),
        ("member_since", "tomorrow"),
        ("member_since", "2026-13-01"),
        ("member_since", "9999-12-31T23:59:59-01:00"),
        ("member_since", 20260102),
        ("member_since", ""),
        ("notes", 5),
        ("notes", ["x"]),
    ],
)
async def test_value_of_the_wrong_type_fails_in_the_job_and_changes_nothing(
    account: Account, name: str, value: Any
) -> None:
    before = await account.find("ada@example.com")
    custom = {account.field(name): value}
    given = {"email": "ada@example.com", "city": "Paris", "custom_fields": custom}
    job = await account.put_and_wait(given)
    assert job["status"] == "failed"
    assert job["results"]["errored_count"] == 1
    assert await account.find("ada@example.com") == before


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("2015-02-05T00:00:00.0000000Z", "2015-02-05T00:00:00Z"),
        ("2015/2/5", "2015-02-05T00:00:00Z"),
        ("2015-02-05", "2015-02-05T00:00:00Z"),
        ("2015-02-05T01:00:00+01:00", "2015-02-05T00:00:00Z"),
        ("0001-01-01", "0001-01-01T00:00:00Z"),
    ],
)
async def test_dates_are_taken_in_the_known_forms(account: Account, given: str, read: str) -> None:
    custom = {account.field("member_since"): given}
    await account.put_and_wait({"email": "ada@example.com", "custom_fields": custom})
    found = await account.find("ada@example.com")
    assert found is not None
    assert found["custom_fields"]["member_since"] == read


async def test_some_failed_rows_make_the_job_errored_with_a_file_of_them(
    account: Account,
) -> None:
    bad = {"email": "bad@example.com", "custom_fields": {account.field("badge_number"): "5"}}
    job = await account.put_and_wait({"email": "good@example.com"}, bad)
    assert job["status"] == "errored"
    results = {k: v for k, v in job["results"].items() if k != "errors_url"}
    assert results == {"requested_count": 2, "created_count": 1, "errored_count": 1}
    assert await account.find("bad@example.com") is None
    (line,) = (await account.errors_of(job)).splitlines()
    assert json.loads(line)["index"] == 1


async def test_a_job_with_errors_can_call_itself_completed(account: Account) -> None:
    account.switches["errors_end_as"] = "completed"
    bad = {"email": "bad@example.com", "custom_fields": {account.field("badge_number"): "5"}}
    job = await account.put_and_wait({"email": "good@example.com"}, bad)
    assert (job["status"], job["results"]["errored_count"]) == ("completed", 1)


async def test_file_of_errors_needs_its_signature(account: Account) -> None:
    bad = {"email": "bad@example.com", "custom_fields": {account.field("badge_number"): "5"}}
    job = await account.put_and_wait(bad)
    url = httpx.URL(job["results"]["errors_url"])
    answer = await account.client.get(str(url.copy_set_param("signature", "x")))
    assert answer.status_code == 403
    account.switches["errors_url"] = False
    assert "errors_url" not in (await account.job(job["id"]))["results"]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"email": "lise@example.org"}, "existing identifier external_id is missing"),
        ({"external_id": "E-3001"}, "existing identifier email is missing"),
        ({"external_id": "E-3001", "email": "new@example.org"}, "email cannot be changed"),
        ({"external_id": "E-3001", "email": "ada@example.com"}, "belong to different contacts"),
    ],
)
async def test_identifiers_must_all_be_there_and_belong_together(
    account: Account, given: dict[str, Any], reason: str
) -> None:
    before = account.sendgrid.dump()["contacts"]
    job = await account.put_and_wait(given)
    assert job["status"] == "failed"
    assert reason in await account.errors_of(job)
    assert account.sendgrid.dump()["contacts"] == before


async def test_second_identifier_binds_every_later_write(account: Account) -> None:
    both = {"email": "ada@example.com", "external_id": "E-1001"}
    assert (await account.put_and_wait(both))["status"] == "completed"
    assert (await account.put_and_wait({"email": "ada@example.com"}))["status"] == "failed"
    assert (await account.put_and_wait(both))["status"] == "completed"


async def test_new_email_makes_a_second_contact(account: Account) -> None:
    await account.put_and_wait({"email": "ada.byron@example.com"})
    assert await account.find("ada@example.com") is not None
    assert await account.find("ada.byron@example.com") is not None


async def test_contact_limit_fails_creations_in_the_job(account: Account) -> None:
    account.switches["contact_limit"] = len(account.sendgrid.store.contacts)
    job = await account.put_and_wait({"email": "new@example.com"}, {"email": "ada@example.com"})
    assert job["status"] == "errored"
    assert "you have hit your contact limit" in await account.errors_of(job)


async def test_unknown_job_is_404_and_malformed_id_a_400_with_an_object(
    account: Account,
) -> None:
    unknown = await account.client.get(f"/contacts/imports/{uuid.uuid4()}")
    assert unknown.status_code == 404
    assert isinstance(unknown.json()["errors"], list)
    malformed = await account.client.get("/contacts/imports/7")
    assert malformed.status_code == 400
    assert isinstance(malformed.json()["errors"], dict)


async def test_waiting_job_survives_dump_and_load(account: Account) -> None:
    job_id = await account.put({"email": "new@example.com"}, list_ids=[account.list("VIP")])
    state = json.loads(json.dumps(account.sendgrid.dump()))
    account.sendgrid.reset()
    assert account.sendgrid.store.jobs == {}
    account.sendgrid.load(state)
    account.clock.advance(60)
    assert (await account.job(job_id))["status"] == "completed"
    found = await account.find("new@example.com")
    assert found is not None
    assert found["list_ids"] == [account.list("VIP")]


async def test_finished_job_survives_dump_and_load(account: Account) -> None:
    job = await account.put_and_wait({"email": "new@example.com"})
    account.sendgrid.load(json.loads(json.dumps(account.sendgrid.dump())))
    assert await account.job(job["id"]) == job


async def test_field_and_list_deleted_meanwhile_are_passed_over(account: Account) -> None:
    field_id, list_id = account.field("notes"), account.list("VIP")
    job_id = await account.put(
        {"email": "new@example.com", "custom_fields": {field_id: "x"}}, list_ids=[list_id]
    )
    assert (await account.client.delete(f"/field_definitions/{field_id}")).status_code == 204
    assert (await account.client.delete(f"/lists/{list_id}")).status_code == 204
    account.clock.advance(60)
    assert (await account.job(job_id))["status"] == "completed"
    found = await account.find("new@example.com")
    assert found is not None
    assert (found["custom_fields"], found["list_ids"]) == ({}, [])
