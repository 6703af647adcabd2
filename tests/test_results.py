"""The status of a whole write, over every combination of outcomes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import MaybeWrittenError, NotWrittenError, RefusedError, SettingsError
from gateway.results import HAS_IT, Outcome, Problem, ProblemCode, UpsertStatus, summarize

O, S = Outcome, UpsertStatus  # noqa: E741 - a table reads better


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        ([O.CREATED, O.UPDATED, O.UNCHANGED, O.CONFIRMED], S.APPLIED),
        ([O.CREATED, O.SKIPPED], S.APPLIED),
        ([O.SKIPPED], S.APPLIED),
        ([], S.APPLIED),
        ([O.CREATED, O.ACCEPTED], S.PENDING),
        ([O.QUEUED], S.PENDING),
        ([O.CREATED, O.FAILED], S.PARTIAL),
        ([O.CREATED, O.UNKNOWN], S.PARTIAL),
        ([O.ACCEPTED, O.REJECTED], S.PARTIAL),
        ([O.PARTIAL], S.PARTIAL),
        ([O.PARTIAL, O.REJECTED], S.PARTIAL),
        ([O.UNKNOWN, O.FAILED], S.UNKNOWN),
        ([O.UNKNOWN, O.REJECTED], S.UNKNOWN),
        ([O.FAILED, O.SKIPPED], S.FAILED),
        ([O.REJECTED, O.SKIPPED], S.REJECTED),
        ([O.REJECTED, O.FAILED], S.REJECTED),
    ],
)
def test_the_first_status_that_fits_is_told(outcomes: list[Outcome], status: UpsertStatus) -> None:
    assert summarize(outcomes) is status
    assert summarize(reversed(outcomes)) is status


def test_a_dry_run_is_planned_unless_the_input_is_wrong() -> None:
    assert summarize([O.PLANNED, O.FAILED], dry=True) is S.PLANNED
    assert summarize([O.REJECTED, O.PLANNED], dry=True) is S.REJECTED


@given(st.lists(st.sampled_from(sorted(set(Outcome) - {O.PLANNED}, key=str))))
def test_a_status_never_says_more_than_the_outcomes(outcomes: list[Outcome]) -> None:
    status, seen = summarize(outcomes), set(outcomes) - {O.SKIPPED}
    if status in {S.APPLIED, S.PENDING}:
        assert seen <= HAS_IT
    if status in {S.FAILED, S.REJECTED}:
        assert not seen & (HAS_IT | {O.UNKNOWN, O.PARTIAL})
    assert (status is S.PENDING) == (bool(seen & {O.ACCEPTED, O.QUEUED}) and seen <= HAS_IT)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (RefusedError, O.REJECTED),
        (NotWrittenError, O.FAILED),
        (MaybeWrittenError, O.UNKNOWN),
    ],
)
def test_an_error_says_what_is_known_of_the_write(
    error: type[RefusedError | NotWrittenError | MaybeWrittenError], outcome: Outcome
) -> None:
    raised = error(Problem(code=ProblemCode.INVALID, message="no"))
    assert (raised.outcome, str(raised)) == (outcome, "no")


def test_an_error_of_the_settings_lists_them_all() -> None:
    assert str(SettingsError(["a", "b"])) == "a\nb"


def test_a_message_that_quotes_a_long_value_keeps_its_beginning_and_its_end() -> None:
    message = f"lastName has 9,999,999 characters: shorten '{'x' * 9_999_999}'."
    told = Problem(code=ProblemCode.TOO_LONG, message=message).message
    assert len(told) < 1_000
    assert told.startswith("lastName has 9,999,999 characters: shorten 'xxx")
    assert told.endswith("xxx'.")
