from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.sandbox.sendgrid.conftest import Account


async def refused(account: Account, body: Any) -> list[dict[str, Any]]:
    answer = await account.client.put("/contacts", json=body)
    assert answer.status_code == 400, answer.text
    errors: list[dict[str, Any]] = answer.json()["errors"]
    assert account.sendgrid.store.jobs == {}
    return errors


async def test_documented_request_is_accepted_with_a_uuid_and_shows_later(
    account: Account,
) -> None:
    custom = {account.field("notes"): "x", account.field("badge_number"): 5}
    custom[account.field("member_since")] = "2026-01-02T00:00:00Z"
    contact = {"email": "A@Example.com", "first_name": "A", "custom_fields": custom}
    job_id = await account.put(contact, list_ids=[account.list("VIP")])
    assert str(uuid.UUID(job_id)) == job_id
    assert await account.find("a@example.com") is None
    account.clock.advance(31)
    found = await account.find("a@example.com")
    assert found is not None
    assert found["email"] == "a@example.com"
    assert found["custom_fields"] == {
        "notes": "x",
        "badge_number": 5,
        "member_since": "2026-01-02T00:00:00Z",
    }
    assert found["list_ids"] == [account.list("VIP")]


async def test_fields_left_out_stay_and_lists_are_only_added(account: Account) -> None:
    before = await account.find("ada@example.com")
    assert before is not None
    job = await account.put_and_wait(
        {"email": "ADA@example.com", "city": "Ockham"}, list_ids=[account.list("Black Friday")]
    )
    assert job["results"] == {"requested_count": 1, "updated_count": 1}
    after = await account.find("ada@example.com")
    assert after is not None
    lists = [*before["list_ids"], account.list("Black Friday")]
    changed = {"city": "Ockham", "list_ids": lists, "updated_at": after["updated_at"]}
    assert after == {**before, **changed}


async def test_empty_text_clears_and_null_keeps(account: Account) -> None:
    await account.put_and_wait({"email": "ada@example.com", "city": "", "first_name": None})
    found = await account.find("ada@example.com")
    assert found is not None
    assert (found["city"], found["first_name"]) == ("", "Ada")


async def test_empty_text_in_a_custom_field_clears_it_unless_switched(account: Account) -> None:
    given = {"email": "ada@example.com", "custom_fields": {account.field("notes"): ""}}
    account.switches["empty_text_clears_custom_field"] = False
    await account.put_and_wait(given)
    kept = await account.find("ada@example.com")
    account.switches["empty_text_clears_custom_field"] = True
    await account.put_and_wait(given)
    cleared = await account.find("ada@example.com")
    assert kept is not None
    assert cleared is not None
    assert kept["custom_fields"]["notes"] == ""
    assert "notes" not in cleared["custom_fields"]


async def test_alternate_emails_are_replaced_and_lower_cased(account: Account) -> None:
    await account.put_and_wait({"email": "mary@example.com", "alternate_emails": ["M@Example.org"]})
    found = await account.find("mary@example.com")
    assert found is not None
    assert found["alternate_emails"] == ["m@example.org"]


async def test_one_bad_email_refuses_the_whole(account: Account) -> None:
    body = {"contacts": [{"email": "good@example.com"}, {"email": "bad"}]}
    assert await refused(account, body) == [
        {"field": "contacts[1].identifier", "message": "email 'bad' is not valid"}
    ]
    account.clock.advance(60)
    assert await account.find("good@example.com") is None


@pytest.mark.parametrize(
    ("blame", "fields"),
    [
        ("all", ["contacts[0].identifier", "contacts[2].identifier"]),
        ("first", ["contacts[0].identifier"]),
        ("none", [None]),
    ],
)
async def test_refusal_names_the_culprits_as_switched(
    account: Account, blame: str, fields: list[str | None]
) -> None:
    account.switches["blame"] = blame
    body = {"contacts": [{"email": "x"}, {"email": "good@example.com"}, {"email": "y"}]}
    assert [error.get("field") for error in await refused(account, body)] == fields


LONG = "x" * 255


@pytest.mark.parametrize(
    ("contact", "field"),
    [
        ({"first_name": "Ada"}, "contacts[0].identifier"),
        ({"email": ""}, "contacts[0].identifier"),
        ({"email": "a@b@example.com"}, "contacts[0].identifier"),
        ({"email": f"{LONG}@example.com"}, "contacts[0].identifier"),
        ({"phone_number_id": "0171"}, "contacts[0].identifier"),
        ({"external_id": LONG}, "contacts[0].external_id"),
        ({"anonymous_id": LONG}, "contacts[0].anonymous_id"),
        ({"external_id": "1", "first_name": "x" * 51}, "contacts[0].first_name"),
        ({"external_id": "1", "last_name": "x" * 51}, "contacts[0].last_name"),
        ({"external_id": "1", "address_line_1": "x" * 101}, "contacts[0].address_line_1"),
        ({"external_id": "1", "address_line_2": "x" * 101}, "contacts[0].address_line_2"),
        ({"external_id": "1", "city": "x" * 61}, "contacts[0].city"),
        (
            {"external_id": "1", "state_province_region": "x" * 51},
            "contacts[0].state_province_region",
        ),
        ({"external_id": "1", "country": "x" * 51}, "contacts[0].country"),
        (
            {"external_id": "1", "alternate_emails": ["a@example.com"] * 6},
            "contacts[0].alternate_emails",
        ),
        ({"external_id": "1", "alternate_emails": ["bad"]}, "contacts[0].alternate_emails"),
    ],
)
async def test_field_that_breaks_its_rule_is_named(
    account: Account, contact: dict[str, Any], field: str
) -> None:
    errors = await refused(account, {"contacts": [contact]})
    assert [error["field"] for error in errors] == [field]


async def test_fields_at_their_limits_are_accepted(account: Account) -> None:
    contact = {
        "external_id": "x" * 254,
        "phone_number_id": "+447700900123",
        "first_name": "x" * 50,
        "address_line_1": "x" * 100,
        "city": "x" * 60,
        "postal_code": "x" * 300,
        "alternate_emails": ["a@example.com"] * 5,
    }
    assert (await account.put_and_wait(contact))["status"] == "completed"


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"contacts": {}},
        {"contacts": ["a@example.com"]},
        {"contacts": [{"email": 5}]},
        {"contacts": [{"email": "a@example.com", "first_name": ["A"]}]},
        {"contacts": [{"email": "a@example.com", "alternate_emails": "b@example.com"}]},
        {"contacts": [{"email": "a@example.com", "custom_fields": []}]},
        {"contacts": [{"email": "a@example.com"}], "list_ids": "x"},
    ],
)
async def test_wrong_shape_is_invalid_json(account: Account, body: Any) -> None:
    assert await refused(account, body) == [{"message": "invalid JSON"}]


async def test_broken_json_is_invalid_json(account: Account) -> None:
    answer = await account.client.put("/contacts", content=b'{"contacts": [')
    assert (answer.status_code, answer.json()) == (400, {"errors": [{"message": "invalid JSON"}]})


@pytest.mark.parametrize("count", [0, 30_001])
async def test_number_of_contacts_is_limited(account: Account, count: int) -> None:
    errors = await refused(account, {"contacts": [{"external_id": "1"}] * count})
    assert errors[0]["field"] == "contacts"


async def test_contacts_are_required(account: Account) -> None:
    assert (await refused(account, {}))[0]["field"] == "contacts"


async def test_thirty_thousand_contacts_are_accepted(account: Account) -> None:
    contacts = [{"external_id": str(number)} for number in range(30_000)]
    job = await account.put_and_wait(*contacts)
    assert job["results"] == {"requested_count": 30_000, "created_count": 30_000}


async def test_names_in_place_of_field_ids_are_refused_together(account: Account) -> None:
    custom = {"shift": "Day", account.field("shift"): "Day", "zz_T": "x"}
    body = {"contacts": [{"email": "a@example.com", "custom_fields": custom}]}
    assert await refused(account, body) == [
        {"field": None, "message": "invalid custom field ids supplied - shift,zz_T"}
    ]


async def test_null_custom_field_is_refused(account: Account) -> None:
    field_id = account.field("badge_number")
    body = {"contacts": [{"email": "a@example.com", "custom_fields": {field_id: None}}]}
    (error,) = await refused(account, body)
    assert error["message"] == f'custom field "{field_id}" cannot be null'


async def test_fresh_field_is_unknown_to_put_for_some_seconds(account: Account) -> None:
    made = await account.client.post(
        "/field_definitions", json={"name": "fresh", "field_type": "Text"}
    )
    custom = {made.json()["id"]: "x"}
    body = {"contacts": [{"email": "a@example.com", "custom_fields": custom}]}
    (error,) = await refused(account, body)
    assert error["message"].startswith("invalid custom field ids supplied - ")
    account.clock.advance(6)
    await account.put({"email": "a@example.com", "custom_fields": custom})


async def test_list_id_must_be_a_uuid(account: Account) -> None:
    body = {"contacts": [{"email": "a@example.com"}], "list_ids": ["Newsletter"]}
    assert (await refused(account, body))[0]["field"] == "list_ids"


@pytest.mark.parametrize(("form", "status"), [("404", 404), ("400", 400), ("ignored", 202)])
async def test_unknown_list_is_answered_as_switched(
    account: Account, form: str, status: int
) -> None:
    account.switches["unknown_list"] = form
    body = {"contacts": [{"email": "a@example.com"}], "list_ids": [str(uuid.uuid4())]}
    assert (await account.client.put("/contacts", json=body)).status_code == status


async def test_misspelt_top_level_key_is_ignored_in_silence(account: Account) -> None:
    body = {"contacts": [{"email": "a@example.com"}], "listIds": [account.list("VIP")]}
    assert (await account.client.put("/contacts", json=body)).status_code == 202
    account.clock.advance(60)
    found = await account.find("a@example.com")
    assert found is not None
    assert found["list_ids"] == []


async def test_contact_with_an_id_of_its_own_never_appears_unless_switched(
    account: Account,
) -> None:
    contact = {"email": "a@example.com", "id": str(uuid.uuid4())}
    assert (await account.put_and_wait(contact))["status"] == "completed"
    assert await account.find("a@example.com") is None
    account.switches["own_id_swallows_contact"] = False
    await account.put_and_wait(contact)
    found = await account.find("a@example.com")
    assert found is not None
    assert found["id"] != contact["id"]
