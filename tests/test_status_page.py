"""The page for people at /status: what it shows, and to whom."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from gateway.callers.caller import Scope
from gateway.callers.keys import new_key
from gateway.sending.traffic import Traffic, quantile
from gateway.status.charts import bars, lines, nice
from tests.harness import running
from tests.operations.calls import store_durably

if TYPE_CHECKING:
    import httpx

    from gateway.sandbox.app import Sandbox
    from gateway.sandbox.clock import ManualClock
    from tests.harness import Gateway

ADA = {
    "externalId": "E-7001",
    "firstName": "Ada",
    "lastName": "Lovelace",
    "email": "ada.l@example.com",
}


class Reader(HTMLParser):
    """The page's text, and every address in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.addresses: list[str] = []
        self.tags: list[str] = []
        self.feed(page)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.texts))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"href", "src"}]


async def page_of(gateway: Gateway, address: str = "/status") -> tuple[httpx.Response, Reader]:
    gateway.app.state.backlog._asked_at = -1e9
    response = await gateway.http.get(address)
    assert response.status_code == 200, response.text
    return response, Reader(response.text)


async def test_the_page_tells_of_backends_the_queue_and_operations(gateway: Gateway) -> None:
    gateway.sandbox.faults.add({"backend": "everbridge", "status": 500, "times": 100})
    await gateway.upsert(ADA)
    gateway.app.state.account.worker.pause()
    gateway.sandbox.faults.clear()
    operation = await store_durably(gateway, ADA, targets=["IVVY"])
    _, page = await page_of(gateway)
    assert "iVvy up Last minute: " in page.text
    assert re.search(r"Everbridge (down|degraded) (left alone for \d+ s )?Last minute", page.text)
    assert "Steps due now 1" in page.text
    assert re.search(rf"{operation} contact pending \w+ \d+ s 0 of 1", page.text)
    assert re.search(r"iVvy to be delivered 1 \d+ s", page.text)
    assert "SendGrid up" in page.text


async def test_the_page_names_no_other_host_and_runs_no_script(gateway: Gateway) -> None:
    response, page = await page_of(gateway)
    assert page.addresses == ["data:,", "/status/page.css", "/status", "/status?every=30"]
    assert "script" not in page.tags
    assert "style=" not in response.text
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self';")
    assert response.headers["cache-control"] == "no-store"
    style = await gateway.http.get("/status/page.css")
    assert style.headers["content-type"].startswith("text/css")
    assert "prefers-color-scheme: dark" in style.text
    assert "url(" not in style.text


async def test_the_page_comes_again_by_itself_when_it_is_asked_to(gateway: Gateway) -> None:
    response, page = await page_of(gateway, "/status?every=30")
    assert '<meta http-equiv="refresh" content="30">' in response.text
    assert "Comes again every 30 s" in page.text
    response, _ = await page_of(gateway, "/status?every=<1>")
    assert "refresh" not in response.text
    assert "<1>" not in response.text


async def test_the_page_is_readable_by_programs_for_the_blind(gateway: Gateway) -> None:
    await store_durably(gateway, ADA, targets=["IVVY"])
    response, page = await page_of(gateway)
    assert '<html lang="en">' in response.text
    assert "<title>Ready – contact-gateway</title>" in response.text
    assert response.text.count("<h1>") == 1
    for plot in re.findall(r"<svg.*?</svg>", response.text):
        drawn = ET.fromstring(plot)
        assert (drawn.get("role"), drawn.get("aria-label")) == ("img", drawn.findtext("title"))
    assert response.text.count("<svg") == 6
    for table in re.findall(r"<table>.*?</table>", response.text):
        assert table.count("<caption>") == 1
        assert 'scope="col"' in table
        assert 'scope="row"' in table
    assert "table" in page.tags or "None." in page.text


async def test_a_backend_that_is_not_configured_is_shown_as_such(
    sandbox: Sandbox, clock: ManualClock
) -> None:
    async with running(sandbox, clock, sendgrid_api_key=None) as gateway:
        _, page = await page_of(gateway)
        assert "SendGrid not configured" in page.text


async def test_a_store_that_does_not_answer_is_told(gateway: Gateway) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise TimeoutError

    operations = gateway.app.state.account.store.operations
    operations.read_backlog = operations.list_operations = fail
    _, page = await page_of(gateway)
    assert "The store cannot be used now" in page.text
    assert page.text.count("Not known.") == 2


# ---------------------------------------------------------------- to whom


async def test_in_production_nobody_sees_the_page_unless_that_is_asked_for(
    sandbox: Sandbox, clock: ManualClock
) -> None:
    for chosen, status in (("auto", 404), ("on", 200), ("off", 404)):
        async with running(sandbox, clock, production=True, status_page=chosen) as gateway:
            assert (await gateway.http.get("/status")).status_code == status


async def known_key(gateway: Gateway, *scopes: Scope) -> str:
    """A key that the running gateway knows."""
    text, stored = new_key("monitor", scopes, datetime.now(UTC))
    await gateway.app.state.account.store.api_keys.add(stored)
    return text


async def test_where_callers_are_told_apart_admins_alone_see_page_and_metrics(
    sandbox: Sandbox, clock: ManualClock
) -> None:
    async with running(sandbox, clock, auth="keys", production=True, metrics="admin") as gateway:
        admin = await known_key(gateway, Scope.ADMIN)
        reader = await known_key(gateway, Scope.CONTACTS_READ)
        typed = base64.b64encode(f"anybody:{admin}".encode()).decode()
        wrong = base64.b64encode(b"anybody:cgw_wrong").decode()
        for address in ("/status", "/metrics"):
            for headers, status in (
                ({}, 401),
                ({"Authorization": f"Basic {wrong}"}, 401),
                ({"Authorization": "Basic ????"}, 401),
                ({"X-Api-Key": reader}, 403),
                ({"X-Api-Key": admin}, 200),
                ({"Authorization": f"Bearer {admin}"}, 200),
                ({"Authorization": f"Basic {typed}"}, 200),
            ):
                response = await gateway.http.get(address, headers=headers)
                assert response.status_code == status, (address, headers, response.text)
                if status == 401:
                    assert response.headers["www-authenticate"].startswith("Basic realm=")


# ---------------------------------------------------------------- the last hour


def test_the_last_hour_is_kept_by_the_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000_000.0
    monkeypatch.setattr("gateway.sending.traffic.time.monotonic", lambda: now)
    seen = Traffic()
    for minute in range(90):
        now = 1_000_000.0 + 60 * minute
        for number in range(10):
            seen.note(0.1 if number < 9 else 2.0, failed=number == 9)
    hour = seen.hour()
    assert len(hour) == 60
    assert {(minute.calls, minute.failed) for minute in hour} == {(10, 1)}
    assert quantile(hour, 0.5) == pytest.approx(0.1, rel=0.2)
    assert quantile(hour, 0.95) == pytest.approx(2.0, rel=0.2)
    now += 60 * 30
    assert [minute.calls for minute in seen.hour()] == [10] * 30 + [0] * 30
    now += timedelta(days=1).total_seconds()
    assert quantile(seen.hour(), 0.5) is None


@pytest.mark.parametrize(
    ("value", "top"),
    [(0, 1), (0.3, 0.3), (0.31, 0.4), (1, 1), (9, 10), (11, 20), (650, 800), (80_001, 100_000)],
)
def test_an_axis_ends_at_a_round_number(value: float, top: float) -> None:
    assert nice(value) == pytest.approx(top)


def test_plots_leave_gaps_and_escape_what_they_are_called() -> None:
    line = lines('a < "b"', [("median", [1.0, 2.0, None, 4.0])], "ms")
    drawn = ET.fromstring(line)
    assert drawn.findtext("title") == 'a < "b"'
    [run] = drawn.findall("polyline")
    assert len((run.get("points") or "").split()) == 2
    assert len(drawn.findall("circle")) == 1
    bar = ET.fromstring(bars("calls", [4, 0], [1, 0]))
    heights = {one.get("class"): float(one.get("height") or 0) for one in bar.findall("rect")}
    assert heights["calls"] == pytest.approx(4 * heights["failed"], abs=0.2)
