"""Callers with JWTs, whose keys are fetched from an issuer on a real socket."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.callers import jwks, tokens
from tests.api.callers import NAMES, by_key, called_by, codes, key_for
from tests.api.token_issuer import Issuer, issuing
from tests.harness import running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from gateway.sandbox.app import Sandbox
    from gateway.sandbox.clock import ManualClock
    from tests.harness import Gateway

WRITE = 'mutation { upsertContact(input: {externalId: "E-1001"}, dryRun: true) { status } }'


@pytest.fixture(scope="module")
def known_issuer() -> Iterator[Issuer]:
    with issuing() as issuer:
        yield issuer


@pytest.fixture
def issuer(known_issuer: Issuer) -> Iterator[Issuer]:
    """An issuer that is as it was after each test."""
    shown, keys = list(known_issuer.shown), dict(known_issuer.keys)
    known_issuer.asked = 0
    yield known_issuer
    known_issuer.shown, known_issuer.keys = shown, keys
    known_issuer.status, known_issuer.body = 200, None


@asynccontextmanager
async def open_to(
    issuer: Issuer, sandbox: Sandbox, clock: ManualClock, **more: Any
) -> AsyncIterator[Gateway]:
    async with running(sandbox, clock, **{**issuer.settings(), **more}) as gateway:
        yield gateway


@pytest.fixture
async def closed(issuer: Issuer, sandbox: Sandbox, clock: ManualClock) -> AsyncIterator[Gateway]:
    async with open_to(issuer, sandbox, clock) as gateway:
        yield gateway


@pytest.fixture
def no_cooldown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys are fetched again for each token whose key is not known."""
    monkeypatch.setattr(jwks, "AGAIN_SECONDS", 0.0)


async def answer(gateway: Gateway, token: str, query: str = NAMES) -> dict[str, Any]:
    return await called_by(gateway, {"Authorization": f"Bearer {token}"}, query)


async def why_not(gateway: Gateway, token: str) -> str:
    """Why a token is not accepted."""
    response = await gateway.http.post(
        "/graphql", json={"query": NAMES}, headers={"Authorization": f"Bearer {token}"}
    )
    assert response.status_code == 401
    assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]
    [error] = response.json()["errors"]
    assert error["extensions"] == {"code": "UNAUTHENTICATED"}
    return str(error["message"])


async def test_a_token_lets_its_caller_in_with_its_scopes(closed: Gateway, issuer: Issuer) -> None:
    token = issuer.token("openid contacts:read")
    assert not codes(await answer(closed, token))
    assert codes(await answer(closed, token, WRITE)) == ["MISSING_SCOPE"]
    assert not codes(await answer(closed, issuer.token("contacts:write"), WRITE))
    assert issuer.asked == 1


@pytest.mark.parametrize(
    "claims",
    [
        {"scp": ["contacts:read"]},
        {"scp": "contacts:read email"},
        {"permissions": ["contacts:read", 7]},
        {"roles": ["admin", "contacts:read"]},
        {"scp": ["admin"]},
    ],
)
async def test_scopes_are_read_where_issuers_put_them(
    closed: Gateway, issuer: Issuer, claims: dict[str, Any]
) -> None:
    assert not codes(await answer(closed, issuer.token("", **claims)))


@pytest.mark.parametrize("claim", ["roles", "permissions"])
@pytest.mark.parametrize("said", ["admin", ["admin", "leads:read"]])
async def test_the_word_admin_among_roles_or_permissions_makes_no_admin(
    closed: Gateway, issuer: Issuer, claim: str, said: Any
) -> None:
    token = issuer.token("", **{claim: said})
    assert codes(await answer(closed, token)) == ["MISSING_SCOPE"]
    settle = 'mutation { resolveStep(stepId: "1", as: RETRY) { errors { code } } }'
    assert codes(await answer(closed, token, settle)) == ["MISSING_SCOPE"]
    assert not codes(await answer(closed, issuer.token("admin"), settle))


async def test_a_token_without_scopes_is_somebody_who_may_do_nothing(
    closed: Gateway, issuer: Issuer
) -> None:
    assert codes(await answer(closed, issuer.token("everything"))) == ["MISSING_SCOPE"]


async def test_what_is_wrong_with_a_token_is_told(closed: Gateway, issuer: Issuer) -> None:
    now = int(time.time())
    for claims, why in (
        ({"exp": now - 60}, "It has expired."),
        ({"aud": "another"}, "It is for another audience."),
        ({"iss": "https://evil.example.com/"}, "It is of another issuer."),
        ({"nbf": now + 600}, "It is not good yet."),
        ({"exp": None}, "It lacks one of exp, iss, aud and sub."),
        ({"sub": None}, "It lacks one of exp, iss, aud and sub."),
        ({"aud": None}, "It lacks one of exp, iss, aud and sub."),
        ({"sub": ""}, "Its sub must have"),
        ({"sub": "a" * 300}, "Its sub must have"),
        ({"sub": "a\nb"}, "Its sub must have"),
    ):
        assert why in await why_not(closed, issuer.token(**claims)), claims
    assert "neither a key of this gateway nor a JWT" in await why_not(closed, "abc")
    assert "too long" in await why_not(closed, "a" * 20_000)


async def test_an_expiry_within_the_clocks_difference_is_let_by(
    closed: Gateway, issuer: Issuer
) -> None:
    assert not codes(await answer(closed, issuer.token(exp=int(time.time()) - 5)))


async def test_a_token_of_one_audience_among_several_is_good(
    closed: Gateway, issuer: Issuer
) -> None:
    assert not codes(await answer(closed, issuer.token(aud=["other", "contact-gateway"])))


async def test_an_unsigned_token_is_no_good(closed: Gateway, issuer: Issuer) -> None:
    assert "It must be signed by RS256" in await why_not(closed, issuer.token(algorithm="none"))


async def test_a_token_signed_with_the_public_key_as_a_secret_is_no_good(
    closed: Gateway, issuer: Issuer
) -> None:
    public = issuer.keys["one"].public_key()
    for form in (Encoding.PEM, Encoding.DER):
        secret = public.public_bytes(form, PublicFormat.SubjectPublicKeyInfo)
        head, body = (
            base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
            for part in (
                {"alg": "HS256", "kid": "one", "typ": "JWT"},
                {"sub": "ada", "exp": int(time.time()) + 60, "scope": "admin"},
            )
        )
        mark = hmac.new(secret, head + b"." + body, hashlib.sha256).digest()
        forged = b".".join((head, body, base64.urlsafe_b64encode(mark).rstrip(b"=")))
        assert "It must be signed by RS256" in await why_not(closed, forged.decode())


async def test_a_token_that_was_changed_is_no_good(closed: Gateway, issuer: Issuer) -> None:
    head, _, mark = issuer.token().split(".")
    body = issuer.token("admin").split(".")[1]
    assert "Its signature is wrong" in await why_not(closed, f"{head}.{body}.{mark}")


async def test_a_strangers_key_under_a_known_name_is_no_good(closed: Gateway) -> None:
    stranger = Issuer()
    stranger.add_key("one")
    assert "Its signature is wrong" in await why_not(closed, stranger.token())


@pytest.mark.usefixtures("no_cooldown")
@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "PS256"])
async def test_other_algorithms_of_the_list_are_taken(
    closed: Gateway, issuer: Issuer, algorithm: str
) -> None:
    made = {
        "ES256": ec.generate_private_key(ec.SECP256R1()),
        "EdDSA": ed25519.Ed25519PrivateKey.generate(),
        "PS256": None,
    }
    issuer.add_key("two", made[algorithm])
    assert not codes(await answer(closed, issuer.token(kid="two", algorithm=algorithm)))


async def test_an_algorithm_that_is_not_in_the_list_is_refused(
    issuer: Issuer, sandbox: Sandbox, clock: ManualClock
) -> None:
    async with open_to(issuer, sandbox, clock, jwt_algorithms=("ES256",)) as gateway:
        assert "It must be signed by ES256" in await why_not(gateway, issuer.token())


@pytest.mark.usefixtures("no_cooldown")
async def test_keys_for_something_else_are_not_used(closed: Gateway, issuer: Issuer) -> None:
    issuer.add_key("encrypting", use="enc")
    issuer.add_key("other", alg="RS512")
    issuer.shown.append({"kty": "oct", "kid": "secret", "k": "c2VjcmV0"})
    issuer.shown.append({"kty": "RSA", "kid": "broken", "n": "AQAB"})
    issuer.keys |= {"secret": issuer.keys["one"], "broken": issuer.keys["one"]}
    for kid in ("encrypting", "other", "secret", "broken"):
        why = await why_not(closed, issuer.token(kid=kid))
        assert "Its key is none of the issuer's" in why, kid


async def test_a_token_that_names_no_key_is_for_an_only_key(
    issuer: Issuer, sandbox: Sandbox, clock: ManualClock
) -> None:
    async with open_to(issuer, sandbox, clock) as gateway:
        assert not codes(await answer(gateway, issuer.token(kid=None)))
    issuer.add_key("two")
    async with open_to(issuer, sandbox, clock) as gateway:
        assert "Its key is none" in await why_not(gateway, issuer.token(kid=None))


@pytest.mark.usefixtures("no_cooldown")
async def test_a_new_key_is_fetched_and_a_withdrawn_one_no_longer_believed(
    closed: Gateway, issuer: Issuer
) -> None:
    old = issuer.token()
    assert not codes(await answer(closed, old))
    issuer.add_key("two")
    issuer.withdraw("one")
    assert not codes(await answer(closed, issuer.token(kid="two")))
    assert issuer.asked == 2
    assert "Its key is none" in await why_not(closed, old)


async def test_tokens_that_name_unknown_keys_fetch_the_keys_seldom(
    closed: Gateway, issuer: Issuer
) -> None:
    for number in range(10):
        issuer.keys[f"k{number}"] = issuer.keys["one"]
        assert "Its key is none" in await why_not(closed, issuer.token(kid=f"k{number}"))
    assert issuer.asked == 1


async def test_tokens_that_come_at_once_fetch_the_keys_together(
    closed: Gateway, issuer: Issuer
) -> None:
    token = issuer.token()
    answers = await asyncio.gather(*(answer(closed, token) for _ in range(5)))
    assert [codes(one) for one in answers] == [[]] * 5
    assert issuer.asked == 1


async def test_keys_are_fetched_anew_when_they_are_old(closed: Gateway, issuer: Issuer) -> None:
    keys = closed.app.state.account.door.tokens.keys
    token = issuer.token()
    assert not codes(await answer(closed, token))
    issuer.add_key("two")
    issuer.withdraw("one")
    fetched_at = keys.clock()
    keys.clock = lambda: fetched_at + jwks.FRESH_SECONDS + 1
    assert "Its key is none" in await why_not(closed, token)
    assert issuer.asked == 2


async def test_without_the_issuer_known_keys_are_good_for_a_while(
    closed: Gateway, issuer: Issuer
) -> None:
    keys, token = closed.app.state.account.door.tokens.keys, issuer.token()
    assert not codes(await answer(closed, token))
    issuer.status = 500
    fetched_at = keys.clock()
    keys.clock = lambda: fetched_at + jwks.STALE_SECONDS - 1
    assert not codes(await answer(closed, token))
    keys.clock = lambda: fetched_at + jwks.STALE_SECONDS + 60
    assert codes(await answer(closed, token)) == ["UNAVAILABLE"]
    issuer.status = 200
    keys.clock = lambda: fetched_at + jwks.STALE_SECONDS + 60 + jwks.AGAIN_SECONDS
    assert not codes(await answer(closed, token))


@pytest.mark.usefixtures("no_cooldown")
async def test_without_the_issuer_nobody_can_tell_of_a_new_key(
    closed: Gateway, issuer: Issuer
) -> None:
    assert not codes(await answer(closed, issuer.token()))
    issuer.add_key("two")
    issuer.status = 500
    assert codes(await answer(closed, issuer.token(kid="two"))) == ["UNAVAILABLE"]
    assert not codes(await answer(closed, issuer.token()))
    issuer.status = 200
    assert not codes(await answer(closed, issuer.token(kid="two")))


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"keys": 1}', b"x" * 1_000_001])
async def test_an_issuer_that_answers_nonsense_is_503(
    closed: Gateway, issuer: Issuer, body: bytes
) -> None:
    issuer.body = body
    response = await closed.http.post(
        "/graphql",
        json={"query": NAMES},
        headers={"Authorization": f"Bearer {issuer.token()}"},
    )
    assert response.status_code == 503
    assert "Retry-After" in response.headers


async def test_a_remembered_token_ends_when_it_expires(
    closed: Gateway, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, token = closed.app.state.account.door.tokens, issuer.token()
    assert not codes(await answer(closed, token))
    reader.now = lambda: time.time() + 600 + tokens.LEEWAY_SECONDS
    assert "It has expired" in await why_not(closed, token)
    monkeypatch.setattr(tokens, "MOST_REMEMBERED", 2)
    for number in range(4):
        assert not codes(await answer(closed, issuer.token(sub=f"caller {number}")))
    assert len(reader._known) == 2


async def test_keys_and_tokens_are_taken_side_by_side_where_both_are_asked_for(
    issuer: Issuer, sandbox: Sandbox, clock: ManualClock
) -> None:
    async with open_to(issuer, sandbox, clock, auth="keys,jwt") as gateway:
        key = await key_for(gateway, "crm", "contacts:read")
        assert not codes(await answer(gateway, issuer.token()))
        assert not codes(await answer(gateway, key))
        assert not codes(await called_by(gateway, by_key(key), NAMES))
        [error] = (await called_by(gateway, {}, NAMES))["errors"]
        assert "an API key" in error["message"]
        assert "a JWT" in error["message"]


async def test_where_only_tokens_are_asked_for_a_key_is_no_good(closed: Gateway) -> None:
    key = await key_for(closed, "crm", "contacts:read")
    assert codes(await called_by(closed, by_key(key), NAMES)) == ["UNAUTHENTICATED"]


async def test_auto_asks_for_tokens_once_they_are_set_up(
    issuer: Issuer, sandbox: Sandbox, clock: ManualClock
) -> None:
    async with open_to(issuer, sandbox, clock, auth="auto") as gateway:
        assert codes(await gateway.ask(NAMES)) == ["UNAUTHENTICATED"]
        assert not codes(await answer(gateway, issuer.token()))
