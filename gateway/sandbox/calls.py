"""What each simulated backend was asked, for `GET /_sandbox/calls` and for tests."""

from __future__ import annotations

import re
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import UTC
from typing import TYPE_CHECKING, Any

from gateway.sandbox import redaction

if TYPE_CHECKING:
    from datetime import datetime

MAX_CALLS = 2000
MAX_BODY_BYTES = 1_000_000
MAX_TOTAL_BYTES = 64_000_000
_ID = re.compile(r"/(?:\d{6,}|[0-9a-fA-F-]{32,36})(?=/|$)")
_ACTION = re.compile(r"(?:^|&)action=(\w+)")


@dataclass(slots=True, kw_only=True)
class Call:
    """One call as it came in. `status` is None while it runs and when it was dropped.

    What came in is kept raw and hidden from `repr`; `shown` leaves the secrets out.
    """

    backend: str
    method: str
    path: str
    at: datetime
    raw_query: str = field(repr=False)
    raw_headers: list[tuple[bytes, bytes]] = field(repr=False)
    raw_body: bytes = field(repr=False)
    body_bytes: int
    status: int | None = None

    def shown(self) -> dict[str, Any]:
        """Give the call as JSON values, secrets removed."""
        headers = redaction.headers(self.raw_headers)
        body = redaction.body(self.raw_body, headers.get("content-type", ""))
        if self.body_bytes > len(self.raw_body):
            body = f"(not kept: {self.body_bytes} bytes)"
        return {
            "backend": self.backend,
            "method": self.method,
            "path": self.path,
            "query": redaction.query(self.raw_query),
            "headers": headers,
            "body": body,
            "status": self.status,
            "at": self.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }


class Calls:
    """The newest calls, oldest first.

    At most 2,000 of them and 64 MB of bodies are kept, older ones forgotten first; of a body above
    1 MB only its size.
    """

    def __init__(self) -> None:
        self._calls: deque[Call] = deque()
        self._bytes = 0
        self._counts: Counter[tuple[str, str]] = Counter()

    def begin(
        self,
        *,
        backend: str,
        method: str,
        path: str,
        query: str,
        headers: list[tuple[bytes, bytes]],
        body: bytes,
        at: datetime,
    ) -> Call:
        """Record a call that has just come in; its status is filled in by whoever answers."""
        call = Call(
            backend=backend,
            method=method,
            path=path,
            at=at,
            raw_query=query,
            raw_headers=headers,
            raw_body=body if len(body) <= MAX_BODY_BYTES else b"",
            body_bytes=len(body),
        )
        self._calls.append(call)
        self._counts[backend, kind_of(method, path, query)] += 1
        self._bytes += len(call.raw_body)
        while len(self._calls) > MAX_CALLS or self._bytes > MAX_TOTAL_BYTES:
            self._bytes -= len(self._calls.popleft().raw_body)
        return call

    def shown(self, backend: str | None = None) -> list[dict[str, Any]]:
        """Give all calls, or those of one backend, oldest first and without secrets."""
        return [call.shown() for call in self._calls if backend in {None, call.backend}]

    def counts(self) -> dict[str, dict[str, int]]:
        """How many calls there were in all, by backend and kind; these are not forgotten."""
        found: dict[str, dict[str, int]] = {}
        for (backend, kind), count in self._counts.most_common():
            found.setdefault(backend, {})[kind] = count
        return found

    def clear(self) -> None:
        """Forget all."""
        self._calls.clear()
        self._counts.clear()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._calls)


def kind_of(method: str, path: str, query: str) -> str:
    """What a call is, whatever record it is about: method and path without ids, or iVvy's action."""
    action = _ACTION.search(query)
    return action[1] if action else f"{method} {_ID.sub('/…', path)}"
