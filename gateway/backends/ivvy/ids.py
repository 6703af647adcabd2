"""The form of iVvy's ids."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gateway.backends.ivvy.custom_values import NATIVE
from gateway.model import Backend
from gateway.results import Problem, ProblemCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.write import Write

_ID = re.compile(r"[1-9][0-9]{0,17}")
"""At most 18 digits: more are no whole number of JSON's that every reader takes."""
_NUMBER = re.compile(r"-?[0-9]{1,18}")


def is_id(value: str) -> bool:
    """Whether a text can be an id of iVvy's."""
    return _ID.fullmatch(value) is not None


def is_number(value: Any) -> bool:
    """Whether a value of an answer is a whole number, which may be told as text."""
    if type(value) is int:  # and no bool, which is one as well
        return True
    return isinstance(value, str) and _NUMBER.fullmatch(value) is not None


def ill_formed(path: list[str], value: str) -> list[Problem]:
    """The problem of an id that cannot be one of iVvy's."""
    if is_id(value):
        return []
    return [
        Problem(
            backend=Backend.IVVY,
            code=ProblemCode.INVALID,
            message=f"{value!r} is no id of iVvy's: give a whole number such as 33884.",
            field=path,
        )
    ]


def ill_formed_ids(write: Write, names: Sequence[str]) -> list[Problem]:
    """The problems of the ids under these names, and of those of custom fields."""
    given = [(write.field_path(name), said.value) for name in names if (said := write.given(name))]
    fields = [
        (write.field_path(NATIVE, place, "id"), item.id)
        for place, item in enumerate(write.items(NATIVE))
    ]
    return [
        problem
        for path, value in (*given, *fields)
        if value is not None
        for problem in ill_formed(path, str(value))
    ]
