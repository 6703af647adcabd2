"""One batch from its start to its results: when iVvy is asked how far it is.

It is asked seldom. The first time is guessed from the batches before; from then on what it says of
its progress tells how long the rest will take.
"""

from __future__ import annotations

from asyncio import sleep
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.backends.ivvy import batch_calls
from gateway.errors import NotWrittenError, RefusedError

if TYPE_CHECKING:
    from gateway.calls import Reply
    from gateway.upstream import Exchange, Sender

SHORTEST, LONGEST = 0.5, 60.0
"""Seconds between two questions, at least and at most."""
RESERVE = 1.25
"""How much longer than foretold a batch is given, because each further question costs a call."""
DONE = 100.0


@dataclass(kw_only=True)
class Pace:
    """How fast batches have been of late."""

    seconds: float = 1.0
    """ASSUMED at first: nothing is said of how long a batch takes."""
    jobs: int = batch_calls.MOST_JOBS

    def first_wait(self, jobs: int) -> float:
        """Seconds after which a batch is asked after for the first time.

        A larger batch than the last one is asked after no later: how far it is then tells more than
        a few jobs, which may have been done long before they were asked after.
        """
        return _bounded(self.seconds * min(1.0, jobs / self.jobs))

    def learn(self, jobs: int, seconds: float, questions: int) -> None:
        """Take note of a batch; one that was done at the first question may be asked sooner."""
        self.seconds, self.jobs = seconds * (0.9 if questions == 1 else 1.0), jobs


class BatchRun:
    """Follows batches until their results are there."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._pace = Pace()

    async def results(self, async_id: str, jobs: int, exchange: Exchange) -> Reply | None:
        """The answer with the results; None when they are not told within the exchange's time."""
        wait = self._pace.first_wait(jobs)
        waited, questions = 0.0, 0
        while True:
            await sleep(min(wait, exchange.left))
            waited += wait
            share = 0.0
            try:
                share = await self._progress(async_id, exchange)
                questions += 1
                if share >= DONE:
                    reply = await self._sender.send(batch_calls.results(async_id), exchange)
                    self._pace.learn(jobs, waited, questions)
                    return reply
            except NotWrittenError:
                pass  # no answer now: the batch goes on without being asked
            except RefusedError as refusal:
                if refusal.problem.backend_code != batch_calls.NOT_COMPLETED:
                    return None
            if exchange.left <= 0:
                return None
            wait = next_wait(waited, share)

    async def _progress(self, async_id: str, exchange: Exchange) -> float:
        reply = await self._sender.send(batch_calls.progress(async_id), exchange)
        return float(reply.body["progress"])


def next_wait(waited: float, share: float) -> float:
    """Seconds until the next question, when it took `waited` seconds to come to `share` per cent."""
    if share <= 0:
        return _bounded(waited)
    exact = min(share + 0.5, DONE)  # the whole number that is told may be rounded down
    return _bounded(waited * (DONE - exact) / exact * RESERVE)


def _bounded(seconds: float) -> float:
    return min(max(seconds, SHORTEST), LONGEST)
