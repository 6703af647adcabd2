"""Names that a gateway open to this machine alone answers to.

A page anywhere can have its own name point to 127.0.0.1 and so call what listens there from the
browser, past CORS (DNS rebinding). The Host header then still has that page's name.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import orjson
from starlette.responses import Response

from gateway.api.errors import HttpRefusalError
from gateway.api.head import remembered
from gateway.api.negotiation import JSON

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

LOCALHOST = "localhost"


def is_loopback(host: str) -> bool:
    """Whether a host's name or address means this machine and no other."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == LOCALHOST or host.endswith(f".{LOCALHOST}")


@remembered
def means_this_machine(host: bytes) -> bool:
    """Whether a Host header's value means this machine."""
    try:
        name = urlsplit(f"//{host.decode('latin-1')}").hostname
    except ValueError:
        return False
    return name is not None and is_loopback(name)


async def refuse_host(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer to a request or a WebSocket that was meant for another name."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})  # before accepting: 403
        return
    refused = HttpRefusalError(
        421,
        "Without keys or JWTs this gateway answers to localhost alone. Make a key (gateway keys "
        "create) and start it again, or set GATEWAY_AUTH=none behind a proxy that checks callers.",
    )
    response = Response(orjson.dumps(refused.body), refused.status_code, media_type=JSON)
    await response(scope, receive, send)
