"""Answers that contradict themselves, or the call, say nothing of what is or has become of a record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.leads import (
    LEAD,
    LEAD_CALL,
    OF_ADA,
    OF_HARBOUR,
    fault,
    lead_writes,
    upsert_lead,
)

if TYPE_CHECKING:
    from tests.harness import Gateway

LIST = "/api/1.0/contact?action=getContactList"
SAVE = "/api/1.0/contact?action=addOrUpdateContact"


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


@pytest.mark.usefixtures("no_waiting")
async def test_an_update_in_ivvy_that_is_answered_with_another_id_is_unknown(
    gateway: Gateway,
) -> None:
    for path in (SAVE, LEAD_CALL):
        gateway.sandbox.faults.add(
            {"backend": "ivvy", "path": path, "times": 4, "status": 200, "body": {"id": 44444}}
        )
    contact = await gateway.upsert({"externalId": "E-1001", "firstName": "A"}, targets=["IVVY"])
    lead = await upsert_lead(gateway, {"ivvy": {"id": "9001"}, "name": "Autumn"})
    for result, record in ((contact.result("IVVY"), "40001"), (lead.result, "9001")):
        assert (result["outcome"], result["id"], result["changedFields"]) == ("UNKNOWN", record, [])
        [problem] = result["errors"]
        assert (problem["code"], problem["retryable"]) == ("BACKEND_ERROR", True)
        assert f"change record {record} and answered with the id 44444" in problem["message"]


@pytest.mark.usefixtures("no_waiting")
async def test_a_new_lead_without_a_proper_id_is_unknown_and_not_linked(gateway: Gateway) -> None:
    fault(gateway, status=200, body={"success": True, "id": "new"})
    answer = await upsert_lead(gateway, LEAD)
    assert (answer.outcome, answer.result["id"]) == ("UNKNOWN", None)
    assert answer.errors[0]["code"] == "BACKEND_ERROR"
    assert (await upsert_lead(gateway, LEAD)).outcome == "UNKNOWN"


@pytest.mark.usefixtures("no_waiting")
async def test_a_sub_type_without_a_proper_id_is_ivvys_unexpected_answer(gateway: Gateway) -> None:
    body = {
        "results": [{"id": 11, "type": "Conference", "subtypes": [{"id": "", "name": "One day"}]}]
    }
    types = "/api/1.0/crm?action=getLeadTypeList"
    fault(gateway, types, times=9, status=200, body=body)
    answer = await upsert_lead(gateway, OF_ADA)
    assert (answer.status, answer.outcome) == ("FAILED", "FAILED")
    assert answer.errors[0]["message"].startswith("iVvy answered what it should not (HTTP 200)")
    assert lead_writes(gateway) == []


async def test_a_refused_look_up_of_a_lead_is_no_problem_of_the_input(gateway: Gateway) -> None:
    path = "/api/1.0/crm?action=getLeadList"
    fault(gateway, path, status=200, body={"success": False, "message": "No way"})
    answer = await upsert_lead(gateway, {"ivvy": {"id": "9001"}, "name": "Autumn"})
    [problem] = answer.errors
    assert (answer.status, problem["code"], problem["retryable"]) == (
        "FAILED",
        "BACKEND_ERROR",
        True,
    )
    assert problem["message"] == "iVvy could not be asked for the lead: iVvy refused it: No way"


async def test_a_refused_list_is_told_by_its_name_and_may_be_asked_for_again(
    gateway: Gateway,
) -> None:
    path = "/api/1.0/contact?action=getCompanyList"
    fault(gateway, path, status=200, body={"success": False, "message": "No way"})
    answer = await upsert_lead(gateway, OF_HARBOUR)
    [problem] = answer.errors
    assert (answer.status, problem["code"], problem["retryable"]) == (
        "FAILED",
        "BACKEND_ERROR",
        True,
    )
    assert problem["message"] == "iVvy's companies could not be read: iVvy refused it: No way"
    assert (await upsert_lead(gateway, OF_HARBOUR)).outcome == "CREATED"
