"""What SendGrid's answers mean, how its calls are authorized, and its catalogs' pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from gateway.backends.sendgrid.client import (
    get_field_definitions,
    get_job,
    get_lists,
    put_contacts,
    put_encoded,
    search_identifiers,
)
from gateway.backends.sendgrid.job import accepted_job, read_job
from gateway.errors import MaybeWrittenError, NotWrittenError, RefusedError
from gateway.results import JobStatus, ProblemCode
from tests.backends.sendgrid.answering import (
    DELETE,
    DIALECT,
    PUT,
    SEARCH,
    exchange,
    reply,
    sender_of,
)

if TYPE_CHECKING:
    from gateway.calls import Call


def test_several_contacts_of_the_same_lists_share_a_call() -> None:
    call = put_contacts([{"email": "a@example.com"}, {"email": "b@example.com"}], ["list-1"])
    assert call.body == {
        "list_ids": ["list-1"],
        "contacts": [{"email": "a@example.com"}, {"email": "b@example.com"}],
    }
    assert DELETE.target == "/v3/marketing/lists/list-1/contacts?contact_ids=c-1%2Cc-2"
    assert get_job("a/../b").path == "/v3/marketing/contacts/imports/a%2F..%2Fb"


def test_a_call_says_how_many_contacts_it_writes() -> None:
    encoded = put_encoded([b"{}", b"{}", b"{}"], [])
    calls = [PUT, encoded, DELETE, SEARCH, get_job("j-1")]
    assert [DIALECT.batch_size(call) for call in calls] == [1, 3, 2, None, None]


async def test_the_key_is_sent_and_never_shown() -> None:
    sender, received = sender_of(httpx.Response(202, json={"job_id": "j-1"}))
    await sender.send(PUT, exchange())
    [request] = received
    assert request.headers["authorization"] == "Bearer SG.secret.key"
    assert request.headers["accept"] == "application/json"
    assert request.headers["content-type"] == "application/json"
    assert "SG.secret.key" not in repr(DIALECT)


@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize("call", [PUT, DELETE])
def test_any_2xx_with_a_job_is_a_success(call: Call, status: int) -> None:
    assert DIALECT.judge(call, reply(status, {"job_id": "j-1"})) is None


@pytest.mark.parametrize(
    "body", [None, {}, {"job_id": None}, {"job_id": ""}, [], "<html>hello</html>", '{"job_id": "j']
)
@pytest.mark.parametrize("call", [PUT, DELETE])
def test_a_2xx_without_a_job_is_an_error_that_shows_the_answer(call: Call, body: Any) -> None:
    problem = DIALECT.judge(call, reply(202, body))
    assert problem is not None
    assert problem.code is ProblemCode.BACKEND_ERROR
    assert reply(202, body).excerpt in problem.message


@pytest.mark.parametrize("call", [SEARCH, get_lists(None), get_field_definitions(), get_job("j")])
@pytest.mark.parametrize("body", [None, [], "<html></html>"])
def test_a_read_that_is_no_json_object_is_an_error(call: Call, body: Any) -> None:
    problem = DIALECT.judge(call, reply(200, body))
    assert problem is not None
    assert problem.code is ProblemCode.BACKEND_ERROR


@pytest.mark.parametrize(
    ("call", "body"), [(SEARCH, {}), (SEARCH, {"result": []}), (get_lists(None), {"result": {}})]
)
def test_a_read_without_its_result_is_an_error(call: Call, body: Any) -> None:
    assert DIALECT.judge(call, reply(200, body)) is not None


@pytest.mark.parametrize("call", [SEARCH, search_identifiers("external_id", ["E-1"])])
@pytest.mark.parametrize(
    "body", [None, {"message": "contact not found"}, {"errors": [{"message": "contact not found"}]}]
)
def test_404_of_a_look_up_means_that_nothing_was_found(call: Call, body: Any) -> None:
    assert DIALECT.judge(call, reply(404, body)) is None


@pytest.mark.parametrize("call", [SEARCH, PUT, DELETE, get_job("j"), get_lists(None)])
def test_404_from_somebody_else_says_nothing_of_what_was_asked_for(call: Call) -> None:
    problem = DIALECT.judge(call, reply(404, "<html>no such page</html>"))
    assert problem is not None
    assert problem.code is ProblemCode.UNAVAILABLE
    assert "is its base URL right? <html>no such page" in problem.message


@pytest.mark.parametrize("call", [PUT, DELETE, get_job("j"), get_lists(None)])
def test_404_elsewhere_is_an_unknown_id(call: Call) -> None:
    problem = DIALECT.judge(call, reply(404, [{"message": "list not found"}]))
    assert problem is not None
    assert (problem.code, problem.backend_message) == (ProblemCode.NOT_FOUND, "list not found")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"errors": [{"message": "a", "field": None}, {"message": "b"}]}, "a; b"),
        ({"errors": [{"message": "a", "field": "f", "help": {}}], "id": "x"}, "a"),
        ({"message": "a", "field": "f"}, "a"),
        ({"errors": {"message": "a"}}, "a"),
        ([{"message": "a"}], "a"),
        ({}, None),
        (None, None),
        ({"errors": ["a"]}, None),
        ("<html><h1>413</h1></html>", None),
    ],
)
def test_every_shape_of_error_is_read(body: Any, said: str | None) -> None:
    problem = DIALECT.judge(PUT, reply(400, body))
    assert problem is not None
    assert problem.backend_message == said
    assert problem.code is ProblemCode.INVALID


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (301, ProblemCode.UNAVAILABLE),
        (400, ProblemCode.INVALID),
        (401, ProblemCode.UNAUTHORIZED),
        (403, ProblemCode.FORBIDDEN),
        (404, ProblemCode.UNAVAILABLE),
        (408, ProblemCode.UNAVAILABLE),
        (413, ProblemCode.INVALID),
        (429, ProblemCode.RATE_LIMITED),
        (451, ProblemCode.FORBIDDEN),
        (500, ProblemCode.BACKEND_ERROR),
        (502, ProblemCode.BACKEND_ERROR),
        (503, ProblemCode.UNAVAILABLE),
        (599, ProblemCode.BACKEND_ERROR),
    ],
)
def test_codes_follow_the_meaning_of_the_status(status: int, code: ProblemCode) -> None:
    problem = DIALECT.judge(PUT, reply(status, "<html>x</html>"))
    assert problem is not None
    assert problem.code is code
    assert str(status) in problem.message


@pytest.mark.parametrize(
    ("error", "path"),
    [
        ({"field": "contacts[0].identifier", "message": "email 'x' is not valid"}, ["email"]),
        (
            {"field": "contacts[3].identifier", "message": "phone_number_id 'x' is not valid"},
            ["sendgrid", "phoneNumberId"],
        ),
        ({"field": "contacts[0].first_name", "message": "too long"}, ["firstName"]),
        ({"field": "contacts[0].city", "message": "too long"}, ["addresses", "0", "city"]),
        ({"parameter": "list_ids", "message": "not a list id"}, ["groupsName"]),
        ({"message": "invalid custom field ids supplied - w9_T"}, ["customFields"]),
        ({"message": 'custom field "w9_T" cannot be null'}, ["customFields"]),
        ({"message": "invalid JSON"}, []),
        ({"field": "something.else.new", "message": "no"}, []),
    ],
)
def test_the_blamed_field_is_told_by_its_input_name(error: Any, path: list[str]) -> None:
    problem = DIALECT.judge(PUT, reply(400, {"errors": [error]}))
    assert problem is not None
    assert problem.field == path


def test_an_address_that_the_search_refuses_is_blamed() -> None:
    problem = DIALECT.judge(SEARCH, reply(400, {"errors": [{"message": "bad", "field": None}]}))
    assert problem is not None
    assert problem.field == ["email"]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"x_ratelimit_reset": "13"}, 13.0),
        ({"x_ratelimit_reset": "4000"}, 120.0),
        ({"x_ratelimit_reset": "-4"}, 0.0),
        (
            {"x_ratelimit_reset": "1392815263", "date": "Wed, 19 Feb 2014 13:07:00 GMT"},
            43.0,
        ),
        ({"x_ratelimit_reset": "1392815263"}, None),
        ({"x_ratelimit_reset": "1392815263", "date": "soon"}, None),
        ({"x_ratelimit_reset": "soon"}, None),
        ({}, None),
    ],
)
def test_both_forms_of_the_reset_header_are_understood(
    headers: dict[str, str], seconds: float | None
) -> None:
    problem = DIALECT.judge(PUT, reply(429, {"errors": []}, **headers))
    assert problem is not None
    assert problem.retry_after_seconds == seconds


async def test_a_rate_limit_is_waited_out_by_the_reset_header() -> None:
    busy = httpx.Response(429, json={"errors": []}, headers={"X-RateLimit-Reset": "0"})
    sender, received = sender_of(busy, httpx.Response(202, json={"job_id": "j-1"}))
    answer = await sender.send(PUT, exchange())
    assert (answer.body, len(received)) == ({"job_id": "j-1"}, 2)


async def test_a_reset_behind_the_deadline_fails_and_says_when_to_try_again() -> None:
    sender, received = sender_of(
        httpx.Response(429, json={"errors": []}, headers={"X-Ratelimit-Reset": "90"})
    )
    with pytest.raises(NotWrittenError) as caught:
        await sender.send(PUT, exchange(5.0))
    assert caught.value.problem.retry_after_seconds == 90.0
    assert caught.value.problem.retryable
    assert len(received) == 1


async def test_a_write_without_an_answer_may_have_happened_and_is_repeated() -> None:
    sender, received = sender_of(httpx.ReadError("gone"), httpx.Response(202, json={"job_id": "j"}))
    await sender.send(PUT, exchange())
    assert len(received) == 2
    lost, _ = sender_of(*[httpx.ReadError("gone")] * 4)
    with pytest.raises(MaybeWrittenError):
        await lost.send(PUT, exchange())


async def test_a_refused_write_is_not_repeated() -> None:
    sender, received = sender_of(httpx.Response(400, json={"errors": [{"message": "bad"}]}))
    with pytest.raises(RefusedError):
        await sender.send(PUT, exchange())
    assert len(received) == 1


# ---------------------------------------------------------------- jobs


def test_an_accepted_write_is_a_pending_job() -> None:
    job = accepted_job(PUT, reply(202, {"job_id": "j-1"}))
    assert (job.id, job.status, job.requested_count) == ("j-1", JobStatus.PENDING, 1)
    assert accepted_job(DELETE, reply(202, {"job_id": "j-2"})).requested_count == 1


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        ("pending", JobStatus.PENDING),
        ("completed", JobStatus.ERRORED),  # by its own count
        ("errored", JobStatus.ERRORED),
        ("failed", JobStatus.FAILED),
    ],
)
def test_a_job_is_read_with_the_counters_that_are_there(status: str, meaning: JobStatus) -> None:
    results = {"requested_count": 2, "errored_count": 1, "errors_url": "https://example.com/e"}
    job = read_job(reply(200, {"id": "j-1", "status": status, "results": results}))
    assert (job.status, job.requested_count, job.created_count) == (meaning, 2, None)
    assert (job.errored_count, job.errors_url) == (1, "https://example.com/e")


@pytest.mark.parametrize("results", [None, {}, {"errored_count": 0}, {"errored_count": None}])
def test_a_job_that_counts_no_errors_is_completed(results: Any) -> None:
    job = read_job(reply(200, {"id": "j-1", "status": "completed", "results": results}))
    assert job.status is JobStatus.COMPLETED


@pytest.mark.parametrize("body", [{"id": "j", "status": "sleeping"}, {"status": "pending"}])
def test_a_job_of_no_known_status_is_an_error(body: Any) -> None:
    with pytest.raises(NotWrittenError):
        read_job(reply(200, body))


def test_a_job_without_results_has_no_counters() -> None:
    assert read_job(reply(200, {"id": "j", "status": "pending"})).requested_count is None
