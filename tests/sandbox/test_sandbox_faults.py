from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gateway.sandbox.faults import ConnectionDropped, Faults, InvalidFaultError

if TYPE_CHECKING:
    import httpx

    from tests.sandbox.conftest import Small


@pytest.fixture
def client(small: Small) -> httpx.AsyncClient:
    return small.client()


async def fault(client: httpx.AsyncClient, **asked: Any) -> None:
    answer = await client.post("/_sandbox/faults", json={"backend": "first", **asked})
    assert answer.status_code == 200, answer.text


async def test_status_body_and_headers_answer_in_place_of_the_backend(
    client: httpx.AsyncClient, small: Small
) -> None:
    await fault(client, times=1, status=429, headers={"Retry-After": "7"}, body={"slow": "down"})
    answer = await client.put("/first/things", json={"a": 1})
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "7"
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"slow": "down"}
    assert small.first.reached == 0
    assert (await client.put("/first/things")).json()["reached"] == 1


async def test_text_that_looks_like_a_page_is_sent_as_html(client: httpx.AsyncClient) -> None:
    await fault(client, status=502, body="<html>Bad Gateway</html>")
    answer = await client.get("/first/things")
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.text == "<html>Bad Gateway</html>"


async def test_other_text_is_sent_as_plain_text(client: httpx.AsyncClient) -> None:
    await fault(client, body='{"cut": ')
    answer = await client.get("/first/things")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text == '{"cut": '


async def test_effect_lets_the_backend_act_before_the_error(
    client: httpx.AsyncClient, small: Small
) -> None:
    await fault(client, status=500, effect=True)
    answer = await client.post("/first/things")
    assert (answer.status_code, answer.content) == (500, b"")
    assert small.first.reached == 1


async def test_delay_comes_before_the_backends_own_answer(
    client: httpx.AsyncClient, small: Small
) -> None:
    await fault(client, delayMs=1)
    answer = await client.get("/first/things")
    assert answer.json()["reached"] == 1
    assert small.first.reached == 1
    assert answer.headers["x-from"] == "first"


async def test_delay_with_effect_answers_as_the_backend_did(client: httpx.AsyncClient) -> None:
    await fault(client, delayMs=1, effect=True)
    answer = await client.get("/first/things")
    assert answer.json()["reached"] == 1
    assert answer.headers["x-from"] == "first"


@pytest.mark.parametrize(("drop", "reached"), [("before", 0), ("after", 1)])
async def test_dropped_in_process_raises_the_documented_error(
    client: httpx.AsyncClient, small: Small, drop: str, reached: int
) -> None:
    await fault(client, drop=drop)
    with pytest.raises(ConnectionDropped) as dropped:
        await client.post("/first/things")
    assert dropped.value.response_started is False
    assert small.first.reached == reached
    assert small.frame.calls.shown()[-1]["status"] is None


async def test_truncated_in_process_raises_after_a_part(client: httpx.AsyncClient) -> None:
    await fault(client, truncate=True)
    with pytest.raises(ConnectionDropped) as dropped:
        await client.get("/first/things")
    assert dropped.value.response_started is True


async def test_answer_without_body_cannot_be_truncated(client: httpx.AsyncClient) -> None:
    await fault(client, truncate=True)
    assert (await client.delete("/first/empty")).status_code == 204


async def test_faults_are_met_in_order_and_as_often_as_asked(client: httpx.AsyncClient) -> None:
    await fault(client, times=2, status=503)
    await fault(client, times=1, status=500)
    statuses = [(await client.get("/first/things")).status_code for _ in range(4)]
    assert statuses == [503, 503, 500, 200]


async def test_listed_faults_say_what_is_left(client: httpx.AsyncClient) -> None:
    asked: list[dict[str, Any]] = [
        {"backend": "first", "times": 3, "status": 503, "method": "get"},
        {"backend": "second", "drop": "after", "path": "/tokens"},
    ]
    assert (await client.post("/_sandbox/faults", json=asked)).status_code == 200
    await client.get("/first/things")
    left = (await client.get("/_sandbox/faults")).json()
    assert left == [{**asked[0], "times": 2}, {**asked[1], "times": 1}]
    assert (await client.delete("/_sandbox/faults")).status_code == 204
    assert (await client.get("/_sandbox/faults")).json() == []


@pytest.mark.parametrize(
    ("path", "method", "called", "met"),
    [
        (None, None, "/things", True),
        ("/things", None, "/things", True),
        ("/things", None, "/things/7", True),
        ("/things", None, "/things_too", False),
        ("/things/", None, "/things", True),
        ("/things/*/parts", None, "/things/7/parts", True),
        ("/things/*/parts", None, "/things/7", False),
        ("*/parts", None, "/things/7/parts", True),
        ("/things", "GET", "/things", True),
        ("/things", "POST", "/things", False),
        ("/api/1.0/contact?action=get", None, "/api/1.0/contact?x=1&action=get", True),
        ("/api/1.0/contact?action=get", None, "/api/1.0/contact?action=getList", False),
        ("/api/1.0/contact?action=get*", None, "/api/1.0/contact?action=getList", True),
        ("/api/1.0/contact?action=get", None, "/api/1.0/contact", False),
    ],
)
def test_fault_meets_calls_by_method_path_and_query(
    path: str | None, method: str | None, called: str, met: bool
) -> None:
    faults = Faults(["first"])
    asked: dict[str, Any] = {"backend": "first", "status": 500}
    asked |= {"path": path} if path else {}
    asked |= {"method": method} if method else {}
    faults.add(asked)
    called_path, _, query = called.partition("?")
    assert (faults.take("first", "GET", called_path, query) is not None) is met


async def test_fault_of_one_backend_leaves_the_others_alone(client: httpx.AsyncClient) -> None:
    await fault(client, status=500)
    assert (await client.get("/second/rest/things")).status_code == 200


async def test_second_app_of_a_backend_is_met_by_its_prefix(client: httpx.AsyncClient) -> None:
    await fault(client, backend="second", path="/tokens", status=401)
    assert (await client.post("/second/rest/x")).status_code == 200
    assert (await client.post("/second/tokens/x")).status_code == 401


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ([], "a fault is an object"),
        ({"backend": "third", "status": 500}, "backend must be one of first, second"),
        ({"backend": "first"}, "nothing to do"),
        ({"backend": "first", "statuss": 500}, "unknown member 'statuss'"),
        ({"backend": "first", "status": 199}, "status must be"),
        ({"backend": "first", "status": "500"}, "status must be"),
        ({"backend": "first", "status": True}, "status must be"),
        ({"backend": "first", "status": 500, "times": 0}, "times must be"),
        ({"backend": "first", "status": 500, "times": 1.5}, "times must be"),
        ({"backend": "first", "status": 500, "method": "FETCH"}, "method must be"),
        ({"backend": "first", "status": 500, "path": "things"}, "path must be"),
        ({"backend": "first", "delayMs": -1}, "delayMs must be"),
        ({"backend": "first", "headers": {"a": 1}}, "headers must be"),
        ({"backend": "first", "headers": ["a"]}, "headers must be"),
        ({"backend": "first", "drop": "during"}, "drop must be"),
        ({"backend": "first", "drop": "before", "status": 500}, "drop leaves no answer"),
        ({"backend": "first", "drop": "after", "truncate": True}, "drop leaves no answer"),
        ({"backend": "first", "truncate": "yes"}, "truncate must be"),
        ({"backend": "first", "effect": True}, "nothing to do"),
    ],
)
def test_fault_that_makes_no_sense_is_refused_with_the_reason(asked: Any, said: str) -> None:
    with pytest.raises(InvalidFaultError, match=said):
        Faults(["first", "second"]).add(asked)


async def test_refused_fault_is_a_400_and_adds_none_of_its_list(client: httpx.AsyncClient) -> None:
    asked = [{"backend": "first", "status": 500}, {"backend": "first", "status": 5}]
    answer = await client.post("/_sandbox/faults", json=asked)
    assert answer.status_code == 400
    assert answer.json() == {"error": "status must be a whole number from 200 to 599"}
    assert (await client.get("/_sandbox/faults")).json() == []


async def test_fault_that_is_no_json_is_a_400(client: httpx.AsyncClient) -> None:
    answer = await client.post("/_sandbox/faults", content=b"{")
    assert (answer.status_code, answer.json()) == (400, {"error": "the body is not JSON"})
