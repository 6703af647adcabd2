"""Who may be written once all have been looked for, and whom to look for again; without any I/O."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from strawberry import Some

from gateway.backends.adapter import Found
from gateway.entries import CatalogName
from gateway.memberships import wanted_groups
from gateway.names import Resolution
from gateway.planning import Prepared, lacks_key, unknown_names
from gateway.results import Outcome, Problem, ProblemCode
from tests.memory_backend import write_of
from tests.planner import ADA, EVERBRIDGE, IVVY, SENDGRID, ended, target, wrong

if TYPE_CHECKING:
    from gateway.model import Backend
    from gateway.target import Target

INVALID_EMAIL = wrong(ProblemCode.INVALID, "email")
OF_ALL = Problem(code=ProblemCode.INVALID, message="wrong")


@pytest.mark.parametrize(
    ("given", "rejected"),
    [
        pytest.param({}, False, id="nothing is wrong"),
        pytest.param({"result": ended(Outcome.REJECTED, IVVY)}, True, id="it is rejected"),
        pytest.param({"result": ended(Outcome.FAILED, IVVY)}, False, id="it failed"),
        pytest.param({"checked": [INVALID_EMAIL]}, True, id="late, and the input is wrong"),
        pytest.param({"checked": [INVALID_EMAIL], "observed": True}, False, id="it only helps"),
        pytest.param(
            {"result": ended(Outcome.REJECTED, IVVY), "observed": True}, False, id="nor so"
        ),
    ],
)
def test_a_target_that_cannot_take_the_input_keeps_all_from_being_written(
    given: dict[str, Any], rejected: bool
) -> None:
    assert Prepared(targets=[target(IVVY, **given), target(SENDGRID)]).rejected is rejected


def test_a_problem_of_the_input_keeps_all_from_being_written() -> None:
    assert Prepared(targets=[target()], problems=[OF_ALL]).rejected


@pytest.mark.parametrize(
    ("problem", "after"),
    [
        pytest.param(
            OF_ALL,
            [Outcome.FAILED, Outcome.REJECTED, Outcome.REJECTED, Outcome.REJECTED],
            id="of every target",
        ),
        pytest.param(
            INVALID_EMAIL,
            [Outcome.FAILED, Outcome.SKIPPED, Outcome.REJECTED, Outcome.SKIPPED],
            id="of one target",
        ),
    ],
)
def test_when_a_write_is_called_off_each_target_says_why(
    problem: Problem, after: list[Outcome]
) -> None:
    late = target(EVERBRIDGE, checked=[INVALID_EMAIL])
    failed = target(IVVY, result=ended(Outcome.FAILED, IVVY))
    left_out = target(SENDGRID, result=ended(Outcome.SKIPPED, SENDGRID))
    prepared = Prepared(targets=[failed, left_out, late, target(SENDGRID)], problems=[problem])
    prepared.call_off()
    results = [one.result for one in prepared.targets if one.result is not None]
    assert [result.outcome for result in results] == after
    assert results[2].errors == [INVALID_EMAIL]


async def test_who_is_still_looked_for_is_unanswered_until_it_is_cancelled() -> None:
    async def look(event: asyncio.Event) -> None:
        await event.wait()

    never, soon = asyncio.Event(), asyncio.Event()
    late, done = asyncio.create_task(look(never)), asyncio.create_task(look(soon))
    soon.set()
    await done
    prepared = Prepared(targets=[], looking={IVVY: late, SENDGRID: done})
    assert prepared.unanswered == {IVVY}
    await prepared.cancel_look_ups()
    assert (prepared.unanswered, late.cancelled()) == (set(), True)


KEYLESS = {"found": Found(keyless=True)}


@pytest.mark.parametrize(
    ("given", "other", "again"),
    [
        pytest.param(KEYLESS, Found(stored=ADA), True, id="it may be told"),
        pytest.param(KEYLESS, Found(), False, id="nobody has it"),
        pytest.param(KEYLESS, None, False, id="nobody has answered"),
        pytest.param({"found": Found()}, Found(stored=ADA), False, id="it had a key"),
        pytest.param({}, Found(stored=ADA), False, id="it was not looked for"),
        pytest.param(
            {**KEYLESS, "result": ended(Outcome.SKIPPED, SENDGRID)},
            Found(stored=ADA),
            False,
            id="it is over",
        ),
    ],
)
def test_who_lacked_a_key_is_looked_for_again_once_a_sibling_has_told_of_it(
    given: dict[str, Any], other: Found | None, again: bool
) -> None:
    one = target(SENDGRID, **given)
    assert lacks_key(one, [one, target(IVVY, found=other)]) is again


def test_a_name_is_unknown_when_every_target_that_was_asked_lacks_it() -> None:
    write = write_of(add_groups_name=Some(["Naer"]))

    def asked(backend: Backend, resolution: Resolution) -> Target:
        wanted = wanted_groups(write, f"{backend.value.lower()}.group_ids")
        return target(backend, write=write, wanted=wanted, resolution=resolution)

    missing = {(CatalogName.GROUPS, "Naer"): ["Near"]}
    lacking, knowing = asked(IVVY, Resolution(missing=missing)), asked(EVERBRIDGE, Resolution())
    [problem] = unknown_names([lacking])
    assert (problem.code, problem.suggestions) == (ProblemCode.NAME_NOT_FOUND, ["Near"])
    assert unknown_names([lacking, knowing]) == []
    assert unknown_names([knowing]) == []
