"""What a plan depends on beside the write: the organization's settings, and a plan's parts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gateway.model import Backend
from gateway.results import Problem, ProblemCode

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Organization:
    """The organization that is written to, and where the unified fields go in it."""

    id: str
    email_path: str | None = None
    """Prompt of the contact path of the unified email; None: it is ignored and reported."""
    phone_path: str | None = None
    """Prompt of the contact path of the unified phone; None: it is ignored and reported."""
    record_type: str | None = None
    """Record type, by name, of new contacts that name none."""

    def prompt_of(self, name: str) -> str | None:
        """The prompt of the path that the unified `email` or `phone` goes to."""
        return self.email_path if name == "email" else self.phone_path


@dataclass(kw_only=True)
class Part:
    """What a write makes of one array of the contact."""

    rows: list[Any]
    """The whole array as it is to be; the stored one where nothing changes."""
    changed: list[str] = field(default_factory=list)
    """The input names that change it."""
    ignored: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, path: list[str], message: str, code: ProblemCode = ProblemCode.INVALID) -> None:
        """Note a problem of the input."""
        self.problems.append(problem(path, message, code))


def problem(path: list[str], message: str, code: ProblemCode = ProblemCode.INVALID) -> Problem:
    """A problem of the input that only Everbridge minds."""
    return Problem(backend=Backend.EVERBRIDGE, code=code, message=message, field=path)


def meaning(value: Any) -> Any:
    """A JSON value without what says nothing: null, empty text, empty arrays and objects.

    Everbridge reads an empty field and an absent one as the same, and leaves out empty arrays.
    """
    if isinstance(value, dict):
        said: dict[Any, Any] = {}
        for key, item in value.items():
            if (item_said := _said(item)) is not None:
                said[key] = item_said
        return said
    if isinstance(value, list):
        return [meaning(item) if isinstance(item, _NESTED) else item for item in value]
    return value


def _said(value: Any) -> Any:
    """What a value says; None where that is nothing."""
    if isinstance(value, _NESTED):
        return meaning(value) or None
    return None if value == "" else value


_NESTED = (dict, list)


def differ(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two JSON objects mean different things."""
    for key in (*one, *other):
        here, there = one.get(key), other.get(key)
        if here != there and _said(here) != _said(there):
            return True
    return False


def rows_in(contact: Mapping[str, Any], key: str) -> list[Any]:
    """An array of a contact, which is absent when it is empty."""
    return list(contact.get(key) or [])
