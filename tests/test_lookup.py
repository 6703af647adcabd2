"""Rounds of reading, over backends that answer when the test lets them."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest

from gateway.backends.adapter import KeyKind, Stored
from gateway.catalogs import Catalogs
from gateway.lookup import ContactKeys, NobodyAskedError, read_contacts
from gateway.model import Backend
from gateway.records import ContactRecord
from gateway.upstream import Exchange

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.backends.adapter import Adapter
    from gateway.records import Contact

NATIVE, EXTERNAL, EMAIL = KeyKind.NATIVE_ID, KeyKind.EXTERNAL_ID, KeyKind.EMAIL


@dataclass
class Held:
    """A backend that holds a few contacts, and answers only once it is let go."""

    backend: Backend
    key_kinds: Sequence[KeyKind]
    rows: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[tuple[KeyKind, tuple[str, ...]]] = field(default_factory=list)
    record_catalogs: tuple[()] = ()
    cancelled: bool = False

    def __post_init__(self) -> None:
        self.catalogs = Catalogs(self.backend, {}, ttl=1.0)

    async def look_up(
        self, kind: KeyKind, values: Sequence[str], _exchange: Exchange
    ) -> Mapping[str, list[Stored]]:
        self.asked.append((kind, tuple(values)))
        self.was_asked.set()
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        place = [NATIVE, EXTERNAL, EMAIL].index(kind)
        return {
            value: [stored(row) for row in self.rows if row[place] == value] for value in values
        }

    def ids_shown(self, _stored: Stored) -> list[Any]:
        return []

    def read_contact(self, stored: Stored, _catalogs: Any) -> ContactRecord:
        return ContactRecord(
            backend=self.backend,
            id=cast("Any", stored.id),
            external_id=cast("Any", stored.external_id),
            email=stored.email,
            raw=cast("Any", {}),
        )

    def holds(self, _field: str) -> bool:
        return False


def stored(row: tuple[str, str | None, str | None]) -> Stored:
    return Stored(id=row[0], external_id=row[1], email=row[2], raw={}, read_at=0.0)


def reading(
    *backends: Held, wait: float = 5.0, **keys: Any
) -> asyncio.Task[list[Contact | NobodyAskedError | None]]:
    exchange = Exchange(deadline=time.monotonic() + 30)
    adapters = cast("Sequence[Adapter]", backends)
    return asyncio.create_task(read_contacts([ContactKeys(**keys)], adapters, exchange, wait=wait))


def backends_of(found: Contact | NobodyAskedError | None) -> list[Backend]:
    assert found is not None
    assert not isinstance(found, NobodyAskedError)
    return [record.backend for record in found.records]


async def turn() -> None:
    """Let everything that can run, run."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_the_backends_are_asked_side_by_side_and_the_rest_by_what_they_told() -> None:
    ivvy = Held(Backend.IVVY, [NATIVE, EXTERNAL, EMAIL], [("1", "E-1", "ada@example.com")])
    everbridge = Held(Backend.EVERBRIDGE, [NATIVE, EXTERNAL], [("2", "E-1", None)])
    sendgrid = Held(Backend.SENDGRID, [NATIVE, EMAIL], [("3", None, "ada@example.com")])
    task = reading(ivvy, everbridge, sendgrid, external_id="E-1")
    await turn()
    assert ivvy.asked == everbridge.asked == [(EXTERNAL, ("E-1",))]
    assert sendgrid.asked == []
    for backend in (ivvy, everbridge, sendgrid):
        backend.open.set()
    [found] = await task
    assert sendgrid.asked == [(EMAIL, ("ada@example.com",))]
    assert backends_of(found) == list(Backend)


async def test_the_others_go_on_without_a_silent_backend_and_take_it_in_when_it_answers() -> None:
    ivvy = Held(Backend.IVVY, [EXTERNAL, EMAIL], [("1", "E-1", "ada@example.com")])
    everbridge = Held(Backend.EVERBRIDGE, [EXTERNAL], [("2", "E-1", None)])
    sendgrid = Held(Backend.SENDGRID, [EMAIL], [("3", None, "ada@example.com")])
    ivvy.open.set()
    sendgrid.open.set()
    task = reading(ivvy, everbridge, sendgrid, external_id="E-1", wait=0.0)
    await sendgrid.was_asked.wait()
    assert not task.done(), "Everbridge is still silent"
    everbridge.open.set()
    [found] = await task
    assert backends_of(found) == list(Backend)


async def test_the_first_backend_in_order_tells_the_keys() -> None:
    ivvy = Held(Backend.IVVY, [EMAIL], [("1", "E-1", "shared@example.com")])
    everbridge = Held(Backend.EVERBRIDGE, [EXTERNAL], [("2", "E-1", None), ("4", "E-9", None)])
    sendgrid = Held(Backend.SENDGRID, [EMAIL], [("3", "E-9", "shared@example.com")])
    for backend in (ivvy, everbridge, sendgrid):
        backend.open.set()
    [found] = await reading(ivvy, everbridge, sendgrid, email="shared@example.com")
    assert backends_of(found) == [Backend.IVVY, Backend.EVERBRIDGE]
    assert everbridge.asked == [(EXTERNAL, ("E-1",))]


async def test_a_native_id_that_is_gone_is_followed_by_the_other_keys() -> None:
    ivvy = Held(Backend.IVVY, [NATIVE, EXTERNAL], [("1", "E-1", None)])
    ivvy.open.set()
    [found] = await reading(ivvy, native_ids=((Backend.IVVY, "9"),), external_id="E-1")
    assert ivvy.asked == [(NATIVE, ("9",)), (EXTERNAL, ("E-1",))]
    assert backends_of(found) == [Backend.IVVY]


async def test_with_no_backend_at_all_nobody_was_asked() -> None:
    [found] = await reading(external_id="E-1")
    assert isinstance(found, NobodyAskedError)
    assert found.problems == []


async def test_what_is_under_way_ends_with_the_request_that_asked() -> None:
    ivvy = Held(Backend.IVVY, [EXTERNAL], [])
    task = reading(ivvy, external_id="E-1")
    await turn()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await turn()
    assert ivvy.cancelled
