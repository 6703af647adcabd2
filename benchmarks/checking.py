"""Whether a contender does the work that is measured: right answers, with the calls that they take."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import aiohttp

from benchmarks.work import CONTACTS, FINDS_AND_WRITES, NAMES, contact

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.contenders import Running
    from benchmarks.upstream import Upstream
    from benchmarks.work import Mode

TOGETHER = 256
"""Contacts of the check under load."""
IDS = {"IVVY": "4{number}", "EVERBRIDGE": "13{number}", "SENDGRID": None}
"""What the vendors call the contact of a number."""


class WrongWorkError(Exception):
    """A contender does not do the work that is measured."""


def check_alone(running: Running, mode: Mode, vendors: Upstream) -> None:
    """Raise WrongWorkError unless a single mutation does what is asked, with the calls it takes."""
    for number in (1, 2):  # the first one reads the names
        vendors.counted()
        answer = running.ask(mode.request(contact(number)))
        counted = vendors.counted()
    calls = FINDS_AND_WRITES[mode.targets] | (NAMES if mode.cold else {})
    if _told(answer) != _right(mode, number) or counted != calls:
        raise WrongWorkError(
            f"{running.contender.title} ended with {answer} after the calls {counted}"
        )


def check_together(running: Running, mode: Mode, connections: int) -> None:
    """Raise WrongWorkError unless each of many mutations side by side has its own contact's answer."""
    # Other contacts than the load begins with, so that a window does not find them just written.
    numbers = range(CONTACTS - TOGETHER, CONTACTS)
    answers = asyncio.run(
        _asked(running.url, [mode.request(contact(n)) for n in numbers], connections)
    )
    for number, answer in zip(numbers, answers, strict=True):
        if _told(answer) != _right(mode, number):
            raise WrongWorkError(f"{running.contender.title} ended contact {number} with {answer}")


async def _asked(
    url: str, requests: list[Mapping[str, Any]], connections: int
) -> list[dict[str, Any]]:
    connector = aiohttp.TCPConnector(limit=connections)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def ask(request: Mapping[str, Any]) -> dict[str, Any]:
            async with session.post(url, json=request) as answer:
                found: dict[str, Any] = await answer.json(content_type=None)
                return found

        return await asyncio.gather(*map(ask, requests))


def _told(answer: Mapping[str, Any]) -> Mapping[str, tuple[str, str | None]] | None:
    """The outcome and the id for each backend; None when it is no such answer."""
    try:
        results = answer["data"]["upsertContact"]["results"]
        return {one["backend"]: (one["outcome"], one["id"]) for one in results}
    except (KeyError, TypeError):
        return None


def _right(mode: Mode, number: int) -> Mapping[str, tuple[str, str | None]]:
    return {
        name: (
            "ACCEPTED" if name == "SENDGRID" else "UPDATED",
            known.format(number=number) if (known := IDS[name]) else None,
        )
        for name in mode.targets
    }
