"""Inputs and receipts as JSON and back, for what is stored and read again later.

Fields stand under their names in code, and what is absent is left out, so that absent, null and a
value stay apart. Read back, a field that this version does not know is passed over, and one that
an older version did not store has its default: a class may gain fields without a new payload
version. A field that is renamed or changes its meaning needs one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Any,
    TypeAlias,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from strawberry import Maybe, Some

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

T = TypeVar("T")

Translate: TypeAlias = Callable[[Any], Any]
"""Makes one value of another. What it does for a class is found out once: a bulk has thousands."""


def to_stored(value: Any) -> Any:
    """The JSON value of an input, a receipt or a part of one."""
    return _writer(cast("Hashable", type(value)))(value)


def from_stored(kind: type[T], stored: Mapping[str, Any]) -> T:
    """The object of a stored value.

    Raises ValueError when a field without default is missing or an enum has lost a member.
    """
    readers = _readers(cast("Hashable", kind))
    known = {name: read(stored[name]) for name, read in readers.items() if name in stored}
    try:
        return kind(**known)
    except TypeError as error:
        raise ValueError(f"what was stored is no {kind.__name__}: {error}") from error


@cache
def _writer(kind: Any) -> Translate:
    if issubclass(kind, Some):
        return lambda some: to_stored(some.value)
    if issubclass(kind, Enum):
        return lambda member: member.value
    if is_dataclass(kind):
        return _class_writer(kind)
    if issubclass(kind, dict):
        return lambda items: {str(key): to_stored(item) for key, item in items.items()}
    if issubclass(kind, list | tuple):
        return lambda items: [to_stored(item) for item in items]
    return _as_it_is


def _class_writer(kind: Any) -> Translate:
    kinds = get_type_hints(kind)
    held = [(field.name, get_origin(kinds[field.name]) is Maybe) for field in fields(kind)]

    def write(value: Any) -> dict[str, Any]:
        return {
            name: to_stored(content)
            for name, may_be_absent in held
            if not ((content := getattr(value, name)) is None and may_be_absent)
        }

    return write


@cache
def _readers(kind: Any) -> dict[str, Translate]:
    kinds = get_type_hints(kind)
    return {field.name: _reader(kinds[field.name]) for field in fields(kind)}


@cache
def _reader(kind: Any) -> Translate:
    if get_origin(kind) is Maybe:
        read = _reader(get_args(kind)[0])
        return lambda value: Some(read(value))
    if get_origin(kind) in {Union, UnionType}:
        [kind] = [part for part in get_args(kind) if part is not NoneType]
        return _reader(kind)
    if get_origin(kind) is list:
        read = _reader(get_args(kind)[0])
        return lambda items: None if items is None else [read(item) for item in items]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return lambda value: None if value is None else kind(value)
    if isinstance(kind, type) and is_dataclass(kind):
        return lambda value: None if value is None else from_stored(kind, value)
    return _as_it_is


def _as_it_is(value: Any) -> Any:
    return value
