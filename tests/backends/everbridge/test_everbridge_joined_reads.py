"""Look-ups for writes meet in searches of 100, in a bulk and where many come at once."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest

from gateway.backends.adapter import KeyKind
from gateway.errors import NotWrittenError
from gateway.results import Outcome, ProblemCode
from gateway.sending.quota import SlidingWindow
from gateway.upstream import Exchange
from tests.backends.everbridge.bulk_desk import Desk, new_desk, people
from tests.backends.everbridge.writing import contact

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ADA, GRACE = "1300000000000001", "1300000000000002"


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with new_desk() as made:
        yield made


def reads(desk: Desk) -> list[tuple[str, list[str]]]:
    """Path, and the sorts of keys asked for, of each read of contacts."""
    return [(call["path"].rpartition("/")[2], sorted(call["query"])) for call in desk.calls("GET")]


async def test_contacts_of_a_bulk_are_found_by_id_in_one_search(desk: Desk) -> None:
    ids = [ADA, GRACE, "1300000000999999"]
    results = await desk.bulk(contact(everbridge={"id": each}, suffix="MBE") for each in ids)
    assert [result.outcome for result in results] == [
        *(Outcome.UPDATED, Outcome.UPDATED, Outcome.REJECTED)
    ]
    assert results[2].errors[0].code is ProblemCode.NOT_FOUND
    assert [result.id for result in results[:2]] == [ADA, GRACE]
    [first, *_] = desk.calls("GET")
    assert first["query"]["contactIds"] == ",".join(ids)


async def test_a_key_that_no_search_for_many_can_hold_is_asked_for_alone(desk: Desk) -> None:
    odd = ["a,b", "E-1001", "E-1002", "x" * 50, "é&?=#/ %"]
    results = await desk.bulk(
        contact(external_id=each, first_name="Odd", last_name="Key") for each in odd
    )
    assert [result.outcome for result in results] == [
        *(Outcome.CREATED, Outcome.UPDATED, Outcome.UPDATED, Outcome.CREATED, Outcome.CREATED)
    ]
    assert [desk.held(each)["firstName"] for each in odd] == ["Odd"] * 5
    assert ("a,b", ["idType"]) in reads(desk)
    again = await desk.bulk(contact(external_id=each, first_name="Odd") for each in odd)
    assert {result.outcome for result in again} == {Outcome.UNCHANGED}


async def test_an_external_id_in_another_case_is_another_contact(desk: Desk) -> None:
    given = [
        contact(external_id=each, first_name=each, last_name="Case")
        for each in ("e-1001", "E-1001")
    ]
    results = await desk.bulk(given)
    assert [result.outcome for result in results] == [Outcome.CREATED, Outcome.UPDATED]
    assert desk.held("E-1001")["firstName"] == "E-1001"


async def test_a_search_that_ignores_its_filter_writes_nothing(desk: Desk) -> None:
    desk.switches["ignore_filters"] = True
    before = desk.sandbox.everbridge.dump()
    results = await desk.bulk(people(5))
    assert {result.outcome for result in results} == {Outcome.FAILED}
    assert {result.errors[0].code for result in results} == {ProblemCode.BACKEND_ERROR}
    assert desk.sandbox.everbridge.dump() == before


async def test_a_search_without_an_answer_fails_each_of_those_that_asked(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.upstream.ATTEMPTS", 1)
    desk.drop("before", 1, "GET")
    results = await desk.bulk(people(3))
    assert {result.outcome for result in results} == {Outcome.FAILED}
    assert len({id(result.errors[0]) for result in results}) == 3


async def test_a_search_that_is_refused_is_made_for_each_alone(desk: Desk) -> None:
    desk.sandbox.faults.add(
        {
            "backend": "everbridge",
            "path": "/contacts/*?externalIds=P-1*",
            "status": 400,
            "body": {"status": 400, "message": "type mismatch exception"},
            "times": 2,
        }
    )
    results = await desk.bulk(people(3))
    assert [result.outcome for result in results] == [
        *(Outcome.CREATED, Outcome.REJECTED, Outcome.CREATED)
    ]


# ---------------------------------------------------------------- outside a bulk


async def test_a_lone_contact_is_looked_up_as_before(desk: Desk) -> None:
    await desk.one(contact(everbridge={"id": ADA}, suffix="MBE"))
    assert reads(desk) == [(ADA, [])]


async def test_look_ups_that_come_at_once_are_joined(desk: Desk) -> None:
    await desk.one(people(1)[0])  # catalogs are there
    desk.sandbox.calls.clear()
    results = await desk.singly(people(200)[1:])
    assert {result.outcome for result in results} == {Outcome.CREATED}
    assert len(desk.calls("GET")) <= 40  # for 199 contacts found, and found again under the lock
    assert len(desk.calls("POST")) == 199


@pytest.mark.parametrize(("limit", "calls"), [(100, 20), (8, 4), (2, 2)])
async def test_who_comes_later_leaves_at_once_while_the_quota_is_ample(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, limit: int, calls: int
) -> None:
    quota = SlidingWindow(limit, 0.5)
    monkeypatch.setattr(desk.adapter.sender, "_quota_of", lambda _call: quota)
    slow = {"path": "/contacts/*?externalIds=*", "delayMs": 200, "times": 99}
    desk.sandbox.faults.add({"backend": "everbridge", **slow})
    deadline = time.monotonic() + 30.0
    looking = []
    for number in range(20):
        find = desk.adapter._reads.find(
            KeyKind.EXTERNAL_ID, f"P-{number}", Exchange(deadline=deadline)
        )
        looking.append(asyncio.create_task(find))
        for _ in range(5):  # its turn of the loop
            await asyncio.sleep(0)
    await asyncio.sleep(0.05)
    assert len(desk.calls("GET")) == calls
    assert await asyncio.gather(*looking) == [[]] * 20
    assert len(desk.calls("GET")) == (calls if calls == 20 else calls + 1)


async def test_a_look_up_under_a_lock_never_joins_one_that_began_before(desk: Desk) -> None:
    fields: list[dict[str, Any]] = [
        {"suffix": "PhD"},
        {"middle_initial": "Q"},
        {"country_code": "GB"},
    ]
    known = {"external_id": "P-0", "first_name": "First0", "last_name": "Person"}
    same = [contact(**{**known, **field}) for field in fields]
    results = await desk.singly(same)
    assert sorted(result.outcome.value for result in results) == ["CREATED", "UPDATED", "UPDATED"]
    held = desk.held("P-0")
    assert (held["suffix"], held["middleInitial"], held["country"]) == ("PhD", "Q", "GB")


async def test_who_has_less_time_than_the_search_it_is_in_is_told_so(desk: Desk) -> None:
    desk.sandbox.faults.add(
        {"backend": "everbridge", "path": "/contacts/*?externalIds=*", "delayMs": 300}
    )
    now = time.monotonic()
    hasty, patient = await asyncio.gather(
        *(
            desk.adapter._reads.find(KeyKind.EXTERNAL_ID, key, Exchange(deadline=now + seconds))
            for key, seconds in (("E-1001", 0.05), ("E-1002", 30.0))
        ),
        return_exceptions=True,
    )
    assert isinstance(hasty, NotWrittenError)
    assert hasty.problem.code is ProblemCode.TIMEOUT
    assert not isinstance(patient, BaseException)
    assert [stored.external_id for stored in patient] == ["E-1002"]
