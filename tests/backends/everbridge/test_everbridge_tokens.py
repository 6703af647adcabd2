"""How Everbridge's calls are authorized: Basic, and tokens that are shared and renewed."""

from __future__ import annotations

import asyncio
import base64
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import httpx
import pytest

from gateway.backends.everbridge.client import (
    EverbridgeDialect,
    read_contact,
    replace_contact,
)
from gateway.backends.everbridge.tokens import ClientCredentials, Tokens
from gateway.errors import NotWrittenError
from gateway.results import ProblemCode
from gateway.upstream import Exchange, Sender

if TYPE_CHECKING:
    from collections.abc import Callable


ORG = "1000000000000001"
GET = read_contact(ORG, "13")
DIALECT = EverbridgeDialect(base_url="http://eb/rest", username="ada", password="pa:ss")
PUT = replace_contact(ORG, "13", {"firstName": "Ada"})


class Vendor:
    """A token service and one resource that wants the newest token."""

    def __init__(self) -> None:
        self.minted = 0
        self.void: set[str] = set()
        self.lifetime: Any = 28800
        self.refusal: httpx.Response | None = None
        self.seen: list[httpx.Request] = []
        self.asked = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        if request.url.path == "/authorization/v1/tokens":
            self.asked.set()
            await self.gate.wait()
            if self.refusal is not None:
                return self.refusal
            self.minted += 1
            token = f"token-{self.minted}"
            return httpx.Response(200, json={"access_token": token, "expires_in": self.lifetime})
        token = request.headers["authorization"].removeprefix("Bearer ")
        if token in self.void:
            return httpx.Response(401, json={"status": 401, "message": "Unauthorized"})
        return httpx.Response(200, json={"message": "OK", "result": {"id": 13}})

    @property
    def tokens_used(self) -> list[str]:
        paths = [request for request in self.seen if request.url.path.startswith("/rest")]
        return [request.headers["authorization"] for request in paths]


def token_dialect(url: str = "http://eb/authorization/v1/tokens") -> EverbridgeDialect:
    return EverbridgeDialect(
        base_url="http://eb/rest/",
        token_url=url,
        client_id="client",
        client_secret="geheim",
    )


def sender_to(vendor: Vendor, dialect: EverbridgeDialect) -> Sender:
    return Sender(dialect, httpx.AsyncClient(transport=httpx.MockTransport(vendor)))


def exchange(seconds: float = 30) -> Exchange:
    return Exchange(deadline=time.monotonic() + seconds)


async def test_basic_authentication_sends_user_and_password() -> None:
    headers = await DIALECT.authorize(
        PUT, b"{}", renew=False, sender=sender_to(Vendor(), DIALECT), exchange=exchange()
    )
    assert headers == {
        "Accept": "application/json",
        "Content-Type": "application/json",
        "Authorization": f"Basic {base64.b64encode(b'ada:pa:ss').decode()}",
    }


@pytest.mark.parametrize(
    "url", ["http://eb/authorization/v1/tokens", "http://eb/authorization/v1/"]
)
async def test_a_token_is_asked_for_with_a_form_and_never_recorded(url: str) -> None:
    vendor = Vendor()
    work = exchange()
    await sender_to(vendor, token_dialect(url)).send(GET, work)
    asked = vendor.seen[0]
    assert str(asked.url) == "http://eb/authorization/v1/tokens"
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert parse_qs(asked.content.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["client"],
        "client_secret": ["geheim"],
        "scope": ["openid user-profile role service-profile"],
    }
    assert "authorization" not in asked.headers
    assert vendor.tokens_used == ["Bearer token-1"]
    assert work.calls == []


async def test_one_fetch_serves_all_that_wait_for_it() -> None:
    vendor = Vendor()
    vendor.gate.clear()
    sender = sender_to(vendor, token_dialect())
    calls = [asyncio.create_task(sender.send(GET, exchange())) for _ in range(20)]
    await vendor.asked.wait()
    vendor.gate.set()
    await asyncio.gather(*calls)
    assert (vendor.minted, len(vendor.tokens_used)) == (1, 20)


async def test_a_refused_token_is_renewed_once_for_all_that_used_it() -> None:
    vendor = Vendor()
    sender = sender_to(vendor, token_dialect())
    await sender.send(GET, exchange())
    vendor.void = {"token-1"}
    await asyncio.gather(*(sender.send(GET, exchange()) for _ in range(5)))
    assert vendor.minted == 2


async def test_a_second_401_ends_the_call() -> None:
    vendor = Vendor()
    vendor.void = {"token-1", "token-2", "token-3"}
    with pytest.raises(NotWrittenError) as failure:
        await sender_to(vendor, token_dialect()).send(PUT, exchange())
    assert failure.value.problem.code is ProblemCode.UNAUTHORIZED
    assert vendor.tokens_used == ["Bearer token-1", "Bearer token-2"]


@pytest.mark.parametrize(
    ("lifetime", "after", "minted"),
    [(28800, 28700, 1), (28800, 28741, 2), (100, 89, 1), (100, 91, 2), ("?", 28741, 2)],
)
async def test_a_token_is_renewed_shortly_before_it_ends(
    lifetime: Any, after: float, minted: int
) -> None:
    vendor = Vendor()
    vendor.lifetime = lifetime
    now = [1000.0]
    credentials = ClientCredentials(
        token_url="http://eb/authorization/v1", client_id="c", client_secret="s"
    )
    tokens = Tokens(credentials, clock=lambda: now[0])
    sender = sender_to(vendor, token_dialect())
    await tokens.current(sender, exchange(), renew=False)
    now[0] += after
    await tokens.current(sender, exchange(), renew=False)
    assert vendor.minted == minted


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (
            lambda: httpx.Response(401, json={"status": "401", "error": "Unauthorized"}),
            ProblemCode.UNAUTHORIZED,
        ),
        (lambda: httpx.Response(400, text="geheim"), ProblemCode.UNAUTHORIZED),
        (lambda: httpx.Response(302, text="geheim"), ProblemCode.BACKEND_ERROR),
        (lambda: httpx.Response(200, json={"id_token": "geheim"}), ProblemCode.BACKEND_ERROR),
        (lambda: httpx.Response(200, text="geheim"), ProblemCode.BACKEND_ERROR),
    ],
)
async def test_a_token_service_that_refuses_leaves_the_call_unsent(
    refusal: Callable[[], httpx.Response], code: ProblemCode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.sending.tries.BACKOFF_BASE", 0.0)
    vendor = Vendor()
    vendor.refusal = refusal()
    with pytest.raises(NotWrittenError) as failure:
        await sender_to(vendor, token_dialect()).send(PUT, exchange())
    assert failure.value.problem.code is code
    assert "geheim" not in failure.value.problem.message
    assert vendor.tokens_used == []


async def test_waiting_for_a_token_ends_with_the_requests_time() -> None:
    vendor = Vendor()
    vendor.gate.clear()
    sender = sender_to(vendor, token_dialect())
    with pytest.raises(NotWrittenError) as failure:
        await sender.send(GET, exchange(0.01))
    assert failure.value.problem.code is ProblemCode.TIMEOUT
    vendor.gate.set()
    await sender.send(GET, exchange())
    assert vendor.minted == 1


def test_secrets_are_not_in_a_repr() -> None:
    credentials = ClientCredentials(token_url="u", client_id="c", client_secret="geheim")
    assert "geheim" not in repr(credentials)
