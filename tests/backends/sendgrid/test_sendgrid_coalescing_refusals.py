"""One bad contact in a shared call spoils no other: the culprit is found with few calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest

from gateway.backends.sendgrid import shared_call
from gateway.backends.sendgrid.blame import blamed_contacts
from gateway.entries import CatalogName
from gateway.results import Outcome, ProblemCode
from tests.backends.sendgrid.answering import reply
from tests.backends.sendgrid.coalescing import names, person, send, send_all, upsert

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.backends.sendgrid.coalescing import Sent
    from tests.backends.sendgrid.conftest import Account

BAD = {"phone_number_id": "not a number"}
"""What SendGrid refuses in its answer."""


def some(count: int, *bad: int) -> list[Any]:
    """Upserts, of which a few are refused."""
    return [
        upsert(f"p{number}", **(BAD if number in bad else {"city": "Rome"}))
        for number in range(count)
    ]


def rejected(sent: list[Sent]) -> list[int]:
    """The places of those that were refused; all others must have been accepted."""
    refused = [place for place, one in enumerate(sent) if not isinstance(one.answer, type(OK))]
    assert all(sent[place].failure.outcome is Outcome.REJECTED for place in refused)
    return refused


OK = reply(202, {"job_id": "j-1"})


async def test_a_contact_that_is_blamed_is_rejected_and_the_rest_is_sent_again(
    sharing: Account,
) -> None:
    sent = await send_all(sharing, some(20, 3, 17))
    assert rejected(sent) == [3, 17]
    assert [len(one) for one in sharing.wire.contacts()] == [20, 18]
    problem = sent[3].problem
    assert (problem.code, problem.field) == (ProblemCode.INVALID, ["sendgrid", "phoneNumberId"])
    assert problem.backend_message == "phone_number_id 'not a number' is not valid"
    assert "400" in problem.message
    # Each was sent as often as it says.
    assert [(sent[n].call.attempts, sent[n].call.status_code) for n in (3, 4)] == [
        (1, 400),
        (2, 202),
    ]


async def test_each_culprit_is_told_of_its_own_fields_only(sharing: Account) -> None:
    calls = [
        upsert("a", first_name="x" * 51, city="y" * 61), upsert("b", last_name="z" * 51), upsert("c"),
    ]  # fmt: skip
    first, second, third = await send_all(sharing, calls)
    assert first.problem.field == ["firstName"]
    assert first.problem.backend_message == (
        "first_name has more than 50 characters; city has more than 60 characters"
    )
    assert (second.problem.field, second.problem.backend_message) == (
        ["lastName"], "last_name has more than 50 characters",
    )  # fmt: skip
    assert third.job


async def test_culprits_that_are_named_one_by_one_are_all_found(sharing: Account) -> None:
    sharing.sendgrid.switches["blame"] = "first"
    assert rejected(await send_all(sharing, some(10, 1, 4, 8))) == [1, 4, 8]
    assert [len(one) for one in sharing.wire.contacts()] == [10, 9, 8, 7]


@pytest.mark.parametrize("culprit", [0, 77, 199])
async def test_a_culprit_that_nobody_names_is_found_by_halving(
    sharing: Account, culprit: int
) -> None:
    sharing.sendgrid.switches["blame"] = "none"
    assert rejected(await send_all(sharing, some(200, culprit))) == [culprit]
    assert len(sharing.wire.calls) <= 1 + 2 * 8


async def test_several_that_nobody_names_are_found_too(sharing: Account) -> None:
    sharing.sendgrid.switches["blame"] = "none"
    assert rejected(await send_all(sharing, some(16, 0, 7, 15))) == [0, 7, 15]


async def test_the_search_ends_after_so_many_refusals_and_says_so(
    sharing: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_call, "MAX_REFUSED", 3)
    sharing.sendgrid.switches["blame"] = "none"
    sent = await send_all(sharing, some(8, *range(8)))
    assert all(one.failure.outcome is Outcome.FAILED for one in sent)
    assert {(one.problem.code, one.problem.retryable) for one in sent} == {
        (ProblemCode.BACKEND_ERROR, True)
    }
    said = {f"{one.problem.message} {one.problem.backend_message}" for one in sent}
    assert not any("@" in one for one in said), "SendGrid quotes one of them, and all are told"
    assert len(sharing.wire.calls) <= 7


async def test_many_that_are_named_one_by_one_are_looked_for_in_smaller_calls(
    sharing: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_call, "MAX_BLAMED", 1)
    sharing.sendgrid.switches["blame"] = "first"
    assert rejected(await send_all(sharing, some(9, 0, 1, 8))) == [0, 1, 8]
    assert [len(one) for one in sharing.wire.contacts()][:2] == [9, 8]
    assert max(len(one) for one in sharing.wire.contacts()[2:]) == 4


@pytest.mark.parametrize("form", ["html", "json"])
async def test_a_call_that_is_too_large_after_all_is_halved(sharing: Account, form: str) -> None:
    sharing.sendgrid.switches |= {"max_body_bytes": 400, "too_large_form": form}
    sent = await send_all(sharing, some(20))
    assert rejected(sent) == []
    sizes = [len(orjson.dumps(body)) for body in sharing.wire.sent()]
    assert len([size for size in sizes if size <= 400]) == len({one.job for one in sent})


async def test_one_contact_that_is_too_large_is_rejected_alone(sharing: Account) -> None:
    sharing.sendgrid.switches["max_body_bytes"] = 400
    calls = [upsert("a"), upsert("b", city="x" * 400), upsert("c")]
    sent = await send_all(sharing, calls)
    assert rejected(sent) == [1]
    assert "413" in sent[1].problem.message


async def test_lists_that_are_refused_are_refused_for_all_with_one_call(sharing: Account) -> None:
    sharing.sendgrid.switches["unknown_list"] = "400"
    unknown = "99999999-9999-4999-8999-999999999999"
    sent = await send_all(sharing, [upsert(name, unknown) for name in "abcd"])
    assert rejected(sent) == [0, 1, 2, 3]
    assert {tuple(one.problem.field) for one in sent} == {("groupsName",)}
    assert len(sharing.wire.calls) == 1


async def test_a_list_that_is_not_found_is_told_to_all(sharing: Account) -> None:
    unknown = "99999999-9999-4999-8999-999999999999"
    sent = await send_all(sharing, [upsert(name, unknown) for name in "abcd"])
    assert {one.problem.code for one in sent} == {ProblemCode.NOT_FOUND}
    assert len({id(one.problem) for one in sent}) == 4, "each may add to its own"
    assert len(sharing.wire.calls) == 1


@pytest.mark.parametrize("status", ["404", "400"])
async def test_after_a_list_was_not_found_the_lists_are_read_anew(
    sharing: Account, status: str
) -> None:
    sharing.sendgrid.switches["unknown_list"] = status
    await sharing.adapter.catalogs.read(CatalogName.GROUPS, sharing.exchange())
    await send_all(sharing, [upsert("a", "99999999-9999-4999-8999-999999999999")])
    sharing.wire.calls.clear()
    await sharing.adapter.catalogs.read(CatalogName.GROUPS, sharing.exchange())
    assert ("GET", "/lists") in sharing.wire.calls


async def test_custom_fields_that_are_named_are_those_of_who_sends_them(sharing: Account) -> None:
    held = iter(sharing.sendgrid.store.fields)
    known = next(held)
    await sharing.adapter.catalogs.read(CatalogName.CUSTOM_FIELDS, sharing.exchange())
    calls = [
        upsert("a", custom_fields={known: "x"}), upsert("b", custom_fields={"w99_T": "x"}),
        upsert("c"), upsert("d", custom_fields={"w98_T": "x", known: "y"}),
    ]  # fmt: skip
    sharing.wire.calls.clear()
    sharing.wire.bodies.clear()
    sent = await send_all(sharing, calls)
    assert rejected(sent) == [1, 3]
    assert sent[1].problem.field == ["customFields"]
    assert [names(one) for one in sharing.wire.contacts()] == [["a", "b", "c", "d"], ["a", "c"]]
    await sharing.adapter.catalogs.read(CatalogName.CUSTOM_FIELDS, sharing.exchange())
    assert sharing.wire.calls[-1] == ("GET", "/field_definitions"), "they are read anew"


async def test_of_merged_writes_only_the_wrong_one_is_rejected(sharing: Account) -> None:
    calls = [
        upsert("a", first_name="1"), upsert("a", city="x" * 61), upsert("b"),
        upsert("a", first_name="3"),
    ]  # fmt: skip
    sent = await send_all(sharing, calls)
    assert rejected(sent) == [1]
    assert [names(one) for one in sharing.wire.contacts()] == [
        ["a", "b"],
        ["b"],
        ["a"],
        ["a"],
        ["a"],
    ]
    alone = [one[0] for one in sharing.wire.contacts()[2:]]
    assert alone == [
        person("a", first_name="1"), person("a", city="x" * 61), person("a", first_name="3"),
    ]  # fmt: skip


async def test_merged_writes_that_nobody_blames_are_taken_apart_in_the_end(
    sharing: Account,
) -> None:
    sharing.sendgrid.switches["blame"] = "none"
    sent = await send_all(sharing, [upsert("a", city="x" * 61), upsert("a"), upsert("b")])
    assert rejected(sent) == [0]


@pytest.mark.usefixtures("no_waiting")
async def test_after_a_try_that_went_unanswered_the_innocent_are_sent_again(
    sharing: Account,
) -> None:
    lost = iter([True])

    def lose(request: httpx.Request) -> httpx.Response | None:
        if next(lost, False):
            raise httpx.ReadError("gone", request=request)
        return None

    sharing.wire.stub = lose
    first, second = await send_all(sharing, some(2, 0))
    # What the first try did to the culprit is not known, by the same table as for a call alone.
    assert first.failure.outcome is Outcome.UNKNOWN
    assert "earlier try" in first.problem.message
    assert second.job
    assert second.call.attempts == 3


def _answer(*errors: Any) -> Callable[[], Any]:
    return lambda: reply(400, {"errors": list(errors)})


@pytest.mark.parametrize(
    ("answer", "places"),
    [
        (_answer({"field": "contacts[1].identifier", "message": "no"}), [1]),
        (_answer({"parameter": "contacts[0]", "message": "no"}), [0]),
        (_answer({"field": "contacts[7].identifier", "message": "no"}), []),
        (_answer({"message": "no"}), []),
        (_answer({"field": None, "message": 'custom field "e1_T" cannot be null'}), [0]),
        (_answer({"message": "invalid custom field ids supplied - e1_T,e2_T"}), [0, 1]),
        (_answer({"field": "list_ids", "message": "no"}), None),
        (_answer({"message": "l-1 is no list"}), None),
        (lambda: reply(413, "<html>too large</html>"), []),
        (lambda: reply(400, {"message": "no", "field": "contacts[1]"}), [1]),
    ],
)
def test_who_is_blamed(answer: Callable[[], Any], places: list[int] | None) -> None:
    contacts = [{"custom_fields": {"e1_T": "x"}}, {"custom_fields": {"e2_T": "x"}}, {}]
    blamed = blamed_contacts(answer(), contacts, ["l-1"])
    assert (None if blamed is None else list(blamed)) == places


async def test_a_refusal_of_one_alone_is_what_it_always_was(sharing: Account) -> None:
    alone = await send(sharing, upsert("a", **BAD))
    assert alone.problem.field == ["sendgrid", "phoneNumberId"]
    assert len(sharing.wire.calls) == 1
