from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from gateway.sandbox.sendgrid.seed import seeded_id

if TYPE_CHECKING:
    import httpx

    from tests.sandbox.sendgrid.conftest import Account

ADA = seeded_id("contact", "ada@example.com")
MARY = seeded_id("contact", "mary@example.com")
LISE = seeded_id("contact", "lise@example.org")


async def ended(account: Account, answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 202, answer.text
    account.clock.advance(60)
    return await account.job(answer.json()["job_id"])


async def test_contacts_are_deleted_later(account: Account) -> None:
    answer = await account.client.delete("/contacts", params={"ids": f"{ADA},{uuid.uuid4()}"})
    assert await account.find("ada@example.com") is not None
    job = await ended(account, answer)
    assert job["job_type"] == "delete_contacts"
    assert job["results"] == {"requested_count": 2, "deleted_count": 1}
    assert await account.find("ada@example.com") is None


async def test_deleted_contact_can_be_made_again(account: Account) -> None:
    await ended(account, await account.client.delete("/contacts", params={"ids": ADA}))
    await account.put_and_wait({"email": "ada@example.com"})
    found = await account.find("ada@example.com")
    assert found is not None
    assert (found["id"] != ADA, found["first_name"]) == (True, "")


async def test_all_contacts_can_be_deleted(account: Account) -> None:
    answer = await account.client.delete("/contacts", params={"delete_all_contacts": "true"})
    assert (await ended(account, answer))["results"]["deleted_count"] == 4
    assert (await account.client.get("/contacts")).json()["result"] == []


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"ids": ""},
        {"delete_all_contacts": "false"},
        {"ids": ADA, "delete_all_contacts": "true"},
    ],
)
async def test_deleting_needs_one_of_its_two_parameters(
    account: Account, params: dict[str, str]
) -> None:
    assert (await account.client.delete("/contacts", params=params)).status_code == 400


async def drop_identifier(
    account: Account, contact_id: str, kind: str, value: Any
) -> httpx.Response:
    body = {"identifier_type": kind, "identifier_value": value}
    return await account.client.request("DELETE", f"/contacts/{contact_id}/identifiers", json=body)


async def test_identifier_is_deleted_by_a_body_on_delete(account: Account) -> None:
    job = await ended(account, await drop_identifier(account, LISE, "EXTERNALID", "E-3001"))
    assert job["status"] == "completed"
    found = await account.find("lise@example.org")
    assert found is not None
    assert "external_id" not in found
    assert (await account.put_and_wait({"email": "lise@example.org"}))["status"] == "completed"


@pytest.mark.parametrize(
    ("contact_id", "kind", "value", "reason"),
    [
        (ADA, "EMAIL", "ada@example.com", "last identifier"),
        (LISE, "EXTERNALID", "E-9", "does not have this identifier"),
        (LISE, "ANONYMOUSID", "x", "does not have this identifier"),
    ],
)
async def test_identifier_that_may_not_go_fails_in_the_job(
    account: Account, contact_id: str, kind: str, value: str, reason: str
) -> None:
    job = await ended(account, await drop_identifier(account, contact_id, kind, value))
    assert job["status"] == "failed"
    assert reason in await account.errors_of(job)


async def test_phone_identifier_is_matched_without_its_plus(account: Account) -> None:
    both = {"email": "ada@example.com", "phone_number_id": "+447700900001"}
    await account.put_and_wait(both)
    answer = await drop_identifier(account, ADA, "PHONENUMBERID", "447700900001")
    assert (await ended(account, answer))["status"] == "completed"


@pytest.mark.parametrize(
    ("contact_id", "kind", "value", "status"),
    [
        (ADA, "email", "ada@example.com", 400),
        (ADA, "EMAIL", "", 400),
        (ADA, "EMAIL", 5, 400),
        ("00000000-0000-4000-8000-000000000000", "EMAIL", "x@example.com", 404),
    ],
)
async def test_bad_identifier_deletion_is_refused_at_once(
    account: Account, contact_id: str, kind: str, value: Any, status: int
) -> None:
    assert (await drop_identifier(account, contact_id, kind, value)).status_code == status


async def test_contact_deleted_before_its_identifier_fails_the_job(account: Account) -> None:
    await account.client.delete("/contacts", params={"ids": LISE})
    job = await ended(account, await drop_identifier(account, LISE, "EXTERNALID", "E-3001"))
    assert "contact not found" in await account.errors_of(job)


async def test_contacts_are_taken_off_a_list_later(account: Account) -> None:
    path = f"/lists/{account.list('Newsletter')}/contacts"
    answer = await account.client.delete(path, params={"contact_ids": f"{ADA},{MARY}"})
    before = await account.find("ada@example.com")
    job = await ended(account, answer)
    after = await account.find("ada@example.com")
    assert job["status"] == "completed"
    assert before is not None
    assert after is not None
    assert before["list_ids"] == [account.list("Newsletter"), account.list("VIP")]
    assert after["list_ids"] == [account.list("VIP")]
    assert after["updated_at"] > before["updated_at"]


async def test_removal_can_be_switched_to_do_nothing(account: Account) -> None:
    account.switches["list_removal_works"] = False
    path = f"/lists/{account.list('Newsletter')}/contacts"
    job = await ended(account, await account.client.delete(path, params={"contact_ids": ADA}))
    found = await account.find("ada@example.com")
    assert job["status"] == "completed"
    assert found is not None
    assert account.list("Newsletter") in found["list_ids"]


async def test_the_job_of_a_removal_can_be_switched_to_be_unknown(account: Account) -> None:
    account.switches["removal_jobs_known"] = False
    path = f"/lists/{account.list('Newsletter')}/contacts"
    answer = await account.client.delete(path, params={"contact_ids": ADA})
    account.clock.advance(60)
    job = await account.client.get(f"/contacts/imports/{answer.json()['job_id']}")
    found = await account.find("ada@example.com")
    assert job.status_code == 404
    assert found is not None
    assert account.list("Newsletter") not in found["list_ids"]


async def test_removal_of_the_unknown_is_404_and_of_nothing_a_bare_400(account: Account) -> None:
    newsletter = f"/lists/{account.list('Newsletter')}/contacts"
    nothing = await account.client.delete(newsletter)
    assert nothing.status_code == 400
    assert nothing.json() == {"message": "contact_ids is required", "field": "contact_ids"}
    unknown = {"contact_ids": f"{ADA},{uuid.uuid4()}"}
    assert (await account.client.delete(newsletter, params=unknown)).status_code == 404
    no_list = f"/lists/{uuid.uuid4()}/contacts"
    assert (await account.client.delete(no_list, params={"contact_ids": ADA})).status_code == 404
