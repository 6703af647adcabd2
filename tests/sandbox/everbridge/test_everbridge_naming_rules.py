"""Section 5 of the contract, rules 12 to 14 and 16: ids and names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx

    from gateway.sandbox.everbridge import Everbridge

    Body = Callable[..., dict[str, Any]]
    Read = Callable[[str], Awaitable[dict[str, Any]]]

ADA = "contacts/1000000000000001/1300000000000001"
RESIDENT = 1100000000000002
NEWSLETTER, BERLIN, WARDENS, NIGHT = (1200000000000000 + n for n in (1, 2, 3, 4))
BADGE = 1400000000000002
EMAIL = 241901148045316


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


async def test_rule_12_the_id_beats_the_name_in_all_four_pairs(
    rest: httpx.AsyncClient, ada: Body, read: Read
) -> None:
    await put(
        rest,
        ada(
            recordTypeId=RESIDENT,
            recordTypeName="Employee",
            groups=[WARDENS],
            groupsName=["Region 001"],
            contactAttributes=[{"orgAttrId": BADGE, "name": "Shift", "values": ["7"]}],
            paths=[{"pathId": EMAIL, "prompt": "SMS", "value": "ada@example.org"}],
        ),
    )
    after = await read("E-1001")
    assert after["recordTypeId"] == RESIDENT
    assert after["groups"] == [NEWSLETTER, BERLIN, NIGHT, WARDENS]
    assert after["contactAttributes"] == [
        {"orgAttrId": BADGE, "name": "Badge number", "values": [7]}
    ]
    assert after["paths"][0]["pathId"] == EMAIL


async def test_rule_13_beside_groups_the_groups_name_is_ignored_as_a_whole(
    rest: httpx.AsyncClient, ada: Body, read: Read
) -> None:
    await put(rest, ada(groups=[], groupsName=["Fire Wardens", "No such group"]))
    assert (await read("E-1001"))["groups"] == [NEWSLETTER, BERLIN, NIGHT]


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"recordTypeId": 1100000000000999}, "1100000000000999"),
        ({"recordTypeName": "Martian"}, "Martian"),
        ({"groups": [1200000000000999]}, "1200000000000999"),
        ({"groupsName": ["Newsletter", "Chess Club"]}, "Chess Club"),
        ({"contactAttributes": [{"name": "Height", "values": ["1"]}]}, "Height"),
        ({"contactAttributes": [{"orgAttrId": 14, "values": ["1"]}]}, "14"),
        ({"paths": [{"prompt": "Pigeon", "value": "1"}]}, "Pigeon"),
        ({"paths": [{"pathId": 1500000000000001, "value": "1"}]}, "1500000000000001"),
    ],
)
async def test_rule_14_unknown_names_and_ids_get_400_and_nothing_is_written(
    rest: httpx.AsyncClient, ada: Body, everbridge: Everbridge, given: dict[str, Any], named: str
) -> None:
    before = everbridge.dump()
    assert named in (await put(rest, ada(**given), 400))["message"]
    assert everbridge.dump() == before


@pytest.mark.parametrize(
    "given",
    [
        {"recordTypeName": "employee"},
        {"groupsName": ["newsletter"]},
        {"contactAttributes": [{"name": "shift", "values": ["Day"]}]},
        {"paths": [{"prompt": "work email", "value": "ada@example.com"}]},
    ],
)
async def test_rule_16_names_match_exactly(
    rest: httpx.AsyncClient, ada: Body, given: dict[str, Any]
) -> None:
    await put(rest, ada(**given), 400)
