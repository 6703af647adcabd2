"""Opening: URLs, the schema's versions, and who may use the same database at once."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from gateway.store import (
    NewerDatabaseError,
    Store,
    StoreError,
    StoreInUseError,
    StoreUnavailableError,
    open_store,
)
from gateway.store.database import Statement
from gateway.store.migrations import Migration
from gateway.store.schema import MIGRATIONS
from tests.store.accepting import NOON

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.store.database import Transaction

NEXT = Migration(name="a colour", statements=("ALTER TABLE lease ADD COLUMN colour text",))
BROKEN = Migration(
    name="broken",
    statements=("CREATE TABLE half (id {int})", "ALTER TABLE nowhere ADD COLUMN colour text"),
)


def read_all(sql: str) -> Transaction[list[Any]]:
    rows = yield Statement(sql)
    return list(rows)


def modes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}


async def applied(store: Store) -> list[tuple[int, str]]:
    rows = await store.database.read(
        read_all, "SELECT version, name FROM schema_migration ORDER BY version"
    )
    return [(row["version"], row["name"]) for row in rows]


async def test_a_fresh_database_gets_every_migration(database_url: str) -> None:
    async with open_store(database_url, clock=lambda: NOON) as store:
        expected = [(n, migration.name) for n, migration in enumerate(MIGRATIONS, start=1)]
        assert await applied(store) == expected


async def test_opening_again_changes_nothing(database_url: str) -> None:
    async with open_store(database_url) as store:
        before = await store.database.read(read_all, "SELECT * FROM schema_migration")
    async with open_store(database_url) as store:
        after = await store.database.read(read_all, "SELECT * FROM schema_migration")
        assert [tuple(row) for row in after] == [tuple(row) for row in before]


@pytest.mark.parametrize("version", range(len(MIGRATIONS)))
async def test_every_older_version_is_upgraded_with_its_data(
    database_url: str, version: int
) -> None:
    async with open_store(database_url, migrations=MIGRATIONS[:version]):
        pass
    async with open_store(database_url, migrations=MIGRATIONS) as store:
        assert await store.leases.acquire(["key"], "a", seconds=30)
    async with open_store(database_url, migrations=[*MIGRATIONS, NEXT]) as store:
        rows = await store.database.read(read_all, "SELECT holder, colour FROM lease")
        assert [tuple(row) for row in rows] == [("a", None)]
        assert (await applied(store))[-1] == (len(MIGRATIONS) + 1, "a colour")


@pytest.mark.parametrize("serving", [True, False])
async def test_a_database_from_a_newer_gateway_is_refused_untouched(
    database_url: str, serving: bool
) -> None:
    async with open_store(database_url, migrations=[*MIGRATIONS, NEXT]):
        pass
    with pytest.raises(NewerDatabaseError, match="newer gateway"):
        async with open_store(database_url, serving=serving):
            pass
    async with open_store(database_url, migrations=[*MIGRATIONS, NEXT]) as store:
        assert len(await applied(store)) == len(MIGRATIONS) + 1


async def test_a_migration_that_fails_leaves_nothing_behind(database_url: str) -> None:
    with pytest.raises(Exception, match="nowhere"):
        async with open_store(database_url, migrations=[*MIGRATIONS, BROKEN]):
            pass
    async with open_store(database_url) as store:
        assert len(await applied(store)) == len(MIGRATIONS)
        known = await store.database.read(
            read_all, "SELECT name FROM {tables} AS known WHERE name = 'half'"
        )
        assert known == []


@pytest.mark.parametrize("url", ["mysql://h/d", "sqlite://", "sqlite:///", "", "gateway.sqlite3"])
async def test_a_url_of_another_kind_is_refused_with_the_right_forms(url: str) -> None:
    with pytest.raises(StoreError, match="must start with sqlite:///"):
        async with open_store(url):
            pass


async def test_a_refused_url_is_not_repeated(tmp_path: Path) -> None:
    for url in ("mysql://ada:geheim@db/gateway", "postgresql://ada:geheim#@[db/gateway"):
        with pytest.raises(StoreError) as told:
            async with open_store(url):
                pass
        assert "geheim" not in str(told.value)
    with pytest.raises(StoreUnavailableError):
        async with open_store(f"sqlite:///{tmp_path}/missing/gateway.sqlite3"):
            pass


async def test_a_server_that_does_not_answer_is_told() -> None:
    with pytest.raises(StoreUnavailableError, match="PostgreSQL cannot be opened"):
        async with open_store("postgresql://postgres@127.0.0.1:1/gateway"):
            pass


async def test_without_asyncpg_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "gateway.store.postgres", raising=False)
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(StoreError, match=r"contact-gateway\[postgres\]"):
        async with open_store("postgresql://postgres@127.0.0.1:5432/gateway"):
            pass


def test_asyncpg_is_imported_only_for_postgresql() -> None:
    code = "import sys, gateway.store; print('asyncpg' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout.strip() == b"False"


async def test_a_second_serving_process_on_one_sqlite_file_is_refused(
    sqlite_url: str, tmp_path: Path
) -> None:
    link = tmp_path / "other.sqlite3"
    link.symlink_to(tmp_path / "gateway.sqlite3")
    async with open_store(sqlite_url):
        for url in (sqlite_url, f"sqlite:///{link}"):
            with pytest.raises(StoreInUseError, match=r"process \d+.*one process"):
                async with open_store(url):
                    pass
    async with open_store(sqlite_url) as store:
        assert await applied(store)


async def test_a_killed_process_leaves_no_lock_and_loses_nothing_that_was_stored(
    sqlite_url: str,
) -> None:
    code = (
        "import asyncio, os, sys, signal\n"
        "from gateway.store import open_store\n"
        "async def main():\n"
        "    async with open_store(sys.argv[1]) as store:\n"
        "        for number in range(20):\n"
        "            await store.leases.acquire([f'key-{number}'], 'dead', seconds=30)\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", code, sqlite_url], capture_output=True, check=False
    )
    assert done.returncode == -9, done.stderr

    async with open_store(sqlite_url) as store:
        rows = await store.database.read(read_all, "SELECT key FROM lease")
        assert len(rows) == 20


async def test_an_admin_command_works_beside_a_serving_process(sqlite_url: str) -> None:
    async with open_store(sqlite_url) as serving, open_store(sqlite_url, serving=False) as admin:
        assert await admin.leases.acquire(["a"], "admin", seconds=30)
        assert not await serving.leases.acquire(["a"], "server", seconds=30)


async def test_an_admin_command_prepares_a_fresh_file(sqlite_url: str) -> None:
    async with open_store(sqlite_url, serving=False) as admin:
        assert len(await applied(admin)) == len(MIGRATIONS)


async def test_an_admin_command_never_migrates_under_a_serving_process(sqlite_url: str) -> None:
    async with open_store(sqlite_url) as serving:
        with pytest.raises(StoreInUseError):
            async with open_store(sqlite_url, serving=False, migrations=[*MIGRATIONS, NEXT]):
                pass
        assert len(await applied(serving)) == len(MIGRATIONS)


async def test_the_sqlite_file_is_for_its_owners_eyes_only(sqlite_url: str, tmp_path: Path) -> None:
    async with open_store(sqlite_url):
        files = modes(tmp_path)
    assert set(files.values()) == {0o600}
    assert "gateway.sqlite3-wal" in files


async def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("These are notes, and long enough to be no database.\n" * 9)
    with pytest.raises(StoreUnavailableError, match=r"notes\.txt"):
        async with open_store(f"sqlite:///{tmp_path / 'notes.txt'}"):
            pass


async def test_an_sqlite_that_is_too_old_is_told(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    with pytest.raises(StoreError, match=r"needs 3\.38 or newer"):
        async with open_store(sqlite_url):
            pass
