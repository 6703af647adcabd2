"""The audit: a line in the log for each record that a write was meant for.

It says who, by which key, which record of which backend, and what became of it. A record is named by
its backend's own id alone: nothing of what a person is called or reached by is in these lines.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import structlog

from gateway.model import Backend
from gateway.results import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from structlog.typing import FilteringBoundLogger as BoundLogger

    from gateway.callers.caller import Caller
    from gateway.results import BackendResult

log = structlog.get_logger()

EVENT = "audit"

_SAID = {one: one.value for one in (*Backend, *Outcome)}
"""What members of enums are called; to ask each of them takes longer."""


@dataclass(kw_only=True)
class Trail:
    """What a call of a mutation leaves in the audit."""

    mutation: str
    caller: Caller
    request_id: str
    _told: list[Backend] = field(default_factory=list)

    def ended(self, result: BackendResult) -> None:
        """A backend's part is over; told at once, for the caller may be gone before the call is."""
        self._tell(result)
        self._told.append(result.backend)

    def finish(
        self,
        results: Iterable[BackendResult],
        *,
        operation_id: str | None = None,
        replayed: bool = False,
    ) -> None:
        """The call is over: whatever has not been told is."""
        more: dict[str, Any] = {"replayed": True} if replayed else {}
        if operation_id is not None:
            more["operation"] = operation_id
        for result in results:
            if result.backend not in self._told:
                self._tell(result, **more)

    def stored(self, operation_id: str, *, replayed: bool) -> None:
        """The call has an operation, whose steps tell of their records."""
        self._log(outcome="QUEUED", operation=operation_id, replayed=replayed)

    def _tell(self, result: BackendResult, **more: Any) -> None:
        self._log(**_what(result), **more)

    def _log(self, **what: Any) -> None:
        """Write a line that says who."""
        _logger().info(
            EVENT,
            mutation=self.mutation,
            caller=self.caller.id,
            key=self.caller.key,
            request_id=self.request_id,
            **what,
        )


def delivered(
    caller: str, request_id: str | None, operation_id: str, result: BackendResult
) -> None:
    """A step of an operation has been tried; whose key it was stands where it was accepted."""
    _logger().info(
        EVENT, caller=caller, request_id=request_id, operation=operation_id, **_what(result)
    )


def settled(
    caller: Caller, request_id: str | None, step_id: str, said: str, result: BackendResult
) -> None:
    """A person has said what became of a step."""
    _logger().info(
        EVENT,
        mutation="resolveStep",
        caller=caller.id,
        key=caller.key,
        request_id=request_id,
        step=step_id,
        said=said,
        **_what(result),
    )


class _Kept:
    """structlog's logger, with what it was made for: making one takes a quarter of a line's time."""

    made_for: tuple[Any, ...] = ()
    logger: BoundLogger


def _logger() -> BoundLogger:
    """The logger; made anew where logging was set up anew, or writes to another standard output."""
    now = (structlog.get_config(), sys.stdout)
    if now != _Kept.made_for:
        _Kept.logger, _Kept.made_for = log.bind(), now
    return _Kept.logger


def _what(result: BackendResult) -> dict[str, Any]:
    what: dict[str, Any] = {
        "backend": _SAID[result.backend],
        "record": None if result.id is None else str(result.id),
        "outcome": _SAID[result.outcome],
    }
    if result.jobs:
        what["jobs"] = [str(job.id) for job in result.jobs]
    return what
