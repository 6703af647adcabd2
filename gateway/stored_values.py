"""Inputs and receipts as JSON and back, for what is stored and read again later.

Fields stand under their names in code, and what is absent is left out, so that absent, null and a
value stay apart. Read back, a field that this version does not know is passed over, and one that
an older version did not store has its default: a class may gain fields without a new payload
version. A field that is renamed or changes its meaning needs one.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from strawberry import Maybe, Some

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

T = TypeVar("T")


def to_stored(value: Any) -> Any:
    """The JSON value of an input, a receipt or a part of one."""
    if isinstance(value, Some):
        return to_stored(value.value)
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        held = ((field, getattr(value, field.name)) for field in fields(value))
        kinds = _kinds(cast("Hashable", type(value)))
        return {
            field.name: to_stored(content)
            for field, content in held
            if not (content is None and get_origin(kinds[field.name]) is Maybe)
        }
    if isinstance(value, dict):
        return {str(key): to_stored(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_stored(item) for item in value]
    return value


def from_stored(kind: type[T], stored: Mapping[str, Any]) -> T:
    """The object of a stored value.

    Raises ValueError when a field without default is missing or an enum has lost a member.
    """
    kinds = _kinds(cast("Hashable", kind))
    known = {
        field.name: _read(kinds[field.name], stored[field.name])
        for field in fields(cast("Any", kind))
        if field.name in stored
    }
    try:
        return kind(**known)
    except TypeError as error:
        raise ValueError(f"what was stored is no {kind.__name__}: {error}") from error


def _read(kind: Any, value: Any) -> Any:
    if get_origin(kind) is Maybe:
        return Some(_read(get_args(kind)[0], value))
    if value is None:
        return None
    if get_origin(kind) in {Union, UnionType}:
        [kind] = [part for part in get_args(kind) if part is not type(None)]
    if get_origin(kind) is list:
        return [_read(get_args(kind)[0], item) for item in value]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    if isinstance(kind, type) and is_dataclass(kind):
        return from_stored(kind, value)
    return value


@cache
def _kinds(kind: Hashable) -> dict[str, Any]:
    return get_type_hints(kind)
