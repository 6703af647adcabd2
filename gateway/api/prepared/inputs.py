"""Readers of input values: JSON in, what a resolver is given out.

A reader does in one step what graphql-core's coercion and Strawberry's conversion do in two. It knows
right values only: of every other one graphql-core has something to say, so it raises UnfitError, or
whatever the type's own reading raises. Reading has no effects; the same value can be read again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from enum import Enum
from typing import TYPE_CHECKING, Any

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLID,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLString,
    Undefined,
)
from graphql.utilities.coerce_input_value import coerce_default_value
from strawberry import Some
from strawberry.relay import GlobalID
from strawberry.types.arguments import convert_argument
from strawberry.types.base import (
    StrawberryList,
    StrawberryMaybe,
    StrawberryOptional,
    has_object_definition,
)
from strawberry.types.lazy_type import LazyType

from gateway.api.prepared.refusals import NotHandledError, UnfitError

if TYPE_CHECKING:
    from graphql import GraphQLArgument, GraphQLInputField, GraphQLInputType
    from strawberry.schema.schema_converter import GraphQLCoreConverter

Reader = Callable[[Any], Any]

ABSENT: Any = object()
"""Stands where no value is given."""

_CONSTANT = (str, int, float, bool, Enum, type(None))
"""What every request may share."""


class Inputs:
    """Readers of one schema's input types; each is made once."""

    def __init__(self, converter: GraphQLCoreConverter) -> None:
        self._converter = converter
        self._objects: dict[str, Reader] = {}
        self._making: set[str] = set()

    def reader(self, type_: GraphQLInputType, wanted: Any) -> Reader:
        """The reader of a GraphQL type as the Strawberry type that was `wanted` for it.

        Raises NotHandledError for types whose reading is not known here.
        """
        if isinstance(wanted, LazyType):
            wanted = wanted.resolve_type()
        if not isinstance(type_, GraphQLNonNull):
            return self._nullable(type_, wanted)
        if isinstance(wanted, StrawberryMaybe | StrawberryOptional):
            return _required(self._nullable(type_.of_type, wanted))
        return self._value(type_.of_type, wanted)

    def leaf_reader(self, type_: GraphQLInputType) -> Reader:
        """The reader of scalars, enums and lists of them; raises NotHandledError for other types."""
        if isinstance(type_, GraphQLNonNull):
            return _required(self.leaf_reader(type_.of_type))
        if isinstance(type_, GraphQLList):
            return _or_null(_list(self.leaf_reader(type_.of_type)))
        return _or_null(self._value(type_, None))

    def default(self, given: GraphQLArgument | GraphQLInputField, wanted: Any) -> Any:
        """What is read where no value is given, or ABSENT.

        Raises NotHandledError for a default that each request would need of its own.
        """
        value = coerce_default_value(given)
        if value is Undefined:
            return ABSENT
        converter = self._converter
        value = convert_argument(value, wanted, converter.scalar_registry, converter.config)
        if not isinstance(value, _CONSTANT):
            raise NotHandledError(f"the default {value!r}")
        return value

    def _nullable(self, type_: Any, wanted: Any) -> Reader:
        if isinstance(wanted, StrawberryMaybe):
            if isinstance(wanted.of_type, StrawberryOptional):
                return _some_or_null(self._value(type_, wanted.of_type.of_type))
            return _some(self._value(type_, wanted.of_type))
        if isinstance(wanted, StrawberryOptional):
            return _or_null(self._value(type_, wanted.of_type))
        return _or_null(self._value(type_, wanted))

    def _value(self, type_: Any, wanted: Any) -> Reader:
        """The reader of values that are not null; of a null it raises."""
        if isinstance(wanted, LazyType):
            wanted = wanted.resolve_type()
        if isinstance(type_, GraphQLList) and isinstance(wanted, StrawberryList):
            return _list(self.reader(type_.of_type, wanted.of_type))
        if isinstance(type_, GraphQLInputObjectType) and has_object_definition(wanted):
            return self._object(type_, wanted)
        if isinstance(type_, GraphQLEnumType):
            return _member(type_)
        if isinstance(type_, GraphQLScalarType) and wanted is not GlobalID:
            return _SCALARS.get(type_.name) or _required(type_.coerce_input_value)
        raise NotHandledError(f"input of type {type_}")

    def _object(self, type_: GraphQLInputObjectType, wanted: Any) -> Reader:
        name = type_.name
        if name not in self._objects:
            if name in self._making:
                # graphql-core counts how deep such values nest.
                raise NotHandledError(f"{type_}, which holds itself")
            self._making.add(name)
            try:
                self._objects[name] = self._make_object(type_, wanted)
            finally:
                self._making.discard(name)
        return self._objects[name]

    def _make_object(self, type_: GraphQLInputObjectType, wanted: Any) -> Reader:
        definition = wanted.__strawberry_definition__
        if definition.from_input is not None or type_.is_one_of:
            raise NotHandledError(f"input of type {type_}")
        # As Strawberry has it: what has no default of its own is None unless it is given.
        start = {
            field.python_name: None
            for field in definition.fields
            if field.default_value is MISSING and field.default_factory is MISSING
        }
        readers: dict[str, tuple[str, Reader]] = {}
        required = []
        for field in definition.fields:
            graphql_name = self._converter.config.name_converter.from_field(field)
            described = type_.fields.get(graphql_name)
            if described is None or described.out_name is not None:
                raise NotHandledError(f"{type_}.{graphql_name}")
            kind = field.resolve_type(type_definition=definition)
            readers[graphql_name] = (field.python_name, self.reader(described.type, kind))
            default = self.default(described, kind)
            if default is not ABSENT:
                start[field.python_name] = default
            elif isinstance(described.type, GraphQLNonNull):
                required.append(graphql_name)
        if definition.is_one_of:
            return _one_of(wanted, start, readers)
        return _object(wanted, start, readers, tuple(required))


def _required(read: Reader) -> Reader:
    def read_required(value: Any) -> Any:
        if value is None:
            raise UnfitError
        return read(value)

    return read_required


def _or_null(read: Reader) -> Reader:
    return lambda value: None if value is None else read(value)


def _some(read: Reader) -> Reader:
    def read_some(value: Any) -> Some[Any]:
        if value is None:
            raise UnfitError
        return Some(read(value))

    return read_some


def _some_or_null(read: Reader) -> Reader:
    if read is _text:
        return _some_text_or_null
    return lambda value: Some(None if value is None else read(value))


def _list(read: Reader) -> Reader:
    if read is _text:
        return _texts

    def read_list(value: Any) -> list[Any]:
        if type(value) is not list:
            raise UnfitError
        return [read(item) for item in value]

    return read_list


def _text(value: Any) -> str:
    if type(value) is not str:
        raise UnfitError
    return value


def _texts(value: Any) -> list[str]:
    if type(value) is not list:
        raise UnfitError
    for item in value:
        if type(item) is not str:
            raise UnfitError
    return value.copy()


def _some_text_or_null(value: Any) -> Some[str | None]:
    """What most fields are, in one call."""
    if value is not None and type(value) is not str:
        raise UnfitError
    return Some(value)


def _boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise UnfitError
    return value


def _id(value: Any) -> str:
    if type(value) is str:
        return value
    if value is None:
        raise UnfitError
    return str(GraphQLID.coerce_input_value(value))


_SCALARS: Mapping[str, Reader] = {
    GraphQLString.name: _text,
    GraphQLBoolean.name: _boolean,
    GraphQLID.name: _id,
}
"""Quicker than the scalars' own readers, to the same effect for right values."""


def _member(type_: GraphQLEnumType) -> Reader:
    members = {name: type_.coerce_input_value(name) for name in type_.values}

    def read_member(value: Any) -> Any:
        if type(value) is not str or value not in members:
            raise UnfitError
        return members[value]

    return read_member


def _object(
    made: type[Any],
    start: Mapping[str, Any],
    readers: Mapping[str, tuple[str, Reader]],
    required: tuple[str, ...],
) -> Reader:
    blank = _blank(made, start)
    start = start if blank is None else blank

    def read_object(value: Any) -> Any:
        if type(value) is not dict:
            raise UnfitError
        for name in required:
            if name not in value:
                raise UnfitError
        values = dict(start)
        for name, given in value.items():
            python_name, read = readers[name]  # of an unknown name it raises
            values[python_name] = read(given)
        if blank is None:
            return made(**values)
        # A contact has 26 fields: to hand each over by its name takes as long as to read all.
        instance = object.__new__(made)
        instance.__dict__ = values
        return instance

    return read_object


def _blank(made: type, start: Mapping[str, Any]) -> dict[str, Any] | None:
    """What an instance holds that is made with these values and the class's own, in their order.

    None for a class that does more when it is made, or that makes or wants further values.
    """
    # Of no file is the one that dataclasses writes, which stores what it is given.
    code = getattr(vars(made).get("__init__"), "__code__", None)
    if getattr(code, "co_filename", "") != "<string>" or hasattr(made, "__post_init__"):
        return None
    values = {one.name: start.get(one.name, one.default) for one in fields(made)}
    return None if MISSING in values.values() else values


def _one_of(
    made: type[Any],
    start: Mapping[str, Any],
    readers: Mapping[str, tuple[str, Reader]],
) -> Reader:
    read_object = _object(made, start, readers, ())

    def read_one_of(value: Any) -> Any:
        if type(value) is not dict or len(value) != 1 or None in value.values():
            raise UnfitError
        return read_object(value)

    return read_one_of
