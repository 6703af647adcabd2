"""The story of a write; start reading here.

For each target side by side: check, resolve, find (`planning.py`) and plan (`deciding.py`); then all
targets wait for each other; then each plan is delivered. If one target has a problem in its input,
nothing is written anywhere. A backend that does not answer is no problem of the input: the others
wait for it a bounded time, then go on without it.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from gateway.deciding import plan, siblings_of
from gateway.delivery import deliver, dry_run, is_repeatable
from gateway.planning import lacks_key, look_again, prepare, unknown_names
from gateway.results import Outcome, UpsertStatus, in_order, summarize
from gateway.target import SILENT, Border, Journal, Target
from gateway.upstream import Exchange

if TYPE_CHECKING:
    from collections.abc import Collection, Coroutine, Sequence

    from gateway.backends.adapter import Adapter, Found
    from gateway.locking.locks import Locks
    from gateway.model import Backend
    from gateway.names import Loaders
    from gateway.planning import Prepared
    from gateway.results import BackendResult, Problem
    from gateway.write import ContactWrite

T = TypeVar("T")


@dataclass(kw_only=True)
class Receipt:
    """What became of a write, over all its targets."""

    results: list[BackendResult]
    """In the order of the Backend enum."""
    errors: list[Problem]
    """Those of the input first."""
    rejected: bool = False
    """Whether nothing was written because the input is wrong."""

    def status(self, *, dry: bool) -> UpsertStatus:
        """What became of the write as a whole."""
        if self.rejected:
            return UpsertStatus.REJECTED
        return summarize((result.outcome for result in self.results), dry=dry)


@dataclass(frozen=True, kw_only=True)
class Writer:
    """What writing needs beside the adapters."""

    locks: Locks
    plan_wait: float = 2.0
    """Seconds that the targets wait for one that does not answer."""
    running: set[asyncio.Task[Any]] = field(default_factory=set)
    """Deliveries under way; they are finished even when their callers have gone."""

    def start(self, delivery: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Let a delivery go to its end, whatever becomes of its caller."""
        task = asyncio.create_task(delivery)
        self.running.add(task)
        task.add_done_callback(self.running.discard)
        return task

    async def finish(self, deliveries: Sequence[Coroutine[Any, Any, None]]) -> None:
        """Let deliveries go to their ends side by side, whatever becomes of their caller."""
        loop = asyncio.get_running_loop()
        over = loop.create_future()
        left = len(deliveries)

        def ended(task: asyncio.Task[None]) -> None:
            nonlocal left
            self.running.discard(task)
            left -= 1
            if not (left or over.done()):  # done already where the caller has gone away
                over.set_result(None)

        tasks = [loop.create_task(delivery) for delivery in deliveries]
        for task in tasks:
            self.running.add(task)
            task.add_done_callback(ended)
        if tasks:
            await over  # alone: when the caller goes away, nothing else is cancelled
        for task in tasks:
            task.result()

    async def drain(self, seconds: float | None = None) -> None:
        """Wait for the deliveries under way; after `seconds` they are left as they are."""
        if self.running:
            await asyncio.wait(self.running, timeout=seconds)


async def upsert(
    write: ContactWrite,
    problems: Sequence[Problem],
    adapters: Sequence[Adapter],
    loaders: Loaders,
    writer: Writer,
    *,
    deadline: float,
    request_id: str = "",
    dry: bool = False,
    journal: Journal = SILENT,
    observed: Collection[Backend] = (),
) -> Receipt:
    """Write one contact to every target, and tell what happened.

    `problems` are those that the checks of the input have found; with them nothing is written,
    but everything else that is wrong is still looked for, so that it is told at once. Targets that
    are `observed` only help to find and name things: the receipt leaves them out.
    """
    targets = targets_of(write, adapters, deadline=deadline, request_id=request_id)
    for target in targets:
        target.observed = bool(observed) and target.backend in observed
        target.journal = SILENT if dry or target.observed else journal
    prepared = await prepare(targets, problems, loaders, writer.plan_wait, to_deliver=True)
    if prepared.rejected:
        await prepared.cancel_look_ups()
        prepared.call_off()
        return receipt_of(prepared, rejected=True)
    await writer.finish([_finish(target, prepared, writer, dry=dry) for target in targets])
    return receipt_of(prepared)


def targets_of(
    write: ContactWrite, adapters: Sequence[Adapter], *, deadline: float, request_id: str
) -> list[Target]:
    """The targets of a write that begins now."""
    return [
        Target(
            backend=adapter.backend,
            adapter=adapter,
            write=write,
            exchange=Exchange(deadline=deadline, request_id=request_id),
        )
        for adapter in adapters
    ]


# ---------------------------------------------------------------- deliver


async def finish_all(prepared: Prepared, writer: Writer) -> None:
    """Deliver every target's plan, side by side."""
    targets = prepared.targets
    if len(targets) == 1:  # it needs no task beside this one
        await _finish(targets[0], prepared, writer)
        return
    await asyncio.gather(*(_finish(target, prepared, writer) for target in targets))


async def _finish(target: Target, prepared: Prepared, writer: Writer, *, dry: bool = False) -> None:
    """Deliver one target's plan."""
    with Border(target):
        if prepared.late and target.backend in prepared.late:
            await prepared.looking[target.backend]
            if lacks_key(target, prepared.targets):
                await look_again(target, prepared.targets)
            plan(target, prepared.targets, prepared.unanswered)
            unknown = unknown_names(prepared.targets)
            if unknown and target.result is None:
                target.end(Outcome.REJECTED, unknown)
        if target.result is not None or target.plan is None:
            return
        if dry:
            target.result = dry_run(target.plan, target.backend)
        else:
            with target.span("deliver"):
                target.result = await _deliver_under_locks(target, prepared.targets, writer)
    if not dry:
        await target.journal.ended(target)


async def _deliver_under_locks(
    target: Target, targets: list[Target], writer: Writer
) -> BackendResult:
    """Deliver under the record's lock, looking again when what was found may be out of date."""
    adapter = target.adapter
    taken: set[str] = set()
    new = _lock_keys(target, taken)
    if not new:
        return await _deliver(target)
    async with writer.locks.holding(target.exchange) as held:
        while new and target.found is not None:
            released_at = 0.0
            for key in new:
                free_since = await held.take(f"{adapter.backend.value}:{key}")
                released_at = max(released_at, free_since)
            taken.update(new)
            if not _outdated(adapter, target.found, released_at):
                break
            target.found = await adapter.find(
                target.write, siblings_of(target, targets), target.exchange
            )
            plan(target, targets, set())
            if target.result is not None:
                return target.result
            new = _lock_keys(target, taken)
        return await _deliver(target)


def _lock_keys(target: Target, taken: set[str]) -> list[str]:
    """What must be held, and is not yet, for a plan that has something to send."""
    if target.plan is None or target.found is None or not target.plan.calls:
        return []
    keys = target.adapter.lock_keys(target.write, target.found)
    return [key for key in keys if key not in taken]


async def _deliver(target: Target) -> BackendResult:
    if target.plan is None:
        raise AssertionError("a target without a plan is not delivered")
    if target.plan.calls:
        await target.journal.sending(target, repeatable=is_repeatable(target.plan.calls))
    return await deliver(target.plan, target.adapter, target.exchange, target.journal)


def _outdated(adapter: Adapter, found: Found, released_at: float) -> bool:
    """Whether somebody may have written since the record was read."""
    age = time.monotonic() - found.looked_at
    return released_at > found.looked_at or age > adapter.fresh_for(found)


# ---------------------------------------------------------------- the receipt


def receipt_of(prepared: Prepared, *, rejected: bool = False) -> Receipt:
    """What became of the targets, those left out that were only looked at."""
    results = in_order(
        target.result
        for target in prepared.targets
        if target.result is not None and not target.observed
    )
    return Receipt(
        results=results,
        errors=[*prepared.problems, *(error for result in results for error in result.errors)],
        rejected=rejected,
    )
