"""The status page in a real browser: it looks as it should, and complains of nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
from playwright.sync_api import expect, sync_playwright

from tests.api.test_explorer_in_browser import ARTIFACTS, CHROMIUM, FLAGS
from tests.node import skip_unless_required

if TYPE_CHECKING:
    from pathlib import Path

UPSERT = """mutation { upsertContact(input: {
  externalId: "E-7001", email: "ada.l@example.com", firstName: "Ada", lastName: "Lovelace" }) {
  status } }"""


def test_the_page_is_styled_and_plots_within_its_policy(served: str, tmp_path: Path) -> None:
    if CHROMIUM is None:
        skip_unless_required("no Chromium here: `apt-get install chromium` brings it")
    httpx.post(f"{served}/graphql", json={"query": UPSERT}).raise_for_status()
    complaints: list[str] = []
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path / "profile",
            executable_path=CHROMIUM,
            args=FLAGS,
            viewport={"width": 1280, "height": 900},
            color_scheme="dark",
        )
        page = context.pages[0]
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(f"{served}/status")
        expect(page).to_have_title("Ready – contact-gateway")
        expect(page.get_by_role("heading", name="iVvy")).to_contain_text("up")
        expect(page.get_by_role("img")).to_have_count(6)
        dark = "getComputedStyle(document.body).backgroundColor"
        assert page.evaluate(dark) == "rgb(18, 22, 28)"
        page.screenshot(path=ARTIFACTS / "status.png", full_page=True)
        context.close()
    assert complaints == []
