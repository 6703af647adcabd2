"""Settings that are several texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def texts(value: object) -> Sequence[str]:
    """The texts of a list, which the environment writes with commas between them."""
    if isinstance(value, str):
        return value.split(",")
    if isinstance(value, list | tuple) and all(isinstance(part, str) for part in value):
        return value
    raise ValueError("Input should be texts: a list of them, or one with commas between")
