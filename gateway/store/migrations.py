"""The schema's versions, and the one way from any of them to the newest.

A migration is never changed once it is released: a new one is added. While a new version of the
gateway starts, older processes may still run on the same PostgreSQL, so a migration adds what they
do not miss; what they still use is removed one release later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.store.database import Statement
from gateway.store.errors import NewerDatabaseError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gateway.store.database import Transaction

MIGRATION_LOCK = 0x636F6E74
"""Key of PostgreSQL's advisory lock under which one process at a time migrates."""


@dataclass(frozen=True, kw_only=True)
class Migration:
    """One step of the schema; its version is its place in the list, from 1."""

    name: str
    statements: tuple[str, ...]


def read_version() -> Transaction[int]:
    """The schema's version; 0 when the database is empty."""
    found = yield Statement("SELECT name FROM {tables} AS known WHERE name = 'schema_migration'")
    if not found:
        return 0
    rows = yield Statement("SELECT max(version) AS version FROM schema_migration")
    return int(rows[0]["version"] or 0)


def try_to_write() -> Transaction[None]:
    """Change nothing, where changes are taken; a standby that is only read refuses even that."""
    yield Statement("UPDATE schema_migration SET name = name WHERE 1 = 0", alone=True)


def check_version(version: int, migrations: Sequence[Migration]) -> None:
    """Refuse a database from the future."""
    if version > len(migrations):
        raise NewerDatabaseError(
            f"The database has schema version {version}, and this gateway knows versions up to "
            f"{len(migrations)}: a newer gateway has been at work. Run that one, or restore a "
            "backup made before it."
        )


def migrate(migrations: Sequence[Migration], now: datetime) -> Transaction[int]:
    """Bring the schema up to date; gives the version that it had before."""
    yield Statement(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})", lock_only=True)
    yield Statement(
        "CREATE TABLE IF NOT EXISTS schema_migration ("
        "version {int} PRIMARY KEY, name text NOT NULL, applied_at {time} NOT NULL) {strict}"
    )
    before = yield from read_version()
    check_version(before, migrations)
    for version, migration in enumerate(migrations[before:], start=before + 1):
        for statement in migration.statements:
            yield Statement(statement)
        yield Statement(
            "INSERT INTO schema_migration (version, name, applied_at) VALUES ($1, $2, $3)",
            (version, migration.name, now),
        )
    return before
