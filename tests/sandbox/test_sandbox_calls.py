from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from gateway.sandbox import calls as recorded
from gateway.sandbox import redaction
from gateway.sandbox.calls import Calls

if TYPE_CHECKING:
    import httpx

    from tests.sandbox.conftest import Small


async def listed(client: httpx.AsyncClient, backend: str | None = None) -> list[dict[str, Any]]:
    answer = await client.get("/_sandbox/calls", params={"backend": backend} if backend else {})
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json()
    return found


async def test_call_is_listed_with_what_was_asked_and_answered(small: Small) -> None:
    client = small.client()
    await client.post("/first/things/7?a=1&a=2&b=x", json={"name": "Ada"})
    (call,) = await listed(client)
    assert set(call) == {
        *("backend", "method", "path", "query", "headers", "body", "status", "at"),
    }
    assert (call["backend"], call["method"], call["path"]) == ("first", "POST", "/things/7")
    assert call["query"] == {"a": ["1", "2"], "b": "x"}
    assert call["body"] == {"name": "Ada"}
    assert call["headers"]["content-type"] == "application/json"
    assert call["status"] == 200
    at = datetime.fromisoformat(call["at"])
    assert abs((small.clock.now() - at).total_seconds()) < 60


async def test_calls_are_listed_oldest_first_and_by_backend(small: Small) -> None:
    client = small.client()
    await client.get("/first/a")
    await client.get("/second/rest/b")
    await client.post("/second/tokens/c")
    assert [call["path"] for call in await listed(client)] == ["/a", "/b", "/tokens/c"]
    assert [call["path"] for call in await listed(client, "second")] == ["/b", "/tokens/c"]
    refused = await client.get("/_sandbox/calls?backend=third")
    assert refused.status_code == 400
    assert refused.json() == {"error": "backend must be one of first, second"}


async def test_deleted_calls_are_gone(small: Small) -> None:
    client = small.client()
    await client.get("/first/a")
    assert (await client.delete("/_sandbox/calls")).status_code == 204
    assert await listed(client) == []


async def test_call_that_a_fault_answered_is_recorded_too(small: Small) -> None:
    client = small.client()
    small.frame.faults.add({"backend": "first", "status": 503})
    await client.put("/first/a", content=b"text")
    (call,) = await listed(client)
    assert (call["status"], call["body"]) == (503, "text")


async def test_body_of_a_delete_reaches_the_backend_and_the_record(small: Small) -> None:
    client = small.client()
    answer = await client.request("DELETE", "/first/things", json=[1, 2])
    assert answer.json()["body"] == "[1,2]"
    (call,) = await listed(client)
    assert call["body"] == [1, 2]


async def test_call_without_body_has_none(small: Small) -> None:
    client = small.client()
    await client.get("/first/things")
    assert (await listed(client))[0]["body"] is None


async def test_secrets_are_removed(small: Small) -> None:
    client = small.client()
    headers = {
        "Authorization": "Bearer SG.very.secret",
        "X-Api-Authorization": "IWS sandbox-key:0123456789abcdef",
        "Cookie": "session=secret",
        "X-Api-Key": "secret",
        "Proxy-Authorization": "secret",
    }
    body = {"user": "ada", "password": "secret", "deep": [{"client_secret": "secret"}], "n": 1}
    await client.post("/first/things?access_token=secret&page_token=p2", json=body, headers=headers)
    await client.post(
        "/second/tokens/tokens",
        data={
            "grant_type": "password",
            "client_id": "c",
            "client_secret": "secret",
            "password": "secret",
        },
    )
    await client.post("/first/things", content=b'{"password": "secret", "a": "b"')
    shown = await listed(client)
    assert "secret" not in str(shown).replace("client_secret", "")
    assert shown[0]["headers"]["authorization"] == "Bearer ***"
    assert shown[0]["headers"]["x-api-authorization"] == "IWS sandbox-key:***"
    assert shown[0]["query"] == {"access_token": "***", "page_token": "p2"}
    assert shown[0]["body"] == {
        **body,
        "password": "***",
        "deep": [{"client_secret": "***"}],
    }
    assert shown[1]["body"] == "grant_type=password&client_id=c&client_secret=***&password=***"
    assert shown[2]["body"] == '{"password": "***", "a": "b"'


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("clientSecret", True),
        ("api_key", True),
        ("Access-Token", True),
        ("page_token", False),
        ("job_id", False),
        ("signature", True),
    ],
)
def test_names_of_secrets_are_known_in_every_spelling(name: str, secret: bool) -> None:
    assert redaction.is_secret(name) is secret


def begin(calls: Calls, body: bytes, path: str = "/a") -> None:
    calls.begin(
        backend="first",
        method="PUT",
        path=path,
        query="",
        headers=[],
        body=body,
        at=datetime(2026, 1, 2, tzinfo=UTC),
    )


def test_only_the_newest_calls_are_kept() -> None:
    calls = Calls()
    for number in range(recorded.MAX_CALLS + 2):
        begin(calls, b"", f"/{number}")
    assert len(calls) == recorded.MAX_CALLS
    assert calls.shown()[0]["path"] == "/2"


def test_of_a_large_body_only_its_size_is_kept() -> None:
    calls = Calls()
    begin(calls, b"x" * (recorded.MAX_BODY_BYTES + 1))
    assert calls.shown()[0]["body"] == "(not kept: 1000001 bytes)"


def test_old_calls_give_way_to_large_bodies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded, "MAX_TOTAL_BYTES", 10)
    calls = Calls()
    begin(calls, b"123456", "/old")
    begin(calls, b"123456", "/new")
    assert [call["path"] for call in calls.shown()] == ["/new"]


def test_recorded_call_does_not_print_what_came_in() -> None:
    calls = Calls()
    call = calls.begin(
        backend="first",
        method="PUT",
        path="/a",
        query="token=hush",
        headers=[(b"authorization", b"hush")],
        body=b"hush",
        at=datetime(2026, 1, 2, tzinfo=UTC),
    )
    assert "hush" not in repr(call)


async def test_counts_tell_calls_by_kind_whatever_record_they_are_about(small: Small) -> None:
    client = small.client()
    for path in ("/first/things/1000001", "/first/things/1000002", "/first/api?action=getThings"):
        await client.get(path)
    counts = (await client.get("/_sandbox/counts")).json()
    assert counts == {"first": {"GET /things/…": 2, "getThings": 1}}
    await client.delete("/_sandbox/calls")
    assert (await client.get("/_sandbox/counts")).json() == {}


async def test_counts_go_on_where_calls_are_forgotten(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorded, "MAX_CALLS", 2)
    client = small.client()
    for _ in range(5):
        await client.get("/first/things/7")
    assert len(await listed(client)) == 2
    assert (await client.get("/_sandbox/counts")).json() == {"first": {"GET /things/7": 5}}
