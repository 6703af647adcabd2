"""A look-up of many keys that SendGrid refuses for one of them: who is asked for again, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.model import Backend
from gateway.results import Problem, ProblemCode

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_REFUSED = 64
"""Refusals of what was one call at first, after which the search for the wrong key ends."""


def parted(values: Sequence[str], said: str) -> list[Sequence[str]]:
    """The keys of a refused call in smaller ones.

    Those that SendGrid's words have in them are asked for alone, since it seems to name one wrong key
    at a time; where they have none, or all, the call is halved.
    """
    said = said.lower()
    named = [value for value in values if value.lower() in said]
    if named and len(named) < len(values):
        return [*([value] for value in named), [one for one in values if one not in named]]
    half = len(values) // 2
    return [values[:half], values[half:]]


def undecided() -> Problem:
    """What those are told whose calls were refused without saying which key is wrong.

    Not in SendGrid's words, which may quote the key of somebody else.
    """
    return Problem(
        backend=Backend.SENDGRID,
        code=ProblemCode.BACKEND_ERROR,
        message="SendGrid refused to look for this contact in one call with others, one of whose "
        "keys is wrong: nothing was written. Try again.",
        retryable=True,
    )
