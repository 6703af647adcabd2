"""`companies(search, first, after)`, and lists of names that cannot be had."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.harness import running

if TYPE_CHECKING:
    from gateway.sandbox.app import Sandbox
    from gateway.sandbox.clock import ManualClock
    from tests.harness import Gateway

COMPANIES = """
query ($search: String, $first: Int! = 50, $after: String) {
  companies(search: $search, first: $first, after: $after) {
    edges { cursor node { id name } }
    pageInfo { hasNextPage endCursor }
  }
}
"""


async def page(gateway: Gateway, **arguments: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await gateway.data(COMPANIES, **arguments))["companies"]
    return found


def names(found: dict[str, Any]) -> list[str]:
    return [edge["node"]["name"] for edge in found["edges"]]


async def test_pages_follow_each_other_through_all_companies(gateway: Gateway) -> None:
    seen: list[str] = []
    after = None
    for _ in range(10):
        found = await page(gateway, after=after)
        seen += [edge["node"]["id"] for edge in found["edges"]]
        after = found["pageInfo"]["endCursor"]
        if not found["pageInfo"]["hasNextPage"]:
            break
    assert len(seen) == len(set(seen)) == 134
    assert after == found["edges"][-1]["cursor"]
    last = await page(gateway, after=after)
    assert last == {"edges": [], "pageInfo": {"hasNextPage": False, "endCursor": None}}


async def test_companies_stand_in_the_order_of_their_names(gateway: Gateway) -> None:
    found = names(await page(gateway, first=500))
    assert found == sorted(found, key=str.casefold)
    assert found[0] == "Analytical Engines"


async def test_a_part_of_the_name_in_any_case_finds_companies_of_the_same_name(
    gateway: Gateway,
) -> None:
    found = await page(gateway, search=" twin PEAKS ")
    assert names(found) == ["Twin Peaks Catering", "Twin Peaks Catering"]
    assert len({edge["cursor"] for edge in found["edges"]}) == 2
    assert names(await page(gateway, search="no such company")) == []
    assert len(names(await page(gateway, search="", first=500))) == 134
    assert len(names(await page(gateway, search=None, first=500))) == 134


async def test_a_search_goes_on_behind_a_cursor(gateway: Gateway) -> None:
    first = await page(gateway, search="Twin", first=1)
    assert first["pageInfo"]["hasNextPage"] is True
    rest = await page(gateway, search="Twin", after=first["pageInfo"]["endCursor"])
    assert [edge["node"]["id"] for edge in first["edges"] + rest["edges"]] == ["7003", "7004"]


async def test_a_cursor_stays_good_when_its_company_has_gone(gateway: Gateway) -> None:
    found = await page(gateway, search="Company 0", first=3)
    assert names(found) == ["Company 001", "Company 002", "Company 003"]
    store = gateway.sandbox.ivvy._store
    gone = found["edges"][-1]["node"]["id"]
    row = store.get("companies", int(gone)) or {}
    store.put("companies", {**row, "businessName": "Renamed"})
    async with running(gateway.sandbox, gateway.clock) as later:
        rest = await page(later, search="Company 0", first=2, after=found["pageInfo"]["endCursor"])
    assert names(rest) == ["Company 004", "Company 005"]


@pytest.mark.parametrize("first", [-1, 501])
async def test_a_page_of_another_size_is_refused_in_words(gateway: Gateway, first: int) -> None:
    answer = await gateway.ask(COMPANIES, first=first)
    assert answer["data"] == {"companies": None}
    [error] = answer["errors"]
    assert error["extensions"]["code"] == "INVALID"
    assert error["message"] == f"first is {first}: give 0 to 500, and after for what follows."


async def test_a_page_of_none_tells_whether_there_are_any(gateway: Gateway) -> None:
    found = await page(gateway, first=0)
    assert found == {"edges": [], "pageInfo": {"hasNextPage": True, "endCursor": None}}


@pytest.mark.parametrize("after", ["nonsense", "%%%", "WzFd", "WzEsMl0=", "bnVsbA==", "é"])
async def test_a_cursor_that_was_not_given_out_is_refused(gateway: Gateway, after: str) -> None:
    answer = await gateway.ask(COMPANIES, after=after)
    assert answer["data"] == {"companies": None}
    assert answer["errors"][0]["extensions"]["code"] == "INVALID"
    assert "is no cursor of this list" in answer["errors"][0]["message"]


async def test_without_ivvy_there_are_no_companies_and_an_error_says_so(
    sandbox: Sandbox, clock: ManualClock
) -> None:
    async with running(
        sandbox, clock, ivvy_base_url=None, ivvy_api_key=None, ivvy_api_secret=None
    ) as gateway:
        answer = await gateway.ask(COMPANIES)
    assert answer["data"] == {"companies": None}
    assert answer["errors"][0]["message"] == "The gateway has no credentials for iVvy."
    assert answer["errors"][0]["extensions"] == {"code": "NOT_CONFIGURED"}


async def test_a_list_that_a_backend_does_not_give_is_an_error_with_its_code(
    gateway: Gateway,
) -> None:
    gateway.sandbox.faults.add({"backend": "sendgrid", "times": 9, "status": 403})
    answer = await gateway.ask("{ groups(backend: SENDGRID) { id } backends { backend } }")
    assert answer["data"]["groups"] is None
    assert len(answer["data"]["backends"]) == 3
    [error] = answer["errors"]
    assert error["extensions"] == {"code": "FORBIDDEN", "backend": "SENDGRID", "retryable": True}
    assert error["message"].startswith("SendGrid answered 403")


async def test_a_job_that_cannot_be_asked_for_is_an_error_with_its_code(gateway: Gateway) -> None:
    gateway.sandbox.faults.add(
        {"backend": "sendgrid", "times": 9, "status": 503, "headers": {"Retry-After": "60"}}
    )
    answer = await gateway.ask('{ importJob(backend: SENDGRID, id: "x") { id } }')
    assert answer["data"] == {"importJob": None}
    assert answer["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
