"""The look-up calls of section 3.5."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx

    from gateway.sandbox.everbridge import Everbridge

    Read = Callable[[str], Awaitable[dict[str, Any]]]

ORG = "1000000000000001"
ATTRIBUTES, RECORD_TYPES, PATHS = (
    f"{name}/{ORG}" for name in ("contactAttributes", "recordTypes", "contactPaths")
)


async def rows(rest: httpx.AsyncClient, url: str) -> list[dict[str, Any]]:
    answer = (await rest.get(url)).json()
    data: list[dict[str, Any]] = answer["page"]["data"]
    assert answer["message"] == "OK"
    assert answer["page"]["pageSize"] == answer["page"]["totalCount"] == len(data)
    return data


async def test_organizations_are_listed(rest: httpx.AsyncClient) -> None:
    assert [row["id"] for row in await rows(rest, "organizations")] == [int(ORG)]


async def test_location_types_are_listed(rest: httpx.AsyncClient) -> None:
    for row in await rows(rest, f"locationTypes/{ORG}"):
        assert {"id", "code", "prompt", "status"} <= set(row)


async def test_contact_paths_have_the_global_ids_and_the_organizations_prompts(
    rest: httpx.AsyncClient,
) -> None:
    prompts = {row["pathId"]: row["prompt"] for row in await rows(rest, PATHS)}
    assert prompts == {
        241901148045316: "Work Email",
        241901148045317: "Home Email",
        241901148045319: "Mobile Phone",
        241901148045320: "Second Mobile",
        241901148045321: "Business Phone",
        241901148045324: "SMS",
        241901148045325: "Member App",
    }
    assert (await rest.get(PATHS)).json()["page"]["start"] == 1


async def test_one_contact_path_is_read_by_path_id_or_row_id(rest: httpx.AsyncClient) -> None:
    for key in (241901148045321, 1500000000000005):
        path = (await rest.get(f"{PATHS}/{key}")).json()["result"]
        assert (path["pathId"], path["pathType"]) == (241901148045321, "EXTPHONE")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (f"{PATHS}/5", f"No contactPath 5 found in organization {ORG}"),
        (f"{ATTRIBUTES}/5", "Contact attribute 5 not found"),
        (f"{RECORD_TYPES}/5", "Record type 5 not found."),
    ],
)
async def test_an_unknown_id_is_404(rest: httpx.AsyncClient, url: str, message: str) -> None:
    answer = await rest.get(url)
    assert (answer.status_code, answer.json()) == (404, {"status": 404, "message": message})


async def test_contact_paths_cannot_be_written(rest: httpx.AsyncClient) -> None:
    answer = await rest.post(PATHS, json={"prompt": "Pigeon"})
    assert (answer.status_code, answer.json()["status"]) == (405, 405)


async def test_a_list_without_rows_has_no_data_unless_switched(
    rest: httpx.AsyncClient, everbridge: Everbridge
) -> None:
    for row in await rows(rest, ATTRIBUTES):
        await rest.delete(f"{ATTRIBUTES}/{row['id']}")
    page = (await rest.get(ATTRIBUTES)).json()["page"]
    assert page == {
        "pageSize": 0,
        "start": 1,
        "currentPageNo": 1,
        "totalPageCount": 0,
        "totalCount": 0,
    }
    everbridge.switches["empty_data"] = True
    assert (await rest.get(ATTRIBUTES)).json()["page"]["data"] == []


async def test_record_types_count_their_contacts(rest: httpx.AsyncClient) -> None:
    counts = {row["name"]: row["cachedContactCount"] for row in await rows(rest, RECORD_TYPES)}
    assert counts == {"Employee": 2, "Resident": 121}


async def test_a_record_type_is_created_renamed_and_deleted(rest: httpx.AsyncClient) -> None:
    created = (await rest.post(RECORD_TYPES, json={"name": "Visitor", "fillColor": "#fff"})).json()
    url = f"{RECORD_TYPES}/{created['id']}"
    assert created["instanceUri"].endswith(url)
    assert (await rest.get(url)).json()["result"]["recordType"] == "CUSTOMIZE"
    await rest.put(url, json={"name": "Guest"})
    assert (await rest.get(url)).json()["result"]["name"] == "Guest"
    assert (await rest.delete(url)).status_code == 200
    assert (await rest.get(url)).status_code == 404


async def test_a_record_type_needs_a_free_name_and_goes_only_when_unused(
    rest: httpx.AsyncClient,
) -> None:
    for body in ({}, {"name": "Employee"}):
        assert (await rest.post(RECORD_TYPES, json=body)).status_code == 400
    assert (await rest.delete(f"{RECORD_TYPES}/1100000000000001")).status_code == 400


async def test_attributes_show_type_format_and_values(rest: httpx.AsyncClient) -> None:
    seen = {
        row["name"]: (row["dataType"], row["displayFormat"], row.get("definedValues"))
        for row in await rows(rest, ATTRIBUTES)
    }
    assert seen == {
        "Shift": ("STRING", "L", ["Day", "Night", "Early"]),
        "Badge number": ("NUMBER", "F", None),
        "Notes": ("STRING", "F", None),
        "Languages": ("STRING", "S", ["English", "German", "French"]),
        "Joined": ("DATE", "F", None),
    }


async def test_one_attribute_is_an_instance_or_by_switch_a_collection(
    rest: httpx.AsyncClient, everbridge: Everbridge
) -> None:
    url = f"{ATTRIBUTES}/1400000000000001"
    assert (await rest.get(url)).json()["result"]["name"] == "Shift"
    everbridge.switches["attribute_as_collection"] = True
    assert [row["name"] for row in await rows(rest, url)] == ["Shift"]


async def test_an_attribute_is_created_updated_and_deleted_with_its_values(
    rest: httpx.AsyncClient, read: Read
) -> None:
    body = {"name": "Size", "dataType": "STRING", "displayFormat": "L", "definedValues": ["S"]}
    created = (await rest.post(ATTRIBUTES, json=body)).json()["id"]
    url = f"{ATTRIBUTES}/{created}"
    contact = {"id": 1300000000000003, "contactAttributes": [{"name": "Size", "values": ["S"]}]}
    await rest.put(f"contacts/{ORG}/batch", json=[contact])
    await rest.put(url, json={**body, "name": "Shirt", "definedValues": ["S", "M"]})
    assert (await rest.get(url)).json()["result"]["definedValues"] == ["S", "M"]
    shown = {"orgAttrId": created, "name": "Shirt", "values": ["S"]}
    assert (await read("E-1003"))["contactAttributes"] == [shown]
    assert (await rest.delete(url)).json()["id"] == created
    assert (await rest.get(url)).status_code == 404
    assert "contactAttributes" not in await read("E-1003")


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": None},
        {"name": "x" * 41},
        {"name": "Shift"},
        {"dataType": "BOOLEAN"},
        {"displayFormat": "X"},
        {"displayFormat": "S"},
        {"displayFormat": "L", "definedValues": []},
        {"mandatory": "perhaps"},
    ],
)
async def test_an_attribute_that_breaks_a_rule_is_refused(
    rest: httpx.AsyncClient, wrong: dict[str, Any]
) -> None:
    body = {"name": "Size", "dataType": "STRING", "displayFormat": "F"}
    assert (await rest.post(ATTRIBUTES, json=body | wrong)).status_code == 400
