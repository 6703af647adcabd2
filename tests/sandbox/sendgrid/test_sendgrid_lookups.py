from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from gateway.sandbox.sendgrid.seed import seeded_id

if TYPE_CHECKING:
    from tests.sandbox.sendgrid.conftest import Account

ADA = seeded_id("contact", "ada@example.com")


async def found_by(account: Account, query: str) -> list[str]:
    answer = await account.client.post("/contacts/search", json={"query": query})
    assert answer.status_code == 200, answer.text
    assert answer.json()["contact_count"] == len(answer.json()["result"])
    return sorted(contact["email"] for contact in answer.json()["result"])


async def test_search_by_emails_mixes_found_and_not_found(account: Account) -> None:
    emails = ["ADA@example.com", "nobody@example.com", ""]
    answer = await account.client.post("/contacts/search/emails", json={"emails": emails})
    result = answer.json()["result"]
    assert set(result) == {"ada@example.com", "nobody@example.com"}
    assert result["ada@example.com"]["contact"]["id"] == ADA
    assert result["nobody@example.com"] == {"error": "contact not found"}


async def test_search_by_emails_finds_alternate_addresses(account: Account) -> None:
    found = await account.find("M.Somerville@example.org")
    assert found is not None
    assert found["email"] == "mary@example.com"


async def test_an_alternate_address_that_was_replaced_finds_nobody_any_more(
    account: Account,
) -> None:
    new = ["m@example.org", "mary.s@example.org"]
    await account.put_and_wait({"email": "mary@example.com", "alternate_emails": new})
    assert await account.find("M.Somerville@example.org") is None
    found = await account.find("mary.s@example.org")
    assert found is not None
    assert found["email"] == "mary@example.com"
    await account.client.delete("/contacts", params={"ids": found["id"]})
    account.clock.advance(60)
    assert await account.find("mary.s@example.org") is None


async def test_lookup_that_finds_nobody_is_a_404(account: Account) -> None:
    emails = {"emails": ["nobody@example.com"]}
    by_email = await account.client.post("/contacts/search/emails", json=emails)
    assert by_email.status_code == 404
    assert by_email.json() == {"errors": [{"field": None, "message": "contact not found"}]}
    path = "/contacts/search/identifiers/external_id"
    by_identifier = await account.client.post(path, json={"identifiers": ["none"]})
    assert by_identifier.status_code == 404
    assert by_identifier.json() == {"message": "contact not found"}


@pytest.mark.parametrize(
    "emails",
    [["ada@example.com", "bad"], [], [""], ["a@example.com"] * 101, ["x" * 95 + "@b.example"]],
)
async def test_one_bad_address_refuses_the_search(account: Account, emails: list[str]) -> None:
    answer = await account.client.post("/contacts/search/emails", json={"emails": emails})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "emails"


@pytest.mark.parametrize("body", [[], {}, {"emails": "ada@example.com"}, {"emails": [1]}])
async def test_search_of_the_wrong_shape_is_invalid_json(account: Account, body: Any) -> None:
    answer = await account.client.post("/contacts/search/emails", json=body)
    assert (answer.status_code, answer.json()["errors"]) == (400, [{"message": "invalid JSON"}])


async def test_search_by_identifier_is_keyed_by_value(account: Account) -> None:
    path = "/contacts/search/identifiers"
    body = {"identifiers": ["E-3001", "E-9"]}
    answer = await account.client.post(f"{path}/external_id", json=body)
    result = answer.json()["result"]
    assert result["E-3001"]["contact"]["email"] == "lise@example.org"
    assert result["E-3001"]["contact"]["external_id"] == "E-3001"
    assert result["E-9"] == {"error": "contact not found"}
    by_email = await account.client.post(f"{path}/email", json={"identifiers": ["ADA@example.com"]})
    assert list(by_email.json()["result"]) == ["ada@example.com"]


@pytest.mark.parametrize(
    ("kind", "identifiers"), [("name", ["x"]), ("external_id", []), ("external_id", ["x"] * 101)]
)
async def test_bad_search_by_identifier_is_a_400_without_wrapper(
    account: Account, kind: str, identifiers: list[str]
) -> None:
    path = f"/contacts/search/identifiers/{kind}"
    answer = await account.client.post(path, json={"identifiers": identifiers})
    assert answer.status_code == 400
    assert "errors" not in answer.json()
    assert "message" in answer.json()


async def test_contact_by_id_has_no_wrapper_and_its_404_no_body(account: Account) -> None:
    found = await account.client.get(f"/contacts/{ADA}")
    assert found.json()["email"] == "ada@example.com"
    missing = await account.client.get(f"/contacts/{uuid.uuid4()}")
    assert (missing.status_code, missing.content) == (404, b"")


async def test_contact_object_shows_unset_things_as_the_vendor_does(account: Account) -> None:
    await account.put_and_wait({"email": "bare@example.com"})
    found = await account.find("bare@example.com")
    assert found is not None
    texts = {key: value for key, value in found.items() if value == ""}
    assert set(texts) == {
        *("first_name", "last_name", "unique_name", "address_line_1", "address_line_2", "city"),
        *("state_province_region", "country", "postal_code", "phone_number", "whatsapp"),
        *("line", "facebook"),
    }
    assert (found["list_ids"], found["segment_ids"], found["custom_fields"]) == ([], [], {})
    assert found["alternate_emails"] == []
    assert not {"phone_number_id", "external_id", "anonymous_id"} & set(found)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", found["updated_at"])
    assert found["_metadata"]["self"].endswith(f"/v3/marketing/contacts/{found['id']}")


async def test_recent_contacts_differ_from_searched_ones(account: Account) -> None:
    await account.put_and_wait({"email": "bare@example.com"})
    answer = (await account.client.get("/contacts")).json()
    assert answer["contact_count"] == 5
    emails = [contact["email"] for contact in answer["result"]]
    assert emails == sorted(emails)
    bare = next(one for one in answer["result"] if one["email"] == "bare@example.com")
    assert bare["alternate_emails"] is None
    assert "segment_ids" not in bare
    assert re.fullmatch(r".*\.\d{9}Z", bare["updated_at"])
    assert "/v3/marketing/contact/" in bare["_metadata"]["self"]


async def test_custom_fields_can_be_read_by_id_instead(account: Account) -> None:
    account.switches["custom_fields_keyed_by"] = "id"
    found = await account.find("mary@example.com")
    assert found is not None
    assert found["custom_fields"] == {account.field("shift"): "Night"}


async def test_only_fifty_contacts_are_listed_or_found(account: Account) -> None:
    await account.put_and_wait(*({"email": f"n{n}@example.net"} for n in range(60)))
    listed = (await account.client.get("/contacts")).json()
    assert (len(listed["result"]), listed["contact_count"]) == (50, 64)
    query = {"query": "email LIKE '%@example.net'"}
    searched = (await account.client.post("/contacts/search", json=query)).json()
    assert (len(searched["result"]), searched["contact_count"]) == (50, 60)


async def test_batch_gives_those_that_exist(account: Account) -> None:
    answer = await account.client.post("/contacts/batch", json={"ids": [ADA, str(uuid.uuid4())]})
    assert [contact["id"] for contact in answer.json()["result"]] == [ADA]
    none = await account.client.post("/contacts/batch", json={"ids": [str(uuid.uuid4())]})
    assert (none.status_code, none.json()) == (404, {})
    many = await account.client.post("/contacts/batch", json={"ids": [ADA] * 101})
    assert many.status_code == 400


async def test_contacts_are_counted_by_identifier(account: Account) -> None:
    answer = (await account.client.get("/contacts/count")).json()
    assert answer == {
        "contact_count": 4,
        "billable_count": 4,
        "identifier_counts": {"AID": 0, "EID": 4, "EXTID": 1, "PHNID": 0},
    }


@pytest.mark.parametrize(
    ("query", "emails"),
    [
        ("email = 'ada@example.com'", ["ada@example.com"]),
        ("email = 'Ada@example.com'", []),
        ("lower(email) = lower('ADA@example.com')", ["ada@example.com"]),
        (
            "first_name != 'Ada' AND email LIKE '%@example.com'",
            ["mary@example.com", "rosalind@example.com"],
        ),
        (
            "email IN ('ada@example.com','b@x.org') OR external_id IN ('E-3001')",
            ["ada@example.com", "lise@example.org"],
        ),
        ("(city = 'London' or shift = 'Night') and last_name = 'Elsie'", ["rosalind@example.com"]),
        ("badge_number = 1815", ["ada@example.com"]),
        ("address_line_1 = '12 St James''s Square'", ["ada@example.com"]),
        ("CONTAINS(alternate_emails, 'm.somerville@example.org')", ["mary@example.com"]),
        ("CONTAINS(nothing, 'x')", []),
        ("email LIKE 'a.a@%'", []),
    ],
)
async def test_queries_of_the_known_kinds(account: Account, query: str, emails: list[str]) -> None:
    assert await found_by(account, query) == emails


async def test_documented_query_by_list(account: Account) -> None:
    query = f"email LIKE 'm%' AND CONTAINS(list_ids, '{account.list('Newsletter')}')"
    assert await found_by(account, query) == ["mary@example.com"]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "email",
        "email =",
        "email = 'x",
        "email > 'x'",
        "email = 'x' extra",
        "email IN 'x'",
        "email IN ('x'",
        "(email = 'x'",
        "CONTAINS(list_ids 'x')",
        "= 'x'",
        "email = )",
    ],
)
async def test_query_that_cannot_be_read_is_a_400(account: Account, query: str) -> None:
    answer = await account.client.post("/contacts/search", json={"query": query})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "query"
