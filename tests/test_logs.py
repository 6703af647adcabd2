"""What a log line holds, and what it never holds."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING

import pytest
import structlog

from gateway.logs import configure_logs

if TYPE_CHECKING:
    from collections.abc import Iterator


class Terminal(io.StringIO):
    """A stream that people read."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def log_a_fault() -> None:
    nothing: list[str] = []
    secret = "SG." + "sandbox-key"  # a local variable, as a failing call has many
    try:
        _ = nothing[len(secret)]
    except IndexError:
        structlog.get_logger().exception("target failed", backend="IVVY")


def test_a_log_line_is_json_with_a_traceback_and_without_local_variables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    configure_logs()
    structlog.get_logger().debug("not shown")
    log_a_fault()
    [line] = stream.getvalue().splitlines()
    event = json.loads(line)
    assert (event["event"], event["level"], event["backend"]) == ("target failed", "error", "IVVY")
    assert event["exception"][0]["exc_type"] == "IndexError"
    assert "sandbox-key" not in line


def test_a_terminal_shows_lines_for_people_without_local_variables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    configure_logs()
    log_a_fault()
    shown = stream.getvalue()
    assert "target failed" in shown
    assert "IndexError" in shown
    assert "SG.sandbox-key" not in shown
