"""Answers that contradict themselves say nothing of whether a record exists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.harness import Gateway

LIST = "/api/1.0/contact?action=getContactList"


@pytest.mark.parametrize(
    "page",
    [
        {"totalCount": 1, "currentPageNo": 1, "totalPageCount": 1},
        {"totalCount": 1, "currentPageNo": 1, "totalPageCount": 1, "data": []},
        {"currentPageNo": 1},
    ],
)
async def test_a_page_of_everbridge_without_its_rows_is_never_no_match(
    gateway: Gateway, page: dict[str, Any]
) -> None:
    before = gateway.everbridge(externalId="E-1001")
    gateway.sandbox.faults.add(
        {
            "backend": "everbridge",
            "method": "GET",
            "path": "/contacts",
            "times": 10,
            "status": 200,
            "body": {"message": "OK", "page": page},
        }
    )
    answer = await gateway.upsert(
        {"externalId": "E-1001", "firstName": "A", "lastName": "Q5"}, targets=["EVERBRIDGE"]
    )
    assert answer.outcomes() == {"EVERBRIDGE": "FAILED"}
    assert answer.errors[0]["code"] == "BACKEND_ERROR"
    assert "page: {…}" in answer.errors[0]["message"]
    assert gateway.everbridge(externalId="E-1001") == before
    assert gateway.calls("everbridge", writes=True) == []


@pytest.mark.parametrize("total", [5, "5"])
async def test_a_list_of_ivvy_without_the_rows_that_it_counts_is_never_no_match(
    gateway: Gateway, total: int | str
) -> None:
    held = len(gateway.ivvy())
    body = {"meta": {"totalResults": total, "count": 0, "start": 0}, "results": []}
    gateway.sandbox.faults.add(
        {"backend": "ivvy", "path": LIST, "times": 10, "status": 200, "body": body}
    )
    answer = await gateway.upsert(
        {"externalId": "E-1002", "email": "g@example.com", "firstName": "G", "lastName": "M"},
        targets=["IVVY"],
    )
    assert answer.outcomes() == {"IVVY": "FAILED"}
    assert answer.errors[0]["code"] == "BACKEND_ERROR"
    assert "has 5 rows and gave 0" in answer.errors[0]["message"]
    assert len(gateway.ivvy()) == held


async def test_a_list_of_groups_that_ends_short_is_not_taken_for_the_whole(
    gateway: Gateway,
) -> None:
    page = {"totalCount": 7, "currentPageNo": 1, "totalPageCount": 1}
    rows = [{"id": 1, "name": "Newsletter"}]
    gateway.sandbox.faults.add(
        {
            "backend": "everbridge",
            "path": "/groups/",
            "times": 10,
            "status": 200,
            "body": {"message": "OK", "page": {**page, "data": rows}},
        }
    )
    answer = await gateway.upsert(
        {"externalId": "E-1001", "addGroupsName": ["Night Shift"]}, targets=["EVERBRIDGE"]
    )
    assert answer.outcomes() == {"EVERBRIDGE": "FAILED"}
    assert answer.errors[0]["code"] == "BACKEND_ERROR"
