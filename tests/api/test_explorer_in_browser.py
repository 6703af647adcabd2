"""The page at `/` in a real browser that can reach the gateway's own address and nothing else."""

from __future__ import annotations

import json
import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import strawberry
import uvicorn
from playwright.sync_api import Locator, Page, expect, sync_playwright
from starlette.applications import Starlette
from starlette.routing import Route
from strawberry.asgi import GraphQL

from gateway.api.explorer import BUILT, explorer_routes
from tests.node import skip_unless_required
from tests.program import gateway_dev

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
ARTIFACTS = ROOT / ".artifacts"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Whatever asks for another host finds none.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


@strawberry.type
class Query:
    @strawberry.field
    def greeting(self, name: str = "world") -> str:
        return f"Good morning, {name}"


@dataclass
class Visit:
    """An opened page with everything that it asked for and complained about."""

    page: Page
    origin: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def open(self) -> None:
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "console",
            lambda message: (
                self.complaints.append(message.text) if message.type == "error" else None
            ),
        )
        self.page.goto(self.origin)

    def strangers(self) -> list[str]:
        own = (self.origin, f"blob:{self.origin}", "data:")
        return [url for url in self.requests if not url.startswith(own)]


def serve(built: Path) -> Iterator[str]:
    """A gateway's page before a small schema, on a free port of this machine."""
    graphql = GraphQL[None, None](strawberry.Schema(Query), graphql_ide=None)
    routes = [*explorer_routes(built), Route("/graphql", graphql)]
    config = uvicorn.Config(
        Starlette(routes=routes), host="127.0.0.1", port=0, ws="none", log_level="error"
    )
    server = uvicorn.Server(config)
    with config.bind_socket() as listener:
        # Listening before the server runs: a page opened at once waits instead of being refused.
        listener.listen()
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        server_address: tuple[str, int] = listener.getsockname()
        yield f"http://127.0.0.1:{server_address[1]}/"
        server.should_exit = True
        thread.join(timeout=20)


@pytest.fixture
def browser_page(tmp_path: Path) -> Iterator[Page]:
    if CHROMIUM is None:
        skip_unless_required("no Chromium here: `apt-get install chromium` brings it")
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path / "profile",
            executable_path=CHROMIUM,
            args=FLAGS,
            viewport={"width": 1440, "height": 900},
        )
        yield context.pages[0]
        context.close()


@pytest.fixture
def graphiql(browser_page: Page, tmp_path: Path) -> Iterator[Visit]:
    """GraphiQL of a gateway on its sandbox, a process of its own: it ends with writes on their way."""
    if not (BUILT / "index.html").is_file():
        skip_unless_required("GraphiQL is not built here: `make explorer` builds it")
    with gateway_dev(tmp_path / "log") as address:
        yield Visit(browser_page, f"{address}/")


@pytest.fixture
def plain_form(browser_page: Page, tmp_path: Path) -> Iterator[Visit]:
    for origin in serve(tmp_path / "not-built"):
        yield Visit(browser_page, origin)


# What the answer of each example tab shows, in the order of the tabs.
ANSWERS = {
    "CreateAContact": '"status": "PENDING"',
    "TheSameAgain": '"outcome": "UNCHANGED"',
    "DryRun": '"status": "PLANNED"',
    "FullReplace": '"outcome": "UPDATED"',
    "JoinAndLeaveGroups": '"ignoredFields"',
    "TypoInAGroup": '"status": "REJECTED"',
    "ReadAContact": '"records"',
    "Catalogs": '"Resident"',
    "FollowAJob": '"importJob": null',
    "LeadOfAPerson": '"status": "APPLIED"',
    "LeadOfACompany": '"status": "APPLIED"',
    "DurableWrite": '"status": "PENDING"',
    "Bulk": '"operation": {',
    "FollowAnOperation": "There is no operation",
}


def opened(graphiql: Visit) -> Page:
    """The page once its editor works."""
    graphiql.open()
    editor = graphiql.page.locator(".graphiql-query-editor")
    expect(editor).to_contain_text("upsertContact", timeout=30_000)
    return graphiql.page


def show(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()
    expect(page.locator(".graphiql-query-editor")).to_contain_text(f" {name}")


def execute(page: Page) -> None:
    page.get_by_role("button", name="Execute query").click()


def answer(page: Page) -> Locator:
    return page.locator(".graphiql-response")


def fill(page: Page, tool: str, text: str) -> None:
    """Put text into the variables or the headers editor, which lie behind one another."""
    page.get_by_role("button", name=tool, exact=True).click()
    page.locator(".graphiql-editor-tool .monaco-editor:visible").click()
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")  # typed over a selection, a brace would be put around it
    page.keyboard.insert_text(text)


def test_every_tab_runs_its_example_without_asking_any_other_host(graphiql: Visit) -> None:
    page = opened(graphiql)
    expect(page.get_by_role("tab")).to_contain_text(list(ANSWERS))
    expect(page.get_by_role("button", name="Headers")).to_be_visible()
    expect(page.locator(".graphiql-editor-tool")).to_contain_text("hedy@example.com")
    for name, shown in ANSWERS.items():
        show(page, name)
        execute(page)
        expect(answer(page)).to_contain_text(shown, timeout=20_000)
    show(page, "CreateAContact")
    page.mouse.move(0, 0)
    page.screenshot(path=ARTIFACTS / "explorer.png")

    assert graphiql.strangers() == []
    assert graphiql.complaints == []


def test_subscription_shows_each_change_until_the_operation_has_ended(graphiql: Visit) -> None:
    page = opened(graphiql)
    show(page, "DurableWrite")
    with page.expect_response("**/graphql") as stored:
        execute(page)
    operation = stored.value.json()["data"]["upsertContact"]["operation"]["id"]

    show(page, "FollowAnOperation")
    fill(page, "Variables", json.dumps({"id": operation}))
    fill(page, "Headers", json.dumps({"X-Api-Key": "made-up"}))
    with page.expect_request("**/graphql") as sent:
        execute(page)
    assert sent.value.headers["accept"] == "text/event-stream"
    assert sent.value.headers["x-api-key"] == "made-up"
    expect(answer(page)).to_contain_text('"status": "RUNNING"')
    expect(answer(page)).to_contain_text('"status": "SUCCEEDED"', timeout=20_000)
    expect(page.get_by_role("button", name="Execute query")).to_be_visible()
    page.screenshot(path=ARTIFACTS / "explorer-subscription.png")
    assert graphiql.strangers() == []
    assert graphiql.complaints == []

    refused = {"errors": [{"message": "The key is not known."}]}
    page.route("**/graphql", lambda route: route.fulfill(status=401, json=refused))
    execute(page)
    expect(answer(page)).to_contain_text("The key is not known.")


def test_keys_of_the_headers_editor_are_not_kept_in_the_browser(graphiql: Visit) -> None:
    page = opened(graphiql)
    show(page, "ReadAContact")
    fill(page, "Headers", json.dumps({"X-Api-Key": "made-up"}))
    fill(page, "Variables", json.dumps({"by": {"externalId": "E-9999"}}))
    # GraphiQL takes over what was typed, the headers first, after a moment.
    while "E-9999" not in page.evaluate("JSON.stringify(localStorage)"):
        page.wait_for_timeout(20)
    with page.expect_request("**/graphql") as sent:
        execute(page)
    assert sent.value.headers["x-api-key"] == "made-up"
    expect(answer(page)).to_contain_text('"contact": null')
    page.get_by_role("button", name="Show History").click()
    page.get_by_role("button", name="Add favorite").first.click()
    kept = page.evaluate("JSON.stringify(localStorage)")
    assert "ReadAContact" in json.loads(kept)["graphiql:favorites"]
    assert "made-up" not in kept

    earlier = {"queries": [{"query": "{ __typename }", "headers": "from-before"}]}
    keep = "text => localStorage.setItem('graphiql:queries', text)"
    page.evaluate(keep, json.dumps(earlier))
    page.reload()
    expect(page.locator(".graphiql-query-editor")).to_contain_text("ReadAContact", timeout=30_000)
    kept = page.evaluate("JSON.stringify(localStorage)")
    assert "__typename" in kept
    assert "from-before" not in kept

    page.evaluate(keep, '{"queries": [{"headers": "cut off"')
    page.reload()
    expect(page.locator(".graphiql-query-editor")).to_contain_text("ReadAContact", timeout=30_000)
    assert "cut off" not in page.evaluate("JSON.stringify(localStorage)")
    assert graphiql.complaints == []


def test_plain_form_sends_query_variables_and_shows_the_answer(plain_form: Visit) -> None:
    plain_form.open()
    page = plain_form.page
    expect(page.get_by_text("GraphiQL was not built")).to_be_visible()
    page.get_by_label("Query").fill("query Hello($name: String!) { greeting(name: $name) }")
    page.get_by_label("Variables (JSON)").fill('{"name": "Grace"}')
    page.get_by_label("Headers (JSON)").fill('{"X-Api-Key": "made-up"}')
    with page.expect_request("**/graphql") as sent:
        page.get_by_role("button", name="Send").click()
    expect(page.locator("#answer")).to_contain_text("Good morning, Grace")
    expect(page.locator("#status")).to_have_text("HTTP 200")
    assert sent.value.headers["x-api-key"] == "made-up"
    page.screenshot(path=ARTIFACTS / "plain-form.png")

    page.get_by_label("Variables (JSON)").fill("[1]")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#answer")).to_contain_text("variables must be a JSON object")
    assert plain_form.strangers() == []
    assert plain_form.complaints == []
