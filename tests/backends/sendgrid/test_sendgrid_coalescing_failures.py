"""A shared call that fails is each caller's own failure; each has its own time, and may go."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from gateway.errors import MaybeWrittenError, NotWrittenError, RefusedError
from gateway.results import Outcome, ProblemCode
from tests.backends.sendgrid.coalescing import names, person, send, send_all, upsert

if TYPE_CHECKING:
    from tests.backends.sendgrid.conftest import Account

pytestmark = pytest.mark.usefixtures("no_waiting")


def answering(status: int, **headers: str) -> Any:
    return lambda _request: httpx.Response(status, json={"errors": []}, headers=headers)


def losing(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("gone", request=request)


def unreachable(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


@pytest.mark.parametrize(
    ("stub", "error", "attempts", "status"),
    [
        (answering(429, **{"Retry-After": "0"}), NotWrittenError, 4, 429),
        (answering(503, **{"Retry-After": "0"}), NotWrittenError, 4, 503),
        (answering(500), MaybeWrittenError, 4, 500),
        (answering(403), NotWrittenError, 1, 403),
        (answering(401), NotWrittenError, 2, 401),
        (answering(406), RefusedError, 1, 406),
        (losing, MaybeWrittenError, 4, None),
        (unreachable, NotWrittenError, 4, None),
        (lambda _request: httpx.Response(202, json={}), MaybeWrittenError, 4, 202),
    ],
)
async def test_a_failure_is_that_of_every_caller_by_the_same_table(
    sharing: Account, stub: Any, error: type[Exception], attempts: int, status: int | None
) -> None:
    sharing.wire.stub = stub
    sent = await send_all(sharing, [upsert("a", first_name="A"), upsert("b"), upsert("a")])
    assert [type(one.answer) for one in sent] == [error] * 3
    assert len({id(one.problem) for one in sent}) == 3, "each may add to its own"
    assert len(sharing.wire.calls) == attempts
    for one, given in zip(sent, ["A", None, None], strict=True):
        assert one.shown.get("first_name") == given
        assert (one.call.attempts, one.call.status_code) == (attempts, status)


async def test_a_call_that_is_tried_again_answers_all_of_them(sharing: Account) -> None:
    answers = iter([500, 429])

    def failing_twice(_request: httpx.Request) -> httpx.Response | None:
        status = next(answers, None)
        again = {"Retry-After": "0"}
        return None if status is None else httpx.Response(status, json={}, headers=again)

    sharing.wire.stub = failing_twice
    sent = await send_all(sharing, [upsert("a"), upsert("b")])
    assert len({one.job for one in sent}) == 1
    assert [(one.call.attempts, one.call.status_code) for one in sent] == [(3, 202)] * 2


async def test_while_sendgrid_is_left_alone_all_fail_at_once(sharing: Account) -> None:
    for _ in range(5):
        sharing.adapter.sender.breaker.note(failed=True)
    sent = await send_all(sharing, [upsert("a"), upsert("b")])
    assert {one.problem.code for one in sent} == {ProblemCode.UNAVAILABLE}
    assert all(one.problem.retry_after_seconds for one in sent)
    assert sharing.wire.calls == []


# ---------------------------------------------------------------- time


async def test_a_call_lasts_as_long_as_the_most_patient_of_them_waits(sharing: Account) -> None:
    sharing.wire.open.clear()
    hasty = asyncio.create_task(send(sharing, upsert("a"), sharing.exchange(1.0)))
    patient = asyncio.create_task(send(sharing, upsert("b")))
    await sharing.wire.reached.wait()
    failure = (await hasty).failure
    assert failure.outcome is Outcome.UNKNOWN, "it has left, and may still be taken"
    assert (failure.problem.code, failure.problem.retryable) == (ProblemCode.TIMEOUT, True)
    assert (hasty.result().call.attempts, hasty.result().call.status_code) == (1, None)
    sharing.wire.open.set()
    assert (await patient).job
    assert hasty.result().call.status_code is None, "its receipt stays as it was told"


async def test_who_runs_out_of_time_before_the_window_ends_is_surely_not_written(
    sharing: Account,
) -> None:
    late, there, merged = await send_all(
        sharing,
        [upsert("a", city="Rome"), upsert("b"), upsert("a", country="IT")],
        [sharing.exchange(0.0), sharing.exchange(), sharing.exchange()],
    )
    assert late.failure.outcome is Outcome.FAILED
    assert (late.problem.code, late.problem.retryable) == (ProblemCode.TIMEOUT, True)
    assert late.call.attempts == 0
    assert there.job == merged.job
    assert sharing.wire.contacts() == [[person("a", country="IT"), person("b")]]


async def test_a_write_that_waits_for_an_earlier_one_may_run_out_of_time(sharing: Account) -> None:
    sharing.wire.open.clear()
    earlier = asyncio.create_task(send(sharing, upsert("a", first_name="1")))
    await sharing.wire.reached.wait()
    late = await send(sharing, upsert("a", first_name="2"), sharing.exchange(0.05))
    assert late.failure.outcome is Outcome.FAILED
    sharing.wire.open.set()
    await earlier
    await send(sharing, upsert("a", first_name="3"))
    assert sharing.wire.contacts() == [
        [person("a", first_name="1")], [person("a", first_name="3")],
    ]  # fmt: skip


async def test_when_all_have_run_out_of_time_nothing_is_sent(sharing: Account) -> None:
    await send_all(
        sharing, [upsert("a"), upsert("b")], [sharing.exchange(0.0), sharing.exchange(0.0)]
    )
    await send(sharing, upsert("c"))
    assert [names(one) for one in sharing.wire.contacts()] == [["c"]]


# ---------------------------------------------------------------- callers that go


async def test_who_goes_before_the_window_ends_does_not_go_along(sharing: Account) -> None:
    gone = asyncio.create_task(send(sharing, upsert("a")))
    there = asyncio.create_task(send(sharing, upsert("b")))
    await asyncio.sleep(0)
    gone.cancel()
    assert (await there).job
    assert [names(one) for one in sharing.wire.contacts()] == [["b"]]


async def test_who_goes_afterwards_does_not_end_the_call(sharing: Account) -> None:
    sharing.wire.open.clear()
    gone = asyncio.create_task(send(sharing, upsert("a")))
    there = asyncio.create_task(send(sharing, upsert("b")))
    await sharing.wire.reached.wait()
    gone.cancel()
    sharing.wire.open.set()
    assert (await there).job
    assert [names(one) for one in sharing.wire.contacts()] == [["a", "b"]]


class Losing:
    """A lock that another process has after it was looked at so often."""

    def __init__(self, looks: int) -> None:
        self.looks = looks

    @property
    def holds(self) -> bool:
        self.looks -= 1
        return self.looks >= 0


@pytest.mark.parametrize("looks", [0, 1])
async def test_who_has_lost_its_lock_meanwhile_is_kept_back(sharing: Account, looks: int) -> None:
    exchanges = [sharing.exchange(), sharing.exchange()]
    exchanges[0].held.append(Losing(looks))
    kept, sent = await send_all(sharing, [upsert("a"), upsert("b")], exchanges)
    assert (kept.failure.outcome, kept.problem.code) == (Outcome.FAILED, ProblemCode.CONFLICT)
    assert sent.job
    assert [names(one) for one in sharing.wire.contacts()] == [["b"]]


async def test_a_fault_of_our_own_reaches_everybody(
    sharing: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("gateway.backends.sendgrid.writes.put_encoded", broken)
    results = await asyncio.gather(
        send(sharing, upsert("a")), send(sharing, upsert("b")), return_exceptions=True
    )
    assert [type(one) for one in results] == [ZeroDivisionError] * 2
    monkeypatch.undo()
    assert (await send(sharing, upsert("a"))).job, "the next one is not held up"
