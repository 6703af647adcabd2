"""The gateway as `gateway serve` runs it, but that before each request it lets its lists of names expire.

Requests that come while a list is read wait for that one read, as they always do.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from gateway.app import create_app
from gateway.entries import CatalogName
from gateway.logs import configure_logs
from gateway.serving.server import serve
from gateway.settings import load_settings

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.types import ASGIApp, Receive, Scope, Send


class Forgetful:
    """Lets every list expire before it hands a request on."""

    def __init__(self, app: ASGIApp, gateway: Starlette) -> None:
        self.app = app
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            for adapter in self._gateway.state.account.adapters.values():
                for name in filter(adapter.catalogs.holds, CatalogName):
                    adapter.catalogs.expire(name)
        await self.app(scope, receive, send)


def main() -> None:
    """Serve on the port that is given."""
    configure_logs()
    app = create_app(load_settings())
    app.add_middleware(Forgetful, gateway=app)
    serve(app, "127.0.0.1", int(sys.argv[1]), seconds=5.0)


if __name__ == "__main__":
    main()
