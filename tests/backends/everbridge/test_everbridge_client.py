"""How Everbridge's answers are judged, and how its calls are authorized."""

from __future__ import annotations

import asyncio
import base64
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import httpx
import orjson
import pytest

from gateway.backends.everbridge.catalog import all_rows
from gateway.backends.everbridge.client import (
    EverbridgeDialect,
    contact_of,
    create_contact,
    leave_group,
    read_contact,
    read_list,
    replace_contact,
    search_contacts,
)
from gateway.backends.everbridge.tokens import ClientCredentials, Tokens
from gateway.calls import Reply
from gateway.errors import NotWrittenError
from gateway.results import ProblemCode
from gateway.upstream import Exchange, Sender

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.calls import Call

ORG = "1000000000000001"
DIALECT = EverbridgeDialect(base_url="http://eb/rest", username="ada", password="pa:ss")
GET = read_contact(ORG, "13")
LIST = read_list(f"/groups/{ORG}/pagination", 1, paged=True)
PUT = replace_contact(ORG, "13", {"firstName": "Ada"})
POST = create_contact(ORG, {"firstName": "Ada"})
LEAVE = leave_group(ORG, "12", "13")


def reply(status: int, body: Any = None, text: str | None = None) -> Reply:
    shown = text if text is not None else orjson.dumps(body).decode()
    return Reply(status=status, headers={}, body=body, text=shown)


@pytest.mark.parametrize(
    ("call", "body"),
    [
        (GET, {"message": "OK", "result": {"id": 13}}),
        (GET, {"id": 13, "externalId": "E-1"}),
        (LIST, {"message": "OK", "page": {"totalCount": 0}}),
        (PUT, {"message": "OK", "id": 13}),
        (POST, {"message": "OK", "id": "13"}),
        (LEAVE, {"message": "OK", "code": 100}),
    ],
)
def test_a_success_is_one(call: Call, body: Any) -> None:
    assert DIALECT.judge(call, reply(200, body)) is None


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        (GET, reply(200, text="<html>Please log in</html>")),
        (GET, reply(200, text='{"message":"OK","resu')),
        (GET, reply(200, {"message": "OK"})),
        (GET, reply(200, {"message": "Fatal", "result": {"id": 13}})),
        (GET, reply(200, [])),
        (PUT, reply(200, {"message": "Fatal error on handling request", "id": 13})),
        (PUT, reply(200, {"message": "OK"})),
        (POST, reply(200, {"message": "OK", "id": True})),
        (LEAVE, reply(200, {"message": "OK"})),
        (LEAVE, reply(200, {"message": "OK", "code": "100"})),
        (PUT, reply(302, text="moved")),
        (GET, reply(404, text="<h1>Not Found</h1>")),
    ],
)
def test_an_answer_that_is_not_understood_is_the_backends_error_and_is_shown(
    call: Call, answer: Reply
) -> None:
    problem = DIALECT.judge(call, answer)
    assert problem is not None
    assert problem.code is ProblemCode.BACKEND_ERROR
    assert answer.excerpt in problem.message


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, ProblemCode.INVALID),
        (401, ProblemCode.UNAUTHORIZED),
        (403, ProblemCode.FORBIDDEN),
        (404, ProblemCode.NOT_FOUND),
        (409, ProblemCode.INVALID),
        (429, ProblemCode.RATE_LIMITED),
        (500, ProblemCode.BACKEND_ERROR),
        (503, ProblemCode.UNAVAILABLE),
    ],
)
def test_the_http_status_decides_and_the_vendors_words_are_kept(
    status: int, code: ProblemCode
) -> None:
    problem = DIALECT.judge(PUT, reply(status, {"status": status, "message": "Their words"}))
    assert problem is not None
    assert (problem.code, problem.backend_message) == (code, "Their words")
    assert "Their words" in problem.message


def test_a_404_whose_body_says_401_is_a_404() -> None:
    problem = DIALECT.judge(GET, reply(404, {"status": 401, "message": "No such group"}))
    assert problem is not None
    assert (problem.code, problem.backend_code) == (ProblemCode.NOT_FOUND, "401")


def test_a_401_may_mean_the_organization() -> None:
    problem = DIALECT.judge(GET, reply(401, {"status": 401, "message": f"Org {ORG} is invalid."}))
    assert problem is not None
    assert "organization" in problem.message


@pytest.mark.parametrize(
    ("code", "data", "text"),
    [
        (200, ["Contact 13 not found."], "Contact 13 not found."),
        (300, None, "gives no reason"),
    ],
)
def test_a_batch_code_other_than_100_is_a_refusal(code: int, data: Any, text: str) -> None:
    body = {"message": "OK", "code": code, "data": data}
    problem = DIALECT.judge(LEAVE, reply(200, body))
    assert problem is not None
    assert (problem.code, problem.backend_code) == (ProblemCode.INVALID, str(code))
    assert text in problem.message


def test_ids_in_a_path_are_percent_encoded_and_searches_say_their_page_size() -> None:
    assert read_contact(ORG, "a/b ü").path == f"/contacts/{ORG}/a%2Fb%20%C3%BC"
    assert search_contacts(ORG, ["E 1", "E&2"]).target == (
        f"/contacts/{ORG}?externalIds=E+1&externalIds=E%262&pageNumber=1&pageSize=100"
    )


@pytest.mark.parametrize(
    "page",
    [
        {"currentPageNo": 1, "totalPageCount": 2, "data": [{"id": 1, "name": "A"}]},
        {"currentPageNo": 2, "totalPageCount": 2, "data": ["A"]},
        None,
    ],
)
async def test_a_list_that_is_not_read_whole_is_not_used(page: Any) -> None:
    first = {"currentPageNo": 1, "totalPageCount": 2, "data": [{"id": 1, "name": "A"}]}

    def answer(request: httpx.Request) -> httpx.Response:
        shown = first if request.url.params["pageNumber"] == "1" else page
        body = {"message": "OK", "page": shown} if shown else {"message": "OK", "result": {}}
        return httpx.Response(200, json=body)

    sender = Sender(DIALECT, httpx.AsyncClient(transport=httpx.MockTransport(answer)))
    with pytest.raises(NotWrittenError):
        await all_rows(sender, f"/groups/{ORG}/pagination", exchange(), paged=True)


@pytest.mark.parametrize("result", [None, [], {"externalId": "E-1"}])
async def test_a_read_without_a_contact_is_not_no_contact(result: Any) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"message": "OK", "result": result})

    sender = Sender(DIALECT, httpx.AsyncClient(transport=httpx.MockTransport(answer)))
    reply_to = await sender.send(GET, exchange())
    with pytest.raises(NotWrittenError):
        contact_of(reply_to)


# ---------------------------------------------------------------- authorization


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
    monkeypatch.setattr("gateway.upstream.BACKOFF_BASE", 0.0)
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
