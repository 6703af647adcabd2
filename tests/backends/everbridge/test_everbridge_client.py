"""How Everbridge's answers are judged, and how its calls and lists look."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest

from gateway.backends.everbridge.batch_calls import leave_group
from gateway.backends.everbridge.catalog import all_rows, fetches
from gateway.backends.everbridge.client import (
    EverbridgeDialect,
    create_contact,
    read_contact,
    read_list,
    replace_contact,
    search_contacts,
)
from gateway.backends.everbridge.envelopes import contact_of
from gateway.calls import Reply
from gateway.entries import CatalogName
from gateway.errors import NotWrittenError
from gateway.results import ProblemCode
from gateway.upstream import Exchange, Sender

if TYPE_CHECKING:
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
        (PUT, reply(204, text="")),
    ],
)
def test_an_answer_that_is_not_understood_is_the_backends_error_and_is_shown(
    call: Call, answer: Reply
) -> None:
    problem = DIALECT.judge(call, answer)
    assert problem is not None
    assert problem.code is ProblemCode.BACKEND_ERROR
    assert answer.excerpt in problem.message


@pytest.mark.parametrize("answer", [reply(302, text="moved"), reply(404, text="<h1>No</h1>")])
@pytest.mark.parametrize("call", [GET, PUT])
def test_an_answer_of_another_address_is_neither_a_refusal_nor_no_contact(
    call: Call, answer: Reply
) -> None:
    problem = DIALECT.judge(call, answer)
    assert problem is not None
    assert problem.code is ProblemCode.UNAVAILABLE
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


def exchange() -> Exchange:
    return Exchange(deadline=time.monotonic() + 30)


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


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ({"pathType": "SMS", "formatFlag": "P"}, "SMS"),
        ({"formatFlag": "E"}, "EMAIL"),
        ({"formatFlag": "P"}, "PHONE"),
        ({"formatFlag": "N"}, None),
        ({}, None),
    ],
)
async def test_a_path_without_a_type_takes_its_kind_from_the_format(
    row: dict[str, Any], kind: str | None
) -> None:
    rows = [
        {"id": 1, "pathId": 9, "prompt": "Mine", "status": "A", **row},
        {"id": 2, "pathId": 8, "prompt": "Gone", "status": "D"},
    ]

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"message": "OK", "page": {"data": rows}})

    sender = Sender(DIALECT, httpx.AsyncClient(transport=httpx.MockTransport(answer)))
    [entry] = await fetches(sender, ORG)[CatalogName.PATHS](exchange())
    assert (entry.id, entry.name, entry.kind) == ("9", "Mine", kind)
