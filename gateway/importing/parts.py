"""The parts of a file in which it is sent: one call each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.importing.rows import Row

    Placed = tuple[int, Row]
    """A row, and its place in the table."""

PART = 1000
"""Contacts of one call: what one call stores, a second start of the same import finds again."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """Rows that go in one call."""

    rows: Sequence[Placed]
    start: int
    """Its place among all rows that are sent."""
    name: str
    """Tells it from the other parts of the file, and from parts of another size."""

    @property
    def end(self) -> int:
        """The place behind it."""
        return self.start + len(self.rows)

    def place(self, problem: Mapping[str, Any]) -> int:
        """The place in the table of the row that a problem is about."""
        return self.rows[int(problem["field"][1])][0]

    def cut(self, size: int) -> list[Part]:
        """Parts of at most that size; itself, where it is no larger."""
        if len(self.rows) <= size:
            return [self]
        return [
            Part(
                rows=self.rows[begin : begin + size],
                start=self.start + begin,
                name=f"{self.start + begin}-{min(self.end, self.start + begin + size)}",
            )
            for begin in range(0, len(self.rows), size)
        ]


def cut(rows: Sequence[Placed], size: int) -> list[Part]:
    """All rows in parts of that size, named by their number."""
    return [
        Part(rows=rows[start : start + size], start=start, name=str(start // size))
        for start in range(0, len(rows), size)
    ]
