"""What a target's write comes to, from what has been found: the decision alone, without any I/O."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pytest
from strawberry import Some

from gateway.backends.adapter import Found, Key, KeyKind, Plan
from gateway.deciding import UNHEARD, plan, siblings_of
from gateway.entries import Catalog, CatalogName, Entry
from gateway.errors import NotWrittenError
from gateway.model import Backend, CustomFieldInput, MissingPolicy, WriteMode
from gateway.names import Resolution
from gateway.results import Outcome, Problem, ProblemCode
from tests.memory_backend import write_of
from tests.planner import ADA, EVERBRIDGE, IVVY, OWN, SENDGRID, Planner, ended, target, wrong

if TYPE_CHECKING:
    from collections.abc import Collection

    from gateway.target import Target


def refused(one: Target, *others: Target, unanswered: Collection[Backend] = ()) -> list[Problem]:
    """Decide; what the target is rejected for."""
    plan(one, [one, *others], set(unanswered))
    assert one.result is not None
    assert one.result.outcome is Outcome.REJECTED
    return one.result.errors


INVALID_EMAIL = wrong(ProblemCode.INVALID, "email")
REQUIRED_EMAIL = wrong(ProblemCode.REQUIRED, "email")
REQUIRED_NAME = wrong(ProblemCode.REQUIRED, "lastName")
AMBIGUOUS = wrong(ProblemCode.NAME_AMBIGUOUS, "groupsName", "0")
UNSURE = Resolution(problems=(AMBIGUOUS,))
WRONG = pytest.mark.parametrize(
    ("given", "told"),
    [({"checked": [INVALID_EMAIL]}, INVALID_EMAIL), ({"resolution": UNSURE}, AMBIGUOUS)],
)
"""Ways in which an input is known to be wrong before a plan is made."""


@pytest.mark.parametrize(
    ("given", "heard"),
    [
        pytest.param({"found": Found(stored=ADA)}, Found(stored=ADA), id="it has answered"),
        pytest.param({}, UNHEARD, id="it has not answered"),
        pytest.param({"result": ended(Outcome.FAILED, SENDGRID)}, UNHEARD, id="it failed"),
        pytest.param({"result": ended(Outcome.REJECTED, SENDGRID)}, None, id="it is over"),
        pytest.param({"names_only": True}, None, id="it is asked for names alone"),
    ],
)
def test_what_is_told_of_a_sibling(given: dict[str, Any], heard: Found | None) -> None:
    one, other = target(IVVY, found=Found(stored=ADA)), target(SENDGRID, **given)
    assert siblings_of(one, [one, other]) == ({} if heard is None else {SENDGRID: heard})


def test_a_plan_is_made_of_what_was_found_here_and_there() -> None:
    adapter = Planner()
    one, other = target(adapter=adapter, found=Found()), target(SENDGRID, found=Found(stored=ADA))
    plan(one, [one, other], set())
    assert (one.plan, one.result) == (adapter.made, None)
    assert adapter.told == {SENDGRID: Found(stored=ADA)}


@pytest.mark.parametrize(
    "given", [{"found": Found(), "observed": True}, {}], ids=["it only helps", "names alone"]
)
def test_a_target_may_have_nothing_to_plan(given: dict[str, Any]) -> None:
    one = target(**given)
    plan(one, [one], set())
    assert (one.plan, one.result) == (None, None)


def test_a_result_that_stands_already_is_kept() -> None:
    one = target(found=Found(), result=ended(Outcome.FAILED, IVVY))
    plan(one, [one], set())
    assert one.plan is None
    assert one.result is not None
    assert one.result.outcome is Outcome.FAILED


def test_what_is_wrong_with_the_input_is_told_whatever_the_backend_answers() -> None:
    unavailable = wrong(ProblemCode.UNAVAILABLE)
    one = target(
        found=Found(),
        checked=[INVALID_EMAIL],
        resolution=UNSURE,
        result=ended(Outcome.FAILED, IVVY, unavailable),
    )
    assert refused(one) == [INVALID_EMAIL, AMBIGUOUS]


@pytest.mark.parametrize(
    ("outcome", "told"), [(Outcome.REJECTED, [REQUIRED_EMAIL, AMBIGUOUS]), (Outcome.SKIPPED, [])]
)
def test_what_is_wrong_with_names_is_told_with_a_refusal_alone(
    outcome: Outcome, told: list[Problem]
) -> None:
    errors = [REQUIRED_EMAIL] if outcome is Outcome.REJECTED else []
    one = target(found=Found(), resolution=UNSURE, result=ended(outcome, IVVY, *errors))
    plan(one, [one], set())
    assert one.result is not None
    assert (one.result.outcome, one.result.errors) == (outcome, told)


def test_problems_of_the_plan_and_of_the_names_are_told_together() -> None:
    made = Plan(outcome=Outcome.CREATED, problems=(REQUIRED_EMAIL,))
    one = target(adapter=Planner(made), found=Found(), resolution=UNSURE)
    assert refused(one) == [REQUIRED_EMAIL, AMBIGUOUS]


def test_a_refusal_is_told_behind_what_the_check_found_and_each_field_once() -> None:
    conflict = wrong(ProblemCode.CONFLICT, "externalId")
    again = wrong(ProblemCode.INVALID, "email", message="said again")
    one = target(
        found=Found(),
        checked=[INVALID_EMAIL],
        result=ended(Outcome.REJECTED, IVVY, conflict, again),
    )
    assert refused(one) == [INVALID_EMAIL, conflict]


def test_problems_of_no_field_are_all_told() -> None:
    problems = (wrong(ProblemCode.INVALID), wrong(ProblemCode.INVALID))
    one = target(adapter=Planner(Plan(outcome=Outcome.CREATED, problems=problems)), found=Found())
    assert refused(one) == list(problems)


@WRONG
def test_what_is_wrong_is_told_where_only_names_were_looked_up(
    given: dict[str, Any], told: Problem
) -> None:
    one = target(**given)
    assert refused(one) == [told]


def test_a_value_that_a_field_cannot_take_is_told_where_only_names_were_looked_up() -> None:
    catalog = Catalog(entries=(Entry(id="501", name="Info"),))
    key = (CatalogName.CUSTOM_FIELDS, "Info")
    write = write_of(custom_fields=Some([CustomFieldInput(name="Info", values=["x"])]))
    known = Resolution(found={key: catalog.entries[0]}, catalogs={key[0]: catalog})
    one = target(write=write, resolution=known)
    [problem] = refused(one)
    assert problem.field[0] == "customFields"


def test_a_record_that_is_missing_is_skipped_when_asked_for() -> None:
    one = target(
        found=Found(), write=write_of(external_id=Some("E-1"), if_missing=MissingPolicy.SKIP)
    )
    plan(one, [one], set())
    assert one.result is not None
    assert one.result.outcome is Outcome.SKIPPED


@pytest.mark.parametrize("found", [Found(stored=ADA), Found(looked=False)])
def test_a_record_that_is_there_or_was_not_looked_for_is_not_skipped(found: Found) -> None:
    one = target(found=found, write=write_of(if_missing=MissingPolicy.SKIP))
    plan(one, [one], set())
    assert one.plan is not None


def test_a_wrong_input_is_rejected_though_the_record_is_missing() -> None:
    one = target(
        found=Found(), checked=[INVALID_EMAIL], write=write_of(if_missing=MissingPolicy.SKIP)
    )
    assert refused(one) == [INVALID_EMAIL]


def test_a_value_that_the_check_refused_need_not_be_laid_out() -> None:
    one = target(adapter=Planner(ValueError("no number")), found=Found(), checked=[INVALID_EMAIL])
    assert refused(one) == [INVALID_EMAIL]


def test_a_value_that_the_check_let_pass_and_nobody_can_lay_out_is_our_own_fault() -> None:
    one = target(adapter=Planner(ValueError("no number")), found=Found())
    with pytest.raises(ValueError, match="no number"):
        plan(one, [one], set())


UNREADABLE = NotWrittenError(wrong(ProblemCode.UNAVAILABLE))


def test_what_the_backend_cannot_tell_is_raised() -> None:
    one = target(adapter=Planner(UNREADABLE), found=Found())
    with pytest.raises(NotWrittenError):
        plan(one, [one], set())


@WRONG
def test_what_is_wrong_comes_before_what_the_backend_cannot_tell(
    given: dict[str, Any], told: Problem
) -> None:
    one = target(adapter=Planner(UNREADABLE), found=Found(), **given)
    assert refused(one) == [told]


WANTS_EMAIL = Plan(outcome=Outcome.CREATED, problems=(REQUIRED_EMAIL,))
SILENT = [
    pytest.param({"found": None}, {SENDGRID}, id="not answered"),
    pytest.param({"result": ended(Outcome.FAILED, SENDGRID)}, set(), id="failed"),
]


@pytest.mark.parametrize(("given", "unanswered"), SILENT)
def test_a_key_that_a_silent_sibling_may_have_is_not_told_to_be_missing(
    given: dict[str, Any], unanswered: set[Backend]
) -> None:
    one = target(adapter=Planner(WANTS_EMAIL), found=Found(keyless=True))
    with pytest.raises(NotWrittenError) as caught:
        plan(one, [one, target(SENDGRID, **given)], unanswered)
    assert "SendGrid" in caught.value.problem.message


@pytest.mark.parametrize(("given", "unanswered"), SILENT)
def test_what_is_wrong_is_told_though_a_sibling_is_silent_and_what_is_missing_is_not(
    given: dict[str, Any], unanswered: set[Backend]
) -> None:
    other = wrong(ProblemCode.TOO_LONG, "firstName")
    made = Plan(outcome=Outcome.CREATED, problems=(REQUIRED_EMAIL, other))
    one = target(adapter=Planner(made), found=Found(keyless=True))
    assert refused(one, target(SENDGRID, **given), unanswered=unanswered) == [other]


@WRONG
def test_what_is_missing_is_not_told_beside_what_the_check_and_the_names_brought(
    given: dict[str, Any], told: Problem
) -> None:
    one = target(adapter=Planner(WANTS_EMAIL), found=Found(keyless=True), **given)
    assert refused(one, target(SENDGRID), unanswered={SENDGRID}) == [told]


@pytest.mark.parametrize(
    "given",
    [{"found": Found(stored=ADA)}, {"result": ended(Outcome.SKIPPED, SENDGRID)}],
    ids=["it has answered", "it is left out"],
)
def test_what_is_missing_is_told_when_no_sibling_is_silent(given: dict[str, Any]) -> None:
    one = target(adapter=Planner(WANTS_EMAIL), found=Found(keyless=True))
    assert refused(one, target(SENDGRID, **given)) == [REQUIRED_EMAIL]


def test_a_silent_sibling_changes_nothing_where_the_input_has_a_key() -> None:
    one = target(adapter=Planner(WANTS_EMAIL), found=Found())
    assert refused(one, target(SENDGRID), unanswered={SENDGRID}) == [REQUIRED_EMAIL]


@pytest.mark.parametrize(
    ("lender", "silent", "certain"),
    [(IVVY, EVERBRIDGE, True), (EVERBRIDGE, IVVY, False), (IVVY, IVVY, True)],
)
def test_a_borrowed_key_is_doubtful_while_a_sibling_that_comes_first_is_silent(
    lender: Backend, silent: Backend, certain: bool
) -> None:
    borrowed = Key(KeyKind.EMAIL, "ada@example.com", f"{lender.value}.email")
    one = target(SENDGRID, found=Found(stored=ADA, asked_by=(borrowed,)))
    with nullcontext() if certain else pytest.raises(NotWrittenError):
        plan(one, [one, target(silent)], {silent})
    assert (one.plan is not None) is certain


def test_a_key_of_the_input_is_certain_whoever_is_silent() -> None:
    one = target(SENDGRID, found=Found(stored=ADA, asked_by=(OWN,)))
    plan(one, [one, target(IVVY)], {IVVY})
    assert one.plan is not None


BOTH = Plan(outcome=Outcome.CREATED, problems=(INVALID_EMAIL, REQUIRED_NAME))


def test_a_record_whose_only_key_is_wrong_may_have_what_is_missing() -> None:
    write = write_of(invalid=frozenset({"email"}))
    one = target(adapter=Planner(BOTH), found=Found(), write=write)
    assert refused(one) == [INVALID_EMAIL]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        pytest.param({"mode": WriteMode.REPLACE}, Found(), id="a REPLACE gives the whole"),
        pytest.param({}, Found(asked_by=(OWN,)), id="it was looked for"),
        pytest.param({"invalid": frozenset({"first_name"})}, Found(), id="no key is wrong"),
        pytest.param({"invalid": frozenset()}, Found(), id="nothing is wrong"),
    ],
)
def test_otherwise_what_is_missing_is_told_too(given: dict[str, Any], found: Found) -> None:
    write = write_of(**{"invalid": frozenset({"email"}), **given})
    one = target(adapter=Planner(BOTH), found=found, write=write)
    assert refused(one) == [INVALID_EMAIL, REQUIRED_NAME]
