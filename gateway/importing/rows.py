"""Reads a file of contacts: CSV or JSON Lines, each row with what is wrong with it."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
from graphql.utilities import validate_input_value

from gateway.importing.columns import Column, lay_out, read_header

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from graphql import GraphQLError, GraphQLInputObjectType

DELIMITERS = (",", ";", "\t")
JSON_LINES = (".jsonl", ".ndjson", ".json")


class ImportRefusedError(Exception):
    """The file cannot be used as a whole; `problems` says why."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = list(problems)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of the file."""

    line: int
    """Where it begins, from 1."""
    given: Any
    """As it stood there: the cells, or the JSON value or text."""
    input: dict[str, Any] | None
    """The contact; None where none can be made of it."""
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Table:
    """A file of contacts."""

    rows: list[Row]
    header: list[str] | None
    """The columns' names; None for JSON Lines."""
    delimiter: str = ","


def read_table(path: Path, content: bytes, contact: GraphQLInputObjectType, null: str) -> Table:
    """The rows of a file, by its name's ending; raises ImportRefusedError.

    `null` is the cell that clears a field; an empty cell says nothing of it.
    """
    text = _text(content)
    if path.suffix.lower() in JSON_LINES:
        return Table(rows=list(_json_rows(text, contact)), header=None)
    return _csv_table(text, contact, null)


def _csv_table(text: str, contact: GraphQLInputObjectType, null: str) -> Table:
    delimiter = _delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = next(reader, None)
        if not header or not any(name.strip() for name in header):
            raise ImportRefusedError(["The first line has no column names."])
        columns, problems = read_header(header, contact)
        if problems:
            raise ImportRefusedError(problems)
        rows = list(_csv_rows(reader, columns, contact, null))
    except csv.Error as error:
        raise ImportRefusedError([f"Line {reader.line_num} cannot be read: {error}."]) from None
    return Table(rows=rows, header=header, delimiter=delimiter)


def _text(content: bytes) -> str:
    """The file's text, with or without a byte order mark."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ImportRefusedError(
            [f"Line {line} is not in UTF-8. In Excel, save as “CSV UTF-8”."]
        ) from None


def _delimiter(text: str) -> str:
    """What separates the cells: whatever stands most often in the first line."""
    first = next(io.StringIO(text, newline=""), "")  # which may end in a carriage return alone
    return max(DELIMITERS, key=first.count)


def _csv_rows(
    reader: Any, columns: Sequence[Column | None], contact: GraphQLInputObjectType, null: str
) -> Iterator[Row]:
    line = reader.line_num + 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield _csv_row(line, cells, columns, contact, null)
        line = reader.line_num + 1


def _csv_row(
    line: int,
    cells: list[str],
    columns: Sequence[Column | None],
    contact: GraphQLInputObjectType,
    null: str,
) -> Row:
    problems: list[str] = []
    if any(cell.strip() for cell in cells[len(columns) :]):
        problems.append(f"The row has {len(cells)} cells, and the header has {len(columns)}.")
    values: list[tuple[Column, Any]] = []
    for column, cell in zip(columns, cells, strict=False):
        text = cell.strip()
        if not text:
            continue
        if column is None:
            problems.append(f"{text!r} stands in a column without a name.")
            continue
        try:
            values.append((column, column.read(text, null)))
        except ValueError as error:
            problems.append(f"{column.name}: {error}.")
    made = lay_out(values)
    if not problems:
        problems = misfits(made, contact)
    return Row(line=line, given=cells, input=None if problems else made, problems=problems)


def _json_rows(text: str, contact: GraphQLInputObjectType) -> Iterator[Row]:
    for line, said in enumerate(text.split("\n"), start=1):
        if not said.strip():
            continue
        try:
            made = orjson.loads(said)
        except orjson.JSONDecodeError as error:
            yield Row(line=line, given=said, input=None, problems=[f"This is no JSON: {error}."])
            continue
        if not isinstance(made, dict):
            problem = "A line must hold one JSON object, the contact."
            yield Row(line=line, given=made, input=None, problems=[problem])
            continue
        problems = misfits(made, contact)
        yield Row(line=line, given=made, input=None if problems else made, problems=problems)


def misfits(made: dict[str, Any], contact: GraphQLInputObjectType) -> list[str]:
    """Where a contact does not have the shape of the input."""
    problems: list[str] = []

    def note(error: GraphQLError, path: list[str | int]) -> None:
        where = ".".join(map(str, path))
        # What was found is in the row itself; it is not said again.
        message = error.message.split(", found: ")[0].rstrip(".") + "."
        problems.append(f"{where}: {message}" if where else message)

    validate_input_value(made, contact, note)
    return problems
