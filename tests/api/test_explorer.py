"""The page at `/` as HTTP: what is served, with which headers, with and without a built GraphiQL."""

from __future__ import annotations

import gzip
import re
from typing import TYPE_CHECKING

import httpx
import pytest
from starlette.applications import Starlette

from gateway.api.explorer import GRAPHIQL_POLICY, PLAIN_POLICY, explorer_routes

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = b"globalThis.made = 'by Vite'"


def client_of(built: Path) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=Starlette(routes=explorer_routes(built)))
    return httpx.AsyncClient(transport=transport, base_url="http://gateway")


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A folder as explorer/build.py leaves it."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text(
        '<script type="module" src="./assets/index-1.js"></script>'
    )
    (tmp_path / "icon.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (tmp_path / "assets" / "index-1.js.gz").write_bytes(gzip.compress(SCRIPT))
    return tmp_path


async def test_built_page_is_served_with_its_policy_and_asked_for_again(built: Path) -> None:
    async with client_of(built) as client:
        answer = await client.get("/")
    assert answer.status_code == 200
    assert "index-1.js" in answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"] == GRAPHIQL_POLICY
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("accept_encoding", ["gzip, deflate, br", "GZIP;q=0.5", "*"])
async def test_asset_goes_out_as_it_was_compressed(built: Path, accept_encoding: str) -> None:
    async with (
        client_of(built) as client,
        client.stream(
            "GET", "/assets/index-1.js", headers={"Accept-Encoding": accept_encoding}
        ) as answer,
    ):
        raw = b"".join([chunk async for chunk in answer.aiter_raw()])
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert "immutable" in answer.headers["cache-control"]
    assert raw == (built / "assets" / "index-1.js.gz").read_bytes()


@pytest.mark.parametrize(
    "accept_encoding", ["", "identity", "gzip;q=0", "br, *;q=0", "gzip;q=much"]
)
async def test_asset_is_unpacked_for_a_client_without_gzip(
    built: Path, accept_encoding: str
) -> None:
    async with client_of(built) as client:
        answer = await client.get(
            "/assets/index-1.js", headers={"Accept-Encoding": accept_encoding}
        )
    assert "content-encoding" not in answer.headers
    assert answer.content == SCRIPT


@pytest.mark.parametrize(
    "path",
    ["/assets/other.js", "/assets/..%2findex.html", "/assets/index-1.js.gz", "/plain/page.js"],
)
async def test_nothing_beyond_the_build_is_served(built: Path, path: str) -> None:
    async with client_of(built) as client:
        assert (await client.get(path)).status_code == 404


async def test_plain_form_takes_the_place_of_a_missing_build(tmp_path: Path) -> None:
    async with client_of(tmp_path / "not-built") as client:
        page = await client.get("/")
        script = await client.get("/plain/page.js")
        style = await client.get("/plain/page.css")
    assert page.headers["content-security-policy"] == PLAIN_POLICY
    assert "GraphiQL was not built" in page.text
    assert "make explorer" in page.text
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert style.headers["content-type"] == "text/css; charset=utf-8"


async def test_plain_form_names_no_other_host_and_runs_no_inline_script(tmp_path: Path) -> None:
    async with client_of(tmp_path) as client:
        files = [
            (await client.get(path)).text for path in ("/", "/plain/page.js", "/plain/page.css")
        ]
    assert not [text for text in files if re.search(r"https?://", text)]
    assert re.findall(r"<script[^>]*>", files[0]) == ['<script src="plain/page.js">']
    assert not re.search(r"\son\w+=|\sstyle=|<style", files[0])


def test_no_policy_allows_inline_scripts_or_other_hosts() -> None:
    for policy in (GRAPHIQL_POLICY, PLAIN_POLICY):
        assert "script-src 'self';" in policy
        assert "connect-src 'self';" in policy
        assert "unsafe-eval" not in policy
        assert "http" not in policy
