"""The program with faults of our own in it, for the test of what is logged of them.

A write of somebody called `fault` fails while it is planned, as does the reading of their contact;
and a task that nobody waits for fails, too. All of them say what they choked on.
"""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING, Any
from unittest import mock

from gateway import deciding, lookup
from gateway.__main__ import main
from gateway.api import context

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.backends.adapter import Plan
    from gateway.lookup import ContactKeys
    from gateway.target import Target

FAULT = "zqxfault"

_made, _read = deciding._made, lookup.read_contacts


def made(target: Target, *rest: Any) -> Plan | None:
    if FAULT in repr(target.write.input):
        raise KeyError(repr(target.write.input))
    return _made(target, *rest)


async def fail(text: str) -> None:
    raise ValueError(text)


async def read_contacts(wanted: Sequence[ContactKeys], *rest: Any, **named: Any) -> Any:
    if FAULT in repr(wanted):
        forgotten = asyncio.create_task(fail(repr(wanted)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del forgotten
        gc.collect()
        raise RuntimeError(repr(wanted))
    return await _read(wanted, *rest, **named)


if __name__ == "__main__":
    with (
        mock.patch.object(deciding, "_made", made),
        mock.patch.object(context, "read_contacts", read_contacts),
    ):
        main()
