"""What is wrong with the native ids of an input, before anybody is asked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gateway.backends.everbridge.organization import problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gateway.results import Problem
    from gateway.write import ContactWrite

_ID = re.compile(r"[1-9][0-9]{0,15}")
"""At most 16 digits (contract: everbridge section 1.1)."""
_WITH_IDS = frozenset(
    {"everbridge.id", "everbridge.record_type_id", "everbridge.group_ids", "everbridge.topic_ids"}
    | {"everbridge.attributes", "paths"}
)
"""The fields that hold ids."""


def check_ids(write: ContactWrite) -> list[Problem]:
    """A problem for each id that is not a number of at most 16 digits."""
    if _WITH_IDS.isdisjoint(write.wishes):
        return []  # as most writes say nothing of them
    return [
        problem(
            path,
            f"{value!r} is no id of Everbridge: give the digits, at most 16, as Everbridge shows "
            "them, or leave it out and give the name.",
        )
        for path, value in _ids(write)
        if not _ID.fullmatch(value)
    ]


def numbers(ids: Iterable[str]) -> list[int]:
    """Ids as Everbridge writes them, without those that `check_ids` refuses.

    With one of those nothing is sent; the others are still laid out, to tell what else is wrong.
    """
    return [int(value) for value in ids if _ID.fullmatch(value)]


def _ids(write: ContactWrite) -> Iterator[tuple[list[str], str]]:
    """Every native id in the input, with its path."""
    for name in ("everbridge.id", "everbridge.record_type_id"):
        value = write.text(name)
        if value is not None:
            yield write.field_path(name), value
    for name in ("everbridge.group_ids", "everbridge.topic_ids"):
        for place, value in enumerate(write.items(name)):
            yield write.field_path(name, place), str(value)
    for place, attribute in enumerate(write.items("everbridge.attributes")):
        yield write.field_path("everbridge.attributes", place, "id"), str(attribute.id)
    for place, path in enumerate(write.items("paths")):
        if path.path_id is not None and path.path_id.value:
            yield write.field_path("paths", place, "path_id"), str(path.path_id.value)
