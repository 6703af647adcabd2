"""Writes to contacts that meet: jobs of iVvy's batches.

A batch is done later and job by job (ASSUMED: in order, and a job that fails leaves the others
alone). Each job's answer is judged as if the call had been made alone. A batch is never sent twice,
but jobs of which nothing is known may be: calls that may not be repeated never go into one.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gateway.backends.ivvy import batch_calls
from gateway.backends.ivvy.batch_run import BatchRun
from gateway.backends.joined import AT_ONCE
from gateway.backends.joint_calls import (
    Share,
    joint_exchange,
    own_failure,
    send_joint,
    some_kept_back,
    without_kept_back,
)
from gateway.calls import Safety
from gateway.errors import BackendFailure, MaybeWrittenError, NotWrittenError, RefusedError
from gateway.model import Backend
from gateway.results import ProblemCode
from gateway.sending.tries import doubtful
from gateway.sending.verdicts import class_of, may_ask_again, may_repeat, timed_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.backends.ivvy.client import IvvyDialect
    from gateway.calls import Call, Reply
    from gateway.upstream import Exchange, Sender

PATIENCE = 20.0
"""How many times as long as usual a batch waits for its jobs at most: new contacts are looked up
again first, one by one."""


class Batches:
    """Sends calls of plans, as jobs of a batch where work is gathered."""

    def __init__(
        self, sender: Sender, dialect: IvvyDialect, *, callback_url: str | None = None
    ) -> None:
        self._sender = sender
        self._dialect = dialect
        self._callback_url = callback_url
        self._run = BatchRun(sender)
        self._at_once = asyncio.Semaphore(AT_ONCE)

    async def send(self, call: Call, exchange: Exchange) -> Reply:
        """The answer that the call alone would have got.

        Raises RefusedError, NotWrittenError or MaybeWrittenError, by what is known of this call.
        """
        if exchange.gathering is None or call.safety is Safety.ONCE:
            return await self._sender.send(call, exchange)
        return await exchange.gathering.meet(
            self,
            Share(call=call, exchange=exchange, body=batch_calls.shown_job(call)),
            self._sent,
            most=batch_calls.MOST_JOBS,
            behind=self._sender,
            patience=PATIENCE,
        )

    async def _sent(self, shares: Sequence[Share]) -> Sequence[Reply | Exception]:
        """What became of each share: those that must be kept back do not leave with the others."""
        return await without_kept_back(Backend.IVVY, shares, self._joint)

    async def _joint(self, shares: Sequence[Share]) -> Sequence[Reply | Exception]:
        """What became of each share of one batch."""
        if len(shares) == 1:
            return [await self._alone(shares[0])]
        call = batch_calls.run([share.call for share in shares], self._callback_url)
        try:
            reply = await send_joint(self._sender, call, shares)
        except RefusedError:
            # Jobs are not looked at when a batch is taken, so it is batches that are refused.
            return await self._singly(shares)
        except BackendFailure as failure:
            if failure.problem.code is ProblemCode.FORBIDDEN:
                return await self._singly(shares)  # a key may be denied batches alone
            if isinstance(failure, NotWrittenError) and some_kept_back(Backend.IVVY, shares):
                return await self._sent(shares)  # a lock was lost while the batch waited
            return [_of_batch(failure, share) for share in shares]
        async_id = str(reply.body["asyncId"])
        exchange = joint_exchange(share.exchange for share in shares)
        told = await self._run.results(async_id, len(shares), exchange)
        if told is None:
            return [_of_batch(_never_told(async_id), share) for share in shares]
        return await self._judged(shares, told)

    async def _judged(self, shares: Sequence[Share], told: Reply) -> Sequence[Reply | Exception]:
        """What became of each share, by the results of the batch."""
        answers = batch_calls.responses_of([share.call for share in shares], told)
        missing = [share for share, answer in zip(shares, answers, strict=True) if answer is None]
        told_of = [
            self._own(share, answer)
            for share, answer in zip(shares, answers, strict=True)
            if answer is not None
        ]
        judged = iter(await asyncio.gather(*told_of))
        # With none of its own jobs in the results, the next batch would bring no more.
        again = self._sent if told_of else self._singly
        later = iter(await again(missing)) if missing else iter(())
        return [_unsure(next(later)) if answer is None else next(judged) for answer in answers]

    async def _own(self, share: Share, answer: Reply) -> Reply | Exception:
        """What a job's answer comes to; where the call alone would be tried again, it is now."""
        problem = self._dialect.judge(share.call, answer)
        if problem is None:
            return answer
        failure = class_of(share.call, problem)(problem)
        problem.retryable = may_ask_again(share.call, failure)
        if not may_repeat(share.call, problem.code):
            return failure
        alone = await self._alone(share)
        return _unsure(alone) if isinstance(failure, MaybeWrittenError) else alone

    async def _singly(self, shares: Sequence[Share]) -> Sequence[Reply | Exception]:
        return await asyncio.gather(*map(self._alone, shares))

    async def _alone(self, share: Share) -> Reply | Exception:
        try:
            async with self._at_once:
                return await self._sender.send(share.call, share.exchange)
        except BackendFailure as failure:
            return failure


def _of_batch(failure: BackendFailure, share: Share) -> BackendFailure:
    """A batch's failure as that of one job, which may be sent again where the batch may not."""
    own = own_failure(failure)
    own.problem.retryable = may_ask_again(share.call, own)
    return own


def _never_told(async_id: str) -> MaybeWrittenError:
    return MaybeWrittenError(
        timed_out(
            Backend.IVVY,
            f"iVvy took the write as a job of batch {async_id} and did not tell in time what became "
            "of it. It may or may not have done what was asked.",
        )
    )


def _unsure(result: Reply | Exception) -> Reply | Exception:
    """What is known of a job that an earlier batch may have done: not that it was not written."""
    return doubtful(result) if isinstance(result, NotWrittenError) else result
