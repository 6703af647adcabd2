"""Batches of contacts: codes, failed rows, partial and full updates, deletes (section 3.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx

    from gateway.sandbox.clock import ManualClock
    from gateway.sandbox.everbridge import Everbridge

    Body = Callable[..., dict[str, Any]]
    Read = Callable[[str], Awaitable[dict[str, Any]]]

CONTACTS = "contacts/1000000000000001"
ADA, GRACE, ALAN = (1300000000000000 + n for n in (1, 2, 3))
WARDENS = 1200000000000003


async def found(rest: httpx.AsyncClient, **params: Any) -> list[str]:
    """External ids that the list call finds, in its order."""
    answer = await rest.get(CONTACTS, params=params)
    return [contact["externalId"] for contact in answer.json()["page"].get("data", [])]


async def test_a_batch_stores_good_rows_and_reports_bad_ones(
    rest: httpx.AsyncClient, body: Body, read: Read
) -> None:
    bad_phone = {"prompt": "SMS", "countryCode": "1", "value": "2025550123"}
    rows = [body(externalId="E-1"), body(externalId="E-2", paths=[bad_phone]), "no row"]
    answer = await rest.post(f"{CONTACTS}/batch", json=rows)
    assert answer.status_code == 200
    assert answer.json() == {
        "code": 200,
        "message": "OK",
        "data": [
            "Row 2 (E-2): Phone number format invalid for selected country.",
            "Row 3 (None): type mismatch exception",
        ],
    }
    assert (await read("E-1"))["firstName"] == "Ada"
    assert await found(rest, externalIds="E-2") == []


async def test_a_batch_of_which_all_rows_failed_has_code_300(
    rest: httpx.AsyncClient, body: Body
) -> None:
    answer = await rest.post(f"{CONTACTS}/batch", json=[body(firstName=None)])
    assert answer.json()["code"] == 300


async def test_a_batch_need_not_say_which_rows_failed(
    rest: httpx.AsyncClient, body: Body, everbridge: Everbridge
) -> None:
    everbridge.switches["batch_names_failed_rows"] = False
    rows = [body(), body(externalId=None)]
    answer = await rest.post(f"{CONTACTS}/batch", json=rows)
    assert answer.json() == {"code": 200, "message": "OK"}


async def test_a_batch_code_can_be_forced(
    rest: httpx.AsyncClient, body: Body, everbridge: Everbridge
) -> None:
    everbridge.switches["batch_code"] = 200
    assert (await rest.post(f"{CONTACTS}/batch", json=[body()])).json()["code"] == 200


async def test_a_batch_has_a_limit(
    rest: httpx.AsyncClient, body: Body, everbridge: Everbridge
) -> None:
    everbridge.switches["batch_limit"] = 2
    rows = [body(externalId=f"E-{n}") for n in range(3)]
    assert (await rest.post(f"{CONTACTS}/batch", json=rows)).status_code == 400
    assert (await rest.post(f"{CONTACTS}/batch", json=rows[:2])).json()["code"] == 100


async def test_a_partial_batch_update_writes_only_the_fields_that_are_there(
    rest: httpx.AsyncClient, read: Read
) -> None:
    before = await read("E-1001")
    paths = [{"pathId": path["pathId"], "value": path["value"]} for path in before["paths"][1:2]]
    row = {"id": ADA, "firstName": "Augusta", "suffix": None, "paths": paths, "groups": [WARDENS]}
    answer = await rest.put(f"{CONTACTS}/batch", json=[row])
    assert answer.json() == {"code": 100, "message": "OK"}
    after = await read("E-1001")
    assert after["firstName"] == "Augusta"
    assert "suffix" not in after
    assert [path["value"] for path in after["paths"]] == ["ada@example.com"]
    assert after["groups"] == [*before["groups"], WARDENS]
    kept = ("contactAttributes", "address", "topics", "vip", "businessName", "timezoneId")
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}


async def test_a_partial_batch_update_keeps_quiet_times_of_paths_it_does_not_name(
    rest: httpx.AsyncClient, read: Read
) -> None:
    before = await read("E-1001")
    params = {"idType": "externalId", "updateType": "partial"}
    row = {"externalId": "E-1001", "lastName": "King"}
    await rest.put(f"{CONTACTS}/batch", params=params, json=[row])
    assert (await read("E-1001"))["paths"] == before["paths"]


async def test_a_partial_batch_update_with_quiet_times_needs_the_time_zone_in_its_row(
    rest: httpx.AsyncClient, read: Read
) -> None:
    before = await read("E-1001")
    row = {"id": ADA, "paths": before["paths"]}
    answer = (await rest.put(f"{CONTACTS}/batch", json=[row])).json()
    assert answer["code"] == 300
    assert "timezoneId" in answer["data"][0]
    row["timezoneId"] = "Europe/Berlin"
    assert (await rest.put(f"{CONTACTS}/batch", json=[row])).json()["code"] == 100
    assert (await read("E-1001"))["paths"] == before["paths"]


async def test_a_full_batch_update_replaces(
    rest: httpx.AsyncClient, body: Body, read: Read
) -> None:
    params = {"idType": "externalId", "updateType": "full"}
    answer = await rest.put(f"{CONTACTS}/batch", params=params, json=[body(externalId="E-1001")])
    assert answer.json()["code"] == 100
    assert {"paths", "address", "vip"}.isdisjoint(await read("E-1001"))


async def test_a_batch_update_reports_rows_without_key_or_contact_and_renames_to_taken_ids(
    rest: httpx.AsyncClient,
) -> None:
    rows: list[dict[str, Any]] = [
        {"firstName": "X"},
        {"id": 5, "firstName": "X"},
        {"id": ADA, "externalId": "E-1002"},
        {"id": ALAN, "firstName": "X"},
    ]
    answer = (await rest.put(f"{CONTACTS}/batch", json=rows)).json()
    assert answer["code"] == 200
    assert [text.partition(":")[0] for text in answer["data"]] == [
        "Row 1 (None)",
        "Row 2 (5)",
        "Row 3 (E-1002)",
    ]
    assert await found(rest, externalIds="E-1002", contactIds=GRACE) == ["E-1002"]


@pytest.mark.parametrize(
    ("params", "keys"),
    [
        ({}, [str(ADA), GRACE]),
        ({"idType": "externalId"}, ["E-1001", "E-1002"]),
    ],
)
async def test_a_batch_delete_takes_ids_or_external_ids_in_its_body(
    rest: httpx.AsyncClient, params: dict[str, str], keys: list[object]
) -> None:
    answer = await rest.request("DELETE", f"{CONTACTS}/batch", params=params, json=keys)
    assert answer.json() == {"code": 100, "message": "OK"}
    assert await found(rest, externalIds="E-1001,E-1002,E-1003") == ["E-1003"]


async def test_a_batch_delete_of_unknown_ids_is_401_and_deletes_nothing(
    rest: httpx.AsyncClient,
) -> None:
    answer = await rest.request("DELETE", f"{CONTACTS}/batch", json=[str(ADA), "5"])
    assert answer.status_code == 401
    assert answer.json() == {
        "status": 401,
        "message": "contactIds invalid to the organization 1000000000000001",
    }
    assert await found(rest, contactIds=ADA) == ["E-1001"]


async def test_an_atomic_batch_stores_nothing_when_a_row_fails(
    rest: httpx.AsyncClient, body: Body, everbridge: Everbridge
) -> None:
    everbridge.switches["batch_atomic"] = True
    before = everbridge.dump()["contacts"]
    rows = [body(externalId="E-1"), body(externalId="E-2", firstName=None)]
    assert (await rest.post(f"{CONTACTS}/batch", json=rows)).json()["code"] == 300
    assert everbridge.dump()["contacts"] == before
    assert await found(rest, externalIds="E-1") == []
    assert (await rest.post(f"{CONTACTS}/batch", json=rows[:1])).json()["code"] == 100


async def test_a_strict_batch_demands_what_its_schema_says(
    rest: httpx.AsyncClient, body: Body, everbridge: Everbridge
) -> None:
    everbridge.switches["batch_strict"] = True
    whole = {"waitTime": 0, "skipValidation": False, "pathEnable": True}
    phone = {**whole, "prompt": "Mobile Phone", "value": "7700900123", "countryCode": "GB"}
    email = {**whole, "prompt": "Work Email", "value": "ada@example.com"}
    given = {"recordTypeName": None, "recordTypeId": 1100000000000001}
    rows = [
        body(externalId="E-1", **given, paths=[phone, email]),
        body(externalId="E-2"),
        *(
            body(externalId=f"E-{name}", **given, paths=[{**phone, name: None}])
            for name in ("waitTime", "skipValidation", "pathEnable", "countryCode")
        ),
    ]
    answer = (await rest.post(f"{CONTACTS}/batch", json=rows)).json()
    assert answer["code"] == 200
    assert [text.partition(": ")[2] for text in answer["data"]] == [
        "recordTypeId is required.",
        "waitTime is required in each path.",
        "skipValidation is required in each path.",
        "pathEnable is required in each path.",
        "countryCode is required in each path.",
    ]


async def test_rows_can_be_made_to_fail_in_batches_alone_or_everywhere(
    rest: httpx.AsyncClient, body: Body, everbridge: Everbridge
) -> None:
    everbridge.switches.update(batch_skips=["E-1"], refuses=["E-2"])
    rows = [body(externalId=f"E-{n}") for n in (1, 2, 3)]
    answer = (await rest.post(f"{CONTACTS}/batch", json=rows)).json()
    assert (answer["code"], len(answer["data"])) == (200, 2)
    assert (await rest.post(CONTACTS, json=rows[0])).status_code == 200
    assert (await rest.post(CONTACTS, json=rows[1])).status_code == 400
    assert sorted(await found(rest, externalIds="E-1,E-2,E-3")) == ["E-1", "E-3"]


async def test_a_search_may_show_new_contacts_late(
    rest: httpx.AsyncClient, body: Body, everbridge: Everbridge, clock: ManualClock
) -> None:
    everbridge.switches["search_lag_seconds"] = 5
    await rest.post(CONTACTS, json=body(externalId="E-1"))
    assert await found(rest, externalIds="E-1") == []
    clock.advance(5)
    assert await found(rest, externalIds="E-1") == ["E-1"]
