"""Look-ups of many keys in few calls: in chunks as large as a backend takes, side by side."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import quote

from gateway.backends.adapter import KeyKind
from gateway.calls import UNRESERVED
from gateway.errors import BackendFailure, NotWrittenError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from gateway.backends.adapter import Stored
    from gateway.backends.reads import Reads
    from gateway.results import Problem
    from gateway.upstream import Exchange

AT_ONCE = 8
"""Calls of one backend's look-ups that are under way at a time, over all requests."""

NOBODY = "gateway-check"
"""An externalId that no contact has; with @example.com the e-mail address of nobody."""


def chunked(
    values: Iterable[str], *, most: int, longest: int | None = None, each: int = 0
) -> list[list[str]]:
    """The values, each once, in chunks of at most `most`.

    `longest` bounds the characters that a chunk takes in an address: those of the values when they
    are percent-encoded, and `each` more for every one. A value longer than that has its own chunk.
    """
    chunks: list[list[str]] = []
    length = 0
    for value in dict.fromkeys(values):
        takes = each + len(value if UNRESERVED.fullmatch(value) else quote(value, safe=""))
        full = not chunks or len(chunks[-1]) == most
        if full or (longest is not None and length + takes > longest):
            chunks.append([])
            length = 0
        chunks[-1].append(value)
        length += takes
    return chunks


async def side_by_side(
    chunks: Iterable[Sequence[str]],
    ask: Callable[[Sequence[str]], Awaitable[Mapping[str, list[Stored]]]],
    at_once: asyncio.Semaphore,
) -> dict[str, list[Stored] | BackendFailure]:
    """What `ask` brings for each chunk; a chunk that fails has its failure for each of its values."""

    async def one(chunk: Sequence[str]) -> Mapping[str, list[Stored] | BackendFailure]:
        try:
            async with at_once:
                return {**await ask(chunk)}
        except BackendFailure as failure:
            return dict.fromkeys(chunk, failure)

    parts = await asyncio.gather(*(one(chunk) for chunk in chunks))
    return {value: found for part in parts for value, found in part.items()}


async def asked(
    reads: Reads, kind: KeyKind, exchange: Exchange, explained: Callable[[Problem], Problem]
) -> None:
    """Ask for nobody: one call that shows address, credentials and the permission to read contacts.

    Raises NotWrittenError when the backend cannot be asked, with its problem `explained`.
    """
    value = f"{NOBODY}@example.com" if kind is KeyKind.EMAIL else NOBODY
    [found] = (await reads.look_up(kind, [value], exchange)).values()
    if isinstance(found, BackendFailure):
        raise NotWrittenError(explained(found.problem)) from found
