"""Faults of the gateway's own: the log gets them whole, the caller gets the request's id."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from gateway.api.errors import FAILED
from gateway.api.schema import Schema
from tests.api.small_schema import SECRET, ask, asking
from tests.harness import running

if TYPE_CHECKING:
    from gateway.sandbox.app import Sandbox
    from gateway.sandbox.clock import ManualClock


@pytest.mark.parametrize("name", ["broken", "endlessRecursion", "outOfMemory"])
async def test_unexpected_exception_is_one_masked_error_with_the_requests_id(name: str) -> None:
    async with asking() as client:
        with capture_logs() as logs:
            response = await client.post(
                "/graphql",
                json={"query": f"{{ hello {name} }}"},
                headers={"X-Request-Id": "the-request"},
            )
    assert response.headers["x-request-id"] == "the-request"
    answer = response.json()
    assert answer["data"] == {"hello": "Hello world", name: None}
    [error] = answer["errors"]
    assert error["message"] == FAILED
    assert error["path"] == [name]
    assert error["extensions"] == {"code": "INTERNAL_ERROR", "requestId": "the-request"}
    assert SECRET not in response.text
    [entry] = logs
    assert entry["request_id"] == "the-request"
    assert entry["exc_info"] is not None


async def test_two_failing_fields_are_two_masked_errors() -> None:
    async with asking() as client:
        with capture_logs() as logs:
            answer = await ask(client, "{ broken also: broken refused }")
    assert len(logs) == 2
    told = {error["path"][0]: error["message"] for error in answer["errors"]}
    assert told == {"broken": FAILED, "also": FAILED, "refused": "No such thing."}


@pytest.mark.parametrize(
    ("query", "variables", "words"),
    [
        ("{ missing }", None, "missing"),
        ("{ hello ", None, "Syntax Error"),
        ("{ total(items: [1.5]) }", None, "1.5"),
        ("query ($items: [Int!]!) { total(items: $items) }", {"items": ["x"]}, "'x'"),
        ("query ($value: Even!) { halved(value: $value) }", {"value": 3}, "3 is odd"),
        ("{ halved(value: 3) }", None, "3 is odd"),
        (f"{{ total(items: [{'9' * 5000}]) }}", None, "digits"),
        ("{ refused }", None, "No such thing."),
    ],
)
async def test_what_the_caller_did_wrong_is_told_and_not_logged(
    query: str, variables: dict[str, Any] | None, words: str
) -> None:
    async with asking() as client:
        with capture_logs() as logs:
            answer = await ask(client, query, variables)
    assert words in answer["errors"][0]["message"]
    assert logs == []


async def test_fault_in_reading_an_input_is_masked() -> None:
    query = "query ($value: Even!) { halved(value: $value) }"
    async with asking() as client:
        with capture_logs() as logs:
            answer = await ask(client, query, {"value": 13})
    [error] = answer["errors"]
    assert error["message"] == FAILED
    assert SECRET not in json.dumps(answer)
    assert [entry["log_level"] for entry in logs] == ["error"]


async def test_fault_of_the_view_is_masked_in_the_wanted_media_type(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise KeyError(SECRET)

    monkeypatch.setattr(Schema, "execute", fail)
    async with asking() as client:
        with capture_logs() as logs:
            response = await client.post(
                "/graphql",
                json={"query": "{ hello }"},
                headers={
                    "Accept": "application/graphql-response+json",
                    "X-Request-Id": "the-request",
                },
            )
    assert response.status_code == 500
    assert response.headers["content-type"].startswith("application/graphql-response+json")
    extensions = {"code": "INTERNAL_ERROR", "requestId": "the-request"}
    assert response.json() == {"errors": [{"message": FAILED, "extensions": extensions}]}
    assert [entry["event"] for entry in logs] == ["request failed"]


async def test_failure_of_a_backend_keeps_its_words(sandbox: Sandbox, clock: ManualClock) -> None:
    async with running(sandbox, clock, sendgrid_api_key="SG.wrong.key") as gateway:
        answer = await gateway.ask("{ groups(backend: SENDGRID) { name } }")
    [error] = answer["errors"]
    assert error["message"] != FAILED
    assert error.get("extensions", {}).get("code") != "INTERNAL_ERROR"
