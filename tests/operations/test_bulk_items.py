"""What an item comes to where a repeated key keeps all or some of it."""

from __future__ import annotations

import pytest

from gateway.operations.acceptance import GIVEN_UP
from gateway.operations.bulk_checks import Checked
from gateway.operations.bulk_items import has_failed, new_item
from gateway.results import Problem, ProblemCode
from gateway.store.operation_records import Item, Step, StepState
from tests.store.accepting import NOON

WRONG = Problem(code=ProblemCode.INVALID, message="by the rules of today", field=["inputs", "0"])


def ended(*outcomes: str) -> Item:
    """An item whose steps came to these; what failed was given up by a person."""
    return Item(
        operation_id="op-1",
        position=0,
        external_id="B-0",
        status="PENDING",
        payload={},
        result=None,
        steps=[step(place, outcome) for place, outcome in enumerate(outcomes)],
    )


def step(number: int, outcome: str) -> Step:
    """A step that has ended."""
    return Step(
        id=number,
        operation_id="op-1",
        position=0,
        backend=("ivvy", "everbridge")[number],
        name="bulk_contact",
        record_key="B-0",
        state=StepState.DONE,
        attempts=1,
        due_at=NOON,
        owner=None,
        fence=1,
        outcome=outcome,
        intent=None,
        result={"outcome": outcome, GIVEN_UP: outcome == "FAILED"},
        jobs=(),
    )


@pytest.mark.parametrize(
    ("outcomes", "status", "failed"),
    [
        (["CREATED"], "APPLIED", False),
        (["ACCEPTED"], "PENDING", False),
        (["FAILED"], "FAILED", True),
        (["PARTIAL"], "PARTIAL", True),
        (["UNKNOWN"], "UNKNOWN", True),
        (["CREATED", "FAILED"], "PARTIAL", True),
    ],
)
def test_an_item_that_is_kept_is_what_its_outcomes_are(
    outcomes: list[str], status: str, failed: bool
) -> None:
    before = ended(*outcomes)
    assert not has_failed(before)
    item = new_item({}, None, before)
    assert (item.status, item.failed, item.ended) == (status, failed, True)
    assert [one.outcome for one in item.steps] == outcomes


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        ([], "REJECTED"),
        (["FAILED"], "REJECTED"),
        (["CREATED"], "PARTIAL"),
        (["PARTIAL"], "PARTIAL"),
        (["UNKNOWN"], "UNKNOWN"),
    ],
)
def test_an_item_that_is_rejected_now_is_what_its_kept_outcomes_leave_it(
    outcomes: list[str], status: str
) -> None:
    item = new_item({}, Checked(external_id="B-0", problems=[WRONG]), ended(*outcomes))
    assert (item.status, item.failed, item.ended) == (status, True, True)
    assert [one.outcome for one in item.steps] == outcomes
