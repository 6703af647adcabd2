"""Instants as SendGrid writes and reads them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_LOOKS_LIKE_A_DATE = re.compile(r"\d{4}[-/]\d{1,2}[-/]\d{1,2}([T ].*)?")


def whole_seconds(at: datetime) -> str:
    """Write an instant as jobs and searches do: `2026-07-15T16:19:27Z`."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def nanoseconds(at: datetime) -> str:
    """Write an instant as GET contacts does, with nine digits; ours end in made-up nanoseconds."""
    at = at.astimezone(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond:06d}{at.microsecond % 1000:03d}Z"


def read_date(text: str) -> str | None:
    """Give the value of a Date field as it reads back, or None where it is not one.

    ISO 8601 and year/month/day are known to work; epoch strings are known not to
    (contract: sendgrid section 4, custom field values).
    """
    if not _LOOKS_LIKE_A_DATE.fullmatch(text):
        return None
    day, separator, time = text.replace("/", "-").replace(" ", "T").partition("T")
    year, month, date = day.split("-")
    try:
        at = datetime.fromisoformat(f"{year}-{month:0>2}-{date:0>2}{separator}{time}")
        return whole_seconds(at if at.tzinfo else at.replace(tzinfo=UTC))
    except (ValueError, OverflowError):  # a year outside 1 to 9999 once it is in UTC
        return None
