"""schema.graphql is what the code says, and a compatible superset of the agreed API."""

from __future__ import annotations

from pathlib import Path

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
)

from gateway.api.schema import schema

ROOT = Path(__file__).parents[1]


def agreed() -> GraphQLSchema:
    return build_schema((ROOT / "tests" / "api.graphql").read_text())


def served() -> GraphQLSchema:
    return build_schema(schema.as_str())


def members(schema_: GraphQLSchema) -> dict[str, str]:
    """Every type, field, argument, input field and enum value, with its type."""
    found: dict[str, str] = {}
    for name, kind in schema_.type_map.items():
        if name.startswith("__") or name in {"String", "Int", "Float", "Boolean", "ID"}:
            continue
        found[name] = type(kind).__name__
        if isinstance(kind, GraphQLEnumType):
            found.update({f"{name}.{value}": "value" for value in kind.values})
        elif isinstance(kind, GraphQLObjectType):
            for field_name, field in kind.fields.items():
                found[f"{name}.{field_name}"] = str(field.type)
                for argument, details in field.args.items():
                    found[f"{name}.{field_name}({argument})"] = typed(details)
        elif isinstance(kind, GraphQLInputObjectType):
            for field_name, details in kind.fields.items():
                found[f"{name}.{field_name}"] = typed(details)
    return found


def typed(details: GraphQLArgument | GraphQLInputField) -> str:
    """Type and default, both of which callers rely on."""
    node = details.ast_node
    default = node.default_value if node else None
    return f"{details.type}" + (
        f" = {default.loc.source.body[default.loc.start : default.loc.end]}"
        if default and default.loc
        else ""
    )


def test_the_schema_is_a_compatible_superset_of_the_agreed_api() -> None:
    present = members(served())
    wrong = {
        name: (expected, present.get(name, "missing"))
        for name, expected in members(agreed()).items()
        if present.get(name) != expected
    }
    assert not wrong


def test_schema_graphql_is_up_to_date() -> None:
    assert (ROOT / "schema.graphql").read_text() == schema.as_str() + "\n", "run: make schema"


def test_everything_in_the_schema_has_a_description() -> None:
    silent = []
    for name, kind in served().type_map.items():
        if name.startswith("__") or name in {"String", "Int", "Float", "Boolean", "ID"}:
            continue
        if not kind.description:
            silent.append(name)
        if isinstance(kind, GraphQLEnumType):
            silent += [f"{name}.{v}" for v, value in kind.values.items() if not value.description]
        elif isinstance(kind, GraphQLObjectType | GraphQLInputObjectType):
            fields: dict[str, GraphQLField] | dict[str, GraphQLInputField] = kind.fields
            silent += [f"{name}.{f}" for f, details in fields.items() if not details.description]
        if isinstance(kind, GraphQLObjectType):
            silent += [
                f"{name}.{field_name}({argument})"
                for field_name, field in kind.fields.items()
                for argument, details in field.args.items()
                if not details.description
            ]
    assert not silent


def test_scalars_promise_what_was_agreed() -> None:
    now = served().type_map
    for name in ("DateTime", "JSON"):
        assert now[name].description == agreed().type_map[name].description
