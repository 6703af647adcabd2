"""What stands in a request's head, as ASGI gives it: names in small letters, all as bytes."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.types import Scope

Head: TypeAlias = "dict[bytes, bytes]"
RawHeaders: TypeAlias = "Sequence[tuple[bytes, bytes]]"

LONGEST_REMEMBERED = 256
"""Bytes of a header's value; longer ones come from nobody who calls often."""
MOST_REMEMBERED = 64

_SCOPE_KEY = "gateway.head"

Read = TypeVar("Read")


def head_of(scope: Scope) -> Head:
    """The headers by their names; of several of one name the first counts, as with Starlette's."""
    head: Head | None = scope.get(_SCOPE_KEY)
    if head is None:
        head = scope[_SCOPE_KEY] = dict(reversed(scope["headers"]))
    return head


def remembered(read: Callable[[bytes], Read]) -> Callable[[bytes], Read]:
    """What is read from a header's value, remembered: most requests have the same few."""
    known = lru_cache(maxsize=MOST_REMEMBERED)(read)

    def read_once(value: bytes) -> Read:
        return known(value) if len(value) <= LONGEST_REMEMBERED else read(value)

    return read_once
