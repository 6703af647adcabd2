"""iVvy's dialect: signatures against the vendor's recipe, and the meaning of answers."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson
import pytest

from gateway.backends.ivvy import client
from gateway.backends.ivvy.client import IvvyDialect
from gateway.backends.ivvy.signature import content_md5, signature, string_to_sign
from gateway.calls import Call, Reply
from gateway.errors import NotWrittenError, RefusedError
from gateway.results import ProblemCode
from gateway.upstream import Exchange, Sender
from gateway.wire.network import NetworkWire

SECRET = "my secret key"
PING, GET = "/api/1.0/test?action=ping", "/api/1.0/contact?action=getContact"
SAVE = "/api/1.0/contact?action=addOrUpdateContact"
JSON = "application/json"
THEN = "2025-01-15 08:30:00"

VECTORS = [
    # body, Content-Type, target, date headers, MD5, signature: contract section 2.3, A to F
    (
        '{"example":"body"}', JSON, PING, {"IVVY-Date": "2012-04-03 22:23:24"},
        "a09f600c77a6dbd947db24c61e8935ca", "74af7ec6fec55dc88543e05096c69cebaf391eb9",
    ),
    (
        '{"id":6}', JSON, GET, {"IVVY-Date": THEN},
        "11a7c054e11fc6959b49fbe34813d4a5", "f223379683bb1192326fad2b30c0495349897fbe",
    ),
    (
        '{"id":6}', f"{JSON}; charset=utf-8", GET, {"IVVY-Date": f"{THEN} UTC"},
        "11a7c054e11fc6959b49fbe34813d4a5", "2640ad4abf005d8934a141f408e3d4bfcfc0d195",
    ),
    (
        '{"id":6}', JSON, GET, {"Date": "Wed, 15 Jan 2025 08:30:00 UTC"},
        "11a7c054e11fc6959b49fbe34813d4a5", "57d6562e892b817044167a33f7a418111a4b6704",
    ),
    (
        "", JSON, PING, {"IVVY-Date": THEN},
        "d41d8cd98f00b204e9800998ecf8427e", "3f8df0c9898b777e7dde30e92a1be6a29e6eedec",
    ),
    (
        '{"firstName":"Zoë"}', JSON, SAVE, {"IVVY-Date": THEN},
        "c1bce17f18d8cc08f5e4ceb39799cfe0", "cc6eaffcb59edaa6f7d06ea5e82e00dfbfc7f1be",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("body", "kind", "target", "date", "md5", "signed"), VECTORS)
def test_signatures_are_those_of_the_recipe(
    body: str, kind: str, target: str, date: dict[str, str], md5: str, signed: str
) -> None:
    content = body.encode()
    assert content_md5(content) == md5
    assert signature(SECRET, content, target, {"Content-Type": kind, **date}) == signed


def test_the_string_to_sign_is_the_documented_one() -> None:
    headers = {"Content-Type": JSON, "IVVY-Date": "2012-04-03 22:23:24", "Date": "not this one"}
    assert string_to_sign(b'{"example":"body"}', PING, headers) == (
        "posta09f600c77a6dbd947db24c61e8935caapplication/json/api/1.0/test?action=ping1.0"
        "ivvydate=2012-04-03 22:23:24"
    )


class Answering(httpx.MockTransport):
    """Keeps the requests and gives the answers in their order, the last one again and again."""

    def __init__(self, *answers: httpx.Response) -> None:
        super().__init__(self._answer)
        self.requests: list[httpx.Request] = []
        self._answers = list(answers)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


class Ticking:
    """A clock that is a minute later at each look."""

    def __init__(self) -> None:
        self.minute = 29

    def __call__(self) -> datetime:
        self.minute += 1
        return datetime(2025, 1, 15, 8, self.minute, tzinfo=UTC)


def sender(transport: Answering, base_url: str = "https://ivvy.example/prefix/") -> Sender:
    dialect = IvvyDialect(base_url=base_url, api_key="the-key", api_secret=SECRET, clock=Ticking())
    return Sender(dialect, httpx.AsyncClient(transport=transport))


def exchange() -> Exchange:
    return Exchange(deadline=time.monotonic() + 30)


async def test_what_is_sent_is_what_was_signed_whatever_prefix_the_address_has() -> None:
    transport = Answering(httpx.Response(200, json={"id": 6}))
    await sender(transport).send(client.get_contact("6"), exchange())
    [request] = transport.requests
    assert str(request.url) == f"https://ivvy.example/prefix{GET}"
    assert request.method == "POST"
    assert request.content == b'{"id":6}'
    assert request.headers.get_list("Content-Type") == [JSON]
    assert request.headers["Content-MD5"] == "11a7c054e11fc6959b49fbe34813d4a5"
    assert request.headers["IVVY-Date"] == THEN
    # Vector B
    signed = "f223379683bb1192326fad2b30c0495349897fbe"
    assert request.headers["X-Api-Authorization"] == f"IWS the-key:{signed}"


async def test_the_content_type_on_the_wire_is_the_signed_one() -> None:
    received: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.readuntil(b"\r\n\r\n"))
        received.append(await reader.readexactly(len(b'{"id":6}')))
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 8\r\n\r\n")
        writer.write(b'{"id":6}')
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, aclosing(NetworkWire()) as http:
        dialect = IvvyDialect(base_url=address, api_key="k", api_secret=SECRET, clock=Ticking())
        await Sender(dialect, http).send(client.get_contact("6"), exchange())
    lines = received[0].decode().lower().split("\r\n")
    assert lines[0] == f"POST {GET} HTTP/1.1".lower()
    assert [line for line in lines if line.startswith("content-type")] == [f"content-type: {JSON}"]
    # Vector B
    assert [line for line in lines if line.startswith("x-api-authorization")] == [
        "x-api-authorization: iws k:f223379683bb1192326fad2b30c0495349897fbe"
    ]
    assert received[1] == b'{"id":6}'


async def test_a_stale_request_is_signed_afresh_once() -> None:
    stale = {"errorCode": 401, "message": "Request is stale", "specificCode": 23005}
    transport = Answering(httpx.Response(401, json=stale), httpx.Response(200, json={"id": 6}))
    await sender(transport).send(client.get_contact("6"), exchange())
    first, second = (request.headers["X-Api-Authorization"] for request in transport.requests)
    assert first != second
    transport = Answering(httpx.Response(401, json=stale))
    with pytest.raises(NotWrittenError) as caught:
        await sender(transport).send(client.get_contact("6"), exchange())
    assert len(transport.requests) == 2
    problem = caught.value.problem
    assert (problem.code, problem.backend_code) == (ProblemCode.UNAUTHORIZED, "23005")
    assert "clock" in problem.message


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["Value must be an address", "Try again"], ". Value must be an address. Try again"),
        ("Value must be an address", ". Value must be an address"),
        (7, ". 7"),
        (None, ""),
    ],
)
async def test_a_refused_write_shows_the_vendors_words(more: Any, said: str) -> None:
    body = {
        "errorCode": 400,
        "message": "'email' does not validate",
        "specificCode": 23016,
        "additionalMessages": more,
    }
    transport = Answering(httpx.Response(400, json=body))
    with pytest.raises(RefusedError) as caught:
        await sender(transport).send(client.save_contact({"id": 6, "email": "x"}), exchange())
    problem = caught.value.problem
    assert problem.code is ProblemCode.INVALID
    assert problem.backend_code == "23016"
    assert problem.backend_message == f"'email' does not validate{said}"
    assert len(transport.requests) == 1


GET_CALL = client.get_contact("6")
SAVE_CALL = client.save_contact({"id": 6})
NEW_CALL = client.save_contact({"firstName": "Ada", "updateIfExists": True})
LEAD_CALL = client.save_lead({"id": 6})
LEADS_CALL = client.list_leads({"id": 6}, 0)
LIST_CALL = client.list_contacts("email", "ada@example.com", 0)
TYPES_CALL = client.listing("crm", "getLeadTypeList", 0)
JOIN_CALL = client.change_group(client.ADD_TO_GROUP, 6, "301")


ODD_SUBTYPES: list[Any] = [{"name": "x"}, {"id": ""}, {"id": "x"}, {"id": {}}, "x", None]


def judged(call: Call, status: int, body: Any) -> ProblemCode | None:
    text = body if isinstance(body, str) else orjson.dumps(body).decode()
    reply = Reply(
        status=status, headers={}, body=None if isinstance(body, str) else body, text=text
    )
    dialect = IvvyDialect(base_url="https://ivvy.example", api_key="k", api_secret="s")
    problem = dialect.judge(call, reply)
    return problem.code if problem else None


@pytest.mark.parametrize(
    ("call", "body"),
    [
        (GET_CALL, {"id": 6, "externalId": None}),
        (GET_CALL, {"id": "6"}),
        (GET_CALL, {"id": 6, "groups": None, "companies": None, "customFields": []}),
        (NEW_CALL, {"id": 33884}),
        (NEW_CALL, {"success": True, "id": 33884}),
        (SAVE_CALL, {"id": 6}),
        (SAVE_CALL, {"success": True, "id": "6"}),
        (LIST_CALL, {"meta": {"totalResults": 0}, "results": []}),
        (LIST_CALL, {"meta": {"totalResults": "0"}, "results": None}),
        (LIST_CALL, {"results": [{"id": 1}]}),
        (JOIN_CALL, [{"contactId": 6, "status": True}]),
        (JOIN_CALL, [{"contactId": "7", "status": False}, {"contactId": "6", "status": True}]),
        (client.call("contact", "getSubscriptionGroupList", {}), []),
        (client.call("contact", "getCustomFieldDefinition", {}), [{"fieldId": 1}]),
    ],
)
def test_answers_that_are_successes(call: Call, body: Any) -> None:
    assert judged(call, 200, body) is None


def error(code: Any, specific: Any = None) -> dict[str, Any]:
    return {"errorCode": code, "message": "No", "specificCode": specific}


@pytest.mark.parametrize(
    ("call", "status", "body", "code"),
    [
        (SAVE_CALL, 200, {"success": False, "message": "No"}, ProblemCode.INVALID),
        (SAVE_CALL, 200, {"success": False, "id": 6}, ProblemCode.INVALID),
        (SAVE_CALL, 200, error(400, 23017), ProblemCode.INVALID),
        (SAVE_CALL, 200, error("400", "23017"), ProblemCode.INVALID),
        (SAVE_CALL, 400, error(400, 23016), ProblemCode.INVALID),
        (GET_CALL, 400, error(400, 24096), ProblemCode.NOT_FOUND),
        (GET_CALL, 200, error("400", "24096"), ProblemCode.NOT_FOUND),
        (GET_CALL, 404, error(404), ProblemCode.NOT_FOUND),
        (GET_CALL, 404, {"message": "not found"}, ProblemCode.NOT_FOUND),
        (SAVE_CALL, 400, error(400, 24216), ProblemCode.NOT_FOUND),
        (SAVE_CALL, 400, error(400, 24218), ProblemCode.INVALID),
        (SAVE_CALL, 401, error(401), ProblemCode.UNAUTHORIZED),
        (SAVE_CALL, 463, error(463), ProblemCode.UNAUTHORIZED),
        (SAVE_CALL, 462, error(462), ProblemCode.UNAUTHORIZED),
        (SAVE_CALL, 403, error(403), ProblemCode.FORBIDDEN),
        (SAVE_CALL, 429, error(429, 24299), ProblemCode.RATE_LIMITED),
        (SAVE_CALL, 460, error(460), ProblemCode.BACKEND_ERROR),
        (SAVE_CALL, 461, "failed", ProblemCode.BACKEND_ERROR),
        (SAVE_CALL, 463, "revoked", ProblemCode.UNAUTHORIZED),
        (SAVE_CALL, 500, error(500), ProblemCode.BACKEND_ERROR),
        (SAVE_CALL, 429, "slow down", ProblemCode.RATE_LIMITED),
        (SAVE_CALL, 503, "<html>maintenance</html>", ProblemCode.UNAVAILABLE),
        (SAVE_CALL, 502, "<html>bad gateway</html>", ProblemCode.BACKEND_ERROR),
        (SAVE_CALL, 413, "too large", ProblemCode.INVALID),
        (SAVE_CALL, 404, "<html>no such page</html>", ProblemCode.UNAVAILABLE),
        (SAVE_CALL, 302, "", ProblemCode.UNAVAILABLE),
        (SAVE_CALL, 200, "<html>hello</html>", ProblemCode.BACKEND_ERROR),
        (SAVE_CALL, 200, '{"id":33', ProblemCode.BACKEND_ERROR),
        (SAVE_CALL, 200, "", ProblemCode.BACKEND_ERROR),
        (SAVE_CALL, 200, {"success": True}, ProblemCode.BACKEND_ERROR),
        (SAVE_CALL, 200, {"id": 7}, ProblemCode.BACKEND_ERROR),
        (LEAD_CALL, 200, {"success": True, "id": "60"}, ProblemCode.BACKEND_ERROR),
        (NEW_CALL, 200, {"id": True}, ProblemCode.BACKEND_ERROR),
        (NEW_CALL, 200, {"id": "abc"}, ProblemCode.BACKEND_ERROR),
        (NEW_CALL, 200, {"id": [7]}, ProblemCode.BACKEND_ERROR),
        (NEW_CALL, 200, {"id": -1}, ProblemCode.BACKEND_ERROR),
        (GET_CALL, 200, {}, ProblemCode.BACKEND_ERROR),
        (GET_CALL, 200, {"id": "six"}, ProblemCode.BACKEND_ERROR),
        (GET_CALL, 200, {"id": 6, "companies": 0}, ProblemCode.BACKEND_ERROR),
        (GET_CALL, 200, [], ProblemCode.BACKEND_ERROR),
        (GET_CALL, 200, {"id": 6, "groups": {"0": {"groupId": 1}}}, ProblemCode.BACKEND_ERROR),
        (GET_CALL, 200, {"id": 6, "companies": 7001}, ProblemCode.BACKEND_ERROR),
        (LIST_CALL, 200, {"meta": {}}, ProblemCode.BACKEND_ERROR),
        (LIST_CALL, 200, {"meta": {"totalResults": 3}, "results": None}, ProblemCode.BACKEND_ERROR),
        (LIST_CALL, 200, {"results": [{"id": 1, "groups": [None]}]}, ProblemCode.BACKEND_ERROR),
        (LIST_CALL, 200, ["x"], ProblemCode.BACKEND_ERROR),
        (TYPES_CALL, 200, {"results": [{"id": 1, "subtypes": "x"}]}, ProblemCode.BACKEND_ERROR),
        (LIST_CALL, 200, {"results": [{"email": "x"}]}, ProblemCode.BACKEND_ERROR),
        (LIST_CALL, 200, {"results": [{"id": ""}]}, ProblemCode.BACKEND_ERROR),
        *(
            (
                TYPES_CALL,
                200,
                {"results": [{"id": 1, "subtypes": [odd]}]},
                ProblemCode.BACKEND_ERROR,
            )
            for odd in ODD_SUBTYPES
        ),
        *(
            (LEADS_CALL, 200, {"results": [{"id": 6, **odd}]}, ProblemCode.BACKEND_ERROR)
            for odd in ({"contact": {"id": "x"}}, {"sourceId": "x"}, {"ownerUser": {"id": True}})
        ),
        (JOIN_CALL, 200, [{"contactId": 6, "status": False}], ProblemCode.INVALID),
        (JOIN_CALL, 200, [{"contactId": 7, "status": True}], ProblemCode.BACKEND_ERROR),
        (JOIN_CALL, 200, {"ok": True}, ProblemCode.BACKEND_ERROR),
    ],
)
def test_answers_that_are_failures(call: Call, status: int, body: Any, code: ProblemCode) -> None:
    assert judged(call, status, body) is code


@pytest.mark.parametrize("contact", [None, [], {}, {"id": None}, {"id": "7"}])
def test_a_lead_may_point_to_nothing(contact: Any) -> None:
    row = {"id": 6, "sourceId": None, "typeId": "11", "subtypeId": 0, "qualityId": ""}
    assert judged(LEADS_CALL, 200, {"results": [row | {"contact": contact}]}) is None


def test_an_answer_of_another_kind_is_shown() -> None:
    dialect = IvvyDialect(base_url="https://ivvy.example", api_key="k", api_secret="s")
    reply = Reply(status=200, headers={}, body=None, text="<html>Sign in to the proxy</html>")
    problem = dialect.judge(SAVE_CALL, reply)
    assert problem is not None
    assert "Sign in to the proxy" in problem.message


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ("'phone' does not validate", ["phone"]),
        ("'lastName' is required", ["lastName"]),
        ("'status' does not validate", ["emailStatus"]),
        ("'groups' does not validate", []),
        ("No", []),
    ],
)
def test_a_refused_parameter_of_a_contact_is_the_callers_field(
    message: str, field: list[str]
) -> None:
    dialect = IvvyDialect(base_url="https://ivvy.example", api_key="k", api_secret="s")
    body = {**error(400, 23016), "message": message, "additionalMessages": ["Too long"]}
    problem = dialect.judge(SAVE_CALL, Reply(status=400, headers={}, body=body, text=""))
    assert problem is not None
    assert problem.field == field
    of_lead = dialect.judge(LEAD_CALL, Reply(status=400, headers={}, body=body, text=""))
    assert of_lead is not None
    assert of_lead.field == []  # the parameter may be the lead's, its contact's or its company's


def test_no_message_is_ascribed_to_a_refusal_without_one() -> None:
    dialect = IvvyDialect(base_url="https://ivvy.example", api_key="k", api_secret="s")
    reply = Reply(status=200, headers={}, body={"success": False}, text='{"success":false}')
    problem = dialect.judge(SAVE_CALL, reply)
    assert problem is not None
    assert problem.message == "iVvy refused it: it gives no reason"
    assert problem.backend_message is None


def test_the_secret_is_in_no_description_of_the_dialect() -> None:
    dialect = IvvyDialect(base_url="https://ivvy.example", api_key="k", api_secret=SECRET)
    assert SECRET not in repr(dialect)
