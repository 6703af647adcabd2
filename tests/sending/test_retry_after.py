"""When a backend says to try again, and what its last minute of calls tells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls import Reply
from gateway.sending.traffic import Traffic
from gateway.sending.verdicts import retry_after


def test_traffic_forgets_after_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("gateway.sending.traffic.time.monotonic", lambda: now)
    traffic = Traffic()
    for _ in range(1001):
        traffic.note(0.5, failed=False)
    assert len(traffic.recent()) == 501
    now += 61
    traffic.note(0.1, failed=True)
    assert traffic.recent() == [(0.1, True)]


def reply_with(headers: dict[str, str]) -> Reply:
    return Reply(status=429, headers=headers, body=None, text="")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("3", 3.0),
        ("0.5", 0.5),
        ("-4", 0.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("soon", None),
        ("", None),
        ("inf", None),
        ("nan", None),
    ],
)
def test_retry_after_is_read_in_seconds_or_as_a_date(value: str, seconds: float | None) -> None:
    assert retry_after(reply_with({"retry-after": value})) == seconds


def test_retry_after_is_none_where_the_answer_has_none() -> None:
    assert retry_after(reply_with({})) is None


def test_a_date_without_a_zone_is_read_as_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.sending.verdicts.time.time", lambda: 1_445_412_470.0)
    header = {"retry-after": "Wed, 21 Oct 2015 07:28:00 -0000"}
    assert retry_after(reply_with(header)) == 10.0


@given(st.text())
def test_no_retry_after_breaks_the_reading(value: str) -> None:
    seconds = retry_after(reply_with({"retry-after": value}))
    assert seconds is None or 0 <= seconds < float("inf")
