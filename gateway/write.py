"""A write: the caller's input with its values read once, and what its absences mean."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from strawberry import Maybe, Some
from strawberry.utils.str_converters import to_camel_case

from gateway.model import ContactInput, MissingPolicy, WriteMode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gateway.values import Phone

T = TypeVar("T")

KEPT_BY_ABSENCE = frozenset(
    {"external_id", "email", "email_status", "sms_status", "privacy_consent"}
    | {"phone_country_code", "add_groups_name", "remove_groups_name"}
    | {"ivvy", "everbridge", "sendgrid"}
)
"""What a REPLACE does not clear by leaving it out: keys, statuses, consent, native sections."""

SECTIONS = ("ivvy", "everbridge", "sendgrid")

CLEARED: Some[None] = Some(None)


@lru_cache(maxsize=1024)
def input_name(name: str) -> str:
    """The GraphQL spelling of an input attribute: `groups_name` is groupsName, dots are kept."""
    return ".".join(to_camel_case(part) for part in name.split("."))


@lru_cache(maxsize=1024)
def _parts(name: str | int) -> tuple[str, ...]:
    """The parts of an attribute's name, or of a place, as a path has them."""
    return tuple(input_name(str(name)).split("."))


def attributes(held: Any) -> tuple[str, ...]:
    """The attributes of an input, in their order."""
    kind: Any = type(held)
    return _attributes(kind)


@cache
def _attributes(kind: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


@dataclass(frozen=True, kw_only=True)
class Write:
    """A record to be written: what the caller said of each field, and what the absences mean."""

    input: Any
    """One of the Strawberry inputs."""
    mode: WriteMode = WriteMode.PATCH
    if_missing: MissingPolicy = MissingPolicy.CREATE
    targets_named: bool = False
    """Whether the caller named the targets: then a field that cannot be cleared is a problem."""
    invalid: frozenset[str] = frozenset()
    """Top-level attributes that hold a problem already reported; they count as given."""
    invalid_items: frozenset[tuple[str, int]] = frozenset()
    """Places in lists whose items hold a problem already reported; the other items count."""
    at: tuple[str, ...] = ()
    """Where the input stands in the call, such as ("contact",) inside a lead."""

    kept_by_absence: ClassVar[frozenset[str]] = frozenset()
    """What a REPLACE does not clear by leaving it out."""
    held_here: ClassVar[frozenset[str]] = frozenset()
    """Fields whose values were read; the write itself holds them."""

    @property
    def replaces(self) -> bool:
        """Whether what the input leaves out is cleared."""
        return self.mode is WriteMode.REPLACE

    @cached_property
    def _said(self) -> dict[str, Some[Any]]:
        """What the caller said, by the field's name: every backend asks for it many times."""
        said: dict[str, Some[Any]] = {}
        for name in attributes(self.input):
            given = getattr(self if name in self.held_here else self.input, name)
            if given is None:
                continue
            if name not in self.invalid:
                said[name] = given
            if name in SECTIONS and given.value is not None:
                for part in attributes(given.value):
                    native = getattr(given.value, part)
                    if native is not None:
                        said[f"{name}.{part}"] = native
        return said

    @cached_property
    def _cleared(self) -> frozenset[str]:
        """What is cleared because a REPLACE does not mention it."""
        if not self.replaces:
            return frozenset()
        kept = self.kept_by_absence | self.invalid
        names = (name for name in attributes(self.input) if name not in kept)
        return frozenset(name for name in names if getattr(self.input, name) is None)

    @cached_property
    def wishes(self) -> Mapping[str, Some[Any]]:
        """What is to become of each field, by its name: as given, or cleared by a REPLACE."""
        return self._said | dict.fromkeys(self._cleared, CLEARED) if self._cleared else self._said

    def given(self, name: str) -> Maybe[Any]:
        """What the caller said of `first_name` or `ivvy.group_ids`, values read.

        None when it is absent, and when its value has a problem that is already reported.
        """
        return self._said.get(name)

    def get(self, name: str) -> Maybe[Any]:
        """What is to become of a field: as given, or cleared where a REPLACE left it out."""
        return self.wishes.get(name)

    def cleared_by_absence(self, name: str) -> bool:
        """Whether this REPLACE clears `name` because the input does not mention it."""
        return name in self._cleared

    def mentions(self, name: str) -> bool:
        """Whether the input has a non-null value for `name`, readable or not."""
        found = self._said.get(name)
        return (found is not None and found.value is not None) or name in self.invalid

    def items(self, name: str) -> Sequence[Any]:
        """The items of a given list; none where it is absent or null."""
        found = self._said.get(name)
        return () if found is None else found.value or ()

    def sound(self, name: str) -> list[tuple[int, Any]]:
        """Places and items of a given list, without those that hold a problem."""
        bad = self.invalid_items
        return [pair for pair in enumerate(self.items(name)) if (name, pair[0]) not in bad]

    def once(self, work_out: Callable[[Self], T]) -> T:
        """What a pure function says of this write, worked out for the first backend that asks."""
        if work_out not in self._worked_out:
            self._worked_out[work_out] = work_out(self)
        known: T = self._worked_out[work_out]
        return known

    @cached_property
    def _worked_out(self) -> dict[Any, Any]:
        return {}

    def field_path(self, *names: str | int) -> list[str]:
        """The path of a field in the call, for problems."""
        path = list(self.at)
        for name in names:
            path += _parts(name)
        return path

    @cached_property
    def _given_names(self) -> list[str]:
        return [
            name
            for name in attributes(self.input)
            if (getattr(self.input, name) is not None or name in self.invalid)
            and name not in SECTIONS
        ]

    def given_names(self) -> list[str]:
        """The top-level attributes that the caller gave, native sections left out."""
        return list(self._given_names)


@dataclass(frozen=True, kw_only=True)
class ContactWrite(Write):
    """One contact to be written, with e-mail and phone read; adapters take it as it is."""

    input: ContactInput
    email: Maybe[str | None] = None
    phone: Maybe[Phone | None] = None
    default_country: str | None = None
    """The country that reads national phone numbers of this input."""

    kept_by_absence: ClassVar[frozenset[str]] = KEPT_BY_ABSENCE
    held_here: ClassVar[frozenset[str]] = frozenset({"email", "phone"})
