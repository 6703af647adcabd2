"""The retry table, row by row, over a transport that answers from a list."""

from __future__ import annotations

import asyncio
import gzip
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from gateway.calls import Answer, Call, Reply, Safety, read
from gateway.errors import BackendFailure, MaybeWrittenError, NotWrittenError, RefusedError
from gateway.model import Backend
from gateway.results import Problem, ProblemCode
from gateway.sending import tries
from gateway.upstream import Exchange, Sender
from tests.plain_backend import PlainDialect, Step, a_call, answering, within

READ, REPEATABLE, ONCE = Safety.READ, Safety.REPEATABLE, Safety.ONCE
EVERY = [READ, REPEATABLE, ONCE]
OK = httpx.Response(200, json={"ok": True})


@pytest.fixture(autouse=True)
def _no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tries, "BACKOFF_BASE", 0.0)


# Each row: what the backend does for ever, the kind of call, how it ends, after how many tries.
TABLE: list[tuple[Step | int, Safety, type[BackendFailure], ProblemCode, int]] = [
    *(
        (not_sent, safety, NotWrittenError, ProblemCode.UNAVAILABLE, 4)
        for not_sent in (
            httpx.ConnectError("refused"),
            httpx.ConnectTimeout("no route"),
            httpx.PoolTimeout("full"),
        )
        for safety in EVERY
    ),
    *((429, safety, NotWrittenError, ProblemCode.RATE_LIMITED, 4) for safety in EVERY),
    *((503, safety, NotWrittenError, ProblemCode.UNAVAILABLE, 4) for safety in EVERY),
    (500, READ, NotWrittenError, ProblemCode.BACKEND_ERROR, 4),
    (500, REPEATABLE, MaybeWrittenError, ProblemCode.BACKEND_ERROR, 4),
    (500, ONCE, MaybeWrittenError, ProblemCode.BACKEND_ERROR, 1),
    (502, READ, NotWrittenError, ProblemCode.BACKEND_ERROR, 4),
    (502, REPEATABLE, MaybeWrittenError, ProblemCode.BACKEND_ERROR, 4),
    (502, ONCE, MaybeWrittenError, ProblemCode.BACKEND_ERROR, 1),
    (httpx.ReadTimeout(""), READ, NotWrittenError, ProblemCode.TIMEOUT, 4),
    (httpx.ReadTimeout(""), REPEATABLE, MaybeWrittenError, ProblemCode.TIMEOUT, 4),
    (httpx.ReadTimeout(""), ONCE, MaybeWrittenError, ProblemCode.TIMEOUT, 1),
    (httpx.WriteTimeout(""), ONCE, MaybeWrittenError, ProblemCode.TIMEOUT, 1),
    (httpx.ReadError(""), READ, NotWrittenError, ProblemCode.UNAVAILABLE, 4),
    (httpx.RemoteProtocolError(""), REPEATABLE, MaybeWrittenError, ProblemCode.UNAVAILABLE, 4),
    (httpx.WriteError(""), ONCE, MaybeWrittenError, ProblemCode.UNAVAILABLE, 1),
    *((401, safety, NotWrittenError, ProblemCode.UNAUTHORIZED, 2) for safety in EVERY),
    *((403, safety, NotWrittenError, ProblemCode.FORBIDDEN, 1) for safety in EVERY),
    *((400, safety, RefusedError, ProblemCode.INVALID, 1) for safety in EVERY),
    *((404, safety, RefusedError, ProblemCode.NOT_FOUND, 1) for safety in EVERY),
    *((409, safety, RefusedError, ProblemCode.INVALID, 1) for safety in EVERY),
    (301, READ, RefusedError, ProblemCode.INVALID, 1),
]


@pytest.mark.parametrize(("step", "safety", "failure", "code", "tries"), TABLE)
async def test_a_failure_that_lasts_ends_as_the_table_says(
    step: Step | int,
    safety: Safety,
    failure: type[BackendFailure],
    code: ProblemCode,
    tries: int,
) -> None:
    backend = answering(step)
    with pytest.raises(failure) as raised:
        await backend.send(a_call(safety))
    problem = raised.value.problem
    assert type(raised.value) is failure
    assert (problem.code, problem.backend) == (code, Backend.IVVY)
    twice_may_harm = failure is MaybeWrittenError and safety is Safety.ONCE
    assert problem.retryable is (failure is not RefusedError and not twice_may_harm)
    assert backend.tries == tries


REPEATED = [(step, safety) for step, safety, _failure, _code, tries in TABLE if tries > 1]


@pytest.mark.parametrize(("step", "safety"), REPEATED)
async def test_what_may_be_repeated_succeeds_at_the_next_try(
    step: Step | int, safety: Safety
) -> None:
    backend = answering(step, OK)
    reply = await backend.send(a_call(safety))
    assert reply.body == {"ok": True}
    assert backend.tries == 2


@pytest.mark.parametrize(
    "later",
    [
        httpx.ConnectError("refused"),
        400,
        404,
        403,
        429,
        503,
        httpx.ReadTimeout(""),
    ],
)
@pytest.mark.parametrize("first", [httpx.ReadTimeout(""), 500, httpx.ReadError("")])
async def test_a_write_once_unanswered_stays_unknown_whatever_later_tries_say(
    first: Step | int, later: Step | int
) -> None:
    backend = answering(first, later)
    with pytest.raises(MaybeWrittenError) as raised:
        await backend.send(a_call(REPEATABLE))
    assert raised.value.problem.retryable
    assert "may or may not" in raised.value.problem.message
    assert backend.tries > 1


async def test_a_read_once_unanswered_is_what_its_last_try_says() -> None:
    with pytest.raises(RefusedError):
        await answering(500, 404).send(a_call(READ))


async def test_a_write_once_unanswered_is_unknown_when_the_time_is_used_up() -> None:
    backend = answering(httpx.ReadTimeout(""))
    exchange = within()

    def end_the_time() -> None:
        if backend.tries == 1:
            exchange.deadline = time.monotonic()

    backend.dialect.before_each = end_the_time
    with pytest.raises(MaybeWrittenError):
        await backend.send(a_call(REPEATABLE), exchange)


async def test_a_401_renews_the_credentials_once_and_only_for_the_next_try() -> None:
    backend = answering(401, 503, OK)
    await backend.send(a_call(ONCE))
    assert backend.dialect.renewals == [False, True, False]


async def test_a_401_after_the_renewal_is_final() -> None:
    backend = answering(401)
    with pytest.raises(NotWrittenError) as raised:
        await backend.send(a_call(READ))
    assert raised.value.problem.code is ProblemCode.UNAUTHORIZED
    assert backend.dialect.renewals == [False, True]


async def test_headers_of_a_try_carry_authorization_and_the_request_id() -> None:
    backend = answering(401, OK)
    await backend.send(a_call(REPEATABLE, body={"a": 1}, query=(("q", "x y"),)))
    first, second = backend.requests
    assert [first.headers["Authorization"], second.headers["Authorization"]] == [
        "Bearer 0",
        "Bearer 1",
    ]
    assert first.headers["X-Request-Id"] == "r-1"
    assert str(first.url) == "http://plain/things?q=x+y"
    assert first.content == second.content == b'{"a":1}'


async def test_a_call_without_request_id_sends_no_such_header() -> None:
    backend = answering(OK)
    await backend.send(a_call(READ), Exchange(deadline=time.monotonic() + 5))
    assert "X-Request-Id" not in backend.requests[0].headers


async def test_a_call_may_go_to_an_address_of_its_own() -> None:
    backend = answering(OK)
    await backend.send(a_call(READ, base_url="http://tokens", form=(("a", "b c"),)))
    assert str(backend.requests[0].url) == "http://tokens/things"
    assert backend.requests[0].content == b"a=b+c"


@pytest.mark.parametrize("asked", ["seconds", "date", "own header"])
async def test_a_backend_says_when_to_try_again_and_is_obeyed(
    monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    waits = recorded_waits(monkeypatch)
    headers = {
        "seconds": {"Retry-After": "7"},
        "date": {"Retry-After": format_datetime(in_seconds(7), usegmt=True)},
        "own header": {},
    }[asked]
    backend = answering(httpx.Response(429, headers=headers), OK)
    if asked == "own header":
        backend.dialect.judged_by = says_seven
    await backend.send(a_call(ONCE))
    [wait] = waits
    assert 5.9 <= wait <= 7.0


async def test_a_wait_beyond_the_deadline_is_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    waits = recorded_waits(monkeypatch)
    backend = answering(httpx.Response(429, headers={"Retry-After": "31"}))
    with pytest.raises(NotWrittenError) as raised:
        await backend.send(a_call(READ), within(30))
    assert raised.value.problem.retry_after_seconds == 31
    assert backend.tries == 1
    assert waits == []


async def test_backoff_is_random_below_a_cap_that_doubles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tries, "BACKOFF_BASE", 0.2)
    caps: list[float] = []

    def highest(_low: float, high: float) -> float:
        caps.append(high)
        return high

    monkeypatch.setattr("gateway.sending.tries.random.uniform", highest)
    waits = recorded_waits(monkeypatch)
    with pytest.raises(NotWrittenError):
        await answering(503).send(a_call(READ))
    assert waits == [0.4, 0.8, 1.6]
    monkeypatch.setattr(tries, "BACKOFF_CAP", 0.5)
    waits.clear()
    with pytest.raises(NotWrittenError):
        await answering(503).send(a_call(READ))
    assert waits == [0.4, 0.5, 0.5]


async def test_nothing_is_sent_after_the_deadline() -> None:
    backend = answering(OK)
    exchange = within(0)
    with pytest.raises(NotWrittenError) as raised:
        await backend.send(a_call(ONCE), exchange)
    assert raised.value.problem.code is ProblemCode.TIMEOUT
    assert backend.tries == 0
    [record] = exchange.calls
    assert (record.attempts, record.status_code) == (0, None)


@pytest.mark.parametrize(
    ("safety", "failure"), [(READ, NotWrittenError), (ONCE, MaybeWrittenError)]
)
async def test_an_answer_that_takes_longer_than_a_try_may_is_cut_off(
    safety: Safety, failure: type[BackendFailure]
) -> None:
    async def never(_request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    client = httpx.AsyncClient(transport=httpx.MockTransport(never))
    sender = Sender(PlainDialect(), client, try_timeout=0.01)
    with pytest.raises(failure) as raised:
        await sender.send(a_call(safety), within(0.03))
    assert raised.value.problem.code is ProblemCode.TIMEOUT


async def test_an_answer_that_cannot_be_unpacked_counts_as_none() -> None:
    broken = httpx.Response(200, headers={"Content-Encoding": "gzip"})

    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(
            200,
            headers=broken.headers,
            stream=httpx.ByteStream(gzip.compress(b"{}" * 50)[:-30] + b"?" * 30),
        )

    client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    sender = Sender(PlainDialect(), client)
    with pytest.raises(MaybeWrittenError) as raised:
        await sender.send(a_call(ONCE), within())
    assert raised.value.problem.code is ProblemCode.UNAVAILABLE


@pytest.mark.parametrize("body", [b"<html>Bad gateway</html>", b'{"id": 1', b"[]", b""])
async def test_an_unexpected_success_is_an_error_that_shows_the_answer(body: bytes) -> None:
    backend = answering(httpx.Response(200, content=body))
    with pytest.raises(MaybeWrittenError) as raised:
        await backend.send(a_call(ONCE))
    assert raised.value.problem.code is ProblemCode.BACKEND_ERROR
    assert read(Answer(200, {}, body, body.decode())).excerpt in raised.value.problem.message
    assert backend.tries == 1


async def test_writing_calls_are_recorded_with_attempts_and_the_last_status() -> None:
    backend = answering(503, OK)
    exchange = within()
    await backend.send(a_call(READ), exchange)
    assert exchange.calls == []
    await backend.send(a_call(ONCE, body={"a": 1}), exchange)
    [record] = exchange.calls
    assert (record.method, record.path) == ("POST", "/things")
    body: Any = record.body
    assert body == {"a": 1}
    assert (record.attempts, record.status_code) == (1, 200)
    assert record.duration_ms is not None
    assert record.duration_ms >= 0


async def test_our_own_fault_in_a_try_is_raised_as_it_is_and_not_repeated() -> None:
    backend = answering(OK)

    def broken(_call: Call, _reply: Reply) -> Problem | None:
        raise KeyError("ours")

    backend.dialect.judged_by = broken
    with pytest.raises(KeyError):
        await backend.send(a_call(READ))
    assert backend.tries == 1


async def test_traffic_tells_tries_that_failed_from_those_that_did_not() -> None:
    backend = answering(500, httpx.ReadTimeout(""), 404)
    sender = backend.sender()
    with pytest.raises(RefusedError):
        await sender.send(a_call(READ), within())
    assert [failed for _seconds, failed in sender.traffic.recent()] == [True, True, False]


def in_seconds(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def says_seven(_call: Call, reply: Reply) -> Problem | None:
    if reply.status == 200:
        return None
    return Problem(code=ProblemCode.RATE_LIMITED, message="slow", retry_after_seconds=7)


def recorded_waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits between tries, none of which is waited."""
    waits: list[float] = []
    real = asyncio.sleep

    async def sleep(seconds: float, *_: Any) -> None:
        if seconds:
            waits.append(round(seconds, 6))
        await real(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return waits
