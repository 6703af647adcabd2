"""The API keys of the gateway's own callers: hashed, with what each one may do.

What a key is made of stands in `gateway/callers/keys.py`; the store sees its hash alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.store.database import Batch, Statement, known_time, to_time

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from gateway.store.database import Database, Row, Transaction


@dataclass(frozen=True, kw_only=True)
class StoredKey:
    """A key as it is stored."""

    id: str
    """Names it in lists, logs and the key itself; no secret."""
    name: str
    """Of the caller. Several keys of one name are one caller's: so a key is replaced."""
    hash: str
    """SHA-256 of the whole key, in hexadecimal."""
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None

    def works(self, now: datetime) -> bool:
        """Whether it lets its caller in."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class ApiKeys:
    """The table of keys."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, key: StoredKey) -> None:
        """Keep a new key."""
        await self._database.write(_add, key)

    async def list_keys(self, *, working_at: datetime | None = None) -> list[StoredKey]:
        """Every key that there ever was, oldest first; with a time, those that work then."""
        keys = await self._database.read(_list)
        return keys if working_at is None else [key for key in keys if key.works(working_at)]

    async def has_any(self) -> bool:
        """Whether there ever was a key: one that was revoked counts."""
        return await self._database.read(_has_any)

    async def revoke(self, key_id: str, now: datetime) -> bool:
        """End a key; whether it was there and had not been revoked before."""
        return await self._database.write(_revoke, key_id, now)

    async def note_uses(self, uses: Mapping[str, datetime]) -> None:
        """Keep when keys were last used."""
        await self._database.write(_note_uses, uses)


def _add(key: StoredKey) -> Transaction[None]:
    yield Statement(
        "INSERT INTO api_key (id, name, hash, scopes, created_at, expires_at)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        (key.id, key.name, key.hash, " ".join(key.scopes), key.created_at, key.expires_at),
    )


def _list() -> Transaction[list[StoredKey]]:
    rows = yield Statement("SELECT * FROM api_key ORDER BY created_at, id")
    return [_key(row) for row in rows]


def _has_any() -> Transaction[bool]:
    rows = yield Statement("SELECT id FROM api_key LIMIT 1")
    return bool(rows)


def _revoke(key_id: str, now: datetime) -> Transaction[bool]:
    rows = yield Statement(
        "UPDATE api_key SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL RETURNING id",
        (key_id, now),
    )
    return bool(rows)


def _note_uses(uses: Mapping[str, datetime]) -> Transaction[None]:
    # In one order, so that two gateways that note the same keys do not wait for each other in a ring.
    yield Batch(
        "UPDATE api_key SET last_used_at = $2"
        " WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $3)",
        [(key_id, at, at) for key_id, at in sorted(uses.items())],
    )


def _key(row: Row) -> StoredKey:
    return StoredKey(
        id=row["id"],
        name=row["name"],
        hash=row["hash"],
        scopes=tuple(row["scopes"].split()),
        created_at=known_time(row["created_at"]),
        expires_at=to_time(row["expires_at"]),
        last_used_at=to_time(row["last_used_at"]),
        revoked_at=to_time(row["revoked_at"]),
    )
