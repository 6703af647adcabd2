"""Which contact of the simulated Everbridge a write means, and who may write it when."""

from __future__ import annotations

import asyncio
import time
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from gateway.backends.adapter import Found, KeyKind, Stored
from gateway.backends.everbridge.reader import ContactReader
from gateway.errors import RefusedError
from gateway.model import Backend, MissingPolicy
from gateway.results import Outcome, ProblemCode
from gateway.upstream import Exchange
from tests.backends.everbridge.conftest import ORG
from tests.backends.everbridge.writing import (
    contact,
    custom,
    write_of,
)

if TYPE_CHECKING:
    from tests.backends.everbridge.conftest import Wired

ADA_ID = 1300000000000001
EVE: dict[str, Any] = {"external_id": "E-9", "first_name": "Eve", "last_name": "Moore"}


@pytest.mark.parametrize("bare", [True, False])
async def test_a_native_id_finds_and_wins(wired: Wired, bare: bool) -> None:
    wired.simulation.switches["bare_contact"] = bare
    native = {"id": str(ADA_ID)}
    result = await wired.upsert(contact(first_name="X", everbridge=native))
    assert (result.outcome, result.matched_by) == (Outcome.UPDATED, "everbridge.id")


async def test_a_native_id_that_does_not_exist_is_not_found(wired: Wired) -> None:
    result = await wired.upsert(contact(**EVE, everbridge={"id": "1300000000009999"}))
    assert result.outcome is Outcome.REJECTED
    [problem] = result.errors
    assert (problem.code, problem.field) == (ProblemCode.NOT_FOUND, ["everbridge", "id"])


async def test_one_contact_is_read_by_its_id_before_the_lists_show_it(wired: Wired) -> None:
    wired.simulation.switches["search_lag_seconds"] = 5
    made = await wired.upsert(contact(**EVE))
    contact_id = str(made.id)
    exchange = Exchange(deadline=time.monotonic() + 30)
    found = await wired.adapter.look_up(KeyKind.NATIVE_ID, [contact_id], exchange)
    rows = found[contact_id]
    assert isinstance(rows, list)
    assert [row.external_id for row in rows] == ["E-9"]


@pytest.mark.parametrize("shown", [True, False])
async def test_a_new_contact_that_is_gone_is_asked_for_by_its_id_once_at_most(
    wired: Wired, shown: bool
) -> None:
    made = await wired.upsert(contact(**EVE))
    if shown:
        assert (await wired.upsert(contact(**EVE))).outcome is Outcome.UNCHANGED
    wired.simulation._store.forget_contact(wired.held("E-9")["id"])
    wired.requests.clear()
    assert (await wired.upsert(contact(**EVE))).outcome is Outcome.CREATED
    by_id = [call for call in wired.calls("GET") if call.endswith(f"/{made.id}")]
    assert len(by_id) == (0 if shown else 1)


async def test_an_id_and_an_external_id_of_two_contacts_conflict(wired: Wired) -> None:
    native = {"id": str(ADA_ID)}
    result = await wired.upsert(contact(external_id="E-1002", everbridge=native))
    assert [problem.code for problem in result.errors] == [ProblemCode.CONFLICT]


async def test_a_contact_found_by_id_takes_a_free_external_id(wired: Wired) -> None:
    native = {"id": str(ADA_ID)}
    result = await wired.upsert(contact(external_id="E-7777", everbridge=native))
    assert (result.outcome, result.changed_fields) == (Outcome.UPDATED, ["externalId"])
    assert wired.held("E-7777")["id"] == ADA_ID


@pytest.mark.parametrize("external_id", ["a,b", "E-1001,E-1002", "x/y z", "ü?&#%"])
async def test_any_external_id_finds_its_own_contact(wired: Wired, external_id: str) -> None:
    given = contact(**{**EVE, "external_id": external_id})
    assert (await wired.upsert(given)).outcome is Outcome.CREATED
    assert (await wired.upsert(given)).outcome is Outcome.UNCHANGED
    assert wired.held("E-1001")["firstName"] == "Ada"


async def test_capitals_of_an_external_id_count(wired: Wired) -> None:
    await wired.upsert(contact(**EVE))
    result = await wired.upsert(contact(**{**EVE, "external_id": "e-9"}))
    assert result.outcome is Outcome.CREATED


async def test_a_filter_that_is_ignored_is_never_taken_for_no_match(wired: Wired) -> None:
    wired.simulation.switches["ignore_filters"] = True
    before = deepcopy(wired.simulation._store.contacts)
    result = await wired.upsert(contact(**EVE))
    assert result.outcome is Outcome.FAILED
    assert [problem.code for problem in result.errors] == [ProblemCode.BACKEND_ERROR]
    assert wired.simulation._store.contacts == before


@pytest.mark.parametrize("empty", [True, False])
async def test_no_rows_are_no_match(wired: Wired, empty: bool) -> None:
    wired.simulation.switches["empty_data"] = empty
    result = await wired.upsert(contact(**EVE), if_missing=MissingPolicy.SKIP)
    assert result.outcome is Outcome.SKIPPED


async def test_without_a_key_a_siblings_external_id_is_taken(wired: Wired) -> None:
    record = Stored(id="7", external_id="E-1003", email=None, raw={}, read_at=0.0)
    siblings = {Backend.IVVY: Found(stored=record)}
    write = write_of(contact(email="alan@example.com"))
    assert wired.adapter.needs_siblings(write)
    exchange = Exchange(deadline=time.monotonic() + 10)
    found = await wired.adapter.find(write, siblings, exchange)
    assert (found.matched_by, found.keyless) == ("IVVY.externalId", False)
    assert found.stored is not None
    assert (found.stored.email, found.stored.external_id) == ("alan@example.com", "E-1003")
    none = await wired.adapter.find(write, {}, exchange)
    assert none.keyless
    missing = Stored(id="7", external_id="E-4711", email=None, raw={}, read_at=0.0)
    absent = await wired.adapter.find(write, {Backend.IVVY: Found(stored=missing)}, exchange)
    assert absent.stored is None
    assert wired.adapter.lock_keys(write, absent) == ["ext:E-4711"]


async def test_locks_and_freshness_follow_what_was_found(wired: Wired) -> None:
    exchange = Exchange(deadline=time.monotonic() + 10)
    held = write_of(contact(external_id="E-1001"))
    found = await wired.adapter.find(held, {}, exchange)
    assert wired.adapter.lock_keys(held, found) == ["ext:E-1001"]
    assert wired.adapter.fresh_for(found) == 0.25
    new = write_of(contact(external_id="E-9"))
    absent = await wired.adapter.find(new, {}, exchange)
    assert wired.adapter.lock_keys(new, absent) == ["ext:E-9"]
    assert wired.adapter.fresh_for(absent) == 0.0
    renamed = write_of(contact(external_id="A-1", everbridge={"id": str(ADA_ID)}))
    found = await wired.adapter.find(renamed, {}, exchange)
    assert wired.adapter.lock_keys(renamed, found) == ["ext:A-1", "ext:E-1001"]
    nameless = Found(stored=Stored(id="7", external_id=None, email=None, raw={}, read_at=0.0))
    assert wired.adapter.lock_keys(held, nameless) == ["7"]


async def test_two_creates_at_once_make_one_contact_and_lose_nothing(wired: Wired) -> None:
    first = contact(**EVE, email="eve@example.org")
    second = contact(**EVE, suffix="PhD")
    results = await asyncio.gather(wired.upsert(first), wired.upsert(second))
    assert {result.outcome for result in results} == {Outcome.CREATED, Outcome.UPDATED}
    held = wired.held("E-9")
    assert (held["suffix"], held["paths"][0]["value"]) == ("PhD", "eve@example.org")


async def test_updates_at_once_lose_nothing(wired: Wired) -> None:
    writes = [
        contact(external_id="E-1001", first_name="Augusta"),
        contact(external_id="E-1001", suffix="Hon"),
        contact(external_id="E-1001", custom_fields=[custom("Shift", "Day")]),
        contact(everbridge={"id": str(ADA_ID)}, email="ada2@example.com"),
    ]
    await asyncio.gather(*(wired.upsert(write) for write in writes))
    held = wired.held("E-1001")
    assert (held["firstName"], held["suffix"]) == ("Augusta", "Hon")
    assert held["contactAttributes"][0]["values"] == ["Day"]
    assert held["paths"][1]["value"] == "ada2@example.com"


async def test_a_read_that_is_refused_is_not_no_contact(wired: Wired) -> None:
    exchange = Exchange(deadline=time.monotonic() + 10)
    with pytest.raises(RefusedError) as refusal:
        await wired.adapter._reader.by_id("no-number", exchange)
    assert refusal.value.problem.code is ProblemCode.INVALID


async def test_without_an_email_path_a_record_has_no_email(wired: Wired) -> None:
    reader = ContactReader(
        wired.adapter.sender, wired.adapter.catalogs, organization_id=str(ORG), email_path=None
    )
    [ada] = await reader.by_external_id("E-1001", Exchange(deadline=time.monotonic() + 10))
    assert (ada.email, ada.external_id, ada.id) == (None, "E-1001", str(ADA_ID))
