from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.sandbox.sendgrid.conftest import Account


async def test_lists_are_paged_by_following_next(account: Account) -> None:
    url, names, pages = "/lists", [], 0
    while url:
        answer = (await account.client.get(url)).json()
        names += [one["name"] for one in answer["result"]]
        url = answer["_metadata"].get("next", "")
        pages += 1
    assert pages == 2
    assert names[:4] == ["Newsletter", "Berlin Office", "VIP", "Black Friday"]
    assert names[-1] == "Region 130"
    assert len(set(names)) == 134
    assert "prev" in answer["_metadata"]


async def test_count_of_lists_is_not_to_be_relied_on(account: Account) -> None:
    metadata = (await account.client.get("/lists?page_size=1000")).json()["_metadata"]
    assert metadata["count"] == 135
    assert "next" not in metadata


@pytest.mark.parametrize(
    "query", ["page_size=0", "page_size=1001", "page_size=x", "page_token=%21", "page_token=AAAA"]
)
async def test_bad_page_is_a_400(account: Account, query: str) -> None:
    assert (await account.client.get(f"/lists?{query}")).status_code == 400


async def test_list_is_made_renamed_and_deleted(account: Account) -> None:
    made = await account.client.post("/lists", json={"name": "New"})
    assert made.status_code == 201
    path = f"/lists/{made.json()['id']}"
    assert made.json()["contact_count"] == 0
    renamed = await account.client.patch(path, json={"name": "Newer"})
    assert (renamed.status_code, renamed.json()["name"]) == (200, "Newer")
    assert (await account.client.delete(path)).status_code == 204
    gone = await account.client.get(path)
    assert gone.status_code == 404
    assert gone.json() == [{"message": "list not found"}]
    assert (await account.client.patch(path, json={"name": "x"})).status_code == 404
    assert (await account.client.delete(path)).status_code == 404


@pytest.mark.parametrize("name", ["", "x" * 101, None, 5])
async def test_list_needs_a_name(account: Account, name: Any) -> None:
    assert (await account.client.post("/lists", json={"name": name})).status_code == 400


async def test_equal_list_names_are_refused_when_switched(account: Account) -> None:
    assert (await account.client.post("/lists", json={"name": "VIP"})).status_code == 201
    account.switches["unique_list_names"] = True
    assert (await account.client.post("/lists", json={"name": "vip"})).status_code == 400
    path = f"/lists/{account.list('Newsletter')}"
    assert (await account.client.patch(path, json={"name": "Newsletter"})).status_code == 200


async def test_no_more_than_a_thousand_lists(account: Account) -> None:
    for number in range(1000 - 134):
        made = await account.client.post("/lists", json={"name": f"{number}"})
        assert made.status_code == 201
        account.clock.advance(1)  # or the rate limit would be met first
    assert (await account.client.post("/lists", json={"name": "over"})).status_code == 400


async def test_one_list_shows_counts_and_a_sample_on_request(account: Account) -> None:
    path = f"/lists/{account.list('Newsletter')}"
    plain = (await account.client.get(path)).json()
    assert plain["contact_count"] == 3
    assert plain["identifier_counts"] == {"AID": 0, "EID": 3, "EXTID": 1, "PHNID": 0}
    assert "contact_sample" not in plain
    sampled = (await account.client.get(path, params={"contact_sample": "true"})).json()
    assert len(sampled["contact_sample"]) == 3
    count = (await account.client.get(f"{path}/contacts/count")).json()
    assert count == {"contact_count": 3, "billable_count": 3}


async def test_deleted_list_leaves_its_contacts(account: Account) -> None:
    assert (await account.client.delete(f"/lists/{account.list('VIP')}")).status_code == 204
    found = await account.find("ada@example.com")
    assert found is not None
    assert found["list_ids"] == [account.list("Newsletter")]


async def test_list_deleted_with_its_contacts_gives_a_job(account: Account) -> None:
    path = f"/lists/{account.list('Newsletter')}"
    answer = await account.client.delete(path, params={"delete_contacts": "true"})
    assert answer.status_code == 200
    account.clock.advance(60)
    assert (await account.job(answer.json()["job_id"]))["results"]["deleted_count"] == 3
    assert await account.find("ada@example.com") is None
    assert await account.find("rosalind@example.com") is not None


async def test_field_definitions_hold_custom_and_reserved_fields(account: Account) -> None:
    answer = (await account.client.get("/field_definitions")).json()
    custom = {one["name"]: one for one in answer["custom_fields"]}
    assert {name: one["field_type"] for name, one in custom.items()} == {
        "shift": "Text",
        "badge_number": "Number",
        "member_since": "Date",
        "notes": "Text",
    }
    assert all(one["id"][-2:] == f"_{one['field_type'][0]}" for one in custom.values())
    reserved = {one["id"]: one for one in answer["reserved_fields"]}
    assert len(reserved) == 29
    assert reserved["_rf2_T"] == {"id": "_rf2_T", "name": "email", "field_type": "Text"}
    assert reserved["_rf21_D"]["name"] == "created_at"
    assert reserved["_rf23_T"] == {
        "id": "_rf23_T",
        "name": "contact_id",
        "field_type": "Text",
        "read_only": True,
    }
    assert "read_only" not in reserved["_rf25_T"]
    assert [one["id"] for one in answer["reserved_fields"] if one.get("read_only")] == [
        *("_rf15_T", "_rf16_D", "_rf17_D", "_rf18_D", "_rf19_T", "_rf20_T"),
        *("_rf21_D", "_rf22_D", "_rf23_T"),
    ]


async def test_field_is_made_with_200_renamed_and_deleted(account: Account) -> None:
    made = await account.client.post(
        "/field_definitions", json={"name": "Dietary", "field_type": "Text"}
    )
    assert made.status_code == 200
    assert (made.json()["name"], made.json()["field_type"]) == ("Dietary", "Text")
    path = f"/field_definitions/{made.json()['id']}"
    renamed = await account.client.patch(path, json={"name": "dietary"})
    assert (renamed.status_code, renamed.json()["name"]) == (200, "dietary")
    assert (await account.client.delete(path)).status_code == 204
    assert (await account.client.delete(path)).status_code == 404
    assert (await account.client.patch(path, json={"name": "x"})).status_code == 404


@pytest.mark.parametrize(
    ("name", "field_type"),
    [
        ("", "Text"),
        ("1st", "Text"),
        ("with space", "Text"),
        ("x" * 101, "Text"),
        ("SHIFT", "Text"),
        ("First_Name", "Text"),
        ("fine", "text"),
        ("fine", None),
        (None, "Text"),
    ],
)
async def test_field_that_breaks_a_rule_is_refused(
    account: Account, name: Any, field_type: Any
) -> None:
    body = {"name": name, "field_type": field_type}
    assert (await account.client.post("/field_definitions", json=body)).status_code == 400


async def test_no_more_than_five_hundred_fields(account: Account) -> None:
    for number in range(496):
        account.sendgrid.store.make_field(f"f{number}", "Text", account.clock.now())
    body = {"name": "over", "field_type": "Text"}
    assert (await account.client.post("/field_definitions", json=body)).status_code == 400


async def test_deleted_field_takes_its_values_along(account: Account) -> None:
    await account.client.delete(f"/field_definitions/{account.field('shift')}")
    found = await account.find("mary@example.com")
    assert found is not None
    assert found["custom_fields"] == {}


async def test_unknown_list_count_is_404(account: Account) -> None:
    assert (await account.client.get(f"/lists/{uuid.uuid4()}/contacts/count")).status_code == 404
