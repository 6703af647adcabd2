"""A line without anything suspicious goes out as it is; one suspicious word anywhere is found."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.telemetry.redaction import HIDDEN, Redaction

SECRET = "s3cret-of-the-vendor"
PLAIN: dict[str, Any] = {
    "caller": "jwt:somebody@example.com",
    "request_id": "0f3b2c77",
    "jobs": ["abc", "def"],
    "record": None,
    "count": 3,
    "event": "audit",
}


def redacted(event: dict[str, Any]) -> dict[str, Any]:
    return dict(Redaction([SECRET])(None, "info", dict(event)))


def test_a_plain_line_is_as_it_was() -> None:
    assert redacted(PLAIN) == PLAIN


@pytest.mark.parametrize("name", ["request_id", "jobs", "event"])
@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (SECRET, HIDDEN),
        ("a@example.com", "<e-mail>"),
        ("SG.abcdefghijk", HIDDEN),
        ("cgw_abcdefghijk", HIDDEN),
        ("Bearer\u00a0abc", f"Bearer {HIDDEN}"),
        ("https://user:word@host", f"https://{HIDDEN}@host"),
    ],
)
def test_what_must_not_be_there_is_found_wherever_it_stands(
    name: str, said: str, shown: str
) -> None:
    listed = isinstance(PLAIN[name], list)
    found = redacted({**PLAIN, name: ["abc", said] if listed else said})
    assert found == {**PLAIN, name: ["abc", shown] if listed else shown}


@pytest.mark.parametrize("value", ["abc", ["abc"], {"inner": "abc"}])
def test_a_name_whose_values_are_never_shown_hides_them(value: object) -> None:
    assert redacted({**PLAIN, "api_key": value}) == {**PLAIN, "api_key": HIDDEN}


def test_what_is_within_an_object_is_found() -> None:
    found = redacted({**PLAIN, "more": {"token": "abc", "text": SECRET}})
    assert found["more"] == {"token": HIDDEN, "text": HIDDEN}
