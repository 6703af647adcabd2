from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from gateway.sandbox.sendgrid import RESTRICTED_API_KEY

if TYPE_CHECKING:
    from tests.sandbox.sendgrid.conftest import Account


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (None, 401),
        ("", 401),
        ("Bearer", 401),
        ("Bearer SG.wrong.key", 401),
        ("Basic SG.sandbox.key", 401),
        (f"Bearer {RESTRICTED_API_KEY}", 403),
        ("bearer SG.sandbox.key", 200),
    ],
)
async def test_key_is_checked(account: Account, authorization: str | None, status: int) -> None:
    transport = httpx.ASGITransport(app=account.sendgrid.app)
    headers = {} if authorization is None else {"Authorization": authorization}
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        answer = await client.get("/v3/marketing/lists", headers=headers)
    assert answer.status_code == status
    if status != 200:
        (error,) = answer.json()["errors"]
        assert error["field"] is None
        assert error["message"]


async def test_block_refuses_every_call(account: Account) -> None:
    account.switches["blocked"] = True
    assert (await account.client.get("/lists")).status_code == 403


async def test_legacy_product_is_forbidden_and_unknown_paths_are_404(account: Account) -> None:
    legacy = await account.client.get("http://sandbox/v3/contactdb/lists")
    assert legacy.status_code == 403
    assert (await account.client.get("/nothing")).status_code == 404
    assert (await account.client.post("/contacts/count")).status_code == 405


async def test_accept_header_is_demanded_when_switched(account: Account) -> None:
    account.switches["require_accept"] = True
    del account.client.headers["accept"]
    assert (await account.client.get("/lists")).status_code == 406
    answer = await account.client.get("/lists", headers={"Accept": "application/json"})
    assert answer.status_code == 200


def large(account: Account) -> dict[str, Any]:
    contact = {"email": "a@example.com", "postal_code": "x" * 6_000_000}
    return {"contacts": [contact], "list_ids": [account.list("VIP")]}


async def test_body_over_six_megabytes_is_an_html_413(account: Account) -> None:
    answer = await account.client.put("/contacts", json=large(account))
    assert answer.status_code == 413
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.text.startswith("<html>")


async def test_large_body_can_be_a_json_400(account: Account) -> None:
    account.switches["too_large_form"] = "json"
    answer = await account.client.put("/contacts", json=large(account))
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["message"]


async def test_rate_headers_count_down_per_endpoint(account: Account) -> None:
    first = await account.client.get("/lists")
    second = await account.client.get("/lists")
    search = await account.client.post("/contacts/search", json={"query": "email = 'x'"})
    assert first.headers["x-ratelimit-limit"] == "600"
    left = int(first.headers["x-ratelimit-remaining"])
    # A new minute may have begun between the two.
    assert int(second.headers["x-ratelimit-remaining"]) in {left - 1, 599}
    assert 1 <= int(first.headers["x-ratelimit-reset"]) <= 60
    assert search.headers["x-ratelimit-limit"] == "200"
    assert search.headers["x-ratelimit-remaining"] == "199"


async def test_reset_can_be_an_epoch(account: Account) -> None:
    account.switches["rate_limit_reset"] = "epoch"
    answer = await account.client.get("/lists")
    reset = datetime.fromtimestamp(int(answer.headers["x-ratelimit-reset"]), UTC)
    assert reset.second == 0
    assert 0 < (reset - account.clock.now()).total_seconds() <= 60


async def test_used_up_window_is_a_429_for_that_endpoint_only(account: Account) -> None:
    start_of_a_minute = 60 - account.clock.now().second
    account.clock.advance(start_of_a_minute)
    account.switches["rate_limit"] = 2
    statuses = [(await account.client.get("/lists")).status_code for _ in range(3)]
    over = await account.client.get("/lists")
    assert statuses == [200, 200, 429]
    assert over.json() == {"errors": [{"field": None, "message": "too many requests"}]}
    assert over.headers["x-ratelimit-remaining"] == "0"
    assert (await account.client.get("/field_definitions")).status_code == 200
    account.clock.advance(int(over.headers["x-ratelimit-reset"]))
    assert (await account.client.get("/lists")).status_code == 200


async def test_refused_call_carries_rate_headers_too(account: Account) -> None:
    answer = await account.client.put("/contacts", json={})
    assert answer.status_code == 400
    assert "x-ratelimit-remaining" in answer.headers


async def test_reset_puts_switches_limits_and_state_back(account: Account) -> None:
    before = account.sendgrid.dump()
    await account.put_and_wait({"email": "new@example.com"})
    account.switches["rate_limit"] = 1
    await account.client.get("/lists")
    account.sendgrid.reset()
    assert account.switches["rate_limit"] == 0
    assert account.sendgrid.dump() == before
    assert (await account.client.get("/lists")).headers["x-ratelimit-remaining"] == "599"
