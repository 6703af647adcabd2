"""Traces: from the request to the backends' calls, without anybody's data; or nothing at all."""

from __future__ import annotations

import logging
import subprocess
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from gateway.app import create_app
from gateway.dev import sandbox_settings
from gateway.errors import SettingsError
from gateway.model import Backend
from gateway.telemetry.opening import open_tracing
from tests.collector import collecting
from tests.harness import SANDBOX, Gateway, InProcess, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from gateway.sandbox.app import Sandbox
    from gateway.sandbox.clock import ManualClock
    from tests.collector import Collector

ADA = {
    "externalId": "E-7001",
    "firstName": "Ada",
    "lastName": "Lovelace",
    "email": "ada.l@example.com",
}
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


class Traces(InMemorySpanExporter):
    """The spans that a gateway has sent, by their names."""

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.get_finished_spans() if span.name == name]


@asynccontextmanager
async def traced(
    sandbox: Sandbox, clock: ManualClock, exporter: Traces | None, **settings: Any
) -> AsyncIterator[Gateway]:
    """A gateway whose spans are all with the exporter once the context has ended."""
    app = create_app(
        sandbox_settings(SANDBOX, **settings),
        dict.fromkeys(Backend, InProcess(sandbox)),
        exporter=exporter,
    )
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1"
        ) as http,
    ):
        yield Gateway(app=app, sandbox=sandbox, clock=clock, http=http)


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def parents(span: ReadableSpan, spans: Sequence[ReadableSpan]) -> list[str]:
    """The names of the spans around one, innermost first."""
    by_id = {one.context.span_id: one for one in spans}
    names = []
    while span.parent is not None and span.parent.span_id in by_id:
        span = by_id[span.parent.span_id]
        names.append(span.name)
    return names


async def test_a_trace_goes_from_the_request_to_each_call(
    sandbox: Sandbox, clock: ManualClock
) -> None:
    exporter = Traces()
    async with traced(sandbox, clock, exporter) as gateway:
        gateway.headers["traceparent"] = PARENT
        answer = await gateway.upsert(ADA)
    spans = exporter.get_finished_spans()
    assert {f"{span.context.trace_id:032x}" for span in spans} == {TRACE}
    [request] = exporter.named("POST /graphql")
    assert attributes(request) == {
        "http.request.method": "POST",
        "http.route": "/graphql",
        "http.response.status_code": 200,
        "gateway.request_id": answer.data["requestId"],
    }
    [put] = exporter.named("PUT /v3/marketing/contacts")
    assert "POST /graphql" in parents(put, spans)
    assert parents(put, spans)[-2:] == ["mutation upsertContact", "POST /graphql"]
    assert attributes(put)["http.response.status_code"] == 202
    assert attributes(put)["gateway.backend"] == "SENDGRID"
    for phase in ("resolve", "find", "plan", "deliver"):
        told = {attributes(span)["gateway.backend"] for span in exporter.named(phase)}
        assert told == {"IVVY", "EVERBRIDGE", "SENDGRID"}, phase


async def test_the_trace_is_sent_upstream(sandbox: Sandbox, clock: ManualClock) -> None:
    exporter = Traces()
    async with traced(sandbox, clock, exporter) as gateway:
        gateway.headers |= {"traceparent": PARENT, "tracestate": "a=1", "baggage": "who=ada"}
        await gateway.upsert(ADA, targets=["IVVY"])
        calls = gateway.calls("ivvy")
    ids = {f"{span.context.span_id:016x}": span for span in exporter.get_finished_spans()}
    for call in calls:
        version, trace, parent, flags = call["headers"]["traceparent"].split("-")
        assert (version, trace, flags) == ("00", TRACE, "01")
        assert ids[parent].name.startswith("POST /api/1.0/")
        assert call["headers"]["tracestate"] == "a=1"
        assert "baggage" not in call["headers"]


@pytest.mark.usefixtures("no_waiting")
async def test_each_try_is_a_span_and_a_failed_one_says_why(
    sandbox: Sandbox, clock: ManualClock
) -> None:
    exporter = Traces()
    async with traced(sandbox, clock, exporter) as gateway:
        gateway.sandbox.faults.add({"backend": "sendgrid", "status": 503, "times": 1})
        await gateway.upsert(ADA, targets=["SENDGRID"])
    first, second = exporter.named("PUT /v3/marketing/contacts")
    assert (first.status.is_ok, second.status.is_ok) == (False, True)
    assert attributes(first)["error.type"] == "UNAVAILABLE"
    assert attributes(first)["http.response.status_code"] == 503
    assert attributes(second)["http.request.resend_count"] == 1


async def test_a_durable_step_begins_a_trace_that_names_its_request(
    sandbox: Sandbox, clock: ManualClock
) -> None:
    exporter = Traces()
    async with traced(sandbox, clock, exporter, job_look_seconds=0.05) as gateway:
        data = await gateway.data(
            "mutation ($input: ContactInput!) { upsertContact("
            "input: $input, targets: [IVVY], delivery: DURABLE) { requestId operation { id } } }",
            input=ADA,
        )
        operation = data["upsertContact"]["operation"]["id"]
        async for status in followed(gateway, operation):
            if status == "SUCCEEDED":
                break
    [step] = exporter.named("deliver step")
    assert step.parent is None
    told = attributes(step)
    assert told["gateway.request_id"] == data["upsertContact"]["requestId"]
    assert (told["gateway.operation"], told["gateway.outcome"]) == (operation, "CREATED")
    [deliver] = exporter.named("deliver")
    assert parents(deliver, exporter.get_finished_spans()) == ["deliver step"]


async def followed(gateway: Gateway, operation: str) -> AsyncIterator[str]:
    """The statuses of an operation, as they come."""
    while True:
        query = "query ($id: ID!) { operation(id: $id) { status } }"
        yield (await gateway.data(query, id=operation))["operation"]["status"]


async def test_no_span_holds_data_of_people_or_secrets(
    sandbox: Sandbox, clock: ManualClock
) -> None:
    exporter = Traces()
    async with traced(sandbox, clock, exporter) as gateway:
        await gateway.upsert(ADA)
        await gateway.data('{ contact(by: {externalId: "E-7001"}) { errors { message } } }')
        await gateway.ask('query Lovelace { lovelace(email: "ada.l@example.com") }')
        await gateway.http.get("/lovelace")
    text = "\n".join(span.to_json() for span in exporter.get_finished_spans())
    assert "upsertContact" in text
    values = ("E-7001", "Ada", "ovelace", "ada.l", "sandbox-key", "sandbox-secret", "SG.sandbox")
    assert [value for value in values if value in text] == []


async def test_without_tracing_a_callers_trace_is_left_alone(gateway: Gateway) -> None:
    gateway.headers["traceparent"] = PARENT
    await gateway.upsert(ADA)
    calls = gateway.recorded()
    assert calls
    assert all("traceparent" not in call["headers"] for call in calls)


WITHOUT_TRACING = """
import sys, gateway.__main__, gateway.dev
gateway.dev.create_dev_app(8000)
print([name for name in sys.modules if name.startswith("opentelemetry")])
"""


def test_without_tracing_nothing_of_opentelemetry_is_imported() -> None:
    told = subprocess.run(
        [sys.executable, "-c", WITHOUT_TRACING],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == "[]\n"


def test_an_endpoint_without_the_extra_is_refused_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "gateway.telemetry.tracing", raising=False)
    monkeypatch.setattr("gateway.telemetry.tracing", None, raising=False)
    monkeypatch.delattr("gateway.telemetry.tracing")
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(SettingsError) as refused:
        open_tracing("http://127.0.0.1:4318")
    assert "contact-gateway[otel]" in refused.value.problems[0]


# ---------------------------------------------------------------- as it leaves


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as server:
        yield server


async def test_traces_reach_a_collector_by_otlp_over_http(
    collector: Collector, sandbox: Sandbox, clock: ManualClock
) -> None:
    async with running(sandbox, clock, otlp_endpoint=collector.endpoint) as gateway:
        await gateway.upsert(ADA)
    assert {path for path, _ in collector.received} == {"/v1/traces"}
    groups = [group for _, sent in collector.received for group in sent.resource_spans]
    named = {one.key: one.value.string_value for one in groups[0].resource.attributes}
    assert named["service.name"] == "contact-gateway"
    names = {span.name for group in groups for part in group.scope_spans for span in part.spans}
    assert {"POST /graphql", "mutation upsertContact", "PUT /v3/marketing/contacts"} <= names


async def test_a_collector_that_is_away_does_not_keep_the_gateway_from_its_work(
    collector: Collector, sandbox: Sandbox, clock: ManualClock
) -> None:
    collector.socket.close()
    async with running(sandbox, clock, otlp_endpoint=collector.endpoint) as gateway:
        answer = await gateway.upsert(ADA)
        assert answer.outcomes()["IVVY"] == "CREATED"


def test_that_the_collector_is_away_is_said_once_in_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from gateway.telemetry import tracing

    seldom = tracing.Seldom()

    def passes(message: str, *values: object) -> bool:
        record = logging.LogRecord("otlp", logging.WARNING, "", 1, message, values, None)
        return seldom.filter(record)

    assert passes("retrying in %s s", 1)
    assert not passes("retrying in %s s", 2)
    assert passes("given up")
    monkeypatch.setattr(tracing, "SELDOM_SECONDS", 0.0)
    assert passes("retrying in %s s", 3)
