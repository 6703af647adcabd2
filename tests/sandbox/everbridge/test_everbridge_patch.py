"""The PATCH dialect of section 3.3: elements by key, groups removable, all operations or none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx

    from gateway.sandbox.everbridge import Everbridge

    Read = Callable[[str], Awaitable[dict[str, Any]]]

ADA = "contacts/1000000000000001/1300000000000001"
NEWSLETTER, BERLIN, WARDENS, NIGHT = (1200000000000000 + n for n in (1, 2, 3, 4))
EMAIL, HOME_EMAIL, MOBILE, SMS = (241901148045300 + n for n in (16, 17, 19, 24))


async def send(rest: httpx.AsyncClient, *operations: object) -> httpx.Response:
    headers = {"Content-Type": "application/json-patch+json"}
    return await rest.patch(ADA, json=list(operations), headers=headers)


async def patched(rest: httpx.AsyncClient, read: Read, op: str, path: str, *value: object) -> Any:
    """Ada after one operation, which must succeed."""
    operation = {"op": op, "path": path, **({"value": value[0]} if value else {})}
    answer = await send(rest, operation)
    assert answer.status_code == 200, answer.text
    assert answer.json()["id"] == 1300000000000001
    return await read("E-1001")


async def test_a_scalar_is_replaced_and_all_else_is_kept(
    rest: httpx.AsyncClient, read: Read
) -> None:
    before = await read("E-1001")
    after = await patched(rest, read, "replace", "/firstName", "Augusta")
    changed = {name for name in after if after[name] != before[name]}
    assert after["firstName"] == "Augusta"
    assert changed <= {"firstName", "lastModifiedDate", "lastModifiedTime"}
    assert set(after) == set(before)


async def test_a_scalar_without_value_can_be_set_and_one_with_value_removed(
    rest: httpx.AsyncClient, read: Read
) -> None:
    assert "suffix" not in await patched(rest, read, "remove", "/suffix")
    assert (await patched(rest, read, "replace", "/suffix", "MD"))["suffix"] == "MD"


@pytest.mark.parametrize("key", ["name:Shift", "orgAttrId:1400000000000001"])
async def test_an_attribute_is_addressed_by_name_or_id(
    rest: httpx.AsyncClient, read: Read, key: str
) -> None:
    path = f"/contactAttributes/{key}/values"
    after = await patched(rest, read, "replace", path, ["Early"])
    values = {each["name"]: each["values"] for each in after["contactAttributes"]}
    assert values["Shift"] == ["Early"]
    assert values["Badge number"] == [16324267]
    after = await patched(rest, read, "remove", f"/contactAttributes/{key}")
    assert "Shift" not in {each["name"] for each in after["contactAttributes"]}


async def test_a_value_of_an_attribute_is_addressed_by_itself(
    rest: httpx.AsyncClient, read: Read
) -> None:
    path = "/contactAttributes/name:Languages/values"
    after = await patched(rest, read, "remove", f"{path}/value:French")
    assert after["contactAttributes"][3]["values"] == ["English"]
    after = await patched(rest, read, "add", f"{path}/value:German")
    assert after["contactAttributes"][3]["values"] == ["English", "German"]


async def test_an_attribute_is_added_under_its_key_or_at_the_end(
    rest: httpx.AsyncClient, read: Read
) -> None:
    await patched(rest, read, "remove", "/contactAttributes")
    await patched(rest, read, "add", "/contactAttributes/name:Notes", {"values": ["x"]})
    element = {"name": "Shift", "values": ["Day"]}
    after = await patched(rest, read, "add", "/contactAttributes/-", element)
    assert [each["name"] for each in after["contactAttributes"]] == ["Notes", "Shift"]


@pytest.mark.parametrize("key", [f"pathId:{EMAIL}", "prompt:Work Email"])
async def test_a_path_is_addressed_by_path_id_or_prompt(
    rest: httpx.AsyncClient, read: Read, key: str
) -> None:
    after = await patched(rest, read, "replace", f"/paths/{key}/value", "ada@example.org")
    assert after["paths"][1]["value"] == "ada@example.org"
    assert len(after["paths"]) == 5


async def test_a_whole_path_is_replaced_in_its_place_without_its_old_quiet_times(
    rest: httpx.AsyncClient, read: Read
) -> None:
    value = {"value": "+44 7700 900177"}
    after = await patched(rest, read, "replace", f"/paths/pathId:{MOBILE}", value)
    path = after["paths"][0]
    assert (path["pathId"], path["value"], path["countryCode"]) == (MOBILE, "7700900177", "GB")
    assert "quietTimeFrames" not in path


@pytest.mark.parametrize("end", ["-", "~"])
async def test_both_spellings_of_the_end_of_an_array_append(
    rest: httpx.AsyncClient, read: Read, end: str
) -> None:
    value = {"pathId": HOME_EMAIL, "value": "home@example.com"}
    after = await patched(rest, read, "add", f"/paths/{end}", value)
    assert [path["pathId"] for path in after["paths"]][-1] == HOME_EMAIL
    assert len(after["paths"]) == 6


async def test_adding_under_a_key_that_is_there_replaces_that_element(
    rest: httpx.AsyncClient, read: Read
) -> None:
    value = {"value": "ada@example.org"}
    after = await patched(rest, read, "add", f"/paths/pathId:{EMAIL}", value)
    assert len(after["paths"]) == 5
    assert after["paths"][1]["value"] == "ada@example.org"
    assert (await patched(rest, read, "add", f"/groups/value:{NIGHT}"))["groups"] == [
        NEWSLETTER,
        BERLIN,
        NIGHT,
    ]


async def test_an_array_that_is_not_there_is_made_by_the_first_element(
    rest: httpx.AsyncClient, read: Read
) -> None:
    await patched(rest, read, "remove", "/address")
    home = {"locationName": "Home", "streetAddress": "1 Test Street", "country": "GB"}
    assert (await patched(rest, read, "add", "/address/-", home))["address"] == [home]


async def test_quiet_times_are_addressed_by_name_inside_their_path(
    rest: httpx.AsyncClient, read: Read
) -> None:
    frames = f"/paths/pathId:{MOBILE}/quietTimeFrames"
    after = await patched(rest, read, "replace", f"{frames}/name:Night/toHour", 5)
    assert after["paths"][0]["quietTimeFrames"][0]["toHour"] == 5
    after = await patched(rest, read, "remove", f"{frames}/name:Night")
    assert [each["name"] for each in after["paths"][0]["quietTimeFrames"]] == ["Weekend"]
    after = await patched(rest, read, "remove", frames)
    assert "quietTimeFrames" not in after["paths"][0]
    assert after["paths"][3]["quietTimeFrames"]


async def test_the_time_zone_cannot_go_while_there_are_quiet_times(
    rest: httpx.AsyncClient, everbridge: Everbridge
) -> None:
    before = everbridge.dump()
    answer = await send(rest, {"op": "remove", "path": "/timezoneId"})
    assert answer.status_code == 400
    assert everbridge.dump() == before


async def test_an_address_is_addressed_by_its_location_name(
    rest: httpx.AsyncClient, read: Read
) -> None:
    after = await patched(rest, read, "replace", "/address/locationName:Office/city", "Leeds")
    assert after["address"][0]["city"] == "Leeds"
    assert after["address"][0]["gisLocation"] == {"lat": 51.5, "lon": -0.1}
    path = "/address/locationName:Office/gisLocation/lat"
    assert (await patched(rest, read, "replace", path, 53))["address"][0]["gisLocation"] == {
        "lat": 53,
        "lon": -0.1,
    }


async def test_names_with_slash_and_tilde_are_escaped(rest: httpx.AsyncClient, read: Read) -> None:
    odd = {"locationName": "A/B ~C", "streetAddress": "1 Test Street", "country": "GB"}
    await patched(rest, read, "add", "/address/-", odd)
    path = "/address/locationName:A~1B ~0C/city"
    assert (await patched(rest, read, "add", path, "York"))["address"][2]["city"] == "York"


@pytest.mark.parametrize("path", [f"/groups/value:{BERLIN}", "/groupsName/value:Berlin Office"])
async def test_a_membership_can_be_removed(rest: httpx.AsyncClient, read: Read, path: str) -> None:
    assert (await patched(rest, read, "remove", path))["groups"] == [NEWSLETTER, NIGHT]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (f"/groups/value:{WARDENS}", ()),
        ("/groups/-", (WARDENS,)),
        ("/groupsName/value:Fire Wardens", ()),
        ("/groupsName/~", ("Fire Wardens",)),
    ],
)
async def test_a_membership_can_be_added(
    rest: httpx.AsyncClient, read: Read, path: str, value: tuple[object, ...]
) -> None:
    after = await patched(rest, read, "add", path, *value)
    assert after["groups"] == [NEWSLETTER, BERLIN, NIGHT, WARDENS]


@pytest.mark.parametrize(
    ("path", "value"), [("/groups", [WARDENS]), ("/groupsName", ["Fire Wardens"])]
)
async def test_replacing_the_whole_array_sets_the_memberships(
    rest: httpx.AsyncClient, read: Read, path: str, value: list[object]
) -> None:
    assert (await patched(rest, read, "replace", path, value))["groups"] == [WARDENS]


async def test_a_topic_is_addressed_by_its_value(rest: httpx.AsyncClient, read: Read) -> None:
    path = "/topics/value:1600000000000001"
    after = await patched(rest, read, "replace", path, 1600000000000009)
    assert after["topics"] == [1600000000000009, 1600000000000002]
    after = await patched(rest, read, "remove", "/topics/value:1600000000000009")
    assert after["topics"] == [1600000000000002]


async def test_the_record_type_can_be_set_by_name(rest: httpx.AsyncClient, read: Read) -> None:
    after = await patched(rest, read, "replace", "/recordTypeName", "Resident")
    assert after["recordTypeId"] == 1100000000000002


async def test_a_missing_target_fails_as_documented(rest: httpx.AsyncClient) -> None:
    operation = {"op": "replace", "path": "/address/locationName:loc1/city", "value": "Leeds"}
    answer = await send(rest, operation)
    assert answer.status_code == 400
    assert answer.json() == {
        "status": 400,
        "message": "Patch failed due to input invalid!",
        "detail": [
            {
                "errorMessage": "No such item in target array!",
                "details": "locationName:loc1",
                "errorPatch": operation,
            }
        ],
    }


@pytest.mark.parametrize(
    ("op", "path", "value"),
    [
        ("test", "/firstName", "Ada"),
        ("move", "/firstName", "Ada"),
        ("replace", "/id", 5),
        ("replace", "/lastModifiedDate", 5),
        ("replace", "", {}),
        ("remove", "/middleName", None),
        ("replace", "/paths/0/value", "ada@example.org"),
        ("replace", "/firstName/0", "A"),
        ("replace", f"/groups/value:{NEWSLETTER}/name", "A"),
        ("add", "/paths/-", "no object"),
        ("replace", "/paths", "no array"),
        ("replace", "/groups/value:5", 6),
        ("remove", "/groups/value:5", None),
        ("remove", "/groupsName/value:Fire Wardens", None),
        ("add", "/address/locationName:Attic", "no object"),
        ("add", "/groupsName/-", "Chess Club"),
        ("replace", "/externalId", "E-1002"),
        ("replace", "/lastName", ""),
    ],
)
async def test_an_operation_that_cannot_be_applied_is_refused(
    rest: httpx.AsyncClient, everbridge: Everbridge, op: str, path: str, value: object
) -> None:
    before = everbridge.dump()
    answer = await send(rest, {"op": op, "path": path, "value": value})
    assert answer.status_code == 400
    assert everbridge.dump() == before


@pytest.mark.parametrize("operation", ["remove", {"op": "remove"}, {"op": "remove", "path": 1}])
async def test_what_is_no_operation_is_a_type_mismatch(
    rest: httpx.AsyncClient, operation: object
) -> None:
    answer = await send(rest, operation)
    assert (answer.status_code, answer.json()["message"]) == (400, "type mismatch exception")


async def test_all_operations_or_none(rest: httpx.AsyncClient, read: Read) -> None:
    before = await read("E-1001")
    good = {"op": "replace", "path": "/firstName", "value": "Augusta"}
    bad = {"op": "remove", "path": "/paths/prompt:Pager"}
    assert (await send(rest, good, bad)).status_code == 400
    assert await read("E-1001") == before


async def test_patch_wants_its_own_media_type(rest: httpx.AsyncClient) -> None:
    answer = await rest.patch(ADA, json=[{"op": "remove", "path": "/suffix"}])
    assert answer.status_code == 415


async def test_patch_of_an_unknown_contact_is_404(rest: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "application/json-patch+json"}
    answer = await rest.patch("contacts/1000000000000001/5", json=[], headers=headers)
    assert answer.status_code == 404
    assert answer.json() == {"status": 404, "message": "Contact 5 not found."}
