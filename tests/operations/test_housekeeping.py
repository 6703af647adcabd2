"""What is past its time is removed, and what is stuck is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog.testing

from gateway.operations.housekeeping import Housekeeping
from tests.operations.calls import operation, store_durably, until_ended, upsert
from tests.operations.test_durable_contacts import HEDY, hold_work, stuck

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


async def test_what_waits_for_a_person_and_what_is_old_is_logged(quick: Gateway) -> None:
    with structlog.testing.capture_logs() as logs:
        await housekeeping(quick).tell()
    assert logs == []
    await stuck(quick, drop="before")
    with structlog.testing.capture_logs() as logs:
        await housekeeping(quick, hours=1).tell()
    [line] = logs
    assert (line["log_level"], line["steps_needing_attention"], line["operations"]) == (
        "warning",
        1,
        1,
    )
    assert line["oldest_seconds"] >= 3600
