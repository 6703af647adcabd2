"""Calls with an idempotency key: the first runs, those beside it wait, later ones get its payload.

The key is stored before anything is sent, and what is sent is noted before it leaves. A holder
keeps the key by renewing it; when it dies, whoever comes next takes the key over and sees in what
is stored how far that one came.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from gateway.errors import NotWrittenError
from gateway.locking.leased import RENEWALS
from gateway.operations.outcomes import call_in_doubt, call_partly_done, refuse_making_twice
from gateway.operations.receipts import VERSION, Kept
from gateway.results import Outcome, Problem, ProblemCode
from gateway.store.errors import StoreError
from gateway.store.idempotency import KeyState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping

    from gateway.model import Backend
    from gateway.operations.asked import Asked
    from gateway.results import BackendResult
    from gateway.store.idempotency import IdempotencyKeys, KeyUse
    from gateway.target import Part
    from gateway.upsert import Receipt

log = structlog.get_logger()

_FIELD = ("idempotencyKey",)
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.5
"""Seconds between two looks at a call that runs elsewhere."""


def utc_now() -> datetime:
    """The current instant in UTC."""
    return datetime.now(UTC)


class KeyRefusedError(Exception):
    """The call cannot be run under its key; `problem` says why."""

    def __init__(self, problem: Problem, *, rejected: bool) -> None:
        super().__init__(problem.message)
        self.problem = problem
        self.rejected = rejected
        """Whether the call itself is wrong; otherwise it may be made again later."""


@dataclass(kw_only=True)
class HeldKey:
    """A key that this call works under."""

    keys: IdempotencyKeys
    use: KeyUse
    lives_for: timedelta
    clock: Callable[[], datetime]
    kept: Kept
    doubted: frozenset[Backend] = field(init=False)
    """Where an earlier call may have written."""
    partly: Mapping[Backend, BackendResult] = field(init=False)
    """What an earlier call has done a part of."""
    _saving: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self.doubted = self.kept.doubted()
        before = self.kept.results.items()
        self.partly = {name: one for name, one in before if one.outcome is Outcome.PARTIAL}

    def look_back(self, results: Iterable[BackendResult]) -> None:
        """Tell with targets that were not written now what is not known of earlier calls."""
        for result in results:
            if result.outcome is Outcome.FAILED and result.backend in self.doubted:
                call_in_doubt(result)

    def look_back_at_part(self, result: BackendResult) -> None:
        """Tell with a target that refuses the rest now that an earlier call has done a part."""
        before = self.partly.get(result.backend)
        if before is not None and result.outcome is Outcome.REJECTED:
            call_partly_done(result, before.id, before.changed_fields)

    async def sending(self, part: Part, *, repeatable: bool) -> None:
        """Note that a target's write is about to leave; raises NotWrittenError to keep it back.

        Kept back is one that would make what an earlier call under the key has made already.
        """
        made = self.kept.made.get(part.backend)
        refuse_making_twice(part, made, "An earlier call with this idempotencyKey", _FIELD)
        self.kept.sent[part.backend] = repeatable
        self.kept.results.pop(part.backend, None)
        try:
            held = await self.save(finished=False)
        except StoreError as error:
            raise NotWrittenError(_store_is_down(part)) from error
        if not held:
            raise NotWrittenError(_taken_over(part))

    async def answered(self, result: BackendResult) -> None:
        """Note the record that a write has made which must not be sent twice; what follows it may be."""
        if self.kept.sent.get(result.backend, True) or result.id is None:
            return
        self.kept.made[result.backend] = str(result.id)
        self.kept.sent[result.backend] = True
        try:
            await self.save(finished=False)
        except StoreError:
            log.exception("made record not stored", backend=result.backend.value)

    async def ended(self, part: Part) -> None:
        """Note what became of a write that was sent; the last `finish` says it again."""
        if part.result is None or part.backend not in self.kept.sent:
            return
        self.kept.results[part.backend] = part.result
        try:
            await self.save(finished=False)
        except StoreError:
            log.exception("result not stored", backend=part.backend.value)

    async def finish(self, receipt: Receipt) -> None:
        """Keep the call's whole receipt, and let go of the key.

        A receipt that cannot be stored is told all the same: it is true, and the next call under
        the key goes by what was stored before.
        """
        self.kept.take(receipt)
        try:
            await self.save(finished=True)
        except StoreError:
            log.exception("receipt not stored")

    async def let_go(self) -> None:
        """End without a change."""
        try:
            await self.save(finished=True)
        except StoreError:
            log.exception("idempotency key not let go")

    async def drop(self) -> None:
        """Forget the key: its call had no effect, and the same one may be made anew."""
        try:
            await self.keys.drop_key(self.use)
        except StoreError:
            log.exception("idempotency key not dropped")

    async def save(self, *, finished: bool) -> bool:
        """Store what is kept so far; False when the key is another call's. Raises StoreError."""
        async with self._saving:
            return await self.keys.save_receipt(
                self.use,
                self.kept.to_stored(),
                VERSION,
                finished=finished,
                expires_at=self.clock() + self.lives_for,
            )


@dataclass(kw_only=True)
class Replay:
    """A key whose call was made before."""

    kept: Kept
    operation_id: str | None


@dataclass(kw_only=True)
class KeyedCalls:
    """The calls of one gateway that have a key."""

    keys: IdempotencyKeys
    holder: str
    """Names this process."""
    lives_for: timedelta
    lease: timedelta = timedelta(seconds=15)
    """How long a key stays with a process that no longer says anything."""
    clock: Callable[[], datetime] = utc_now

    @asynccontextmanager
    async def hold(
        self, asked: Asked, deadline: float, *, again: bool = False
    ) -> AsyncIterator[HeldKey | Replay]:
        """The key, to work under; or what became of the call that was made under it before.

        `again` takes also a key whose durable call has ended; `hold_again` is for that. A call that
        runs now, here or in another process, is waited for until `deadline` (of `time.monotonic`).
        Raises KeyRefusedError.
        """
        try:
            found = await self._take(asked, deadline, again=again)
        except StoreError as error:
            raise KeyRefusedError(_unavailable(), rejected=False) from error
        if isinstance(found, Replay):
            yield found
            return
        renewing = asyncio.create_task(self._renew(found.use))
        try:
            yield found
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)

    @asynccontextmanager
    async def hold_again(self, asked: Asked, deadline: float) -> AsyncIterator[HeldKey]:
        """As `hold`, for the key of a durable call that has ended, to run what of it has failed."""
        async with self.hold(asked, deadline, again=True) as held:
            if isinstance(held, Replay):
                raise AssertionError("a key that is taken again is held")
            yield held

    async def _take(self, asked: Asked, deadline: float, *, again: bool) -> HeldKey | Replay:
        pause = FIRST_PAUSE
        while True:
            use = await self._hold(asked, again=again)
            match use.state:
                case KeyState.REUSED:
                    raise KeyRefusedError(_reused(), rejected=True)
                case KeyState.RUNNING:
                    if time.monotonic() + pause >= deadline:
                        raise KeyRefusedError(_still_running(), rejected=False)
                    await asyncio.sleep(pause)
                    pause = min(LONGEST_PAUSE, pause * 2)
                case KeyState.FINISHED:
                    kept = _known(use)
                    replayed = kept.results and len(kept.final()) == len(kept.results)
                    if use.operation_id is not None or replayed:
                        return Replay(kept=kept, operation_id=use.operation_id)
                    again = True
                case KeyState.HELD:
                    held = self._held(use)
                    if use.taken_over and use.operation_id is not None:
                        # Whoever died over it was to run again what of the operation had failed,
                        # and has stored nothing: the operation is what there is.
                        await held.save(finished=True)
                        continue
                    if use.taken_over:
                        held.kept.settle()
                    return held

    def _held(self, use: KeyUse) -> HeldKey:
        return HeldKey(
            keys=self.keys,
            use=use,
            lives_for=self.lives_for,
            clock=self.clock,
            kept=_known(use),
        )

    async def _hold(self, asked: Asked, *, again: bool) -> KeyUse:
        now = self.clock()
        return await self.keys.hold_key(
            asked.caller,
            asked.key or "",
            input_hash=asked.input_hash,
            holder=self.holder,
            until=now + self.lease,
            expires_at=now + self.lives_for,
            now=now,
            again=again,
        )

    async def _renew(self, use: KeyUse) -> None:
        """Keep the key while its call runs; whoever loses it notices before it sends anything."""
        while True:
            await asyncio.sleep(self.lease.total_seconds() / RENEWALS)
            try:
                if not await self.keys.renew_key(use, until=self.clock() + self.lease):
                    return
            except StoreError:
                log.exception("idempotency key not renewed")


def _known(use: KeyUse) -> Kept:
    """What is stored under a key; raises KeyRefusedError for what another version has stored."""
    if use.receipt is not None and use.receipt_version != VERSION:
        raise KeyRefusedError(_other_version(), rejected=False)
    return Kept.from_stored(use.receipt)


# ---------------------------------------------------------------- what is told


def _problem(
    message: str, code: ProblemCode = ProblemCode.CONFLICT, *, retryable: bool = True
) -> Problem:
    return Problem(code=code, message=message, field=[*_FIELD], retryable=retryable)


def _reused() -> Problem:
    return _problem(
        "This idempotencyKey was used before with another input, target, mode, ifMissing or "
        "delivery: a new call needs a new key.",
        ProblemCode.KEY_REUSED,
        retryable=False,
    )


def _still_running() -> Problem:
    return _problem(
        "The first call with this idempotencyKey still runs: repeat this one for its payload."
    )


def _other_version() -> Problem:
    return _problem(
        "Another version of the gateway has kept what became of this idempotencyKey, and this one "
        "cannot read it: look the record up before you send it under another key.",
        retryable=False,
    )


def _unavailable() -> Problem:
    return _problem(
        "The gateway's store, which keeps idempotency keys, cannot be used now: nothing was sent.",
        ProblemCode.UNAVAILABLE,
    )


def _store_is_down(part: Part) -> Problem:
    problem = _unavailable()
    problem.backend = part.backend
    return problem


def _taken_over(part: Part) -> Problem:
    problem = _problem(
        "This call stood still for so long that another one with the same idempotencyKey has gone "
        "on with it; nothing was sent by this one."
    )
    problem.backend = part.backend
    return problem
