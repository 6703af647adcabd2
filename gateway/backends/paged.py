"""Lists that are read page by page, and may change meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from gateway.errors import NotWrittenError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")

READINGS = 3
"""How often a list is read in all before it counts as one that cannot be read."""


class ShiftedError(NotWrittenError):
    """The list changed between two of its pages, so that rows may have slipped from one to another."""


async def read_whole(read: Callable[[], Awaitable[T]]) -> T:
    """All pages of a list as they were at one time: read again where it changed meanwhile.

    A row that slipped to a page already read would be missing, and its name be told to be unknown.
    Raises what `read` raises; ShiftedError only from the last reading.
    """
    for _ in range(READINGS - 1):
        try:
            return await read()
        except ShiftedError:
            continue
    return await read()
