"""Operations as callers see them: pages, filters, and progress as it happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from gateway.store.errors import StoreUnavailableError
from tests.operations.calls import store_durably, until_ended
from tests.operations.durable import HEDY, hold_work, let_work

if TYPE_CHECKING:
    import pytest

    from tests.harness import Gateway

LIST = """
query ($first: Int! = 50, $after: String, $status: OperationStatus) {
  operations(first: $first, after: $after, status: $status) {
    edges { cursor node { id status } } pageInfo { hasNextPage endCursor }
  }
}
"""
FOLLOW = "subscription ($id: ID!) { operation(id: $id) { status completed total } }"


async def store_many(gateway: Gateway, count: int) -> list[str]:
    return [
        await store_durably(gateway, {**HEDY, "externalId": f"E-31{n}"}, targets=["EVERBRIDGE"])
        for n in range(count)
    ]


async def test_operations_are_listed_newest_first_page_by_page(quick: Gateway) -> None:
    ids = await store_many(quick, 5)
    seen: list[str] = []
    after: str | None = None
    while True:
        page = (await quick.data(LIST, first=2, after=after))["operations"]
        seen += [edge["node"]["id"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == ids[::-1]


async def test_operations_are_filtered_by_status(quick: Gateway) -> None:
    [done] = await store_many(quick, 1)
    await until_ended(quick, done)
    hold_work(quick)
    waiting = await store_durably(quick, HEDY, targets=["IVVY"])
    for status, expected in (("SUCCEEDED", [done]), ("PENDING", [waiting]), ("FAILED", [])):
        page = (await quick.data(LIST, status=status))["operations"]
        assert [edge["node"]["id"] for edge in page["edges"]] == expected


async def test_what_is_no_page_is_refused(quick: Gateway) -> None:
    for variables in ({"first": -1}, {"first": 501}, {"after": "x"}, {"after": "WyJhIiwiYiJd"}):
        answer = await quick.ask(LIST, **variables)
        assert answer["errors"][0]["extensions"]["code"] == "INVALID"
    operation_id = await store_durably(quick, HEDY, targets=["IVVY"])
    for argument in ("first: 501", 'after: "x"', 'after: "WyJhIiwiYiJd"'):
        query = f"query ($id: ID!) {{ operation(id: $id) {{ items({argument}) {{ edges {{ cursor }} }} }} }}"
        answer = await quick.ask(query, id=operation_id)
        assert answer["errors"][0]["extensions"]["code"] == "INVALID"


async def test_an_operation_that_does_not_exist_is_null(quick: Gateway) -> None:
    data = await quick.data('{ operation(id: "nothing") { id } }')
    assert data["operation"] is None


async def test_items_are_paged_and_filtered(quick: Gateway) -> None:
    operation_id = await store_durably(quick, HEDY, targets=["EVERBRIDGE"])
    await until_ended(quick, operation_id)
    query = """
    query ($id: ID!, $after: String, $status: UpsertStatus) {
      operation(id: $id) { items(first: 1, after: $after, status: $status) {
        edges { node { index externalId status } } pageInfo { hasNextPage endCursor }
      } }
    }
    """
    page = (await quick.data(query, id=operation_id))["operation"]["items"]
    assert [edge["node"] for edge in page["edges"]] == [
        {"index": 0, "externalId": "E-3001", "status": "APPLIED"}
    ]
    after = page["pageInfo"]["endCursor"]
    rest = (await quick.data(query, id=operation_id, after=after))["operation"]["items"]
    assert rest == {"edges": [], "pageInfo": {"hasNextPage": False, "endCursor": None}}
    failed = (await quick.data(query, id=operation_id, status="FAILED"))["operation"]["items"]
    assert failed["edges"] == []


async def followed(gateway: Gateway, operation_id: str) -> list[dict[str, Any]]:
    """What server-sent events tell of an operation until they end."""
    body = {"query": FOLLOW, "variables": {"id": operation_id}}
    response = await gateway.http.post(
        "/graphql", json=body, headers={"Accept": "text/event-stream"}
    )
    lines = response.text.splitlines()
    data = [line.removeprefix("data:").strip() for line in lines if line.startswith("data:")]
    return [orjson.loads(text) for text in data if text]


async def test_items_that_the_store_cannot_tell_now_are_no_fault_of_the_gateway(
    quick: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_args: object, **_named: object) -> None:
        raise StoreUnavailableError("away")

    operation_id = await store_durably(quick, HEDY, targets=["IVVY"])
    monkeypatch.setattr(quick.app.state.account.store.operations, "read_items", away)
    answer = await quick.ask(
        f'{{ operation(id: "{operation_id}") {{ items {{ edges {{ cursor }} }} }} }}'
    )
    [error] = answer["errors"]
    assert error["extensions"] == {"code": "UNAVAILABLE", "retryable": True}
    assert error["message"] == "The gateway's store cannot be used now."


async def test_a_subscription_tells_each_change_until_the_end(quick: Gateway) -> None:
    hold_work(quick)
    operation_id = await store_durably(quick, HEDY, targets=["EVERBRIDGE"])
    await let_work(quick)
    told = [event["data"]["operation"] for event in await followed(quick, operation_id)]
    assert told[-1] == {"status": "SUCCEEDED", "completed": 1, "total": 1}
    again = [event["data"]["operation"] for event in await followed(quick, operation_id)]
    assert again == told[-1:]


async def test_a_subscription_to_nothing_says_so(quick: Gateway) -> None:
    [event] = await followed(quick, "nothing")
    assert event["errors"][0]["extensions"]["code"] == "INVALID"


async def test_a_subscription_ends_when_the_gateway_does(quick: Gateway) -> None:
    hold_work(quick)
    operation_id = await store_durably(quick, HEDY, targets=["EVERBRIDGE"])
    quick.app.state.account.drain()
    events = await followed(quick, operation_id)
    assert events[0]["data"]["operation"]["status"] == "PENDING"
    assert events[-1]["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
