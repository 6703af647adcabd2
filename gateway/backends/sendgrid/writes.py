"""How writes leave: those of many callers in few calls, and those to one contact in their order.

An upsert waits a short window for others that join the same lists, or, as an item of a bulk, as
long as the bulk's gathering says. Writes to one contact that meet are merged, the later one
winning; one that comes when an earlier one has left already, or is to join other lists, leaves
only after that one was answered. Removals from a list meet in a bulk only.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from gateway.backends.sendgrid.blame import blamed_contacts, blamed_removals
from gateway.backends.sendgrid.client import (
    MOST_CONTACTS,
    MOST_REMOVED,
    list_left,
    put_encoded,
    remove_from_list,
    removed,
    room_for_contacts,
)
from gateway.backends.sendgrid.identifiers import INPUTS
from gateway.backends.sendgrid.shared_call import Caller, Part, SharedCalls
from gateway.sending.gathering import Gathering

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gateway.backends.sendgrid.identifiers import Identifier
    from gateway.calls import Call, Reply
    from gateway.upstream import Exchange, Sender


ON_TIME = 0.9
"""The share of the window that is waited: timers come late, and what is to leave must be put together
and told apart, so that all in all a write takes no longer than the window more."""


@dataclass(eq=False, kw_only=True)
class Upsert(Part):
    """What is written to one contact, by one or more callers."""

    key: str
    """The value of the account's identifier."""
    list_ids: tuple[str, ...]
    lists: frozenset[str]
    """The lists that are joined, in no order."""
    after: Upsert | None = None
    """An earlier write to the contact, which must be answered before this one leaves."""
    left: bool = False
    _encoded: tuple[int, bytes] = field(default=(0, b""))

    @property
    def contact(self) -> Mapping[str, Any]:
        """The contact with what the callers who still wait want of it."""
        return _wish_of(self.waiting)

    @property
    def encoded(self) -> bytes:
        """The contact as it is sent."""
        waiting = self.waiting
        if self._encoded[0] != len(waiting):
            self._encoded = (len(waiting), orjson.dumps(_wish_of(waiting)))
        return self._encoded[1]

    def add(self, caller: Caller) -> None:
        """Take in one more caller."""
        self.callers.append(caller)
        self._encoded = (0, b"")

    def takes(self, call: Call) -> bool:
        """Whether another write to the contact can go along."""
        if self.left or self.lists != frozenset(_list_ids(call)):
            return False
        mine, other = self.contact, _contact(call)
        # An identifier cannot be changed: each of two that differ must be told so for itself.
        return all(mine.get(kind, other[kind]) == other[kind] for kind in INPUTS if kind in other)


class Writes:
    """Sends the calls of plans for one account."""

    def __init__(self, sender: Sender, identifier: Identifier, *, window: float) -> None:
        self._sender = sender
        self._identifier = identifier
        seconds = window * ON_TIME
        self._window = Gathering(quiet=seconds, longest=seconds) if window > 0 else None
        self._latest: dict[str, Upsert] = {}
        self._following: set[asyncio.Task[None]] = set()
        self._upserts = SharedCalls(
            sender=sender,
            joined=_one_upsert,
            blamed=_blamed,
            divisible=frozenset({400, 413}),
        )
        self._removals = SharedCalls(
            sender=sender,
            joined=_one_removal,
            blamed=lambda reply, _parts: blamed_removals(reply),
            divisible=frozenset({400, 404, 413, 414}),
        )

    async def send(self, call: Call, exchange: Exchange) -> Reply:
        """The answer to a call, which is that of the call it leaves with."""
        gathering = exchange.gathering
        if call.method == "PUT":
            gathering = gathering or self._window
        if gathering is None:
            return await self._sender.send(call, exchange)
        caller = Caller.of(call, exchange)
        if call.method == "PUT":
            self._join(caller, gathering)
        else:
            point, part = ("SENDGRID", "removal", call.path), Part(callers=[caller])
            gathering.join(point, part, self._leave_list, most=MOST_REMOVED)
        return await caller.wait()

    def under_way(self, key: str) -> list[Call]:
        """The upserts of a contact that have not been answered yet, those that wait included."""
        calls: list[Call] = []
        part = self._latest.get(key)
        while part is not None:
            calls = [*(caller.call for caller in part.callers), *calls]
            part = part.after
        return calls

    # ---------------------------------------------------------------- upserts

    def _join(self, caller: Caller, gathering: Gathering) -> None:
        """Put a write with an earlier one to the same contact, or give it a place of its own."""
        key = _contact(caller.call)[self._identifier]
        latest = self._latest.get(key)
        if latest is not None and latest.takes(caller.call):
            latest.add(caller)
            return
        lists = _list_ids(caller.call)
        part = Upsert(
            callers=[caller], key=key, list_ids=lists, lists=frozenset(lists), after=latest
        )
        if latest is None:
            self._meet(part, gathering)
            self._latest[key] = part
        else:
            self._latest[key] = part
            following = asyncio.create_task(self._follow(part, latest, gathering))
            self._following.add(following)
            following.add_done_callback(self._following.discard)

    def _meet(self, part: Upsert, gathering: Gathering) -> None:
        """Let a write wait for others, which costs it no task."""
        gathering.join(
            ("SENDGRID", "upsert", part.lists),
            part,
            self._leave,
            most=MOST_CONTACTS,
            weight=len(part.encoded) + 1,
            heaviest=room_for_contacts(part.list_ids),
        )

    async def _follow(self, part: Upsert, earlier: Upsert, gathering: Gathering) -> None:
        """Let a write meet others once the earlier one to its contact was answered."""
        await earlier.closed()
        part.after = None
        try:
            if part.waiting:
                self._meet(part, gathering)
                return
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told to those who wait
            part.break_off(error)
        self._end([part])

    async def _leave(self, parts: Sequence[Upsert]) -> None:
        """Send those who met: in one call, unless merging has made them more than it takes."""
        for part in parts:
            part.left = True
        try:
            # They met as one call's worth; only what was merged since can be more.
            merged_some = any(len(part.callers) > 1 for part in parts)
            chunks = in_chunks(parts) if merged_some else [parts]
            if len(chunks) == 1:
                await self._upserts.send(chunks[0])
            else:
                await asyncio.gather(*(self._upserts.send(some) for some in chunks))
            # A turn for the callers, who remember what was accepted while it counts as under way.
            await asyncio.sleep(0)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told to those who wait
            for part in parts:
                part.break_off(error)
        finally:
            self._end(parts)

    def _end(self, parts: Iterable[Upsert]) -> None:
        """Count writes as under way no longer."""
        for part in parts:
            part.left = True
            part.close()
            if self._latest.get(part.key) is part:
                del self._latest[part.key]

    # ---------------------------------------------------------------- removals

    async def _leave_list(self, parts: Sequence[Part]) -> None:
        try:
            await self._removals.send(parts)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told to those who wait
            for part in parts:
                part.break_off(error)


def merged(contacts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Writes to one contact as one, field by field; of two that give the same, the later counts.

    Custom fields are fields, too: they are merged by their ids.
    """
    whole: dict[str, Any] = {}
    for contact in contacts:
        own = {**whole.get("custom_fields", {}), **contact.get("custom_fields", {})}
        whole |= contact
        if own:
            whole["custom_fields"] = own
    return whole


def in_chunks(parts: Sequence[Upsert]) -> list[list[Upsert]]:
    """The parts, which join the same lists, by calls: no call has more than SendGrid takes."""
    chunks: list[list[Upsert]] = []
    weight, room = 0, room_for_contacts(parts[0].list_ids)
    for part in parts:
        own = len(part.encoded) + 1
        if not chunks or len(chunks[-1]) == MOST_CONTACTS or weight + own > room:
            chunks.append([])
            weight = 0
        chunks[-1].append(part)
        weight += own
    return chunks


def written_by(call: Call) -> tuple[list[str], dict[str, str]]:
    """The lists that a plan's upsert joins, and the identifiers that it sends."""
    contact = _contact(call)
    identifiers = {kind: contact[kind] for kind in INPUTS if kind in contact}
    return list(_list_ids(call)), identifiers


def _wish_of(callers: Sequence[Caller]) -> Mapping[str, Any]:
    """What callers want of one contact."""
    if len(callers) == 1:
        return _contact(callers[0].call)
    return merged(_contact(caller.call) for caller in callers)


def _contact(call: Call) -> Mapping[str, Any]:
    """The one contact of a plan's upsert."""
    contact: Mapping[str, Any]
    [contact] = call.body["contacts"]
    return contact


def _list_ids(call: Call) -> tuple[str, ...]:
    """The lists that a plan's upsert joins."""
    return tuple(call.body.get("list_ids", ()))


def _blamed(reply: Reply, parts: Sequence[Part]) -> Mapping[int, Reply] | None:
    contacts = [merged(_contact(caller.call) for caller in part.callers) for part in parts]
    return blamed_contacts(reply, contacts, written_by(parts[0].callers[0].call)[0])


def _one_upsert(parts: Sequence[Part]) -> Call:
    upserts = [part for part in parts if isinstance(part, Upsert)]
    return put_encoded([part.encoded for part in upserts], upserts[0].list_ids)


def _one_removal(parts: Sequence[Part]) -> Call:
    """All the removals from one list."""
    calls = [caller.call for part in parts for caller in part.waiting]
    ids = dict.fromkeys(one for call in calls for one in removed(call))
    return remove_from_list(list_left(calls[0]), list(ids))
