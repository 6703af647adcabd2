"""Idempotency keys through GraphQL: what is given back, what runs again, and who waits."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from gateway.operations.keyed import utc_now
from gateway.store.errors import StoreUnavailableError
from tests.harness import Answer, running
from tests.leads import OF_ADA, fault, leads
from tests.operations.calls import upsert, upsert_lead
from tests.operations.durable import HEDY, ONCE

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from gateway.sandbox.app import Sandbox
    from gateway.sandbox.clock import ManualClock
    from tests.harness import Gateway


def writes(gateway: Gateway) -> dict[str, int]:
    backends = ("ivvy", "everbridge", "sendgrid")
    return {backend: len(gateway.calls(backend, writes=True)) for backend in backends}


def fail(gateway: Gateway, backend: str, times: int = 50, **fault: Any) -> None:
    paths = {"ivvy": "/api/1.0/contact?action=addOrUpdateContact"}
    where = {"path": paths[backend]} if backend in paths else {"method": "POST"}
    gateway.sandbox.faults.add({"backend": backend, "times": times, **where, **fault})


async def test_a_repeated_key_gives_back_the_payload_and_sends_nothing(gateway: Gateway) -> None:
    first = await upsert(gateway, HEDY, idempotencyKey="k-1")
    gateway.sandbox.calls.clear()
    again = await upsert(gateway, HEDY, idempotencyKey="k-1")
    assert (first.data["replayed"], again.data["replayed"]) == (False, True)
    assert gateway.recorded() == []
    differing = {"requestId", "replayed"}
    assert _without(again, differing) == _without(first, differing)


async def test_the_same_key_with_another_input_is_refused(gateway: Gateway) -> None:
    await upsert(gateway, HEDY, idempotencyKey="k-1")
    gateway.sandbox.calls.clear()
    for other in (
        {**HEDY, "suffix": None},  # an absent field is not a null one
        {**HEDY, "firstName": "Hedwig"},
    ):
        answer = await upsert(gateway, other, idempotencyKey="k-1")
        assert answer.status == "REJECTED"
        assert set(answer.outcomes().values()) == {"REJECTED"}
        assert [problem["code"] for problem in answer.errors] == ["KEY_REUSED"]
        assert answer.errors[0]["field"] == ["idempotencyKey"]
    assert gateway.recorded() == []


async def test_targets_mode_and_missing_policy_belong_to_what_a_key_stands_for(
    gateway: Gateway,
) -> None:
    await upsert(gateway, HEDY, idempotencyKey="k-1", targets=["IVVY", "SENDGRID"])
    for changed in (
        {"targets": ["IVVY"]},
        {"targets": ["IVVY", "SENDGRID"], "mode": "REPLACE"},
        {"targets": ["IVVY", "SENDGRID"], "ifMissing": "SKIP"},
    ):
        answer = await upsert(gateway, HEDY, idempotencyKey="k-1", **changed)
        assert [problem["code"] for problem in answer.errors] == ["KEY_REUSED"]
    same = await upsert(gateway, HEDY, idempotencyKey="k-1", targets=["SENDGRID", "IVVY"])
    assert same.data["replayed"]


async def test_a_key_for_a_dry_run_is_refused(gateway: Gateway) -> None:
    answer = await upsert(gateway, HEDY, idempotencyKey="k-1", dryRun=True)
    assert answer.status == "REJECTED"
    [problem] = answer.errors
    assert (problem["code"], problem["field"]) == ("INVALID", ["idempotencyKey"])


async def test_a_key_that_cannot_be_one_is_refused(gateway: Gateway) -> None:
    for key in ("", "  ", "k" * 256, "line\nbreak", "nul\0"):
        answer = await upsert(gateway, HEDY, idempotencyKey=key)
        assert answer.status == "REJECTED"
        assert answer.errors[0]["field"] == ["idempotencyKey"]
    assert writes(gateway) == {"ivvy": 0, "everbridge": 0, "sendgrid": 0}


async def test_a_null_key_is_none(gateway: Gateway) -> None:
    answer = await upsert(gateway, HEDY, idempotencyKey=None)
    assert (answer.status, answer.data["replayed"]) == ("PENDING", False)


async def test_only_what_has_failed_runs_again(gateway: Gateway) -> None:
    fail(gateway, "everbridge", status=503)
    first = await upsert(gateway, HEDY, idempotencyKey="k-1")
    assert first.outcomes() == {"IVVY": "CREATED", "EVERBRIDGE": "FAILED", "SENDGRID": "ACCEPTED"}
    gateway.sandbox.faults.clear()
    gateway.sandbox.calls.clear()
    again = await upsert(gateway, HEDY, idempotencyKey="k-1")
    assert again.outcomes() == {"IVVY": "CREATED", "EVERBRIDGE": "CREATED", "SENDGRID": "ACCEPTED"}
    assert (again.status, again.errors) == ("PENDING", [])
    assert not again.data["replayed"]
    assert writes(gateway) == {"ivvy": 0, "everbridge": 1, "sendgrid": 0}
    third = await upsert(gateway, HEDY, idempotencyKey="k-1")
    assert third.data["replayed"]
    assert third.outcomes() == again.outcomes()


async def test_a_group_of_another_target_only_is_no_problem_when_one_runs_again(
    gateway: Gateway,
) -> None:
    fail(gateway, "everbridge", status=503)
    contact = {**HEDY, "groupsName": ["VIP"]}  # not known to Everbridge
    await upsert(gateway, contact, idempotencyKey="k-1")
    gateway.sandbox.faults.clear()
    again = await upsert(gateway, contact, idempotencyKey="k-1")
    assert again.outcomes()["EVERBRIDGE"] == "CREATED"


async def test_a_rejected_call_runs_again(gateway: Gateway) -> None:
    typo = {**HEDY, "groupsName": ["Fire Wardens", "Winter Party"]}
    first = await upsert(gateway, typo, idempotencyKey="k-1")
    assert first.status == "REJECTED"
    gateway.sandbox.calls.clear()
    again = await upsert(gateway, typo, idempotencyKey="k-1")
    assert (again.status, again.data["replayed"]) == ("REJECTED", False)


async def test_an_unanswered_write_that_may_be_repeated_runs_again(gateway: Gateway) -> None:
    fail(gateway, "everbridge", drop="after")
    first = await upsert(gateway, HEDY, idempotencyKey="k-1", targets=["EVERBRIDGE"])
    assert first.outcomes() == {"EVERBRIDGE": "UNKNOWN"}
    gateway.sandbox.faults.clear()
    again = await upsert(gateway, HEDY, idempotencyKey="k-1", targets=["EVERBRIDGE"])
    assert again.outcomes() == {"EVERBRIDGE": "UNCHANGED"}
    assert len(gateway.everbridge(externalId="E-3001")) == 1


async def test_an_unanswered_write_that_must_not_be_repeated_stays_unknown(
    gateway: Gateway,
) -> None:
    fail(gateway, "ivvy", drop="after")
    first = await upsert(gateway, ONCE, idempotencyKey="k-1", targets=["IVVY"])
    assert first.outcomes() == {"IVVY": "UNKNOWN"}
    gateway.sandbox.faults.clear()
    gateway.sandbox.calls.clear()
    again = await upsert(gateway, ONCE, idempotencyKey="k-1", targets=["IVVY"])
    assert (again.status, again.data["replayed"]) == ("UNKNOWN", True)
    assert gateway.recorded() == []


async def test_calls_at_once_with_one_key_write_once(gateway: Gateway) -> None:
    fail(gateway, "ivvy", times=1, delayMs=50)
    answers = await asyncio.gather(*(upsert(gateway, HEDY, idempotencyKey="k-1") for _ in range(5)))
    assert writes(gateway) == {"ivvy": 1, "everbridge": 1, "sendgrid": 1}
    assert sorted(answer.data["replayed"] for answer in answers) == [False, *[True] * 4]
    assert len({str(answer.outcomes()) for answer in answers}) == 1


async def test_a_call_that_waits_longer_than_its_time_is_told_to_come_back(
    sandbox: Sandbox, clock: ManualClock
) -> None:
    async with running(sandbox, clock, request_timeout_seconds=0.2) as gateway:
        calls = gateway.app.state.account.contact_calls
        store = gateway.app.state.account.store
        real = store.keys.hold_key
        taken = {}

        async def hold_key(*args: Any, **named: Any) -> Any:
            taken["use"] = await real(*args, **{**named, "holder": "somebody else"})
            return await real(*args, **named)

        calls.keyed.keys.hold_key = hold_key
        answer = await upsert(gateway, HEDY, idempotencyKey="k-1")
    assert answer.status == "FAILED"
    assert (answer.errors[0]["code"], answer.errors[0]["retryable"]) == ("CONFLICT", True)
    assert writes(gateway) == {"ivvy": 0, "everbridge": 0, "sendgrid": 0}


async def test_a_key_survives_a_restart(
    sandbox: Sandbox, clock: ManualClock, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'gateway.sqlite3'}"
    async with running(sandbox, clock, database_url=url) as gateway:
        first = await upsert(gateway, HEDY, idempotencyKey="k-1")
    async with running(sandbox, clock, database_url=url) as gateway:
        again = await upsert(gateway, HEDY, idempotencyKey="k-1")
        assert again.data["replayed"]
        assert again.outcomes() == first.outcomes()


async def test_without_a_store_nothing_is_sent(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_args: Any, **_named: Any) -> None:
        raise StoreUnavailableError("no disk")

    monkeypatch.setattr(gateway.app.state.account.store.keys, "save_receipt", broken)
    answer = await upsert(gateway, HEDY, idempotencyKey="k-1")
    assert set(answer.outcomes().values()) == {"FAILED"}
    assert {problem["code"] for problem in answer.errors} == {"UNAVAILABLE"}
    monkeypatch.setattr(gateway.app.state.account.store.keys, "hold_key", broken)
    answer = await upsert(gateway, HEDY, idempotencyKey="k-2")
    assert answer.status == "FAILED"
    assert answer.errors[0]["code"] == "UNAVAILABLE"
    assert writes(gateway) == {"ivvy": 0, "everbridge": 0, "sendgrid": 0}


async def test_a_lead_with_a_key_is_made_once(gateway: Gateway) -> None:
    first = await upsert_lead(gateway, OF_ADA, idempotencyKey="k-1")
    gateway.sandbox.calls.clear()
    again = await upsert_lead(gateway, OF_ADA, idempotencyKey="k-1")
    assert (first["replayed"], again["replayed"]) == (False, True)
    assert again["results"] == first["results"]
    assert (again["contact"], again["company"]) == (first["contact"], first["company"])
    assert len(leads(gateway, name=OF_ADA["name"])) == 1


async def test_an_unanswered_lead_is_not_made_again_under_its_key(gateway: Gateway) -> None:
    fault(gateway, drop="after")
    first = await upsert_lead(gateway, OF_ADA, idempotencyKey="k-1")
    assert first["status"] == "UNKNOWN"
    gateway.sandbox.faults.clear()
    again = await upsert_lead(gateway, OF_ADA, idempotencyKey="k-1")
    assert (again["status"], again["replayed"]) == ("UNKNOWN", True)
    assert len(leads(gateway, name=OF_ADA["name"])) == 1


async def test_a_lead_made_by_a_call_that_died_is_given_back_without_an_older_refusal(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_name = {name: value for name, value in OF_ADA.items() if name != "name"}
    gone = without_name | {"ivvy": {"id": "9001"}, "stageName": "Qualified"}
    state = gateway.sandbox.ivvy.dump()
    gateway.sandbox.ivvy.load({**state, "tables": {**state["tables"], "leads": []}})
    first = await upsert_lead(gateway, gone, idempotencyKey="k-1")
    assert (first["status"], len(first["errors"])) == ("REJECTED", 1)
    gateway.sandbox.ivvy.load(state)

    keys = gateway.app.state.account.store.keys
    real = keys.save_receipt

    async def dies(*args: Any, finished: bool, **named: Any) -> Any:
        if finished:
            raise StoreUnavailableError("the process has died")
        return await real(*args, finished=finished, **named)

    monkeypatch.setattr(keys, "save_receipt", dies)
    second = await upsert_lead(gateway, gone, idempotencyKey="k-1")
    monkeypatch.setattr(keys, "save_receipt", real)
    keyed = gateway.app.state.account.lead_calls.keyed
    monkeypatch.setattr(keyed, "clock", lambda: utc_now() + timedelta(minutes=1))
    third = await upsert_lead(gateway, gone, idempotencyKey="k-1")
    assert (third["replayed"], third["results"]) == (True, second["results"])
    assert (third["status"], third["errors"]) == ("APPLIED", [])


async def test_the_same_key_for_a_contact_and_a_lead_is_refused(gateway: Gateway) -> None:
    await upsert(gateway, HEDY, idempotencyKey="k-1")
    answer = await upsert_lead(gateway, OF_ADA, idempotencyKey="k-1")
    assert [problem["code"] for problem in answer["errors"]] == ["KEY_REUSED"]


def _without(answer: Answer, names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in answer.data.items() if name not in names}
