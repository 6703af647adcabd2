"""Finding, listing, deleting and batches of contacts (sections 2 and 3.1 to 3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest

from gateway.sandbox.everbridge.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from gateway.sandbox.clock import ManualClock
    from gateway.sandbox.everbridge import Everbridge

    Body = Callable[..., dict[str, Any]]

CONTACTS = "contacts/1000000000000001"
URI = "http://sandbox/everbridge/rest/contacts/1000000000000001"
ADA, GRACE, ALAN = (1300000000000000 + n for n in (1, 2, 3))
NEWSLETTER = 1200000000000001


async def found(rest: httpx.AsyncClient, **params: Any) -> list[str]:
    """External ids that the list call finds, in its order."""
    answer = await rest.get(CONTACTS, params=params)
    assert answer.status_code == 200, answer.text
    return [contact["externalId"] for contact in answer.json()["page"].get("data", [])]


async def test_one_contact_is_read_by_id_in_an_instance_envelope(rest: httpx.AsyncClient) -> None:
    answer = (await rest.get(f"{CONTACTS}/{ADA}")).json()
    assert set(answer) == {"message", "result"}
    assert answer["message"] == "OK"
    assert (answer["result"]["id"], answer["result"]["externalId"]) == (ADA, "E-1001")


async def test_one_contact_is_read_bare_by_switch(
    rest: httpx.AsyncClient, everbridge: Everbridge
) -> None:
    everbridge.switches["bare_contact"] = True
    assert (await rest.get(f"{CONTACTS}/{ADA}")).json()["externalId"] == "E-1001"


async def test_an_external_id_with_odd_characters_is_percent_encoded_in_the_path(
    rest: httpx.AsyncClient, body: Body
) -> None:
    created = (await rest.post(CONTACTS, json=body(externalId="a/b c?d%e"))).json()["id"]
    answer = await rest.get(f"{CONTACTS}/a%2Fb%20c%3Fd%25e", params={"idType": "externalId"})
    assert answer.json()["result"]["id"] == created


async def test_external_ids_are_case_sensitive(rest: httpx.AsyncClient) -> None:
    answer = await rest.get(f"{CONTACTS}/e-1001", params={"idType": "externalId"})
    assert answer.status_code == 404


async def test_an_unknown_contact_gets_the_known_texts(rest: httpx.AsyncClient, body: Body) -> None:
    read = await rest.get(f"{CONTACTS}/5")
    assert (read.status_code, read.json()["message"]) == (404, "Unable to find contact 5")
    for answer in (
        await rest.put(f"{CONTACTS}/5", json=body()),
        await rest.delete(f"{CONTACTS}/5"),
    ):
        assert answer.status_code == 404
        assert answer.json() == {"status": 404, "message": "Contact 5 not found."}


async def test_a_404_can_say_401_in_its_body(
    rest: httpx.AsyncClient, everbridge: Everbridge
) -> None:
    everbridge.switches["body_status_401_in_404"] = True
    answer = await rest.get(f"{CONTACTS}/5")
    assert (answer.status_code, answer.json()["status"]) == (404, 401)


@pytest.mark.parametrize("path", ["abc", "1300000000000001x"])
async def test_an_id_that_is_no_number_is_a_type_mismatch(
    rest: httpx.AsyncClient, path: str
) -> None:
    answer = await rest.get(f"{CONTACTS}/{path}")
    assert (answer.status_code, answer.json()["message"]) == (400, "type mismatch exception")


async def test_a_deleted_contact_is_invisible_and_its_external_id_free(
    rest: httpx.AsyncClient, body: Body
) -> None:
    answer = await rest.delete(f"{CONTACTS}/E-1002", params={"idType": "externalId"})
    assert (answer.status_code, answer.json()["id"]) == (200, GRACE)
    assert (await rest.get(f"{CONTACTS}/{GRACE}")).status_code == 404
    assert await found(rest, externalIds="E-1002") == []
    assert await found(rest, groupIds=NEWSLETTER) == ["E-1001"]
    again = (await rest.post(CONTACTS, json=body(externalId="E-1002"))).json()["id"]
    assert again != GRACE


async def test_the_first_of_two_pages_has_the_documented_envelope(rest: httpx.AsyncClient) -> None:
    answer = (await rest.get(CONTACTS)).json()
    data = answer["page"].pop("data")
    assert len(data) == 100
    assert answer == {
        "message": "OK",
        "firstPageUri": f"{URI}?pageNumber=1",
        "nextPageUri": f"{URI}?pageNumber=2",
        "lastPageUri": f"{URI}?pageNumber=2",
        "page": {
            "pageSize": 100,
            "start": 0,
            "currentPageNo": 1,
            "totalPageCount": 2,
            "totalCount": 123,
        },
    }


async def test_the_last_page_has_no_next_one_and_keeps_the_search(rest: httpx.AsyncClient) -> None:
    params: dict[str, Any] = {"pageNumber": 2, "sortBy": "externalId", "direction": "ASC"}
    answer = (await rest.get(CONTACTS, params=params)).json()
    assert "nextPageUri" not in answer
    kept = "sortBy=externalId&direction=ASC"
    assert answer["previousPageUri"] == f"{URI}?{kept}&pageNumber=1"
    assert (answer["page"]["start"], len(answer["page"]["data"])) == (100, 23)


async def test_following_the_page_uris_visits_every_contact_once(rest: httpx.AsyncClient) -> None:
    seen = []
    uri: str | None = f"{CONTACTS}?pageSize=50&sortBy=externalId&direction=ASC"
    while uri:
        answer = (await rest.get(uri)).json()
        seen += [contact["externalId"] for contact in answer["page"]["data"]]
        uri = answer.get("nextPageUri")
    assert len(seen) == len(set(seen)) == 123
    assert seen == sorted(seen)


async def test_nothing_found_is_no_data_unless_switched(
    rest: httpx.AsyncClient, everbridge: Everbridge
) -> None:
    params = {"externalIds": "E-0"}
    answer = (await rest.get(CONTACTS, params=params)).json()
    assert "data" not in answer["page"]
    assert answer["page"]["totalCount"] == 0
    everbridge.switches["empty_data"] = True
    assert (await rest.get(CONTACTS, params=params)).json()["page"]["data"] == []


async def test_a_page_past_the_last_has_no_data(rest: httpx.AsyncClient) -> None:
    page = (await rest.get(CONTACTS, params={"pageNumber": 9})).json()["page"]
    assert "data" not in page
    assert (page["currentPageNo"], page["totalCount"]) == (9, 123)


@pytest.mark.parametrize(
    "params",
    [
        {"pageSize": 3001},
        {"pageSize": 0},
        {"pageSize": "many"},
        {"pageNumber": 0},
        {"pageNumber": 10**9 + 1},
        {"pageNumber": "--1"},
        {"contactIds": "--1"},
        {"sortBy": "shoeSize"},
        {"sortBy": "lastName", "direction": "UP"},
        {"searchType": "XOR"},
        {"contactIds": "E-1001"},
    ],
)
async def test_a_wish_outside_its_limits_is_refused(
    rest: httpx.AsyncClient, params: dict[str, Any]
) -> None:
    assert (await rest.get(CONTACTS, params=params)).status_code == 400


async def test_the_largest_page_holds_all(rest: httpx.AsyncClient) -> None:
    assert len(await found(rest, pageSize=3000)) == 123


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"externalIds": "E-1002,E-1001,E-0"}, ["E-1001", "E-1002"]),
        ({"externalIds": ["E-1002", "E-1001"]}, ["E-1001", "E-1002"]),
        ({"contactIds": f"{ADA},{ALAN}"}, ["E-1001", "E-1003"]),
        ({"contactIds": [ADA, ALAN]}, ["E-1001", "E-1003"]),
        ({"groupIds": NEWSLETTER}, ["E-1001", "E-1002"]),
        ({"groupIds": NEWSLETTER, "externalIds": "E-1002,E-1003"}, ["E-1002"]),
        (
            {"groupIds": NEWSLETTER, "externalIds": "E-1003", "searchType": "OR"},
            ["E-1001", "E-1002", "E-1003"],
        ),
        ({"externalIds": "e-1001"}, []),
        ({"contactFilterIds": "1900000000000001"}, []),
    ],
)
async def test_searches_match_any_of_a_list_and_combine_the_lists(
    rest: httpx.AsyncClient, params: dict[str, Any], expected: list[str]
) -> None:
    assert await found(rest, **params) == expected


@pytest.mark.parametrize("params", [{"externalId": "E-1001"}, {"externalIds": ""}])
async def test_a_parameter_that_is_misspelt_or_empty_filters_nothing(
    rest: httpx.AsyncClient, params: dict[str, str]
) -> None:
    assert len(await found(rest, pageSize=1000, **params)) == 123


async def test_a_hundred_external_ids_fit_in_one_call(rest: httpx.AsyncClient) -> None:
    wanted = [f"E-{number}" for number in range(9001, 9101)]
    assert await found(rest, externalIds=wanted) == wanted


@pytest.mark.parametrize(
    "params", [{"externalIds": "E-1001,E-1002"}, {"contactIds": [ADA, ADA, GRACE]}]
)
async def test_a_search_for_ids_looks_at_no_other_contacts(
    rest: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, params: dict[str, Any]
) -> None:
    looked = Mock(return_value=True)
    monkeypatch.setattr(Store, "shown_since", looked)

    assert await found(rest, **params) == ["E-1001", "E-1002"]

    assert looked.call_count == 2


async def test_ignored_filters_find_everything(
    rest: httpx.AsyncClient, everbridge: Everbridge
) -> None:
    everbridge.switches["ignore_filters"] = True
    assert len(await found(rest, externalIds="E-1001", pageSize=1000)) == 123
    assert len(await found(rest, contactIds=ADA, pageSize=1000)) == 123
    body = {"externalIds": ["E-1001"], "pageSize": 1000}
    assert (await rest.post(f"{CONTACTS}/query", json=body)).json()["page"]["totalCount"] == 123


async def test_sorting_by_last_modified_alone_is_newest_first(
    rest: httpx.AsyncClient, clock: ManualClock, body: Body
) -> None:
    for external_id in ("E-1003", "E-1001"):
        await rest.post(CONTACTS, json=body(externalId=external_id))
        clock.advance(5)
    assert (await found(rest, sortBy="lastModifiedDate"))[:2] == ["E-1001", "E-1003"]
    ascending = await found(rest, sortBy="lastModifiedDate", direction="ASC", pageSize=500)
    assert ascending[-2:] == ["E-1003", "E-1001"]


async def test_sorting_by_last_name_goes_both_ways(rest: httpx.AsyncClient) -> None:
    wanted = "E-1001,E-1002,E-1003"
    assert await found(rest, externalIds=wanted, sortBy="lastName") == [
        "E-1001",
        "E-1003",
        "E-1002",
    ]
    descending = await found(rest, externalIds=wanted, sortBy="lastName", direction="DESC")
    assert descending == ["E-1002", "E-1003", "E-1001"]


async def test_a_query_takes_the_same_names_as_json(rest: httpx.AsyncClient) -> None:
    body = {
        "externalIds": ["E-1001", "E-1002"],
        "contactIds": [str(ADA), GRACE],
        "groupIds": [NEWSLETTER],
        "sortBy": "externalId",
        "direction": "DESC",
        "pageSize": 1,
        "pageNumber": 2,
    }
    answer = (await rest.post(f"{CONTACTS}/query", json=body)).json()
    assert answer["page"]["totalPageCount"] == 2
    assert [contact["id"] for contact in answer["page"]["data"]] == [ADA]
    nothing = {"contactFilterIds": [1900000000000001]}
    answer = (await rest.post(f"{CONTACTS}/query", json=nothing)).json()
    assert answer["page"]["totalCount"] == 0


@pytest.mark.parametrize(
    "params",
    [
        {"groupId": NEWSLETTER},
        {"groupIds": NEWSLETTER},
        {"byType": "name", "groupName": "Newsletter"},
    ],
)
async def test_members_of_a_group_are_listed(
    rest: httpx.AsyncClient, params: dict[str, Any]
) -> None:
    answer = (await rest.get("contacts/groups/1000000000000001", params=params)).json()
    assert [contact["externalId"] for contact in answer["page"]["data"]] == ["E-1001", "E-1002"]
    assert answer["page"]["pageSize"] == 100


@pytest.mark.parametrize("params", [{"groupId": 5}, {"byType": "name", "groupName": "X"}, {}])
async def test_members_of_an_unknown_group_are_404(
    rest: httpx.AsyncClient, params: dict[str, Any]
) -> None:
    answer = await rest.get("contacts/groups/1000000000000001", params=params)
    assert answer.status_code == 404


async def test_a_trailing_slash_on_the_collection_works(
    rest: httpx.AsyncClient, body: Body
) -> None:
    assert (await rest.get(f"{CONTACTS}/", params={"pageSize": 1})).status_code == 200
    assert (await rest.post(f"{CONTACTS}/", json=body())).status_code == 200
