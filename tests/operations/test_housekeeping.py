"""What is past its time is removed, and what is stuck is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog.testing

from gateway.operations.housekeeping import Housekeeping
from tests.operations.calls import operation, store_durably, until_ended, upsert
from tests.operations.durable import HEDY, hold_work, let_work, stuck

if TYPE_CHECKING:
    from tests.harness import Gateway


def housekeeping(gateway: Gateway, **ahead: float) -> Housekeeping:
    """One that lives so much later, and keeps operations for a day."""
    return Housekeeping(
        store=gateway.app.state.account.store,
        keep_operations=timedelta(days=1),
        clock=lambda: datetime.now(UTC) + timedelta(**ahead),
    )


async def test_an_operation_is_removed_when_its_time_is_over(quick: Gateway) -> None:
    operation_id = await store_durably(quick, HEDY, targets=["IVVY"])
    await until_ended(quick, operation_id)
    await housekeeping(quick, hours=23).tidy()
    assert (await operation(quick, operation_id))["status"] == "SUCCEEDED"
    await housekeeping(quick, hours=25).tidy()
    assert (await quick.data(f'{{ operation(id: "{operation_id}") {{ id }} }}'))[
        "operation"
    ] is None


async def test_an_operation_that_has_not_ended_is_kept(quick: Gateway) -> None:
    hold_work(quick)
    operation_id = await store_durably(quick, HEDY, targets=["IVVY"])
    await housekeeping(quick, days=400).tidy()
    assert (await operation(quick, operation_id))["status"] == "PENDING"


async def test_an_idempotency_key_is_forgotten_after_its_time(quick: Gateway) -> None:
    await upsert(quick, HEDY, idempotencyKey="k-1", targets=["IVVY"])
    await housekeeping(quick, hours=25).tidy()
    again = await upsert(quick, HEDY, idempotencyKey="k-1", targets=["IVVY"])
    assert not again.data["replayed"]


async def test_what_waits_for_a_person_is_logged_when_it_begins_and_not_every_minute(
    quick: Gateway,
) -> None:
    keeper, now = housekeeping(quick), datetime.now(UTC)
    with structlog.testing.capture_logs() as logs:
        await keeper.tell()
    assert logs == []
    await stuck(quick, drop="before")
    with structlog.testing.capture_logs() as logs:
        for minutes in (1, 2, 10, 17):
            keeper.clock = partial(now.__add__, timedelta(minutes=minutes))
            await keeper.tell()
    first, again = logs
    assert (first["log_level"], first["steps_needing_attention"]) == ("warning", 1)
    assert first["operations"] == 1
    assert again == first


async def test_an_undelivered_write_is_logged_once_it_is_old_and_its_end_as_well(
    quick: Gateway,
) -> None:
    hold_work(quick)
    operation_id = await store_durably(quick, HEDY, targets=["IVVY"])
    keeper = housekeeping(quick, minutes=10)
    with structlog.testing.capture_logs() as logs:
        await keeper.tell()
        keeper.clock = lambda: datetime.now(UTC) + timedelta(minutes=16)
        await keeper.tell()
        await let_work(quick)
        await until_ended(quick, operation_id)
        await keeper.tell()
    line, end = [one for one in logs if "stuck" in one["event"]]
    assert line["oldest_undelivered_seconds"] >= 960
    assert (line["steps_due"], line["steps_needing_attention"]) == (1, 0)
    assert end["event"] == "durable work is not stuck any more"
