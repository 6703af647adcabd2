"""The store in PostgreSQL: any number of processes and machines on one database.

Needs the extra `[postgres]` (asyncpg); imported only when DATABASE_URL names PostgreSQL.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import asyncpg

from gateway.store.database import Batch, Dialect, Statement, check_values, translator
from gateway.store.errors import StoreUnavailableError, StoreUntouchedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from gateway.store.database import Row, Transaction

P = ParamSpec("P")
T = TypeVar("T")

CONNECTIONS = 10
"""Connections of one process at most; PostgreSQL allows 100 over all unless told otherwise."""
COMMAND_SECONDS = 30.0
"""No statement of ours takes long: one that does waits for a lock or a dead server."""
CONNECT_SECONDS = 5.0
"""For a server that does not answer at all; a request has no more time than that to spare."""
RACE_ATTEMPTS = 5

DIALECT = Dialect(
    words={
        "any_of": "(SELECT jsonb_array_elements_text(CAST($1 AS jsonb)))",
        "any_int": "(SELECT CAST(jsonb_array_elements_text(CAST($1 AS jsonb)) AS bigint))",
        "for_update": "FOR UPDATE",
        "for_update_of": "FOR UPDATE OF $1",
        "skip_locked": "SKIP LOCKED",
        "identity": "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
        "int": "bigint",
        "time": "timestamptz",
        "json": "json",  # kept as it was written; jsonb refuses the NUL that JSON can spell
        "strict": "",
        "unlogged": "UNLOGGED",
        "tables": "(SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema())",
        "micros": "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)",
    },
)

LOST_RACES = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.UniqueViolationError,
    asyncpg.InvalidCachedStatementError,
)
"""Another transaction was first, or has changed the schema: run again, this one sees it."""

UNUSABLE = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.InternalClientError,
)
"""The server is not there, or the connection is at its end. The last is what asyncpg says of one that the
server has ended while nobody used it, a restart say, when the next statement is faster than the news."""

REFUSING = (
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.UndefinedTableError,
    asyncpg.FeatureNotSupportedError,
)
"""The server is there, and takes nothing from us: it is a standby, or a database, its tables or our rights
to them have gone. Nothing was stored. The last is a standby's word on the tables that are not logged."""

ENDING = (
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.PostgresSystemError,
)
"""The server cannot go on: what it was asked for may be stored."""

POOLED = (asyncpg.InvalidSQLStatementNameError, asyncpg.DuplicatePreparedStatementError)
"""What was prepared on a connection is not there, or somebody else's: a pooler gives out another server's
connection for each transaction, and knows nothing of prepared statements. Nothing was run."""


class PostgresDatabase:
    """Runs transactions on a pool of connections."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._translate = translator(DIALECT)
        self._running: set[asyncio.Task[Any]] = set()

    async def write(
        self, transaction: Callable[P, Transaction[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a transaction to its end, even when the caller is cancelled."""
        return await self._shielded(self._attempts(transaction, *args, **kwargs))

    async def read(
        self, transaction: Callable[P, Transaction[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a transaction on one state of the database."""
        options = {"isolation": "repeatable_read", "readonly": True}
        return await self._once(transaction(*args, **kwargs), options)

    def version(self) -> None:
        """Not without asking the server, which takes as long as a question of one's own."""
        return

    async def finish(self) -> None:
        """Wait for the transactions whose callers have gone."""
        if self._running:
            await asyncio.wait(self._running)

    async def _shielded(self, work: Coroutine[Any, Any, T]) -> T:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def _attempts(
        self, transaction: Callable[P, Transaction[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        for _ in range(RACE_ATTEMPTS - 1):
            try:
                return await self._once(transaction(*args, **kwargs), {})
            except LOST_RACES:
                continue
        return await self._once(transaction(*args, **kwargs), {})

    async def _once(self, steps: Transaction[T], options: dict[str, Any]) -> T:
        kind: type[StoreUnavailableError] = StoreUntouchedError
        try:
            async with self._pool.acquire() as connection:
                kind = StoreUnavailableError
                return await self._run(steps, connection, options)
        except POOLED as error:
            raise StoreUntouchedError(
                "PostgreSQL is behind a pooler that loses prepared statements. Let it pool by session, "
                "or let it keep them (PgBouncer 1.21: max_prepared_statements above 0)."
            ) from error
        except asyncpg.DataError:
            raise  # a value of ours that does not fit its column, and an InterfaceError by descent
        except asyncpg.InvalidCachedStatementError:
            raise  # a lost race, and a FeatureNotSupportedError by descent
        except UNUSABLE as error:
            raise kind(f"PostgreSQL cannot be used now: {error}") from error
        except REFUSING as error:
            raise StoreUntouchedError(f"PostgreSQL takes nothing now: {error}") from error
        except ENDING as error:
            raise kind(f"PostgreSQL cannot serve now: {error}") from error

    async def _run(self, steps: Transaction[T], connection: Any, options: dict[str, Any]) -> T:
        step = next(steps)
        if isinstance(step, Statement) and step.alone:
            # A statement is a transaction by itself: two round trips less.
            return await self._follow(steps, step, connection)
        async with connection.transaction(**options):
            return await self._follow(steps, step, connection)

    async def _follow(self, steps: Transaction[T], step: Statement | Batch, connection: Any) -> T:
        try:
            while True:
                step = steps.send(await self._answer(step, connection))
        except StopIteration as end:
            result: T = end.value
            return result

    async def _answer(self, step: Statement | Batch, connection: Any) -> list[Row]:
        if isinstance(step, Batch):
            for values in step.rows:
                check_values(values)
            await connection.executemany(self._translate(step.sql), step.rows)
            return []
        check_values(step.values)
        rows: list[Row] = await connection.fetch(self._translate(step.sql), *step.values)
        return rows


async def _leave_as_it_is(connection: Any) -> None:
    """Nothing of ours outlives a transaction: a reset would be one more round trip for each."""


@asynccontextmanager
async def postgres_database(url: str) -> AsyncIterator[PostgresDatabase]:
    """The database that the URL names; raises StoreUnavailableError when it does not answer."""
    try:
        pool = await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=CONNECTIONS,
            command_timeout=COMMAND_SECONDS,
            timeout=CONNECT_SECONDS,
            reset=_leave_as_it_is,
        )
    except ValueError:  # its text may repeat the password
        raise StoreUnavailableError("The URL of PostgreSQL cannot be read.") from None
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise StoreUnavailableError(f"PostgreSQL cannot be opened: {error}") from error
    database = PostgresDatabase(pool)
    try:
        yield database
    finally:
        await database.finish()
        await pool.close()
