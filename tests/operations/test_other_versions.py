"""What another version of the gateway has stored, and what a dead process has left under a key."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from strawberry import Some

from gateway.callers.caller import ANYBODY
from gateway.model import Backend, ContactInput, MissingPolicy, WriteMode
from gateway.operations.asked import Asked
from gateway.operations.payloads import CONTACT, PAYLOAD_VERSION, Shared, new_operation
from gateway.operations.receipts import VERSION, Kept
from tests.operations.calls import outcomes, until, until_ended, upsert

if TYPE_CHECKING:
    from gateway.store.opening import Store
    from tests.harness import Gateway

HEDY: dict[str, Any] = {
    "externalId": "E-3001",
    "email": "hedy@example.com",
    "firstName": "Hedy",
    "lastName": "Kiesler",
    "ivvy": {"updateIfExists": False},
}
ASKED = Asked(
    mutation="upsertContact",
    input=ContactInput(
        external_id=Some("E-3001"),  # type: ignore[arg-type]  # an ID is a text
        email=Some("hedy@example.com"),
        first_name=Some("Hedy"),
        last_name=Some("Kiesler"),
    ),
    caller=ANYBODY.id,
)


def now() -> datetime:
    return datetime.now(UTC)


def store_of(gateway: Gateway) -> Store:
    store: Store = gateway.app.state.account.store
    return store


async def submit(gateway: Gateway, **payload: Any) -> str:
    """Store an operation as some version has; the id."""
    shared = Shared(
        mode=WriteMode.PATCH,
        if_missing=MissingPolicy.CREATE,
        targets_named=True,
        backends=[Backend.IVVY],
        country=None,
        request_id="r-1",
        accepted_at=now().isoformat(),
    )
    made = new_operation(ASKED, CONTACT, shared, {Backend.IVVY: "externalId:E-3001"})
    version = payload.pop("version", PAYLOAD_VERSION)
    made = replace(made, payload={**made.payload, **payload}, payload_version=version)
    await store_of(gateway).operations.submit(made, now=now())
    return made.id


async def test_what_a_version_stored_that_knew_more_fields_is_delivered(quick: Gateway) -> None:
    operation_id = await submit(quick, colour="a field of another version")
    assert outcomes(await until_ended(quick, operation_id)) == {"IVVY": "CREATED"}


async def test_what_a_newer_version_stored_is_left_to_it(quick: Gateway) -> None:
    operation_id = await submit(quick, version=PAYLOAD_VERSION + 1)
    found = await until(quick, operation_id, IVVY="QUEUED")
    while found["IVVY"]["result"]["errors"] == []:
        found = await until(quick, operation_id, IVVY="QUEUED")
    assert found["IVVY"]["nextAttemptAt"] is not None
    assert quick.calls("ivvy", writes=True) == []


async def test_a_payload_that_cannot_be_read_keeps_its_place(quick: Gateway) -> None:
    operation_id = await submit(quick, mode="SOMETHING")
    found = await until(quick, operation_id, IVVY="QUEUED")
    while found["IVVY"]["result"]["errors"] == []:
        found = await until(quick, operation_id, IVVY="QUEUED")
    assert found["IVVY"]["result"]["errors"][0]["code"] == "BACKEND_ERROR"


# ---------------------------------------------------------------- under a key


async def abandoned(gateway: Gateway, kept: dict[str, Any], version: int = VERSION) -> None:
    """Leave a key as a process that died in the middle of a direct call has left it."""
    keys, account = store_of(gateway).keys, gateway.app.state.account
    taken: dict[str, Any] = {}
    real = keys.hold_key

    async def hold_key(*args: Any, **named: Any) -> Any:
        if not taken:
            past = now() - timedelta(seconds=1)
            use = await real(*args, **{**named, "holder": "dead", "until": past})
            expires = now() + timedelta(hours=1)
            await keys.save_receipt(use, kept, version, finished=False, expires_at=expires)
            taken["use"] = use
        return await real(*args, **named)

    account.contact_calls.keyed.keys.hold_key = hold_key


async def test_what_a_dead_process_has_sent_is_unknown_or_sent_again(gateway: Gateway) -> None:
    kept = Kept(sent={Backend.IVVY: False, Backend.EVERBRIDGE: True})
    await abandoned(gateway, kept.to_stored())
    answer = await upsert(gateway, HEDY, idempotencyKey="k-1")
    assert answer.outcomes() == {
        "IVVY": "UNKNOWN",
        "EVERBRIDGE": "CREATED",
        "SENDGRID": "ACCEPTED",
    }
    assert answer.status == "PARTIAL"
    assert gateway.calls("ivvy", writes=True) == []
    again = await upsert(gateway, HEDY, idempotencyKey="k-1")
    assert again.data["replayed"]
    assert again.outcomes() == answer.outcomes()


async def test_a_receipt_that_cannot_be_read_is_not_written_over(gateway: Gateway) -> None:
    await abandoned(gateway, Kept().to_stored(), version=VERSION + 1)
    answer = await upsert(gateway, HEDY, idempotencyKey="k-1")
    assert answer.status == "FAILED"
    assert (answer.errors[0]["code"], answer.errors[0]["retryable"]) == ("CONFLICT", False)
    assert gateway.calls("everbridge", writes=True) == []


def test_an_absent_field_and_a_null_one_are_two_calls() -> None:
    null = replace(ASKED, input=replace(ASKED.input, suffix=Some(None)))
    assert null.input_hash != ASKED.input_hash
    assert replace(ASKED, key="k", dry=True).input_hash == ASKED.input_hash
