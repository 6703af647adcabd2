"""Which backends a write goes to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.model import ORDER, Backend, title
from gateway.results import BackendResult, Outcome, Problem, ProblemCode, in_order

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.backends.adapter import Adapter


@dataclass(kw_only=True)
class Choice:
    """The targets of a write, and what is wrong with them."""

    adapters: list[Adapter] = field(default_factory=list)
    unconfigured: list[Backend] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def backends(self) -> list[Backend]:
        """Every target, those that are not configured too."""
        return [*(adapter.backend for adapter in self.adapters), *self.unconfigured]

    def with_unconfigured(self, results: list[BackendResult]) -> list[BackendResult]:
        """The results, with one for each target that the gateway has no credentials for."""
        if not self.unconfigured and len(results) == 1:
            return results
        refused = [
            BackendResult(
                backend=backend,
                outcome=Outcome.REJECTED,
                errors=[problem for problem in self.problems if problem.backend is backend],
            )
            for backend in self.unconfigured
        ]
        return in_order([*results, *refused])


def choose(targets: Sequence[Backend] | None, adapters: Mapping[Backend, Adapter]) -> Choice:
    """The adapters of the named targets, or of every configured backend."""
    if targets is None:
        choice = Choice(adapters=[adapters[backend] for backend in ORDER if backend in adapters])
        if not adapters:
            problem = _wrong("No backend is configured: see docs/settings.md.")
            problem.code = ProblemCode.NOT_CONFIGURED
            choice.problems.append(problem)
        return choice
    choice = Choice()
    if not targets:
        choice.problems.append(
            _wrong("targets is empty: name at least one backend, or leave it out for all.")
        )
    for backend in dict.fromkeys(targets):
        if (count := targets.count(backend)) > 1:
            choice.problems.append(_wrong(f"{backend.value} stands {count} times in targets."))
        if backend in adapters:
            choice.adapters.append(adapters[backend])
        else:
            choice.unconfigured.append(backend)
            choice.problems.append(
                Problem(
                    backend=backend,
                    code=ProblemCode.NOT_CONFIGURED,
                    message=f"The gateway has no credentials for {title(backend)}: leave "
                    f"{backend.value} out of targets, or configure it.",
                    field=["targets", str(targets.index(backend))],
                )
            )
    return choice


def _wrong(message: str) -> Problem:
    return Problem(code=ProblemCode.INVALID, message=message, field=["targets"])
