"""Section 5 of the contract, rule by rule; 12 to 14 and 16 are in the naming rules' file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx

    from gateway.sandbox.everbridge import Everbridge

    Body = Callable[..., dict[str, Any]]
    Read = Callable[[str], Awaitable[dict[str, Any]]]

CONTACTS = "contacts/1000000000000001"
ADA = f"{CONTACTS}/1300000000000001"
NEWSLETTER, BERLIN, WARDENS, NIGHT = (1200000000000000 + n for n in (1, 2, 3, 4))
SHIFT = 1400000000000001
EMAIL, MOBILE, SMS = 241901148045316, 241901148045319, 241901148045324
NIGHT_FRAME = {
    "name": "Night",
    "days": [2, 3],
    "fromHour": 22,
    "fromMin": 0,
    "toHour": 6,
    "toMin": 30,
}


@pytest.fixture
def ada(body: Body) -> Body:
    """Makes a body for the rich contact, with nothing but what is required."""

    def make(**fields: Any) -> dict[str, Any]:
        return body(externalId="E-1001", **fields)

    return make


async def put(rest: httpx.AsyncClient, body: dict[str, Any], status: int = 200) -> dict[str, Any]:
    answer = await rest.put(ADA, json=body)
    assert answer.status_code == status, answer.text
    result: dict[str, Any] = answer.json()
    return result


async def test_rule_1_a_scalar_left_out_becomes_empty(
    rest: httpx.AsyncClient, ada: Body, read: Read
) -> None:
    await put(rest, ada(firstName="Augusta"))
    after = await read("E-1001")
    assert after["firstName"] == "Augusta"
    lost = {"middleInitial", "suffix", "country", "timezoneId", "businessName", "vip", "ssoUserId"}
    assert lost.isdisjoint(after)


async def test_rule_1_a_null_is_like_a_scalar_left_out(
    rest: httpx.AsyncClient, ada: Body, read: Read
) -> None:
    await put(rest, {**ada(), "suffix": None, "paths": None, "groups": None})
    after = await read("E-1001")
    assert "suffix" not in after
    assert "paths" not in after
    assert after["groups"] == [NEWSLETTER, BERLIN, NIGHT]


async def test_rule_2_an_attribute_left_out_of_the_array_loses_its_value(
    rest: httpx.AsyncClient, ada: Body, read: Read
) -> None:
    await put(rest, ada(contactAttributes=[{"orgAttrId": SHIFT, "values": ["Day"]}]))
    expected = [{"orgAttrId": SHIFT, "name": "Shift", "values": ["Day"]}]
    assert (await read("E-1001"))["contactAttributes"] == expected


async def test_rule_2_attributes_left_out_are_all_cleared(
    rest: httpx.AsyncClient, ada: Body, read: Read
) -> None:
    await put(rest, ada())
    assert "contactAttributes" not in await read("E-1001")


async def test_rule_3_topics_and_addresses_left_out_of_their_arrays_are_removed(
    rest: httpx.AsyncClient, ada: Body, read: Read
) -> None:
    office = {"locationName": "Office", "streetAddress": "1 Test Street", "country": "GB"}
    await put(rest, ada(topics=[1600000000000002], address=[office]))
    after = await read("E-1001")
    assert after["topics"] == [1600000000000002]
    assert after["address"] == [office]  # its coordinates were left out too


async def test_rule_3_topics_and_addresses_left_out_are_all_removed(
    rest: httpx.AsyncClient, ada: Body, read: Read
) -> None:
    await put(rest, ada())
    assert {"topics", "address"}.isdisjoint(await read("E-1001"))


async def test_rule_4_paths_left_out_are_all_removed(
    rest: httpx.AsyncClient, ada: Body, read: Read
) -> None:
    await put(rest, ada())
    assert "paths" not in await read("E-1001")


async def test_rule_4_can_be_switched_to_keeping_the_paths(
    rest: httpx.AsyncClient, ada: Body, read: Read, everbridge: Everbridge
) -> None:
    everbridge.switches["keep_absent_paths"] = True
    before = await read("E-1001")
    await put(rest, ada())
    assert (await read("E-1001"))["paths"] == before["paths"]
    await put(rest, ada(paths=[]))
    assert "paths" not in await read("E-1001")


@pytest.mark.parametrize("given", [{}, {"groups": []}, {"groupsName": []}])
async def test_rule_5_a_put_never_removes_a_membership(
    rest: httpx.AsyncClient, ada: Body, read: Read, given: dict[str, Any]
) -> None:
    await put(rest, ada(**given))
    assert (await read("E-1001"))["groups"] == [NEWSLETTER, BERLIN, NIGHT]


@pytest.mark.parametrize("given", [{"groups": [WARDENS]}, {"groupsName": ["Fire Wardens"]}])
async def test_rule_5_a_put_adds_the_listed_groups(
    rest: httpx.AsyncClient, ada: Body, read: Read, given: dict[str, Any]
) -> None:
    await put(rest, ada(**given))
    assert (await read("E-1001"))["groups"] == [NEWSLETTER, BERLIN, NIGHT, WARDENS]


async def test_rule_6_quiet_times_left_out_are_kept(
    rest: httpx.AsyncClient, ada: Body, read: Read
) -> None:
    before = (await read("E-1001"))["paths"][0]["quietTimeFrames"]
    await put(rest, ada(paths=[{"pathId": MOBILE, "countryCode": "GB", "value": "7700900199"}]))
    (path,) = (await read("E-1001"))["paths"]
    assert path["value"] == "7700900199"
    assert path["quietTimeFrames"] == before


async def test_rule_6_quiet_times_given_replace_the_stored_ones(
    rest: httpx.AsyncClient, ada: Body, read: Read
) -> None:
    path = {"pathId": MOBILE, "countryCode": "GB", "value": "7700900199"}
    paths = [{**path, "quietTimeFrames": [NIGHT_FRAME]}]
    await put(rest, ada(timezoneId="Europe/London", paths=paths))
    assert (await read("E-1001"))["paths"][0]["quietTimeFrames"] == [NIGHT_FRAME]


async def test_rule_6_an_empty_array_removes_the_quiet_times(
    rest: httpx.AsyncClient, ada: Body, read: Read
) -> None:
    path = {"pathId": MOBILE, "countryCode": "GB", "value": "7700900199", "quietTimeFrames": []}
    await put(rest, ada(paths=[path]))
    assert "quietTimeFrames" not in (await read("E-1001"))["paths"][0]


async def test_rule_7_quiet_times_belong_to_the_path_id_and_not_to_the_place(
    rest: httpx.AsyncClient, ada: Body, read: Read
) -> None:
    paths = [
        {"pathId": EMAIL, "value": "ada@example.com"},
        {"prompt": "SMS", "countryCode": "GB", "value": "7700900101"},
    ]
    await put(rest, ada(paths=paths))
    after = (await read("E-1001"))["paths"]
    assert [path["pathId"] for path in after] == [EMAIL, SMS]
    assert "quietTimeFrames" not in after[0]
    assert [frame["name"] for frame in after[1]["quietTimeFrames"]] == ["Sunday"]


async def test_rule_7_a_path_that_was_gone_comes_back_without_quiet_times(
    rest: httpx.AsyncClient, ada: Body, read: Read
) -> None:
    await put(rest, ada())
    await put(rest, ada(paths=[{"pathId": SMS, "countryCode": "GB", "value": "7700900101"}]))
    assert "quietTimeFrames" not in (await read("E-1001"))["paths"][0]


async def test_rule_8_quiet_times_need_a_time_zone_in_the_same_body(
    rest: httpx.AsyncClient, ada: Body, read: Read
) -> None:
    before = await read("E-1001")
    path = {"pathId": MOBILE, "countryCode": "GB", "value": "7700900199"}
    body = ada(paths=[{**path, "quietTimeFrames": [NIGHT_FRAME]}])
    assert "timezoneId" in (await put(rest, body, 400))["message"]
    assert await read("E-1001") == before


async def test_rule_9_the_url_decides_and_the_id_of_the_body_is_ignored(
    rest: httpx.AsyncClient, ada: Body, read: Read
) -> None:
    grace = await read("E-1002")
    answer = await put(rest, ada(id=1300000000000002, firstName="Augusta"))
    assert answer["id"] == 1300000000000001
    assert (await read("E-1001"))["firstName"] == "Augusta"
    assert await read("E-1002") == grace


async def test_rule_10_another_external_id_renames_the_contact(
    rest: httpx.AsyncClient, body: Body, read: Read
) -> None:
    await put(rest, body(externalId="E-1001-new"))
    assert (await read("E-1001-new"))["id"] == 1300000000000001
    params = {"idType": "externalId"}
    assert (await rest.get(f"{CONTACTS}/E-1001", params=params)).status_code == 404


async def test_rule_10_renaming_to_a_taken_external_id_fails_and_writes_nothing(
    rest: httpx.AsyncClient, body: Body, read: Read
) -> None:
    before = await read("E-1001"), await read("E-1002")
    assert "E-1002" in (await put(rest, body(externalId="E-1002"), 400))["message"]
    assert (await read("E-1001"), await read("E-1002")) == before


async def test_rule_11_with_id_type_external_id_the_body_repeats_it(
    rest: httpx.AsyncClient, ada: Body
) -> None:
    params = {"idType": "externalId"}
    with_it = await rest.put(f"{CONTACTS}/E-1001", params=params, json=ada())
    assert with_it.json()["id"] == 1300000000000001
    without = {name: value for name, value in ada().items() if name != "externalId"}
    answer = await rest.put(f"{CONTACTS}/E-1001", params=params, json=without)
    assert (answer.status_code, answer.json()["message"]) == (400, "externalId is required.")


async def test_rule_15_a_post_with_a_known_external_id_acts_as_put(
    rest: httpx.AsyncClient, ada: Body, read: Read
) -> None:
    answer = await rest.post(CONTACTS, json=ada(firstName="Augusta"))
    assert answer.json()["id"] == 1300000000000001
    after = await read("E-1001")
    assert after["firstName"] == "Augusta"
    assert {"paths", "address", "contactAttributes", "vip"}.isdisjoint(after)
    assert after["groups"] == [NEWSLETTER, BERLIN, NIGHT]


async def test_rule_15_a_batch_post_with_a_known_external_id_acts_as_put(
    rest: httpx.AsyncClient, ada: Body, read: Read
) -> None:
    answer = await rest.post(f"{CONTACTS}/batch", params={"version": 1}, json=[ada()])
    assert answer.json() == {"code": 100, "message": "OK"}
    after = await read("E-1001")
    assert after["id"] == 1300000000000001
    assert {"paths", "address", "contactAttributes", "vip"}.isdisjoint(after)


async def test_rule_17_the_last_write_wins_whatever_the_headers_say(
    rest: httpx.AsyncClient, ada: Body, read: Read
) -> None:
    assert "etag" not in (await rest.get(ADA)).headers
    headers = {"If-Match": '"stale"'}
    answer = await rest.put(ADA, json=ada(firstName="Late"), headers=headers)
    assert answer.status_code == 200
    assert (await read("E-1001"))["firstName"] == "Late"


async def test_rule_18_a_contact_put_back_as_it_was_read_is_the_same_afterwards(
    rest: httpx.AsyncClient, read: Read
) -> None:
    before = await read("E-1001")
    await put(rest, before)
    after = await read("E-1001")
    changing = {name for name in before if name.startswith("lastModified")}
    assert {k: v for k, v in after.items() if k not in changing} == {
        k: v for k, v in before.items() if k not in changing
    }


async def test_rule_18_read_only_fields_of_a_body_are_ignored(
    rest: httpx.AsyncClient, ada: Body, read: Read
) -> None:
    made_up = {
        "status": "D",
        "createdDate": 1,
        "organizationId": 2,
        "accountId": 3,
        "registedEmail": "other@example.com",
        "lastModifiedName": "nobody",
    }
    await put(rest, ada(**made_up))
    after = await read("E-1001")
    assert after["status"] == "A"
    assert after["createdDate"] == 1767603600000
    assert after["organizationId"] == 1000000000000001
    assert after["accountId"] == 0
    assert after["registedEmail"] == "ada@example.com"
    assert after["lastModifiedName"] == "sandbox"
