"""A write: the caller's input with its values read once, and what its absences mean."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

from strawberry import Maybe, Some
from strawberry.utils.str_converters import to_camel_case

from gateway.model import ContactInput, MissingPolicy, WriteMode

if TYPE_CHECKING:
    from gateway.values import Phone

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


_names_of: dict[type, tuple[str, ...]] = {}


def _names(kind: type) -> tuple[str, ...]:
    """The attributes of an input class, native sections left out; looked up once."""
    if kind not in _names_of:
        names = (field.name for field in fields(kind))
        _names_of[kind] = tuple(name for name in names if name not in SECTIONS)
    return _names_of[kind]


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

    def given(self, name: str) -> Maybe[Any]:
        """What the caller said of `first_name` or `ivvy.group_ids`, values read.

        None when it is absent, and when its value has a problem that is already reported.
        """
        if name in self.invalid:
            return None
        holder: Any = self if name in self.held_here else self.input
        if "." in name:
            section, _, name = name.rpartition(".")
            native = getattr(self.input, section)
            holder = native.value if native else None
            if holder is None:
                return None
        found: Maybe[Any] = getattr(holder, name)
        return found

    def get(self, name: str) -> Maybe[Any]:
        """What is to become of a field: as given, or cleared where a REPLACE left it out."""
        found = self.given(name)
        if found is None and self.cleared_by_absence(name):
            return CLEARED
        return found

    def cleared_by_absence(self, name: str) -> bool:
        """Whether this REPLACE clears `name` because the input does not mention it."""
        return (
            self.replaces
            and "." not in name
            and name not in self.kept_by_absence
            and name not in self.invalid
            and getattr(self.input, name) is None
        )

    def mentions(self, name: str) -> bool:
        """Whether the input has a non-null value for `name`, readable or not."""
        found = self.given(name)
        return (found is not None and found.value is not None) or name in self.invalid

    def sound(self, name: str) -> list[tuple[int, Any]]:
        """Places and items of a given list, without those that hold a problem."""
        given = self.given(name)
        items = enumerate((given.value if given else None) or [])
        return [(place, item) for place, item in items if (name, place) not in self.invalid_items]

    def field_path(self, *names: str | int) -> list[str]:
        """The path of a field in the call, for problems."""
        return [*self.at, *(part for name in names for part in _parts(name))]

    def given_names(self) -> list[str]:
        """The top-level attributes that the caller gave, native sections left out."""
        return [
            name
            for name in _names(type(self.input))
            if getattr(self.input, name) is not None or name in self.invalid
        ]


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
