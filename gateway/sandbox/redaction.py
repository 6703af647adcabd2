"""Taking secrets out of recorded calls: in headers, queries, JSON, forms and plain text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable

HIDDEN = "***"

_SECRET_NAMES = frozenset(
    {
        *("password", "passwd", "pwd", "secret", "clientsecret", "apisecret", "apikey"),
        *("token", "accesstoken", "idtoken", "refreshtoken", "authorization", "signature"),
        *("privatekey", "clientassertion", "assertion"),
    }
)
_SCHEMES = frozenset({"authorization", "proxy-authorization"})
_HIDDEN_HEADERS = frozenset({"cookie", "set-cookie", "x-api-key", "x-auth-token"})
_MEMBER = re.compile(r'("([\w.-]+)"\s*:\s*)"(?:[^"\\]|\\.)*"?')


def is_secret(name: str) -> bool:
    """Whether a member or parameter of this name holds a secret, in any spelling of the words."""
    return name.lower().replace("_", "").replace("-", "").replace(".", "") in _SECRET_NAMES


def headers(given: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Give headers by lower-case name, repeated ones joined, what authenticates cut out."""
    shown: dict[str, str] = {}
    for raw_name, raw_value in given:
        name = raw_name.decode("latin-1").lower()
        value = _header(name, raw_value.decode("latin-1"))
        shown[name] = f"{shown[name]}, {value}" if name in shown else value
    return shown


def _header(name: str, value: str) -> str:
    if name in _SCHEMES:
        scheme, separator, _ = value.partition(" ")
        return f"{scheme} {HIDDEN}" if separator else HIDDEN
    if name == "x-api-authorization":
        # iVvy: "IWS <key>:<signature>"; the key says who calls and is no secret by itself.
        key, separator, _ = value.rpartition(":")
        return f"{key}:{HIDDEN}" if separator else HIDDEN
    return HIDDEN if name in _HIDDEN_HEADERS else value


def query(text: str) -> dict[str, str | list[str]]:
    """Give a query by name; a name that is repeated has a list of values."""
    shown: dict[str, str | list[str]] = {}
    for name, given in parse_qsl(text, keep_blank_values=True):
        value = HIDDEN if is_secret(name) else given
        held = shown.get(name)
        if held is None:
            shown[name] = value
        else:
            shown[name] = [*held, value] if isinstance(held, list) else [held, value]
    return shown


def body(given: bytes, content_type: str) -> Any:
    """Give a body parsed where it is JSON and as text otherwise; None when there is none."""
    if not given:
        return None
    try:
        return _json(orjson.loads(given))
    except orjson.JSONDecodeError:
        text = given.decode("utf-8", "replace")
    if content_type.startswith("application/x-www-form-urlencoded"):
        pairs = parse_qsl(text, keep_blank_values=True)
        return urlencode([(k, HIDDEN if is_secret(k) else v) for k, v in pairs], safe="*")
    return _MEMBER.sub(
        lambda found: f'{found[1]}"{HIDDEN}"' if is_secret(found[2]) else found[0], text
    )


def _json(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: HIDDEN if is_secret(k) and v is not None else _json(v) for k, v in value.items()}
    return [_json(one) for one in value] if isinstance(value, list) else value
