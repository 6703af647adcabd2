"""Who may call, for which organization, how often (sections 1.2 to 1.4)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from gateway.sandbox.everbridge import Everbridge

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.sandbox.clock import ManualClock

    Mint = Callable[..., Awaitable[dict[str, Any]]]

ADA = "rest/contacts/1000000000000001/1300000000000001"
CLIENT = {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}
PASSWORD = {
    **CLIENT,
    "grant_type": "password",
    "username": "sandbox",
    "password": "sandbox",
    "scope": "openid user-profile role",
}
SERVICE = {**CLIENT, "grant_type": "client_credentials"}


@pytest.fixture
def mint(anonymous: httpx.AsyncClient) -> Mint:
    async def tokens(form: dict[str, str], **headers: str) -> dict[str, Any]:
        answer = await anonymous.post("authorization/v1/tokens", data=form, headers=headers)
        assert answer.status_code == 200, answer.text
        result: dict[str, Any] = answer.json()
        return result

    return tokens


async def status_with(client: httpx.AsyncClient, token: str) -> int:
    answer = await client.get(ADA, headers={"Authorization": f"Bearer {token}"})
    return answer.status_code


@pytest.mark.parametrize(
    ("auth", "message"),
    [
        (("sandbox", "wrong"), "Invalid Credintials: Password Invalid"),
        (("nobody", "sandbox"), "Invalid Credintials: User Invalid"),
    ],
)
async def test_wrong_basic_credentials_are_401(
    anonymous: httpx.AsyncClient, auth: tuple[str, str], message: str
) -> None:
    answer = await anonymous.get(ADA, auth=auth)
    assert (answer.status_code, answer.json()) == (401, {"status": 401, "message": message})


@pytest.mark.parametrize("header", ["", "Basic %%%", "Basic /w==", "Digest x", "Bearer nonsense"])
async def test_missing_or_unreadable_credentials_are_401(
    anonymous: httpx.AsyncClient, header: str
) -> None:
    answer = await anonymous.get(ADA, headers={"Authorization": header})
    assert (answer.status_code, answer.json()["status"]) == (401, 401)


async def test_the_password_grant_is_used_with_its_id_token(
    anonymous: httpx.AsyncClient, mint: Mint
) -> None:
    tokens = await mint(PASSWORD)
    assert (tokens["token_type"], tokens["expires_in"]) == ("bearer", 28800)
    assert tokens["scope"] == "openid user-profile role"
    assert tokens["refresh_token"]
    assert await status_with(anonymous, tokens["id_token"]) == 200
    assert await status_with(anonymous, tokens["access_token"]) == 401


async def test_the_client_credentials_grant_is_used_with_its_access_token(
    anonymous: httpx.AsyncClient, mint: Mint
) -> None:
    tokens = await mint(SERVICE)
    assert await status_with(anonymous, tokens["access_token"]) == 200
    assert await status_with(anonymous, tokens["id_token"]) == 401


@pytest.mark.parametrize(
    "form",
    [
        {},
        {**PASSWORD, "client_secret": "wrong"},
        {**PASSWORD, "password": "wrong"},
        {**CLIENT, "grant_type": "refresh_token"},
    ],
)
async def test_a_refused_token_has_the_token_services_own_shape(
    anonymous: httpx.AsyncClient, form: dict[str, str]
) -> None:
    answer = await anonymous.post("authorization/v1/tokens", data=form)
    refusal = answer.json()
    assert answer.status_code == 401
    assert datetime.fromisoformat(refusal.pop("timestamp")).tzinfo is UTC
    assert refusal == {
        "status": "401",
        "error": "Unauthorized",
        "message": "",
        "path": "/cas/oidc/token",
    }


async def test_a_token_expires_by_the_clock(
    anonymous: httpx.AsyncClient, mint: Mint, clock: ManualClock, everbridge: Everbridge
) -> None:
    everbridge.switches["token_lifetime_seconds"] = 60
    tokens = await mint(SERVICE)
    assert tokens["expires_in"] == 60
    clock.advance(50)
    assert await status_with(anonymous, tokens["access_token"]) == 200
    clock.advance(11)
    assert await status_with(anonymous, tokens["access_token"]) == 401


async def test_a_token_survives_a_restart_from_the_dump(
    anonymous: httpx.AsyncClient, mint: Mint, everbridge: Everbridge
) -> None:
    token = (await mint(SERVICE))["access_token"]
    state = everbridge.dump()
    everbridge.reset()
    assert await status_with(anonymous, token) == 401
    everbridge.load(state)
    assert await status_with(anonymous, token) == 200


async def test_revoking_voids_the_tokens_so_far_and_no_later_one(
    anonymous: httpx.AsyncClient, mint: Mint, everbridge: Everbridge
) -> None:
    old = (await mint(SERVICE))["access_token"]
    everbridge.switches["revoke_tokens"] = True
    new = (await mint(SERVICE))["access_token"]
    assert await status_with(anonymous, old) == 401
    assert await status_with(anonymous, new) == 200
    everbridge.switches["revoke_tokens"] = True
    assert await status_with(anonymous, new) == 401
    assert everbridge.switches["revoke_tokens"] is False


async def test_a_wrong_role_fails_when_the_token_is_used(
    anonymous: httpx.AsyncClient, mint: Mint
) -> None:
    by_header = await mint(PASSWORD, roleId="5")
    by_field = await mint({**PASSWORD, "roleId": "5"})
    right = await mint({**PASSWORD, "roleId": "1800000000000001"})
    assert await status_with(anonymous, by_header["id_token"]) == 403
    assert await status_with(anonymous, by_field["id_token"]) == 403
    assert await status_with(anonymous, right["id_token"]) == 200


async def test_patch_with_a_service_token_can_be_forbidden(
    anonymous: httpx.AsyncClient, mint: Mint, everbridge: Everbridge
) -> None:
    operations = [{"op": "replace", "path": "/suffix", "value": "MD"}]
    kind = {"Content-Type": "application/json-patch+json"}
    service = {**kind, "Authorization": f"Bearer {(await mint(SERVICE))['access_token']}"}
    person = {**kind, "Authorization": f"Bearer {(await mint(PASSWORD))['id_token']}"}
    assert (await anonymous.patch(ADA, json=operations, headers=service)).status_code == 200
    everbridge.switches["service_token_patch"] = False
    assert (await anonymous.patch(ADA, json=operations, headers=service)).status_code == 403
    assert (await anonymous.patch(ADA, json=operations, headers=person)).status_code == 200


@pytest.mark.parametrize("path", ["contacts/5", "groups/5/pagination", "recordTypes/5/1"])
async def test_another_organization_is_401_and_not_404(rest: httpx.AsyncClient, path: str) -> None:
    answer = await rest.get(path)
    assert answer.status_code == 401
    assert answer.json() == {"status": 401, "message": "Org 5 is invalid."}


async def test_unknown_calls_have_the_usual_error_shape(rest: httpx.AsyncClient) -> None:
    answer = await rest.get("contactFilters/1000000000000001")
    assert (answer.status_code, answer.json()) == (404, {"status": 404, "message": "Not Found"})


async def test_another_media_type_is_refused(rest: httpx.AsyncClient) -> None:
    answer = await rest.post("contacts/1000000000000001", data={"firstName": "Ada"})
    assert answer.status_code == 415


class FixedClock:
    """A clock that stands until it is moved, so that a second cannot end during a test."""

    def __init__(self) -> None:
        self.instant = datetime(2026, 3, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.instant


async def test_reads_and_writes_have_quotas_of_their_own_for_each_second() -> None:
    clock = FixedClock()
    everbridge = Everbridge(clock)
    everbridge.switches |= {"reads_per_second": 2, "writes_per_second": 1}
    transport = httpx.ASGITransport(app=everbridge.app)
    base = "http://sandbox/contacts/1000000000000001/"
    async with httpx.AsyncClient(
        transport=transport, base_url=base, auth=("sandbox", "sandbox")
    ) as client:

        async def statuses(method: str, path: str, times: int) -> list[int]:
            body: list[str] | None = [] if method == "POST" else None
            calls = [await client.request(method, path, json=body) for _ in range(times)]
            return [answer.status_code for answer in calls]

        assert await statuses("GET", "1300000000000001", 3) == [200, 200, 429]
        assert await statuses("DELETE", "1300000000000001", 1) == [429]
        assert await statuses("POST", "batch", 2) == [200, 429]
        refused = await client.post("batch", json=[])
        assert refused.json() == {"status": 429, "message": "QUOTA_EXCEEDED"}
        clock.instant += timedelta(seconds=1)
        assert await statuses("GET", "1300000000000001", 1) == [200]
        assert await statuses("POST", "batch", 1) == [200]
