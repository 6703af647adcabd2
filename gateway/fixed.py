"""Dataclasses whose instances never change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(field,))
def fixed(cls: type[T]) -> type[T]:
    """A dataclass with named arguments, of which no attribute is set later.

    The type checker sees to that, and not the class itself as with `frozen=True`: then an instance
    takes twice as long to make, and a write makes dozens of them.
    """
    return dataclass(kw_only=True, unsafe_hash=True)(cls)
