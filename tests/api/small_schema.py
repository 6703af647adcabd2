"""A schema of the tests' own: it waits, fails and streams, which the real one must not or does not yet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator  # noqa: TC003 - Strawberry reads it
from contextlib import asynccontextmanager
from typing import Any, NewType

import httpx
import strawberry
from graphql import GraphQLError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from strawberry.schema.config import StrawberryConfig

from gateway.account import opened
from gateway.api.context import Info  # noqa: TC001 - Strawberry reads it
from gateway.api.front import Front
from gateway.api.http import GRAPHQL, graphql_app, graphql_routes
from gateway.api.schema import Schema
from gateway.dev import sandbox_settings

SECRET = "the password is swordfish"


def read_even(value: Any) -> int:
    """A scalar's own reading: it refuses by ValueError, and has a fault for 13."""
    if value == 13:
        raise RuntimeError(SECRET)
    if value % 2:
        raise ValueError(f"{value} is odd")
    return int(value)


Even = NewType("Even", int)


@strawberry.input
class Tree:
    name: str = ""
    children: list[Tree] | None = None


@strawberry.type
class Node:
    name: str = "node"

    @strawberry.field
    def child(self) -> Node:
        return Node()


@strawberry.type
class Query:
    @strawberry.field
    def hello(self, name: str = "world") -> str:
        return f"Hello {name}"

    @strawberry.field
    def node(self) -> Node:
        return Node()

    @strawberry.field
    def request_id(self, info: Info) -> str:
        return info.context.request_id

    @strawberry.field
    def deadline(self, info: Info) -> float:
        return info.context.deadline

    @strawberry.field
    def total(self, items: list[int]) -> int:
        return sum(items)

    @strawberry.field
    def size(self, tree: Tree) -> str:
        return tree.name

    @strawberry.field
    def halved(self, value: Even) -> int:
        return value // 2

    @strawberry.field
    def broken(self) -> str | None:
        raise RuntimeError(SECRET)

    @strawberry.field
    def refused(self) -> str | None:
        raise GraphQLError("No such thing.", extensions={"code": "NOT_CONFIGURED"})

    @strawberry.field
    def endless_recursion(self) -> str | None:
        return Query.endless_recursion(self)  # type: ignore[arg-type, return-value]

    @strawberry.field
    def out_of_memory(self) -> str | None:
        raise MemoryError(SECRET)

    @strawberry.field
    async def never(self) -> str | None:
        await asyncio.Event().wait()
        return None


@strawberry.type
class Mutation:
    @strawberry.mutation
    def say(self, word: str) -> str:
        return word


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def count(self, to: int) -> AsyncIterator[int]:
        for number in range(1, to + 1):
            yield number

    @strawberry.subscription
    async def endless(self) -> AsyncIterator[str]:
        yield "begun"
        await asyncio.Event().wait()

    @strawberry.subscription
    async def breaks(self) -> AsyncIterator[int]:
        yield 1
        raise RuntimeError(SECRET)


EVEN = strawberry.scalar(name="Even", parse_value=read_even, serialize=int)
small_schema = Schema(
    Query,
    Mutation,
    Subscription,
    config=StrawberryConfig(scalar_map={Even: EVEN}),
)


def small_app(schema: Schema = small_schema, **settings: Any) -> Starlette:
    """The schema served as the gateway serves its own."""
    chosen = sandbox_settings("http://sandbox", **settings)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with opened(chosen) as account:
            app.state.account = account
            yield

    graphql = graphql_app(chosen, schema)
    front = Middleware(Front, routes=(GRAPHQL,), direct={GRAPHQL: graphql}, checks_hosts=False)
    return Starlette(
        lifespan=lifespan,
        middleware=[front],
        routes=graphql_routes(graphql),
    )


@asynccontextmanager
async def asking(
    schema: Schema = small_schema, **settings: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the app, in this process."""
    app = small_app(schema, **settings)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url="http://gateway"
        ) as client,
    ):
        yield client


async def ask(
    client: httpx.AsyncClient, query: str, variables: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """The answer to one operation."""
    response = await client.post("/graphql", json={"query": query, "variables": variables, **more})
    answer: dict[str, Any] = response.json()
    return answer
