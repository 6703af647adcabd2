"""Calls that carry the parts of several writes, of which each one's receipt shows its own alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gateway.errors import NotWrittenError
from gateway.results import BackendCall
from gateway.sending.verdicts import lock_lost, timed_out
from gateway.upstream import Exchange

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from gateway.calls import Call, Reply
    from gateway.errors import BackendFailure
    from gateway.model import Backend
    from gateway.upstream import Sender


@dataclass(frozen=True, kw_only=True)
class Share:
    """One write's part of a joint call."""

    call: Call
    """The call that it would make alone."""
    exchange: Exchange
    """The write's own: its receipt lists what stands in there."""
    body: Any
    """Its part of the joint call's body, as the receipt may show it."""


def joint_exchange(exchanges: Iterable[Exchange]) -> Exchange:
    """An exchange with the time of the one that has most, and all that any of them must hold."""
    each = list(exchanges)
    return Exchange(
        deadline=max(one.deadline for one in each),
        request_id=each[0].request_id,
        held=[held for one in each for held in one.held],
    )


def kept_back(exchange: Exchange, backend: Backend) -> NotWrittenError | None:
    """Why a write must not leave any more, in company or alone; None when it may."""
    if exchange.held and not all(held.holds for held in exchange.held):
        return NotWrittenError(lock_lost(backend))
    if exchange.left <= 0:
        return NotWrittenError(timed_out(backend, "The request's time was used up before sending."))
    return None


async def without_kept_back(
    backend: Backend,
    shares: Sequence[Share],
    together: Callable[[Sequence[Share]], Awaitable[Sequence[Reply | Exception]]],
) -> Sequence[Reply | Exception]:
    """What `together` brings for the shares that may leave, and why the others may not."""
    kept = [kept_back(share.exchange, backend) for share in shares]
    leaving = [share for share, why in zip(shares, kept, strict=True) if why is None]
    results = iter(await together(leaving)) if leaving else iter(())
    return [next(results) if why is None else why for why in kept]


def some_kept_back(backend: Backend, shares: Sequence[Share]) -> bool:
    """Whether some of the shares may not leave any more, and others may."""
    kept = [kept_back(share.exchange, backend) for share in shares]
    return any(kept) and not all(kept)


async def send_joint(sender: Sender, call: Call, shares: Sequence[Share]) -> Reply:
    """The backend's successful answer to a writing call that carries all the shares.

    Each share's exchange records the call, with its own part of the body. Raises what the sender
    raises.
    """
    exchange = joint_exchange(share.exchange for share in shares)
    records = []
    for share in shares:
        record = BackendCall(method=call.method, path=call.target, body=share.body)
        share.exchange.calls.append(record)
        records.append(record)
    try:
        return await sender.send(call, exchange)
    finally:
        for made in exchange.calls:
            for record in records:
                record.status_code = made.status_code
                record.duration_ms = made.duration_ms
                record.attempts = made.attempts


def own_failure(failure: BackendFailure) -> BackendFailure:
    """The same failure for one more write: each has a problem of its own, which it may add to."""
    own = type(failure)(replace(failure.problem))
    own.reply = failure.reply
    own.__cause__ = failure
    return own
