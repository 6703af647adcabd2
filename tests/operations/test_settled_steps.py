"""A durable step of which nobody knows what became: a person looks, and settles it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.operations.calls import (
    operation,
    outcomes,
    resolve,
    until_ended,
)
from tests.operations.durable import stuck

if TYPE_CHECKING:
    from tests.harness import Gateway

# ---------------------------------------------------------------- accepted


async def test_a_step_that_must_not_be_repeated_waits_for_a_person(quick: Gateway) -> None:
    operation_id, step_id = await stuck(quick, drop="after")
    [contact] = quick.ivvy(externalId="E-3001")
    payload = await resolve(quick, step_id, "WRITTEN", recordId=str(contact["id"]))
    assert payload["errors"] == []
    assert payload["step"]["result"] == {
        "outcome": "CONFIRMED",
        "id": str(contact["id"]),
        "errors": [],
    }
    found = await operation(quick, operation_id)
    assert (found["status"], found["failed"]) == ("SUCCEEDED", 0)
    assert len(quick.calls("ivvy", writes=True)) == 1


async def test_a_write_that_was_not_done_is_tried_again(quick: Gateway) -> None:
    operation_id, step_id = await stuck(quick, drop="before")
    payload = await resolve(quick, step_id, "NOT_WRITTEN")
    assert payload["step"]["result"]["outcome"] == "QUEUED"
    found = await until_ended(quick, operation_id)
    assert outcomes(found) == {"IVVY": "CREATED"}
    assert len(quick.ivvy(externalId="E-3001")) == 1


async def test_a_step_that_is_given_up_has_failed(quick: Gateway) -> None:
    operation_id, step_id = await stuck(quick, drop="before")
    await resolve(quick, step_id, "GIVE_UP")
    found = await operation(quick, operation_id)
    assert (found["status"], found["failed"], outcomes(found)) == ("FAILED", 1, {"IVVY": "FAILED"})


async def test_what_cannot_be_settled_says_why(quick: Gateway) -> None:
    operation_id, step_id = await stuck(quick, drop="before")
    for stranger in ("4711", "x", "9" * 30, ""):
        payload = await resolve(quick, stranger, "RETRY")
        assert [problem["code"] for problem in payload["errors"]] == ["NOT_FOUND"]
    payload = await resolve(quick, step_id, "RETRY", recordId="1")
    assert payload["errors"][0]["field"] == ["recordId"]
    await resolve(quick, step_id, "RETRY")
    await until_ended(quick, operation_id)
    payload = await resolve(quick, step_id, "RETRY")
    assert [problem["code"] for problem in payload["errors"]] == ["INVALID"]
