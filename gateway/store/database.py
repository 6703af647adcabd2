"""The seam between what the store does and the database that it does it in.

A transaction is written once, as a generator: it yields statements, gets their rows, and returns
its result. It neither waits nor knows which database runs it. `sqlite.py` and `postgres.py` are the
two that do; both run it whole or not at all, and may run it a second time from the start.

Statements are written in PostgreSQL's words, with `$1` for the first value, and these in braces
where the two databases differ:

    {any_of $1}     the values of a JSON array of texts, as in `id IN {any_of $1}`
    {any_int $1}    the same, of whole numbers
    {for_update}    locks the rows read; with {skip_locked}, leaves out those that are locked
    {for_update_of step}    locks the rows of one table only
    {tables}        the tables there are, by `name`
    {micros}        the database's time, in microseconds since 1970
    {identity} {int} {time} {json} {strict}     types and the end of a CREATE TABLE
    {unlogged}      in front of TABLE: what is in it may be lost when the database breaks down
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, ParamSpec, Protocol, TypeAlias, TypeVar

import orjson

Value: TypeAlias = str | int | datetime | None
"""What a column holds. Objects are stored as JSON text (`to_json`), flags as 0 and 1."""

Json: TypeAlias = Mapping[str, Any]
"""A JSON object as callers hand it in and get it back."""

P = ParamSpec("P")
T = TypeVar("T")


class Row(Protocol):
    """One row of an answer, by column name."""

    def __getitem__(self, column: str, /) -> Any:
        """The value of a column."""
        ...


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a transaction."""

    sql: str
    values: tuple[Value, ...] = ()
    lock_only: bool = False
    """Takes a lock and nothing else: a database with one writer needs none, and skips it."""
    alone: bool = False
    """The only one of its transaction: a database may leave out the words around it."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One statement for many rows of values; gives no rows."""

    sql: str
    rows: Sequence[tuple[Value, ...]]


Transaction: TypeAlias = Generator[Statement | Batch, Sequence[Row], T]


class Database(Protocol):
    """What runs transactions: SQLite or PostgreSQL."""

    async def write(
        self, transaction: Callable[P, Transaction[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a transaction and give its result once it is safe on disk.

        A caller that is cancelled meanwhile leaves the transaction running: it is stored or not
        by its own doing. Raises StoreUnavailableError; what the transaction raises is passed on,
        and nothing of it is stored.
        """
        ...

    async def read(
        self, transaction: Callable[P, Transaction[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a transaction that only reads, on one state of the database, beside the writers."""
        ...

    def version(self) -> int | None:
        """A number that is another one once anything was committed, by whatever process.

        Costs next to nothing, and is asked on the event loop. None where it cannot be told so.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How one database says what stands in braces."""

    words: Mapping[str, str]

    def translate(self, sql: str) -> str:
        """A statement in this database's own words."""
        return re.sub(r"\{(\w+)(?: ([$\w]+))?\}", self._word, sql)

    def _word(self, found: re.Match[str]) -> str:
        return self.words[found[1]].replace("$1", found[2] or "")


def translator(dialect: Dialect) -> Callable[[str], str]:
    """`dialect.translate` that remembers: the store has some dozens of statements in all."""
    return lru_cache(maxsize=512)(dialect.translate)


def check_values(values: Iterable[Value]) -> None:
    """Refuse with ValueError what only one of the two databases would take.

    A NUL or half a surrogate pair in a text, and a time without its zone.
    """
    for value in values:
        if isinstance(value, str):
            if not is_storable(value):
                raise ValueError("The text holds a character that a database cannot store.")
        elif isinstance(value, datetime) and value.tzinfo is None:
            raise ValueError("A time without its zone cannot be stored.")


def is_storable(text: str) -> bool:
    """Whether both databases take a text: not one with a NUL or half a surrogate pair."""
    return "\0" not in text and (text.isascii() or not _has_surrogates(text))


def _has_surrogates(value: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in value)


def to_json(value: object) -> str:
    """JSON text of a value; raises TypeError when it has none."""
    return orjson.dumps(value).decode()


def from_json(text: str | None) -> Any:
    """What a JSON column holds; None for none."""
    return None if text is None else orjson.loads(text)


def to_time(value: datetime | str | None) -> datetime | None:
    """A time column in UTC, as PostgreSQL (a datetime) or SQLite (a text) gives it."""
    if value is None:
        return None
    return (datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(UTC)


def known_time(value: datetime | str) -> datetime:
    """A time column that is never empty."""
    time = to_time(value)
    assert time is not None  # noqa: S101 - the parameter's type says it
    return time
