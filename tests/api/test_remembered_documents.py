"""Documents are parsed and validated once, and remembered in bounded room."""

from __future__ import annotations

from typing import Any

import pytest

import gateway.api.documents
from gateway.api.documents import Documents
from gateway.api.limits import Limits
from gateway.dev import sandbox_settings
from tests.api.small_schema import ask, asking, small_schema


class Calls:
    """How often the library's functions were called, which then did what they do."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.made: list[str] = []
        for name in ("outline_of", "parse", "validate", "check_document"):
            self._watch(patch, name)

    def _watch(self, patch: pytest.MonkeyPatch, name: str) -> None:
        real = getattr(gateway.api.documents, name)

        def watched(*positional: Any, **named: Any) -> Any:
            self.made.append(name)
            return real(*positional, **named)

        patch.setattr(gateway.api.documents, name, watched)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    return Calls(monkeypatch)


async def test_document_is_parsed_and_validated_once_over_many_requests(calls: Calls) -> None:
    query = "query Cached($name: String!) { hello(name: $name) }"
    async with asking() as client:
        for name in ("Ada", "Grace", "Mary"):
            answer = await ask(client, query, {"name": name})
            assert answer == {"data": {"hello": f"Hello {name}"}}
    assert calls.made == ["outline_of", "parse", "check_document", "validate"]


async def test_nothing_else_is_looked_for_in_a_document_over_a_limit(calls: Calls) -> None:
    async with asking(max_aliases=1) as client:
        answer = await ask(client, "{ a: missing b: missing }")
    assert len(answer["errors"]) == 1
    assert calls.made == ["outline_of", "parse", "check_document"]


@pytest.mark.parametrize(
    "text", ["{ hello }" + " " * 100_000, "#" * 100_001, '{ hello(name: "' + "x" * 100_000 + '") }']
)
async def test_text_over_the_limit_is_not_read(calls: Calls, text: str) -> None:
    async with asking() as client:
        [error] = (await ask(client, text))["errors"]
    assert "at most 100,000 are allowed" in error["message"]
    assert error["extensions"]["setting"] == "GATEWAY_MAX_DOCUMENT_CHARACTERS"
    assert calls.made == []


def test_remembered_documents_have_bounded_room(calls: Calls) -> None:
    limits = Limits.of(sandbox_settings("http://sandbox"))
    documents = Documents(small_schema._schema, tokens=10)
    first, second, third = "{ hello }", "{ a: hello }", "{ b: hello }"
    for text in (first, second, first, third, first):
        documents.prepare(text, limits)
    assert calls.made.count("parse") == 3
    documents.prepare(second, limits)
    assert calls.made.count("parse") == 4


@pytest.mark.parametrize(
    "text",
    [
        "{ hello %s }",  # the text itself is remembered
        "{ hello } # %s",
        '{ hello(name: "%s") node { name } }',  # it is remembered without its literals, with others
        '{ hello(name: "a") %s }',
    ],
)
def test_long_texts_take_room_whatever_their_tokens(calls: Calls, text: str) -> None:
    limits = Limits.of(sandbox_settings("http://sandbox"))
    documents = Documents(small_schema._schema, tokens=2_100)
    blank, short = " " * 99_900, "{ hello }"
    documents.prepare(short, limits)
    documents.prepare(text % blank, limits)
    parsed = calls.made.count("parse")
    documents.prepare(short, limits)
    assert calls.made.count("parse") == parsed, "there is room for both"
    documents.prepare(text.replace("hello", "a: hello") % blank, limits)
    documents.prepare(text % blank, limits)
    assert calls.made.count("parse") == parsed + 2, "there is room for one of the long ones"


def test_document_with_errors_is_not_remembered(calls: Calls) -> None:
    limits = Limits.of(sandbox_settings("http://sandbox"))
    documents = Documents(small_schema._schema)
    assert documents.prepare("{ missing }", limits).errors
    assert documents.prepare("{ missing }", limits).errors
    assert calls.made.count("validate") == 2
