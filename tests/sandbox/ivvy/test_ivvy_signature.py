"""Section 2 of the contract: the published and computed vectors, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from gateway.sandbox.ivvy import signature
from gateway.sandbox.ivvy.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from gateway.sandbox.clock import ManualClock
    from gateway.sandbox.ivvy import Ivvy

    Sign = Callable[..., dict[str, str]]

SECRET = "my secret key"
PING = "/api/1.0/test?action=ping"
GET = "/api/1.0/contact?action=getContact"
ADD = "/api/1.0/contact?action=addOrUpdateContact"
JSON = "application/json"
IN_2012 = {"IVVY-Date": "2012-04-03 22:23:24"}
IN_2025 = {"IVVY-Date": "2025-01-15 08:30:00"}
EXAMPLE, SIX, ZOE = b'{"example":"body"}', b'{"id":6}', '{"firstName":"Zoë"}'.encode()

VECTORS = {
    "A": (EXAMPLE, JSON, PING, IN_2012, "74af7ec6fec55dc88543e05096c69cebaf391eb9"),
    "B": (SIX, JSON, GET, IN_2025, "f223379683bb1192326fad2b30c0495349897fbe"),
    "C": (
        SIX,
        f"{JSON}; charset=utf-8",
        GET,
        {"IVVY-Date": "2025-01-15 08:30:00 UTC"},
        "2640ad4abf005d8934a141f408e3d4bfcfc0d195",
    ),
    "D": (
        SIX,
        JSON,
        GET,
        {"Date": "Wed, 15 Jan 2025 08:30:00 UTC"},
        "57d6562e892b817044167a33f7a418111a4b6704",
    ),
    "E": (b"", JSON, PING, IN_2025, "3f8df0c9898b777e7dde30e92a1be6a29e6eedec"),
    "F": (ZOE, JSON, ADD, IN_2025, "cc6eaffcb59edaa6f7d06ea5e82e00dfbfc7f1be"),
}
DIGESTS = {
    "A": "a09f600c77a6dbd947db24c61e8935ca",
    "B": "11a7c054e11fc6959b49fbe34813d4a5",
    "C": "11a7c054e11fc6959b49fbe34813d4a5",
    "D": "11a7c054e11fc6959b49fbe34813d4a5",
    "E": "d41d8cd98f00b204e9800998ecf8427e",
    "F": "c1bce17f18d8cc08f5e4ceb39799cfe0",
}


def test_documented_hmac() -> None:
    assert (
        signature.signature(SECRET, "string to sign") == "a993876ea1218921a1c8551923473da7b310dfae"
    )


def test_documented_string_to_sign() -> None:
    assert signature.string_to_sign(
        body=EXAMPLE, content_type=JSON, target=PING, date="", ivvy_headers=IN_2012
    ) == (
        "posta09f600c77a6dbd947db24c61e8935caapplication/json"
        "/api/1.0/test?action=ping1.0ivvydate=2012-04-03 22:23:24"
    )


@pytest.mark.parametrize("name", VECTORS)
def test_vector_is_signed_as_computed(name: str) -> None:
    body, content_type, target, dates, expected = VECTORS[name]
    message = signature.string_to_sign(
        body=body,
        content_type=content_type,
        target=target,
        date=dates.get("Date", ""),
        ivvy_headers={key: text for key, text in dates.items() if key.startswith("IVVY")},
    )
    assert DIGESTS[name] in message
    assert signature.signature(SECRET, message) == expected


@pytest.mark.parametrize("name", VECTORS)
def test_vector_as_sent_is_accepted(name: str) -> None:
    body, content_type, target, dates, expected = VECTORS[name]
    headers = {
        "X-Api-Authorization": f"IWS key:{expected}",
        "Content-MD5": DIGESTS[name],
        "Content-Type": content_type,
        **dates,
    }
    year = 2012 if name == "A" else 2025
    now = (
        datetime(2012, 4, 3, 22, 23, 24, tzinfo=UTC)
        if year == 2012
        else datetime(2025, 1, 15, 8, 30, tzinfo=UTC)
    )
    received = signature.Received(target=target, headers=headers, body=body)
    assert (
        signature.verify(received, credentials={"key": SECRET}, now=now, window_seconds=300)
        == "key"
    )
    wrong = signature.Received(target=target, headers=headers, body=body)
    with pytest.raises(ApiError, match="signature"):
        signature.verify(wrong, credentials={"key": "other"}, now=now, window_seconds=300)


def test_every_ivvy_header_is_signed_in_alphabetical_order() -> None:
    message = signature.string_to_sign(
        body=b"",
        content_type=JSON,
        target=PING,
        date="",
        ivvy_headers={"IVVY-Date": "D", "IVVY_App-Name": "X"},
    )
    assert message.endswith("1.0ivvyappname=x&ivvydate=d")


async def test_signed_call_is_answered(send: Callable[..., Any]) -> None:
    response = await send("test/ping")
    assert response.status_code == 200
    assert set(response.json()) == {"ack"}


async def test_empty_body_is_signed_and_answered(http: httpx.AsyncClient, sign: Sign) -> None:
    response = await http.post(f"/ivvy{PING}", headers=sign(PING, b""))
    assert response.status_code == 200


@pytest.mark.parametrize("mount", ["", "/ivvy", "/deeper/ivvy"])
async def test_signed_text_starts_behind_whatever_prefix(
    ivvy: Ivvy, sign: Sign, mount: str
) -> None:
    import httpx
    from starlette.applications import Starlette
    from starlette.routing import Mount

    app = Starlette(routes=[Mount(mount, app=ivvy.app)]) if mount else ivvy.app
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://sandbox"
    ) as client:
        response = await client.post(f"{mount}{PING}", headers=sign(PING, b""))
    assert response.status_code == 200, response.text


async def test_path_and_query_are_verified_as_sent(http: httpx.AsyncClient, sign: Sign) -> None:
    target = "/api/1.0/test?action=pin%67&trace=a%2Fb+c"
    response = await http.post(f"/ivvy{target}", headers=sign(target, b""))
    assert response.status_code == 200, response.text
    reencoded = sign("/api/1.0/test?action=ping&trace=a/b+c", b"")
    assert (await http.post(f"/ivvy{target}", headers=reencoded)).status_code == 401


async def test_api_version_header_is_not_demanded_and_does_no_harm(
    http: httpx.AsyncClient, sign: Sign
) -> None:
    headers = {**sign(PING, b""), "X-Api-Version": "1.0"}
    assert (await http.post(f"/ivvy{PING}", headers=headers)).status_code == 200


async def test_ivvy_date_wins_over_date(http: httpx.AsyncClient, sign: Sign) -> None:
    headers = {**sign(PING, b""), "Date": "Thu, 12 Apr 2012 07:17:06 UTC"}
    assert (await http.post(f"/ivvy{PING}", headers=headers)).status_code == 200


@pytest.mark.parametrize("suffix", ["", " UTC"])
async def test_ivvy_date_may_end_in_utc(
    http: httpx.AsyncClient, sign: Sign, clock: ManualClock, suffix: str
) -> None:
    text = clock.now().strftime("%Y-%m-%d %H:%M:%S") + suffix
    headers = sign(PING, b"", IVVY_Date=text)
    assert (await http.post(f"/ivvy{PING}", headers=headers)).status_code == 200


@pytest.mark.parametrize(("seconds", "status"), [(-310, 401), (-290, 200), (290, 200), (310, 401)])
async def test_date_must_be_within_five_minutes_both_ways(
    http: httpx.AsyncClient, sign: Sign, ivvy: Ivvy, seconds: int, status: int
) -> None:
    ivvy.switches["clock_skew_seconds"] = seconds
    response = await http.post(f"/ivvy{PING}", headers=sign(PING, b""))
    assert response.status_code == status
    if status == 401:
        assert response.json() == {
            "errorCode": 401,
            "message": "Request is stale",
            "specificCode": 23005,
        }


async def test_signature_outlives_no_window(
    http: httpx.AsyncClient, sign: Sign, clock: ManualClock
) -> None:
    headers = sign(PING, b"")
    clock.advance(301)
    response = await http.post(f"/ivvy{PING}", headers=headers)
    assert response.json()["specificCode"] == 23005


async def test_unreadable_date_is_stale(http: httpx.AsyncClient, sign: Sign) -> None:
    headers = sign(PING, b"", IVVY_Date="yesterday")
    assert (await http.post(f"/ivvy{PING}", headers=headers)).json()["specificCode"] == 23005


REFUSED: dict[str, tuple[dict[str, str | None], int]] = {
    "no authorization": ({"X-Api-Authorization": None}, 90401),
    "another scheme": ({"X-Api-Authorization": "Basic sandbox-key:x"}, 90401),
    "no signature": ({"X-Api-Authorization": "IWS sandbox-key"}, 90401),
    "unknown key": ({"X-Api-Authorization": "IWS other:0"}, 90401),
    "no digest": ({"Content-MD5": None}, 90401),
    "no content type": ({"Content-Type": None}, 90401),
    "no date": ({"IVVY-Date": None}, 90401),
    "digest of another body": ({"Content-MD5": "0" * 32}, 90402),
    "digest in base64": ({"Content-MD5": "1B2M2Y8AsgTpgAmY7PhCfg=="}, 90402),
    "another signature": ({"X-Api-Authorization": "IWS sandbox-key:" + "0" * 40}, 90403),
    "another content type": ({"Content-Type": "application/json; charset=utf-8"}, 90403),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_request_is_refused_with_401(http: httpx.AsyncClient, sign: Sign, case: str) -> None:
    changes, code = REFUSED[case]
    merged = {**sign(PING, b""), **changes}
    headers = {name: text for name, text in merged.items() if text is not None}
    response = await http.post(f"/ivvy{PING}", headers=headers)
    answer = response.json()
    assert (response.status_code, answer["errorCode"]) == (401, 401)
    assert answer["specificCode"] == code


async def test_stale_is_told_before_a_wrong_signature(http: httpx.AsyncClient, sign: Sign) -> None:
    headers = {**sign(GET, b""), "IVVY-Date": "2012-04-03 22:23:24"}
    assert (await http.post(f"/ivvy{PING}", headers=headers)).json()["specificCode"] == 23005


async def test_wrong_method_is_told_before_authentication(http: httpx.AsyncClient) -> None:
    response = await http.get(f"/ivvy{PING}")
    assert (response.status_code, response.json()["specificCode"]) == (405, 90405)


@pytest.mark.parametrize(
    "path",
    [
        "/api/1.0/test?action=pong",
        "/api/1.0/test",
        "/api/1.0/contact?action=getGroupList",
        "/api/1.0/contact?action=getCustomFieldList",
        "/api/1.0/crm?action=getLead",
        "/api/1.0/unknown?action=ping",
        "/api/2.0/test?action=ping",
        "/",
    ],
)
async def test_unknown_call_is_told_before_authentication(
    http: httpx.AsyncClient, path: str
) -> None:
    response = await http.post(f"/ivvy{path}")
    assert (response.status_code, response.json()["specificCode"]) == (404, 90404)


@pytest.mark.parametrize("body", [b"{", b"[1]", b'"text"', b"\xff"])
async def test_body_that_is_no_json_object_is_400_after_authentication(
    http: httpx.AsyncClient, sign: Sign, body: bytes
) -> None:
    response = await http.post(f"/ivvy{PING}", content=body, headers=sign(PING, body))
    assert (response.status_code, response.json()["specificCode"]) == (400, 90400)
    unsigned = await http.post(f"/ivvy{PING}", content=body)
    assert unsigned.status_code == 401


async def test_empty_array_is_an_empty_object(http: httpx.AsyncClient, sign: Sign) -> None:
    response = await http.post(f"/ivvy{PING}", content=b"[]", headers=sign(PING, b"[]"))
    assert response.status_code == 200
