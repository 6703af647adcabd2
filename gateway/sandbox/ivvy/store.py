"""The simulated account's records: tables of plain JSON rows, changed only through `put`.

No rule and no HTTP here. A row is never changed in place: a write puts a new row, so that
`all_or_nothing` can take a half-done call back.
"""

from __future__ import annotations

import copy
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from gateway.sandbox.ivvy.switches import Switches

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateway.sandbox.clock import Clock

Row = dict[str, Any]

# Table name to the fields by which its rows are found without a scan.
TABLES: Mapping[str, tuple[str, ...]] = {
    "contacts": ("externalId", "email"),
    "companies": ("externalId", "businessName"),
    "groups": (),
    "contactFields": (),
    "companyFields": (),
    "leadFields": (),
    "contactNotes": (),
    "companyNotes": (),
    "leadNotes": (),
    "leads": (),
    "leadTypes": (),
    "leadStages": (),
    "leadSources": (),
    "leadQualities": (),
    "leadChannels": (),
    "industries": (),
    "users": (),
    "venues": (),
}


def fold(value: Any) -> str:
    """Text under which a value is indexed: equal ignoring case gives equal keys."""
    return str(value).casefold()


class Table:
    """Rows by id, with an index for each field named."""

    def __init__(self, indexed: tuple[str, ...]) -> None:
        self.rows: dict[int, Row] = {}
        self._last_id = 0
        self._index: dict[str, dict[str, set[int]]] = {field: {} for field in indexed}

    def __iter__(self) -> Iterator[Row]:
        return iter([self.rows[key] for key in sorted(self.rows)])

    def get(self, key: Any) -> Row | None:
        """Give the row with that id; None for an unknown or deleted one.

        Since 2025-11-04 iVvy no longer returns deleted records (contract: section 5.8).
        """
        row = self.rows.get(key)
        return None if row is None or row.get("deleted") else row

    def next_id(self) -> int:
        """Give an id that no row has had."""
        self._last_id += 1
        return self._last_id

    def put(self, row: Row) -> Row | None:
        """Store the row under its id and give the one that it replaces."""
        old = self.discard(row["id"])
        self.rows[row["id"]] = row
        self._last_id = max(self._last_id, row["id"])
        for field, index in self._index.items():
            if row.get(field) is not None:
                index.setdefault(fold(row[field]), set()).add(row["id"])
        return old

    def discard(self, key: int) -> Row | None:
        """Take the row out and give it."""
        old = self.rows.pop(key, None)
        for field, index in self._index.items():
            if old is not None and old.get(field) is not None:
                index[fold(old[field])].discard(key)
        return old

    def candidates(self, field: str, value: Any) -> list[Row] | None:
        """Give the rows whose field equals the value ignoring case; None where a scan is needed."""
        if field == "id":
            keys = {int(value)} if str(value).isdecimal() else set()
        elif field in self._index:
            keys = self._index[field].get(fold(value), set())
        else:
            return None
        return [self.rows[key] for key in sorted(keys) if key in self.rows]


class Store:
    """All tables and batches of the one simulated account, with its time and its switches."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.switches = Switches()
        self.tables: dict[str, Table] = {}
        self.batches: dict[str, Row] = {}
        self.open_batches: dict[str, None] = {}
        """Those that may have jobs left, so that no call looks through all of two days."""
        self._undo: list[tuple[Table, int, Row | None]] | None = None
        self.clear()

    def clear(self) -> None:
        """Take out every row and batch."""
        self.tables = {name: Table(indexed) for name, indexed in TABLES.items()}
        self.batches, self.open_batches = {}, {}

    def now(self) -> datetime:
        """Server time, with the skew that a switch adds."""
        return self._clock.now() + timedelta(seconds=self.switches["clock_skew_seconds"])

    def stamp(self) -> str:
        """Server time as iVvy writes it, without the suffix ` UTC`."""
        return self.now().strftime("%Y-%m-%d %H:%M:%S")

    def get(self, table: str, key: Any) -> Row | None:
        """Give the live row with that id, or None."""
        return self.tables[table].get(key)

    def put(self, table: str, row: Row) -> Row:
        """Store a row that has an id, and give it."""
        old = self.tables[table].put(row)
        if self._undo is not None:
            self._undo.append((self.tables[table], row["id"], old))
        return row

    def add(self, table: str, row: Row) -> Row:
        """Store a row under a new id, and give it with that id."""
        return self.put(table, {**row, "id": self.tables[table].next_id()})

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """Take every change of the block back when it raises; blocks are not nested."""
        self._undo = []
        try:
            yield
        except BaseException:
            for table, key, old in reversed(self._undo):
                table.discard(key)
                if old is not None:
                    table.put(old)
            raise
        finally:
            self._undo = None

    def dump(self) -> dict[str, Any]:
        """Every row and batch as JSON values; switches are not state.

        Rows are never changed in place, so only the batches are copied.
        """
        return {
            "tables": {name: list(table) for name, table in self.tables.items()},
            "batches": copy.deepcopy(self.batches),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over what `dump` gave."""
        self.clear()
        for name, rows in copy.deepcopy(dict(state["tables"])).items():
            for row in rows:
                self.tables[name].put(row)
        self.batches = copy.deepcopy(state["batches"])
        self.open_batches = dict.fromkeys(self.batches)
