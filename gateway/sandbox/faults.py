"""Faults on request: which calls they meet and what becomes of those."""

from __future__ import annotations

import http
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl

import orjson

from gateway.sandbox.connection import ConnectionDropped

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

__all__ = ["ConnectionDropped", "Fault", "Faults", "InvalidFaultError"]

_LONGEST_DELAY_MS = 600_000
_METHODS = frozenset(method.value for method in http.HTTPMethod)


class InvalidFaultError(ValueError):
    """A fault cannot be understood; the text says which member and why."""


@dataclass(slots=True, kw_only=True)
class Fault:
    """One fault, met by the next `times` calls that fit."""

    backend: str
    times: int = 1
    method: str | None = None
    path: str | None = None
    delay_ms: float = 0
    status: int | None = None
    headers: Mapping[str, str] | None = None
    body: bytes | None = None
    drop: Literal["before", "after"] | None = None
    truncate: bool = False
    effect: bool = False
    asked: Mapping[str, Any]

    @property
    def answers(self) -> bool:
        """Whether the fault brings an answer of its own, in place of the backend's."""
        return self.status is not None or self.headers is not None or self.body is not None

    @property
    def acts_first(self) -> bool:
        """Whether the backend does what was asked before the fault comes."""
        return self.effect or self.drop == "after"

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Give the fault's own status (200 when none is set), headers and body."""
        body = self.body or b""
        kind = "text/html; charset=utf-8" if body[:1] == b"<" else "text/plain; charset=utf-8"
        if "body" in self.asked and not isinstance(self.asked["body"], str):
            kind = "application/json"
        headers = {"content-type": kind} if body else {}
        headers |= {name.lower(): value for name, value in (self.headers or {}).items()}
        return self.status or 200, headers, body

    def meets(self, backend: str, method: str, path: str, query: str) -> bool:
        """Whether a call is one of those that the fault is for."""
        if backend != self.backend or (self.method is not None and method != self.method):
            return False
        if self.path is None:
            return True
        wanted_path, _, wanted_query = self.path.partition("?")
        return _path_fits(wanted_path, path) and _query_fits(wanted_query, query)

    def left(self) -> dict[str, Any]:
        """Give the fault as it was asked for, with the number of calls that it still waits for."""
        return {**self.asked, "times": self.times}


def _path_fits(wanted: str, path: str) -> bool:
    """Prefix by whole segments, or a glob over the whole path where there is a star."""
    if "*" in wanted:
        return fnmatchcase(path, wanted)
    wanted = wanted.rstrip("/")
    return path == wanted or path.startswith(wanted + "/")


def _query_fits(wanted: str, query: str) -> bool:
    """Each wanted parameter must be there, in any order; values may be globs."""
    given = parse_qsl(query, keep_blank_values=True)
    return all(
        any(name == key and fnmatchcase(value, pattern) for key, value in given)
        for name, pattern in parse_qsl(wanted, keep_blank_values=True)
    )


class Faults:
    """The faults that wait for their calls, in the order in which they were asked for."""

    def __init__(self, backends: Collection[str]) -> None:
        self._backends = backends
        self._waiting: list[Fault] = []

    def add(self, asked: Mapping[str, Any]) -> Fault:
        """Take a fault in the shape of `POST /_sandbox/faults`; raises InvalidFaultError."""
        fault = read_fault(asked, self._backends)
        self._waiting.append(fault)
        return fault

    def take(self, backend: str, method: str, path: str, query: str = "") -> Fault | None:
        """Give the first fault that this call meets, and count it."""
        for fault in self._waiting:
            if fault.meets(backend, method, path, query):
                fault.times -= 1
                if fault.times == 0:
                    self._waiting.remove(fault)
                return fault
        return None

    def left(self) -> list[dict[str, Any]]:
        """Give the faults that still wait, in order."""
        return [fault.left() for fault in self._waiting]

    def clear(self) -> None:
        """Forget all."""
        self._waiting.clear()


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_delay(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and 0 < value <= _LONGEST_DELAY_MS


def _is_status(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 200 <= value <= 599  # noqa: PLR2004 - final HTTP statuses


def _is_headers(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(key, str) and isinstance(one, str) for key, one in value.items()
    )


_CHECKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "times": (_is_count, "a whole number from 1"),
    "method": (lambda value: isinstance(value, str) and value.upper() in _METHODS, "a method"),
    "path": (
        lambda value: isinstance(value, str) and value[:1] in {"/", "*"},
        "a path behind the mount, starting with / or *",
    ),
    "delayMs": (_is_delay, f"a number of milliseconds above 0, at most {_LONGEST_DELAY_MS}"),
    "status": (_is_status, "a whole number from 200 to 599"),
    "headers": (_is_headers, "an object of texts"),
    "body": (lambda _: True, "JSON, or a text that is sent as it is"),
    "drop": (lambda value: value in {"before", "after"}, '"before" or "after"'),
    "truncate": (lambda value: isinstance(value, bool), "true or false"),
    "effect": (lambda value: isinstance(value, bool), "true or false"),
}


def read_fault(asked: Any, backends: Collection[str]) -> Fault:
    """Check a fault in the shape of `POST /_sandbox/faults`; raises InvalidFaultError."""
    if not isinstance(asked, dict):
        raise InvalidFaultError("a fault is an object")
    unknown = [key for key in asked if key not in _CHECKS and key != "backend"]
    if unknown:
        known = ", ".join(["backend", *_CHECKS])
        raise InvalidFaultError(f"unknown member {unknown[0]!r}; known are {known}")
    if asked.get("backend") not in backends:
        raise InvalidFaultError(f"backend must be one of {', '.join(backends)}")
    for key, (check, meaning) in _CHECKS.items():
        if key in asked and not check(asked[key]):
            raise InvalidFaultError(f"{key} must be {meaning}")
    fault = _made(asked)
    if fault.drop and (fault.answers or fault.truncate or fault.effect):
        raise InvalidFaultError("drop leaves no answer: no status, headers, body, truncate, effect")
    if not (fault.drop or fault.answers or fault.truncate or fault.delay_ms):
        raise InvalidFaultError(
            "nothing to do: give delayMs, status, headers, body, drop, truncate"
        )
    return fault


def _made(asked: dict[str, Any]) -> Fault:
    body: bytes | None = None
    if "body" in asked:
        given = asked["body"]
        body = given.encode() if isinstance(given, str) else orjson.dumps(given)
    method = asked.get("method")
    return Fault(
        backend=asked["backend"],
        times=asked.get("times", 1),
        method=None if method is None else method.upper(),
        path=asked.get("path"),
        delay_ms=asked.get("delayMs", 0),
        status=asked.get("status"),
        headers=asked.get("headers"),
        body=body,
        drop=asked.get("drop"),
        truncate=asked.get("truncate", False),
        effect=asked.get("effect", False),
        asked=asked,
    )
