"""The page at `/` in a real browser that can reach the gateway's own address and nothing else."""

from __future__ import annotations

import os
import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import strawberry
import uvicorn
from playwright.sync_api import Page, expect, sync_playwright
from starlette.applications import Starlette
from starlette.routing import Route
from strawberry.asgi import GraphQL

from gateway.api.explorer import BUILT, explorer_routes

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


def skip_unless_required(missing: str) -> None:
    if os.environ.get("CONTACT_GATEWAY_CI") == "1":
        pytest.fail(missing)
    pytest.skip(missing)


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
def graphiql(browser_page: Page) -> Iterator[Visit]:
    if not (BUILT / "index.html").is_file():
        skip_unless_required("GraphiQL is not built here: `make explorer` builds it")
    for origin in serve(BUILT):
        yield Visit(browser_page, origin)


@pytest.fixture
def plain_form(browser_page: Page, tmp_path: Path) -> Iterator[Visit]:
    for origin in serve(tmp_path / "not-built"):
        yield Visit(browser_page, origin)


def test_graphiql_opens_and_runs_a_query_without_asking_any_other_host(graphiql: Visit) -> None:
    graphiql.open()
    page = graphiql.page
    examples = len(list((ROOT / "explorer" / "examples").glob("*.graphql")))
    expect(page.get_by_role("tab")).to_have_count(examples, timeout=30_000)
    expect(page.get_by_role("tab").first).to_contain_text("CreateAContact")
    expect(page.locator(".graphiql-query-editor")).to_contain_text("upsertContact")
    expect(page.get_by_role("button", name="Headers")).to_be_visible()
    expect(page.locator(".graphiql-editor-tool")).to_contain_text("hedy@example.com")
    page.screenshot(path=ARTIFACTS / "explorer.png")

    page.get_by_role("tab", name="DryRun").click()
    expect(page.locator(".graphiql-query-editor")).to_contain_text("dryRun: true")
    expect(page.locator(".graphiql-editor-tool")).to_contain_text("ada@example.com")

    page.get_by_role("button", name="New tab").click()
    page.locator(".graphiql-query-editor .monaco-editor").first.click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text('query Hello { greeting(name: "Ada") }')
    # GraphiQL reads the operation a moment after the typing, and names the tab after it.
    expect(page.get_by_role("tab").last).to_contain_text("Hello")
    page.get_by_role("button", name="Execute query").click()
    expect(page.locator(".graphiql-response")).to_contain_text("Good morning, Ada", timeout=20_000)
    page.screenshot(path=ARTIFACTS / "explorer-answer.png")

    assert graphiql.strangers() == []
    assert graphiql.complaints == []
    assert any(url.endswith("/graphql") for url in graphiql.requests)


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
