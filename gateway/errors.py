"""What can go wrong on the way to a backend, by what is known of the write.

    GatewayError
    ├── BackendFailure        a backend's step failed; carries the Problem that callers see
    │   ├── RefusedError      the backend, or we before sending, refused the input: REJECTED
    │   ├── NotWrittenError   surely not written, repeating may help: FAILED
    │   └── MaybeWrittenError sent and not answered, or answered unreadably: UNKNOWN
    └── SettingsError         the gateway cannot start; lists every problem

Problems of the input are no exceptions: they are collected, all of them, as `Problem` values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from gateway.results import Outcome

if TYPE_CHECKING:
    from gateway.calls import Reply
    from gateway.results import Problem


class GatewayError(Exception):
    """The root of all errors of the gateway."""


class SettingsError(GatewayError):
    """The settings do not allow a start; `problems` lists every reason."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class BackendFailure(GatewayError):  # noqa: N818 - the branch's root; its leaves end in Error
    """A step in a backend failed; `problem` is what the caller is told."""

    outcome: ClassVar[Outcome]
    reply: Reply | None = None
    """The backend's answer, where it is an answer that says no."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class RefusedError(BackendFailure):
    """The input is wrong for this backend; nothing was written by this step."""

    outcome = Outcome.REJECTED


class NotWrittenError(BackendFailure):
    """Surely not written by this step; repeating may help."""

    outcome = Outcome.FAILED


class MaybeWrittenError(BackendFailure):
    """The request left and no usable answer came: the write may have happened."""

    outcome = Outcome.UNKNOWN
