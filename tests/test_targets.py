"""Which backends a write goes to, and what is wrong with those that were named."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from gateway.model import Backend
from gateway.results import BackendResult, Outcome, ProblemCode
from gateway.targets import choose
from tests.memory_backend import MemoryAdapter

if TYPE_CHECKING:
    from gateway.backends.adapter import Adapter

IVVY, EVERBRIDGE, SENDGRID = Backend.IVVY, Backend.EVERBRIDGE, Backend.SENDGRID


def adapters(*backends: Backend) -> dict[Backend, Adapter]:
    return {backend: cast("Adapter", MemoryAdapter(backend)) for backend in backends}


def test_every_configured_backend_is_a_target_in_the_order_of_the_enum() -> None:
    choice = choose(None, adapters(SENDGRID, IVVY))
    assert [adapter.backend for adapter in choice.adapters] == [IVVY, SENDGRID]
    assert (choice.problems, choice.unconfigured) == ([], [])


def test_a_gateway_without_backends_says_so() -> None:
    [problem] = choose(None, {}).problems
    assert (problem.code, problem.field) == (ProblemCode.NOT_CONFIGURED, ["targets"])


def test_no_targets_at_all_are_a_problem() -> None:
    [problem] = choose([], adapters(IVVY)).problems
    assert (problem.backend, problem.field) == (None, ["targets"])


def test_a_target_that_is_named_twice_is_a_problem_and_written_once() -> None:
    choice = choose([IVVY, IVVY], adapters(IVVY))
    assert [adapter.backend for adapter in choice.adapters] == [IVVY]
    [problem] = choice.problems
    assert "2 times" in problem.message


def test_a_target_that_is_not_configured_is_refused_at_its_place() -> None:
    choice = choose([IVVY, IVVY, EVERBRIDGE, SENDGRID], adapters(IVVY, SENDGRID))
    problem = choice.problems[-1]
    assert problem.code is ProblemCode.NOT_CONFIGURED
    assert (problem.backend, problem.field) == (EVERBRIDGE, ["targets", "2"])
    results = choice.with_unconfigured([BackendResult(backend=SENDGRID, outcome=Outcome.SKIPPED)])
    assert [(result.backend, result.outcome) for result in results] == [
        (EVERBRIDGE, Outcome.REJECTED),
        (SENDGRID, Outcome.SKIPPED),
    ]
    assert results[0].errors == [problem]
