"""iVvy's request signature, written from the vendor's recipe (contract: ivvy section 2).

The two pure functions at the top are the recipe; `verify` applies it to a request as it arrived.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gateway.sandbox.ivvy import errors
from gateway.sandbox.ivvy.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

API_VERSION = "1.0"
SCHEME = "IWS "


@dataclass(frozen=True, kw_only=True)
class Received:
    """What a signature covers, as received: `target` is path and query from `/api/1.0/` on."""

    target: str
    headers: Mapping[str, str]
    body: bytes


def string_to_sign(
    *, body: bytes, content_type: str, target: str, date: str, ivvy_headers: Mapping[str, str]
) -> str:
    """Give the lower-cased text under the signature; `date` is empty when IVVY-Date is sent."""
    digest = hashlib.md5(body, usedforsecurity=False).hexdigest()
    named = sorted(
        (name.replace("-", "").replace("_", "").lower(), value)
        for name, value in ivvy_headers.items()
    )
    joined = "&".join(f"{name}={value}" for name, value in named)
    return f"POST{digest}{content_type}{date}{target}{API_VERSION}{joined}".lower()


def signature(secret: str, message: str) -> str:
    """Lowercase hex HMAC-SHA1 of the message under the secret."""
    return hmac.new(secret.encode(), message.encode(), hashlib.sha1).hexdigest()


def verify(
    received: Received, *, credentials: Mapping[str, str], now: datetime, window_seconds: float
) -> str:
    """Give the key that signed the request; raises ApiError at the first check that fails.

    ASSUMED order (contract: section 9, last paragraph): headers and key, date, MD5, signature.
    """
    headers = {name.lower(): value for name, value in received.headers.items()}
    key, given = _authorization(headers)
    if key not in credentials:
        raise ApiError(401, errors.NOT_AUTHENTICATED, "The api key is not known")
    for name in ("content-md5", "content-type"):
        if name not in headers:
            raise ApiError(401, errors.NOT_AUTHENTICATED, f"The header {name} is missing")
    _check_date(headers, now=now, window=timedelta(seconds=window_seconds))
    # Lowercase hex, not the base64 of RFC 1864 (contract: section 2.1).
    digest = hashlib.md5(received.body, usedforsecurity=False).hexdigest()
    if headers["content-md5"] != digest:
        raise ApiError(401, errors.WRONG_MD5, "Content-MD5 does not match the body")
    message = string_to_sign(
        body=received.body,
        content_type=headers["content-type"],
        target=received.target,
        date="" if "ivvy-date" in headers else headers["date"],
        ivvy_headers={name: text for name, text in headers.items() if name.startswith("ivvy")},
    )
    if not hmac.compare_digest(signature(credentials[key], message).encode(), given.encode()):
        raise ApiError(401, errors.WRONG_SIGNATURE, "The signature does not match")
    return key


def _authorization(headers: Mapping[str, str]) -> tuple[str, str]:
    value = headers.get("x-api-authorization")
    if value is None:
        message = "The header X-Api-Authorization is missing"
        raise ApiError(401, errors.NOT_AUTHENTICATED, message)
    key, colon, given = value.removeprefix(SCHEME).partition(":")
    if not value.startswith(SCHEME) or not colon:
        message = "X-Api-Authorization must read 'IWS key:signature'"
        raise ApiError(401, errors.NOT_AUTHENTICATED, message)
    return key, given


def _check_date(headers: Mapping[str, str], *, now: datetime, window: timedelta) -> None:
    """IVVY-Date wins over Date; the window is ASSUMED to hold for early dates as for late ones."""
    if "ivvy-date" in headers:
        text, pattern = headers["ivvy-date"].removesuffix(" UTC"), "%Y-%m-%d %H:%M:%S"
    elif "date" in headers:
        text, pattern = headers["date"], "%a, %d %b %Y %H:%M:%S UTC"
    else:
        raise ApiError(401, errors.NOT_AUTHENTICATED, "IVVY-Date or Date is required")
    try:
        sent = datetime.strptime(text, pattern).replace(tzinfo=UTC)
    except ValueError:
        # ASSUMED: a date that cannot be read cannot be within the window.
        sent = None
    if sent is None or abs(now - sent) > window:
        raise ApiError(401, errors.STALE, "Request is stale")
