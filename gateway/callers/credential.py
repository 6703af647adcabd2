"""What a request brings along to say who sends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.callers.keys import PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping

AUTHORIZATION, API_KEY = "authorization", "x-api-key"


@dataclass(frozen=True, slots=True)
class Credential:
    """A key or a token, not looked at yet."""

    text: str
    is_key: bool

    def __repr__(self) -> str:
        return f"Credential(is_key={self.is_key})"


def credential_of(headers: Mapping[str, str]) -> Credential | None:
    """What the headers bring: `X-Api-Key`, else `Authorization: Bearer` with a key or a JWT.

    Names are in small letters; Starlette's headers take them in any.
    """
    key = headers.get(API_KEY, "").strip()
    if key:
        return Credential(key, is_key=True)
    scheme, _, text = headers.get(AUTHORIZATION, "").strip().partition(" ")
    text = text.strip()
    if scheme.lower() != "bearer" or not text:
        return None
    return Credential(text, is_key=text.startswith(PREFIX))


def credential_in(payload: Mapping[str, object]) -> Credential | None:
    """What a WebSocket's connection_init brings, named as the headers are, in any letters.

    They may stand in an object `headers`, as some clients put them.
    """
    inner = payload.get("headers")
    found = {**payload, **(inner if isinstance(inner, dict) else {})}
    return credential_of(
        {str(name).lower(): text for name, text in found.items() if isinstance(text, str)}
    )
