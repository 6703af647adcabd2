"""How iVvy's requests are signed (iVvy: "Signing the Request"; contract: ivvy sections 2.1, 2.2)."""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

API_VERSION = "1.0"


def content_md5(content: bytes) -> str:
    """The MD5 of a body in lower-case hex, not in base64 as RFC 1864 has it."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def string_to_sign(content: bytes, target: str, headers: Mapping[str, str]) -> str:
    """What is signed, without separators and all in lower case.

    `target` is path and query from `/api/1.0/` on. Content-Type and Content-MD5 are signed as they
    are sent; the Date counts only where no IVVY-Date is sent.
    """
    ivvy = [
        (signed, value)
        for name, value in headers.items()
        if (signed := _name_to_sign(name)) is not None
    ]
    md5 = headers.get("Content-MD5") or content_md5(content)
    date = "" if ivvy else headers.get("Date", "")
    own = "&".join([f"{name}={value}" for name, value in sorted(ivvy)])
    return f"POST{md5}{headers['Content-Type']}{date}{target}{API_VERSION}{own}".lower()


@lru_cache(maxsize=64)
def _name_to_sign(name: str) -> str | None:
    """What the signature calls a header of iVvy's own; None for other headers."""
    return name.replace("-", "").replace("_", "") if name[:4].upper() == "IVVY" else None


def signature(secret: str, content: bytes, target: str, headers: Mapping[str, str]) -> str:
    """The signature of a request: 40 lower-case hex digits."""
    message = string_to_sign(content, target, headers).encode()
    return hmac.digest(secret.encode(), message, "sha1").hex()
