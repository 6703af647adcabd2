"""What is PostgreSQL's own: several processes on one database."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from gateway.readiness import Readiness
from gateway.store import Store, StoreUnavailableError, open_store
from gateway.store.database import Statement
from gateway.store.errors import StoreUntouchedError
from gateway.store.migrations import MIGRATION_LOCK
from gateway.store.postgres import PostgresDatabase
from gateway.store.schema import MIGRATIONS
from tests.store.accepting import EVERYTHING, NOON, at, end, new_item, new_operation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.store.database import Transaction

START = """
import asyncio, sys
from gateway.store import open_store
async def main():
    async with open_store(sys.argv[1]):
        pass
asyncio.run(main())
"""


@pytest.fixture
async def both(postgres_url: str) -> AsyncIterator[tuple[Store, Store]]:
    """Two processes' stores on one database."""
    async with open_store(postgres_url) as one, open_store(postgres_url) as other:
        yield one, other


def count(table: str) -> Transaction[int]:
    rows = yield Statement(f"SELECT count(*) AS number FROM {table}")
    return int(rows[0]["number"])


async def test_processes_that_start_at_once_migrate_once(postgres_url: str) -> None:
    starts = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", START, postgres_url, stderr=subprocess.PIPE
        )
        for _ in range(4)
    ]
    errors = [(await start.communicate())[1] for start in starts]

    assert errors == [b""] * 4
    async with open_store(postgres_url) as store:
        assert await store.database.read(count, "schema_migration") == len(MIGRATIONS)


async def test_a_start_waits_for_a_migration_that_is_under_way(postgres_url: str) -> None:
    async def start() -> int:
        async with open_store(postgres_url) as store:
            return await store.database.read(count, "schema_migration")

    blocker = await asyncpg.connect(postgres_url)
    try:
        async with blocker.transaction():
            await blocker.execute("SELECT pg_advisory_xact_lock($1)", MIGRATION_LOCK)
            starting = asyncio.create_task(start())
            await _until_waiting(postgres_url, 1, starting)
            assert not starting.done()
    finally:
        await blocker.close()
    assert await starting == len(MIGRATIONS)


async def test_stores_that_open_at_once_migrate_once(postgres_url: str) -> None:
    async def opened() -> int:
        async with open_store(postgres_url) as store:
            return await store.database.read(count, "schema_migration")

    assert await asyncio.gather(*(opened() for _ in range(5))) == [len(MIGRATIONS)] * 5


async def test_two_processes_share_the_work_and_keep_each_records_order(
    both: tuple[Store, Store],
) -> None:
    delivered: list[tuple[str, int]] = []

    async def accept(store: Store, first: int) -> None:
        for number in range(first, 40, 2):
            operation = new_operation(f"op-{number:02}", new_item(f"E-{number % 4}"))
            await store.operations.submit(operation, now=NOON)

    async def work(store: Store, owner: str) -> None:
        while len(delivered) < 40:
            steps = await store.operations.claim_steps(
                owner, EVERYTHING, until=at(30), now=NOON, limit=3
            )
            for claimed in steps:
                delivered.append((claimed.step.record_key, claimed.step.id))
                assert await end(store, claimed)

    one, other = both
    await asyncio.gather(
        accept(one, 0), accept(other, 1), *(work(s, f"w{n}") for n, s in enumerate(both * 2))
    )

    assert len(set(delivered)) == 40
    for record in {key for key, _ in delivered}:
        ids = [step_id for key, step_id in delivered if key == record]
        assert ids == sorted(ids)


async def test_a_step_in_an_open_submission_is_not_overtaken_on_its_record(
    both: tuple[Store, Store], postgres_url: str
) -> None:
    one, other = both
    key = await one.keys.hold_key(
        "ada", "k", input_hash="h", holder="r", until=at(30), expires_at=at(99), now=NOON
    )
    blocker = await asyncpg.connect(postgres_url)
    try:
        async with blocker.transaction():
            # Holds the first submission up after it has drawn its step's id.
            await blocker.execute("SELECT * FROM idempotency_key FOR UPDATE")
            first = asyncio.create_task(
                one.operations.submit(new_operation("op-1", new_item("E-1")), now=NOON, key=key)
            )
            await _until_waiting(postgres_url, 1, first)
            second = asyncio.create_task(
                other.operations.submit(new_operation("op-2", new_item("E-1")), now=NOON)
            )
            await _until_waiting(postgres_url, 2, second)
            assert not first.done()
            assert not second.done()
    finally:
        await blocker.close()
    await asyncio.gather(first, second)

    (claimed,) = await one.operations.claim_steps("w", EVERYTHING, until=at(9), now=NOON)
    assert claimed.step.operation_id == "op-1"


async def _until_waiting(url: str, number: int, task: asyncio.Task[Any]) -> None:
    """Return when so many connections wait for a lock in this database, or the task has ended.

    Asks on a connection of its own: within a transaction the answer would stay what it was.
    """
    observer = await asyncpg.connect(url)
    try:
        while not task.done():
            waiting = await observer.fetchval(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if waiting >= number:
                return
    finally:
        await observer.close()


async def test_a_cancelled_caller_leaves_its_write_to_be_done(
    both: tuple[Store, Store], postgres_url: str
) -> None:
    one, other = both
    blocker = await asyncpg.connect(postgres_url)
    try:
        async with blocker.transaction():
            await blocker.execute("LOCK TABLE lease IN EXCLUSIVE MODE")
            task = asyncio.create_task(one.leases.acquire(["key"], "a", seconds=30))
            await _until_waiting(postgres_url, 1, task)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
    finally:
        await blocker.close()

    assert not await other.leases.acquire(["key"], "b", seconds=30)


async def test_a_broken_connection_is_told_and_replaced(
    both: tuple[Store, Store], postgres_url: str
) -> None:
    one, _ = both
    killer = await asyncpg.connect(postgres_url)
    try:
        async with killer.transaction():
            await killer.execute("LOCK TABLE lease IN EXCLUSIVE MODE")
            task = asyncio.create_task(one.leases.acquire(["key"], "a", seconds=30))
            await _until_waiting(postgres_url, 1, task)
            await killer.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            with pytest.raises(StoreUnavailableError, match="PostgreSQL"):
                await task
    finally:
        await killer.close()

    assert await one.leases.acquire(["key"], "a", seconds=30)


async def test_a_pooler_that_loses_prepared_statements_is_told_with_what_to_do(
    postgres_url: str,
) -> None:
    pool = await asyncpg.create_pool(postgres_url, min_size=1, max_size=1, reset=_keep)
    database = PostgresDatabase(pool)

    def one() -> Transaction[int]:
        rows = yield Statement("SELECT 1 AS number", alone=True)
        return int(rows[0]["number"])

    try:
        assert await database.read(one) == 1
        async with pool.acquire() as connection:
            await connection.execute("DEALLOCATE ALL")  # as good as another server's connection
        with pytest.raises(StoreUnavailableError, match="pool by session"):
            await database.read(one)
    finally:
        await pool.close()


async def _keep(_connection: Any) -> None:
    """A reset would forget the statements in asyncpg, too."""


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("ALTER DATABASE {name} SET default_transaction_read_only = on", "read-only"),
        ("ALTER DATABASE {name} RENAME TO {name}_gone", "does not exist"),
        ("DROP DATABASE {name} WITH (FORCE)", "does not exist"),
    ],
)
async def test_a_database_that_takes_no_writes_any_more_is_told_and_not_ready(
    postgres_url: str, statement: str, told: str
) -> None:
    name = postgres_url.rpartition("/")[2]
    async with open_store(postgres_url) as store:
        readiness = Readiness(database=store.database, shared=store.shared)
        assert await readiness.of_store()
        server = await asyncpg.connect(postgres_url.replace(name, "postgres"))
        try:
            await _end_connections(server, name)
            await server.execute(statement.format(name=name))
            await _end_connections(server, name)
            for _ in range(3):  # the first learns that its connection has ended
                assert not await readiness.of_store()
            with pytest.raises(StoreUntouchedError, match=told):
                await store.leases.acquire(["key"], "a", seconds=30)
        finally:
            await server.execute(f"DROP DATABASE IF EXISTS {name}_gone WITH (FORCE)")
            await server.close()


async def test_a_database_without_our_tables_is_told(postgres_url: str) -> None:
    async with open_store(postgres_url) as store:
        connection = await asyncpg.connect(postgres_url)
        await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        await connection.close()
        with pytest.raises(StoreUntouchedError, match="does not exist"):
            await store.leases.acquire(["key"], "a", seconds=30)


async def test_a_standby_which_shows_no_unlogged_table_is_told(both: tuple[Store, Store]) -> None:
    def asked() -> Transaction[None]:
        yield Statement(
            "DO $$ BEGIN RAISE EXCEPTION 'cannot access temporary or unlogged relations during recovery'"
            " USING ERRCODE = '0A000'; END $$",
            alone=True,
        )

    with pytest.raises(StoreUntouchedError, match="unlogged relations during recovery"):
        await both[0].database.read(asked)


async def test_a_table_that_has_changed_since_it_was_asked_is_asked_again(
    postgres_url: str,
) -> None:
    def everything() -> Transaction[int]:
        yield Statement("SELECT 1")
        rows = yield Statement("SELECT * FROM note")
        return len(rows)

    async with open_store(postgres_url) as store:
        assert await store.database.write(everything) == 0
        connection = await asyncpg.connect(postgres_url)
        await connection.execute("ALTER TABLE note ADD COLUMN more text")
        await connection.close()
        assert await store.database.write(everything) == 0


async def _end_connections(server: Any, name: str) -> None:
    await server.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
    )


async def test_a_server_that_is_not_reached_has_surely_stored_nothing() -> None:
    class Unreachable:
        def acquire(self) -> None:
            raise ConnectionRefusedError

    with pytest.raises(StoreUntouchedError):
        await PostgresDatabase(Unreachable()).write(count, "lease")


async def test_a_connection_that_the_server_has_ended_unnoticed_is_no_fault_of_our_own() -> None:
    class Ended:
        @asynccontextmanager
        async def acquire(self) -> AsyncIterator[Ended]:
            yield self

        async def fetch(self, *_: Any) -> None:
            raise asyncpg.InternalClientError("cannot switch to state 12")

        transaction = acquire

    with pytest.raises(StoreUnavailableError, match="PostgreSQL"):
        await PostgresDatabase(Ended()).write(count, "lease")


async def test_a_value_that_does_not_fit_is_the_programs_fault_not_the_servers(
    both: tuple[Store, Store],
) -> None:
    def misfit() -> Transaction[None]:
        yield Statement("SELECT * FROM lease WHERE fence = $1", ("eleven",))

    with pytest.raises(asyncpg.DataError):
        await both[0].database.read(misfit)
