"""Writes that meet: PUTs, POSTs and removals from groups in Everbridge's batch calls.

A batch's answer says that all rows were taken, or that some failed, not reliably which. Then the
contacts are read back and compared with what was sent, and those that did not arrive are sent
singly, to learn the reason. All calls here may be repeated.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from gateway.backends.adapter import KeyKind
from gateway.backends.everbridge import batch_calls
from gateway.backends.everbridge.arrivals import has_arrived
from gateway.backends.joined import AT_ONCE
from gateway.backends.joint_calls import (
    Share,
    joint_exchange,
    own_failure,
    send_joint,
    some_kept_back,
    without_kept_back,
)
from gateway.calls import shown
from gateway.errors import BackendFailure, MaybeWrittenError, NotWrittenError, RefusedError
from gateway.model import Backend
from gateway.sending.tries import doubtful

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gateway.backends.adapter import Stored
    from gateway.backends.everbridge.reader import ContactReader
    from gateway.calls import Call, Reply
    from gateway.upstream import Exchange, Sender

PATIENCE = 2.0
"""How many times as long as usual a batch waits for its rows at most: they are read again under their
locks first, in searches of 100 that wait for their turns in the quota."""
SEARCH_LAG = 1.0
"""Seconds after which new contacts that the search did not show are searched for again. ASSUMED:
nothing is said of how soon a search shows them."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """How calls of one kind go together."""

    joint: Callable[[Sequence[Call]], Call]
    kind: KeyKind
    """What their contacts are read back by."""
    key: Callable[[Call], str]
    """That key, of one call."""
    body: Callable[[Call], Any]
    """A call's own part of the joint body, for its receipt."""
    tells_ids: bool = True
    """False where the batch's answer lacks what the single answer has: the new contacts' ids."""


def _own_row(call: Call) -> list[Any]:
    body: Any = shown(call).body
    return [batch_calls.row_of(call, body)]


WAYS: Mapping[str, Way] = {
    "PUT": Way(
        joint=batch_calls.replace_contacts,
        kind=KeyKind.NATIVE_ID,
        key=batch_calls.contact_of,
        body=_own_row,
    ),
    "POST": Way(
        joint=batch_calls.create_contacts,
        kind=KeyKind.EXTERNAL_ID,
        key=lambda call: str(call.body["externalId"]),
        body=_own_row,
        tells_ids=False,
    ),
    "DELETE": Way(
        joint=batch_calls.leave_together,
        kind=KeyKind.NATIVE_ID,
        key=lambda call: str(call.body[0]),
        body=lambda call: call.body,
    ),
}


class Batches:
    """Sends calls of plans, together with others of their kind where work is gathered."""

    def __init__(self, sender: Sender, reader: ContactReader) -> None:
        self._sender = sender
        self._reader = reader
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._together = {method: partial(self._sent, way) for method, way in WAYS.items()}

    async def send(self, call: Call, exchange: Exchange) -> Reply:
        """The answer that the call alone would have got.

        Raises RefusedError, NotWrittenError or MaybeWrittenError, by what is known of this call.
        """
        if exchange.gathering is None or not batch_calls.fits_batch(call):
            return await self._sender.send(call, exchange)
        body = WAYS[call.method].body(call)
        group = batch_calls.group_of(call) if call.method == "DELETE" else None
        return await exchange.gathering.meet(
            (self, call.method, group),
            Share(call=call, exchange=exchange, body=body),
            self._together[call.method],
            most=batch_calls.MOST_ROWS,
            behind=self._reader,
            patience=PATIENCE,
        )

    async def _sent(self, way: Way, shares: Sequence[Share]) -> Sequence[Reply | Exception]:
        """What became of each share: those that must be kept back do not leave with the others."""
        return await without_kept_back(Backend.EVERBRIDGE, shares, partial(self._joint, way))

    async def _joint(self, way: Way, shares: Sequence[Share]) -> Sequence[Reply | Exception]:
        """What became of each share of one batch."""
        if len(shares) == 1:
            return [await self._alone(shares[0])]
        call = way.joint([share.call for share in shares])
        try:
            reply = await send_joint(self._sender, call, shares)
        except RefusedError:
            # The batch as a whole: one of its rows may be to blame, so the others go without it.
            middle = len(shares) // 2
            halves = (shares[:middle], shares[middle:])
            sent = await asyncio.gather(*(self._sent(way, half) for half in halves))
            return [result for half in sent for result in half]
        except BackendFailure as failure:
            lost = some_kept_back(Backend.EVERBRIDGE, shares)
            if isinstance(failure, NotWrittenError) and lost:
                return await self._sent(way, shares)  # a lock was lost while the batch waited
            return [own_failure(failure) for _ in shares]
        if batch_calls.all_taken(reply) and way.tells_ids:
            return [_answer(reply, way.key(share.call)) for share in shares]
        return await self._looked_up(way, shares, reply)

    async def _looked_up(
        self, way: Way, shares: Sequence[Share], reply: Reply
    ) -> Sequence[Reply | Exception]:
        """What became of each share, by the contacts as they are now."""
        taken = batch_calls.all_taken(reply)
        keys = [way.key(share.call) for share in shares]
        exchange = joint_exchange(share.exchange for share in shares)
        found = await self._reader.look_up(way.kind, keys, exchange)
        unseen = [key for key in keys if found[key] == []]
        if taken and unseen:
            await asyncio.sleep(SEARCH_LAG)
            found |= await self._reader.look_up(way.kind, unseen, exchange)
        return await asyncio.gather(
            *(
                self._compared(share, found[key], reply)
                for share, key in zip(shares, keys, strict=True)
            )
        )

    async def _compared(
        self, share: Share, found: list[Stored] | BackendFailure, reply: Reply
    ) -> Reply | Exception:
        """What became of one share, of which the search has `found` something, or failed."""
        taken = batch_calls.all_taken(reply)
        if isinstance(found, BackendFailure):
            return _answer(reply, None) if taken else _unsure(await self._alone(share))
        if len(found) == 1 and (taken or has_arrived(share.call, found[0].raw)):
            return _answer(reply, found[0].id)
        alone = await self._alone(share)
        if taken and isinstance(alone, NotWrittenError | MaybeWrittenError):
            return _answer(reply, None)  # it was taken before, only its id is not known
        return alone

    async def _alone(self, share: Share) -> Reply | Exception:
        try:
            async with self._at_once:
                return await self._sender.send(share.call, share.exchange)
        except BackendFailure as failure:
            return failure


def _answer(reply: Reply, contact_id: str | None) -> Reply:
    """The batch's answer as that of a call for this one contact."""
    body = {"message": "OK", "code": batch_calls.ALL_ROWS}
    return replace(reply, body=body if contact_id is None else {**body, "id": contact_id}, text="")


def _unsure(alone: Reply | Exception) -> Reply | Exception:
    """What is known of a row that a batch may have taken before: not that it was not written."""
    return doubtful(alone) if isinstance(alone, NotWrittenError) else alone
