"""A request's bytes, and where they go."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx

from gateway.wire.errors import CannotConnectError, UnfitAddressError

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_ADDRESS = 65_536
"""Characters; httpx refuses longer ones, and no server takes them."""
BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Methods that say nothing of a body when they have none; the others say that it is empty."""

_ALLOWED = "!$&'()*+,/:;=?@_~%-."
_PLAIN = re.compile(rf"[A-Za-z0-9{re.escape(_ALLOWED)}]*")
"""What may stand in an address as it is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """What is the same for all requests below one base URL."""

    host: str
    port: int
    tls: bool
    prefix: str
    """The base URL's own path and query, in front of each target."""
    headers: str
    """Those that each request has, with the end of its first line."""
    authorization: str
    """The header for a name and a password in the base URL, such as a proxy in front may want."""


@lru_cache(maxsize=64)
def origin_of(base_url: str) -> Origin:
    """What a base URL says, its host in ASCII; raises CannotConnectError when it is no such URL."""
    try:
        url = httpx.URL(base_url)
    except (httpx.InvalidURL, ValueError) as error:
        raise CannotConnectError("the base URL is none") from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise CannotConnectError("the base URL has no host, or another scheme than http and https")
    tls = url.scheme == "https"
    given = f"{url.username}:{url.password}".encode()
    return Origin(
        host=url.raw_host.decode("ascii"),
        port=url.port or (443 if tls else 80),
        tls=tls,
        prefix=url.raw_path.decode("ascii").rstrip("/"),
        headers=f" HTTP/1.1\r\nHost: {url.netloc.decode('ascii')}\r\n"
        "User-Agent: contact-gateway\r\nAccept-Encoding: gzip\r\n",
        authorization=f"Authorization: Basic {base64.b64encode(given).decode()}\r\n"
        if url.userinfo
        else "",
    )


def request_of(
    method: str, origin: Origin, target: str, headers: Mapping[str, str], content: bytes
) -> bytes:
    """The request, its target letter by letter as it is given: a signature may be over it.

    Raises UnfitAddressError for a target that no address can end in.
    """
    fields = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    if fields.count("\n") != len(headers) or fields.count("\r") != len(headers):
        # The rest of the value would be a header, or another request.
        raise ValueError("a header's value has a line break in it")
    if "Accept" not in headers:
        fields += "Accept: */*\r\n"
    if origin.authorization and "Authorization" not in headers:
        fields += origin.authorization
    if content or method not in BODILESS:
        fields += f"Content-Length: {len(content)}\r\n"
    head = f"{method} {_address(origin, target)}{origin.headers}{fields}\r\n"
    return head.encode() + content


def _address(origin: Origin, target: str) -> str:
    if _PLAIN.fullmatch(target) is None:
        if not target.isprintable():
            raise UnfitAddressError
        target = quote(target, safe=_ALLOWED)
    if len(target) > LONGEST_ADDRESS:
        raise UnfitAddressError
    return f"{origin.prefix}{target}" or "/"
