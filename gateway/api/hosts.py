"""Names that a gateway open to this machine alone answers to.

A page anywhere can have its own name point to 127.0.0.1 and so call what listens there from the
browser, past CORS (DNS rebinding). The Host header then still has that page's name.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import orjson
from starlette.datastructures import Headers
from starlette.responses import Response

from gateway.api.errors import HttpRefusalError
from gateway.api.negotiation import JSON

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

LOCALHOST = "localhost"


def is_loopback(host: str) -> bool:
    """Whether a host's name or address means this machine and no other."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == LOCALHOST or host.endswith(f".{LOCALHOST}")


class LoopbackHosts:
    """Refuses requests under another name while the gateway is open because nobody said otherwise."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request or a WebSocket that was meant for this machine."""
        if scope["type"] not in {"http", "websocket"} or _is_meant(scope):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})  # before accepting: 403
        else:
            await _refused()(scope, receive, send)


def _is_meant(scope: Scope) -> bool:
    if not scope["app"].state.account.door.loopback_only:
        return True
    try:
        name = urlsplit(f"//{Headers(scope=scope).get('host', '')}").hostname
    except ValueError:
        return False
    return name is not None and is_loopback(name)


def _refused() -> Response:
    refused = HttpRefusalError(
        421,
        "Without keys or JWTs this gateway answers to localhost alone. Make a key (gateway keys "
        "create) and start it again, or set GATEWAY_AUTH=none behind a proxy that checks callers.",
    )
    return Response(orjson.dumps(refused.body), refused.status_code, media_type=JSON)
