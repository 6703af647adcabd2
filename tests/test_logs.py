"""What a log line holds, and what it never holds."""

from __future__ import annotations

import io
import json
import logging
import sys
from typing import TYPE_CHECKING, Any

import pytest
import stamina
import structlog
from strawberry import ID

from gateway.callers.audit import delivered
from gateway.logs import Seldom, configure_logs
from gateway.model import Backend
from gateway.results import BackendResult, Outcome
from gateway.telemetry import redaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Terminal(io.StringIO):
    """A stream that people read."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    structlog.reset_defaults()
    stamina.instrumentation.set_on_retry_hooks(None)
    logging.captureWarnings(capture=False)
    logging.root.handlers[:], logging.root.level = handlers, level


def log_a_fault() -> None:
    nothing: list[str] = []
    secret = "SG." + "sandbox-key"  # a local variable, as a failing call has many
    try:
        _ = nothing[len(secret)]
    except IndexError:
        structlog.get_logger().exception("target failed", backend="IVVY")


def log_what_it_led_to(error: Exception) -> None:
    """A fault with a cause, both with texts."""

    def fail() -> None:
        try:
            raise error
        except type(error) as cause:
            raise RuntimeError(str(cause)) from cause

    try:
        fail()
    except RuntimeError:
        structlog.get_logger().exception("target failed")


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


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[dict[str, Any]]]:
    """What has been logged as JSON so far, by a gateway that knows one secret."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    configure_logs(["correct horse"])
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def test_texts_of_exceptions_are_left_out_unless_they_are_known_to_be_harmless(
    lines: Callable[[], list[dict[str, Any]]],
) -> None:
    for error in (KeyError("Ada Lovelace"), TimeoutError("no answer in 3 s")):
        log_what_it_led_to(error)
    shown = [[one["exc_value"] for one in line["exception"]] for line in lines()]
    hidden = "(text not logged: it may hold personal data)"
    assert shown == [[hidden, hidden], [hidden, "no answer in 3 s"]]


def test_secrets_and_personal_data_are_taken_out_of_whatever_is_logged(
    lines: Callable[[], list[dict[str, Any]]],
) -> None:
    structlog.get_logger().warning(
        "said: ada@example.com called +44 20 7946 0958 with Bearer abc.def and correct horse",
        url="postgresql://gateway:pa55@db/gateway",
        made={"email": "a@b", "count": 3, "list": ["SG.abcdefgh.ijklmnop"], "token": None},
        seconds=1.5,
        caller="jwt:ops@example.com",
        at="2026-11-21T15:20:31.123456+00:00",
    )
    [line] = lines()
    assert line["event"] == "said: <e-mail> called <phone> with Bearer *** and ***"
    assert line["url"] == "postgresql://***@db/gateway"
    assert line["made"] == {"email": "***", "count": 3, "list": ["***"], "token": None}
    assert line["caller"] == "jwt:ops@example.com"
    assert (line["seconds"], line["at"]) == (1.5, "2026-11-21T15:20:31.123456+00:00")


def test_lines_of_libraries_go_the_same_way(
    lines: Callable[[], list[dict[str, Any]]],
) -> None:
    with structlog.contextvars.bound_contextvars(request_id="r-1"):
        logging.getLogger("some.library").warning("Invalid request from %s", "ada@example.com")
        logging.getLogger("asyncio").error("Task <Task exception=KeyError('Ada')>")
        logging.getLogger("some.library").info("not shown")
    first, second = lines()
    assert first["event"] == "Invalid request from <e-mail>"
    assert (first["level"], first["logger"]) == ("warning", "some.library")
    assert first["request_id"] == "r-1"
    assert second["event"] == "Task <Task exception=KeyError(***)>"


def test_a_terminal_shows_places_and_causes_without_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    configure_logs()
    log_what_it_led_to(KeyError("Ada Lovelace"))
    shown = stream.getvalue()
    assert "KeyError: (text not logged" in shown
    assert "RuntimeError: (text not logged" in shown
    assert "test_logs.py" in shown
    assert "Lovelace" not in shown


def test_a_gateway_with_data_of_nobody_shows_texts_of_exceptions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for stream in (io.StringIO(), Terminal()):
        monkeypatch.setattr(sys, "stderr", stream)
        configure_logs(texts=True)
        log_a_fault()
        assert "list index out of range" in stream.getvalue()


def test_values_of_any_kind_make_a_line(lines: Callable[[], list[dict[str, Any]]]) -> None:
    structlog.get_logger().info("odd", number=2**80, half="\ud800", kind=ValueError, none=None)
    [line] = lines()
    assert (line["number"], line["half"], line["none"]) == (2**80, "\ud800", None)
    assert "ValueError" in line["kind"]


MANY = 300_000


@pytest.mark.parametrize(
    "text",
    [
        "@ " + "a" * MANY,
        "a@" * MANY,
        "a@" + "b." * MANY,
        "a@b.cd1" * MANY,
        "exception=K(" * MANY,
        "exception=" + "k" * MANY,
        "x://" * MANY,
        "x://" + "a" * MANY,
        "+1 " * MANY,
        "+1" + " " * MANY,
        "Bearer" + " " * MANY,
        "SG." * MANY,
    ],
    ids=lambda text: text[:12],
)
def test_no_run_of_characters_is_gone_through_again_from_each_of_them(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    # Where one was, these took many minutes.
    monkeypatch.setattr(redaction, "LONGEST", 10 * MANY)
    assert len(redaction.Redaction().text(text)) <= len(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ada@example.com, (bob@example.co.uk).", "<e-mail>, (<e-mail>)."),
        ("by=ada@example.com/x", "by=<e-mail>/x"),
        ("a@b.de1c@example.com", "<e-mail>"),
        ("a@b1c@example.com", "a@<e-mail>"),
        ("x" * 80 + "@example.com", "<e-mail>"),
        ("root@localhost", "root@localhost"),
    ],
)
def test_addresses_are_taken_out_whole(text: str, shown: str) -> None:
    assert redaction.Redaction().text(text) == shown


@pytest.mark.parametrize(
    "end", ["ada.lovelace@example.com", "+44 20 7946 0958", "exception=KeyError('Ada Lovelace')>"]
)
@pytest.mark.parametrize("before", range(1, 40, 3))
def test_a_long_text_is_cut_off_and_shows_no_half_of_what_is_taken_out(
    lines: Callable[[], list[dict[str, Any]]], end: str, before: int
) -> None:
    text = "w " * (redaction.LONGEST // 2 - 1)
    text = text[: redaction.LONGEST - before - 1] + " " + end + " and more" * 20
    structlog.get_logger().warning(text)
    shown = lines()[0]["event"]
    assert f"({len(text):,} characters, cut off)" in shown
    assert len(shown) < redaction.LONGEST + 50
    assert [part for part in ("ada", "lace", "+44", "+", "794", "Ada") if part in shown] == []


def test_a_long_text_without_words_is_not_shown(lines: Callable[[], list[dict[str, Any]]]) -> None:
    structlog.get_logger().warning("a" * 5_000)
    assert lines()[0]["event"] == " … (5,000 characters, cut off)"


def test_a_long_traceback_is_whole_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    configure_logs()
    error: Exception = KeyError("first")
    for _ in range(60):
        inner, error = error, ValueError("again")
        error.__cause__ = inner
    log_what_it_led_to(error)
    shown = stream.getvalue()
    assert len(shown) > 2 * redaction.LONGEST
    assert "cut off" not in shown
    assert shown.rstrip().endswith("RuntimeError: (text not logged: it may hold personal data)")


def test_headers_that_strawberry_repeats_of_a_handshake_are_not_logged(
    lines: Callable[[], list[dict[str, Any]]],
) -> None:
    logging.getLogger("strawberry.ws").warning("Rejected WebSocket from %r", "x" * 100)
    logging.getLogger("strawberry.ws.task").error("Exception in worker task")
    assert [line["event"] for line in lines()] == ["Exception in worker task"]


def test_the_audit_goes_where_logging_was_set_up_last(monkeypatch: pytest.MonkeyPatch) -> None:
    result = BackendResult(backend=Backend.IVVY, outcome=Outcome.UPDATED, id=ID("7"))
    for _ in range(2):
        stream = io.StringIO()
        monkeypatch.setattr(sys, "stderr", stream)
        configure_logs()
        with structlog.contextvars.bound_contextvars(request_id="another"):
            delivered("key:crm", "r-1", "op-1", result)
            structlog.get_logger().info("done")
        told, done = map(json.loads, stream.getvalue().splitlines())
        assert (told["event"], told["record"], told["request_id"]) == ("audit", "7", "r-1")
        assert done["request_id"] == "another"


def test_what_every_turn_meets_is_told_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([5.0, 6.0, 64.0, 65.0, 66.0])
    monkeypatch.setattr("gateway.logs.time.monotonic", lambda: next(now))
    seldom = Seldom(seconds=60)
    assert [seldom.again() for _ in range(5)] == [True, False, False, True, False]
