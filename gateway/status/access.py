"""Who may read what is told of the gateway itself: callers with the admin scope, where any are known.

A browser sends what a person types into its own dialog as Basic authentication: the API key is the
password there, and the name may be anything.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse

from gateway.callers.credential import Credential, credential_of
from gateway.callers.errors import CannotTellError, UnauthenticatedError
from gateway.callers.keys import PREFIX

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from gateway.callers.door import Door

CHALLENGE = 'Basic realm="contact-gateway: the password is an API key with the scope admin"'
NO_STORE = {"Cache-Control": "no-store"}


async def refusal(request: Request, door: Door) -> Response | None:
    """Why this request may not be answered; None when it may."""
    if door.is_open:
        return None
    try:
        caller = await door.admit(_typed(request) or credential_of(request.headers))
    except UnauthenticatedError:
        return PlainTextResponse(
            "Send an API key with the scope admin: as X-Api-Key, Authorization: Bearer, or as the "
            "password that a browser asks for.\n",
            401,
            {"WWW-Authenticate": CHALLENGE, **NO_STORE},
        )
    except CannotTellError:
        return PlainTextResponse("Nobody can tell now who is calling.\n", 503, NO_STORE)
    if not caller.is_admin:
        return PlainTextResponse("This needs the scope admin.\n", 403, NO_STORE)
    return None


def _typed(request: Request) -> Credential | None:
    """The key that a person has typed into the browser's dialog."""
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        _, _, password = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return Credential(password, is_key=password.startswith(PREFIX)) if password else None
