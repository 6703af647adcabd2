"""What became of an import: counts by backend, and the rejected rows with their reasons."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from gateway.importing.rows import Row, Table

REASON = "rejectedBecause"
"""The column, or the key, in which the reason stands beside its row."""
BAD = {"REJECTED", "FAILED", "PARTIAL", "UNKNOWN"}
"""Statuses of inputs that stand in the file of rejected rows."""


@dataclass(kw_only=True)
class Report:
    """What is known of an import so far."""

    outcomes: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """By backend, how many contacts came to which outcome."""
    rejected: dict[int, list[str]] = field(default_factory=dict)
    """Why rows were rejected or have failed, by the place of the row in the table."""
    sent_before: int = 0
    """Rows that an earlier start of the same import has sent, and this one has not."""

    lines: list[str] = field(default_factory=list)
    """The summary, for people."""

    def reject(self, place: int, reasons: Sequence[str]) -> None:
        """Note why a row was not written, or not everywhere."""
        self.rejected.setdefault(place, []).extend(reasons)

    def take(self, place: int, item: Mapping[str, Any]) -> None:
        """Note what became of an input that was sent."""
        for step in item["steps"]:
            self.outcomes[step["backend"]][step["result"]["outcome"]] += 1
        if item["status"] not in BAD:
            return
        reasons = [told(problem) for problem in item["errors"]]
        for step in item["steps"]:
            outcome = step["result"]["outcome"]
            if outcome in BAD:
                said = "; ".join(error["message"] for error in step["result"]["errors"])
                reasons.append(f"{step['backend']} {outcome}: {said or 'no reason was given'}")
        self.reject(place, reasons)

    def sum_up(self, table: Table) -> None:
        """Write the summary."""
        self.lines = [f"{len(table.rows)} rows, {len(self.rejected)} of them with problems"]
        for backend, counts in self.outcomes.items():
            counted = ", ".join(f"{count} {outcome}" for outcome, count in counts.most_common())
            self.lines.append(f"  {backend:<10}  {counted}")
        if self.sent_before:
            self.lines.append(
                f"{self.sent_before} rows were sent by an earlier start of this import, and not again."
            )


def told(problem: Mapping[str, Any]) -> str:
    """A problem of an input, with its field as the file has it."""
    path = [part for part in problem["field"] if part != "inputs"]
    where = ".".join(path[1:] if len(path) < len(problem["field"]) else path)
    backend = f"{problem['backend']}: " if problem.get("backend") else ""
    return f"{backend}{where}: {problem['message']}" if where else f"{backend}{problem['message']}"


def write_rejected(path: Path, table: Table, rejected: Mapping[int, Sequence[str]]) -> None:
    """The rejected rows as they stood in the file, each with its reasons beside it.

    The file can be mended and imported again, once the column of reasons is gone.
    """
    rows = [(table.rows[place], "; ".join(rejected[place])) for place in sorted(rejected)]
    if table.header is None:
        path.write_bytes(b"".join(_json_line(row, why) for row, why in rows))
        return
    with path.open("w", newline="", encoding="utf-8-sig") as out:
        writer = csv.writer(out, delimiter=table.delimiter)
        writer.writerow([*table.header, REASON])
        width = len(table.header)
        for row, why in rows:
            cells = list(row.given)
            writer.writerow([*cells[:width], *[""] * (width - len(cells)), why, *cells[width:]])


def _json_line(row: Row, why: str) -> bytes:
    given = row.given if isinstance(row.given, dict) else {"row": row.given}
    return orjson.dumps(given | {REASON: why}) + b"\n"
