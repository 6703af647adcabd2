"""The forms in which iVvy's values are compared: ids and numbers come as text too, by call and age."""

from __future__ import annotations

from typing import Any

from gateway.values import folded_email, read_phone


def as_text(value: Any) -> str:
    """A value as text; none is an empty one."""
    return "" if value is None else str(value)


def compared_email(value: Any) -> str:
    """An e-mail address without its case."""
    return folded_email(as_text(value))


def compared_number(value: Any) -> str:
    """A phone number without its notation; one without a country code by its digits."""
    text = as_text(value)
    try:
        return read_phone(text, None).e164
    except ValueError:
        return "".join(filter(str.isdecimal, text))
