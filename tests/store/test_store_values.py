"""What a column takes, alike on both databases."""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from gateway.store.database import Statement, known_time
from tests.store.accepting import NOON

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.store import Store
    from gateway.store.database import Transaction


def stored(value: datetime) -> Transaction[datetime]:
    """Store a time, and give it as it is read."""
    rows = yield Statement(
        "INSERT INTO schema_migration (version, name, applied_at) VALUES (-1, 'a time', $1)"
        " RETURNING applied_at",
        (value,),
    )
    return known_time(rows[0]["applied_at"])


async def test_a_time_without_its_zone_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="zone"):
        await store.database.write(stored, NOON.replace(tzinfo=None))


async def test_times_of_other_zones_are_the_same_moments(store: Store) -> None:
    local = timezone(timedelta(hours=5, minutes=30))
    assert await store.database.write(stored, NOON.astimezone(local)) == NOON
