"""Section 4 of the contract: what the fields of a contact take, refuse and give back."""

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
EMAIL, MOBILE, BUSINESS, APP = (241901148045300 + n for n in (16, 19, 21, 25))
ADDRESS = {"locationName": "Home", "streetAddress": "1 Test Street", "country": "GB"}
FRAME = {"name": "Night", "days": [1], "fromHour": 22, "fromMin": 0, "toHour": 6, "toMin": 30}


async def post(rest: httpx.AsyncClient, body: dict[str, Any]) -> tuple[int, str]:
    answer = await rest.post(CONTACTS, json=body)
    return answer.status_code, answer.json()["message"]


async def test_the_contracts_example_is_stored_as_it_says(
    rest: httpx.AsyncClient, body: Body, read: Read
) -> None:
    await rest.post(CONTACTS, json=body())
    frame = {**FRAME, "days": [2, 3, 4, 5, 6]}
    phone = {"pathId": MOBILE, "countryCode": "GB", "value": "7700900123", "waitTime": 0}
    office = {
        "locationName": "Office",
        "streetAddress": "1 Test Street",
        "country": "GB",
        "gisLocation": {"lat": 51.5, "lon": -0.1},
        "source": "MANUAL",
    }
    example = body(
        timezoneId="Europe/London",
        groups=[1200000000000001],
        paths=[
            {**phone, "quietTimeFrames": [frame]},
            {"prompt": "Work Email", "value": "ada@example.org", "waitTime": 0},
        ],
        contactAttributes=[{"name": "Shift", "values": ["Night"]}],
        address=[office],
    )
    url = f"{CONTACTS}/E-77"
    answer = await rest.put(url, params={"idType": "externalId"}, json=example)
    contact_id = answer.json()["id"]
    base = "http://sandbox/everbridge/rest/contacts/1000000000000001/"
    assert answer.json() == {
        "message": "OK",
        "id": contact_id,
        "baseUri": base,
        "instanceUri": f"{base}{contact_id}",
    }
    stored = await read("E-77")
    assert isinstance(stored["id"], int)
    assert 13 <= len(str(stored["id"])) <= 16
    assert stored["recordTypeId"] == 1100000000000001
    assert stored["groups"] == [1200000000000001]
    assert stored["address"] == [office]
    assert stored["contactAttributes"] == [
        {"orgAttrId": 1400000000000001, "name": "Shift", "values": ["Night"]}
    ]
    defaults = {"skipValidation": False, "pathEnable": True, "status": "A"}
    assert stored["paths"] == [
        {**phone, **defaults, "quietTimeFrames": [frame]},
        {"pathId": EMAIL, "value": "ada@example.org", "waitTime": 0, **defaults},
    ]


async def test_documented_fields_outside_the_gateways_model_are_stored_and_returned(
    rest: httpx.AsyncClient, body: Body, read: Read
) -> None:
    more = {
        "middleInitial": "K",
        "suffix": "Jr",
        "country": "GB",
        "ssoUserId": "ada",
        "businessName": "Analytical Engines",
        "preferredLanguage": "en_US",
        "language": "en",
        "expatriate": True,
        "vip": True,
        "uploadProcessing": False,
        "individualAccountId": 1750000000000009,
        "userId": 1750000000000010,
        "securityPIN": "4711",
        "topics": [1600000000000003],
    }
    assert (await post(rest, body(**more)))[0] == 200
    stored = await read("E-77")
    assert {name: stored[name] for name in more} == more


async def test_unknown_fields_are_ignored(rest: httpx.AsyncClient, body: Body, read: Read) -> None:
    assert (await post(rest, body(shoeSize=38)))[0] == 200
    assert "shoeSize" not in await read("E-77")


async def test_the_server_sets_dates_in_epoch_milliseconds(
    rest: httpx.AsyncClient, body: Body, read: Read
) -> None:
    await post(rest, body())
    stored = await read("E-77")
    assert stored["createdDate"] == stored["lastModifiedDate"] == stored["lastModifiedTime"]
    assert len(str(stored["createdDate"])) == 13
    assert (stored["createdName"], stored["status"]) == ("sandbox", "A")


@pytest.mark.parametrize("missing", ["externalId", "firstName", "lastName"])
@pytest.mark.parametrize("empty", [None, ""])
async def test_a_required_field_that_is_missing_or_empty_is_refused(
    rest: httpx.AsyncClient, body: Body, missing: str, empty: str | None
) -> None:
    given = body(**{missing: None}) if empty is None else body(**{missing: ""})
    assert await post(rest, given) == (400, f"{missing} is required.")


async def test_a_record_type_is_required(rest: httpx.AsyncClient, body: Body) -> None:
    status, message = await post(rest, body(recordTypeName=None))
    assert (status, message) == (400, "recordTypeId or recordTypeName is required.")


@pytest.mark.parametrize(
    ("field", "longest"),
    [
        ("externalId", 50),
        ("firstName", 100),
        ("lastName", 100),
        ("middleInitial", 1),
        ("suffix", 10),
    ],
)
async def test_a_field_takes_its_longest_text_and_no_longer_one(
    rest: httpx.AsyncClient, body: Body, field: str, longest: int
) -> None:
    assert (await post(rest, body(**{field: "x" * longest})))[0] == 200
    status, message = await post(rest, body(**{field: "x" * (longest + 1)}))
    assert (status, message) == (400, f"{field} is longer than {longest} characters.")


@pytest.mark.parametrize(
    "wrong",
    [
        {"firstName": 7},
        {"vip": "yes"},
        {"vip": 1},
        {"vip": []},
        {"topics": "1"},
        {"topics": ["one"]},
        {"topics": [True]},
        {"groups": 1200000000000001},
        {"paths": {"pathId": EMAIL}},
        {"paths": ["ada@example.com"]},
        {"contactAttributes": [{"name": "Shift", "values": "Day"}]},
        {"contactAttributes": [{"name": "Notes", "values": [None]}]},
        {"address": [{**ADDRESS, "gisLocation": {"lat": "51", "lon": 0}}]},
        {"address": [{**ADDRESS, "arriveDate": "soon"}]},
    ],
)
async def test_a_value_of_the_wrong_type_gets_the_known_text(
    rest: httpx.AsyncClient, body: Body, wrong: dict[str, Any]
) -> None:
    assert await post(rest, body(**wrong)) == (400, "type mismatch exception")


async def test_json_that_cannot_be_read_gets_the_known_text(rest: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await rest.post(CONTACTS, content=b"{", headers=headers)
    assert answer.status_code == 400
    assert answer.json() == {"status": 400, "message": "type mismatch exception"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"country": "UK"},
        {"country": "44"},
        {"timezoneId": "Europe/Atlantis"},
        {"groups": [10**16]},
        {"address": [{**ADDRESS, "locationName": ""}]},
        {"address": [{**ADDRESS, "streetAddress": None}]},
        {"address": [{**ADDRESS, "country": None}]},
        {"address": [{**ADDRESS, "country": "1"}]},
        {"address": [{**ADDRESS, "locationName": "x" * 201}]},
        {"address": [{**ADDRESS, "streetAddress": "x" * 101}]},
        {"address": [{**ADDRESS, "city": "x" * 41}]},
        {"address": [{**ADDRESS, "state": "x" * 41}]},
        {"address": [{**ADDRESS, "suite": "x" * 11}]},
        {"address": [{**ADDRESS, "postalCode": "x" * 11}]},
        {"address": [{**ADDRESS, "country": "US", "postalCode": "2220"}]},
        {"address": [{**ADDRESS, "country": "US", "state": "Bavaria"}]},
        {"address": [{**ADDRESS, "country": "CA", "state": "VA"}]},
        {"address": [{**ADDRESS, "gisLocation": {"lat": 91, "lon": 0}}]},
        {"address": [{**ADDRESS, "source": "GUESS"}]},
        {"contactAttributes": [{"values": ["Day"]}]},
        {"contactAttributes": [{"name": "Shift"}]},
        {"contactAttributes": [{"name": "Shift", "values": ["Noon"]}]},
        {"contactAttributes": [{"name": "Shift", "values": ["Day", "Night"]}]},
        {"contactAttributes": [{"name": "Languages", "values": ["English", "Klingon"]}]},
        {"contactAttributes": [{"name": "Badge number", "values": ["seven"]}]},
        {"contactAttributes": [{"name": "Joined", "values": ["2026-02-30"]}]},
        {"contactAttributes": [{"name": "Joined", "values": ["20260201"]}]},
        {"paths": [{"value": "ada@example.com"}]},
        {"paths": [{"pathId": EMAIL}]},
        {"paths": [{"pathId": EMAIL, "value": ""}]},
        {"paths": [{"pathId": EMAIL, "value": "ada"}]},
        {"paths": [{"pathId": EMAIL, "value": "ada@example.com", "status": "I"}]},
    ],
)
async def test_a_value_that_breaks_a_field_rule_is_refused(
    rest: httpx.AsyncClient, body: Body, everbridge: Everbridge, wrong: dict[str, Any]
) -> None:
    before = everbridge.dump()
    assert (await post(rest, body(**wrong)))[0] == 400
    assert everbridge.dump() == before


@pytest.mark.parametrize("code", ["22201", "22201-1234", "222011234"])
@pytest.mark.parametrize("state", ["Virginia", "VA"])
async def test_us_addresses_take_the_documented_postal_codes_and_states(
    rest: httpx.AsyncClient, body: Body, read: Read, code: str, state: str
) -> None:
    address = {**ADDRESS, "country": "US", "postalCode": code, "state": state}
    assert (await post(rest, body(address=[address])))[0] == 200
    assert (await read("E-77"))["address"] == [address]


async def test_optional_links_of_an_address_are_stored(
    rest: httpx.AsyncClient, body: Body, read: Read
) -> None:
    address = {
        **ADDRESS,
        "locationId": 1660000000000009,
        "locationSourceId": 1660000000000010,
        "assetExternalId": "A-1",
        "newAssetId": "N-1",
        "iata": "LHR",
        "arriveDate": "2026-05-01T10:00:00Z",
        "expireDate": "2026-05-03T10:00:00Z",
    }
    await post(rest, body(address=[address]))
    assert (await read("E-77"))["address"] == [address]


async def test_two_addresses_of_one_location_name_are_refused_unless_switched_off(
    rest: httpx.AsyncClient, body: Body, everbridge: Everbridge
) -> None:
    twice = body(address=[ADDRESS, {**ADDRESS, "streetAddress": "2 Test Street"}])
    assert await post(rest, twice) == (400, "Location Home is used twice.")
    everbridge.switches["reject_duplicate_locations"] = False
    assert (await post(rest, twice))[0] == 200


async def test_one_path_id_twice_is_accepted_unless_switched(
    rest: httpx.AsyncClient, body: Body, everbridge: Everbridge
) -> None:
    twice = body(paths=[{"pathId": EMAIL, "value": f"{n}@example.com"} for n in "ab"])
    assert (await post(rest, twice))[0] == 200
    everbridge.switches["reject_duplicate_paths"] = True
    assert await post(rest, twice) == (400, "A pathId is used twice.")


async def test_paths_keep_their_order_and_their_options(
    rest: httpx.AsyncClient, body: Body, read: Read
) -> None:
    app = {"pathId": APP, "value": "ada", "pathEnable": False, "systemRequirement": "any"}
    desk = {
        "pathId": BUSINESS,
        "countryCode": "DE",
        "value": "3023125101",
        "phoneExt": "12",
        "waitTime": 3,
    }
    await post(rest, body(paths=[app, desk]))
    first, second = (await read("E-77"))["paths"]
    assert {name: first[name] for name in app} == app
    assert {name: second[name] for name in desk} == desk


@pytest.mark.parametrize(("skip", "status"), [("true", 200), (True, 200), ("false", 400)])
async def test_skip_validation_is_taken_as_a_text_too(
    rest: httpx.AsyncClient, body: Body, skip: object, status: int
) -> None:
    path = {"pathId": MOBILE, "countryCode": "GB", "value": "77-0", "skipValidation": skip}
    assert (await post(rest, body(paths=[path])))[0] == status


@pytest.mark.parametrize(
    "change",
    [
        {"days": []},
        {"days": [0]},
        {"days": [8]},
        {"days": [1.5]},
        {"fromHour": 24},
        {"toMin": 60},
        {"toHour": None},
        {"name": None},
    ],
)
async def test_a_quiet_time_outside_its_ranges_is_refused(
    rest: httpx.AsyncClient, body: Body, change: dict[str, Any]
) -> None:
    frames = [{**FRAME, **change}]
    path = {"pathId": EMAIL, "value": "ada@example.com", "quietTimeFrames": frames}
    given = body(timezoneId="Europe/London", paths=[path])
    assert (await post(rest, given))[0] == 400


async def test_numbers_are_read_as_numbers_or_as_text_by_switch(
    rest: httpx.AsyncClient, body: Body, read: Read, everbridge: Everbridge
) -> None:
    async def badge_after(value: object) -> object:
        attribute = {"name": "Badge number", "values": [value]}
        await post(rest, body(contactAttributes=[attribute]))
        return (await read("E-77"))["contactAttributes"][0]["values"][0]

    assert await badge_after("16324267") == 16324267
    assert await badge_after(16324267) == 16324267
    assert await badge_after("1.5") == 1.5
    assert await badge_after("007") == "007"
    everbridge.switches["numbers_as_numbers"] = False
    assert await badge_after("16324267") == "16324267"


async def test_of_two_elements_for_one_attribute_the_later_counts_and_an_empty_one_is_none(
    rest: httpx.AsyncClient, body: Body, read: Read
) -> None:
    elements = [
        {"name": "Shift", "values": ["Day"]},
        {"name": "Notes", "values": []},
        {"orgAttrId": 1400000000000001, "values": ["Early"]},
    ]
    await post(rest, body(contactAttributes=elements))
    (only,) = (await read("E-77"))["contactAttributes"]
    assert only["values"] == ["Early"]
