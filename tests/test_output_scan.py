"""Whatever the gateway puts out beside its answers holds nobody's data and no secret.

A gateway of its own process gets writes and reads in which every field holds a mark, over backends
that work, refuse and fail, repeating what they were sent. Then all that it has put out is searched
for the mark: its log, its metrics, its status page, its traces.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette

from gateway.callers.caller import Scope
from gateway.callers.keys import new_key
from gateway.dev import new_sandbox, sandbox_settings
from gateway.settings import variable
from gateway.store.opening import open_store
from tests.collector import Collector, collecting
from tests.faulty_gateway import FAULT
from tests.harness import free_port, serving
from tests.leads import NAMES
from tests.program import START_SECONDS, wait_for
from tests.test_upsert_fields import EVERYTHING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.sandbox.app import Sandbox

PROGRAM = (sys.executable, str(Path(__file__).with_name("faulty_gateway.py")))
MARK, DIGITS = "zqx", "931580"
"""Every text of the inputs holds the one, every phone number the other."""
PLAIN = {
    *("middleInitial", "phoneCountryCode", "countryCode", "recordTypeName", "timezoneId"),
    *("emailStatus", "smsStatus", "privacyConsent"),
    *("groupsName", "addGroupsName", "removeGroupsName", "companiesName"),
}
"""Fields whose values are names of lists, codes and flags: nobody's own."""
CONTACT: dict[str, Any] = {
    **{name: value for name, value in EVERYTHING.items() if name in PLAIN - {"groupsName"}},
    "externalId": "zqx-1",
    "email": "zqx1@example.com",
    "firstName": "Zqxfirst",
    "lastName": "Zqxlast",
    "suffix": "Zqx",
    "phone": "030 931580 01",
    "alternateEmails": ["zqx2@example.com"],
    "addresses": [
        {
            "locationName": "Zqxhome",
            "line1": "1 Zqxstreet",
            "line2": "Zqxflat",
            "city": "Zqxcity",
            "region": "Zqxregion",
            "postalCode": "ZQX1",
            "countryCode": "DE",
            "latitude": 52.931580,
            "longitude": 13.931580,
        }
    ],
    "paths": [{"prompt": "SMS", "value": "030 931580 02", "countryCode": "DE"}],
    "customFields": [{"name": "notes", "values": ["Zqxnotes"]}],
    "externalUrls": [{"ref": "zqxref", "url": "https://example.com/zqx", "label": "Zqxlabel"}],
}
COMPANY = {
    "name": "Zqx Hotels",
    "tradingName": "Zqx",
    "businessNumber": "ZQX 1",
    "phone": "030 931580 03",
    "email": "zqx3@example.com",
    "website": "https://zqx.example.com",
    "address": CONTACT["addresses"][0],
}
LEAD = {
    **NAMES,
    "externalId": "zqx-lead-1",
    "name": "Zqx offsite",
    "description": "Zqx wants a room",
    "contact": {
        name: CONTACT[name] for name in ("externalId", "email", "firstName", "lastName", "phone")
    },
    "company": COMPANY,
}
UPSERT = """mutation Zqx($input: ContactInput!, $delivery: Delivery! = DIRECT, $key: String) {
  upsertContact(input: $input, delivery: $delivery, idempotencyKey: $key) {
    status operation { id } results { outcome errors { message } } errors { message } } }"""
UPSERT_LEAD = """mutation ($input: LeadInput!, $delivery: Delivery! = DIRECT) {
  upsertLead(input: $input, delivery: $delivery) {
    status operation { id } results { outcome } errors { message } } }"""
UPSERT_MANY = """mutation ($inputs: [ContactInput!]!) {
  upsertContacts(inputs: $inputs) { operation { id } } }"""
READ = "query ($by: ContactKey!) { contact(by: $by) { errors { message } } }"
FOLLOW = "subscription ($id: ID!) { operation(id: $id) { status } }"


@dataclass
class Running:
    """A gateway of its own process, with what it was given."""

    address: str
    key: str
    sandbox: Sandbox
    collector: Collector
    log: Path
    settings: dict[str, str]

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        asked = {"query": query, "variables": variables}
        headers = {"Authorization": f"Bearer {self.key}"}
        answer: dict[str, Any] = httpx.post(
            f"{self.address}/graphql", json=asked, headers=headers, timeout=30
        ).json()
        return answer

    def end(self, operation: dict[str, Any]) -> None:
        """Wait until a durable operation has ended."""
        asked = {"query": FOLLOW, "variables": operation}
        headers = {"Authorization": f"Bearer {self.key}", "Accept": "text/event-stream"}
        with httpx.stream(
            "POST", f"{self.address}/graphql", json=asked, headers=headers, timeout=30
        ) as events:
            told = "".join(events.iter_text())
        assert "SUCCEEDED" in told, told

    def get(self, path: str) -> str:
        headers = {"Authorization": f"Bearer {self.key}"}
        answer = httpx.get(f"{self.address}{path}", headers=headers).raise_for_status()
        return f"{answer.headers}\n{answer.text}"


@contextmanager
def gateway_of_its_own(folder: Path) -> Iterator[Running]:
    """The program with faults of our own, keys, traces and a sandbox over real sockets."""
    sandbox = new_sandbox()
    sandbox.sendgrid.switches |= {"apply_seconds": 0.05, "finish_seconds": 0.1}
    with serving(Starlette(routes=sandbox.routes)) as backends, collecting() as collector:
        settings = environment(backends, folder, collector)
        given = {key: value for key, value in os.environ.items() if "GATEWAY_" not in key}
        key = asyncio.run(new_admin(settings["GATEWAY_DATABASE_URL"]))
        port, log = free_port(), folder / "log"
        with log.open("wb") as printed:
            process = subprocess.Popen(
                [*PROGRAM, "serve", "--port", str(port)],
                env=given | settings,
                cwd=folder,
                stdout=printed,
                stderr=printed,
            )
        address = f"http://127.0.0.1:{port}"
        try:
            wait_for(f"{address}/healthz", process, log)
            yield Running(address, key, sandbox, collector, log, settings)
        finally:
            process.terminate()
            process.wait(timeout=START_SECONDS)


async def new_admin(url: str) -> str:
    """The key of a caller with every scope."""
    async with open_store(url) as store:
        text, stored = new_key("monitor", (Scope.ADMIN,), datetime.now(UTC))
        await store.api_keys.add(stored)
    return text


def environment(backends: str, folder: Path, collector: Collector) -> dict[str, str]:
    """Settings of a gateway on these backends, as the environment gives them."""
    settings = sandbox_settings(
        backends,
        database_url=f"sqlite:///{folder / 'gateway.sqlite3'}",
        auth="keys",
        otlp_endpoint=collector.endpoint,
        job_look_seconds=0.05,
        lease_seconds=1,
    )
    found = {}
    for name in settings.model_fields_set:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        found[variable(name)] = value if isinstance(value, str) else json.dumps(value)
    return found


def failing(running: Running, **fault: Any) -> None:
    """Let every backend fail the next calls, with an answer that repeats what it was sent."""
    running.sandbox.faults.clear()
    said = {"message": f"Zqxlast, zqx1@example.com, 030 {DIGITS} 01 is no good", "errors": [MARK]}
    for backend in ("ivvy", "everbridge", "sendgrid"):
        running.sandbox.faults.add({"backend": backend, "times": 30, "body": said, **fault})


def everything_happens(running: Running) -> None:
    """Writes and reads of all kinds, good and bad."""
    ask = running.ask
    written = ask(UPSERT, input=CONTACT)["data"]["upsertContact"]
    assert [one["outcome"] for one in written["results"]] == ["CREATED", "CREATED", "ACCEPTED"], (
        written
    )
    for query, field, sent in (
        (UPSERT, "upsertContact", {**CONTACT, "externalId": "zqx-2", "email": "zqx5@example.com"}),
        (UPSERT_LEAD, "upsertLead", LEAD),
    ):
        accepted = ask(query, input=sent, delivery="DURABLE")["data"][field]
        assert accepted["operation"], accepted
        running.end(accepted["operation"])
    assert ask(UPSERT_LEAD, input=LEAD)["data"]["upsertLead"]["status"] == "APPLIED"
    many = [
        {**CONTACT, "externalId": f"zqx-m{number}", "email": f"zqxm{number}@example.com"}
        for number in range(3)
    ]
    running.end(ask(UPSERT_MANY, inputs=many)["data"]["upsertContacts"]["operation"])
    ask(READ, by={"externalId": "zqx-1"})
    ask(READ, by={"email": "zqx1@example.com"})
    # Faults of our own.
    faulty = {**CONTACT, "lastName": FAULT, "externalId": "zqx-9", "email": "zqx9@example.com"}
    assert ask(UPSERT, input=faulty)["data"]["upsertContact"]["status"] == "FAILED"
    masked = ask(READ, by={"email": f"{FAULT}@example.com"})
    assert masked["errors"][0]["extensions"]["code"] == "INTERNAL_ERROR"
    stuck = ask(UPSERT, input=faulty, delivery="DURABLE")["data"]["upsertContact"]
    assert stuck["status"] == "PENDING"
    # Backends that refuse, and fail, and say what they were sent.
    changed = {**CONTACT, "firstName": "Zqxother"}
    for status in (400, 500):
        failing(running, status=status, headers={"Retry-After": "0"})
        assert ask(UPSERT, input=changed, key=f"zqx-{status}")["data"]["upsertContact"]["errors"]
        ask(READ, by={"externalId": "zqx-1"})
    running.sandbox.faults.clear()
    # Input that cannot be read.
    ask(UPSERT, input={**CONTACT, "email": "zqx at example", "phone": f"zqx {DIGITS}"})
    ask(UPSERT, input={**CONTACT, "groupsName": ["Zqx group"], "addGroupsName": None})
    ask(UPSERT, input={"zqxField": "zqx", "firstName": {"zqx": DIGITS}})
    ask('{ contact(by: {email: "zqx1@example.com", externalId: "zqx"}) { zqx } }')
    ask("mutation Zqx { zqx")
    for content in (b'{"query": "zqx', b'["zqx"]', b"\xff zqx"):
        httpx.post(f"{running.address}/graphql", content=content, headers={"X-Api-Key": "cgw_zqx"})
    httpx.get(f"{running.address}/zqx?email=zqx1@example.com", headers={"X-Request-Id": "z q x"})


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """All that a gateway has put out, by what it is; `secrets` are what it was trusted with."""
    with gateway_of_its_own(tmp_path_factory.mktemp("scanned")) as running:
        everything_happens(running)
        told = {"metrics": running.get("/metrics"), "status page": running.get("/status")}
    told["log"] = running.log.read_text()
    told["traces"] = "\n".join(str(sent) for _, sent in running.collector.received)
    settings = running.settings
    basic = f"{settings['GATEWAY_EVERBRIDGE_USERNAME']}:{settings['GATEWAY_EVERBRIDGE_PASSWORD']}"
    told["secrets"] = json.dumps(
        [
            running.key,
            settings["GATEWAY_IVVY_API_SECRET"],
            settings["GATEWAY_IVVY_API_KEY"],
            settings["GATEWAY_SENDGRID_API_KEY"],
            base64.b64encode(basic.encode()).decode(),
        ]
    )
    return told


WHERE = ("log", "metrics", "status page", "traces")


@pytest.mark.parametrize("where", WHERE)
def test_nobodys_data_is_put_out(outputs: dict[str, str], where: str) -> None:
    found = re.findall(rf".{{0,60}}(?:{MARK}|{DIGITS}).{{0,30}}", outputs[where], re.IGNORECASE)
    assert found == []


@pytest.mark.parametrize("where", WHERE)
def test_no_secret_is_put_out(outputs: dict[str, str], where: str) -> None:
    assert [one for one in json.loads(outputs["secrets"]) if one in outputs[where]] == []


def test_what_was_searched_tells_of_all_that_happened(outputs: dict[str, str]) -> None:
    lines = [json.loads(line) for line in outputs["log"].splitlines()]
    events = {line["event"].split("\n")[0] for line in lines}
    assert {"audit", "target failed", "resolver failed"} <= events
    assert any("never retrieved" in event for event in events)
    assert all(line["request_id"] for line in lines if line["event"] in {"audit", "target failed"})
    assert any("exception" in line for line in lines)
    assert 'outcome="FAILED"' in outputs["metrics"]
    assert "Everbridge" in outputs["status page"]
    for name in ("mutation upsertContact", "mutation upsertLead", "deliver step", "deliver bulk"):
        assert f'name: "{name}"' in outputs["traces"]


def test_the_inputs_have_every_field() -> None:
    assert set(CONTACT) | {"groupsName"} == set(EVERYTHING)
    texts = re.findall(r'": "([^"]+)"', json.dumps({k: CONTACT[k] for k in CONTACT.keys() - PLAIN}))
    fixed = {"DE", "SMS", "notes"}
    assert [t for t in texts if MARK not in t.lower() and DIGITS not in t and t not in fixed] == []
