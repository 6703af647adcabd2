"""Request ids, pages of other origins, compression, and production mode."""

from __future__ import annotations

import gzip
import re
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from gateway.dev import sandbox_settings
from tests.api.small_schema import ask, asking
from tests.harness import running

if TYPE_CHECKING:
    import httpx

    from gateway.sandbox.app import Sandbox
    from gateway.sandbox.clock import ManualClock

PAGE = "https://app.example.com"
QUERY = {"query": "{ hello }"}


@pytest.mark.parametrize("given", ["a", "order-17.retry~2_x", "f" * 64])
async def test_callers_own_request_id_is_kept(given: str) -> None:
    async with asking() as client:
        response = await client.post(
            "/graphql", json={"query": "{ requestId }"}, headers={"X-Request-Id": given}
        )
    assert response.headers["x-request-id"] == given
    assert response.json() == {"data": {"requestId": given}}


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "ü", 'a"b', "a{b}"])
async def test_unfit_request_id_is_replaced(given: str) -> None:
    async with asking() as client:
        headers = [(b"X-Request-Id", given.encode())]
        response = await client.post("/graphql", json={"query": "{ requestId }"}, headers=headers)
    assert re.fullmatch("[0-9a-f]{32}", response.headers["x-request-id"])
    assert response.json()["data"]["requestId"] == response.headers["x-request-id"]


async def test_request_id_goes_to_the_backends(sandbox: Sandbox, clock: ManualClock) -> None:
    async with running(sandbox, clock) as gateway:
        gateway.headers["X-Request-Id"] = "the-request"
        await gateway.ask('{ importJob(backend: SENDGRID, id: "none") { status } }')
    [call, *_] = gateway.calls("sendgrid")
    sent = {name.lower(): value for name, value in call["headers"].items()}
    assert sent["x-request-id"] == "the-request"


async def test_refusals_and_other_pages_have_a_request_id_too(
    sandbox: Sandbox, clock: ManualClock
) -> None:
    async with running(sandbox, clock) as gateway:
        for path in ("/graphql", "/healthz", "/no-such-page"):
            assert (await gateway.http.get(path)).headers["x-request-id"]


async def test_nobody_is_sent_on_with_a_key(sandbox: Sandbox, clock: ManualClock) -> None:
    async with running(sandbox, clock) as gateway:
        for path in ("/graphql/", "/status/"):
            assert (await gateway.http.post(path, json=QUERY)).status_code == 404


async def preflight(client: httpx.AsyncClient, origin: str, **headers: str) -> httpx.Response:
    return await client.options(
        "/graphql",
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type, authorization, x-api-key, x-request-id, traceparent, tracestate",
            **headers,
        },
    )


async def test_page_of_a_set_origin_may_call() -> None:
    async with asking(cors_origins=f"{PAGE}, https://other.example.com/") as client:
        asked = await preflight(client, PAGE)
        answer = await client.post("/graphql", json=QUERY, headers={"Origin": PAGE})
        refusal = await client.put("/graphql", headers={"Origin": PAGE})
    assert asked.status_code == 204
    assert asked.content == b""
    assert asked.headers["access-control-allow-origin"] == PAGE
    assert {"GET", "POST"} == set(asked.headers["access-control-allow-methods"].split(", "))
    assert "content-type" not in asked.headers
    for response in (answer, refusal):
        assert response.headers["access-control-allow-origin"] == PAGE
        assert "X-Request-Id" in response.headers["access-control-expose-headers"]
        assert "Origin" in response.headers["vary"]
        assert "access-control-allow-credentials" not in response.headers


async def test_page_of_another_origin_may_not() -> None:
    async with asking(cors_origins=PAGE) as client:
        asked = await preflight(client, "https://evil.example.org")
        answer = await client.post(
            "/graphql", json=QUERY, headers={"Origin": "https://evil.example.org"}
        )
    assert asked.status_code == 400
    assert asked.headers["content-type"] == "application/json"
    assert asked.json()["errors"][0]["message"] == "Disallowed CORS origin"
    assert "access-control-allow-origin" not in asked.headers
    assert "access-control-allow-origin" not in answer.headers


async def test_without_a_setting_no_page_of_another_origin_may_call() -> None:
    async with asking() as client:
        asked = await preflight(client, PAGE)
        answer = await client.post("/graphql", json=QUERY, headers={"Origin": PAGE})
    assert asked.status_code == 405
    assert "access-control-allow-origin" not in answer.headers


async def test_star_lets_in_every_page() -> None:
    async with asking(cors_origins="*") as client:
        asked = await preflight(client, "https://any.example.net")
    assert asked.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    "origins", ["app.example.com", "https://app.example.com/path", "ftp://example.com", "null"]
)
def test_what_is_no_origin_is_a_problem_of_the_settings(origins: str) -> None:
    with pytest.raises(ValidationError, match="is not an origin"):
        sandbox_settings("http://sandbox", cors_origins=origins)


async def test_long_answers_are_compressed_for_clients_that_can_read_it() -> None:
    query = {"query": "{ " + " ".join(f"a{n}: hello" for n in range(30)) + " x: hello }"}
    query["query"] = query["query"].replace("x: hello", f'x: hello(name: "{"x" * 1000}")')
    async with asking(max_root_fields=40) as client:
        plain = await client.post("/graphql", json=query, headers={"Accept-Encoding": "identity"})
        async with client.stream(
            "POST", "/graphql", json=query, headers={"Accept-Encoding": "gzip"}
        ) as answer:
            raw = b"".join([chunk async for chunk in answer.aiter_raw()])
        short = await client.post("/graphql", json=QUERY, headers={"Accept-Encoding": "gzip"})
        headers = {"Accept-Encoding": "br, gzip;q=0"}
        refused = await client.post("/graphql", json=query, headers=headers)
    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(raw) == plain.content
    assert len(raw) < len(plain.content)
    assert "content-encoding" not in plain.headers
    assert "content-encoding" not in short.headers
    assert "content-encoding" not in refused.headers


@pytest.mark.parametrize(
    "query", ["{ __schema { types { name } } }", '{ __type(name: "Query") { name } }']
)
async def test_production_has_no_introspection(query: str) -> None:
    async with asking(production=True) as client:
        answer = await ask(client, query)
        named = await ask(client, "{ __typename }")
    assert "data" not in answer
    assert "introspection" in answer["errors"][0]["message"].lower()
    assert named == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("{ helo }", None),
        ('{ hello(nam: "x") }', None),
        ("{ node { ... on Nod { name } } }", None),
        ('{ size(tree: {nam: "x"}) }', None),
        ("query ($t: Tre) { size(tree: $t) }", None),
        ("query ($t: Tree!) { size(tree: $t) }", {"t": {"nam": "x"}}),
    ],
)
async def test_production_makes_no_suggestions(
    query: str, variables: dict[str, str] | None
) -> None:
    async with asking() as client:
        helped = await ask(client, query, variables)
    async with asking(production=True) as client:
        silent = await ask(client, query, variables)
    assert any("Did you mean" in error["message"] for error in helped["errors"])
    assert silent["errors"]
    assert not any("Did you mean" in error["message"] for error in silent["errors"])


async def test_production_has_no_explorer(sandbox: Sandbox, clock: ManualClock) -> None:
    async with running(sandbox, clock, production=True) as gateway:
        assert (await gateway.http.get("/")).status_code == 404
        assert (await gateway.http.get("/healthz")).status_code == 200
    async with running(sandbox, clock) as gateway:
        assert (await gateway.http.get("/")).status_code == 200
