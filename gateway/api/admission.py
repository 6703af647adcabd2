"""Who sends a request: asked at the door, and told to the caller as HTTP tells it.

Admission is what the view does first, by the head alone: whoever is not let in has no body of his
read.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.api.errors import HttpRefusalError
from gateway.api.refusals import cannot_tell, too_many, unauthenticated
from gateway.callers.caller import ANYBODY, Caller
from gateway.callers.credential import Credential, credential_of
from gateway.callers.errors import CannotTellError, TooManyError, UnauthenticatedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import HTTPConnection, Request

    from gateway.callers.door import Door

REALM = 'Bearer realm="contact-gateway"'
RATE_HEADERS = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
RETRY_SECONDS = 5
"""After which a caller whom nobody could ask about may come again."""

_SCOPE_KEY = "gateway.admitted"


@dataclass(frozen=True, slots=True)
class Admitted:
    """A caller who was let in."""

    caller: Caller
    credential: Credential | None
    headers: Mapping[str, str]
    """What the answer tells of the caller's rate."""


OPEN = Admitted(ANYBODY, None, {})


async def admit(request: Request, door: Door) -> Admitted:
    """Who sends a request, counted; raises HttpRefusalError with 401, 429 or 503."""
    admitted = OPEN if door.is_open else await _ask(request, door)
    request.scope[_SCOPE_KEY] = admitted
    return admitted


def admitted(request: HTTPConnection) -> Admitted:
    """Who was let in with this request."""
    found: Admitted = request.scope[_SCOPE_KEY]
    return found


async def _ask(request: Request, door: Door) -> Admitted:
    credential = credential_of(request.headers)
    try:
        caller = await door.admit(credential)
    except UnauthenticatedError as error:
        headers = {"WWW-Authenticate": _challenge(error)}
        raise HttpRefusalError.over(401, unauthenticated(error), headers=headers) from None
    except CannotTellError as error:
        headers = {"Retry-After": str(RETRY_SECONDS)}
        raise HttpRefusalError.over(503, cannot_tell(error), headers=headers) from error
    try:
        allowance = door.count(caller)
    except TooManyError as error:
        left = door.left(caller)
        headers = {**(left.headers if left else {}), "Retry-After": str(math.ceil(error.seconds))}
        raise HttpRefusalError.over(429, too_many(error), headers=headers) from None
    return Admitted(caller, credential, allowance.headers if allowance else {})


def _challenge(error: UnauthenticatedError) -> str:
    """What WWW-Authenticate says (RFC 6750, section 3)."""
    if not error.given:
        return REALM
    told = str(error).replace('"', "'")
    return f'{REALM}, error="invalid_token", error_description="{told}"'
