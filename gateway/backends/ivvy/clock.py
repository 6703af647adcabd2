"""iVvy's instants, and how far this machine's clock is off, by what iVvy's answer says of the time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from gateway.backends.ivvy.answers import STALE

if TYPE_CHECKING:
    from gateway.calls import Reply
    from gateway.results import Problem

MINUTE = 60


def instant(text: Any) -> datetime | None:
    """An instant as iVvy shows it, with or without its zone; None where it cannot be read."""
    try:
        return datetime.fromisoformat(str(text or "").removesuffix(" UTC").strip()).replace(
            tzinfo=UTC
        )
    except ValueError:
        return None


def with_offset(problem: Problem, reply: Reply, now: datetime) -> Problem:
    """The problem; that of a stale request with the offset of the clock that says `now`. Pure.

    The answer's Date header has iVvy's time. Without it, or where it says the same as our clock,
    nothing is added.
    """
    if problem.backend_code != STALE:
        return problem
    try:
        theirs = parsedate_to_datetime(reply.headers["date"])
        offset = (now - theirs).total_seconds()
    except (KeyError, TypeError, ValueError):  # no date, or one without a zone
        return problem
    minutes = round(abs(offset) / MINUTE)
    if minutes == 0:
        return problem
    side = "ahead of" if offset > 0 else "behind"
    unit = "minute" if minutes == 1 else "minutes"
    message = f"{problem.message.rstrip('.')}, which is {minutes} {unit} {side} iVvy's."
    return replace(problem, message=message)
