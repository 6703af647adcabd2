"""Look-ups of many are asked together, and one wrong key spoils no other."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from gateway.backends.adapter import Found
from gateway.backends.sendgrid import look_ups
from gateway.backends.sendgrid.look_ups import rows_by_value
from gateway.errors import BackendFailure, NotWrittenError, RefusedError
from gateway.sending.gathering import Gathering
from tests.backends.sendgrid.answering import reply
from tests.backends.sendgrid.sending import contact, sibling, write_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.backends.adapter import Stored
    from gateway.upstream import Exchange
    from tests.backends.sendgrid.conftest import Account

ADA, MARY, LISE = "ada@example.com", "mary@example.com", "lise@example.org"


async def found(account: Account, email: str, exchange: Exchange | None = None) -> Found:
    """What is found of a contact by a write that must know it."""
    write = write_of(contact(email=email, groups_name=[]))
    return await account.adapter.find(write, {}, exchange or account.exchange())


def asked(account: Account) -> list[list[str]]:
    """The keys of each search."""
    bodies = [body for body in account.wire.sent("POST") if body]
    return [body.get("emails") or body["identifiers"] for body in bodies]


def ids(results: Sequence[Found]) -> list[str | None]:
    return [one.stored.email if one.stored else None for one in results]


async def test_look_ups_at_the_same_moment_leave_together(account: Account) -> None:
    results = await asyncio.gather(*(found(account, one) for one in (ADA, "new@example.com", LISE)))
    assert ids(results) == [ADA, None, LISE]
    assert asked(account) == [[ADA, "new@example.com", LISE]]


async def test_one_call_takes_a_hundred_keys(account: Account) -> None:
    people = [ADA, *(f"p{number}@example.com" for number in range(249))]
    results = await asyncio.gather(*(found(account, one) for one in people))
    assert sorted(len(keys) for keys in asked(account)) == [50, 100, 100]
    assert [one.stored is not None for one in results] == [True] + [False] * 249


async def test_one_key_of_several_writes_is_asked_for_once(account: Account) -> None:
    results = await asyncio.gather(*(found(account, ADA) for _ in range(3)))
    assert ids(results) == [ADA] * 3
    assert asked(account) == [[ADA]]


async def test_who_comes_while_calls_are_under_way_waits_for_the_next_and_never_joins_one(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(look_ups, "AT_ONCE", 1)
    account.adapter._look_ups = look_ups.LookUps(account.adapter.sender)
    account.wire.open.clear()
    lone = asyncio.create_task(found(account, ADA))
    await account.wire.reached.wait()
    assert asked(account) == [[ADA]], "who comes alone waits for nobody"
    later = [asyncio.create_task(found(account, one)) for one in (ADA, MARY)]
    await asyncio.sleep(0)
    assert len(asked(account)) == 1
    account.wire.open.set()
    assert ids(await asyncio.gather(lone, *later)) == [ADA, ADA, MARY]
    assert asked(account) == [[ADA], [ADA, MARY]]


async def test_the_items_of_a_bulk_meet(account: Account) -> None:
    bulk = Gathering(quiet=0.02, longest=1.0)
    people = [ADA, MARY, *(f"p{number}@example.com" for number in range(118))]
    results = await asyncio.gather(
        *(found(account, one, account.exchange(gathering=bulk)) for one in people)
    )
    assert ids(results)[:3] == [ADA, MARY, None]
    assert [len(keys) for keys in asked(account)] == [100, 20]


async def test_an_alternate_address_is_looked_into_beside_others(account: Account) -> None:
    alternate = "m.somerville@example.org"
    results = await asyncio.gather(found(account, ADA), found(account, alternate))
    assert ids(results) == [ADA, None]
    assert asked(account) == [[ADA, alternate], [alternate]]


async def test_external_ids_are_asked_for_together_in_their_own_case(
    by_external_id: Account,
) -> None:
    async def find(external_id: str) -> Found:
        write = write_of(contact(external_id=external_id))
        return await by_external_id.adapter.find(write, {}, by_external_id.exchange())

    results = await asyncio.gather(*map(find, ["E-3001", "e-3001", "E-9"]))
    assert ids(results) == [LISE, None, None]
    assert asked(by_external_id) == [["E-3001", "e-3001", "E-9"]]


# ---------------------------------------------------------------- what goes wrong


async def test_what_cannot_be_an_address_is_asked_for_alone(account: Account) -> None:
    """A sibling may hold anything as its address."""

    async def borrowed(email: str) -> Found | BackendFailure:
        write = write_of(contact(external_id="E-1", groups_name=[]))
        try:
            return await account.adapter.find(write, sibling(email), account.exchange())
        except BackendFailure as failure:
            return failure

    good, bad = await asyncio.gather(borrowed(ADA), borrowed("not an address"))
    assert isinstance(good, Found)
    assert isinstance(bad, RefusedError)
    assert sorted(asked(account)) == [[ADA], ["not an address"]]


def refusing(account: Account, *bad: str) -> None:
    """Let every search with one of these keys be refused."""

    def stub(request: httpx.Request) -> httpx.Response | None:
        if any(one.encode() in request.content for one in bad):
            return httpx.Response(400, json={"errors": [{"message": "one is not valid"}]})
        return None

    account.wire.stub = stub


async def test_a_key_that_sendgrid_refuses_is_found_by_halving(account: Account) -> None:
    bad = "p13@example.com"
    refusing(account, bad)
    people = [ADA, *(f"p{number}@example.com" for number in range(63))]
    results = await asyncio.gather(*(found(account, one) for one in people), return_exceptions=True)
    failed = [
        one for one, result in zip(people, results, strict=True) if isinstance(result, RefusedError)
    ]
    assert failed == [bad]
    assert all(isinstance(one, Found | RefusedError) for one in results)
    assert len(asked(account)) <= 1 + 2 * 6


async def test_a_search_that_is_refused_whatever_is_asked_ends_soon(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(look_ups, "MAX_REFUSED", 3)
    refusing(account, "@")
    results = await asyncio.gather(
        *(found(account, f"p{number}@example.com") for number in range(32)), return_exceptions=True
    )
    problems = [one.problem for one in results if isinstance(one, NotWrittenError)]
    assert len(problems) == 32
    assert all(one.retryable and "@" not in one.message for one in problems)
    assert len(asked(account)) <= 7


async def test_keys_that_a_refusal_names_are_asked_for_alone(account: Account) -> None:
    bad = [f"p{number}ü@example.com" for number in range(0, 60, 3)]
    good = [f"q{number}@example.com" for number in range(60)]
    people = [*good[:30], *bad, *good[30:]]
    results = dict(
        zip(
            people,
            await asyncio.gather(*(found(account, one) for one in people), return_exceptions=True),
            strict=True,
        )
    )
    assert [one for one in people if isinstance(results[one], RefusedError)] == bad
    assert all(isinstance(results[one], Found) for one in good)
    assert len(asked(account)) <= 1 + 2 * len(bad)


async def test_a_failure_is_everybodys_own(account: Account) -> None:
    account.wire.stub = lambda _request: httpx.Response(403, json={"errors": []})
    results = await asyncio.gather(
        *(found(account, one) for one in (ADA, MARY)), return_exceptions=True
    )
    problems = [one.problem for one in results if isinstance(one, NotWrittenError)]
    assert len(problems) == 2
    assert problems[0] is not problems[1]
    assert len(asked(account)) == 1


async def test_who_is_left_out_of_an_answer_is_asked_for_alone(account: Account) -> None:
    def stub(request: httpx.Request) -> httpx.Response | None:
        if MARY.encode() in request.content and ADA.encode() in request.content:
            row = {"id": "c-1", "email": ADA}
            return httpx.Response(200, json={"result": {ADA: {"contact": row}}})
        return None

    account.wire.stub = stub
    results = await asyncio.gather(found(account, ADA), found(account, MARY))
    assert ids(results) == [ADA, MARY]
    assert asked(account) == [[ADA, MARY], [MARY]]


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ({"A@x.org": {"contact": {"id": "1"}}, "b@x.org": {"error": "contact not found"}}, {"a@x.org": 1, "b@x.org": 0}),
        ({"a@x.org": {"contact": None}, "b@x.org": {"error": "try later"}}, {"a@x.org": 0}),
        ({"a@x.org": {"contact": None, "error": "Not Found."}, "b@x.org": None}, {"a@x.org": 0}),
        ({"a@x.org": {"contact": {}}, "b@x.org": []}, {}),
        ({"c@x.org": {"contact": {"id": "1"}}}, {}),
        (None, {"a@x.org": 0, "b@x.org": 0}),
    ],
)  # fmt: skip
def test_answers_are_told_apart_by_what_was_asked(result: Any, expected: Mapping[str, int]) -> None:
    answer = reply(404) if result is None else reply(200, {"result": result})
    rows = rows_by_value(answer, ["a@x.org", "b@x.org"], 0.0)
    assert {value: len(_rows(found)) for value, found in rows.items()} == expected


def _rows(found: list[Stored] | BackendFailure) -> list[Stored]:
    assert not isinstance(found, BackendFailure)
    return found


async def test_who_has_no_time_left_does_not_ask(account: Account) -> None:
    with pytest.raises(NotWrittenError):
        await found(account, ADA, account.exchange(0.0))


async def test_addresses_of_siblings_are_asked_for_together(account: Account) -> None:
    async def find(new: str, former: str) -> Found:
        write = write_of(contact(email=new, external_id="E-1"))
        return await account.adapter.find(write, sibling(former), account.exchange())

    await asyncio.gather(find("n1@example.com", ADA), find("n2@example.com", MARY))
    assert asked(account) == [["n1@example.com", ADA, "n2@example.com", MARY]]


async def test_contacts_are_read_back_together(account: Account) -> None:
    await asyncio.gather(*(account.write(email=one, first_name="N") for one in (ADA, MARY)))
    await account.settled()
    writes = [write_of(contact(email=one, first_name="N")) for one in (ADA, MARY)]
    known = [await account.find(write) for write in writes]
    account.wire.bodies.clear()
    account.wire.calls.clear()
    shown = await asyncio.gather(
        *(account.adapter.read_back(one, account.exchange()) for one in known)
    )
    assert [one.stored.raw["first_name"] for one in shown if one.stored] == ["N", "N"]
    assert asked(account) == [[ADA, MARY]]
