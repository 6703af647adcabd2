"""Targets of a write whose adapter plans what a test tells it to, and asks nobody."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from strawberry import Some

from gateway.backends.adapter import Found, Key, KeyKind, Plan, Stored
from gateway.model import Backend
from gateway.results import BackendResult, Outcome, Problem, ProblemCode
from gateway.target import Target
from gateway.upstream import Exchange
from tests.memory_backend import write_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.backends.adapter import Adapter
    from gateway.entries import CatalogName
    from gateway.names import Resolution
    from gateway.write import ContactWrite

IVVY, EVERBRIDGE, SENDGRID = Backend.IVVY, Backend.EVERBRIDGE, Backend.SENDGRID
OWN = Key(KeyKind.EMAIL, "ada@example.com", "email", path=("email",))
ADA = Stored(id="1", external_id="E-1", email="ada@example.com", raw={}, read_at=0.0)


@dataclass
class Planner:
    """The half of an adapter that decides: it gives the plan that it is told to give."""

    made: Plan | Exception = field(default_factory=lambda: Plan(outcome=Outcome.UPDATED))
    told: Mapping[Backend, Found] | None = None
    """What it was told of the siblings."""
    key_kinds: Sequence[KeyKind] = (KeyKind.EXTERNAL_ID, KeyKind.EMAIL)
    native_custom_fields = "ivvy.custom_fields"
    native_ids: Mapping[str, CatalogName] = field(default_factory=dict)

    def plan(
        self,
        _write: ContactWrite,
        _found: Found,
        _resolution: Resolution,
        siblings: Mapping[Backend, Found],
    ) -> Plan:
        self.told = siblings
        if isinstance(self.made, Exception):
            raise self.made
        return self.made


def target(
    backend: Backend = IVVY,
    *,
    adapter: Planner | None = None,
    write: ContactWrite | None = None,
    **given: Any,
) -> Target:
    return Target(
        backend=backend,
        adapter=cast("Adapter", adapter or Planner()),
        write=write or write_of(external_id=Some("E-1")),
        exchange=Exchange(deadline=time.monotonic() + 5),
        **given,
    )


def ended(outcome: Outcome, backend: Backend, *errors: Problem) -> BackendResult:
    return BackendResult(backend=backend, outcome=outcome, errors=list(errors))


def wrong(code: ProblemCode, *path: str, message: str = "wrong") -> Problem:
    return Problem(backend=IVVY, code=code, message=message, field=list(path))
