"""Takes secrets and people's data out of what is logged, whoever has put them there.

The lines of the gateway's own code name backends, ids, counts and codes. What this is for: texts of
libraries and exceptions, which repeat what they choked on, and the next line that somebody writes.
"""

from __future__ import annotations

import base64
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import SecretStr

if TYPE_CHECKING:
    from collections.abc import Iterable, MutableMapping

    from gateway.settings import Settings

HIDDEN = "***"
_BARE = (bool, int, float, type(None))
WHO = "caller"
"""Who sent a request, by the name of its key or the subject of its token: an audit without it would
be none, even where an identity provider's subjects are e-mail addresses."""
_OURS = (WHO, "level", "timestamp")
"""Members whose values are not looked through: the last two are written over whoever gives them."""
SHORTEST = 6
"""Characters that a configured secret needs to be looked for: shorter ones are parts of words."""

LONGEST = 2_000
"""Characters of a text that are shown: longer ones are others' words, repeated by a library."""

_NAMES = re.compile(
    r"password|passwd|secret|token|credential|authorization|cookie|api_?key|signature"
    r"|e_?mail|phone|first_?name|last_?name|address|body|payload|variables|input",
    re.IGNORECASE,
)
"""Names of members whose values are never shown."""

_LOCAL, _DOMAIN = r"[^\s@\"'<>()\[\],;:=/]", r"[^\s@\"'<>()\[\],;:]+\.[^\W\d_]{2,}"

_PATTERNS = (
    # Only what is worth hiding stands here: too greedy a pattern would hide ids and times as well.
    # None goes through a run of characters again from each of them: callers choose some of the texts.
    (re.compile(r"\b(Bearer|Basic|IWS)\s+[^\s,;\"']+", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (re.compile(r"\b(?:SG\.|cgw_|eyJ)[\w.-]{8,}"), HIDDEN),
    (re.compile(r"(\w://)[^\s/@]+@"), rf"\1{HIDDEN}@"),
    (re.compile(rf"(?<!{_LOCAL}){_LOCAL}++@{_DOMAIN}(?:{_LOCAL}*+@{_DOMAIN})*"), "<e-mail>"),
    (re.compile(r"\+\d[\d ().-]{6,}\d"), "<phone>"),
    # What asyncio writes of a task's end: exception=KeyError('whatever it was'), cut off or not.
    (re.compile(r"(exception=\w+)\((?:.*?\)(?=>|$)|.*)", re.DOTALL), rf"\1({HIDDEN})"),
)

_SIGNS = ("@", "+", "(", "://", "SG.", "cgw_", "eyJ")
_SUSPECT = re.compile("|".join([r"\s", *map(re.escape, _SIGNS)]))
"""Each of the patterns needs one of these: most texts of a line are ids and codes without any."""


@lru_cache(maxsize=1_024)
def _hides(name: str) -> bool:
    """Whether the values of members of this name are never shown."""
    return _NAMES.search(name) is not None


@lru_cache(maxsize=1_024)
def _hides_none(names: tuple[str, ...]) -> bool:
    """Whether there is no such name among those of a whole event."""
    return not any(map(_hides, names))


class Redaction:
    """A processor of structlog's; `secrets` are texts that may stand nowhere."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({one for one in secrets if len(one) >= SHORTEST}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None
        self._signs = (*_SIGNS, *known)

    def __call__(
        self, _logger: Any, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """The event without what must not be in it."""
        if self._is_plain(event):
            return event
        return {
            name: value if name == WHO else self._shown(name, value)
            for name, value in event.items()
        }

    def _is_plain(self, event: MutableMapping[str, Any]) -> bool:
        """Whether nothing in an event can be one that must not be there: most are ids and codes."""
        if not _hides_none(tuple(event)):
            return False
        texts: list[str] = []
        for name, value in event.items():
            if name in _OURS:
                continue
            kind = type(value)
            if kind is str:
                texts.append(value)
            elif kind is list and all(type(inner) is str for inner in value):
                texts += value
            elif kind not in _BARE:
                return False
        together = '"'.join(texts)
        if len(together) > LONGEST or together.split(maxsplit=1) != [together]:
            return False  # too long, or with white space
        # One by one they are found faster than by one pattern.
        return not any(map(together.__contains__, self._signs))

    def text(self, text: str) -> str:
        """A text without what must not be in it; what is over LONGEST is cut off, and said to be."""
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        cut = ""
        if len(text) > LONGEST:
            cut = f" … ({len(text):,} characters, cut off)"
            text = _beginning(text)
        if _SUSPECT.search(text) is None:
            return text + cut
        for pattern, instead in _PATTERNS:
            text = pattern.sub(instead, text)
        return text + cut

    def _shown(self, name: str, value: Any) -> Any:
        if _hides(name) and not isinstance(value, _BARE):
            return HIDDEN
        return self._cleaned(value)

    def _cleaned(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {str(name): self._shown(str(name), inner) for name, inner in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._cleaned(inner) for inner in value]
        if isinstance(value, _BARE):
            return value
        return self.text(str(value))


def _beginning(text: str) -> str:
    """The whole words that a text begins with: no pattern would know half an address or number."""
    words = text[:LONGEST].rsplit(maxsplit=1)
    return words[0].rstrip(" 0123456789().+-") if len(words) > 1 else ""


def secrets_in(settings: Settings) -> list[str]:
    """The secrets that the settings hold, in every form in which they are sent."""
    values = [getattr(settings, name) for name in type(settings).model_fields]
    found = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
    if settings.everbridge_username and settings.everbridge_password:
        password = settings.everbridge_password.get_secret_value()
        pair = f"{settings.everbridge_username}:{password}"
        found.append(base64.b64encode(pair.encode()).decode())
    if settings.ivvy_api_key:
        found.append(settings.ivvy_api_key)
    addresses = (settings.database_url, settings.otlp_endpoint or "")
    return [*found, *(urlsplit(address).password or "" for address in addresses)]
