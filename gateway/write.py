"""A write: the caller's input with its values read once, and what its absences mean."""

from __future__ import annotations

from dataclasses import field
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from strawberry import Maybe, Some
from strawberry.utils.str_converters import to_camel_case

from gateway.fixed import fixed
from gateway.model import Backend, ContactInput, MissingPolicy, WriteMode

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from gateway.values import Phone

T = TypeVar("T")

SECTIONS = tuple(backend.value.lower() for backend in Backend)
"""The native sections of the input, one for each backend."""

KEPT_BY_ABSENCE = frozenset(
    {"external_id", "email", "email_status", "sms_status", "privacy_consent"}
    | {"phone_country_code", "add_groups_name", "remove_groups_name"}
    | {*SECTIONS}
)
"""What a REPLACE does not clear by leaving it out: keys, statuses, consent, native sections."""

CLEARED: Some[None] = Some(None)


@cache
def native_id(backend: Backend) -> str:
    """The input field of a backend's own id, such as ivvy.id; not every section has one."""
    return f"{backend.value.lower()}.id"


@lru_cache(maxsize=1024)
def input_name(name: str) -> str:
    """The GraphQL spelling of an input attribute: `groups_name` is groupsName, dots are kept."""
    return ".".join(to_camel_case(part) for part in name.split("."))


@lru_cache(maxsize=4096)
def _path(names: tuple[str | int, ...]) -> tuple[str, ...]:
    """Names of attributes, and places in lists, as a path has them."""
    return tuple(part for name in names for part in input_name(str(name)).split("."))


def _native(section: str, given: Maybe[Any]) -> dict[str, Some[Any]]:
    """What a native section says, by names such as ivvy.group_ids."""
    held = given.value if given is not None else None
    if held is None:
        return {}
    return {f"{section}.{name}": part for name, part in vars(held).items() if part is not None}


@fixed
class Write:
    """A record to be written: what the caller said of each field, and what the absences mean."""

    input: Any
    """One of the Strawberry inputs."""
    mode: WriteMode = WriteMode.PATCH
    if_missing: MissingPolicy = MissingPolicy.CREATE
    targets_named: bool = False
    """Whether the caller named the targets: then a field that cannot be cleared is a problem."""
    targets_chosen: bool = True
    """Whether a call of this kind has targets to choose: a lead goes to the one system that holds leads."""
    invalid: frozenset[str] = frozenset()
    """Top-level attributes that hold a problem already reported; they count as given."""
    invalid_items: frozenset[tuple[str, int, str]] = frozenset()
    """Places in lists, and the parts of their items, that hold a problem already reported.

    The list's other items count, and so do the item's other parts. A text has no part but itself,
    which is called "".
    """
    at: tuple[str, ...] = ()
    """Where the input stands in the call, such as ("contact",) inside a lead."""
    targets: Collection[Backend] | None = None
    """The backends that the call is for; where it is told, the others' sections reach nobody."""

    replaces: bool = field(init=False, repr=False, compare=False)
    """Whether what the input leaves out is cleared."""
    wishes: Mapping[str, Some[Any]] = field(init=False, repr=False, compare=False)
    """What is to become of each field, by its name: as given, or cleared by a REPLACE."""
    given: Callable[[str], Maybe[Any]] = field(init=False, repr=False, compare=False)
    """What the caller said of `first_name` or `ivvy.group_ids`, values read.

    None when it is absent, and when its value has a problem that is already reported.
    """
    get: Callable[[str], Maybe[Any]] = field(init=False, repr=False, compare=False)
    """What is to become of a field: as given, or cleared where a REPLACE left it out."""
    _said: Mapping[str, Some[Any]] = field(init=False, repr=False, compare=False)
    _cleared: frozenset[str] = field(init=False, repr=False, compare=False)
    _given_names: Sequence[str] = field(init=False, repr=False, compare=False)
    _worked_out: dict[Any, Any] = field(init=False, repr=False, compare=False)

    kept_by_absence: ClassVar[frozenset[str]] = frozenset()
    """What a REPLACE does not clear by leaving it out."""
    held_here: ClassVar[frozenset[str]] = frozenset()
    """Fields whose values were read; the write itself holds them."""

    def __post_init__(self) -> None:
        """Go over the input once, because every backend asks for the same, and many times."""
        invalid, held = self.invalid, vars(self.input)  # its fields, in their order
        given = {name: value for name, value in held.items() if value is not None}
        if not invalid <= given.keys():
            given = {name: held[name] for name in held if name in given or name in invalid}
        said = given.copy()
        silent = []  # sections of which no backend has to tell
        for name in SECTIONS:
            if name in given:
                parts = _native(name, given[name])
                said |= parts
                if not parts or self._is_for_target(name):
                    silent.append(name)
        for name in self.held_here:
            if name in given:
                said[name] = getattr(self, name)
        for name in invalid:
            said.pop(name, None)
        replaces = self.mode is WriteMode.REPLACE
        cleared = held.keys() - given.keys() - self.kept_by_absence if replaces else ()
        wishes = said | dict.fromkeys(cleared, CLEARED) if cleared else said
        vars(self).update(
            replaces=replaces,
            wishes=wishes,
            given=said.get,  # the dictionaries' own, because the backends ask some sixty times
            get=wishes.get,
            _said=said,
            _cleared=frozenset(cleared),
            _given_names=[name for name in given if name not in silent],
            _worked_out={},
        )

    def _is_for_target(self, section: str) -> bool:
        """Whether a native section is that of one of the call's targets."""
        return self.targets is None or section in [one.value.lower() for one in self.targets]

    def cleared_by_absence(self, name: str) -> bool:
        """Whether this REPLACE clears `name` because the input does not mention it."""
        return name in self._cleared

    def mentions(self, name: str) -> bool:
        """Whether the input has a non-null value for `name`, readable or not."""
        found = self._said.get(name)
        return (found is not None and found.value is not None) or name in self.invalid

    def text(self, name: str) -> str | None:
        """The text of a key or a name that the input gives; None where it gives none, or null."""
        found = self._said.get(name)
        return None if found is None or found.value is None else str(found.value)

    def gives_any(self, names: frozenset[str]) -> bool:
        """Whether `given` has anything for one of the names, null included."""
        return not names.isdisjoint(self._said)

    def items(self, name: str) -> Sequence[Any]:
        """The items of a given list; none where it is absent or null."""
        found = self._said.get(name)
        return () if found is None else found.value or ()

    def sound(self, name: str, *parts: str) -> list[tuple[int, Any]]:
        """Places and items of a given list, without those that hold a problem in one of the parts.

        Without any `parts`: in whichever.
        """
        placed = enumerate(self.items(name))
        if not self.invalid_items:
            return list(placed)
        bad = {
            place
            for held_by, place, part in self.invalid_items
            if held_by == name and (part in parts or not parts)
        }
        return [pair for pair in placed if pair[0] not in bad]

    def is_wrong(self, name: str, place: int, *parts: str) -> bool:
        """Whether one of these parts of a list's item holds a problem already reported."""
        bad = self.invalid_items
        return bool(bad) and any((name, place, part) in bad for part in parts)

    def once(self, work_out: Callable[[Self], T]) -> T:
        """What a pure function says of this write, worked out for the first backend that asks."""
        try:
            known: T = self._worked_out[work_out]
        except KeyError:
            known = self._worked_out[work_out] = work_out(self)
        return known

    def field_path(self, *names: str | int) -> list[str]:
        """The path of a field in the call, for problems."""
        return [*self.at, *_path(names)]

    def fixed_path(self, *names: str | int) -> tuple[str, ...]:
        """The same as a value that never changes."""
        return self.at + _path(names)

    def given_names(self) -> list[str]:
        """The top-level attributes that the caller gave.

        Of the native sections only those that reach none of the call's targets.
        """
        return list(self._given_names)


@fixed
class ContactWrite(Write):
    """One contact to be written, with e-mail and phone read; adapters take it as it is."""

    input: ContactInput
    email: Maybe[str | None] = None
    phone: Maybe[Phone | None] = None
    default_country: str | None = None
    """The country that reads national phone numbers of this input."""
    id_field: str | None = None
    """What the call names the id of this contact, where it is not as in a contact's call."""

    kept_by_absence: ClassVar[frozenset[str]] = KEPT_BY_ABSENCE
    held_here: ClassVar[frozenset[str]] = frozenset({"email", "phone"})
