"""Whatever JSON comes, the simulated Everbridge stores it or refuses it; it never breaks."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.sandbox.clock import ManualClock
from gateway.sandbox.everbridge import Everbridge
from gateway.sandbox.everbridge.fields import SERVER_FIELDS

ADA = "contacts/1000000000000001/1300000000000001"

names = st.sampled_from(
    [
        "externalId",
        "firstName",
        "country",
        "recordTypeId",
        "recordTypeName",
        "groups",
        "groupsName",
        "paths",
        "topics",
        "contactAttributes",
        "address",
        "timezoneId",
        "vip",
        "pathId",
        "prompt",
        "value",
        "countryCode",
        "skipValidation",
        "quietTimeFrames",
        "name",
        "days",
        "fromHour",
        "orgAttrId",
        "values",
        "locationName",
        "streetAddress",
        "gisLocation",
        "lat",
        "waitTime",
    ]
)
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**60), 2**60),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        ["", "E-1002", "GB", "US", "SMS", "Work Email", "+44 7700 900101", "Shift", "--1", "~"]
    ),
    st.text(st.characters(codec="utf-8"), max_size=5),
)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=4)),
    max_leaves=8,
)
tokens = st.one_of(
    names,
    st.sampled_from(
        ["-", "~", "0", "pathId:241901148045319", "name:Shift", "value:1", "name:Night"]
    ),
)
operations = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "replace", "remove", "test"])},
    optional={"path": st.lists(tokens, max_size=4).map(lambda parts: "/" + "/".join(parts))}
    | {"value": values},
)


def answer_to(method: str, body: Any, media_type: str) -> int:
    async def send() -> int:
        app = Everbridge(ManualClock()).app
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app),
            base_url="http://sandbox/",
            auth=("sandbox", "sandbox"),
            headers={"Content-Type": media_type},
        ) as client:
            answer = await client.request(method, ADA, json=body)
            read = await client.get(ADA)
            assert set(SERVER_FIELDS[:2]) <= set(read.json()["result"])
            return answer.status_code

    return asyncio.run(send())


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(names, values, max_size=6))
def test_any_body_of_a_put_is_stored_or_refused(fields: dict[str, Any]) -> None:
    required = {
        "externalId": "E-1001",
        "firstName": "Ada",
        "lastName": "Byron",
        "recordTypeId": 1100000000000001,
    }
    assert answer_to("PUT", required | fields, "application/json") in (200, 400)


@settings(max_examples=60, deadline=None)
@given(st.lists(operations, max_size=3))
def test_any_operations_of_a_patch_are_applied_or_refused(body: list[dict[str, Any]]) -> None:
    assert answer_to("PATCH", body, "application/json-patch+json") in (200, 400)
