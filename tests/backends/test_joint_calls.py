"""A call that carries several writes: what each one's receipt shows, and who is kept back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from gateway.backends.joint_calls import Share, joint_exchange, own_failure, without_kept_back
from gateway.calls import Call, Reply, Safety
from gateway.errors import NotWrittenError
from gateway.model import Backend
from gateway.results import Problem, ProblemCode
from gateway.upstream import Exchange

if TYPE_CHECKING:
    from collections.abc import Sequence

OK = Reply(status=200, headers={}, body={}, text="{}")


class Lock:
    """What a write is sent under."""

    def __init__(self, *, holds: bool) -> None:
        self.holds = holds


def share(number: int, *, left: float = 30.0, holds: bool = True) -> Share:
    exchange = Exchange(deadline=time.monotonic() + left, held=[Lock(holds=holds)])
    call = Call(method="PUT", path=f"/{number}", safety=Safety.REPEATABLE)
    return Share(call=call, exchange=exchange, body=number)


async def test_who_has_no_time_or_no_lock_is_kept_back_and_the_others_leave() -> None:
    left: list[Any] = []

    async def together(shares: Sequence[Share]) -> Sequence[Reply | Exception]:
        left.extend(each.body for each in shares)
        return [OK for _ in shares]

    shares = [share(1), share(2, left=-1.0), share(3, holds=False), share(4)]
    results = await without_kept_back(Backend.EVERBRIDGE, shares, together)
    assert left == [1, 4]
    assert [results[0], results[3]] == [OK, OK]
    kept = [each.problem.code for each in results[1:3] if isinstance(each, NotWrittenError)]
    assert kept == [ProblemCode.TIMEOUT, ProblemCode.CONFLICT]


async def test_nothing_is_sent_when_all_are_kept_back() -> None:
    async def together(_: Sequence[Share]) -> Sequence[Reply | Exception]:
        raise AssertionError("nothing may leave")

    [result] = await without_kept_back(Backend.IVVY, [share(1, left=-1.0)], together)
    assert isinstance(result, NotWrittenError)


def test_a_joint_call_has_the_time_of_the_last_and_needs_the_locks_of_all() -> None:
    shares = [share(1, left=5.0), share(2, left=20.0, holds=False)]
    exchange = joint_exchange(each.exchange for each in shares)
    assert exchange.deadline == shares[1].exchange.deadline
    assert [held.holds for held in exchange.held] == [True, False]
    assert exchange.calls == []


def test_each_write_has_a_problem_of_its_own() -> None:
    failure = NotWrittenError(Problem(code=ProblemCode.UNAVAILABLE, message="Down."))
    first, second = own_failure(failure), own_failure(failure)
    first.problem.backend = Backend.IVVY
    assert second.problem.backend is None
    assert isinstance(second, NotWrittenError)
    assert second.__cause__ is failure
