"""Ids that were given as JSON numbers: none is taken that JSON's reader has rounded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphql import GraphQLError, GraphQLID

if TYPE_CHECKING:
    from collections.abc import Callable

EXACT = 2.0**53
"""From here on a number with a fraction's form stands for several whole ones."""

_read: Callable[[Any], str] = GraphQLID.coerce_input_value


def exact_id(value: Any) -> str:
    """An id of a variable; raises GraphQLError for a number that may have been another one.

    Whole numbers of up to 64 bits are read as they are, greater ones as the nearest that fits.
    """
    if isinstance(value, float) and abs(value) >= EXACT:
        raise GraphQLError("ID cannot represent a number of so many digits: give it as a string.")
    return _read(value)


def read_ids_exactly() -> None:
    """Let every schema read its ids so."""
    GraphQLID.coerce_input_value = exact_id
