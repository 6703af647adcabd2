"""Logging: one line of JSON for each event on standard error, or lines for people on a terminal.

The lines of libraries (uvicorn, asyncio, OpenTelemetry) go the same way. Texts of exceptions are
left out, except those of classes whose texts are known to be harmless: others repeat the value that
they choked on, and that may be somebody's name. Class, place and cause are there.
"""

from __future__ import annotations

import json
import logging
import math
import sys
import time
import traceback
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TextIO

import orjson
import stamina
import structlog
from structlog.contextvars import merge_contextvars

from gateway.telemetry.redaction import Redaction

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, MutableMapping

    from structlog.typing import ExcInfo, Processor

    Event = MutableMapping[str, Any]

HARMLESS = frozenset(
    {
        "StoreUnavailableError",
        "StoreUntouchedError",
        "StoreInUseError",
        "NewerDatabaseError",
        "SettingsError",
    }
    | {"TimeoutError", "ConnectionRefusedError", "ConnectionResetError", "BrokenPipeError"}
    | {"FileNotFoundError", "PermissionError", "RecursionError", "MemoryError", "ImportError"}
    | {"ClientConnectorError", "ConnectTimeout", "ConnectError", "ReadTimeout", "gaierror"}
)
"""Exceptions whose texts are shown: they name files, hosts and limits."""
NOT_SHOWN = "(text not logged: it may hold personal data)"


@dataclass
class Seldom:
    """Whether it is time to log again what every turn of a loop meets."""

    seconds: float = 60.0
    _since: float = -math.inf

    def again(self) -> bool:
        """Whether it is; then it is not for a while."""
        now = time.monotonic()
        if now - self._since < self.seconds:
            return False
        self._since = now
        return True


def configure_logs(
    secrets: Iterable[str] = (),
    *,
    level: int = logging.INFO,
    texts: bool = False,
    more: Iterable[Processor] = (),
) -> None:
    """Send events of a level and above to standard error, without these secrets.

    `texts` shows the texts of all exceptions, for data that are nobody's; `more` adds to events.
    """
    stream, redaction = sys.stderr, Redaction(secrets)
    shared: list[Processor] = [
        _request,
        structlog.processors.add_log_level,
        _timestamp,
        *more,
    ]
    rendering = _for_people(redaction, texts) if stream.isatty() else _as_json(redaction, texts)
    # One for all events: a factory of structlog's makes one for each.
    writing = structlog.WriteLogger(stream)
    structlog.configure(
        processors=[*shared, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_names: writing,
    )
    # A line for each retry, which names no backend: the metrics tell it better.
    stamina.instrumentation.set_on_retry_hooks([])
    _adopt_others(stream, [*shared, structlog.stdlib.add_logger_name], rendering)


def _as_json(redaction: Redaction, texts: bool) -> list[Processor]:
    # Local variables, which structlog shows unless told otherwise, hold people's data and secrets.
    transform = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)

    def without_texts(exc_info: ExcInfo) -> list[dict[str, Any]]:
        found = transform(exc_info)
        for one in () if texts else _each(found):
            one.pop("exc_notes", None)
            if one["exc_type"] not in HARMLESS:
                one["exc_value"] = NOT_SHOWN
        return found

    return [
        structlog.processors.ExceptionRenderer(without_texts),
        redaction,
        _json,
    ]


def _request(logger: Any, method: str, event: Event) -> Event:
    """Add the request's id, which is all that is bound to a context; looking through it takes long."""
    return event if "request_id" in event else merge_contextvars(logger, method, event)


@lru_cache(maxsize=1)
def _second(since_1970: int) -> str:
    return datetime.fromtimestamp(since_1970, UTC).isoformat()[:19]


def _timestamp(_logger: Any, _method: str, event: Event) -> Event:
    """Add the time as ISO 8601 has it; structlog's own spells each line's anew."""
    seconds, rest = divmod(time.time_ns(), 1_000_000_000)
    event["timestamp"] = f"{_second(seconds)}.{rest // 1_000:06d}Z"
    return event


def _json(_logger: Any, _method: str, event: Event) -> str:
    try:
        return orjson.dumps(event, default=str).decode()
    except TypeError:  # a whole number of more than 64 bits, half a surrogate pair
        return json.dumps(event, default=str)


def _each(found: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The exceptions of a traceback, those in groups as well."""
    for one in found:
        yield one
        for group in one.get("exceptions", ()):
            yield from _each(group)


def _for_people(redaction: Redaction, texts: bool) -> list[Processor]:
    def without_texts(stream: TextIO, exc_info: ExcInfo) -> None:
        lines = _told(exc_info[1], texts).splitlines(keepends=True)
        stream.write("\n" + "".join(map(redaction.text, lines)))

    def keeping_exceptions(logger: Any, method: str, event: Event) -> Event:
        kept = event.pop("exc_info", None)
        cleaned = redaction(logger, method, event)
        return cleaned if kept is None else {**cleaned, "exc_info": kept}

    return [
        keeping_exceptions,
        structlog.dev.ConsoleRenderer(exception_formatter=without_texts),
    ]


def _told(error: BaseException, texts: bool) -> str:
    """A traceback; of each exception its class and place, and its text where that may be shown."""
    lines: list[str] = []
    for link in _chain(error):
        lines += ["Traceback (most recent call last):\n", *traceback.format_tb(link.__traceback__)]
        name = type(link).__name__
        shown = str(link) if texts or name in HARMLESS else NOT_SHOWN
        lines.append(f"{name}: {shown}\n")
    return "".join(lines)


def _chain(error: BaseException) -> list[BaseException]:
    """An exception behind those that it came from."""
    chain: list[BaseException] = []
    found: BaseException | None = error
    while found is not None and found not in chain:
        chain.insert(0, found)
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)
    return chain


def _adopt_others(stream: TextIO, shared: list[Processor], rendering: list[Processor]) -> None:
    """Send what libraries log by Python's own means the same way, from warnings on."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.captureWarnings(capture=True)
    # It repeats headers of anybody's handshake; the view says it shorter.
    logging.getLogger("strawberry.ws").setLevel(logging.ERROR)
