"""A catalog: one backend's list of names and ids, and how a name finds its entry."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import Enum, StrEnum
from functools import cached_property
from typing import TYPE_CHECKING
from unicodedata import normalize

import strawberry

from gateway.close_names import CloseNames
from gateway.model import enum_value

if TYPE_CHECKING:
    from collections.abc import Callable


class CatalogName(StrEnum):
    """The lists that backends keep, by our word for them."""

    GROUPS = "groups"
    CUSTOM_FIELDS = "custom fields"
    RECORD_TYPES = "record types"
    PATHS = "contact paths"
    COMPANIES = "companies"
    COMPANY_FIELDS = "company fields"
    LEAD_TYPES = "lead types"
    LEAD_STAGES = "lead stages"
    LEAD_SOURCES = "lead sources"
    INDUSTRIES = "industries"
    LEAD_QUALITIES = "lead qualities"
    LEAD_CHANNELS = "lead channels"
    LEAD_FIELDS = "lead fields"
    OWNERS = "users"


@strawberry.enum(description="What values a custom field takes.")
class CustomFieldType(Enum):
    """What values a custom field takes."""

    TEXT = enum_value("TEXT", description="Any text.")
    NUMBER = enum_value("NUMBER", description="A number, in JSON's notation.")
    DATE = enum_value("DATE", description="An ISO 8601 date or instant.")
    BOOLEAN = enum_value("BOOLEAN", description="true or false.")
    CHOICE = enum_value("CHOICE", description="One of the options.")
    MULTIPLE_CHOICE = enum_value("MULTIPLE_CHOICE", description="Any of the options.")
    OTHER = enum_value("OTHER", description="A kind that the gateway cannot write.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Option:
    """One value that a choice allows."""

    value: str
    label: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldInfo:
    """What a custom field's definition says."""

    type: CustomFieldType
    required: bool = False
    writable: bool = True
    options: tuple[Option, ...] = ()
    whole: bool = False
    """Whether a number must be a whole one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One named thing of a backend."""

    id: str
    name: str
    aliases: tuple[str, ...] = ()
    """Other texts that mean it, such as a user's e-mail address."""
    kind: str | None = None
    """The backend's own kind, where it has one, such as a path's type."""
    field: FieldInfo | None = None
    """Set for custom fields."""
    children: tuple[Entry, ...] = ()
    """Sub types of a type, reasons of a stage."""

    def offers(self, text: str) -> bool:
        """Whether a text means one of its options, where it has any."""
        options = self.field.options if self.field else ()
        if not options or text in [option.label for option in options]:
            return True
        wanted = folded(text)
        return any(wanted in (folded(option.label), folded(option.value)) for option in options)


def folded(name: str) -> str:
    """The form in which names are compared when they are not equal to the letter.

    An accent may be a part of its letter or a character behind it: nobody sees the difference.
    """
    return normalize("NFC", name.strip()).casefold()


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """A list of entries as it was read at one moment."""

    entries: tuple[Entry, ...]
    read_at: float = 0.0
    """On the clock of `time.monotonic`."""

    @cached_property
    def by_id(self) -> dict[str, Entry]:
        """Entries by id."""
        return {entry.id: entry for entry in self.entries}

    @cached_property
    def _exact(self) -> dict[str, list[Entry]]:
        return _indexed(self.entries, str)

    @cached_property
    def _folded(self) -> dict[str, list[Entry]]:
        return _indexed(self.entries, folded)

    def matches(self, name: str) -> list[Entry]:
        """The entries that a name means: an exact match first, then ignoring case and space."""
        exact = self._exact.get(name)
        if exact:
            return exact
        loosely = folded(name)
        return self._folded.get(loosely, []) if loosely else []

    def has_child(self, text: str) -> bool:
        """Whether some entry has a child of this id or name."""
        wanted = folded(text)
        return any(
            text == child.id or folded(child.name) == wanted
            for entry in self.entries
            for child in entry.children
        )

    def like(self, name: str) -> list[str]:
        """Names close to one that does not exist, closest first; an id's is the name of its entry."""
        if name.strip() in self.by_id:
            return [self.by_id[name.strip()].name]
        return self._close.to(name)

    @cached_property
    def _close(self) -> CloseNames:
        return CloseNames(entry.name for entry in self.entries)


def _indexed(entries: tuple[Entry, ...], form: Callable[[str], str]) -> dict[str, list[Entry]]:
    index: dict[str, dict[str, Entry]] = defaultdict(dict)
    for entry in entries:
        for text in (entry.name, *entry.aliases):
            index[form(text)][entry.id] = entry
    return {text: list(found.values()) for text, found in index.items()}
