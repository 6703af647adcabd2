"""One call with the writes of several callers, each of whom gets its own answer.

SendGrid takes a call whole or not at all. When it refuses one for what is in it, those that it
blames are told so and the rest is sent again; when it blames none, the call is halved until the
culprit is alone in one.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gateway.backends.joint_calls import joint_exchange, kept_back, own_failure
from gateway.backends.sendgrid.refusals import explain
from gateway.calls import shown_filled
from gateway.errors import BackendFailure, MaybeWrittenError, NotWrittenError, RefusedError
from gateway.model import Backend
from gateway.results import Problem, ProblemCode
from gateway.sending.tries import doubtful
from gateway.sending.verdicts import timed_out
from gateway.timers import begin

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gateway.calls import Call, Reply
    from gateway.results import BackendCall
    from gateway.upstream import Exchange, Sender

MAX_REFUSED = 64
"""Refusals of what was one call at first, after which the search for culprits ends."""
MAX_BLAMED = 8
"""Refusals after which the rest is halved too: SendGrid seems to name one culprit at a time."""


@dataclass(eq=False, kw_only=True)
class Caller:
    """A write that waits for its answer."""

    call: Call
    """The call that it would be alone."""
    exchange: Exchange
    record: BackendCall
    """What its receipt shows."""
    answer: asyncio.Future[Reply]
    flight: Exchange | None = None
    """The exchange of the shared call that it is in now."""
    perhaps: bool = False
    """Whether an earlier call with it may have done what was asked."""

    @classmethod
    def of(cls, call: Call, exchange: Exchange) -> Caller:
        """The caller of a call, which is in its receipt from now on."""
        record = shown_filled(call)
        exchange.calls.append(record)
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        return cls(call=call, exchange=exchange, record=record, answer=answer)

    @property
    def waits(self) -> bool:
        """Whether it has no answer yet, and neither gone nor used up its time."""
        return not self.answer.done()

    def expire(self) -> None:
        """Tell it that its time is used up: NotWrittenError only while it surely was not sent."""
        if not self.waits:
            return
        if self.flight is None and not self.perhaps:
            message = "The request's time was used up before sending."
            self.answer.set_exception(NotWrittenError(timed_out(Backend.SENDGRID, message)))
            return
        if self.flight is not None:
            self.note(self.flight)
        message = (
            "SendGrid did not answer within the request's time. It may or may not have done what "
            "was asked, or do it yet."
        )
        self.answer.set_exception(MaybeWrittenError(timed_out(Backend.SENDGRID, message)))

    def note(self, flight: Exchange) -> None:
        """Show in its receipt how a shared call went."""
        for made in flight.calls:
            self.record.attempts += made.attempts
            self.record.status_code = made.status_code
            spent = (self.record.duration_ms or 0.0) + (made.duration_ms or 0.0)
            self.record.duration_ms = round(spent, 3)

    def fail(self, failure: BackendFailure) -> None:
        """Tell it of a failure, with a problem of its own."""
        if self.waits:
            own = own_failure(failure)
            self.answer.set_exception(doubtful(own) if self.perhaps else own)

    async def wait(self) -> Reply:
        """Its answer, within its own time, whatever time the others in its call have.

        Raises as `Sender.send` does: NotWrittenError while it surely was not sent.
        """
        timer = begin(self.exchange.deadline, self.expire, self.answer.get_loop())
        try:
            return await self.answer
        finally:
            timer.cancel()


@dataclass(eq=False, kw_only=True)
class Part:
    """What a shared call carries for one contact; callers who write to the same one have it together."""

    callers: list[Caller]
    over: bool = False
    """Whether nothing more is sent for it."""
    followed: asyncio.Event | None = None
    """Tells that to who waits for it, which few do."""

    @property
    def waiting(self) -> list[Caller]:
        """The callers that have no answer yet."""
        return [caller for caller in self.callers if not caller.answer.done()]

    def close(self) -> None:
        """Note that nothing more is sent for it."""
        self.over = True
        if self.followed is not None:
            self.followed.set()

    async def closed(self) -> None:
        """Wait until nothing more is sent for it."""
        if not self.over:
            self.followed = self.followed or asyncio.Event()
            await self.followed.wait()

    def end(self, reply: Reply) -> None:
        """Tell its callers the answer."""
        for caller in self.waiting:
            caller.answer.set_result(reply)
        self.close()

    def break_off(self, error: Exception) -> None:
        """Tell its callers of a fault of our own, at whose border it ends."""
        for caller in self.waiting:
            caller.answer.set_exception(error)

    def fail(self, failure: BackendFailure) -> None:
        """Tell its callers of a failure."""
        for caller in self.waiting:
            caller.fail(failure)
        self.close()


@dataclass(kw_only=True)
class _Course:
    """How the parts of what was one call at first have fared."""

    refused: int = 0


@dataclass(frozen=True, kw_only=True)
class SharedCalls:
    """Sends parts together."""

    sender: Sender
    joined: Callable[[Sequence[Part]], Call]
    """One call with all of the parts, as far as their callers still wait."""
    blamed: Callable[[Reply, Sequence[Part]], Mapping[int, Reply] | None]
    """The parts that a refusal names, by their place, each with what the answer says of it; empty
    when it names none, None when it concerns all of them alike."""
    divisible: frozenset[int]
    """Statuses of refusals that may be about some of the parts only."""

    async def send(self, parts: Sequence[Part]) -> None:
        """Send the parts in one call, or in more where it is refused, and tell each caller."""
        await self._send(parts, _Course())

    async def _send(self, parts: Sequence[Part], course: _Course) -> None:
        leaving = [(part, callers) for part in parts if (callers := _leaving(part))]
        if not leaving:
            return
        there = [part for part, _ in leaving]
        try:
            reply = await self._fly(there, [caller for _, some in leaving for caller in some])
        except BackendFailure as failure:
            await self._after(failure, there, course)
        else:
            for part in there:
                part.end(reply)

    async def _fly(self, parts: Sequence[Part], aboard: Sequence[Caller]) -> Reply:
        """The answer to one call with all the parts; it may last as long as any of them can wait."""
        flight = joint_exchange(caller.exchange for caller in aboard)
        call = self.joined(parts)
        for caller in aboard:
            caller.flight = flight
        try:
            return await self.sender.send(call, flight)
        finally:
            for caller in aboard:
                caller.flight = None
                if caller.waits:
                    caller.note(flight)

    async def _after(self, failure: BackendFailure, parts: Sequence[Part], course: _Course) -> None:
        """Go on after a call that failed: tell whom it concerns, and send the others again."""
        reply = failure.reply
        if isinstance(failure, MaybeWrittenError):
            for caller in (caller for part in parts for caller in part.callers):
                caller.perhaps = True
        if isinstance(failure, NotWrittenError) and reply is None and _some_unlocked(parts):
            await self._send(parts, course)  # those who have lost theirs are left out now
            return
        alone = len(parts) == 1 and len(parts[0].waiting) <= 1
        if reply is None or reply.status not in self.divisible or alone:
            _fail(parts, failure)
            return
        if len(parts) == 1:
            await self._one_by_one(parts[0], course)
            return
        culprits = self.blamed(reply, parts)
        if culprits is None:
            _fail(parts, failure)
            return
        course.refused += 1
        if course.refused >= MAX_REFUSED:
            _fail(parts, NotWrittenError(_undecided()))
            return
        rest = [part for place, part in enumerate(parts) if place not in culprits]
        halved = not culprits or course.refused > MAX_BLAMED
        together = [rest[: len(rest) // 2], rest[len(rest) // 2 :]] if halved else [rest]
        await asyncio.gather(
            *(self._send(some, course) for some in together),
            *(self._tell(parts[place], said, course) for place, said in culprits.items()),
        )

    async def _tell(self, part: Part, said: Reply, course: _Course) -> None:
        """Tell a culprit what was said of it."""
        if len(part.waiting) > 1:
            await self._one_by_one(part, course)
            return
        for caller in part.waiting:
            caller.fail(RefusedError(explain(caller.call, said)))
        part.close()

    async def _one_by_one(self, part: Part, course: _Course) -> None:
        """Send the writes to one contact each for itself, in their order: not all need be wrong."""
        for caller in part.waiting:
            await self._send([replace(part, callers=[caller], over=False, followed=None)], course)
        part.close()


def _fail(parts: Sequence[Part], failure: BackendFailure) -> None:
    for part in parts:
        part.fail(failure)


def _leaving(part: Part) -> list[Caller]:
    """A part's callers without those that may not leave any more, having lost their lock, say.

    Those are told so; where that leaves none, the part is at its end.
    """
    leaving: list[Caller] = []
    for caller in part.waiting:
        why = kept_back(caller.exchange, Backend.SENDGRID)
        if why is None:
            leaving.append(caller)
        else:
            caller.fail(why)
    if not leaving:
        part.close()
    return leaving


def _some_unlocked(parts: Sequence[Part]) -> bool:
    """Whether some of the writes have lost their locks, and others are not concerned."""
    exchanges = [caller.exchange for part in parts for caller in part.waiting]
    lost = [not all(held.holds for held in exchange.held) for exchange in exchanges]
    return any(lost) and not all(lost)


def _undecided() -> Problem:
    """What those are told who are left: not SendGrid's words, which may quote somebody else's contact."""
    return Problem(
        backend=Backend.SENDGRID,
        code=ProblemCode.BACKEND_ERROR,
        message="SendGrid refused this contact in one call with others, without saying which of them "
        "is wrong: nothing was written. Try again.",
        retryable=True,
    )
