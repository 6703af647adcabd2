"""A durable write and what it meets: faults, a worker that is held, a step that waits for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.operations.calls import outcomes, steps, store_durably, until_ended

if TYPE_CHECKING:
    from tests.harness import Gateway

HEDY: dict[str, Any] = {
    "externalId": "E-3001",
    "email": "hedy@example.com",
    "firstName": "Hedy",
    "lastName": "Kiesler",
}
ONCE = {**HEDY, "ivvy": {"updateIfExists": False}}
"""Its create in iVvy must not be sent twice."""
IVVY_SAVES = "/api/1.0/contact?action=addOrUpdateContact"


def fault(gateway: Gateway, backend: str, **what: Any) -> None:
    gateway.sandbox.faults.add({"backend": backend, "times": 500, **what})


def hold_work(gateway: Gateway) -> None:
    gateway.app.state.account.worker.pause()


async def let_work(gateway: Gateway) -> None:
    gateway.app.state.account.worker._stopping = False
    gateway.app.state.account.worker.wake()


async def stuck(gateway: Gateway, **drop: str) -> tuple[str, str]:
    """A create in iVvy that must not be repeated and has no answer: its operation and step."""
    gateway.sandbox.faults.add({"backend": "ivvy", "path": IVVY_SAVES, "times": 1, **drop})
    operation_id = await store_durably(gateway, ONCE, targets=["IVVY"])
    found = await until_ended(gateway, operation_id)
    assert (found["status"], found["completedAt"]) == ("NEEDS_ATTENTION", None)
    assert outcomes(found) == {"IVVY": "UNKNOWN"}
    return operation_id, steps(found)["IVVY"]["id"]
