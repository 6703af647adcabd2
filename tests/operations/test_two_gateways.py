"""Two gateways on one PostgreSQL: one write under a key, and work that changes hands."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.operations.calls import operation, outcomes, steps, store_durably, until_ended, upsert
from tests.operations.durable import HEDY, hold_work
from tests.operations.test_housekeeping import housekeeping
from tests.operations.test_operations_api import followed

if TYPE_CHECKING:
    from tests.harness import Gateway

Both = tuple["Gateway", "Gateway"]


async def test_one_key_sent_to_both_at_once_writes_once(both: Both) -> None:
    answers = await asyncio.gather(
        *(upsert(gateway, HEDY, idempotencyKey="k-1") for gateway in both for _ in range(3))
    )
    assert sorted(answer.data["replayed"] for answer in answers) == [False, *[True] * 5]
    one, _other = both
    for backend in ("ivvy", "everbridge", "sendgrid"):
        assert len(one.calls(backend, writes=True)) == 1


async def test_one_durable_key_sent_to_both_at_once_is_stored_once(both: Both) -> None:
    answers = await asyncio.gather(
        *(
            upsert(gateway, HEDY, delivery="DURABLE", idempotencyKey="k-1", targets=["IVVY"])
            for gateway in both
        )
    )
    [operation_id] = {answer.data["operation"]["id"] for answer in answers}
    assert outcomes(await until_ended(both[0], operation_id)) == {"IVVY": "CREATED"}
    assert len(both[0].calls("ivvy", writes=True)) == 1


async def test_what_one_accepts_the_other_delivers_and_both_tell(both: Both) -> None:
    one, other = both
    hold_work(one)
    operation_id = await store_durably(one, HEDY, targets=["EVERBRIDGE"])
    told = [event["data"]["operation"]["status"] for event in await followed(one, operation_id)]
    assert told[-1] == "SUCCEEDED"
    assert (await operation(other, operation_id))["status"] == "SUCCEEDED"


async def test_work_of_a_gateway_that_dies_is_finished_by_the_other(both: Both) -> None:
    one, other = both
    hold_work(other)
    one.sandbox.faults.add(
        {"backend": "everbridge", "method": "POST", "times": 1, "delayMs": 20_000}
    )
    operation_id = await store_durably(one, HEDY, targets=["EVERBRIDGE"])
    async with asyncio.timeout(20):
        while one.sandbox.faults.left():  # noqa: ASYNC110 - the sandbox has no event for it
            await asyncio.sleep(0.01)  # until the call is on its way
    await one.app.state.account.worker.stop(0)  # as if it had died: nothing is stored or let go
    other.app.state.account.worker._stopping = False
    found = await until_ended(other, operation_id)
    assert outcomes(found) == {"EVERBRIDGE": "CREATED"}
    assert steps(found)["EVERBRIDGE"]["attempts"] == 2
    assert len(other.everbridge(externalId="E-3001")) == 1


async def test_writes_to_one_contact_keep_their_order_over_both(both: Both) -> None:
    names = [f"Hedy {number}" for number in range(8)]
    ids = [
        await store_durably(both[number % 2], {**HEDY, "firstName": name}, targets=["EVERBRIDGE"])
        for number, name in enumerate(names)
    ]
    for operation_id in ids:
        assert (await until_ended(both[0], operation_id))["status"] == "SUCCEEDED"
    sent = [call["body"]["firstName"] for call in both[0].calls("everbridge", writes=True)]
    assert sent == names


async def test_what_sendgrid_has_accepted_from_one_the_other_knows(both: Both) -> None:
    one, other = both
    ada = {"email": "ada@example.com"}
    [held] = one.sendgrid("ada@example.com")
    names = one.group_names()["SENDGRID"]
    lists = [names[one] for one in held["list_ids"]]
    joined = await one.upsert({**ada, "addGroupsName": ["Berlin Office"]}, targets=["SENDGRID"])
    assert joined.outcomes() == {"SENDGRID": "ACCEPTED"}
    exact = await other.upsert({**ada, "groupsName": lists}, targets=["SENDGRID"])
    assert exact.outcomes() == {"SENDGRID": "ACCEPTED"}
    one.clock.advance(60)
    [held] = one.sendgrid("ada@example.com")
    assert [names[one] for one in held["list_ids"]] == lists
    await housekeeping(one).tidy()
    store = one.app.state.account.store
    assert len(await store.notes.recall(["default:sendgrid:email:ada@example.com"], 600.0)) == 1
    assert await store.notes.forget(-1.0) == 2, "one for the contact's address, one for its id"
