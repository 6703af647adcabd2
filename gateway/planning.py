"""The first half of a write's story: every target is checked, resolved, found and planned.

Nothing is written here. What is found out stands in the targets; `upsert.py` goes on from there.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.deciding import UNHEARD, plan, siblings_of
from gateway.errors import BackendFailure
from gateway.held_names import held_ids, maybe_ids, with_held
from gateway.matching import is_blamed
from gateway.name_problems import nowhere_found
from gateway.names import remembered, resolve
from gateway.reading.record_names import ids_shown
from gateway.results import Outcome
from gateway.target import Border, Target
from gateway.telemetry.spans import is_kept
from gateway.timers import ended
from gateway.write import native_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.model import Backend
    from gateway.names import Loaders, Resolution
    from gateway.results import Problem


@dataclass(kw_only=True)
class Prepared:
    """A write's targets, as far as they have come before anything is written."""

    targets: list[Target]
    looking: dict[Backend, asyncio.Task[None]] = field(default_factory=dict)
    """The look-up of each target."""
    problems: list[Problem] = field(default_factory=list)
    """What is wrong with the input, whatever the target."""
    late: frozenset[Backend] = frozenset()
    """The targets that had not answered when the others went on."""

    @property
    def unanswered(self) -> set[Backend]:
        """The targets whose look-ups are still under way."""
        return {backend for backend, task in self.looking.items() if not task.done()}

    @property
    def rejected(self) -> bool:
        """Whether nothing may be written, because of the input."""
        return bool(self.problems) or any(
            _is_rejected(target) or (target.checked and not target.observed)
            for target in self.targets
        )

    async def cancel_look_ups(self) -> None:
        """Ask no further."""
        late = [task for task in self.looking.values() if not task.done()]
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def call_off(self) -> None:
        """End every target: nothing is written, because one of them cannot take the input.

        What is wrong whatever the target is told of each, also of one that had been left out.
        """
        everywhere = any(problem.backend is None for problem in self.problems)
        for target in self.targets:
            left_out = target.result is not None and target.result.outcome is Outcome.SKIPPED
            if target.result is not None and not (everywhere and left_out):
                continue
            if target.checked:  # it is late, and what is wrong with the input is known all the same
                target.end(Outcome.REJECTED, target.checked)
            else:
                target.end(Outcome.REJECTED if everywhere else Outcome.SKIPPED)


async def prepare(
    targets: list[Target],
    problems: Sequence[Problem],
    loaders: Loaders,
    patience: float,
    *,
    to_deliver: bool = False,
) -> Prepared:
    """Bring every target as far as its plan, except those that are late after `patience` seconds.

    Targets that need a key from a sibling start later, and have as long as the others had. What
    nobody knows by name is a problem of the input. A target that is alone and to be delivered next
    is late for nobody: unless there are problems already, it has the time that it takes.
    """
    prepared = Prepared(targets=targets)
    now, later = _checked(targets)
    if to_deliver and len(targets) == 1 and not (problems or targets[0].checked):
        for target in targets:
            if target.result is None and not (target.names_only and _names_known(target, targets)):
                await _look(target, targets, loaders)
    else:
        try:
            await _look_up_all(prepared, (now, later), loaders, patience)
        except asyncio.CancelledError:
            await prepared.cancel_look_ups()
            raise
    unanswered = prepared.unanswered
    prepared.late = frozenset(unanswered)
    for target in targets:
        if target.backend not in unanswered or target.excuse is not None:
            with Border(target):
                if target.excuse is not None or target.names_only:
                    _know_held(target)
                plan(target, targets, unanswered)
    prepared.problems = [*problems, *unknown_names(targets)]
    return prepared


def _checked(targets: list[Target]) -> tuple[list[Target], list[Target]]:
    """Check the input for every target; those that can be looked up now, and those that cannot.

    A target without a key of its own can only be asked once its siblings have answered.
    """
    now: list[Target] = []
    later: list[Target] = []
    for target in targets:
        adapter, write = target.adapter, target.write
        with Border(target):
            target.wanted = adapter.wanted(write)
            target.checked = adapter.check(write)
            (later if adapter.needs_siblings(write) else now).append(target)
    return now, later


async def _look_up_all(
    prepared: Prepared,
    groups: tuple[list[Target], list[Target]],
    loaders: Loaders,
    patience: float,
) -> None:
    """Look up every group of targets, until all have answered or it is time to go on."""
    targets, running = prepared.targets, prepared.looking
    loop = asyncio.get_running_loop()

    async def start(chosen: list[Target], *, again: bool = False) -> None:
        # A bulk's targets only have names to look up, and memory mostly has them all.
        chosen = [
            target for target in chosen if not (target.names_only and _names_known(target, targets))
        ]
        for target in chosen:
            look = look_again(target, targets) if again else _look(target, targets, loaders)
            running[target.backend] = loop.create_task(look)
        if chosen:
            await ended([running[target.backend] for target in chosen], patience)

    for group in groups:
        if group:
            await start(group)
    if keyless := [target for target in targets if lacks_key(target, targets)]:
        await start(keyless, again=True)


def _names_known(target: Target, targets: Sequence[Target]) -> bool:
    """Resolve the write's names from memory alone; whether nothing more is to be asked, or all is wrong."""
    with Border(target):
        known = _remembered(target)
        if known is None:
            return False
        target.resolution = known
        return not target.needs_excuse(targets)
    return True


async def _look(target: Target, targets: list[Target], loaders: Loaders) -> None:
    """Resolve the write's names and find the stored record, side by side."""
    with Border(target):
        known = _remembered(target)
        resolving = None if known else asyncio.create_task(_resolve(target, loaders))
        try:
            if not (target.names_only or _keys_unusable(target)):
                await target.journal.looking(target)
                await _find(target, targets)
        except asyncio.CancelledError:
            if resolving is not None:
                resolving.cancel()
            raise
        finally:
            if resolving is not None:
                known = await resolving
            target.resolution = known or target.resolution
        if target.resolution.unreadable is not None:
            target.fail(target.resolution.unreadable)
        elif target.names_only and target.needs_excuse(targets):
            await _look_for_excuse(target)
        if target.found is not None:
            _know_held(target)


async def _look_for_excuse(target: Target) -> None:
    """Find the record that may hold already what is wrong by the catalogs, and may stay so.

    Where it cannot be asked for alone, or does not answer, the delivery will tell.
    """
    if _keys_unusable(target) or target.adapter.needs_siblings(target.write):
        return
    target.excuse = UNHEARD  # what else is wrong is told, whether it answers in time or not
    with suppress(BackendFailure):
        target.excuse = await target.adapter.find(target.write, {}, target.exchange)


def _remembered(target: Target) -> Resolution | None:
    """The target's names, where memory knows them all: then no task has to be made to ask."""
    known = remembered(target.wanted, target.adapter.catalogs)
    if known is not None and is_kept():
        with target.span("resolve"):
            pass  # a trace shows each step, also one that takes no time
    return known


async def _resolve(target: Target, loaders: Loaders) -> Resolution:
    with target.span("resolve"):
        return await resolve(target.wanted, target.adapter.catalogs, loaders)


async def _find(target: Target, targets: Sequence[Target]) -> None:
    siblings = siblings_of(target, targets)
    with target.span("find"):
        target.found = await target.adapter.find(target.write, siblings, target.exchange)


def lacks_key(target: Target, targets: Sequence[Target]) -> bool:
    """Whether nothing was found for want of a key that a sibling's record may give by now."""
    found = target.found
    if found is None or not found.keyless or target.result is not None:
        return False
    return any(other.stored is not None for other in siblings_of(target, targets).values())


async def look_again(target: Target, targets: Sequence[Target]) -> None:
    """Find the stored record once more, by what the siblings have told since."""
    with Border(target):
        await _find(target, targets)
        _know_held(target)


def _know_held(target: Target) -> None:
    """Take what the stored record shows by its id for known, where it is given just so."""
    found = target.found or target.excuse
    if found is None and target.names_only and not target.observed:
        found = UNHEARD
    if found is None or not target.resolution.missing:
        return
    if found.stored is not None:
        held = held_ids(target.resolution, ids_shown(target.adapter, found.stored))
    else:  # where nobody has told what is stored, the delivery will
        held = [] if found.answered else maybe_ids(target.resolution)
    target.resolution = with_held(target.resolution, held)


def _keys_unusable(target: Target) -> bool:
    """Whether the backend's own check finds fault with a key, by which it then cannot be asked."""
    if not target.checked:
        return False
    write = target.write
    names = (native_id(target.backend), "external_id", "email")
    keys = [write.field_path(name) for name in names]
    return is_blamed(target.checked, keys)


def _is_rejected(target: Target) -> bool:
    return (
        target.result is not None
        and target.result.outcome is Outcome.REJECTED
        and not target.observed
    )


def unknown_names(targets: list[Target]) -> list[Problem]:
    """Problems of names that no target knows, though all that were asked could tell."""
    if not any(target.resolution.missing for target in targets):
        return []
    wanted = {target.backend: target.wanted for target in targets}
    resolutions = {target.backend: target.resolution for target in targets}
    return nowhere_found(wanted, resolutions)
