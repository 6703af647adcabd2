"""A call to a backend and its answer, as plain values."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote_plus, urlencode

import orjson

from gateway.fixed import fixed
from gateway.results import BackendCall

if TYPE_CHECKING:
    from collections.abc import Mapping


UNRESERVED = re.compile(r"[A-Za-z0-9_.~-]*")
"""What stands in an address as it is."""
EXCERPT = 300
"""Characters of an unexpected answer that an error shows."""


class Safety(Enum):
    """What repeating a call would do."""

    READ = "read"
    REPEATABLE = "repeatable"
    """A write that may be sent twice: the second time changes nothing more."""
    ONCE = "once"
    """A write that would happen twice if it were sent twice."""


@dataclass(frozen=True, kw_only=True)
class FromReply:
    """Stands in a body for a value of an earlier reply of the same plan, such as a new id."""

    call: int
    """Which call of the plan, from 0."""
    key: str
    whole: bool = False
    """Whether it is wanted as a whole number, even where the reply has it as text."""

    def value(self, replies: list[Reply]) -> Any:
        """What it stands for, once the replies are there."""
        found = replies[self.call].body[self.key]
        return int(found) if self.whole else found


@fixed
class Call:
    """One call to a backend, before it is authorized."""

    method: str
    path: str
    """Behind the backend's base URL, percent-encoded, without query."""
    query: tuple[tuple[str, str], ...] = ()
    body: Any = None
    """A JSON value; None sends no body."""
    form: tuple[tuple[str, str], ...] = ()
    """Fields of a form, instead of a JSON body."""
    safety: Safety = Safety.READ
    base_url: str | None = None
    """Where it goes when not to the backend's base URL, such as a token service."""
    carries: tuple[str, ...] = ()
    """Input fields that this call of a plan carries, and no other unless it says so too; a call
    that says nothing carries the rest."""
    hidden: frozenset[str] = frozenset()
    """Keys at the top of the body whose values a receipt must not show."""

    @property
    def target(self) -> str:
        """Path and query."""
        return _target(self.path, self.query) if self.query else self.path

    def content(self) -> bytes:
        """The bytes of the body."""
        if self.form:
            return urlencode(self.form).encode()
        return b"" if self.body is None else orjson.dumps(self.body)


@lru_cache(maxsize=256)
def _target(path: str, query: tuple[tuple[str, str], ...]) -> str:
    """Remembered, because each call needs it several times, and many calls have the same one."""
    pairs = [f"{_in_query(name)}={_in_query(value)}" for name, value in query]
    return f"{path}?{'&'.join(pairs)}"


def _in_query(text: str) -> str:
    """A text as a query has it; most have nothing that must be encoded."""
    return text if UNRESERVED.fullmatch(text) else quote_plus(text)


class Answer(NamedTuple):
    """What a backend answered, as it came."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    content: bytes
    text: str


@fixed
class Reply:
    """A backend's answer, read as JSON where it is JSON."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: Any
    """None when there is no body or it is not JSON."""
    text: str

    @property
    def excerpt(self) -> str:
        """The beginning of the answer, for an error that must show it.

        Of JSON that is no error only its form is shown: it may hold people's data, and whoever
        writes may not read.
        """
        text = " ".join(self.text.split())
        if self.status < HTTPStatus.BAD_REQUEST and text.startswith(("{", "[")):
            text = f"{len(text)} characters of JSON" if self.body is None else _form(self.body)
        return text if len(text) <= EXCERPT else f"{text[:EXCERPT]}…"


_SAID = frozenset({"message", "status", "code", "error", "errorCode", "specificCode"})
"""What of an answer speaks of the call, and of nobody."""


def _form(body: Any) -> str:
    """A JSON value's keys at the top, with what they say of the call; deeper ones may be people's."""
    if isinstance(body, dict):
        parts = [f"{key}: {_shape(value, said=key in _SAID)}" for key, value in body.items()]
        return f"{{{', '.join(parts)}}}"
    return _shape(body, said=False)


def _shape(value: Any, *, said: bool) -> str:
    if isinstance(value, dict):
        return "{…}" if value else "{}"
    if isinstance(value, list):
        return f"[{len(value)}]"
    return str(value) if said else "…"


def shown(call: Call) -> BackendCall:
    """A call as the receipt shows it; credentials are added to calls only when they are sent."""
    return _shown(call, _with_references_named(call.body))


def shown_filled(call: Call) -> BackendCall:
    """The same for a call that is about to be sent, and so refers to no earlier reply any more."""
    return _shown(call, dict(call.body) if isinstance(call.body, dict) else call.body)


def _shown(call: Call, body: Any) -> BackendCall:
    if call.hidden and isinstance(body, dict) and not call.hidden.isdisjoint(body):
        body |= dict.fromkeys(call.hidden & body.keys(), "***")
    return BackendCall(method=call.method, path=call.target, body=body)


def filled(call: Call, replies: list[Reply]) -> Call:
    """The call with its references to earlier replies filled in."""
    if not replies:
        return call  # there is none that it could refer to
    body = _replaced(call.body, lambda reference: reference.value(replies))
    return replace(call, body=body)


def _with_references_named(body: Any) -> Any:
    if not _refers(body):
        return dict(body) if isinstance(body, dict) else body
    return _replaced(body, lambda reference: f"<{reference.key} of call {reference.call + 1}>")


def _refers(value: Any) -> bool:
    """Whether a body has any reference to an earlier reply; most have none."""
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return isinstance(value, FromReply)
    nested = [item for item in value if type(item) not in _SCALARS]
    return any(map(_refers, nested)) if nested else False


_SCALARS = frozenset({str, int, float, bool, type(None)})


def _replaced(value: Any, replace: Any) -> Any:
    if isinstance(value, FromReply):
        return replace(value)
    if isinstance(value, dict):
        return {key: _replaced(item, replace) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, replace) for item in value]
    return value


def read(answer: Answer) -> Reply:
    """The answer, with its body read as JSON where it is JSON."""
    try:
        body = orjson.loads(answer.content) if answer.content else None
    except orjson.JSONDecodeError:
        body = None
    return Reply(status=answer.status, headers=answer.headers, body=body, text=answer.text)
