"""What a metric is called and what it tells: a row of the table in docs/operating.md."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Row:
    """One metric."""

    name: str
    """As it is read: a counter's ends in _total."""
    kind: str
    """counter, gauge, histogram or info."""
    labels: tuple[str, ...]
    tells: str
