"""The routes of /metrics and /status."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.exposition import choose_encoder
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.routing import Route

from gateway.status.access import NO_STORE, refusal

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from gateway.settings import Settings

AROUND = [Middleware(GZipMiddleware, minimum_size=1_000, compresslevel=5)]


def status_routes(settings: Settings) -> list[BaseRoute]:
    """Those that the settings ask for; they need the app's `Standing` in its state."""
    routes: list[BaseRoute] = []
    if settings.metrics != "off":
        answer = _metrics if settings.metrics == "on" else _metrics_for_admins
        routes.append(Route("/metrics", answer, middleware=AROUND))
    return routes


async def _metrics(request: Request) -> Response:
    """Metrics in the format that is asked for: Prometheus' text, or OpenMetrics."""
    state = request.app.state
    await state.backlog.read()
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    content = encode(state.account.watching.metrics.registry)
    return Response(content, headers={"Content-Type": content_type, **NO_STORE})


async def _metrics_for_admins(request: Request) -> Response:
    return await refusal(request, request.app.state.account.door) or await _metrics(request)
