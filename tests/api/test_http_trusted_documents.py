"""Operations named by an id, and operations that nobody vouches for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from gateway.api.http import graphql_app
from gateway.api.trusted import digest
from gateway.dev import sandbox_settings
from gateway.errors import SettingsError
from tests.api.small_schema import ask, asking

if TYPE_CHECKING:
    from pathlib import Path

HELLO = "query Hello($name: String!) { hello(name: $name) }"
SAY = 'mutation { say(word: "x") }'
HASH = digest(HELLO)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "documents.json"
    path.write_text(json.dumps({"hello": HELLO, "sha256:" + digest(SAY): SAY}))
    return path


NAMED: list[dict[str, Any]] = [
    {"documentId": "hello"},
    {"documentId": f"sha256:{HASH}"},
    {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": HASH}}},
    {"query": HELLO, "extensions": {"persistedQuery": {"version": 1, "sha256Hash": HASH}}},
    {"query": HELLO, "documentId": f"sha256:{HASH}"},
    {"query": HELLO},
]


@pytest.mark.parametrize("named", NAMED)
async def test_trusted_document_runs_by_id_by_hash_and_by_text(
    file: Path, named: dict[str, Any]
) -> None:
    encoded = {
        key: value if isinstance(value, str) else json.dumps(value) for key, value in named.items()
    }
    async with asking(trusted_documents=file, production=True) as client:
        posted = await client.post("/graphql", json={**named, "variables": {"name": "Ada"}})
        got = await client.get("/graphql", params={**encoded, "variables": '{"name": "Ada"}'})
    assert posted.json() == {"data": {"hello": "Hello Ada"}}
    assert got.json() == posted.json()


async def test_mutation_by_id_and_get_is_405(file: Path) -> None:
    async with asking(trusted_documents=file) as client:
        params = {"documentId": f"sha256:{digest(SAY)}"}
        assert (await client.get("/graphql", params=params)).status_code == 405
        assert (await client.post("/graphql", json=params)).json() == {"data": {"say": "x"}}


@pytest.mark.parametrize(
    ("settings", "refused"),
    [
        ({"production": True}, True),
        ({"unknown_documents": "refuse"}, True),
        ({}, False),
        ({"production": True, "unknown_documents": "log"}, False),
    ],
)
async def test_unknown_document_is_refused_or_logged_as_the_settings_say(
    file: Path, settings: dict[str, Any], *, refused: bool
) -> None:
    headers = {"Accept": "application/graphql-response+json"}
    async with asking(trusted_documents=file, **settings) as client:
        with capture_logs() as logs:
            response = await client.post("/graphql", json={"query": "{ hello }"}, headers=headers)
    [entry] = logs
    assert entry["document"] == "sha256:" + digest("{ hello }")
    assert entry["refused"] is refused
    if refused:
        assert response.status_code == 403
        [error] = response.json()["errors"]
        assert error["extensions"] == {"code": "DOCUMENT_NOT_TRUSTED"}
        assert "GATEWAY_TRUSTED_DOCUMENTS" in error["message"]
    else:
        assert response.json() == {"data": {"hello": "Hello world"}}


@pytest.mark.parametrize(
    ("named", "code"),
    [
        ({"documentId": "other"}, "PERSISTED_QUERY_NOT_FOUND"),
        (
            {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}},
            "PERSISTED_QUERY_NOT_FOUND",
        ),
        ({"documentId": 7}, "BAD_REQUEST"),
        ({"extensions": {"persistedQuery": "x"}}, "BAD_REQUEST"),
        ({"extensions": {"persistedQuery": {"version": 1}}}, "BAD_REQUEST"),
        ({"documentId": "hello", "query": "{ hello }"}, "BAD_REQUEST"),
    ],
)
async def test_id_that_names_nothing_is_a_request_error(
    file: Path, named: dict[str, Any], code: str
) -> None:
    async with asking(trusted_documents=file) as client:
        response = await client.post("/graphql", json=named)
    assert response.status_code == 400
    [error] = response.json()["errors"]
    assert error["extensions"]["code"] == code


async def test_without_a_file_ids_are_not_supported_and_every_text_runs() -> None:
    named = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": HASH}}}
    async with asking() as client:
        [error] = (await client.post("/graphql", json=named)).json()["errors"]
        answer = await ask(client, HELLO, {"name": "Ada"}, **named)
    assert error["extensions"]["code"] == "PERSISTED_QUERY_NOT_SUPPORTED"
    assert answer == {"data": {"hello": "Hello Ada"}}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"),
        ("{", "is not JSON"),
        ("[]", "must be a JSON object"),
        ("{}", "must be a JSON object"),
        ('{"a": 1}', "is not a text"),
        ('{"sha256:00": "{ hello }"}', "is not the hash"),
    ],
)
def test_unfit_file_keeps_the_gateway_from_starting(
    tmp_path: Path, content: str | None, words: str
) -> None:
    path = tmp_path / "documents.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SettingsError, match=words) as caught:
        graphql_app(sandbox_settings("http://sandbox", trusted_documents=path))
    assert all("GATEWAY_TRUSTED_DOCUMENTS" in problem for problem in caught.value.problems)
