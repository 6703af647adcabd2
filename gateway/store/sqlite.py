"""The store in an SQLite file: one process, nothing to install."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from gateway.store.database import Batch, Dialect, check_values, translator
from gateway.store.errors import StoreError, StoreUnavailableError
from gateway.store.sqlite_writer import SqliteWriter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

    from gateway.store.database import Row, Transaction, Value

P = ParamSpec("P")
T = TypeVar("T")

READERS = 2
BUSY_SECONDS = 10.0
"""How long the writer waits for an admin command's short transaction."""
OLDEST = (3, 38)
"""The first SQLite that has all we use: UPDATE … FROM, RETURNING, STRICT tables, JSON."""

DIALECT = Dialect(
    words={
        "any_of": "(SELECT value FROM json_each($1))",
        "any_int": "(SELECT value FROM json_each($1))",
        "for_update": "",
        "for_update_of": "",
        "skip_locked": "",
        "identity": "INTEGER PRIMARY KEY AUTOINCREMENT",
        "int": "INTEGER",
        "time": "TEXT",
        "json": "TEXT",
        "strict": "STRICT",
        "unlogged": "",
        "tables": "(SELECT name FROM sqlite_master)",
        "micros": "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)",
    },
)


class SqliteDatabase:
    """Runs transactions that write in one thread, and those that read beside it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._translate = translator(DIALECT)
        self.writer = SqliteWriter(self._connect())
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-reader")
        self._idle: SimpleQueue[sqlite3.Connection] = SimpleQueue()
        self._watching = self._connect()
        """Only looks at whether the others have committed anything, and waits for none of them."""
        self._watching.execute("PRAGMA busy_timeout = 0")

    async def write(
        self, transaction: Callable[P, Transaction[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a transaction in the writer's thread, and give its result once it is committed."""
        result: T = await self.writer.run(
            lambda connection: self._run(transaction(*args, **kwargs), connection)
        )
        return result

    async def read(
        self, transaction: Callable[P, Transaction[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a transaction on one state of the file, in a reader's thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._readers, lambda: self._read(transaction(*args, **kwargs))
        )

    def version(self) -> int | None:
        """SQLite's own count, which stands in memory that all connections to the file share."""
        try:
            version: int = self._watching.execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.Error:
            return None
        return version

    async def close(self) -> None:
        """Finish what was begun, then close the connections."""
        self._watching.close()
        await self.writer.close()
        await asyncio.to_thread(self._readers.shutdown)
        while not self._idle.empty():
            self._idle.get().close()

    def _read(self, steps: Transaction[T]) -> T:
        try:
            connection = self._reader()
            try:
                connection.execute("BEGIN")
                try:
                    return self._run(steps, connection)
                finally:
                    connection.execute("ROLLBACK")
            finally:
                self._idle.put(connection)
        except sqlite3.OperationalError as error:
            raise StoreUnavailableError(f"The SQLite file cannot be read now: {error}") from error

    def _reader(self) -> sqlite3.Connection:
        try:
            return self._idle.get_nowait()
        except Empty:
            connection = self._connect()
            connection.execute("PRAGMA query_only = ON")
            return connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        # FULL: a commit is on the disk before its caller hears of it, whatever falls over then.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    def _run(self, steps: Transaction[T], connection: sqlite3.Connection) -> T:
        try:
            step = next(steps)
            while True:
                rows: Sequence[Row] = []
                if isinstance(step, Batch):
                    batch = [_values(values) for values in step.rows]
                    connection.executemany(self._translate(step.sql), batch)
                elif not step.lock_only:
                    cursor = connection.execute(self._translate(step.sql), _values(step.values))
                    rows = cursor.fetchall()
                step = steps.send(rows)
        except StopIteration as end:
            result: T = end.value
            return result


def _values(values: tuple[Value, ...]) -> dict[str, Any]:
    """Values as SQLite keeps them: times as texts of one length, which sort as the times do.

    By name, because `$1` is a name to SQLite, and Python 3.14 takes no sequence for names.
    """
    check_values(values)
    return {
        str(place): value.astimezone(UTC).isoformat(timespec="microseconds")
        if isinstance(value, datetime)
        else value
        for place, value in enumerate(values, 1)
    }


@asynccontextmanager
async def sqlite_database(path: Path) -> AsyncIterator[SqliteDatabase]:
    """The database in a file, which is made when it is missing, for its owner's eyes only."""
    if sqlite3.sqlite_version_info < OLDEST:
        raise StoreError(
            f"Python's SQLite is {sqlite3.sqlite_version}; the store needs "
            f"{'.'.join(map(str, OLDEST))} or newer, or PostgreSQL."
        )
    await asyncio.to_thread(_prepare, path)
    database = SqliteDatabase(path)
    try:
        yield database
    finally:
        await database.close()


def _prepare(path: Path) -> None:
    """Make the file; readers and a writer beside each other need the write-ahead log."""
    try:
        # A file that is there is not opened: closing it would drop the locks that this process has
        # on it through SQLite, if it uses it already.
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        finally:
            connection.close()
    except (OSError, sqlite3.Error) as error:
        raise StoreUnavailableError(f"{path} cannot be used as database: {error}") from error
