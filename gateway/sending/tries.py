"""How far the tries of one call have come, and when the next one may be made."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gateway.errors import MaybeWrittenError

if TYPE_CHECKING:
    from gateway.errors import BackendFailure
    from gateway.results import BackendCall

BACKOFF_BASE = 0.2
BACKOFF_CAP = 5.0
"""Seconds; the wait before try n is random between 0 and min(cap, base * 2^n) (full jitter)."""


IN_DOUBT = "An earlier try got no usable answer: it may or may not have done what was asked."
"""Said beside what the last try came to."""


class AgainError(Exception):
    """A try that may be repeated after `wait` seconds; `failure` is its end if it is the last."""

    def __init__(self, failure: BackendFailure, wait: float, *, costs: bool = True) -> None:
        super().__init__()
        self.failure = failure
        self.wait = wait
        self.costs = costs
        """Whether the next try is taken from the retry budget."""


@dataclass(kw_only=True)
class Progress:
    """How far the tries of one call have come."""

    record: BackendCall
    renewed: bool = False
    """Whether a 401 has led to a new token or signature; it does so once."""
    renew_next: bool = False
    """Whether the next try is the one with the new token."""
    perhaps: bool = False
    """Whether an earlier try may have done what was asked."""

    def backoff(self) -> float:
        """Seconds before the next try, with full jitter."""
        cap = min(BACKOFF_CAP, BACKOFF_BASE * 2**self.record.attempts)
        return random.uniform(0, cap)  # noqa: S311 - jitter needs no secrecy

    def known(self, failure: BackendFailure) -> BackendFailure:
        """What a failure of the last try tells of the call with all its tries.

        A try that was surely not taken says nothing of an earlier one that went unanswered.
        """
        return doubtful(failure) if self.perhaps else failure


def doubtful(failure: BackendFailure) -> BackendFailure:
    """A failure of the last try, as it stands where an earlier one may have done what was asked."""
    if isinstance(failure, MaybeWrittenError):
        return failure
    problem = replace(
        failure.problem, message=f"{failure.problem.message} {IN_DOUBT}", retryable=True
    )
    known = MaybeWrittenError(problem)
    known.reply = failure.reply
    return known
