"""The one thread that writes to an SQLite file: many transactions, one commit.

What is submitted while a commit waits for the disk is run together and committed together, so that
the price of one fsync is shared by all who came meanwhile. A single caller pays no extra wait.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, TypeAlias

from gateway.store.errors import StoreUnavailableError, StoreUntouchedError

if TYPE_CHECKING:
    from collections.abc import Callable

GROUP = 256
"""Transactions that share a commit at most: bounds how long the first of them waits."""

Work: TypeAlias = "Callable[[sqlite3.Connection], Any]"


@dataclass(eq=False, slots=True)
class _Job:
    work: Work
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop
    result: Any = None
    error: BaseException | None = None


class SqliteWriter:
    """Runs work on its own connection, in its own thread, in the order of submission."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._closed = False
        self.commits = 0
        """Commits so far; fewer than the transactions when they were grouped."""
        self._thread = threading.Thread(target=self._serve, name="store-writer", daemon=True)
        self._thread.start()

    async def run(self, work: Work) -> Any:
        """The result of `work`, once it is committed; it is run even if the caller goes away."""
        if self._closed:
            raise StoreUntouchedError("The store is closed.")
        loop = asyncio.get_running_loop()
        job = _Job(work, loop.create_future(), loop)
        self._jobs.put(job)
        return await job.future

    async def close(self) -> None:
        """Finish what was submitted, then end the thread."""
        self._closed = True
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    def _serve(self) -> None:
        last = False
        while not last and (first := self._jobs.get()) is not None:
            jobs, last = self._group(first)
            self._commit(jobs, self._connection)
            _answer(jobs)
        self._connection.close()

    def _group(self, first: _Job) -> tuple[list[_Job], bool]:
        """The jobs that wait now, and whether the thread is to end after them."""
        jobs = [first]
        while len(jobs) < GROUP:
            try:
                job = self._jobs.get_nowait()
            except Empty:
                return jobs, False
            if job is None:
                return jobs, True
            jobs.append(job)
        return jobs, False

    def _commit(self, jobs: list[_Job], connection: sqlite3.Connection) -> None:
        kind: type[StoreUnavailableError] = StoreUntouchedError
        try:
            connection.execute("BEGIN IMMEDIATE")
            for job in jobs:
                self._run(job, connection)
            kind = StoreUnavailableError
            connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - the thread must live, and everybody must hear
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            for job in jobs:
                job.error = _unavailable(error, kind)
        else:
            self.commits += 1

    def _run(self, job: _Job, connection: sqlite3.Connection) -> None:
        """Run one job so that its failure takes back its own changes and no others'."""
        connection.execute("SAVEPOINT job")
        try:
            job.result = job.work(connection)
        except Exception as error:
            if not connection.in_transaction:
                raise  # SQLite has rolled everybody back: no space left, or a broken disk
            connection.execute("ROLLBACK TO job")
            is_the_file = isinstance(error, sqlite3.OperationalError)
            job.error = _unavailable(error, StoreUntouchedError) if is_the_file else error
        connection.execute("RELEASE job")


def _unavailable(error: Exception, kind: type[StoreUnavailableError]) -> StoreUnavailableError:
    unavailable = kind(f"The SQLite file cannot be used now: {error}")
    unavailable.__cause__ = error
    return unavailable


def _answer(jobs: list[_Job]) -> None:
    """Hand the results over, in one wake-up for each event loop."""
    for loop in {job.loop for job in jobs}:
        mine = [job for job in jobs if job.loop is loop]
        if not loop.is_closed():
            loop.call_soon_threadsafe(_resolve, mine)


def _resolve(jobs: list[_Job]) -> None:
    for job in jobs:
        if job.future.done():
            continue  # the caller was cancelled
        if job.error is None:
            job.future.set_result(job.result)
        else:
            job.future.set_exception(job.error)
