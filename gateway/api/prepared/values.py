"""Arguments as a document writes them: literals and variables, brought into the form of JSON.

A variable may be read by the type of the place it stands at, because validation has made sure that
its own type is that one, or a stricter one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from graphql import (
    BooleanValueNode,
    EnumValueNode,
    FloatValueNode,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLFloat,
    GraphQLID,
    GraphQLInputObjectType,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLString,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    StringValueNode,
    VariableNode,
)

from gateway.api.prepared.inputs import ABSENT
from gateway.api.prepared.refusals import NotHandledError

if TYPE_CHECKING:
    from graphql import GraphQLInputType, ValueNode

Variables = Mapping[str, Any]
"""Their values as they were sent, defaults filled in; a variable without a value is missing."""

Source = Callable[[Variables, Sequence[Any]], Any]
"""Gives a value as JSON has it, or ABSENT, from the variables and the lifted literals."""

Slots = Mapping[int, int]
"""Which literals are lifted: where one begins in the document, and its place among the lifted."""


def source_of(node: ValueNode, type_: GraphQLInputType, slots: Slots) -> Source:
    """What gives the value of a node that stands at a place of this type.

    Raises NotHandledError for literals of scalars that read literals in a way of their own.
    """
    if isinstance(node, VariableNode):
        name = node.name.value
        return lambda variables, _literals: variables.get(name, ABSENT)
    if isinstance(type_, GraphQLNonNull):
        type_ = type_.of_type
    if isinstance(node, NullValueNode):
        return lambda _variables, _literals: None
    if isinstance(node, ListValueNode) and isinstance(type_, GraphQLList):
        return _list([source_of(item, type_.of_type, slots) for item in node.values])
    if isinstance(node, ObjectValueNode) and isinstance(type_, GraphQLInputObjectType):
        fields = type_.fields
        return _object(
            [
                (item.name.value, source_of(item.value, fields[item.name.value].type, slots))
                for item in node.fields
            ]
        )
    return _leaf(node, type_, slots)


def variables_in(
    node: ValueNode, type_: GraphQLInputType
) -> Iterator[tuple[str, GraphQLInputType]]:
    """The variables of a node that stands at a place of this type, with the types of their places."""
    if isinstance(node, VariableNode):
        yield node.name.value, type_
        return
    if isinstance(type_, GraphQLNonNull):
        type_ = type_.of_type
    if isinstance(node, ListValueNode) and isinstance(type_, GraphQLList):
        for item in node.values:
            yield from variables_in(item, type_.of_type)
    if isinstance(node, ObjectValueNode) and isinstance(type_, GraphQLInputObjectType):
        for given in node.fields:
            yield from variables_in(given.value, type_.fields[given.name.value].type)


def _list(items: list[Source]) -> Source:
    def value(variables: Variables, literals: Sequence[Any]) -> list[Any]:
        given = [item(variables, literals) for item in items]
        return [None if item is ABSENT else item for item in given] if ABSENT in given else given

    return value


def _object(fields: list[tuple[str, Source]]) -> Source:
    def value(variables: Variables, literals: Sequence[Any]) -> dict[str, Any]:
        return {
            name: given
            for name, source in fields
            if (given := source(variables, literals)) is not ABSENT
        }

    return value


def _leaf(node: ValueNode, type_: GraphQLInputType, slots: Slots) -> Source:
    if isinstance(node, BooleanValueNode) and type_ is GraphQLBoolean:
        return _constant(node.value)
    if isinstance(node, EnumValueNode) and isinstance(type_, GraphQLEnumType):
        return _constant(node.value)
    kind = kind_of_literal(node, type_)
    if kind is None or not isinstance(node, StringValueNode | IntValueNode | FloatValueNode):
        raise NotHandledError(f"a literal of type {type_}")
    slot = slots.get(node.loc.start) if node.loc else None
    if slot is None:
        return _constant(kind(node.value))
    place = slot
    if kind is str:
        return lambda _variables, literals: literals[place]
    return lambda _variables, literals: kind(literals[place])


def _constant(value: Any) -> Source:
    return lambda _variables, _literals: value


_READ_AS_INT: Mapping[str, Callable[[str], Any]] = {
    GraphQLInt.name: int,
    GraphQLID.name: str,
    GraphQLFloat.name: float,
}


def kind_of_literal(node: ValueNode, type_: GraphQLInputType | None) -> Callable[[str], Any] | None:
    """How the text of a literal is read at a place of this type; None where that is not known."""
    if isinstance(type_, GraphQLNonNull):
        type_ = type_.of_type
    if isinstance(node, StringValueNode) and type_ in {GraphQLString, GraphQLID}:
        return str
    if isinstance(node, IntValueNode):
        return _READ_AS_INT.get(getattr(type_, "name", ""))
    if isinstance(node, FloatValueNode) and type_ is GraphQLFloat:
        return float
    return None
