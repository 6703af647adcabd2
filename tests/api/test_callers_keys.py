"""Callers with API keys: who is let in, who is not, and what a key's end does."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from gateway.callers import keys
from gateway.callers.credential import credential_of
from gateway.store.errors import StoreUnavailableError
from tests.api.callers import NAMES, asking_for_keys, by_key, called_by, codes, key_for
from tests.harness import running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

    from gateway.sandbox.app import Sandbox
    from gateway.sandbox.clock import ManualClock
    from tests.harness import Gateway


@pytest.fixture
async def closed(sandbox: Sandbox, clock: ManualClock) -> AsyncIterator[Gateway]:
    async with asking_for_keys(sandbox, clock) as gateway:
        yield gateway


@pytest.fixture
def read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ring of keys is read at each request."""
    monkeypatch.setattr(keys, "FRESH_SECONDS", 0.0)


async def sent(gateway: Gateway, **headers: str) -> httpx.Response:
    return await gateway.http.post("/graphql", json={"query": "{ __typename }"}, headers=headers)


@pytest.mark.parametrize("name", ["X-Api-Key", "Authorization"])
async def test_a_key_is_taken_from_either_header(closed: Gateway, name: str) -> None:
    key = await key_for(closed, "crm", "contacts:read")
    for text in [key] if name == "X-Api-Key" else [f"Bearer {key}", f"bearer  {key}"]:
        response = await sent(closed, **{name: text})
        assert (response.status_code, response.json()["data"]) == (200, {"__typename": "Query"})


async def test_a_request_without_a_key_is_401_and_asks_for_one(closed: Gateway) -> None:
    for headers in ({}, {"Authorization": "Basic YTpi"}, {"X-Api-Key": " "}):
        response = await sent(closed, **headers)
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="contact-gateway"'
        [error] = response.json()["errors"]
        assert error["extensions"]["code"] == "UNAUTHENTICATED"
        assert "X-Api-Key" in error["message"]


async def test_a_wrong_key_is_401_and_said_to_be_wrong(closed: Gateway) -> None:
    key = await key_for(closed, "crm", "admin")
    wrong = ["secret", key[:-1], key + "x", key + "x" * 1000, key.upper(), "cgw_"]
    for text in wrong:
        response = await sent(closed, **{"X-Api-Key": text})
        assert response.status_code == 401
        assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]
        assert text not in response.text


async def test_a_token_is_no_key(closed: Gateway) -> None:
    response = await sent(closed, Authorization="Bearer eyJhbGciOiJub25lIn0.e30.")
    assert response.status_code == 401


async def test_the_body_of_a_stranger_is_not_looked_at(closed: Gateway) -> None:
    response = await closed.http.post("/graphql", content=b"{", headers={"Content-Type": "x/y"})
    assert response.status_code == 401


async def test_the_answer_of_401_has_the_media_type_that_was_asked_for(closed: Gateway) -> None:
    response = await sent(closed, Accept="application/graphql-response+json")
    assert response.status_code == 401
    assert response.headers["Content-Type"].startswith("application/graphql-response+json")


async def test_probes_need_no_key(closed: Gateway) -> None:
    assert (await closed.http.get("/healthz")).status_code == 200
    assert (await closed.http.get("/readyz")).status_code == 200


@pytest.mark.usefixtures("read_anew")
async def test_a_revoked_key_lets_nobody_in(closed: Gateway) -> None:
    key = await key_for(closed, "crm", "admin")
    assert (await sent(closed, **by_key(key))).status_code == 200
    table = closed.app.state.account.store.api_keys
    [stored] = await table.list_keys()
    await table.revoke(stored.id, keys.utc_now())
    assert (await sent(closed, **by_key(key))).status_code == 401


async def test_an_expired_key_lets_nobody_in(closed: Gateway) -> None:
    ring = closed.app.state.account.door.ring
    key = await key_for(closed, "crm", "admin", lives_for=timedelta(days=1))
    assert (await sent(closed, **by_key(key))).status_code == 200
    ring.now = lambda: keys.utc_now() + timedelta(days=2)
    assert (await sent(closed, **by_key(key))).status_code == 401


async def test_a_new_key_is_known_although_the_ring_is_young(
    closed: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "MISS_SECONDS", 0.0)
    first = await key_for(closed, "crm", "admin")
    assert (await sent(closed, **by_key(first))).status_code == 200
    second = await key_for(closed, "crm", "admin")
    assert (await sent(closed, **by_key(second))).status_code == 200


async def test_many_wrong_keys_do_not_ask_the_store(
    closed: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring, asked = closed.app.state.account.door.ring, []
    list_keys = ring.table.list_keys

    async def counted(**named: Any) -> Any:
        asked.append(named)
        return await list_keys(**named)

    monkeypatch.setattr(ring.table, "list_keys", counted)
    ring.clock = lambda: 1000.0
    for number in range(20):
        assert (await sent(closed, **by_key(f"cgw_{number}_x"))).status_code == 401
    assert len(asked) == 1


async def test_uses_of_a_key_are_kept_when_the_gateway_ends(
    sandbox: Sandbox, clock: ManualClock, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'gateway.sqlite3'}"
    async with asking_for_keys(sandbox, clock, database_url=url) as gateway:
        key = await key_for(gateway, "crm", "admin")
        await key_for(gateway, "idle", "admin")
        assert (await sent(gateway, **by_key(key))).status_code == 200
    async with asking_for_keys(sandbox, clock, database_url=url) as gateway:
        used, idle = await gateway.app.state.account.store.api_keys.list_keys()
    assert used.last_used_at is not None
    assert idle.last_used_at is None


async def test_uses_of_a_key_are_noted_while_the_gateway_runs(
    closed: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "USE_SECONDS", 0.0)
    key = await key_for(closed, "crm", "admin")
    await sent(closed, **by_key(key))
    noting = closed.app.state.account.door.ring._noting
    if noting is not None:
        await noting
    [stored] = await closed.app.state.account.store.api_keys.list_keys()
    assert stored.last_used_at is not None


async def test_uses_that_the_store_cannot_take_are_told_later(
    closed: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = closed.app.state.account.door.ring
    key = await key_for(closed, "crm", "admin")
    await sent(closed, **by_key(key))

    async def broken(_uses: Any) -> None:
        raise StoreUnavailableError("gone")

    with monkeypatch.context() as patched:
        patched.setattr(ring.table, "note_uses", broken)
        await ring.note_uses()
    await ring.note_uses()
    [stored] = await closed.app.state.account.store.api_keys.list_keys()
    assert stored.last_used_at is not None


async def test_callers_who_come_at_once_read_the_keys_together(
    closed: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await key_for(closed, "crm", "admin")
    ring, asked = closed.app.state.account.door.ring, []
    list_keys = ring.table.list_keys

    async def counted(**named: Any) -> Any:
        asked.append(named)
        return await list_keys(**named)

    monkeypatch.setattr(ring.table, "list_keys", counted)
    answers = await asyncio.gather(*(sent(closed, **by_key(key)) for _ in range(5)))
    assert [answer.status_code for answer in answers] == [200] * 5
    assert len(asked) == 1


def test_a_credential_is_not_shown() -> None:
    assert "swordfish" not in repr(credential_of({"x-api-key": "swordfish"}))


async def test_known_keys_go_on_working_for_a_while_without_the_store(
    closed: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await key_for(closed, "crm", "admin")
    assert (await sent(closed, **by_key(key))).status_code == 200
    ring = closed.app.state.account.door.ring
    read_at = ring.clock()

    async def broken(**_named: Any) -> Any:
        raise StoreUnavailableError("gone")

    monkeypatch.setattr(ring.table, "list_keys", broken)
    ring.clock = lambda: read_at + keys.STALE_SECONDS - 1
    assert (await sent(closed, **by_key(key))).status_code == 200
    new = await key_for(closed, "erp", "admin")
    assert (await sent(closed, **by_key(new))).status_code == 503
    assert (await sent(closed, **by_key("no key at all"))).status_code == 401
    ring.clock = lambda: read_at + keys.STALE_SECONDS + 1
    response = await sent(closed, **by_key(key))
    assert response.status_code == 503
    assert "Retry-After" in response.headers
    assert codes(response.json()) == ["UNAVAILABLE"]


async def test_a_store_that_hangs_keeps_no_known_key_waiting(
    closed: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await key_for(closed, "crm", "admin")
    assert (await sent(closed, **by_key(key))).status_code == 200
    ring, asked, goes_on = closed.app.state.account.door.ring, [], asyncio.Event()
    now, list_keys = ring.clock(), ring.table.list_keys
    ring.clock = lambda: now

    async def hanging(**named: Any) -> Any:
        asked.append(named)
        await goes_on.wait()
        return await list_keys(**named)

    async def five() -> set[int]:
        """Statuses of five requests, of which none may wait for the store."""
        async with asyncio.timeout(keys.READ_SECONDS / 2):
            return {(await sent(closed, **by_key(key))).status_code for _ in range(5)}

    monkeypatch.setattr(ring.table, "list_keys", hanging)
    now += keys.FRESH_SECONDS + 1
    with capture_logs() as lines, monkeypatch.context() as patched:
        patched.setattr(keys, "READ_SECONDS", 0.0)
        assert (await sent(closed, **by_key(key))).status_code == 200
    [line] = [line for line in lines if line["event"] == "API keys not read"]
    assert (line["log_level"], "exc_info" in line) == ("warning", False)
    monkeypatch.setattr(keys, "READ_SECONDS", 60.0)
    assert (await five(), len(asked)) == ({200}, 1)
    now += keys.AGAIN_SECONDS + 1
    assert await five() == {200}
    [stored] = await list_keys()
    await ring.table.revoke(stored.id, keys.utc_now())
    goes_on.set()
    await ring._retrying
    assert (await five(), len(asked)) == ({401}, 2)


async def test_a_gateway_nobody_has_set_up_lets_in_everybody(gateway: Gateway) -> None:
    assert "errors" not in await gateway.ask(NAMES)


async def test_auto_asks_for_keys_once_there_has_been_one(
    sandbox: Sandbox, clock: ManualClock, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'gateway.sqlite3'}"
    async with running(sandbox, clock, database_url=url) as gateway:
        key = await key_for(gateway, "crm", "contacts:read")
        assert "errors" not in await gateway.ask(NAMES)
    async with running(sandbox, clock, database_url=url) as gateway:
        assert codes(await gateway.ask(NAMES)) == ["UNAUTHENTICATED"]
        assert "errors" not in await called_by(gateway, by_key(key), NAMES)
        [stored] = await gateway.app.state.account.store.api_keys.list_keys()
        await gateway.app.state.account.store.api_keys.revoke(stored.id, keys.utc_now())
    async with running(sandbox, clock, database_url=url) as gateway:
        assert codes(await gateway.ask(NAMES)) == ["UNAUTHENTICATED"]


async def test_none_lets_in_everybody_although_there_are_keys(
    sandbox: Sandbox, clock: ManualClock, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'gateway.sqlite3'}"
    async with running(sandbox, clock, database_url=url, auth="none") as gateway:
        await key_for(gateway, "crm", "contacts:read")
    async with running(sandbox, clock, database_url=url, auth="none") as gateway:
        assert "errors" not in await gateway.ask(NAMES)
        response = await gateway.http.get("/healthz", headers={"Host": "gateway.example.com"})
        assert response.status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:8000", 200),
        ("app.localhost", 200),
        ("127.0.0.1:8000", 200),
        ("[::1]:8000", 200),
        ("evil.example.com", 421),
        ("127.0.0.1.example.com:8000", 421),
        ("192.168.0.1", 421),
        ("[::1", 421),
        ("", 421),
    ],
)
async def test_an_open_gateway_answers_to_names_of_this_machine_alone(
    gateway: Gateway, host: str, status: int
) -> None:
    response = await gateway.http.get("/healthz", headers={"Host": host})
    assert response.status_code == status
    if status == 421:
        assert "gateway keys create" in response.json()["errors"][0]["message"]


async def test_a_gateway_that_asks_for_keys_answers_to_any_name(closed: Gateway) -> None:
    response = await closed.http.get("/healthz", headers={"Host": "gateway.example.com"})
    assert response.status_code == 200
