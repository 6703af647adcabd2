"""A plan's calls one after the other, and what is said of a write that stopped between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from gateway.backends.adapter import Answer, Plan
from gateway.calls import Call, FromReply, Reply, Safety
from gateway.delivery import deliver, dry_run
from gateway.model import Backend
from gateway.results import BackendResult, ImportJob, JobStatus, Outcome, Problem, ProblemCode
from gateway.upstream import Exchange, Sender
from tests.plain_backend import PlainDialect, within


@dataclass
class Answers:
    """What sends a plan's calls to a backend that answers from a list."""

    answers: list[httpx.Response | Exception]
    backend: Backend = Backend.SENDGRID
    bodies: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        client = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))
        self.sender = Sender(PlainDialect(backend=self.backend), client)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.bodies.append(request.content)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def send(self, call: Call, exchange: Exchange) -> Reply:
        return await self.sender.send(call, exchange)

    def read_answer(self, call: Call, reply: Reply) -> Answer:
        assert call.method == "POST"
        jobs = tuple(
            ImportJob(backend=self.backend, id=job, status=JobStatus.PENDING)
            for job in reply.body.get("jobs", [])
        )
        return Answer(id=reply.body.get("id"), jobs=jobs)


def once(body: Any) -> Call:
    return Call(method="POST", path="/a", body=body, safety=Safety.ONCE)


WARNING = Problem(code=ProblemCode.INVALID, message="mind this")
PLAN = Plan(
    outcome=Outcome.CREATED,
    calls=(once({"name": "A"}), once({"of": FromReply(call=0, key="id")})),
    matched_by="email",
    changed=("email",),
    ignored=("suffix",),
    warnings=(WARNING,),
)


async def delivered(
    *answers: httpx.Response | Exception, plan: Plan = PLAN
) -> tuple[BackendResult, Answers, Exchange]:
    backend = Answers(list(answers))
    exchange = within()
    return await deliver(plan, backend, exchange), backend, exchange


def ok(**body: Any) -> httpx.Response:
    return httpx.Response(200, json=body)


async def test_calls_go_in_order_and_use_earlier_replies() -> None:
    result, backend, _ = await delivered(ok(id="7", jobs=["j1"]), ok(jobs=["j2"]))
    assert backend.bodies == [b'{"name":"A"}', b'{"of":"7"}']
    assert (result.outcome, result.id) == (Outcome.CREATED, "7")
    assert [job.id for job in result.jobs] == ["j1", "j2"]
    assert [call.status_code for call in result.calls] == [200, 200]
    assert (result.matched_by, result.changed_fields) == ("email", ["email"])
    assert (result.ignored_fields, result.warnings) == (["suffix"], [WARNING])
    assert result.errors == []


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (httpx.Response(400, json={}), Outcome.REJECTED),
        (httpx.Response(403, json={}), Outcome.FAILED),
        (httpx.ReadTimeout(""), Outcome.UNKNOWN),
    ],
)
async def test_a_first_call_that_fails_ends_the_write_as_what_is_known(
    answer: httpx.Response | Exception, outcome: Outcome
) -> None:
    result, backend, _ = await delivered(answer)
    assert result.outcome is outcome
    assert result.changed_fields == []
    assert len(result.errors) == len(result.calls) == len(backend.bodies) == 1


@pytest.mark.parametrize("answer", [httpx.Response(400, json={}), httpx.ReadTimeout("")])
async def test_a_later_call_that_fails_leaves_the_write_partial(
    answer: httpx.Response | Exception,
) -> None:
    result, _, _ = await delivered(ok(id="7"), answer)
    assert (result.outcome, result.id) == (Outcome.PARTIAL, "7")
    assert len(result.calls) == 2
    assert len(result.errors) == 1


async def test_a_plan_without_calls_sends_nothing() -> None:
    plan = Plan(outcome=Outcome.UNCHANGED, id="7")
    result, backend, _ = await delivered(plan=plan)
    assert (result.outcome, result.id, result.calls) == (Outcome.UNCHANGED, "7", [])
    assert backend.bodies == []


def test_a_dry_run_shows_the_calls_with_their_references_named() -> None:
    result = dry_run(PLAN, Backend.SENDGRID)
    bodies: list[Any] = [call.body for call in result.calls]
    assert bodies == [{"name": "A"}, {"of": "<id of call 1>"}]
    assert result.outcome is Outcome.PLANNED
    assert result.changed_fields == ["email"]
