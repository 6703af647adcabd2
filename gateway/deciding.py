"""What a target's write comes to, from what has been found, there and in its siblings. No I/O."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.backends.adapter import Found, Plan
from gateway.errors import NotWrittenError
from gateway.matching import besides, but_required, has_wrong_key
from gateway.model import ORDER, Backend, MissingPolicy
from gateway.results import Outcome
from gateway.target import no_key_from

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gateway.results import Problem
    from gateway.target import Target


UNHEARD = Found(looked=False, answered=False)
"""What is known of a sibling that has not answered."""


def siblings_of(target: Target, targets: Iterable[Target]) -> dict[Backend, Found]:
    """What has been found in the other backends so far; one that is silent is in it as such.

    One that is not asked, because its own check has refused the input, is not silent.
    """
    found: dict[Backend, Found] = {}
    for other in targets:
        if other is target or (other.found is None and other.checked and not other.observed):
            continue
        if other.found is not None:
            found[other.backend] = other.found
        elif not other.names_only and (
            other.result is None or other.result.outcome is Outcome.FAILED
        ):
            found[other.backend] = UNHEARD
    return found


def plan(target: Target, targets: Sequence[Target], unanswered: set[Backend]) -> None:
    """Decide what the target's write comes to, from what has been found."""
    if target.observed:
        return
    if target.checked and target.result is not None:
        # What is wrong with the input is wrong whatever the backend answers, or does not.
        if target.result.outcome is not Outcome.REJECTED:
            target.end(Outcome.REJECTED, _once([*target.checked, *target.resolution.problems]))
            return
        target.result.errors = _once([*target.checked, *target.result.errors])
    if target.result is not None:
        if target.result.outcome is Outcome.REJECTED:
            # A key that means no record, or two, hides nothing of the values.
            told = [*target.result.errors, *target.resolution.problems]
            target.result.errors = _once(besides(told, target.wrong_values()))
        return
    try:
        with target.span("plan"):
            made = _made(target, targets, unanswered)
    except NotWrittenError:
        if not (target.checked or target.resolution.problems):
            raise
        made = Plan(outcome=Outcome.REJECTED)  # what is wrong with the input comes first
    if made is None:
        return
    target.plan = made
    problems = besides(target.checked, [*made.problems, *target.resolution.problems])
    if problems:
        target.end(Outcome.REJECTED, _once(problems))


def _made(target: Target, targets: Sequence[Target], unanswered: set[Backend]) -> Plan | None:
    """The plan of what has been found; None where there is nothing to plan."""
    found = target.found
    if found is None:
        misread = target.wrong_values()
        if misread or target.checked or target.resolution.problems:
            return Plan(outcome=Outcome.REJECTED, problems=misread)
        return None  # only names were looked up
    if found.stored is None and found.looked and target.write.if_missing is MissingPolicy.SKIP:
        if target.checked:
            return Plan(outcome=Outcome.REJECTED)
        target.end(Outcome.SKIPPED)
        return None
    try:
        made = target.adapter.plan(
            target.write, found, target.resolution, siblings_of(target, targets)
        )
    except ValueError:
        if not target.checked:
            raise
        # A value that the check refused, an id that is no number say, cannot always be laid out.
        return Plan(outcome=Outcome.REJECTED)
    silent = _silent(target, targets, unanswered)
    if silent and (found.keyless or _may_be_another(found, silent)):
        # What is missing may be with the silent sibling; what is wrong is wrong all the same.
        wrong = but_required(made.problems)
        if not (wrong or target.checked or target.resolution.problems):
            raise NotWrittenError(no_key_from(silent, target.backend))
        made = replace(made, problems=tuple(wrong))
    elif made.problems and (
        _may_be_there(target, found) or (found.keyless and _key_refused(target, targets))
    ):
        made = replace(made, problems=tuple(but_required(made.problems)))
    return made


def _may_be_there(target: Target, found: Found) -> bool:
    """Whether a record was not looked for because its only key is wrong."""
    write = target.write
    if found.asked_by or write.replaces:
        return False
    return has_wrong_key(write, target.adapter.key_kinds)


def _key_refused(target: Target, targets: Sequence[Target]) -> bool:
    """Whether a sibling that might have told the target's key was given a wrong one itself.

    Nothing is written then, and what the target's record lacks shows once that key is right.
    """
    if target.write.replaces:
        return False
    return any(
        other.found is None
        and (
            other.checked or (other.result is not None and other.result.outcome is Outcome.REJECTED)
        )
        for other in targets
        if other is not target and not (other.observed or other.names_only)
    )


def _may_be_another(found: Found, silent: list[Backend]) -> bool:
    """Whether a key was borrowed from a record, and a silent sibling comes before its backend.

    With that sibling's answer another key might have been borrowed, and another record meant.
    """
    order = [backend.value for backend in ORDER]
    lenders = [order.index(key.source.partition(".")[0]) for key in found.asked_by if not key.path]
    return any(order.index(backend.value) < lender for backend in silent for lender in lenders)


def _once(problems: Iterable[Problem]) -> list[Problem]:
    """The problems without those that say of one field what another has said already."""
    kept: dict[tuple[object, ...], Problem] = {}
    for problem in problems:
        said = (problem.backend, problem.code, *problem.field) if problem.field else (id(problem),)
        kept.setdefault(said, problem)
    return list(kept.values())


def _silent(target: Target, targets: Sequence[Target], unanswered: set[Backend]) -> list[Backend]:
    """The siblings that could have told the target's key, and did not answer."""
    return [
        other.backend
        for other in targets
        if other is not target
        and (
            other.backend in unanswered
            or (other.result is not None and other.result.outcome is Outcome.FAILED)
        )
    ]
