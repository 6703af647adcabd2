"""LeadInput.externalId: one lead for one externalId, whatever happens between call and link."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from gateway.store.errors import StoreUnavailableError
from tests.harness import running
from tests.leads import (
    LEAD,
    OF_ADA,
    change_lead,
    doubtful,
    later,
    lead_writes,
    leads,
    links_of,
    unanswered,
    upsert_lead,
)

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.lead_links import Links
    from gateway.sandbox.app import Sandbox
    from gateway.sandbox.clock import ManualClock
    from tests.harness import Gateway

pytestmark = pytest.mark.usefixtures("no_waiting")

# ---------------------------------------------------------------- at once, and again


async def test_calls_at_once_with_one_external_id_make_one_lead(gateway: Gateway) -> None:
    answers = await asyncio.gather(*(upsert_lead(gateway, LEAD) for _ in range(6)))
    assert sorted(answer.outcome for answer in answers) == ["CREATED"] + ["UPDATED"] * 5
    assert len({answer.result["id"] for answer in answers}) == 1
    assert len(leads(gateway, name="Autumn offsite")) == 1


async def test_what_waited_for_another_call_is_judged_by_what_that_has_made(
    gateway: Gateway,
) -> None:
    gate = Gate(links_of(gateway))
    links_of(gateway).table = gate  # type: ignore[assignment]
    first = asyncio.create_task(upsert_lead(gateway, LEAD | {"qualityName": "Hot"}))
    await gate.reached.wait()
    second = asyncio.create_task(upsert_lead(gateway, LEAD | {"qualityName": None}))
    await gate.asked.wait()
    gate.open.set()
    assert (await first).outcome == "CREATED"
    assert (await second).told() == {"qualityName": "CANNOT_CLEAR"}
    assert len(lead_writes(gateway)) == 1


async def test_the_link_outlives_the_gateway(
    sandbox: Sandbox, clock: ManualClock, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'kept.sqlite3'}"
    async with running(sandbox, clock, database_url=url) as first:
        made = await upsert_lead(first, LEAD)
    async with running(sandbox, clock, database_url=url) as second:
        answer = await upsert_lead(second, {"externalId": "L-1", "name": "Renamed"})
        assert (answer.outcome, answer.result["id"]) == ("UPDATED", made.result["id"])


async def test_leads_without_an_external_id_are_made_anew_each_time(gateway: Gateway) -> None:
    await upsert_lead(gateway, OF_ADA)
    await upsert_lead(gateway, OF_ADA)
    assert len(leads(gateway, name="Autumn offsite")) == 2


# ---------------------------------------------------------------- ids beside the externalId


async def test_an_id_with_a_new_external_id_adopts_that_lead(gateway: Gateway) -> None:
    answer = await upsert_lead(gateway, {"externalId": "L-9", "ivvy": {"id": "9001"}})
    assert (answer.outcome, answer.result["matchedBy"]) == ("UNCHANGED", "ivvy.id")
    answer = await upsert_lead(gateway, {"externalId": "L-9", "name": "Adopted"})
    assert (answer.result["id"], answer.result["matchedBy"]) == ("9001", "externalId")
    both = await upsert_lead(gateway, {"externalId": "L-9", "ivvy": {"id": "9001"}})
    assert (both.errors, both.outcome) == ([], "UNCHANGED")


async def test_an_id_settles_an_unanswered_create(gateway: Gateway) -> None:
    await unanswered(gateway)
    await upsert_lead(gateway, OF_ADA)
    await doubtful(gateway)
    answer = await upsert_lead(gateway, LEAD | {"ivvy": {"id": "9003"}})
    assert (answer.errors, answer.outcome) == ([], "UPDATED")
    assert (await upsert_lead(gateway, LEAD)).result["id"] == "9003"


async def test_an_id_with_an_external_id_of_another_lead_is_a_conflict(gateway: Gateway) -> None:
    made = await upsert_lead(gateway, LEAD)
    answer = await upsert_lead(gateway, {"externalId": "L-1", "ivvy": {"id": "9001"}})
    assert answer.told() == {"externalId": "CONFLICT"}
    assert "9001" in answer.errors[0]["message"]
    assert made.result["id"] in answer.errors[0]["message"]


async def test_a_lead_has_one_external_id(gateway: Gateway) -> None:
    await upsert_lead(gateway, {"externalId": "L-8", "ivvy": {"id": "9001"}})
    answer = await upsert_lead(gateway, {"externalId": "L-9", "ivvy": {"id": "9001"}})
    assert answer.told() == {"externalId": "CONFLICT"}
    assert "another externalId than 'L-9'" in answer.errors[0]["message"]


async def test_null_takes_no_external_id_from_a_lead(gateway: Gateway) -> None:
    answer = await upsert_lead(gateway, {"externalId": None, "ivvy": {"id": "9001"}, "name": "X"})
    assert answer.told() == {"externalId": "CANNOT_CLEAR"}
    assert (await upsert_lead(gateway, OF_ADA | {"externalId": None})).outcome == "CREATED"


async def test_adoptions_at_once_of_one_lead_leave_one_external_id(gateway: Gateway) -> None:
    answers = await asyncio.gather(
        *(
            upsert_lead(gateway, {"externalId": f"L-{number}", "ivvy": {"id": "9001"}})
            for number in range(4)
        )
    )
    outcomes = sorted(answer.outcome for answer in answers)
    assert outcomes == ["REJECTED"] * 3 + ["UNCHANGED"]
    rejected = [answer for answer in answers if answer.outcome == "REJECTED"]
    assert {answer.errors[0]["code"] for answer in rejected} == {"CONFLICT"}


async def test_adoptions_at_once_by_one_external_id_leave_one_lead(gateway: Gateway) -> None:
    answers = await asyncio.gather(
        *(
            upsert_lead(gateway, {"externalId": "L-1", "ivvy": {"id": lead_id}})
            for lead_id in ("9001", "9002")
        )
    )
    assert sorted(answer.outcome for answer in answers) == ["REJECTED", "UNCHANGED"]


async def test_a_dead_link_is_not_found_and_named(gateway: Gateway) -> None:
    await upsert_lead(gateway, LEAD)
    change_lead(gateway, 9003, gone=True)
    answer = await upsert_lead(gateway, LEAD)
    assert (answer.status, answer.told()) == ("REJECTED", {"externalId": "NOT_FOUND"})
    assert "'L-1' stands for lead 9003" in answer.errors[0]["message"]
    assert len(lead_writes(gateway)) == 1
    query = '{ lead(by: {externalId: "L-1"}) { id } }'
    assert (await gateway.data(query))["lead"] is None


async def test_an_id_takes_the_place_of_a_dead_link(gateway: Gateway) -> None:
    await upsert_lead(gateway, LEAD)
    change_lead(gateway, 9003, gone=True)
    answer = await upsert_lead(gateway, {"externalId": "L-1", "ivvy": {"id": "9001"}})
    assert (answer.errors, answer.outcome) == ([], "UNCHANGED")
    assert (await upsert_lead(gateway, {"externalId": "L-1"})).result["id"] == "9001"


async def test_an_id_that_does_not_exist_is_not_found_and_never_a_create(gateway: Gateway) -> None:
    answer = await upsert_lead(gateway, LEAD | {"ivvy": {"id": "77777"}})
    assert answer.told() == {"ivvy.id": "NOT_FOUND"}
    assert (await upsert_lead(gateway, LEAD)).outcome == "CREATED"


# ---------------------------------------------------------------- a store that fails


class Gate:
    """A link table that keeps the first intent back until it is opened."""

    def __init__(self, links: Links) -> None:
        self._table = links.table
        self.reached, self.asked, self.open = asyncio.Event(), asyncio.Event(), asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._table, name)

    async def read_link(self, *given: Any) -> Any:
        state = await self._table.read_link(*given)
        if self.reached.is_set():
            self.asked.set()
        return state

    async def begin_link(self, *given: Any, **named: Any) -> Any:
        self.reached.set()
        await self.open.wait()
        return await self._table.begin_link(*given, **named)


class Broken:
    """A link table that fails from some step on."""

    def __init__(self, links: Links, *steps: str) -> None:
        self._table = links.table
        self._steps = steps

    def __getattr__(self, name: str) -> Any:
        if name in self._steps:
            return self._fail
        return getattr(self._table, name)

    async def _fail(self, *_given: Any, **_named: Any) -> Any:
        raise StoreUnavailableError("the disk is full")


async def test_without_the_store_nothing_is_sent(gateway: Gateway) -> None:
    links = links_of(gateway)
    whole = links.table
    for step in ("read_link", "begin_link"):
        links.table = Broken(links, step)  # type: ignore[assignment]
        answer = await upsert_lead(gateway, LEAD)
        assert (answer.status, answer.errors[0]["code"]) == ("FAILED", "UNAVAILABLE")
        links.table = whole
    assert lead_writes(gateway) == []
    assert (await upsert_lead(gateway, LEAD)).outcome == "CREATED"


async def test_a_link_that_could_not_be_stored_is_told_and_found_by_the_next_call(
    gateway: Gateway,
) -> None:
    links = links_of(gateway)
    whole = links.table
    links.table = Broken(links, "finish_link")  # type: ignore[assignment]
    answer = await upsert_lead(gateway, LEAD)
    assert (answer.status, answer.outcome) == ("APPLIED", "CREATED")
    [warning] = answer.result["warnings"]
    assert (warning["code"], warning["field"]) == ("UNAVAILABLE", ["externalId"])
    links.table = whole
    later(gateway, minutes=2)
    again = await upsert_lead(gateway, LEAD)
    assert (again.outcome, again.result["id"]) == ("UPDATED", answer.result["id"])


async def test_an_external_id_that_was_linked_elsewhere_meanwhile_is_told(
    gateway: Gateway,
) -> None:
    links = links_of(gateway)

    class Overtaken(Broken):
        async def begin_link(self, *given: Any, **named: Any) -> Any:
            begun = await self._table.begin_link(*given, **named)
            await self._table.drop_link(begun.intent)  # type: ignore[union-attr]
            await self._table.adopt_link(
                links.account, "L-1", "9001", holder="another", now=links.clock()
            )
            return begun

    links.table = Overtaken(links)  # type: ignore[assignment]
    answer = await upsert_lead(gateway, LEAD)
    assert answer.outcome == "CREATED"
    assert [warning["field"] for warning in answer.result["warnings"]] == [["externalId"]]


async def test_a_create_that_somebody_else_has_begun_meanwhile_is_not_sent(
    gateway: Gateway,
) -> None:
    links = links_of(gateway)

    class Overtaken(Broken):
        async def begin_link(self, *given: Any, **named: Any) -> Any:
            await self._table.begin_link(*given, **named)
            return await self._table.begin_link(*given, **named)

    links.table = Overtaken(links)  # type: ignore[assignment]
    answer = await upsert_lead(gateway, LEAD)
    assert (answer.status, answer.errors[0]["code"]) == ("FAILED", "CONFLICT")
    assert answer.errors[0]["retryable"] is True
    assert lead_writes(gateway) == []


async def test_an_external_id_that_no_store_takes_is_refused(gateway: Gateway) -> None:
    answer = await upsert_lead(gateway, LEAD | {"externalId": "L\x001"})
    assert answer.told() == {"externalId": "INVALID"}
