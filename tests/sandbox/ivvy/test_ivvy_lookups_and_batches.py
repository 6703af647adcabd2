"""Sections 6.3 and 7 of the contract: the lists that feed leads, and batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest

from gateway.sandbox.ivvy import batch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx

    from gateway.sandbox.clock import ManualClock
    from gateway.sandbox.ivvy import Ivvy

    Ask = Callable[..., Awaitable[Any]]
    Send = Callable[..., Awaitable[httpx.Response]]

ADA = 40001

FIRST_ITEMS: dict[str, dict[str, Any]] = {
    "crm/getLeadTypeList": {
        "id": 11,
        "type": "Conference",
        "subtypes": [{"id": 111, "name": "One day"}, {"id": 112, "name": "Residential"}],
    },
    "crm/getLeadStageList": {"id": 21, "name": "New", "reasons": [], "applyTo": 2},
    "crm/getLeadSourceList": {
        "id": 31,
        "name": "Website",
        "description": None,
        "cost": None,
        "isReferral": 0,
        "defaultType": None,
    },
    "crm/getLeadQualityList": {"id": 41, "label": "Hot", "showOnDash": 1},
    "crm/getLeadChannelList": {"id": 51, "name": "Email"},
    "account/getIndustryList": {
        "id": 401,
        "name": "Technology",
        "createdDate": "2025-01-15 08:30:00 UTC",
        "modifiedDate": "2025-01-15 08:30:00 UTC",
    },
    "account/getUserList": {
        "id": 801,
        "salutation": None,
        "firstName": "Sam",
        "middleName": None,
        "lastName": "Seller",
        "email": "sam.seller@example.com",
        "phone": "+44 7700 900801",
        "phoneMobile": None,
        "currentStatus": 1,
        "userType": 1,
        "groupId": 1,
        "lastLoginDate": None,
        "createdDate": "2025-01-15 08:30:00 UTC",
        "modifiedDate": "2025-01-15 08:30:00 UTC",
    },
}


@pytest.mark.parametrize("call", FIRST_ITEMS)
async def test_lookup_lists_items_of_the_documented_shape(ask: Ask, call: str) -> None:
    answer = await ask(call, perPage=1)
    assert answer["results"] == [FIRST_ITEMS[call]]
    assert answer["meta"]["count"] == 1
    key = FIRST_ITEMS[call]["id"]
    assert len((await ask(call, filter={"id": key}))["results"]) == 1


@pytest.mark.parametrize("call", ["account/getIndustryList", "account/getUserList"])
async def test_long_lookups_need_a_second_page_of_100(ask: Ask, call: str) -> None:
    first = (await ask(call, perPage=500))["meta"]
    assert (first["perPage"], first["count"]) == (100, 100)
    second = (await ask(call, perPage=500, start=100))["meta"]
    assert second["totalResults"] == 100 + second["count"] > 130


async def test_stage_list_mixes_both_kinds_and_can_lack_apply_to(ask: Ask, ivvy: Ivvy) -> None:
    rows = (await ask("crm/getLeadStageList"))["results"]
    assert {row["name"]: row["applyTo"] for row in rows}["Proposal sent"] == 1
    ivvy.switches["stages_apply_to"] = False
    rows = (await ask("crm/getLeadStageList"))["results"]
    assert all("applyTo" not in row for row in rows)


async def test_referral_source_has_the_default_type(ask: Ask) -> None:
    rows = (await ask("crm/getLeadSourceList"))["results"]
    assert [row["name"] for row in rows if row["defaultType"] == 1] == ["Referral Program"]


@pytest.mark.parametrize("params", [{"venueId": 2}, {"filter": {"venueId": 2}}])
async def test_users_are_filtered_by_venue_in_both_places(ask: Ask, params: dict[str, Any]) -> None:
    rows = (await ask("account/getUserList", **params))["results"]
    assert [row["id"] for row in rows] == [801, 802]


async def test_one_user_is_inactive(ask: Ask) -> None:
    rows = (await ask("account/getUserList", filter={"currentStatus": 2}))["results"]
    assert [row["email"] for row in rows] == ["otto@example.com"]


# write call, list call, label key, what a create needs besides, not found, invalid data
WRITES: dict[str, tuple[str, str, dict[str, Any], int, int]] = {
    "Type": ("getLeadTypeList", "type", {}, 24381, 24383),
    "Stage": ("getLeadStageList", "name", {"applyTo": 2}, 24320, 24323),
    "Source": ("getLeadSourceList", "name", {}, 24325, 24328),
    "Quality": ("getLeadQualityList", "label", {}, 24304, 24306),
    "Channel": ("getLeadChannelList", "name", {}, 24376, 24379),
}


@pytest.mark.parametrize("kind", WRITES)
async def test_lookup_is_added_changed_and_refused(ask: Ask, fail: Ask, kind: str) -> None:
    listing, label, needs, not_found, invalid = WRITES[kind]
    write = f"crm/addOrUpdateLead{kind}"
    assert (await fail(write, **needs))["message"] == f"'{label}' is required"
    added = await ask(write, **{label: "Brand new", **needs})
    assert added["success"] is True
    await ask(write, **{"id": added["id"], label: "Renamed"})
    rows = (await ask(f"crm/{listing}", filter={"id": added["id"]}))["results"]
    assert rows[0][label] == "Renamed"
    assert (await fail(write, **{"id": 5, label: "x"}))["specificCode"] == not_found
    assert (await fail(write, **{"id": added["id"], label: ""}))["specificCode"] == invalid


async def test_stage_requires_apply_to_on_create(ask: Ask, fail: Ask) -> None:
    write = "crm/addOrUpdateLeadStage"
    assert (await fail(write, name="Later"))["message"] == "'applyTo' is required"
    assert (await fail(write, name="Later", applyTo=3))["specificCode"] == 23016
    added = await ask(write, name="Later", applyTo=1, colour="#fff")
    rows = (await ask("crm/getLeadStageList", filter={"id": added["id"]}))["results"]
    assert rows == [{"id": added["id"], "name": "Later", "reasons": [], "applyTo": 1}]


@pytest.mark.parametrize(
    ("kind", "key", "code"), [("Stage", 21, 24321), ("Source", 33, 24326), ("Channel", 51, 24377)]
)
async def test_some_lookups_are_not_editable(fail: Ask, kind: str, key: int, code: int) -> None:
    assert (await fail(f"crm/addOrUpdateLead{kind}", id=key, name="x"))["specificCode"] == code


def job(action: str, namespace: str = "contact", **params: Any) -> dict[str, Any]:
    return {"namespace": namespace, "action": action, "params": params}


PHONE = job("addOrUpdateContact", id=ADA, phone="1")
BROKEN = job("getContact", id=5)
REFUSED = job("addOrUpdateContact", id=5)


async def test_batch_runs_its_jobs_as_time_passes(ask: Ask, ivvy: Ivvy, clock: ManualClock) -> None:
    ivvy.switches["batch_seconds"] = 100
    started = await ask("batch/run", jobs=[PHONE, BROKEN])
    assert len(started["asyncId"]) == 32
    int(started["asyncId"], 16)
    key = {"async": started["asyncId"]}
    assert await ask("batch/progress", **key) == {"progress": 0}
    assert (await ask("contact/getContact", id=ADA))["phone"] != "1"
    clock.advance(60)
    assert await ask("batch/progress", **key) == {"progress": 60}
    assert (await ask("contact/getContact", id=ADA))["phone"] == "1"
    clock.advance(60)
    assert await ask("batch/progress", **key) == {"progress": 100}


async def test_batch_results_carry_each_jobs_response(ask: Ask, ivvy: Ivvy) -> None:
    ivvy.switches["batch_seconds"] = 0
    nested = job("run", "batch", jobs=[])
    unknown = job("getLead", "crm")
    jobs = [PHONE, BROKEN, REFUSED, unknown, nested, {**job("ping", "test"), "params": []}]
    started = await ask("batch/run", jobs=jobs, callbackUrl="https://example.com/done")
    answer = await ask("batch/results", **{"async": started["asyncId"]})
    assert answer["asyncId"] == started["asyncId"]
    first = answer["results"][0]
    assert first == {
        "namespace": "contact",
        "action": "addOrUpdateContact",
        "request": PHONE["params"],
        "response": {"success": True, "id": ADA},
    }
    responses = [row["response"] for row in answer["results"][1:]]
    assert responses[0]["specificCode"] == 24096
    assert responses[1] == {"success": False, "message": "Contact 5 does not exist"}
    assert responses[2]["errorCode"] == 404
    assert responses[3]["errorCode"] == 400
    assert "ack" in responses[4]


async def test_batch_can_stop_at_the_first_failure(ask: Ask, ivvy: Ivvy) -> None:
    ivvy.switches.update(batch_seconds=0, batch_on_failure="stop")
    started = await ask("batch/run", jobs=[BROKEN, PHONE])
    key = {"async": started["asyncId"]}
    assert await ask("batch/progress", **key) == {"progress": 100}
    assert len((await ask("batch/results", **key))["results"]) == 1


async def test_batch_id_is_sent_as_async(ask: Ask, fail: Ask) -> None:
    started = await ask("batch/run", jobs=[PHONE])
    for action in ("progress", "results", "restart", "repost"):
        answer = await fail(f"batch/{action}", asyncId=started["asyncId"])
        assert answer["message"] == "'async' is required"


async def test_results_before_completion_are_24114(ask: Ask, fail: Ask, ivvy: Ivvy) -> None:
    ivvy.switches["batch_seconds"] = 100
    started = await ask("batch/run", jobs=[PHONE])
    answer = await fail("batch/results", **{"async": started["asyncId"]})
    assert (answer["errorCode"], answer["specificCode"]) == (400, 24114)


async def test_unknown_batch_has_a_code_for_each_call(fail: Ask) -> None:
    unknown = {"async": "0" * 32}
    assert (await fail("batch/progress", **unknown))["specificCode"] == 24105
    assert (await fail("batch/results", **unknown))["specificCode"] == 24115


async def test_results_are_kept_for_two_days(ask: Ask, fail: Ask, clock: ManualClock) -> None:
    key = {"async": (await ask("batch/run", jobs=[PHONE]))["asyncId"]}
    clock.advance(2 * 86400 - 5)
    assert len((await ask("batch/results", **key))["results"]) == 1
    clock.advance(60)
    assert (await fail("batch/results", **key))["specificCode"] == 24115


async def test_a_call_looks_at_no_batch_that_has_ended(
    ask: Ask, ivvy: Ivvy, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = Mock(wraps=batch._share)
    monkeypatch.setattr(batch, "_share", looked)
    for _ in range(3):
        await ask("batch/run", jobs=[PHONE])
    clock.advance(ivvy.switches["batch_seconds"])
    await ask("contact/getContact", id=ADA)
    looked.reset_mock()

    await ask("contact/getContact", id=ADA)

    assert looked.call_count == 0


async def test_restart_runs_the_jobs_again(ask: Ask, ivvy: Ivvy) -> None:
    ivvy.switches["batch_seconds"] = 0
    key = {"async": (await ask("batch/run", jobs=[PHONE]))["asyncId"]}
    await ask("batch/results", **key)
    await ask("contact/addOrUpdateContact", id=ADA, phone="2")
    assert await ask("batch/restart", **key) == {"restarted": True}
    assert (await ask("contact/getContact", id=ADA))["phone"] == "1"
    assert await ask("batch/repost", **key) == {"reposted": True}


@pytest.mark.parametrize(
    ("jobs", "code"),
    [
        ([], 24093),
        (None, 24093),
        ([PHONE] * 201, 24448),
        (["x"], 24092),
        ([{"namespace": "contact", "action": "getContact"}], 24092),
        ([{**PHONE, "action": 7}], 24092),
        ({"x": 1}, 23016),
    ],
)
async def test_bad_batches_are_refused(fail: Ask, jobs: Any, code: int) -> None:
    assert (await fail("batch/run", jobs=jobs))["specificCode"] == code


async def test_200_jobs_are_taken(ask: Ask) -> None:
    assert "asyncId" in await ask("batch/run", jobs=[PHONE] * 200)


async def test_callback_is_required_when_told(fail: Ask, ivvy: Ivvy) -> None:
    ivvy.switches["batch_callback_required"] = True
    assert (await fail("batch/run", jobs=[PHONE]))["message"] == "'callbackUrl' is required"


async def test_quota_is_answered_with_429(send: Send, ivvy: Ivvy, clock: ManualClock) -> None:
    ivvy.switches.update(requests_per_second=2, retry_after_seconds=3)
    for _ in range(2):
        assert (await send("test/ping")).status_code == 200
    clock.advance(0.9)
    refused = await send("test/ping")
    assert (refused.status_code, refused.json()["errorCode"]) == (429, 429)
    assert refused.headers["Retry-After"] == "3"
    clock.advance(1)
    assert (await send("test/ping")).status_code == 200


async def test_no_retry_after_unless_told(send: Send, ivvy: Ivvy) -> None:
    ivvy.switches["requests_per_second"] = 1
    await send("test/ping")
    refused = await send("test/ping")
    assert refused.status_code == 429
    assert "Retry-After" not in refused.headers


async def test_error_object_can_come_with_status_200_and_codes_as_text(
    send: Send, ivvy: Ivvy
) -> None:
    ivvy.switches.update(http_status="ok", codes_as_strings=True)
    response = await send("contact/getContact", id=5)
    assert response.status_code == 200
    assert response.json()["errorCode"] == "400"
    assert response.json()["specificCode"] == "24096"


async def test_results_may_be_told_in_another_order_in_part_and_reduced(
    ask: Ask, ivvy: Ivvy
) -> None:
    ivvy.switches.update(
        batch_seconds=0, batch_order="reverse", batch_request_echo="reduced", batch_omits=[1]
    )
    nulled = job("addOrUpdateContact", id=ADA, phone=None, updateIfExists=True, companies=[7001])
    jobs = [nulled, REFUSED, BROKEN]
    started = await ask("batch/run", jobs=jobs)
    answer = await ask("batch/results", **{"async": started["asyncId"]})
    assert [row["action"] for row in answer["results"]] == ["getContact", "addOrUpdateContact"]
    assert answer["results"][1]["request"] == {
        "id": str(ADA),
        "updateIfExists": True,
        "companies": ["7001"],
    }
