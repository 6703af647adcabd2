"""Answers that the contract allows or leaves open and the simulation never gives, over a real socket."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest
from starlette.responses import Response

from gateway.backends.adapter import KeyKind
from gateway.backends.everbridge.adapter import EverbridgeAdapter
from gateway.backends.everbridge.client import EverbridgeDialect
from gateway.locking.locks import Locks
from gateway.results import Outcome, ProblemCode
from gateway.sandbox.clock import ManualClock
from gateway.sandbox.everbridge import Everbridge
from gateway.upsert import Writer
from gateway.upstream import Exchange, Sender
from tests.backends.everbridge.ada import ADA, KEPT
from tests.backends.everbridge.conftest import ORG, Wired
from tests.backends.everbridge.writing import (
    BADGE,
    EMPLOYEE,
    MOBILE,
    NEWSLETTER,
    WARDENS,
    WORK_EMAIL,
    contact,
)
from tests.harness import serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import Receive, Scope, Send

FOUND = {"message": "OK", "page": {"totalCount": 1, "currentPageNo": 1, "data": [ADA]}}
NONE = {"message": "OK", "page": {"totalCount": 0}}
WRITTEN = {"message": "OK", "id": ADA["id"], "baseUri": "u", "instanceUri": "u"}


def listed(*rows: dict[str, Any], **page: Any) -> dict[str, Any]:
    told = {"pageSize": len(rows), "currentPageNo": 1, "totalPageCount": 1}
    return {"message": "OK", "page": told | {"totalCount": len(rows), "data": list(rows)} | page}


def lists() -> dict[str, Any]:
    """What is answered by what a path begins with, unless a test says something else."""
    return {
        "/groups": listed({"id": NEWSLETTER, "name": "Newsletter"}, {"id": WARDENS, "name": "W"}),
        "/recordTypes": listed({"id": EMPLOYEE, "name": "Employee"}),
        "/contactPaths": listed(
            {"id": 1, "pathId": WORK_EMAIL, "prompt": "Work Email", "pathType": "EMAIL"},
            {"id": 2, "pathId": MOBILE, "prompt": "Mobile Phone", "pathType": "PHONE"},
        ),
        "/contactAttributes": NONE,
        "/contacts": FOUND,
    }


@dataclass
class Vendor:
    """Answers reads by path, and writes by method."""

    reads: dict[str, Any] = field(default_factory=lists)
    writes: dict[str, Any] = field(default_factory=lambda: {"PUT": WRITTEN, "POST": WRITTEN})
    received: list[tuple[str, Any]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = (await receive())["body"]
        path = scope["path"].removeprefix("/rest")
        if scope["method"] == "GET":
            answer = next(said for start, said in self.reads.items() if path.startswith(start))
        else:
            self.received.append((scope["method"], orjson.loads(body)))
            answer = self.writes[scope["method"]]
        await Response(orjson.dumps(answer), media_type="application/json")(scope, receive, send)


@pytest.fixture
def vendor() -> Vendor:
    return Vendor()


@pytest.fixture
async def wired(vendor: Vendor, no_waiting: None) -> AsyncIterator[Wired]:  # noqa: ARG001
    with serving(vendor) as address:
        async with httpx.AsyncClient() as client:
            dialect = EverbridgeDialect(base_url=f"{address}/rest", username="a", password="b")
            adapter = EverbridgeAdapter(
                Sender(dialect, client),
                dialect,
                catalog_ttl=300,
                organization_id=str(ORG),
                email_path="Work Email",
                phone_path="Mobile Phone",
                record_type="Employee",
            )
            yield Wired(
                adapter=adapter,
                simulation=Everbridge(ManualClock()),  # which is not asked
                writer=Writer(locks=Locks()),
                requests=[],
            )
            await adapter.catalogs.close()


AUGUSTA = contact(external_id="E-1001", first_name="Augusta", last_name="Byron")


@pytest.mark.parametrize(
    "row",
    [
        {"externalId": "E-1001", "firstName": "Ada", "lastName": "Byron"},
        {**ADA, "id": None},
        {**ADA, "id": 1.3e15},
        {**ADA, "id": 0},
        {"id": ADA["id"], "externalId": "E-1001"},
        {"id": ADA["id"], "externalId": "E-1001", "firstName": "", "lastName": None},
    ],
)
async def test_what_is_no_whole_contact_is_neither_written_back_nor_no_match(
    wired: Wired, vendor: Vendor, row: dict[str, Any]
) -> None:
    vendor.reads["/contacts"] = listed(row)
    result = await wired.upsert(AUGUSTA)
    assert (result.outcome, vendor.received) == (Outcome.FAILED, [])
    assert result.errors[0].code is ProblemCode.BACKEND_ERROR


async def test_a_contact_without_a_name_spoils_no_other_in_a_search(
    wired: Wired, vendor: Vendor
) -> None:
    vendor.reads["/contacts"] = listed(ADA, {"id": 7, "externalId": "E-7"})
    deadline = time.monotonic() + 30
    found = await wired.adapter.look_up(
        KeyKind.EXTERNAL_ID, ["E-1001", "E-7"], Exchange(deadline=deadline)
    )
    ids = {key: [row.id for row in rows] for key, rows in found.items() if isinstance(rows, list)}
    assert ids == {"E-1001": [str(ADA["id"])], "E-7": ["7"]}


@pytest.mark.parametrize("answer", [WRITTEN, {"message": "OK", "result": None}, FOUND])
async def test_a_read_by_id_that_brings_no_contact_is_no_contact_without_anything(
    wired: Wired, vendor: Vendor, answer: dict[str, Any]
) -> None:
    vendor.reads["/contacts"] = answer
    result = await wired.upsert(contact(first_name="Augusta", everbridge={"id": str(ADA["id"])}))
    assert (result.outcome, vendor.received) == (Outcome.FAILED, [])


async def test_no_stored_data_stand_in_the_problem_of_an_answer_that_cannot_be_used(
    wired: Wired, vendor: Vendor
) -> None:
    for answer in (listed(ADA, totalCount=2), listed({**ADA, "id": None}), {"page": None} | ADA):
        vendor.reads["/contacts"] = answer
        result = await wired.upsert(AUGUSTA)
        assert result.outcome is Outcome.FAILED
        for held in ("Byron", "0815", "ada@", "Analytical"):
            assert held not in result.errors[0].message


@pytest.mark.parametrize(
    "told",
    [
        {"totalCount": "2", "currentPageNo": "1", "totalPageCount": "1"},
        {"totalCount": None, "currentPageNo": None, "totalPageCount": None},
        {"currentPageNo": 1, "scrollId": "x", "totalPageCount": 0},
    ],
)
async def test_numbers_of_a_page_may_be_text_or_null(
    wired: Wired, vendor: Vendor, told: dict[str, Any]
) -> None:
    for start in ("/groups", "/recordTypes", "/contactPaths", "/contacts"):
        rows = vendor.reads[start]["page"]["data"]
        told |= {"totalCount": str(len(rows))} if told.get("totalCount") else {}
        vendor.reads[start] = listed(*rows, **told)
    given = contact(
        external_id="E-1001",
        first_name="Augusta",
        record_type_name="Employee",
        add_groups_name=["W"],
    )
    assert (await wired.upsert(given)).outcome is Outcome.UPDATED
    assert vendor.received == [("PUT", KEPT | {"firstName": "Augusta", "groups": [WARDENS]})]


async def test_the_id_of_a_write_may_stand_in_the_record_that_comes_back(
    wired: Wired, vendor: Vendor
) -> None:
    record = {"message": "OK", "result": ADA}
    vendor.writes = {"PUT": record, "POST": record}
    result = await wired.upsert(AUGUSTA)
    assert (result.outcome, result.id) == (Outcome.UPDATED, str(ADA["id"]))
    vendor.reads["/contacts"] = NONE
    result = await wired.upsert(AUGUSTA)
    assert (result.outcome, result.id) == (Outcome.CREATED, str(ADA["id"]))
    vendor.reads["/contacts"] = FOUND
    vendor.writes["PUT"] = {"message": "OK", "result": {**ADA, "id": 7}}
    assert (await wired.upsert(AUGUSTA)).outcome is Outcome.UNKNOWN


async def test_a_page_that_counts_its_rows_in_text_is_read_as_it_counts(
    wired: Wired, vendor: Vendor
) -> None:
    vendor.reads["/contacts"] = {"message": "OK", "page": {"totalCount": "0"}}
    assert (await wired.upsert(AUGUSTA)).outcome is Outcome.CREATED
    vendor.reads["/contacts"] = {"message": "OK", "page": {"totalCount": "1"}}
    assert (await wired.upsert(AUGUSTA)).outcome is Outcome.FAILED


async def test_a_list_keeps_what_has_no_name(wired: Wired, vendor: Vendor) -> None:
    vendor.reads["/contactPaths"] = listed(
        {"id": 1, "pathId": str(WORK_EMAIL), "prompt": None, "sysPrompt": "Work Email"},
        {"id": 2, "pathId": MOBILE, "prompt": ""},
    )
    vendor.reads["/groups"] = listed({"id": NEWSLETTER}, {"id": WARDENS, "name": "W"})
    given = contact(external_id="E-1001", email="ada@example.com", add_groups_name=["W"])
    assert (await wired.upsert(given)).outcome is Outcome.UPDATED
    [(_, body)] = vendor.received
    assert body["paths"][0]["pathId"] == WORK_EMAIL


async def test_a_put_that_is_answered_for_another_contact_is_unknown(
    wired: Wired, vendor: Vendor
) -> None:
    vendor.writes["PUT"] = {"message": "OK", "id": 7}
    result = await wired.upsert(AUGUSTA)
    assert (result.outcome, result.id) == (Outcome.UNKNOWN, str(ADA["id"]))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"code": 200, "data": ["no member", "x"]}, "no member; x (code 200)"),
        ({"code": 200, "data": "no member"}, "no member (code 200)"),
        ({"code": 200, "data": 5}, "it gives no reason (code 200)"),
        ({"code": 200, "data": {"a": 1}}, "it gives no reason (code 200)"),
        ({"code": 300, "data": None, "errorInfo": ["no member"]}, "no member (code 300)"),
        ({"code": 500, "message": "Locked"}, "Locked (code 500)"),
    ],
)
async def test_why_a_membership_was_not_changed_is_told_in_whatever_form_it_comes(
    wired: Wired, vendor: Vendor, more: dict[str, Any], said: str
) -> None:
    vendor.writes["DELETE"] = {"message": "OK", **more}
    given = contact(external_id="E-1001", remove_groups_name=["Newsletter"])
    result = await wired.upsert(given)
    assert (result.outcome, vendor.received) == (Outcome.REJECTED, [("DELETE", [ADA["id"]])])
    assert result.errors[0].message == f"Everbridge did not change the membership: {said}."


LONG = ["89314404000117256430999", "0.12345678901234567890123", "12.50", "7", "1e3", "-0.0"]
"""Numbers as an attribute may hold them; the first two are more than a float can keep."""


@pytest.mark.parametrize(
    ("start", "form"),
    [
        ("/contacts", '{"message":"OK","page":{"totalCount":1,"data":[CONTACT]}}'),
        ("/contacts/1000000000000001/", '{"message":"OK","result":CONTACT}'),
        ("/contacts/1000000000000001/", "CONTACT"),
    ],
)
async def test_numbers_keep_all_their_digits_in_a_put(
    wired: Wired, vendor: Vendor, start: str, form: str
) -> None:
    values = orjson.Fragment(f"[{', '.join(LONG)}]")
    attribute = {"orgAttrId": BADGE, "name": "Badge number", "values": values}
    held = orjson.dumps({**ADA, "contactAttributes": [attribute]}).decode()
    vendor.reads.pop("/contacts")
    vendor.reads[start] = orjson.Fragment(form.replace("CONTACT", held))
    found_by: dict[str, Any] = {"external_id": "E-1001"}
    if start != "/contacts":
        found_by = {"everbridge": {"id": str(ADA["id"])}}
    result = await wired.upsert(contact(first_name="Augusta", **found_by))
    assert result.outcome is Outcome.UPDATED
    [(_, body)] = vendor.received
    [said] = body["contactAttributes"]
    assert [Decimal(text) for text in said["values"]] == [Decimal(text) for text in LONG]
    assert said["values"][:2] == LONG[:2]
