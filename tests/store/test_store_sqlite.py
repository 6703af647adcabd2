"""What is SQLite's own: one writer's thread, commits that are shared, and their failures."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway.store import Store, StoreUnavailableError, open_store, sqlite
from gateway.store.database import Statement
from gateway.store.errors import StoreUntouchedError
from gateway.store.sqlite import SqliteDatabase

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.store.database import Transaction


@pytest.fixture
async def store(sqlite_url: str) -> AsyncIterator[Store]:
    async with open_store(sqlite_url) as opened:
        yield opened


def written_by(store: Store) -> SqliteDatabase:
    assert isinstance(store.database, SqliteDatabase)
    return store.database


async def acquire(store: Store, key: str) -> bool:
    return bool(await store.leases.acquire([key], "a", seconds=30))


async def is_stored(store: Store, key: str) -> bool:
    def read() -> Transaction[bool]:
        rows = yield Statement("SELECT key FROM lease WHERE key = $1", (key,))
        return bool(rows)

    return await store.database.read(read)


def waiting(gate: threading.Event) -> Transaction[None]:
    """Holds the writer up until the gate opens."""
    yield Statement("SELECT 1")
    gate.wait()


def failing(key: str) -> Transaction[None]:
    yield Statement("INSERT INTO lease (key, fence, touched_at) VALUES ($1, 1, 0)", (key,))
    raise KeyError(key)


async def test_what_comes_during_a_commit_shares_the_next_one(store: Store) -> None:
    database, gate = written_by(store), threading.Event()
    first = asyncio.create_task(database.write(waiting, gate))
    await asyncio.sleep(0)
    before = database.writer.commits
    others = [asyncio.create_task(acquire(store, f"key-{number}")) for number in range(50)]
    await asyncio.sleep(0)  # each of them has submitted
    gate.set()

    assert all(await asyncio.gather(*others))
    await first

    assert 1 <= database.writer.commits - before <= 2


async def test_a_failed_transaction_takes_back_its_own_changes_and_no_others(
    store: Store,
) -> None:
    database, gate = written_by(store), threading.Event()
    first = asyncio.create_task(database.write(waiting, gate))
    await asyncio.sleep(0)
    tasks = [
        asyncio.create_task(acquire(store, "before")),
        asyncio.create_task(database.write(failing, "bad")),
        asyncio.create_task(acquire(store, "after")),
    ]
    await asyncio.sleep(0)
    gate.set()
    await first

    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert results[0] is True
    assert isinstance(results[1], KeyError)
    assert results[2] is True
    stored = [await is_stored(store, key) for key in ("before", "bad", "after")]
    assert stored == [True, False, True]


async def test_a_cancelled_caller_leaves_its_write_to_be_done(store: Store) -> None:
    database, gate = written_by(store), threading.Event()
    first = asyncio.create_task(database.write(waiting, gate))
    await asyncio.sleep(0)
    cancelled = asyncio.create_task(acquire(store, "key"))
    await asyncio.sleep(0)
    cancelled.cancel()
    gate.set()
    await first
    with pytest.raises(asyncio.CancelledError):
        await cancelled

    assert not await acquire(store, "key")


async def test_reading_goes_on_while_the_writer_is_held_up(store: Store) -> None:
    gate = threading.Event()
    held_up = asyncio.create_task(written_by(store).write(waiting, gate))
    await asyncio.sleep(0)

    assert not await is_stored(store, "key")

    gate.set()
    await held_up


async def test_a_write_in_a_read_is_refused(store: Store) -> None:
    with pytest.raises(StoreUnavailableError, match="readonly"):
        await store.database.read(failing, "key")


async def test_closing_finishes_what_was_submitted(sqlite_url: str) -> None:
    async with open_store(sqlite_url) as opened:
        left = [asyncio.create_task(acquire(opened, f"key-{number}")) for number in range(20)]
        await asyncio.sleep(0)
    assert all(await asyncio.gather(*left))
    with pytest.raises(StoreUnavailableError, match="closed"):
        await acquire(opened, "late")

    async with open_store(sqlite_url) as again:
        assert not await acquire(again, "key-19")


async def test_a_file_locked_by_somebody_else_for_too_long_fails_everybody_and_recovers(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.0)
    async with open_store(sqlite_url) as opened:
        path = Path(sqlite_url.removeprefix("sqlite:///"))
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            told = await asyncio.gather(
                *(acquire(opened, f"key-{number}") for number in range(3)), return_exceptions=True
            )
            assert all(isinstance(error, StoreUntouchedError) for error in told)
            other.execute("ROLLBACK")

        assert await acquire(opened, "key-1")


async def test_a_full_disk_fails_everybody_in_the_commit_and_is_told(store: Store) -> None:
    def fill(pages: int) -> Transaction[None]:
        # The writer's connection takes no more pages than it has: as a full disk would.
        yield Statement(f"PRAGMA max_page_count = {pages}")

    def grow() -> Transaction[None]:
        yield Statement(
            "INSERT INTO lease (key, fence, touched_at) VALUES (hex(zeroblob(1000000)), 1, 0)",
        )

    await store.database.write(fill, 1)  # SQLite raises it to the pages there are
    with pytest.raises(StoreUnavailableError, match="full"):
        await store.database.write(grow)

    await store.database.write(fill, 1_000_000)
    assert await acquire(store, "key")


async def test_the_version_tells_of_every_commit_and_of_nothing_else(
    store: Store, sqlite_url: str
) -> None:
    database, gate = written_by(store), threading.Event()
    gate.set()
    first = database.version()
    assert first is not None
    assert not await is_stored(store, "key")
    await database.write(waiting, gate)
    assert database.version() == first, "nothing was stored"

    assert await acquire(store, "key")
    second = database.version()
    assert second != first

    async with open_store(sqlite_url, serving=False) as other:  # as an admin command does
        assert await acquire(other, "elsewhere")
    third = database.version()
    assert third not in {first, second}
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as held_up:
        held_up.execute("DELETE FROM lease")
        assert database.version() == third, "it is not committed"
        held_up.commit()
    assert database.version() != third


async def test_a_version_that_cannot_be_told_now_is_none(sqlite_url: str) -> None:
    async with open_store(sqlite_url) as opened:
        database = written_by(opened)
    assert database.version() is None, "it is closed"
