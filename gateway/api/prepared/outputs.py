"""Writers of results: what a resolver gave in, the data of the answer out.

A writer is made for a type and the fields selected of it where all of these are plain attributes. It
knows good results only: for any other one it raises, and graphql-core completes the result instead,
errors and nulls included. That is possible because reading attributes has no effects.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from operator import attrgetter
from typing import TYPE_CHECKING, Any, cast

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLID,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLString,
    Undefined,
)
from strawberry.schema.schema_converter import CustomGraphQLEnumType, GraphQLCoreConverter

from gateway.api.prepared.refusals import NotHandledError, UnfitError

if TYPE_CHECKING:
    from graphql import GraphQLField, GraphQLOutputType
    from graphql.execution.collect_fields import FieldDetailsList
    from strawberry.types.field import StrawberryField

    from gateway.api.prepared.selections import Selections

Writer = Callable[[Any], Any]

TYPENAME = "__typename"


def strawberry_field(field: GraphQLField) -> StrawberryField:
    """Strawberry's side of a field; raises NotHandledError for a field that it did not make."""
    found: StrawberryField | None = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    if found is None:
        raise NotHandledError("a field that Strawberry did not make")
    return found


def writer_of(
    type_: GraphQLOutputType, details: FieldDetailsList, selections: Selections
) -> Writer:
    """The writer of a field's results; raises NotHandledError where something selected is not plain."""
    if isinstance(type_, GraphQLNonNull):
        return _value(type_.of_type, details, selections)
    return _or_null(_value(type_, details, selections))


def partial_writer_of(
    type_: GraphQLOutputType, details: FieldDetailsList, selections: Selections
) -> tuple[Writer, tuple[str, ...]]:
    """The writer of a field's results, and what it leaves null for graphql-core to fill in.

    Those are fields of the object that the results are, by their names in the answer. Raises
    NotHandledError for results of other types that are not plain.
    """
    inner = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    if not isinstance(inner, GraphQLObjectType):
        return writer_of(type_, details, selections), ()
    left: list[str] = []
    write = _object(inner, details, selections, left)
    return (write if inner is not type_ else _or_null(write)), tuple(left)


def _or_null(write: Writer) -> Writer:
    return lambda value: None if value is None else write(value)


def _value(type_: Any, details: FieldDetailsList, selections: Selections) -> Writer:
    """The writer of results that are not null."""
    if isinstance(type_, GraphQLList):
        return _list(writer_of(type_.of_type, details, selections))
    if isinstance(type_, GraphQLObjectType):
        return _object(type_, details, selections)
    if isinstance(type_, GraphQLEnumType | GraphQLScalarType):
        return _leaf(type_)
    raise NotHandledError(f"results of type {type_}")


def _list(write: Writer) -> Writer:
    def write_list(value: Any) -> list[Any]:
        if type(value) is not list:
            raise UnfitError
        return [write(item) for item in value] if value else []

    return write_list


def _object(
    type_: GraphQLObjectType,
    details: FieldDetailsList,
    selections: Selections,
    left: list[str] | None = None,
) -> Writer:
    """The writer of an object; names of fields that are not plain go to `left`, where it is given."""
    if type_.is_type_of is not None:
        raise NotHandledError(f"results of type {type_}")
    names: list[str] = []
    attributes: list[str] = []
    writers: list[Writer] = []
    for name, below in selections.below(type_, details).items():
        asked = below[0].node.name.value
        names.append(name)
        if asked == TYPENAME:
            attributes.append("__class__")
            writers.append(_constant(type_.name))
            continue
        field = type_.fields[asked]
        try:
            attribute, write = _attribute(field), writer_of(field.type, below, selections)
        except NotHandledError:
            if left is None:
                raise
            left.append(name)
            attribute, write = "__class__", _constant(None)
        attributes.append(attribute)
        writers.append(write)
    expected: type = type_.extensions[GraphQLCoreConverter.DEFINITION_BACKREF].origin
    return _fields(expected, names, attributes, writers)


def _attribute(field: GraphQLField) -> str:
    """The attribute that a field shows; raises NotHandledError for one that has more to do."""
    made_by = strawberry_field(field)
    if not made_by.is_basic_field or made_by.default_resolver is not getattr:
        raise NotHandledError(f"{made_by.python_name} is not a plain attribute")
    return made_by.python_name


def _fields(
    expected: type, names: list[str], attributes: list[str], writers: list[Writer]
) -> Writer:
    several = attrgetter("__class__", *attributes)  # always several, of which the first is known
    pairs = list(zip(names, writers, strict=True))

    def write_fields(value: Any) -> dict[str, Any]:
        kind, *given = several(value)
        if kind is not expected:
            raise UnfitError
        return {name: write(item) for (name, write), item in zip(pairs, given, strict=True)}

    return write_fields


def _constant(value: str | None) -> Writer:
    return lambda _given: value


def _leaf(type_: GraphQLEnumType | GraphQLScalarType) -> Writer:
    if isinstance(type_, CustomGraphQLEnumType):
        return _member(type_)
    if type_ is GraphQLString or type_ is GraphQLID:
        return _text(type_)
    if type_ is GraphQLBoolean:
        return _boolean(type_)
    return _checked(type_)


def _checked(type_: GraphQLEnumType | GraphQLScalarType) -> Writer:
    """As graphql-core completes a leaf."""

    def write_leaf(value: Any) -> Any:
        if isinstance(value, Exception) or value is Undefined or hasattr(value, "__await__"):
            raise UnfitError
        written = type_.coerce_output_value(value)
        if written is None or written is Undefined:
            raise UnfitError
        return written

    return write_leaf


def _text(type_: GraphQLScalarType) -> Writer:
    otherwise = _checked(type_)
    return lambda value: value if type(value) is str else otherwise(value)


def _boolean(type_: GraphQLScalarType) -> Writer:
    otherwise = _checked(type_)
    return lambda value: value if type(value) is bool else otherwise(value)


def _member(type_: CustomGraphQLEnumType) -> Writer:
    otherwise = _checked(type_)
    members = cast("type[Enum]", type_.wrapped_cls)
    # By what is a plain text: Enum's own hashing is Python code.
    name_of = attrgetter("_name_")
    names = {name_of(member): type_.coerce_output_value(member) for member in members}

    def write_member(value: Any) -> Any:
        return names[name_of(value)] if type(value) is members else otherwise(value)

    return write_member
