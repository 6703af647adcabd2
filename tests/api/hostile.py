"""Requests as nobody should send them: operations written from the schema, right and wrong, values of
every shape in the variables, mangled texts, and bodies that are no requests at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    build_schema,
    is_required_argument,
    is_required_input_field,
    print_type,
)
from hypothesis import strategies as st
from hypothesis_graphql import Mode, from_schema

from gateway.api.schema import schema

if TYPE_CHECKING:
    from graphql import GraphQLField, GraphQLInputType

SERVED: GraphQLSchema = build_schema(schema.as_str())

NASTY_TEXTS = st.sampled_from(
    [
        "",
        " ",
        "\x00",
        "\u202e",
        "\ufeff",
        "\U0010ffff",
        "\U0001d4b3" * 300,
        "a" * 70_000,
        "%00",
        "../../etc/passwd",
        "' OR 1=1 --",
        "${jndi:ldap://x}",
        "{{7*7}}",
        "=cmd()",
        "a\r\nX-Header: b",
        "a/b?c#d",
        "1e999",
        "-0",
        "9" * 400,
        "2024-02-30",
        "+44 7700 900123",
        "ada@example.com",
        "E-1001",
        "Newsletter",
        "GB",
        "CLEAR",
        "null",
    ]
)
TEXTS = st.text(max_size=40) | NASTY_TEXTS
NUMBERS = (
    st.integers(-(2**70), 2**70)
    | st.integers(-3, 3)
    | st.floats(allow_nan=False, allow_infinity=False)
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def value_of(type_: GraphQLInputType, levels: int = 4) -> st.SearchStrategy[Any]:
    """A value of a type, now and then not of it."""
    if isinstance(type_, GraphQLNonNull):
        return _fitting(type_.of_type, levels)
    return st.integers(0, 4).flatmap(
        lambda luck: st.none() if luck == 0 else _fitting(type_, levels)
    )


def _fitting(type_: Any, levels: int) -> st.SearchStrategy[Any]:
    fitting: st.SearchStrategy[Any]
    if isinstance(type_, GraphQLList):
        fitting = st.lists(value_of(type_.of_type, levels), max_size=3)
    elif isinstance(type_, GraphQLEnumType):
        fitting = st.sampled_from(sorted(type_.values))
    elif isinstance(type_, GraphQLInputObjectType):
        if levels == 0:
            return st.just({})
        fitting = st.deferred(lambda: _object(type_, levels - 1))
    else:
        fitting = {"Int": st.integers(-(2**31), 2**31 - 1), "Boolean": st.booleans()}.get(
            type_.name, TEXTS
        )
    # Mostly as the type wants it: else nothing would come past the reading of the variables.
    return st.integers(0, 30).flatmap(lambda luck: ANYTHING if luck == 30 else fitting)


@st.composite
def _object(draw: st.DrawFn, type_: GraphQLInputObjectType, levels: int) -> dict[str, Any]:
    required = [name for name, field in type_.fields.items() if is_required_input_field(field)]
    names = draw(st.sets(st.sampled_from(sorted(type_.fields)), max_size=6)) | set(required)
    value = {name: draw(value_of(type_.fields[name].type, levels)) for name in sorted(names)}
    if draw(st.integers(0, 40)) == 40:
        value[draw(TEXTS)] = draw(ANYTHING)
    return value


def _selection(field: GraphQLField, levels: int = 5) -> str:
    """Every field below, so that everything that is made is also read."""
    type_: Any = field.type
    while hasattr(type_, "of_type"):
        type_ = type_.of_type
    if not hasattr(type_, "fields") or levels == 0:
        return "{ __typename }" if hasattr(type_, "fields") else ""
    inner = " ".join(
        f"{name} {_selection(below, levels - 1)}"
        for name, below in type_.fields.items()
        if not any(is_required_argument(argument) for argument in below.args.values())
    )
    return f"{{ __typename {inner} }}"


@st.composite
def operations_with_variables(draw: st.DrawFn) -> dict[str, Any]:
    """One field of the schema with arguments by variables, and everything below it selected."""
    kind = draw(st.sampled_from(["query", "mutation", "mutation"]))
    root = SERVED.mutation_type if kind == "mutation" else SERVED.query_type
    assert root is not None
    name = draw(st.sampled_from(sorted(root.fields)))
    field = root.fields[name]
    given = [
        argument
        for argument, details in sorted(field.args.items())
        if is_required_argument(details) or draw(st.booleans())
    ]
    declared = ", ".join(f"${argument}: {field.args[argument].type}" for argument in given)
    passed = ", ".join(f"{argument}: ${argument}" for argument in given)
    text = f"{name}{f'({passed})' if given else ''} {_selection(field)}"
    variables = {argument: draw(value_of(field.args[argument].type)) for argument in given}
    return {
        "query": f"{kind}{f'({declared})' if given else ''} {{ {text} }}",
        "variables": variables,
    }


@st.composite
def mangled(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> dict[str, Any]:
    """A document with something put into it, or cut out of it."""
    text = draw(texts)
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(len(text), start + 20)))
    put = draw(
        st.sampled_from(["", "{", "}", "...a", "@skip", "$x", '"', "#", "\x00", "é", "null"])
    )
    return {"query": text[:start] + put + text[end:]}


def _encodable(value: Any) -> bool:
    try:
        orjson.dumps(value)
    except TypeError:  # lone surrogates, and integers beyond 64 bits
        return False
    return True


RIGHT = from_schema(SERVED, mode=Mode.POSITIVE)
WRONG = from_schema(SERVED, mode=Mode.NEGATIVE)

_REQUESTS = st.one_of(
    operations_with_variables(),
    operations_with_variables(),
    st.builds(lambda text: {"query": text}, RIGHT),
    st.builds(lambda text: {"query": text}, WRONG),
    mangled(RIGHT),
    st.fixed_dictionaries(
        {},
        optional={
            name: ANYTHING | st.just("{ __typename }")
            for name in ("query", "variables", "operationName", "extensions", "documentId")
        },
    ),
)


class Body(bytes):
    """A body that is shown shortened: hypothesis does not like to show long ones."""

    __slots__ = ()

    def __repr__(self) -> str:
        shown = bytes.__repr__(self[:4000])
        return f"Body({shown}{'' if len(self) <= 4000 else f', of {len(self)} bytes'})"


REQUESTS = (_REQUESTS.filter(_encodable).map(orjson.dumps) | st.binary(max_size=60)).map(Body)

assert "upsertContact" in print_type(SERVED.type_map["Mutation"])
