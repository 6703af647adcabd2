"""The one place where the parts are joined."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from gateway.account import opened
from gateway.api.explorer import explorer_routes
from gateway.api.front import Front
from gateway.api.http import GRAPHQL, graphql_app, graphql_routes
from gateway.status.backlog import KnownBacklog
from gateway.status.gauges import Gauges
from gateway.status.routes import status_routes
from gateway.store.errors import StoreError

ROUTES = ("/", GRAPHQL, "/healthz", "/readyz", "/metrics", "/status")
"""The paths that metrics and traces name; they call every other one `other`."""

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    import httpx
    from opentelemetry.sdk.trace.export import SpanExporter
    from starlette.requests import Request
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp

    from gateway.model import Backend
    from gateway.settings import Settings


def create_app(
    settings: Settings,
    transports: Mapping[Backend, httpx.AsyncBaseTransport] | None = None,
    *,
    more_routes: Sequence[BaseRoute] = (),
    exporter: SpanExporter | None = None,
) -> Starlette:
    """The gateway as an ASGI app.

    In tests `transports` replaces the network to the backends, and `exporter` the collector of
    traces.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            try:
                account = await stack.enter_async_context(opened(settings, transports, exporter))
            except StoreError as error:
                app.state.cannot_begin = f"The gateway cannot start: {error}"
                raise
            app.state.account = account
            backlog = app.state.backlog = KnownBacklog(account.store)
            gauges = Gauges(account.adapters, lambda: backlog.known)
            account.watching.metrics.registry.register(gauges)
            yield

    graphql = graphql_app(settings)
    app = _App(
        lifespan=lifespan,
        middleware=[
            Middleware(
                Front,
                routes=ROUTES,
                direct={GRAPHQL: graphql},
                checks_hosts=settings.auth == "auto",
            )
        ],
        routes=[
            *graphql_routes(graphql),
            Route("/healthz", _alive),
            Route("/readyz", _ready),
            *status_routes(settings),
            *more_routes,
            *([] if settings.production else explorer_routes()),
        ],
    )
    # Behind a proxy that speaks TLS it would send callers, their keys with them, to an http address.
    app.router.redirect_slashes = False
    return app


class _App(Starlette):
    """Its middleware stands outermost, outside of what Starlette answers faults with.

    What the front hands straight on is answered without passing through that.
    """

    def build_middleware_stack(self) -> ASGIApp:
        """The app as it is asked."""
        outermost, self.user_middleware = self.user_middleware, []
        app = super().build_middleware_stack()
        for middleware, args, kwargs in reversed(outermost):
            app = middleware(app, *args, **kwargs)
        self.user_middleware = outermost
        return app


async def _ready(request: Request) -> PlainTextResponse:
    """Whether requests can be served: the store answers, and the process is not ending."""
    why = await request.app.state.account.not_ready()
    if why is None:
        return PlainTextResponse("ready\n")
    return PlainTextResponse(f"{why}\n", status_code=503)


async def _alive(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("ok\n")
