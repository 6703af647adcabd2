"""What can be said of a bulk's inputs before they are stored: shapes, values, and names."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.checks import check_contact
from gateway.operations.order import contact_key
from gateway.planning import prepare
from gateway.store.database import is_storable
from gateway.upsert import receipt_of, targets_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from gateway.backends.adapter import Adapter
    from gateway.model import Backend, ContactInput
    from gateway.names import Loaders
    from gateway.operations.asked import Asked
    from gateway.operations.order import Order
    from gateway.planning import Prepared
    from gateway.results import Problem

AT_ONCE = 100
"""Inputs that are checked side by side; between two such groups other requests have their turn."""
HURRY = 0.05
"""Seconds that inputs wait for names once a backend has been silent for all of its time."""
LOOKING = 5
"""How many times as long as one input a whole bulk waits for records that may excuse what is wrong."""


@dataclass(frozen=True, kw_only=True)
class Checked:
    """One input, as far as it is known before it is stored."""

    external_id: str | None
    problems: list[Problem]
    records: dict[Backend, str] = field(default_factory=dict)
    """What the record is known by, for each target."""


@dataclass(frozen=True, kw_only=True)
class BulkChecks:
    """Checks the inputs of one call."""

    asked: Asked
    adapters: Sequence[Adapter]
    loaders: Loaders
    deadline: float
    request_id: str
    default_country: str | None
    plan_wait: float
    order: Order
    _seen: set[tuple[Backend, str]] = field(default_factory=set)
    """The records that the inputs so far are about."""
    _began: float = field(default_factory=time.monotonic)

    async def run(self, *, but: Collection[int]) -> dict[int, Checked]:
        """Every input by its place, but those that need no check."""
        wanted = [place for place in range(len(self.asked.input)) if place not in but]
        checked: dict[int, Checked] = {}
        patience = self.plan_wait
        for start in range(0, len(wanted), AT_ONCE):
            group = wanted[start : start + AT_ONCE]
            began = time.monotonic()
            results = await asyncio.gather(*(self._check(place, patience) for place in group))
            if time.monotonic() - began >= self.plan_wait:
                patience = HURRY
            # Names that several inputs share are looked up once, so all let go of them together.
            await asyncio.gather(*(prepared.cancel_look_ups() for _, prepared in results))
            checked |= {place: one for place, (one, _) in zip(group, results, strict=True)}
            await asyncio.sleep(0)
        return checked

    async def _check(self, place: int, patience: float) -> tuple[Checked, Prepared]:
        given: ContactInput = self.asked.input[place]
        write, problems = check_contact(
            given,
            mode=self.asked.mode,
            if_missing=self.asked.if_missing,
            targets_named=self.asked.targets is not None,
            targets=[adapter.backend for adapter in self.adapters],
            at=("inputs", str(place)),
            default_country=self.default_country,
        )
        targets = targets_of(
            write, self.adapters, deadline=self.deadline, request_id=self.request_id
        )
        keys = {adapter.backend: contact_key(write, adapter) for adapter in self.adapters}
        looks = time.monotonic() < self._began + LOOKING * self.plan_wait
        for target in targets:
            target.names_only = True  # records are found when they are written
            record = (target.backend, keys[target.backend])
            # Behind an earlier input for it, or a stored write, the record is not yet what it will be.
            target.may_be_excused = record not in self._seen and looks
            self._seen.add(record)
        for target in targets:
            if target.may_be_excused and not self.order.is_empty():
                waits = self.order.is_certainly_waiting(target.backend, keys[target.backend])
                target.may_be_excused = not await waits
        prepared = await prepare(targets, problems, self.loaders, patience)
        external_id = given.external_id.value if given.external_id else None
        if prepared.rejected:
            prepared.call_off()
            if external_id is not None and not is_storable(external_id):
                external_id = None  # its problems show it
            return Checked(external_id=external_id, problems=receipt_of(prepared).errors), prepared
        return Checked(external_id=external_id, problems=[], records=keys), prepared
