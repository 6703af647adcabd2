"""Ids of requests: the caller's own where it is fit, else a new one."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection
    from starlette.types import Scope

    from gateway.api.head import Head

REQUEST_ID = "X-Request-Id"
REQUEST_ID_NAME = REQUEST_ID.lower().encode()
"""As ASGI wants it."""

_FIT = re.compile(rb"[A-Za-z0-9._~-]{1,64}")
"""An id of the caller's own goes into the log and to the backends: nothing else is taken over."""

_SCOPE_KEY = "gateway.request_id"


def name_request(scope: Scope, head: Head) -> str:
    """Name a request; its scope keeps the id."""
    given = head.get(REQUEST_ID_NAME)
    name = given.decode() if given is not None and _FIT.fullmatch(given) else _new_id()
    scope[_SCOPE_KEY] = name
    return name


def request_id(connection: HTTPConnection) -> str:
    """The id of this request; a new one where no layer gave it any."""
    known = connection.scope.get(_SCOPE_KEY)
    return known if isinstance(known, str) else _new_id()


def _new_id() -> str:
    # No secret: it has to be like no other, and asking the system for each costs several times more.
    return f"{random.getrandbits(128):032x}"
