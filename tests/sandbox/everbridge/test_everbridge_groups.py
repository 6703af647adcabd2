"""The group calls of section 3.4."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx

    from gateway.sandbox.everbridge import Everbridge

    Read = Callable[[str], Awaitable[dict[str, Any]]]

GROUPS = "groups/1000000000000001"
ADA, GRACE, ALAN = (1300000000000000 + n for n in (1, 2, 3))
NEWSLETTER, BERLIN, WARDENS, NIGHT = (1200000000000000 + n for n in (1, 2, 3, 4))


async def members(rest: httpx.AsyncClient, group_id: int) -> list[tuple[int, int | None]]:
    params = {"groupId": group_id}
    answer = (await rest.get("contacts/groups/1000000000000001", params=params)).json()
    return [(each["id"], each.get("seq")) for each in answer["page"].get("data", [])]


async def test_all_groups_come_in_one_page_of_their_number(rest: httpx.AsyncClient) -> None:
    answer = (await rest.get(GROUPS)).json()
    page = answer["page"]
    assert len(page["data"]) == page["pageSize"] == page["totalCount"] == 134
    assert (page["currentPageNo"], page["totalPageCount"], page["start"]) == (1, 1, 0)
    uri = "http://sandbox/everbridge/rest/groups/1000000000000001?pageNumber=1"
    assert (answer["firstPageUri"], answer["lastPageUri"]) == (uri, uri)
    assert "nextPageUri" not in answer


async def test_paged_groups_need_two_pages(rest: httpx.AsyncClient) -> None:
    first = (await rest.get(f"{GROUPS}/pagination")).json()
    assert (first["page"]["totalPageCount"], len(first["page"]["data"])) == (2, 100)
    second = (await rest.get(first["nextPageUri"])).json()
    assert "nextPageUri" not in second
    names = [group["name"] for page in (first, second) for group in page["page"]["data"]]
    assert len(names) == len(set(names)) == 134
    assert {"Newsletter", "Berlin Office", "Fire Wardens", "Night Shift", "Region 130"} <= set(
        names
    )


@pytest.mark.parametrize(
    ("path", "params"),
    [
        (str(WARDENS), {}),
        ("Fire Wardens", {"queryType": "name"}),
        ("Fire%20Wardens", {"queryType": "name"}),
    ],
)
async def test_one_group_is_read_by_id_or_name(
    rest: httpx.AsyncClient, path: str, params: dict[str, str]
) -> None:
    answer = (await rest.get(f"{GROUPS}/{path}", params=params)).json()
    assert answer["message"] == "OK"
    group = answer["result"]
    assert (group["id"], group["parentId"], group["status"]) == (WARDENS, BERLIN, "A")
    assert "members" not in group


@pytest.mark.parametrize(("path", "params"), [("5", {}), ("Chess Club", {"queryType": "name"})])
async def test_an_unknown_group_is_404(
    rest: httpx.AsyncClient, path: str, params: dict[str, str]
) -> None:
    answer = await rest.get(f"{GROUPS}/{path}", params=params)
    assert (answer.status_code, answer.json()["status"]) == (404, 404)


async def test_a_group_is_created_replaced_and_deleted(rest: httpx.AsyncClient) -> None:
    body = {"name": "Chess Club", "description": "Plays", "parentId": BERLIN, "calendarId": 7}
    created = (await rest.post(GROUPS, json=body)).json()
    group_id = created["id"]
    uri = "http://sandbox/everbridge/rest/groups/1000000000000001/"
    assert (created["baseUri"], created["instanceUri"]) == (uri, f"{uri}{group_id}")
    group = (await rest.get(f"{GROUPS}/{group_id}")).json()["result"]
    assert {name: group[name] for name in body} == body

    await rest.put(f"{GROUPS}/{group_id}", json={"name": "Chess"})
    group = (await rest.get(f"{GROUPS}/{group_id}")).json()["result"]
    assert (group["name"], group["parentId"]) == ("Chess", -1)
    assert {"description", "calendarId"}.isdisjoint(group)

    assert (await rest.delete(f"{GROUPS}/{group_id}")).json()["id"] == group_id
    assert (await rest.get(f"{GROUPS}/{group_id}")).status_code == 404


@pytest.mark.parametrize(
    "wrong", [{}, {"name": ""}, {"name": "Newsletter"}, {"name": "New", "parentId": 5}]
)
async def test_a_group_needs_a_free_name_and_a_known_parent(
    rest: httpx.AsyncClient, wrong: dict[str, Any]
) -> None:
    assert (await rest.post(GROUPS, json=wrong)).status_code == 400


async def test_a_group_cannot_be_its_own_parent(rest: httpx.AsyncClient) -> None:
    body = {"name": "Berlin Office", "parentId": BERLIN}
    assert (await rest.put(f"{GROUPS}/{BERLIN}", json=body)).status_code == 400


async def test_deleting_a_group_ends_its_memberships_and_frees_its_children(
    rest: httpx.AsyncClient, read: Read
) -> None:
    await rest.delete(f"{GROUPS}/{BERLIN}")
    assert (await read("E-1001"))["groups"] == [NEWSLETTER, NIGHT]
    assert (await rest.get(f"{GROUPS}/{WARDENS}")).json()["result"]["parentId"] == -1


@pytest.mark.parametrize(
    ("params", "keys"),
    [
        ({"groupId": WARDENS}, [ADA, str(GRACE)]),
        ({"byType": "id", "groupId": WARDENS, "idType": "id"}, [ADA, GRACE, ADA]),
        (
            {"byType": "name", "groupName": "Fire Wardens", "idType": "externalId"},
            ["E-1001", "E-1002"],
        ),
    ],
)
async def test_contacts_are_added_to_a_group_and_removed_with_a_body(
    rest: httpx.AsyncClient, params: dict[str, Any], keys: list[object]
) -> None:
    for _ in range(2):  # adding members again is no error
        answer = await rest.post(f"{GROUPS}/contacts", params=params, json=keys)
        assert answer.json() == {"code": 100, "message": "OK"}
        assert await members(rest, WARDENS) == [(ADA, None), (GRACE, None), (ALAN, None)]
    for _ in range(2):  # and so is removing them again
        answer = await rest.request("DELETE", f"{GROUPS}/contacts", params=params, json=keys)
        assert answer.json() == {"code": 100, "message": "OK"}
        assert await members(rest, WARDENS) == [(ALAN, None)]


@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_unknown_contacts_are_reported_and_the_others_done(
    rest: httpx.AsyncClient, method: str
) -> None:
    params = {"groupId": NEWSLETTER}
    url = f"{GROUPS}/contacts"
    answer = await rest.request(method, url, params=params, json=[ALAN, GRACE, 5])
    expected = {"code": 200, "message": "OK", "data": ["Contact 5 not found."]}
    assert answer.json() == expected
    after = [contact_id for contact_id, _ in await members(rest, NEWSLETTER)]
    assert after == ([ADA, GRACE, ALAN] if method == "POST" else [ADA])


@pytest.mark.parametrize("params", [{"groupId": 5}, {"byType": "name", "groupName": "X"}, {}])
async def test_membership_of_an_unknown_group_is_404(
    rest: httpx.AsyncClient, everbridge: Everbridge, params: dict[str, Any]
) -> None:
    before = everbridge.dump()
    answer = await rest.post(f"{GROUPS}/contacts", params=params, json=[ADA])
    assert answer.status_code == 404
    assert everbridge.dump() == before


async def test_members_of_a_sequenced_group_carry_their_place(rest: httpx.AsyncClient) -> None:
    assert await members(rest, NIGHT) == [(GRACE, 1), (ADA, 2)]
    params = {"groupId": NIGHT}
    await rest.post(f"{GROUPS}/contacts", params=params, json=[ALAN])
    assert await members(rest, NIGHT) == [(GRACE, 1), (ADA, 2), (ALAN, 3)]
    await rest.request("DELETE", f"{GROUPS}/contacts", params=params, json=[GRACE])
    assert await members(rest, NIGHT) == [(ADA, 1), (ALAN, 2)]
    await rest.delete(f"contacts/1000000000000001/{ADA}")
    assert await members(rest, NIGHT) == [(ALAN, 1)]


async def test_a_sequence_replaces_the_members(rest: httpx.AsyncClient, read: Read) -> None:
    answer = await rest.post(
        f"{GROUPS}/contacts/sequence",
        params={"byType": "name", "groupName": "Night Shift", "idType": "externalId"},
        json=["E-1003", "E-1001"],
    )
    assert answer.json()["code"] == 100
    assert await members(rest, NIGHT) == [(ALAN, 1), (ADA, 2)]
    assert (await read("E-1002"))["groups"] == [NEWSLETTER]


async def test_a_member_that_a_contact_write_added_comes_after_the_sequence(
    rest: httpx.AsyncClient,
) -> None:
    row = {"id": ALAN, "groups": [NIGHT]}
    await rest.put("contacts/1000000000000001/batch", json=[row])
    assert await members(rest, NIGHT) == [(GRACE, 1), (ADA, 2), (ALAN, None)]
