"""What the real schema does seldom or never: prepared and by graphql-core the answers are equal."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
import strawberry
from graphql import GraphQLError
from strawberry import Maybe
from strawberry.extensions import FieldExtension
from strawberry.permission import BasePermission
from structlog.testing import capture_logs

from gateway.api.context import Info  # noqa: TC001 - Strawberry reads it
from gateway.api.prepared import Running
from gateway.api.schema import Schema
from tests.api.small_schema import SECRET, asking

if TYPE_CHECKING:
    from collections.abc import Callable


class Shouts(FieldExtension):
    """Changes what the resolver gives."""

    async def resolve_async(
        self, next_: Callable[..., Any], source: Any, info: Any, **kwargs: Any
    ) -> Any:
        return f"{await next_(source, info, **kwargs)}!"


class Never(BasePermission):
    message = "Not for you."

    def has_permission(self, source: Any, info: Any, **kwargs: Any) -> bool:  # noqa: ARG002
        return False


@strawberry.input
class Filter:
    name: str = "any"
    first: int
    tags: list[str] = strawberry.field(default_factory=lambda: ["a"])
    note: Maybe[str | None]
    must: Maybe[str]


@strawberry.input
class Plain:
    """As Filter, without what keeps it from being prepared: a default that is a list."""

    name: str = "any"
    first: int
    tags: list[str] | None = None
    note: Maybe[str | None]
    must: Maybe[str]


@strawberry.input
class Chain:
    name: str | None = None
    next: Chain | None = None


@strawberry.input(one_of=True)
class Which:
    number: Maybe[int]
    text: Maybe[str]


@strawberry.type
class Leaf:
    name: str
    size: int | None = None
    weight: float = 1.0

    @strawberry.field
    async def slow(self, times: int = 1) -> str:
        await asyncio.sleep(0)
        if self.name == "fails":
            raise RuntimeError(SECRET)
        return self.name * times

    @strawberry.field
    def perhaps(self) -> str | None:
        raise GraphQLError("No such thing.", extensions={"code": "NOT_CONFIGURED"})


async def shout(info: Info, word: str) -> str:
    return word + info.field_name


async def forbid(word: str = "x") -> str | None:
    return word


@strawberry.type
class Query:
    @strawberry.field
    async def leaf(self, name: str = "leaf") -> Leaf:
        if name == "raises":
            raise RuntimeError(SECRET)
        return Leaf(name=name, weight=float("inf") if name == "heavy" else 1.5)

    @strawberry.field
    async def maybe_leaf(self, name: str = "leaf") -> Leaf | None:
        if name == "raises":
            raise GraphQLError("No leaf.")
        return None if name == "none" else Leaf(name=name)

    @strawberry.field
    async def leaves(self, names: list[str | None]) -> list[Leaf]:
        odd: dict[str | None, Any] = {None: None, "error": RuntimeError(SECRET), "text": "text"}
        return [odd[name] if name in odd else Leaf(name=str(name)) for name in names]

    @strawberry.field
    async def filtered(self, by: Filter) -> str:
        return repr(by)

    @strawberry.field
    async def plain(self, by: Plain) -> str:
        return repr(by)

    @strawberry.field
    async def chained(self, by: Chain) -> str:
        return repr(by)

    @strawberry.field
    async def which(self, by: Which | None = None, number: Maybe[int] = None) -> str:
        return repr((by, number))

    @strawberry.field
    async def told(self, info: Info, of: str = "path") -> str:
        """What a resolver may ask of its field."""
        told = {
            "path": info.path.as_list(),
            "name": info.field_name,
            "python": info.python_name,
            "variables": info.variable_values,
            "selected": info.selected_fields,
            "operation": info.operation.operation.value,
            "query": info.query,
            "context": type(info.context).__name__,
            "root": info.root_value,
        }
        return repr(told[of])

    shouted: str = strawberry.field(resolver=shout, extensions=[Shouts()])
    forbidden: str | None = strawberry.field(resolver=forbid, permission_classes=[Never])

    @strawberry.field
    async def waits(self) -> str | None:
        await asyncio.Event().wait()
        return None


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def add(self, info: Info, number: int) -> int:
        """Fails for 13; is slower the smaller the number is."""
        for _ in range(20 - number):
            await asyncio.sleep(0)
        if number == 13:
            raise GraphQLError("Bad luck.")
        done = info.context.__dict__.setdefault("done", [])
        done.append(number)
        return len(done)

    @strawberry.mutation
    async def try_to_add(self, number: int) -> int | None:
        return number if number < 2**31 else None


schema = Schema(Query, Mutation)

OPERATIONS: list[tuple[str, dict[str, Any] | None]] = [
    ("{ leaf { name size weight slow perhaps } }", None),
    ('{ leaf(name: "raises") { name } maybeLeaf { name } }', None),
    ('{ maybeLeaf(name: "raises") { name } leaf { name } }', None),
    ('{ maybeLeaf(name: "none") { name slow } }', None),
    ('{ leaf(name: "heavy") { name weight } }', None),
    ('{ maybeLeaf(name: "fails") { name slow perhaps } leaf { perhaps } }', None),
    ('{ leaf(name: "fails") { name slow } waits }', None),
    ('{ leaves(names: ["a", null]) { name } }', None),
    ('{ leaves(names: ["a", "fails"]) { name slow(times: 2) } }', None),
    ('{ leaves(names: ["a", "error"]) { __typename } }', None),
    ('{ leaves(names: ["text"]) { __typename } b: leaves(names: ["text"]) { name } }', None),
    ('query ($n: String) { leaves(names: [$n, "x"]) { name } }', {}),
    ('query ($n: String = "y") { leaves(names: [$n, "x"]) { name } }', {}),
    ("query ($n: Int!) { leaf { slow(times: $n) } }", {"n": "x"}),
    ("query ($n: Int) { leaf { name slow(times: $n) } }", {"n": None}),
    ("query ($n: Int) { leaf { name slow(times: $n) } }", {}),
    ("query ($t: String!) { filtered(by: {first: 1, note: $t}) }", {"t": None}),
    ("query ($n: [String]!) { leaves(names: $n) { name } }", {"n": ["a", "b"]}),
    ("query ($n: [String!]!) { leaves(names: $n) { name } }", {"n": ["a", None]}),
    ("query ($n: [String]!) { leaves(names: $n) { name } }", {"n": "a"}),
    ("query ($by: Filter!) { filtered(by: $by) }", {"by": {"first": 1}}),
    ("query ($by: Filter!) { filtered(by: $by) }", {"by": {"first": 1.0, "note": None}}),
    ("query ($by: Filter!) { filtered(by: $by) }", {"by": {"first": 1, "must": None}}),
    ("query ($by: Filter!) { filtered(by: $by) }", {"by": {"first": 2**31}}),
    ("query ($by: Filter!) { filtered(by: $by) }", {"by": {"note": "x", "tags": "b"}}),
    ('{ filtered(by: {first: 1, note: null, tags: []}) b: filtered(by: {first: "1"}) }', None),
    ("query ($n: Int) { filtered(by: {first: $n}) }", {}),
    ("query ($n: Int = 3) { filtered(by: {first: $n}) }", {"n": None}),
    ("query ($n: Int! = 3, $t: String) { filtered(by: {first: $n, note: $t, tags: [$t]}) }", {}),
    (
        "query ($n: Int! = 3, $t: String!) { filtered(by: {first: $n, note: $t, tags: [$t]}) }",
        {"t": "x"},
    ),
    ("query ($by: Chain!) { chained(by: $by) }", {"by": {"next": {"next": {"name": "x"}}}}),
    ("query ($by: Which) { which(by: $by) }", {"by": {"number": 1}}),
    ("query ($by: Which) { which(by: $by) }", {"by": {"number": None}}),
    ("query ($by: Which) { which(by: $by) }", {"by": {"number": 1, "text": "x"}}),
    ("query ($by: Which) { which(by: $by) }", {"by": {}}),
    ("query ($by: Which) { which(by: $by) }", None),
    ("query ($n: Int) { which(number: $n) }", {"n": None}),
    ("query ($n: Int) { which(number: $n) }", {"n": 5}),
    ("query ($n: Int) { which(number: $n) }", {}),
    ("{ which(number: null) }", None),
    ("{ which(by: null) }", None),
    *[(f'{{ a: told(of: "{of}") }}', None) for of in ("path", "name", "python", "selected")],
    *[(f'{{ told(of: "{of}") }}', None) for of in ("operation", "query", "context", "root")],
    ('query ($x: String = "variables") { told(of: $x) }', None),
    ('{ told(of: "none") }', None),
    ("query ($w: String!) { shouted(word: $w) forbidden }", {"w": "hey"}),
    ("mutation { a: add(number: 1) b: add(number: 9) c: add(number: 5) }", None),
    ("mutation { a: add(number: 1) b: add(number: 13) c: add(number: 5) }", None),
    ("mutation ($n: Int!) { tryToAdd(number: $n) __typename }", {"n": 2**31}),
    ("mutation ($n: Int!) { tryToAdd(number: $n) kind: __typename }", {"n": 7}),
    ("query ($s: Boolean!) { leaf @skip(if: $s) { name } leaf { size } }", {"s": True}),
    ("query ($s: Boolean!) { leaf { name @include(if: $s) } }", {"s": False}),
    ("query ($s: Boolean!) { leaf @skip(if: $s) { name } }", {"s": True}),
    ("query ($s: Boolean!) { leaf @skip(if: $s) { name } }", {"s": 1}),
    ("query ($s: Boolean = true) { leaf { name @skip(if: $s) size } }", {"s": None}),
    ("{ ...F } fragment F on Query { leaf { ...L ...L } } fragment L on Leaf { name }", None),
    ("query A { leaf { name } } query B($n: Int) { which(number: $n) }", {"n": 1}),
    ("{ __schema { queryType { name } } leaf { name } }", None),
    ("query @unknown { leaf { name } }", None),
]


OPERATIONS += [
    (query.replace("filtered", "plain").replace("Filter", "Plain"), variables)
    for query, variables in OPERATIONS
    if "filtered" in query
]


@pytest.mark.parametrize(("query", "variables"), OPERATIONS)
async def test_answers_are_equal(query: str, variables: dict[str, Any] | None) -> None:
    answers, logs = [], []
    for prepared in (True, False):
        async with asking(schema, prepared_operations=prepared) as client:
            with capture_logs() as logged:
                answers.append(
                    await client.post(
                        "/graphql",
                        json={"query": query, "variables": variables, "operationName": None},
                        headers={"X-Request-Id": "r-1"},
                    )
                )
            logs.append([(log["event"], repr(log.get("exc_info"))) for log in logged])
    own, core = answers
    assert own.text == core.text
    assert own.status_code == core.status_code
    assert logs[0] == logs[1]


async def test_what_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[Running] = []
    run = Running.run

    async def seen(self: Running) -> Any:
        runs.append(self)
        return await run(self)

    monkeypatch.setattr(Running, "run", seen)
    async with asking(
        schema, request_timeout_seconds=0.005, operation_timeout_seconds=0.01
    ) as client:
        answer = await client.post("/graphql", json={"query": "{ waits }"})
    assert answer.json()["errors"][0]["extensions"]["code"] == "TIMED_OUT"
    assert runs
