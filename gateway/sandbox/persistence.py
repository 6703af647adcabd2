"""The backends' state in an SQLite file, one row each, so that it outlives the process."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.sandbox.backend import SimulatedBackend

VERSION = 1
"""Raise it when a backend's dump changes its shape: older files then start from the seed data."""


class StateFile:
    """Keeps what `dump` gives. For one process at a time; switches, faults, calls are not kept."""

    def __init__(self, path: Path) -> None:
        # Made by one thread and served by another in tests; never used by two at once.
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._kept: dict[str, bytes] = {}
        (version,) = self._database.execute("PRAGMA user_version").fetchone()
        if version != VERSION:
            self._database.execute("DROP TABLE IF EXISTS backend_state")
            self._database.execute(f"PRAGMA user_version = {VERSION}")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS backend_state (backend TEXT PRIMARY KEY, state BLOB)"
        )

    def restore(self, backend: SimulatedBackend) -> None:
        """Load a backend's kept state; without one it stays as it is."""
        row = self._database.execute(
            "SELECT state FROM backend_state WHERE backend = ?", (backend.name,)
        ).fetchone()
        if row is not None:
            self._kept[backend.name] = row[0]
            backend.load(orjson.loads(row[0]))

    def keep(self, backend: SimulatedBackend) -> None:
        """Write a backend's state if it differs from what was written last."""
        state = orjson.dumps(backend.dump())
        if state == self._kept.get(backend.name):
            return
        self._database.execute(
            "INSERT INTO backend_state VALUES (?, ?)"
            " ON CONFLICT (backend) DO UPDATE SET state = excluded.state",
            (backend.name, state),
        )
        self._kept[backend.name] = state

    def close(self) -> None:
        """Close the file."""
        self._database.close()
