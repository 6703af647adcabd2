"""What an answer, or the lack of one, tells of a call: whether it was taken, and may be repeated.

The table of docs/delivery.md, in code.
"""

from __future__ import annotations

import math
import time
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import httpx

from gateway.calls import Reply, Safety
from gateway.errors import BackendFailure, MaybeWrittenError, NotWrittenError, RefusedError
from gateway.model import title
from gateway.results import Problem, ProblemCode
from gateway.wire.errors import ConnectTimeoutError, NotSentError

if TYPE_CHECKING:
    from gateway.calls import Call
    from gateway.model import Backend

NOT_SENT = (
    NotSentError,
    *(httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol),
)
"""Failures before the first byte left."""
OUTAGES = frozenset({ProblemCode.UNAVAILABLE, ProblemCode.BACKEND_ERROR, ProblemCode.TIMEOUT})


def class_of(call: Call, problem: Problem) -> type[BackendFailure]:
    """What an answer that says no tells of the write."""
    if problem.code in {
        ProblemCode.UNAUTHORIZED,
        ProblemCode.FORBIDDEN,
        ProblemCode.RATE_LIMITED,
        ProblemCode.UNAVAILABLE,
    }:
        return NotWrittenError
    if problem.code is ProblemCode.BACKEND_ERROR:
        return NotWrittenError if call.safety is Safety.READ else MaybeWrittenError
    return RefusedError


def may_repeat(call: Call, code: ProblemCode) -> bool:
    """Whether a call that was answered so may be sent again by itself."""
    if code in {ProblemCode.RATE_LIMITED, ProblemCode.UNAVAILABLE}:
        return True  # the answer says that the call was not taken
    return code is ProblemCode.BACKEND_ERROR and call.safety is not Safety.ONCE


def is_timeout(error: Exception) -> bool:
    """Whether a try has ended because its time was over; a connection may not have come about by then."""
    return isinstance(error, httpx.TimeoutException | TimeoutError | ConnectTimeoutError)


def may_ask_again(call: Call, failure: BackendFailure) -> bool:
    """Whether the caller may ask for the same again: not where it may then be done twice."""
    if isinstance(failure, MaybeWrittenError):
        return call.safety is not Safety.ONCE
    return not isinstance(failure, RefusedError)


def retry_after(reply: Reply) -> float | None:
    """Seconds to wait by `Retry-After`, in seconds or as a date; None when it is not there."""
    value = reply.headers.get("retry-after")
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            at = parsedate_to_datetime(value)
        except ValueError:
            return None
        # A date without a zone is in UTC: HTTP knows no other.
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        seconds = at.timestamp() - time.time()
    return max(0.0, seconds) if math.isfinite(seconds) else None


def timed_out(backend: Backend, message: str) -> Problem:
    """The problem of a call that got no answer in time."""
    return Problem(backend=backend, code=ProblemCode.TIMEOUT, message=message, retryable=True)


def unfit_address(backend: Backend) -> Problem:
    """The problem of a call whose address is none."""
    return Problem(
        backend=backend,
        code=ProblemCode.INVALID,
        message="The call's address would be too long, or hold characters that none can: a key or "
        "an id of the input is not one of this backend.",
    )


def lock_lost(backend: Backend) -> Problem:
    """The problem of a write whose record another process may be writing by now."""
    return Problem(
        backend=backend,
        code=ProblemCode.CONFLICT,
        message="This gateway stood still for so long, or was without its store, that another one may "
        "be writing the same record; nothing was sent by this one.",
        retryable=True,
    )


def quota_unknown(backend: Backend) -> Problem:
    """The problem of a call while the store, which keeps the quota, cannot be asked."""
    return Problem(
        backend=backend,
        code=ProblemCode.UNAVAILABLE,
        message=f"The gateway's store, by which several gateways keep the quota of {title(backend)} "
        "together, cannot be used now; nothing was sent.",
        retryable=True,
    )
