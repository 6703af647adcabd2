"""The variables of an operation: whether graphql-core would take their values as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphql import GraphQLNonNull, GraphQLSchema, OperationDefinitionNode, type_from_ast

from gateway.api.prepared.inputs import ABSENT, Inputs, Reader
from gateway.api.prepared.refusals import NotHandledError, UnfitError
from gateway.api.prepared.values import Variables, source_of

if TYPE_CHECKING:
    from graphql import GraphQLInputType


@dataclass(frozen=True, kw_only=True, slots=True)
class Variable:
    """One variable of an operation."""

    name: str
    required: bool
    default: Any
    """As JSON has it, or ABSENT."""
    check: Reader | None
    """Absent where the variable is read at its place, by its own type."""


def variables_of(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    places: Mapping[str, Sequence[GraphQLInputType]],
    inputs: Inputs,
) -> list[Variable]:
    """The variables; `places` are the types of those places where each is always read.

    Raises NotHandledError for a variable that is not read at a place of its own type, and that is of a
    type of which only the place says how to read it.
    """
    made = []
    for node in operation.variable_definitions or ():
        name, type_ = node.variable.name.value, _type(schema, node.type)
        default = ABSENT
        if node.default_value is not None:
            default = source_of(node.default_value, type_, {})({}, ())
        is_read = _is_read(type_, places.get(name, ()))
        made.append(
            Variable(
                name=name,
                required=isinstance(type_, GraphQLNonNull),
                default=default,
                check=None if is_read else inputs.leaf_reader(type_),
            )
        )
    return made


def _type(schema: GraphQLSchema, node: Any) -> GraphQLInputType:
    found: GraphQLInputType | None = type_from_ast(schema, node)
    if found is None:
        raise NotHandledError("an unknown type")
    return found


def _is_read(type_: GraphQLInputType, places: Sequence[GraphQLInputType]) -> bool:
    """Whether reading at one of the places is reading by the variable's own type.

    A null where there must be none is looked for apart from that.
    """
    wanted = str(type_).removesuffix("!")
    return any(str(place).removesuffix("!") == wanted for place in places)


def given(variables: Sequence[Variable], sent: Mapping[str, Any]) -> Variables:
    """The values, defaults filled in; raises UnfitError or the like for one that is not right."""
    values: dict[str, Any] = {}
    for variable in variables:
        value = sent.get(variable.name, variable.default)
        if value is ABSENT:
            if variable.required:
                raise UnfitError
            continue
        if value is None and variable.required:
            raise UnfitError
        if variable.check is not None:
            variable.check(value)
        values[variable.name] = value
    return values
