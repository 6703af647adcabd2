"""What /metrics tells, and what it never tells."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as read_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as read_text

from tests.harness import running
from tests.operations.calls import until_ended

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.sandbox.app import Sandbox
    from gateway.sandbox.clock import ManualClock
    from tests.harness import Gateway

ADA = {
    "externalId": "E-7001",
    "firstName": "Ada",
    "lastName": "Lovelace",
    "email": "ada.l@example.com",
}
DURABLY = """mutation ($input: ContactInput!) {
  upsertContact(input: $input, delivery: DURABLE) { status operation { id } } }"""
WITH_KEY = """mutation ($input: ContactInput!) {
  upsertContact(input: $input, idempotencyKey: "k-1") { replayed } }"""


async def scraped(gateway: Gateway, **headers: str) -> str:
    # A scrape tells a backlog of some seconds ago; a test wants that of now.
    gateway.app.state.backlog._asked_at = -1e9
    response = await gateway.http.get("/metrics", headers=headers)
    assert response.status_code == 200, response.text
    return response.text


async def figures(gateway: Gateway) -> Callable[..., float]:
    """What a metric stands at, by its labels; several samples are summed."""
    families = list(read_text(await scraped(gateway)))
    samples = [sample for family in families for sample in family.samples]

    def value(name: str, **labels: str) -> float:
        found = [
            sample.value
            for sample in samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        assert found, f"no {name} with {labels}"
        return sum(found)

    return value


async def test_a_write_is_counted_from_the_request_to_the_backends_calls(gateway: Gateway) -> None:
    await gateway.upsert(ADA)
    value = await figures(gateway)
    assert value("gateway_http_requests_total", route="/graphql", method="POST", status="200") == 1
    assert value("gateway_http_request_seconds_count", route="/graphql") == 1
    operation = {"type": "mutation", "field": "upsertContact", "outcome": "ok"}
    assert value("gateway_graphql_operations_total", **operation) == 1
    for backend, outcome in (
        ("IVVY", "CREATED"),
        ("EVERBRIDGE", "CREATED"),
        ("SENDGRID", "ACCEPTED"),
    ):
        labels = {"entity": "contact", "delivery": "direct", "backend": backend}
        assert value("gateway_write_results_total", **labels, outcome=outcome) == 1
        assert value("gateway_backend_calls_total", backend=backend) == len(
            gateway.calls(backend.lower())
        )
    route = {"backend": "SENDGRID", "method": "PUT", "route": "/v3/marketing/contacts"}
    assert value("gateway_backend_calls_total", **route, outcome="OK") == 1
    assert value("gateway_backend_call_seconds_count", **route) == 1
    assert value("gateway_backend_batch_size_sum", backend="SENDGRID") == 1
    assert value("gateway_catalog_age_seconds", backend="EVERBRIDGE", catalog="record types") >= 0
    assert value("gateway_store_seconds_count", kind="read") > 0
    assert value("gateway_build_info") == 1
    assert value("process_resident_memory_bytes") > 0


async def test_labels_hold_no_id_and_nothing_that_a_caller_wrote(gateway: Gateway) -> None:
    contact = {**ADA, "addGroupsName": ["Newsletter"]}
    await gateway.upsert(contact)
    await gateway.data('{ contact(by: {externalId: "E-7001"}) { errors { message } } }')
    await gateway.data('{ importJob(backend: SENDGRID, id: "made-up-job") { status } }')
    await gateway.ask("query Swordfish { swordfish }")
    await gateway.ask("{ swordfish: __typename ...F } fragment F on Query { __typename }")
    await gateway.ask("not even { graphql")
    await gateway.http.get("/swordfish")
    await gateway.http.request("SWORDFISH", "/graphql")
    text = await scraped(gateway)
    value = await figures(gateway)
    assert value("gateway_graphql_operations_total", outcome="invalid") == 2
    assert value("gateway_graphql_operations_total", field="several") == 1
    assert value("gateway_http_requests_total", route="other", status="404") == 1
    assert value("gateway_http_requests_total", method="other", route="/graphql") == 1
    known = [
        *(
            "swordfish",
            "SWORDFISH",
            "Swordfish",
            "E-7001",
            "ada.l",
            "Ada",
            "Lovelace",
            "made-up-job",
        ),
        "1000000000000001",
        *(str(one["id"]) for one in gateway.ivvy(externalId="E-7001")),
        *(str(one["id"]) for one in gateway.everbridge(externalId="E-7001")),
    ]
    labels = [
        label
        for family in read_text(text)
        for sample in family.samples
        for label in sample.labels.values()
    ]
    assert [one for one in known if any(one in label for label in labels)] == []


async def test_a_read_that_nobody_waits_for_any_more_is_counted(gateway: Gateway) -> None:
    gateway.sandbox.faults.add({"backend": "ivvy", "delayMs": 60_000})
    asked = asyncio.create_task(gateway.upsert(ADA, targets=["IVVY"]))
    while not gateway.calls("ivvy"):  # noqa: ASYNC110 - nothing tells when a call is recorded
        await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    value = await figures(gateway)
    assert value("gateway_backend_calls_total", backend="IVVY", outcome="NO_ANSWER") == 1
    assert value("gateway_backend_breaker_state", backend="IVVY", state="closed") == 1


@pytest.mark.usefixtures("no_waiting")
async def test_failures_retries_and_the_breaker_are_counted(gateway: Gateway) -> None:
    gateway.sandbox.faults.add({"backend": "sendgrid", "status": 503, "times": 1})
    gateway.sandbox.faults.add({"backend": "ivvy", "drop": "before", "times": 5})
    await gateway.upsert(ADA)
    await gateway.upsert(ADA)
    value = await figures(gateway)
    calls, retries = "gateway_backend_calls_total", "gateway_backend_retries_total"
    assert value(calls, backend="SENDGRID", outcome="UNAVAILABLE") == 1
    assert value(retries, backend="SENDGRID", reason="UNAVAILABLE") == 1
    assert value(calls, backend="IVVY", outcome="NO_ANSWER") == 5
    state = "gateway_backend_breaker_state"
    assert value(state, backend="IVVY", state="open") == 1
    assert value(state, backend="IVVY", state="closed") == 0
    assert value(state, backend="EVERBRIDGE", state="closed") == 1
    assert value("gateway_backend_breaker_refusals_total", backend="IVVY") > 0


async def test_waiting_for_a_quota_is_counted(sandbox: Sandbox, clock: ManualClock) -> None:
    async with running(sandbox, clock, everbridge_writes_per_second=1) as gateway:
        await gateway.upsert(ADA, targets=["EVERBRIDGE"])
        await gateway.upsert({**ADA, "externalId": "E-7002"}, targets=["EVERBRIDGE"])
        value = await figures(gateway)
        assert value("gateway_backend_quota_waits_total", backend="EVERBRIDGE") == 1
        assert value("gateway_backend_quota_wait_seconds_total", backend="EVERBRIDGE") > 0
        assert value("gateway_backend_quota_waits_total", backend="IVVY") == 0


async def test_the_queue_is_told_until_it_is_delivered(gateway: Gateway) -> None:
    worker = gateway.app.state.account.worker
    worker.pause()
    await gateway.data(DURABLY, input=ADA)
    value = await figures(gateway)
    assert value("gateway_queue_operations") == 1
    assert value("gateway_queue_steps", state="QUEUED") == 3
    assert value("gateway_queue_oldest_seconds", backend="IVVY", state="QUEUED") > 0
    assert value("gateway_queue_oldest_undelivered_seconds") > 0
    assert value("gateway_write_results_total", delivery="durable", outcome="QUEUED") == 3
    assert value("gateway_store_up") == 1


async def test_what_a_bulk_comes_to_is_counted_by_item_and_target(gateway: Gateway) -> None:
    many = [
        {**ADA, "externalId": f"E-71{number}", "email": f"ada{number}@example.com"}
        for number in range(3)
    ]
    bulk = """mutation ($inputs: [ContactInput!]!) {
      upsertContacts(inputs: $inputs, targets: [IVVY], idempotencyKey: "b-1") {
        replayed operation { id } } }"""
    operation = (await gateway.data(bulk, inputs=many))["upsertContacts"]["operation"]["id"]
    await until_ended(gateway, operation)
    assert (await gateway.data(bulk, inputs=many))["upsertContacts"]["replayed"]
    value = await figures(gateway)
    of_ivvy = {"entity": "contact", "delivery": "durable", "backend": "IVVY"}
    assert value("gateway_write_results_total", **of_ivvy, outcome="QUEUED") == 3
    assert value("gateway_write_results_total", **of_ivvy, outcome="CREATED") == 3
    assert value("gateway_idempotent_replays_total", entity="contact") == 1
    assert value("gateway_backend_batch_size_sum", backend="IVVY") == 3


async def test_a_replay_is_counted_and_its_results_are_not_counted_again(gateway: Gateway) -> None:
    for _ in range(3):
        await gateway.data(WITH_KEY, input=ADA)
    value = await figures(gateway)
    assert value("gateway_idempotent_replays_total", entity="contact") == 2
    assert value("gateway_write_results_total", backend="IVVY") == 1


async def test_faults_of_our_own_are_counted(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("gateway.api.context.read_contacts", fail)
    answer = await gateway.ask('{ contact(by: {externalId: "E-1"}) { errors { message } } }')
    assert answer["errors"][0]["extensions"]["code"] == "INTERNAL_ERROR"
    monkeypatch.setattr("gateway.status.backlog.KnownBacklog.read", fail)
    with pytest.raises(RuntimeError):  # Starlette answers 500 and lets the server log it
        await gateway.http.get("/metrics")
    monkeypatch.undo()
    value = await figures(gateway)
    assert value("gateway_faults_total") == 1
    assert value("gateway_graphql_operations_total", field="contact", outcome="errors") == 1
    assert value("gateway_http_requests_total", route="/metrics", status="500") == 1


async def test_openmetrics_is_told_to_those_who_ask_for_it(gateway: Gateway) -> None:
    text = await scraped(gateway, Accept="application/openmetrics-text; version=1.0.0")
    assert text.endswith("# EOF\n")
    names = {family.name for family in read_openmetrics(text)}  # type: ignore[no-untyped-call]
    assert {"gateway_build", "gateway_store_seconds", "gateway_queue_operations"} <= names


async def test_each_gateway_of_a_process_counts_for_itself(
    gateway: Gateway, sandbox: Sandbox, clock: ManualClock
) -> None:
    await gateway.upsert(ADA)
    async with running(sandbox, clock) as other:
        assert "gateway_write_results_total{" not in await scraped(other)


async def test_metrics_can_be_turned_off(sandbox: Sandbox, clock: ManualClock) -> None:
    async with running(sandbox, clock, metrics="off") as gateway:
        assert (await gateway.http.get("/metrics")).status_code == 404


async def test_an_unreadable_store_is_told_instead_of_old_figures(gateway: Gateway) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise TimeoutError

    gateway.app.state.account.store.operations.read_backlog = fail
    value = await figures(gateway)
    assert value("gateway_store_up") == 0
    with pytest.raises(AssertionError, match="no gateway_queue_operations"):
        value("gateway_queue_operations")


async def test_an_open_subscription_is_told(served: str) -> None:
    follow = "subscription ($id: ID!) { operation(id: $id) { status } }"

    async def open_now(http: httpx.AsyncClient) -> float:
        families = read_text((await http.get("/metrics")).text)
        [family] = [one for one in families if one.name == "gateway_graphql_subscriptions"]
        return float(family.samples[0].value)

    async with httpx.AsyncClient(base_url=served) as http:
        before = await open_now(http)
        # SendGrid's job takes a while: so long the operation goes on.
        asked = {"query": DURABLY, "variables": {"input": ADA}}
        answer = (await http.post("/graphql", json=asked)).json()
        operation = answer["data"]["upsertContact"]["operation"]
        asked = {"query": follow, "variables": {"id": operation["id"]}}
        accept = {"Accept": "text/event-stream"}
        async with http.stream("POST", "/graphql", json=asked, headers=accept) as events:
            lines = events.aiter_lines()  # kept: letting go of it ends the subscription
            while not (await anext(lines)).startswith("data:"):
                pass
            during = await open_now(http)
    assert (before, during) == (0, 1)
