"""Opens the store that DATABASE_URL names, with its schema up to date."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.store.api_keys import ApiKeys
from gateway.store.errors import StoreError
from gateway.store.idempotency import IdempotencyKeys
from gateway.store.leases import Leases
from gateway.store.links import LeadLinks
from gateway.store.lock_file import lock_file
from gateway.store.migrations import check_version, migrate, read_version
from gateway.store.notes import Notes
from gateway.store.operations import Operations
from gateway.store.quotas import Quotas
from gateway.store.schema import MIGRATIONS
from gateway.store.sqlite import sqlite_database
from gateway.store.timed import TimedDatabase

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from gateway.store.database import Database
    from gateway.store.migrations import Migration
    from gateway.store.timed import Observer

SQLITE = "sqlite:///"
POSTGRES = ("postgresql://", "postgres://")


@dataclass(frozen=True, kw_only=True)
class Store:
    """Everything the gateway keeps, by what it is about."""

    database: Database
    shared: bool
    """Whether other processes may work on it too."""
    links: LeadLinks
    leases: Leases
    quotas: Quotas
    notes: Notes
    keys: IdempotencyKeys
    operations: Operations
    api_keys: ApiKeys


def _file(url: str) -> Path:
    """The database file itself: one file has one lock, by whatever name it is reached."""
    return Path(url.removeprefix(SQLITE)).resolve()


def _utc_now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def open_store(
    url: str,
    *,
    serving: bool = True,
    clock: Callable[[], datetime] = _utc_now,
    migrations: Sequence[Migration] = MIGRATIONS,
    observe: Observer | None = None,
) -> AsyncIterator[Store]:
    """The store behind a URL: `sqlite:///file`, `sqlite:////absolute/file` or `postgresql://…`.

    `observe` hears how long each transaction takes.
    `serving=False` is for admin commands, which use short transactions beside a serving process.
    Brings the schema up to date first. Raises StoreInUseError when another process serves on the
    same SQLite file, NewerDatabaseError, StoreUnavailableError, and StoreError for a URL or an
    installation that cannot be used.
    """
    if url.startswith(SQLITE) and len(url) > len(SQLITE):
        opened = _open_sqlite(_file(url), serving, clock, migrations)
    elif url.startswith(POSTGRES):
        opened = _open_postgres(url, clock, migrations)
    else:
        raise StoreError(
            "GATEWAY_DATABASE_URL must start with sqlite:///, followed by a file's name, or with "
            f"postgresql://; it starts with {url.partition(':')[0][:20]!r}."
        )
    async with opened as found:
        database = found if observe is None else TimedDatabase(found, observe)
        yield Store(
            database=database,
            shared=not url.startswith(SQLITE),
            links=LeadLinks(database),
            leases=Leases(database),
            quotas=Quotas(database),
            notes=Notes(database),
            keys=IdempotencyKeys(database),
            operations=Operations(database),
            api_keys=ApiKeys(database),
        )


@asynccontextmanager
async def _open_sqlite(
    path: Path, serving: bool, clock: Callable[[], datetime], migrations: Sequence[Migration]
) -> AsyncIterator[Database]:
    if serving:
        with lock_file(path):
            async with sqlite_database(path) as database:
                await _bring_up_to_date(database, clock, migrations)
                yield database
        return
    async with sqlite_database(path) as database:
        if await database.read(read_version) != len(migrations):
            with lock_file(path):  # never under the feet of a process that serves
                await _bring_up_to_date(database, clock, migrations)
        yield database


@asynccontextmanager
async def _open_postgres(
    url: str, clock: Callable[[], datetime], migrations: Sequence[Migration]
) -> AsyncIterator[Database]:
    try:
        from gateway.store.postgres import postgres_database
    except ModuleNotFoundError as error:
        raise StoreError(
            "PostgreSQL needs asyncpg: install the extra, contact-gateway[postgres]."
        ) from error
    async with postgres_database(url) as database:
        await _bring_up_to_date(database, clock, migrations)
        yield database


async def _bring_up_to_date(
    database: Database, clock: Callable[[], datetime], migrations: Sequence[Migration]
) -> None:
    version = await database.read(read_version)
    check_version(version, migrations)
    if version < len(migrations):
        await database.write(migrate, migrations, clock())
