"""A database that says how long its transactions take."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ParamSpec, Protocol, TypeVar

from gateway.store.errors import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.store.database import Database, Transaction

P = ParamSpec("P")
T = TypeVar("T")


class Observer(Protocol):
    """Hears of each transaction."""

    def __call__(self, kind: str, seconds: float, *, failed: bool) -> None:
        """A transaction, a read or a write, has ended; failed says that the database could not."""
        ...


class TimedDatabase:
    """Passes everything on, and tells an observer."""

    def __init__(self, database: Database, observe: Observer) -> None:
        self._database = database
        self._observe = observe

    async def write(
        self, transaction: Callable[P, Transaction[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a transaction that writes."""
        return await self._timed("write", self._database.write(transaction, *args, **kwargs))

    async def read(
        self, transaction: Callable[P, Transaction[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a transaction that only reads."""
        return await self._timed("read", self._database.read(transaction, *args, **kwargs))

    def version(self) -> int | None:
        """As the database tells it; what takes some microseconds is not timed."""
        return self._database.version()

    async def _timed(self, kind: str, running: Awaitable[T]) -> T:
        started = time.perf_counter()
        failed = False
        try:
            return await running
        except StoreUnavailableError:
            failed = True
            raise
        finally:
            self._observe(kind, time.perf_counter() - started, failed=failed)
