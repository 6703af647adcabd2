"""What HTTP itself refuses, and in which words and media types answers come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest
from structlog.testing import capture_logs

from gateway.app import create_app
from gateway.dev import sandbox_settings
from tests.api.small_schema import ask, asking, small_app

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import Message

JSON = "application/json"
RESPONSE = "application/graphql-response+json"
QUERY = {"query": "{ hello }"}


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with asking(max_body_bytes=1000) as client:
        yield client


def error_of(response: httpx.Response) -> dict[str, Any]:
    """The one error of a GraphQL answer without data."""
    answer = response.json()
    assert set(answer) == {"errors"}
    [error] = answer["errors"]
    assert isinstance(error["message"], str)
    found: dict[str, Any] = error
    return found


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (RESPONSE, RESPONSE),
        (RESPONSE.upper(), RESPONSE),
        (f"{RESPONSE}, {JSON};q=0.9", RESPONSE),
        (f"{JSON}, {RESPONSE}", RESPONSE),
        (f"{JSON}, {RESPONSE};q=0.5", JSON),
        (f"{RESPONSE};q=0, */*;q=0.1", JSON),
        (f"{JSON};q=0, */*;q=0.1", RESPONSE),
        (f"text/html, {JSON};q=0.2", JSON),
        (f"{RESPONSE};charset=utf-8", RESPONSE),
        (f"{RESPONSE};charset=latin-1, {JSON};q=0.1", JSON),
        (f"{RESPONSE};q=much, {JSON};q=0.1", JSON),
        (f"{JSON}, multipart/mixed", JSON),
        ("text/event-stream", "text/event-stream"),
        (f"text/event-stream;q=0.5, {JSON}", JSON),
    ],
)
async def test_answer_has_the_media_type_that_is_wanted_most(
    client: httpx.AsyncClient, accept: str | None, expected: str
) -> None:
    request = client.build_request("POST", "/graphql", json=QUERY)
    del request.headers["accept"]
    if accept is not None:
        request.headers["accept"] = accept
    response = await client.send(request)
    assert response.status_code == 200
    assert response.headers["content-type"].partition(";")[0] == expected
    assert "Hello world" in response.text


async def test_accept_that_takes_none_of_ours_is_406(client: httpx.AsyncClient) -> None:
    response = await client.post("/graphql", json=QUERY, headers={"Accept": "image/png"})
    assert response.status_code == 406
    assert RESPONSE in error_of(response)["message"]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_other_methods_are_405_and_told_what_is_allowed(
    client: httpx.AsyncClient, method: str
) -> None:
    response = await client.request(method, "/graphql")
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, POST"
    assert method in error_of(response)["message"]


@pytest.mark.parametrize("accept", [JSON, RESPONSE, "text/event-stream"])
@pytest.mark.parametrize(
    "query", ['mutation { say(word: "a") }', "query A { hello } mutation B { say(missing: 1) }"]
)
async def test_mutation_by_get_is_405_and_not_run(
    client: httpx.AsyncClient, accept: str, query: str
) -> None:
    params = {"query": query} | ({"operationName": "B"} if " B " in query else {})
    response = await client.get("/graphql", params=params, headers={"Accept": accept})
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert "POST" in error_of(response)["message"]
    assert error_of(response)["extensions"]["code"] == "METHOD_NOT_ALLOWED"


async def test_query_by_get_takes_all_parameters(client: httpx.AsyncClient) -> None:
    query = "query A($name: String!) { hello(name: $name) } query B { hello }"
    params = {"query": query, "variables": '{"name": "Ada"}', "operationName": "A"}
    response = await client.get("/graphql", params=params)
    assert response.json() == {"data": {"hello": "Hello Ada"}}


async def test_what_get_gives_is_kept_by_no_cache(client: httpx.AsyncClient) -> None:
    response = await client.get("/graphql", params={"query": "{ hello }"})
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("parameter", ["variables", "extensions"])
async def test_parameter_that_is_no_json_is_400_and_named(
    client: httpx.AsyncClient, parameter: str
) -> None:
    response = await client.get("/graphql", params=QUERY | {parameter: "{"})
    assert response.status_code == 400
    assert error_of(response)["message"] == "variables and extensions must be JSON."


async def test_get_without_a_query_is_a_graphql_error_and_no_page(
    client: httpx.AsyncClient,
) -> None:
    response = await client.get("/graphql", headers={"Accept": "text/html, */*"})
    assert response.status_code == 400
    assert response.headers["content-type"].startswith(JSON)
    assert "query" in error_of(response)["message"]


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "application/json; charset=utf-16",
    ],
)
async def test_other_content_types_are_415(
    client: httpx.AsyncClient, content_type: str | None
) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    response = await client.post("/graphql", content=b'{"query": "{ hello }"}', headers=headers)
    assert response.status_code == 415
    assert response.headers["accept-post"] == JSON
    assert JSON in error_of(response)["message"]


async def test_compressed_body_is_415(client: httpx.AsyncClient) -> None:
    headers = {"Content-Type": JSON, "Content-Encoding": "gzip"}
    response = await client.post("/graphql", content=b"\x1f\x8b", headers=headers)
    assert response.status_code == 415
    assert response.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("accept", [JSON, RESPONSE, "text/event-stream"])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"NaN",
        b'"query"',
        b"[]",
        b"[{}]",
        b"\xff\xfe",
        b"[" * 900,
        b'{"query": "\\ud800"}',
        b'{"query": 1}',
        b'{"query": "{ hello }", "operationName": {}}',
        b'{"query": "{ hello }", "variables": []}',
        b'{"query": "{ hello }", "extensions": "x"}',
        b'{"query": ""}',
        b'{"query": null}',
        b'{"variables": {}}',
    ],
)
async def test_malformed_body_is_400_in_the_wanted_media_type(
    client: httpx.AsyncClient, body: bytes, accept: str
) -> None:
    headers = {"Content-Type": JSON, "Accept": accept}
    response = await client.post("/graphql", content=body, headers=headers)
    assert response.status_code == 400
    expected = RESPONSE if accept == RESPONSE else JSON
    assert response.headers["content-type"] == f"{expected}; charset=utf-8"
    error_of(response)


@pytest.mark.parametrize(
    "request_error",
    [
        {"query": "{"},
        {"query": "{ missing }"},
        {"query": "query ($n: Int!) { total(items: [$n]) }"},
        {"query": "{ hello }", "operationName": "Other"},
        {"query": "fragment a on Query { hello }"},
        {"query": "query A { hello } query B { hello }"},
    ],
)
async def test_request_error_has_no_data_and_the_status_of_its_media_type(
    client: httpx.AsyncClient, request_error: dict[str, str]
) -> None:
    for accept, status in ((JSON, 200), (RESPONSE, 400)):
        headers = {"Accept": accept}
        response = await client.post("/graphql", json=request_error, headers=headers)
        assert response.status_code == status
        assert response.headers["content-type"].startswith(accept)
        error_of(response)


async def test_failed_field_leaves_data_and_status_200(client: httpx.AsyncClient) -> None:
    headers = {"Accept": RESPONSE}
    response = await client.post("/graphql", json={"query": "{ refused }"}, headers=headers)
    assert response.status_code == 200
    assert response.json()["data"] == {"refused": None}
    assert response.json()["errors"][0]["path"] == ["refused"]


async def test_subscription_needs_a_stream(client: httpx.AsyncClient) -> None:
    query = {"query": "subscription { count(to: 2) }"}
    response = await client.post("/graphql", json=query)
    assert response.status_code == 406
    assert "text/event-stream" in error_of(response)["message"]


async def test_body_over_the_limit_is_413_by_its_length_and_by_its_bytes(
    client: httpx.AsyncClient,
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b" " * 500

    headers = {"Content-Type": JSON}
    for body in (b" " * 1001, chunks()):
        response = await client.post("/graphql", content=body, headers=headers)
        assert response.status_code == 413
        error = error_of(response)
        assert "1,000" in error["message"]
        assert error["extensions"]["setting"] == "GATEWAY_MAX_BODY_BYTES"


async def test_a_bulk_may_have_a_larger_body_and_nothing_else_may() -> None:
    settings = sandbox_settings("http://127.0.0.1:9", max_body_bytes=1000, max_bulk_body_bytes=2000)
    app = create_app(settings)
    bulk = "mutation ($inputs: [ContactInput!]!) { %s(inputs: $inputs) { errors { code } } }"
    other = "{ backends { backend } __typename } # upsertContacts"
    both = (
        "mutation { upsertContacts(inputs: []) { errors { code } }"
        " resolveStep(stepId: 1, as: RETRY) { errors { code } } }"
    )
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url="http://localhost"
        ) as client,
    ):
        variables: dict[str, Any] = {"inputs": []}
        sent = [
            ({"query": bulk % "upsertContacts", "variables": variables}, 1500, 200),
            ({"query": bulk % "upsertContacts", "variables": variables}, 2001, 413),
            ({"query": bulk % "upsertLead", "variables": variables}, 1500, 413),
            ({"query": other}, 1500, 413),
            ({"query": both}, 1500, 413),
            ({"query": "{ upsertContacts"}, 1500, 413),
        ]
        for body, size, status in sent:
            content = orjson.dumps(body).ljust(size)
            response = await client.post(
                "/graphql", content=content, headers={"Content-Type": JSON}
            )
            assert response.status_code == status, (body, response.text)


async def test_a_bulk_with_a_long_document_is_refused_unread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[str] = []
    monkeypatch.setattr("gateway.api.bulk_body.parse", lambda text, **_: read.append(text))
    monkeypatch.setattr("gateway.api.documents.parse", lambda text, **_: read.append(text))
    async with asking() as client:
        for name in ("upsertContacts", "documentId"):
            text = "#" + "x" * 2_000_000 + f"\nquery {name} {{ __typename }}"
            response = await client.post("/graphql", json={"query": text})
            assert response.status_code == 413
            assert error_of(response)["extensions"] == {
                "code": "LIMIT_EXCEEDED",
                "limit": 100_000,
                "setting": "GATEWAY_MAX_DOCUMENT_CHARACTERS",
            }
    assert read == []


async def test_body_at_the_limit_is_taken(client: httpx.AsyncClient) -> None:
    body = b'{"query": "{ hello }"}'.ljust(1000)
    headers = {"Content-Type": JSON}
    response = await client.post("/graphql", content=body, headers=headers)
    assert response.json() == {"data": {"hello": "Hello world"}}


async def test_address_over_the_limit_is_414(client: httpx.AsyncClient) -> None:
    response = await client.get("/graphql", params={"query": "{" + "#" * 1001})
    assert response.status_code == 414
    assert error_of(response)["extensions"]["limit"] == 1000


async def test_client_that_leaves_while_sending_gets_no_answer_and_makes_no_noise() -> None:
    app = small_app()
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"content-type", JSON.encode())]
    scope = {"type": "http", "method": "POST", "path": "/graphql", "headers": headers}
    async with app.router.lifespan_context(app):
        with capture_logs() as logs:
            await app({**scope, "query_string": b"", "root_path": ""}, receive, send)
    assert sent == []
    assert logs == []


async def test_one_answer_names_what_was_asked(client: httpx.AsyncClient) -> None:
    answer = await ask(client, "query ($name: String!) { hello(name: $name) }", {"name": "Grace"})
    assert answer == {"data": {"hello": "Hello Grace"}}
