"""What `gateway import` does: the order of its options, the import, and the report."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gateway.importing.client import Wanted
from gateway.importing.progress import progress
from gateway.importing.rows import ImportRefusedError
from gateway.importing.run import Order, run_import
from gateway.model import Backend, MissingPolicy, WriteMode
from gateway.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.settings import Settings


def wanted_of(targets: Sequence[str], mode: str, if_missing: str) -> Wanted:
    """How to write; raises ImportRefusedError for a word that none of them has."""
    named = [name.strip().upper() for one in targets for name in one.split(",") if name.strip()]
    problems = [
        f"{word!r} is no {what}: give {', '.join(known)}."
        for what, words, known in (
            ("target", named, Backend.__members__),
            ("mode", [mode.upper()], WriteMode.__members__),
            ("way with missing records", [if_missing.upper()], MissingPolicy.__members__),
        )
        for word in words
        if word not in known
    ]
    if problems:
        raise ImportRefusedError(problems)
    return Wanted(targets=named or None, mode=mode.upper(), if_missing=if_missing.upper())


def import_file(order: Order, settings: Settings | None) -> tuple[int, list[str]]:
    """The exit code and the lines to print; 0 when all rows went well, else 1."""
    with progress() as shown:
        try:
            report = asyncio.run(run_import(order, _inside(settings), shown))
        except StoreError as error:
            raise ImportRefusedError(
                [f"{error} Where a gateway runs on this database, give its address with --url."]
            ) from error
    return (1 if report.rejected else 0), report.lines


def _inside(settings: Settings | None) -> Settings | None:
    """The settings of a gateway that this process alone can call, and asks what it likes."""
    ours = {"auth": "none", "trusted_documents": None}
    return None if settings is None else settings.model_copy(update=ours)
