"""The story of a write; start reading here.

For each target side by side: check, resolve, find, plan; then all targets wait for each other; then
each plan is delivered. If one target has a problem in its input, nothing is written anywhere. A
backend that does not answer is no problem of the input: the others wait for it a bounded time,
then go on without it.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.backends.adapter import Found, Plan
from gateway.delivery import deliver, dry_run
from gateway.errors import NotWrittenError
from gateway.model import Backend, MissingPolicy
from gateway.names import Loaders, nowhere_found, resolve
from gateway.results import BackendResult, Outcome, Problem
from gateway.target import Target, border, no_key_from
from gateway.upstream import Exchange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.backends.adapter import Adapter
    from gateway.locks import Locks
    from gateway.write import ContactWrite


@dataclass(kw_only=True)
class Receipt:
    """What became of a write, over all its targets."""

    results: list[BackendResult]
    """In the order of the Backend enum."""
    errors: list[Problem]
    """Those of the input first."""
    rejected: bool = False
    """Whether nothing was written because the input is wrong."""


@dataclass(frozen=True, kw_only=True)
class Writer:
    """What writing needs beside the adapters."""

    locks: Locks
    plan_wait: float = 2.0
    """Seconds that the targets wait for one that does not answer."""
    running: set[asyncio.Task[None]] = field(default_factory=set)
    """Deliveries under way; they are finished even when their callers have gone."""

    async def drain(self) -> None:
        """Wait for the deliveries under way."""
        await asyncio.gather(*self.running, return_exceptions=True)


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
) -> Receipt:
    """Write one contact to every target, and tell what happened.

    `problems` are those that the checks of the input have found; with them nothing is written,
    but everything else that is wrong is still looked for, so that it is told at once.
    """
    targets = [
        Target(
            backend=adapter.backend,
            adapter=adapter,
            write=write,
            exchange=Exchange(deadline=deadline, request_id=request_id),
        )
        for adapter in adapters
    ]
    barrier = time.monotonic() + writer.plan_wait
    looking: dict[Backend, asyncio.Task[None]] = {}
    try:
        await _prepare(targets, looking, loaders, barrier)
    except asyncio.CancelledError:
        await _cancelled(looking)
        raise
    late = {backend: task for backend, task in looking.items() if not task.done()}
    input_problems = [*problems, *_unknown_names(targets)]
    if input_problems or any(_rejected(target) for target in targets):
        await _cancelled(late)
        _call_off(targets, input_problems)
        return _receipt(targets, input_problems, rejected=True)
    delivering = asyncio.create_task(_finish_all(targets, late, writer, dry=dry))
    writer.running.add(delivering)
    delivering.add_done_callback(writer.running.discard)
    await asyncio.shield(delivering)
    return _receipt(targets, [])


# ---------------------------------------------------------------- check, resolve, find, plan


async def _prepare(
    targets: list[Target],
    running: dict[Backend, asyncio.Task[None]],
    loaders: Loaders,
    barrier: float,
) -> None:
    """Bring every target as far as its plan, except those that are late.

    `running` receives the look-up of each target; those that are late are not done at the end.
    """

    async def start(chosen: list[Target]) -> None:
        """Look up a group of targets, until all have answered or it is time to go on."""
        for target in chosen:
            running[target.backend] = asyncio.create_task(_look(target, targets, loaders))
        if chosen:
            left = max(0.0, barrier - time.monotonic())
            await asyncio.wait([running[target.backend] for target in chosen], timeout=left)

    now: list[Target] = []
    later: list[Target] = []
    for target in targets:
        adapter, write = target.adapter, target.write
        with border(target):
            target.wanted = adapter.wanted(write)
            problems = adapter.check(write)
            if problems:
                target.plan = Plan(outcome=Outcome.REJECTED, problems=tuple(problems))
            # A target without a key of its own can only be asked once its siblings have answered.
            (later if adapter.needs_siblings(write) else now).append(target)
    await start(now)
    await start(later)
    late = _unanswered(running)
    for target in targets:
        if target.backend not in late:
            with border(target):
                _plan(target, targets, unanswered=late)


def _unanswered(running: dict[Backend, asyncio.Task[None]]) -> set[Backend]:
    """The targets whose look-ups are still under way."""
    return {backend for backend, task in running.items() if not task.done()}


async def _look(target: Target, targets: list[Target], loaders: Loaders) -> None:
    """Resolve the write's names and find the stored record, side by side."""
    adapter, write = target.adapter, target.write
    with border(target):
        resolving = asyncio.create_task(resolve(target.wanted, adapter.catalogs, loaders))
        try:
            if target.plan is None:
                siblings = _siblings(target, targets)
                target.found = await adapter.find(write, siblings, target.exchange)
        except asyncio.CancelledError:
            resolving.cancel()
            raise
        finally:
            target.resolution = await resolving
        if target.resolution.unreadable is not None:
            raise target.resolution.unreadable


def _siblings(target: Target, targets: list[Target]) -> dict[Backend, Found]:
    """What has been found in the other backends so far."""
    return {
        other.backend: other.found
        for other in targets
        if other is not target and other.found is not None
    }


def _plan(target: Target, targets: list[Target], unanswered: set[Backend]) -> None:
    """Decide what the target's write comes to, from what has been found."""
    found = target.found
    if target.result is not None:
        if target.result.outcome is Outcome.REJECTED:
            target.result.errors += target.resolution.problems
        return
    if found is None:  # the backend's own check failed, and the plan says so
        plan = target.plan or Plan(outcome=Outcome.REJECTED)
    elif found.stored is None and found.looked and target.write.if_missing is MissingPolicy.SKIP:
        target.end(Outcome.SKIPPED)
        return
    elif found.keyless and (silent := _silent(target, targets, unanswered)):
        raise NotWrittenError(no_key_from(silent, target.backend))
    else:
        plan = target.adapter.plan(
            target.write, found, target.resolution, _siblings(target, targets)
        )
    problems = (*plan.problems, *target.resolution.problems)
    target.plan = plan
    if problems:
        target.end(Outcome.REJECTED, problems)


def _silent(target: Target, targets: list[Target], unanswered: set[Backend]) -> list[Backend]:
    """The siblings that could have told the target's key, and did not answer."""
    return [
        other.backend
        for other in targets
        if other is not target
        and (
            other.backend in unanswered
            or (other.result is not None and other.result.outcome is Outcome.FAILED)
        )
    ]


def _unknown_names(targets: list[Target]) -> list[Problem]:
    """Problems of names that no target knows, though all that were asked could tell."""
    wanted = {target.backend: target.wanted for target in targets}
    resolutions = {target.backend: target.resolution for target in targets}
    return nowhere_found(wanted, resolutions)


# ---------------------------------------------------------------- the barrier


def _rejected(target: Target) -> bool:
    return target.result is not None and target.result.outcome is Outcome.REJECTED


def _call_off(targets: list[Target], input_problems: list[Problem]) -> None:
    """End every target: nothing is written, because one of them cannot take the input."""
    for target in targets:
        if target.result is None:
            everywhere = any(problem.backend is None for problem in input_problems)
            target.end(Outcome.REJECTED if everywhere else Outcome.SKIPPED)


async def _cancelled(late: dict[Backend, asyncio.Task[None]]) -> None:
    for task in late.values():
        task.cancel()
    await asyncio.gather(*late.values(), return_exceptions=True)


# ---------------------------------------------------------------- deliver


async def _finish_all(
    targets: list[Target],
    late: dict[Backend, asyncio.Task[None]],
    writer: Writer,
    *,
    dry: bool,
) -> None:
    """Deliver every target's plan, side by side."""
    await asyncio.gather(*(_finish(target, targets, late, writer, dry=dry) for target in targets))


async def _finish(
    target: Target,
    targets: list[Target],
    late: dict[Backend, asyncio.Task[None]],
    writer: Writer,
    *,
    dry: bool,
) -> None:
    """Deliver one target's plan."""
    with border(target):
        if target.backend in late:
            await late[target.backend]
            _plan(target, targets, unanswered=_unanswered(late))
        if target.result is not None or target.plan is None:
            return
        if dry:
            target.result = dry_run(target.plan, target.backend)
        else:
            target.result = await _deliver_under_locks(target, targets, writer)


async def _deliver_under_locks(
    target: Target, targets: list[Target], writer: Writer
) -> BackendResult:
    """Deliver under the record's lock, looking again when what was found may be out of date."""
    adapter = target.adapter
    async with AsyncExitStack() as held:
        keys: set[str] = set()
        while target.plan is not None and target.found is not None:
            key = adapter.lock_key(target.write, target.found)
            if key is None or key in keys or not target.plan.calls:
                return await deliver(target.plan, adapter, target.exchange)
            released_at = await held.enter_async_context(
                writer.locks.hold(f"{adapter.backend.value}:{key}", target.exchange)
            )
            keys.add(key)
            if _outdated(adapter, target.found, released_at):
                target.found = await adapter.find(
                    target.write, _siblings(target, targets), target.exchange
                )
                _plan(target, targets, unanswered=set())
                if target.result is not None:
                    return target.result
    raise AssertionError("a target without a plan is not delivered")


def _outdated(adapter: Adapter, found: Found, released_at: float) -> bool:
    """Whether somebody may have written since the record was read."""
    age = time.monotonic() - found.looked_at
    return released_at > found.looked_at or age > adapter.fresh_for(found)


# ---------------------------------------------------------------- the receipt


def _receipt(
    targets: list[Target], input_problems: list[Problem], *, rejected: bool = False
) -> Receipt:
    results = [target.result for target in targets if target.result is not None]
    order = list(Backend)
    results.sort(key=lambda result: order.index(result.backend))
    return Receipt(
        results=results,
        errors=[*input_problems, *(error for result in results for error in result.errors)],
        rejected=rejected,
    )
