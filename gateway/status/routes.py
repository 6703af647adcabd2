"""The routes of /metrics and /status."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client.exposition import choose_encoder
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from gateway.status.access import NO_STORE, refusal
from gateway.status.page import rendered
from gateway.status.standing import standing_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from gateway.settings import Settings

STYLE = Path(__file__).resolve().parent / "page.css"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
PACES = ("10", "30", "60")
"""Seconds after which the page may be asked to come again by itself."""
HIDDEN = """\
In production this page is for callers with the scope admin, and this gateway tells no callers apart.
GATEWAY_STATUS_PAGE=on shows it to everybody.
"""
AROUND = [Middleware(GZipMiddleware, minimum_size=1_000, compresslevel=5)]


def status_routes(settings: Settings) -> list[BaseRoute]:
    """Those that the settings ask for; they need the account and its backlog in the app's state."""
    routes: list[BaseRoute] = []
    if settings.metrics != "off":
        answer = _metrics if settings.metrics == "on" else _metrics_for_admins
        routes.append(Route("/metrics", answer, middleware=AROUND))
    if settings.status_page != "off":
        routes += [Route("/status", _status, middleware=AROUND), Route("/status/page.css", _style)]
    return routes


async def _metrics(request: Request) -> Response:
    """Metrics in the format that is asked for: Prometheus' text, or OpenMetrics."""
    state = request.app.state
    await state.backlog.read()
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    content = encode(state.account.watching.metrics.registry)
    return Response(content, headers={"Content-Type": content_type, **NO_STORE})


async def _status(request: Request) -> Response:
    """The page for people."""
    account = request.app.state.account
    settings, door = account.settings, account.door
    if door.is_open and settings.production and settings.status_page == "auto":
        return PlainTextResponse(HIDDEN, 404, NO_STORE)
    refused = await refusal(request, door)
    if refused is not None:
        return refused
    standing = await standing_of(account, request.app.state.backlog)
    every = request.query_params.get("every", "")
    seconds = int(every) if every in PACES else None
    return HTMLResponse(rendered(standing, every=seconds), headers={**HEADERS, **NO_STORE})


async def _style(_request: Request) -> FileResponse:
    return FileResponse(STYLE, media_type="text/css; charset=utf-8", headers=HEADERS)


async def _metrics_for_admins(request: Request) -> Response:
    return await refusal(request, request.app.state.account.door) or await _metrics(request)
