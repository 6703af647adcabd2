"""The one HTTP sender: every call to every backend leaves here.

A backend's `client.py` gives a `Dialect`: how its calls are authorized and what its answers mean.
What may be repeated stands in `sending/verdicts.py`, by the table in docs/delivery.md.
"""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import httpx
import stamina

from gateway.calls import Reply, Safety, read, shown_filled
from gateway.errors import BackendFailure, MaybeWrittenError, NotWrittenError, RefusedError
from gateway.model import title
from gateway.results import BackendCall, Problem, ProblemCode
from gateway.sending.breaker import Breaker
from gateway.sending.quota import QuotaError, QuotaUnknownError, RetryBudget
from gateway.sending.traffic import Traffic
from gateway.sending.transport import wire_of
from gateway.sending.tries import AgainError, Progress
from gateway.sending.verdicts import (
    NOT_SENT,
    OUTAGES,
    class_of,
    is_timeout,
    lock_lost,
    may_ask_again,
    may_repeat,
    quota_unknown,
    retry_after,
    timed_out,
    unfit_address,
)
from gateway.telemetry.call_meter import OK, UNANSWERED, UNCOUNTED, UNSENT, Described, Meter
from gateway.telemetry.call_spans import span_of_try
from gateway.wire.errors import UnfitAddressError, WireError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.calls import Call
    from gateway.sending.gathering import Gathering
    from gateway.sending.quota import Window
    from gateway.sending.transport import Client

ATTEMPTS = 4
"""Tries of one call at most, the first included."""
WAITING_SHARE = 0.75
"""The share of the time that is left in which it is waited for a turn or a lock. The rest is for what comes
then: where more is asked for than there is, everybody is served who can just wait for it."""
FAIR_SECONDS = 1.0
"""A try that had less time than this, and less than any try has, tells nothing of a backend that was silent."""


class Dialect(Described, Protocol):
    """How one backend is spoken to."""

    base_url: str

    async def authorize(
        self, call: Call, content: bytes, *, renew: bool, sender: Sender, exchange: Exchange
    ) -> Mapping[str, str]:
        """The headers of one try; `renew` asks for a new token after a 401.

        `sender` and `exchange` are there for a dialect that must fetch a token first.
        """
        ...

    def judge(self, call: Call, reply: Reply) -> Problem | None:
        """What is wrong with an answer; None when it is a success. Pure.

        `retry_after_seconds` of the problem may hold what a header of the backend's own says;
        `Retry-After` wins over it.
        """
        ...


class Held(Protocol):
    """Something that must be held while a write leaves, and that can be lost."""

    @property
    def holds(self) -> bool:
        """Whether it is held now."""
        ...


@dataclass(kw_only=True)
class Exchange:
    """The calls of one piece of work, within its time."""

    deadline: float
    """On the clock of `time.monotonic`; nothing is started after it."""
    request_id: str = ""
    calls: list[BackendCall] = field(default_factory=list)
    """The writing calls, as they were made."""
    gathering: Gathering | None = None
    """Where this work meets other work of its kind, to make calls together; None when it is alone."""
    held: list[Held] = field(default_factory=list)
    """What its writes are sent under."""

    @property
    def left(self) -> float:
        """Seconds left until the deadline; never negative."""
        left = self.deadline - time.monotonic()
        return left if left > 0 else 0.0

    @property
    def patience(self) -> float:
        """Seconds that may be spent on waiting for a turn or a lock."""
        return self.left * WAITING_SHARE


class Sender:
    """Sends calls to one backend with one set of credentials."""

    def __init__(
        self,
        dialect: Dialect,
        client: Client,
        *,
        try_timeout: float = 10.0,
        quota_of: Callable[[Call], Window | None] = lambda _call: None,
        breaker: Breaker | None = None,
    ) -> None:
        self.dialect = dialect
        self._wire = wire_of(client)
        self._try_timeout = try_timeout
        self._quota_of = quota_of
        self._budget = RetryBudget()
        self.breaker = breaker or Breaker()
        self.traffic = Traffic()
        self.meter: Meter = UNCOUNTED
        self.on_refusal: Callable[[Call, Problem], None] | None = None
        """Hears of the calls that the backend has refused for what is in them."""

    async def send(self, call: Call, exchange: Exchange) -> Reply:
        """The backend's successful answer.

        Raises RefusedError, NotWrittenError or MaybeWrittenError, by what is known of the call.
        """
        self._budget.earn()
        if call.safety is Safety.READ:
            record = BackendCall(method=call.method, path=call.target)
        else:
            record = shown_filled(call)
            exchange.calls.append(record)
        progress = Progress(record=record)
        started = time.monotonic()
        try:
            # stamina's machinery for a second try takes as long as a call: most calls need none.
            return await self._try(call, exchange, progress)
        except AgainError as error:
            return await self._again(error, call, exchange, progress)
        except BackendFailure as failure:
            raise progress.known(failure) from failure.__cause__
        finally:
            record.duration_ms = round((time.monotonic() - started) * 1e6) / 1e3

    def quota_for(self, call: Call) -> Window | None:
        """The quota that such calls count against."""
        return self._quota_of(call)

    async def _again(
        self, failed: AgainError, call: Call, exchange: Exchange, progress: Progress
    ) -> Reply:
        """The answer to a later try, where there may be one; `failed` is the first one's end."""

        def wait_before_next(error: Exception) -> timedelta | bool:
            if not isinstance(error, AgainError) or error.wait >= exchange.left:
                return False
            if error.costs and not self._budget.spend():
                return False
            self.meter.again(error.failure.problem.code.value)
            return timedelta(seconds=error.wait)

        try:
            async for attempt in stamina.retry_context(
                on=wait_before_next, attempts=ATTEMPTS, timeout=None
            ):
                with attempt:
                    if attempt.num == 1:
                        raise failed
                    return await self._try(call, exchange, progress)
        except AgainError as error:
            raise progress.known(error.failure) from error.__cause__
        except BackendFailure as failure:
            raise progress.known(failure) from failure.__cause__
        raise AssertionError("a retry context ends by returning or raising")

    async def _try(self, call: Call, exchange: Exchange, progress: Progress) -> Reply:
        dialect = self.dialect
        if exchange.deadline <= time.monotonic():
            raise NotWrittenError(
                timed_out(dialect.backend, "The request's time was used up before sending.")
            )
        content = call.content()
        headers = {"X-Request-Id": exchange.request_id} if exchange.request_id else {}
        renew, progress.renew_next = progress.renew_next, False
        headers |= await dialect.authorize(
            call, content, renew=renew, sender=self, exchange=exchange
        )
        self._refuse_if_left_alone()
        quota = self._quota_of(call)
        if quota is not None:
            await self._take_turn(quota, exchange)
        if exchange.held and call.safety is not Safety.READ:
            self._refuse_if_lost(exchange)
        progress.record.attempts += 1
        with span_of_try(dialect, call, progress.record.attempts) as span:
            headers |= span.headers()
            started = time.monotonic()
            seconds = min(self._try_timeout, exchange.left)
            base_url = call.base_url or dialect.base_url
            try:
                answer = await self._wire.send(
                    call.method, base_url, call.target, headers, content, seconds
                )
            except (WireError, TimeoutError, httpx.RequestError) as error:
                kind = UNSENT if isinstance(error, NOT_SENT) else UNANSWERED
                if seconds < min(FAIR_SECONDS, self._try_timeout) and is_timeout(error):
                    self.breaker.forget()
                    self.meter.tried(call, time.monotonic() - started, kind)
                else:
                    self._note(call, started, kind, failed=True)
                span.failed(kind)
                raise self._unanswered(call, error, progress) from error
            except UnfitAddressError as error:
                # A key of 64 KB, say: no request is made of it, so the backend was not asked.
                self.breaker.forget()
                raise RefusedError(unfit_address(dialect.backend)) from error
            except asyncio.CancelledError:  # whoever asked has gone: a read, which nobody needs now
                self.breaker.forget()
                self.meter.tried(call, time.monotonic() - started, UNANSWERED)
                raise
            reply = read(answer)
            progress.record.status_code = reply.status
            span.note("http.response.status_code", reply.status)
            problem = dialect.judge(call, reply)
            if problem is None:
                self._note(call, started, OK, failed=False)
                return reply
            kind = problem.code.value
            self._note(call, started, kind, failed=problem.code in OUTAGES)
            span.failed(kind)
            raise self._refused(call, reply, problem, progress)

    def _refuse_if_left_alone(self) -> None:
        """Raise NotWrittenError while the backend is left alone after outages."""
        closed_for = self.breaker.admit()
        if closed_for is None:
            return
        self.meter.left_alone()
        problem = timed_out(
            self.dialect.backend,
            f"{title(self.dialect.backend)} has kept failing and is left alone for "
            f"{math.ceil(closed_for)} s; nothing was sent.",
        )
        problem.code = ProblemCode.UNAVAILABLE
        problem.retry_after_seconds = round(closed_for, 3)
        raise NotWrittenError(problem)

    def _refuse_if_lost(self, exchange: Exchange) -> None:
        """Raise NotWrittenError where something that a write must hold is held no more."""
        if not all(one.holds for one in exchange.held):
            self.breaker.forget()
            raise NotWrittenError(lock_lost(self.dialect.backend))

    async def _take_turn(self, quota: Window, exchange: Exchange) -> None:
        """Wait for a turn within the backend's quota.

        Raises NotWrittenError when it has no room within the request's time.
        """
        try:
            asked = time.monotonic()
            await quota.take(exchange.patience)
            self.meter.waited(time.monotonic() - asked)
        except QuotaError as error:
            self.breaker.forget()
            problem = timed_out(
                self.dialect.backend,
                f"The quota of {title(self.dialect.backend)} ({quota.limit} calls in "
                f"{quota.seconds:g} s) has no room within the request's time; nothing was sent.",
            )
            problem.code = ProblemCode.RATE_LIMITED
            problem.retry_after_seconds = round(error.seconds, 3)
            raise NotWrittenError(problem) from None
        except QuotaUnknownError as error:
            self.breaker.forget()
            raise NotWrittenError(quota_unknown(self.dialect.backend)) from error
        except asyncio.CancelledError:
            self.breaker.forget()
            raise

    def _note(self, call: Call, started: float, outcome: str, *, failed: bool) -> None:
        """Remember how a try ended, for health, for the breaker and for the metrics."""
        seconds = time.monotonic() - started
        self.traffic.note(seconds, failed=failed)
        self.breaker.note(failed=failed)
        self.meter.tried(call, seconds, outcome)

    def _refused(self, call: Call, reply: Reply, problem: Problem, progress: Progress) -> Exception:
        """The error of an answer that says no."""
        failure = class_of(call, problem)(problem)
        failure.reply = reply
        progress.perhaps |= isinstance(failure, MaybeWrittenError)
        problem.retryable = may_ask_again(call, failure)
        if isinstance(failure, RefusedError) and self.on_refusal is not None:
            self.on_refusal(call, problem)
        if problem.code is ProblemCode.UNAUTHORIZED and not progress.renewed:
            progress.renewed = progress.renew_next = True
            return AgainError(failure, 0.0, costs=False)
        if not may_repeat(call, problem.code):
            return failure
        asked = retry_after(reply)
        if asked is None:
            asked = problem.retry_after_seconds  # by a header of the backend's own
        problem.retry_after_seconds = asked
        return AgainError(failure, progress.backoff() if asked is None else asked)

    def _unanswered(self, call: Call, error: Exception, progress: Progress) -> Exception:
        """The error of a call that got no answer."""
        name = title(self.dialect.backend)
        if isinstance(error, NOT_SENT):
            problem = timed_out(
                self.dialect.backend, f"{name} could not be reached; nothing was sent."
            )
            problem.code = ProblemCode.UNAVAILABLE
            return AgainError(NotWrittenError(problem), progress.backoff())
        problem = timed_out(
            self.dialect.backend, f"{name} did not answer ({type(error).__name__})."
        )
        if not is_timeout(error):
            problem.code = ProblemCode.UNAVAILABLE
        if call.safety is Safety.READ:
            return AgainError(NotWrittenError(problem), progress.backoff())
        problem.message += " It may or may not have done what was asked."
        progress.perhaps = True
        failure = MaybeWrittenError(problem)
        problem.retryable = may_ask_again(call, failure)
        return failure if call.safety is Safety.ONCE else AgainError(failure, progress.backoff())
