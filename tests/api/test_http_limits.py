"""Operations that are too large, and those that are just small enough."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from graphql import get_introspection_query, parse

import gateway.api.documents
from gateway.api.documents import MAX_ERRORS
from gateway.api.limits import INTROSPECTION_DEPTH, Limits
from tests.api.small_schema import ask, asking, small_schema
from tests.harness import running
from tests.test_upsert_fields import EVERYTHING

if TYPE_CHECKING:
    from gateway.sandbox.app import Sandbox
    from gateway.sandbox.clock import ManualClock
    from tests.harness import Gateway


def tree(levels: int) -> dict[str, Any]:
    """A value of so many levels; a list and its object are two."""
    value: dict[str, Any] = {"name": "leaf"}
    for _ in range(levels // 2):
        value = {"children": [value]}
    return value


def deep(levels: int) -> str:
    return "{ node " + "{ child " * (levels - 2) + "{ name }" + " }" * (levels - 1)


def spread(count: int) -> str:
    """`count` fragments and spreads of them."""
    fragments = " ".join(f"fragment f{n} on Query {{ hello }}" for n in range(count // 2))
    return "{ " + " ".join(f"...f{n}" for n in range(count // 2)) + " } " + fragments


ALIASED = (
    "{ %s node { ...b ...b } } fragment a on Query { x: hello } fragment b on Node { y: name }"
)

LIMITED: list[tuple[str, int, str, dict[str, Any] | None, str, dict[str, Any] | None]] = [
    # setting, its value, an operation that is just small enough, and one that is one too large
    ("max_document_characters", 9, "{ hello }", None, "{ hello  }", None),
    ("max_document_characters", 9, "{hello}#9", None, "{hello}#10", None),
    ("max_tokens", 7, "{ hello node { name } }", None, "{ hello node { name } hello }", None),
    ("max_depth", 4, deep(4), None, deep(5), None),
    (
        "max_depth",
        3,
        "{ ...a } fragment a on Query { node { ...b } } fragment b on Node { child { name } }",
        None,
        "{ ...a } fragment a on Query { node { ...b } } fragment b on Node { child { child { name }}}",
        None,
    ),
    ("max_aliases", 2, "{ a: hello b: hello hello }", None, "{ a: hello b: hello c: hello }", None),
    (
        "max_aliases",
        4,
        ALIASED % "...a",
        None,
        ALIASED % "...a ...a ...a",
        None,
    ),
    ("max_root_fields", 2, "{ hello hello }", None, "{ hello hello hello }", None),
    (
        "max_root_fields",
        2,
        "{ ...a ... on Query { hello } } fragment a on Query { hello }",
        None,
        "{ ...a ...a ... on Query { hello } } fragment a on Query { hello }",
        None,
    ),
    ("max_fragments", 4, spread(4), None, spread(6), None),
    (
        "max_directives",
        1,
        "{ hello @include(if: true) }",
        None,
        "{ hello @include(if: true) @skip(if: false) }",
        None,
    ),
    (
        "max_list_items",
        3,
        "{ total(items: [1, 2, 3]) }",
        None,
        "{ total(items: [1, 2, 3, 4]) }",
        None,
    ),
    (
        "max_list_items",
        3,
        "query ($items: [Int!]!) { total(items: $items) }",
        {"items": [1, 2, 3]},
        "query ($items: [Int!]!) { total(items: $items) }",
        {"items": [1, 2, 3, 4]},
    ),
    (
        "max_input_depth",
        3,
        '{ size(tree: {children: [{name: "a"}]}) }',
        None,
        '{ size(tree: {children: [{children: [{name: "a"}]}]}) }',
        None,
    ),
    (
        "max_input_depth",
        3,
        "query ($tree: Tree!) { size(tree: $tree) }",
        {"tree": tree(2)},
        "query ($tree: Tree!) { size(tree: $tree) }",
        {"tree": tree(4)},
    ),
]


@pytest.mark.parametrize(("setting", "limit", "within", "given", "beyond", "given_beyond"), LIMITED)
async def test_operation_over_a_limit_is_refused_with_its_number_and_setting(
    setting: str,
    limit: int,
    within: str,
    given: dict[str, Any] | None,
    beyond: str,
    given_beyond: dict[str, Any] | None,
) -> None:
    async with asking(small_schema, **{setting: limit}) as client:
        assert "errors" not in await ask(client, within, given)
        [error] = (await ask(client, beyond, given_beyond))["errors"]
    name = f"GATEWAY_{setting.upper()}"
    assert f"at most {limit} are allowed ({name})" in error["message"]
    assert error["extensions"] == {"code": "LIMIT_EXCEEDED", "limit": limit, "setting": name}


async def test_defaults_leave_room_for_what_is_promised() -> None:
    async with asking() as client:
        aliases = " ".join(f"a{n}: hello" for n in range(25))
        assert "errors" not in await ask(client, f"{{ {aliases} }}")
        items = "query ($items: [Int!]!) { total(items: $items) }"
        assert await ask(client, items, {"items": [1] * 10_000}) == {"data": {"total": 10_000}}
        [error] = (await ask(client, items, {"items": [1] * 10_001}))["errors"]
    assert "10,001 items; at most 10,000" in error["message"]


async def test_introspection_of_explorers_runs_whatever_the_depth(
    sandbox: Sandbox, clock: ManualClock
) -> None:
    query = get_introspection_query(
        specified_by_url=True,
        directive_is_repeatable=True,
        schema_description=True,
        input_value_deprecation=True,
    )
    async with running(sandbox, clock, max_depth=2) as gateway:
        answer = await gateway.ask(query)
    assert "errors" not in answer
    assert answer["data"]["__schema"]["mutationType"]["name"] == "Mutation"


async def test_introspection_has_a_depth_of_its_own() -> None:
    within, beyond = (
        "{ __schema { types { fields { type { "
        + "ofType { " * (levels - 5)
        + "name"
        + " }" * levels
        for levels in (INTROSPECTION_DEPTH, INTROSPECTION_DEPTH + 1)
    )
    async with asking() as client:
        assert "errors" not in await ask(client, within)
        [error] = (await ask(client, beyond))["errors"]
    assert f"at most {INTROSPECTION_DEPTH} are allowed" in error["message"]


INWARD = "fragment f%d on Query { " + "...{" * 29 + "...f%d" + "}" * 30


@pytest.mark.parametrize(
    "text",
    [
        "{" * 2000,
        "{node" * 1000 + "}" * 1000,
        "{total(items:" + "[" * 2000,
        "query($a:" + "[" * 2000,
        "{ ...f0 } " + " ".join(f"fragment f{n} on Query {{ ...f{n + 1} }}" for n in range(49)),
        "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }",
        "{ ...f0 } " + " ".join(INWARD % (n, n + 1) for n in range(49)),
        "fragment a on Query { ...a }",
        "{" + "@a" * 2400 + "}",
        "{" + "missing " * 4000 + "}",
        "{ ...a " + "...a " * 90 + "} fragment a on Query { " + "hello " * 25 + "}",
        "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }",
    ],
)
async def test_hostile_document_gets_few_errors_that_are_its_own(text: str) -> None:
    async with asking() as client:
        answer = await ask(client, text)
    assert "data" not in answer
    assert 0 < len(answer["errors"]) <= MAX_ERRORS + 1
    codes = {error.get("extensions", {}).get("code") for error in answer["errors"]}
    assert "INTERNAL_ERROR" not in codes


async def test_document_that_takes_too_long_to_validate_is_told_why() -> None:
    async with asking() as client:
        assert "errors" not in await ask(client, "{ node { " + "name " * 700 + "} }")
        [error] = (await ask(client, "{ node { " + "name " * 900 + "} }"))["errors"]
    assert "select each field once" in error["message"]
    assert error["extensions"] == {"code": "LIMIT_EXCEEDED"}


async def test_doubling_fragments_are_counted_without_being_spread_out() -> None:
    doubling = " ".join(
        f"fragment f{n} on Node {{ a: child {{ ...f{n + 1} }} b: child {{ ...f{n + 1} }} }}"
        for n in range(12)
    )
    text = "{ node { ...f0 } } " + doubling + " fragment f12 on Node { name }"
    async with asking() as client:
        [error] = (await ask(client, text))["errors"]
    assert "It has 8,190 aliases; at most 100 are allowed" in error["message"]


def literal(value: Any) -> str:
    """A value as it stands in a document."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {literal(of)}" for name, of in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + "]"
    return json.dumps(value)


async def test_defaults_leave_room_for_literals(gateway: Gateway) -> None:
    limits = Limits.of(gateway.app.state.account.settings)
    bare = {"privacyConsent", "emailStatus", "smsStatus"}
    whole = {name: value for name, value in EVERYTHING.items() if name not in bare}
    given = literal(whole).replace('"MONDAY"', "MONDAY")
    one = f"upsertContact(dryRun: true, input: {given}) {{ status }}"
    tokens = parse("mutation {" + one + "}").token_count
    room = limits.max_tokens // tokens
    text = "mutation {\n" + "\n".join(f"  a{n}: {one}" for n in range(room - 1)) + "\n}"
    assert room > 10
    assert len(text) < limits.max_document_characters / 2
    assert "errors" not in await gateway.ask(text)


async def test_other_limits_look_at_a_known_document_again() -> None:
    query = "{ one: hello two: hello three: hello }"
    async with asking(max_aliases=3) as client:
        assert "errors" not in await ask(client, query)
    async with asking(max_aliases=2) as client:
        assert "errors" in await ask(client, query)


def test_every_validation_rule_of_strawberry_is_among_ours() -> None:
    from pathlib import Path

    import strawberry.schema.validation_rules as rules

    [folder] = rules.__path__
    names = {path.stem for path in Path(folder).glob("*.py")} - {"__init__"}
    assert names == {"maybe_null", "one_of"}
    ours = {rule.__module__.rpartition(".")[2] for rule in gateway.api.documents.RULES}
    assert names <= ours


async def test_operation_over_its_time_is_ended_and_says_so() -> None:
    async with asking(request_timeout_seconds=0.01, operation_timeout_seconds=0.05) as client:
        headers = {"Accept": "application/graphql-response+json"}
        response = await client.post("/graphql", json={"query": "{ never }"}, headers=headers)
        [error] = response.json()["errors"]
        assert response.status_code == 504
        assert error["extensions"] == {"code": "TIMED_OUT"}
        assert "0.05 seconds (GATEWAY_OPERATION_TIMEOUT_SECONDS)" in error["message"]


@pytest.mark.parametrize(
    "value", ["2147483648", "9223372036854775808", "1e400", "1.5", '"1"', "{}"]
)
async def test_value_that_is_no_int_is_a_request_error(value: str) -> None:
    body = '{"query": "query ($n: Int!) { total(items: [$n]) }", "variables": {"n": %s}}'
    headers = {"Content-Type": "application/json"}
    async with asking() as client:
        response = await client.post("/graphql", content=body % value, headers=headers)
    assert response.status_code in {200, 400}
    [error] = response.json()["errors"]
    assert error.get("extensions", {}).get("code") != "INTERNAL_ERROR"
