"""One backend's part of a write, and the border at which its failures end."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Protocol, cast

import structlog

from gateway.backends.adapter import Found, Plan, ReadsByCatalog
from gateway.custom_fields import custom_fields
from gateway.delivery import planned
from gateway.entries import CatalogName
from gateway.errors import BackendFailure
from gateway.held_names import maybe_ids
from gateway.memberships import memberships, unknown_ids
from gateway.model import MissingPolicy, title
from gateway.names import Resolution
from gateway.results import BackendResult, Outcome, Problem, ProblemCode
from gateway.telemetry.spans import NOTHING, current, span

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from contextlib import AbstractContextManager
    from types import TracebackType

    from gateway.backends.adapter import Adapter
    from gateway.model import Backend
    from gateway.names import Wanted
    from gateway.telemetry.spans import Span
    from gateway.upstream import Exchange
    from gateway.write import ContactWrite

log = structlog.get_logger()


@cache
def _reads_by_catalog(kind: type) -> bool:
    """Whether such an adapter is one. To ask a Protocol takes longer than most steps of a write."""
    return issubclass(kind, ReadsByCatalog)


class Journal(Protocol):
    """Hears of a part's writes as they happen: what must be known of them after a crash."""

    async def looking(self, part: Part) -> None:
        """The record is about to be looked up; gives leave, in time, where writes have an order.

        Raises NotWrittenError when earlier writes to the record take too long.
        """
        ...

    async def sending(self, part: Part, *, repeatable: bool) -> None:
        """The first writing call is about to leave.

        `repeatable` says whether all that follows may be sent twice. Raises NotWrittenError to
        keep it back.
        """
        ...

    async def answered(self, result: BackendResult, *, repeatable: bool) -> None:
        """A writing call was answered, and others follow; the result as it is so far.

        `repeatable` says whether all that follows may be sent twice.
        """
        ...

    async def ended(self, part: Part) -> None:
        """The part has its result."""
        ...


class Silent:
    """Keeps no journal."""

    async def looking(self, part: Part) -> None:
        """Nothing to do."""

    async def sending(self, part: Part, *, repeatable: bool) -> None:
        """Nothing to do."""

    async def answered(self, result: BackendResult, *, repeatable: bool) -> None:
        """Nothing to do."""

    async def ended(self, part: Part) -> None:
        """Nothing to do."""


SILENT = Silent()

UNRESOLVED = Resolution()
"""What is known of names before anybody has asked."""


@dataclass(kw_only=True)
class Part:
    """What one backend has to do with a write, as far as it has come."""

    backend: Backend
    exchange: Exchange
    wanted: list[Wanted] = field(default_factory=list)
    """The names that it needs resolved."""
    resolution: Resolution = UNRESOLVED
    plan: Plan | None = None
    result: BackendResult | None = None
    """Set as soon as this part is over."""
    journal: Journal = SILENT

    def end(self, outcome: Outcome, problems: Iterable[Problem] = ()) -> None:
        """End this part without a write."""
        plan = self.plan or Plan(outcome=outcome)
        self.result = planned(plan, self.backend, outcome)
        self.result.errors = list(problems)
        self.result.changed_fields = []

    def fail(self, failure: BackendFailure) -> None:
        """End this part with what a step raised."""
        if failure.problem.backend is None:
            failure.problem.backend = self.backend
        self.end(failure.outcome, [failure.problem])

    def span(self, name: str) -> AbstractContextManager[Span]:
        """A span of a trace, where one is kept, about a step of this part."""
        return NOTHING if current.get() is None else span(name, backend=self.backend.value)

    def end_with(self, error: Exception) -> None:
        """End this part with what a step of it has raised: siblings cannot hurt each other.

        Our own fault must leave the others' receipts standing, and must not say that nothing was
        written when something may have been.
        """
        if isinstance(error, BackendFailure):
            self.fail(error)
            return
        log.error("target failed", backend=self.backend.value, exc_info=error)
        sent = bool(self.exchange.calls)
        self.end(Outcome.UNKNOWN if sent else Outcome.FAILED, [_internal(self.backend)])
        if self.result is not None:
            self.result.calls = self.exchange.calls


@dataclass(kw_only=True)
class Target(Part):
    """One backend's part of a contact's write."""

    adapter: Adapter
    write: ContactWrite
    found: Found | None = None
    checked: list[Problem] = field(default_factory=list)
    """What the backend's own check of the input has found."""
    observed: bool = False
    """Looked at for what it tells of its siblings; nothing is written to it now."""
    names_only: bool = False
    """Whether only names are resolved: what is stored will have changed when this is delivered."""
    may_be_excused: bool = False
    """Whether, where names alone are resolved, the record is looked up if what is wrong by the
    catalogs may stand in it already, and so may stay."""
    excuse: Found | None = None
    """The record that is looked up for that; not `answered` until it is there."""

    def needs_excuse(self, targets: Sequence[Target]) -> bool:
        """Whether only the stored record can tell if the input is wrong by the catalogs.

        A group that another of the `targets` has by that name is not wrong, whatever is stored.
        """
        if not self.may_be_excused or self.write.if_missing is MissingPolicy.SKIP:
            return False
        for group in maybe_ids(self.resolution):
            if not any(target.has_group(group) for target in targets):
                return True
        return len(self._misfits(Found())) > len(self._misfits(None))

    def has_group(self, name: str) -> bool:
        """Whether a group that is asked for by this name is known to be in the list."""
        if not any(
            want.catalog is CatalogName.GROUPS and want.name == name for want in self.wanted
        ):
            return False
        listed = self.adapter.catalogs.fresh(CatalogName.GROUPS)
        return listed is not None and bool(listed.matches(name))

    def _misfits(self, found: Found | None) -> list[Problem]:
        if not _reads_by_catalog(type(self.adapter)):
            return []
        adapter = cast("ReadsByCatalog", self.adapter)
        return adapter.misfits(self.write, self.resolution, found)

    def wrong_values(self) -> tuple[Problem, ...]:
        """What is wrong with values, read by what their names stand for, and which ids are none.

        Nothing where the backend may not hold the record, and is left out then.
        """
        if self.write.if_missing is MissingPolicy.SKIP:
            return ()
        native = self.adapter.native_custom_fields
        read = custom_fields(self.write, self.resolution, self.backend, native)
        problems = list(read.problems)
        for name, catalog in self.adapter.native_ids.items():
            if catalog is CatalogName.GROUPS:
                groups = memberships(self.write, self.resolution, self.backend, name)
                problems += groups.problems
            elif ids := self.write.items(name):
                problems += unknown_ids(
                    self.write, self.resolution, self.backend, catalog, name, ids
                )
        told = self.excuse if self.excuse and self.excuse.answered else None
        return (*problems, *self._misfits(told))


class Border:
    """Where what goes wrong in a step of one part ends; see `Part.end_with`."""

    __slots__ = ("_part",)

    def __init__(self, part: Part) -> None:
        self._part = part

    def __enter__(self) -> None:
        """Begin a step."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        """End the part with what the step has raised, if it has."""
        if not isinstance(error, Exception):
            return False
        self._part.end_with(error)
        return True


def _internal(backend: Backend) -> Problem:
    return Problem(
        backend=backend,
        code=ProblemCode.BACKEND_ERROR,
        message=f"The gateway failed while it wrote to {title(backend)}; its log tells why.",
        retryable=True,
    )


def no_key_from(silent: list[Backend], backend: Backend) -> Problem:
    """The problem of a target whose key only a sibling could have told, which did not answer."""
    names = " and ".join(map(title, silent))
    return Problem(
        backend=backend,
        code=ProblemCode.UNAVAILABLE,
        message=(
            f"The input has no key for {title(backend)}, and {names}, whose record may have one, "
            "did not answer: nothing was written there."
        ),
        retryable=True,
    )
