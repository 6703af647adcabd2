"""How often a caller may call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gateway.callers import rate
from gateway.callers.errors import TooManyError
from gateway.callers.rate import Rates
from tests.api.callers import NAMES, asking_for_keys, by_key, called_by, codes, key_for

if TYPE_CHECKING:
    import httpx

    from gateway.sandbox.app import Sandbox
    from gateway.sandbox.clock import ManualClock
    from tests.harness import Gateway


def test_a_minutes_worth_is_let_in_at_once_and_then_steadily() -> None:
    now = 1000.0
    rates = Rates(limit=6, clock=lambda: now)
    left = [rates.take("a").remaining for _ in range(6)]
    assert left == [5, 4, 3, 2, 1, 0]
    with pytest.raises(TooManyError) as refused:
        rates.take("a")
    assert refused.value.seconds == pytest.approx(10.0)
    now += 10.0
    assert rates.take("a").remaining == 0
    with pytest.raises(TooManyError):
        rates.take("a")
    now += 3600.0
    assert rates.left("a").remaining == 6
    assert rates.take("a").remaining == 5


def test_callers_have_buckets_of_their_own() -> None:
    rates = Rates(limit=1, clock=lambda: 1000.0)
    assert rates.take("a").reset == pytest.approx(60.0)
    assert rates.take("b").remaining == 0


def test_full_buckets_are_forgotten_and_of_too_many_the_fullest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rate, "MOST_BUCKETS", 4)
    now = 1000.0
    rates = Rates(limit=60, clock=lambda: now)
    for name in "abcd":
        rates.take(name)
    now += 1.0
    rates.take("e")
    assert set(rates._full_at) == {"e"}
    for name in "eefgh":
        rates.take(name)
    rates.take("i")
    assert len(rates._full_at) == 3
    assert rates.left("e").remaining == 57


async def sent(gateway: Gateway, key: str) -> httpx.Response:
    return await gateway.http.post(
        "/graphql", json={"query": "{ __typename }"}, headers=by_key(key)
    )


async def test_each_answer_tells_what_is_left_and_429_when_to_come_again(
    sandbox: Sandbox, clock: ManualClock
) -> None:
    async with asking_for_keys(sandbox, clock, rate_limit_per_minute=2) as gateway:
        now = 1000.0
        gateway.app.state.account.door.rates.clock = lambda: now
        key, other = [await key_for(gateway, name, "admin") for name in "ab"]
        answers = [await sent(gateway, key) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert [answer.headers["RateLimit-Limit"] for answer in answers] == ["2", "2", "2"]
        assert [answer.headers["RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
        assert [answer.headers["RateLimit-Reset"] for answer in answers] == ["30", "60", "60"]
        assert answers[2].headers["Retry-After"] == "30"
        [error] = answers[2].json()["errors"]
        assert error["extensions"] == {"code": "TOO_MANY_REQUESTS", "retryAfterSeconds": 30.0}
        assert (await sent(gateway, other)).status_code == 200
        now += 30.0
        assert (await sent(gateway, key)).status_code == 200


@pytest.mark.parametrize(
    ("method", "content", "sent", "status"),
    [
        ("POST", {}, {"json": []}, 400),
        ("POST", {}, {"json": {"documentId": "unknown"}}, 400),
        ("POST", {"Content-Type": "text/plain"}, {"content": b"{}"}, 415),
        ("PUT", {}, {}, 405),
    ],
)
async def test_an_answer_that_refuses_tells_what_is_left_too(
    sandbox: Sandbox,
    clock: ManualClock,
    method: str,
    content: dict[str, str],
    sent: dict[str, Any],
    status: int,
) -> None:
    async with asking_for_keys(sandbox, clock, rate_limit_per_minute=2) as gateway:
        headers = by_key(await key_for(gateway, "crm", "admin")) | content
        answer = await gateway.http.request(method, "/graphql", headers=headers, **sent)
        assert (answer.status_code, answer.headers.get("RateLimit-Remaining")) == (status, "1")


async def test_keys_of_one_caller_share_its_rate(sandbox: Sandbox, clock: ManualClock) -> None:
    async with asking_for_keys(sandbox, clock, rate_limit_per_minute=1) as gateway:
        one, two = [await key_for(gateway, "crm", "admin") for _ in range(2)]
        assert (await sent(gateway, one)).status_code == 200
        assert (await sent(gateway, two)).status_code == 429


async def test_without_a_limit_nothing_is_counted(sandbox: Sandbox, clock: ManualClock) -> None:
    async with asking_for_keys(sandbox, clock, rate_limit_per_minute=0) as gateway:
        response = await sent(gateway, await key_for(gateway, "crm", "admin"))
        assert response.status_code == 200
        assert "RateLimit-Limit" not in response.headers


async def test_callers_who_are_not_told_apart_are_not_counted(
    gateway: Gateway,
) -> None:
    assert not codes(await called_by(gateway, {}, NAMES))
    response = await gateway.http.post("/graphql", json={"query": NAMES})
    assert "RateLimit-Limit" not in response.headers
