"""The table of API keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gateway.store.api_keys import StoredKey

if TYPE_CHECKING:
    from gateway.store import Store

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def key(name: str, **more: datetime) -> StoredKey:
    return StoredKey(
        id=f"id-{name}",
        name=name,
        hash=f"hash-{name}",
        scopes=("contacts:read", "admin"),
        created_at=NOW,
        **more,
    )


async def test_a_key_is_kept_as_it_was_made(store: Store) -> None:
    assert not await store.api_keys.has_any()
    made = key("a", expires_at=NOW + HOUR)
    await store.api_keys.add(made)
    assert await store.api_keys.list_keys() == [made]
    assert await store.api_keys.has_any()


async def test_keys_work_until_they_expire_or_are_revoked(store: Store) -> None:
    for name, more in (("a", {}), ("b", {"expires_at": NOW + HOUR}), ("c", {})):
        await store.api_keys.add(key(name, **more))
    assert await store.api_keys.revoke("id-c", NOW)
    assert not await store.api_keys.revoke("id-c", NOW + HOUR)
    assert not await store.api_keys.revoke("nothing", NOW)
    working = await store.api_keys.list_keys(working_at=NOW)
    assert [one.name for one in working] == ["a", "b"]
    later = await store.api_keys.list_keys(working_at=NOW + HOUR)
    assert [one.name for one in later] == ["a"]
    assert (await store.api_keys.list_keys())[2].revoked_at == NOW


async def test_the_last_use_only_goes_forward(store: Store) -> None:
    await store.api_keys.add(key("a"))
    await store.api_keys.note_uses({"id-a": NOW + HOUR, "gone": NOW})
    await store.api_keys.note_uses({"id-a": NOW})
    [kept] = await store.api_keys.list_keys()
    assert kept.last_used_at == NOW + HOUR
