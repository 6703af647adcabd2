"""What can be said of an input without asking anybody: shapes, notations, contradictions.

Every problem is told, not only the first. What only one backend minds (lengths, required fields)
is checked by that backend's plan.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import is_dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from strawberry import Some

from gateway.model import MissingPolicy, WriteMode
from gateway.results import Problem, ProblemCode
from gateway.values import read_country, read_email, read_phone, read_timezone
from gateway.write import ContactWrite, input_name

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from strawberry import Maybe

    from gateway.model import (
        AddressInput,
        Backend,
        ContactInput,
        ExternalUrlInput,
        PathInput,
        QuietTimeFrameInput,
    )

T = TypeVar("T")

CLEARED = "give null to clear it, or a value"
CLEARED_BY_SOME = "leave it out, or give a value; null clears it where the backend can"
KEPT = "leave it out, or give a value"
"""What would work in place of an empty text."""
TEXTS = {
    "external_id": CLEARED_BY_SOME,
    "email": CLEARED_BY_SOME,
    "first_name": CLEARED_BY_SOME,
    "middle_initial": CLEARED,
    "last_name": CLEARED_BY_SOME,
    "suffix": CLEARED,
    "phone": CLEARED,
    "record_type_name": KEPT,
    "timezone_id": CLEARED,
}
_ADDRESS_TEXTS = ("location_name", "line1", "line2", "city", "region", "postal_code")
ADDRESS_TEXTS = dict.fromkeys(_ADDRESS_TEXTS, CLEARED) | {"line1": CLEARED_BY_SOME}
LISTS = ("addresses", "alternate_emails", "custom_fields", "external_urls", "paths")
"""Lists whose items are judged one by one."""
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
LAST_HOUR, LAST_MINUTE = 23, 59
LATITUDE, LONGITUDE = 90.0, 180.0


def check_contact(
    contact: ContactInput,
    *,
    mode: WriteMode = WriteMode.PATCH,
    if_missing: MissingPolicy = MissingPolicy.CREATE,
    targets_named: bool = False,
    targets: Collection[Backend] | None = None,
    at: tuple[str, ...] = (),
    default_country: str | None = None,
) -> tuple[ContactWrite, list[Problem]]:
    """The write that an input means, and every problem seen in it.

    `targets` are the backends that the call is for, where that is known.
    """
    check = Check(at)
    check.characters((), contact)
    check.texts(contact, TEXTS)
    country = check.read("phone_country_code", contact.phone_country_code, read_country)
    region = country.value if country and country.value else default_country
    email = check.read("email", contact.email, read_email)
    phone = check.read("phone", contact.phone, lambda text: read_phone(text, region))
    check.read("country_code", contact.country_code, read_country)
    check.read("timezone_id", contact.timezone_id, read_timezone)
    for place, address in check.items(contact.alternate_emails):
        check.one(("alternate_emails", place), address, read_email)
    for place, postal in check.items(contact.addresses):
        check.address(("addresses", place), postal)
    for place, path in check.items(contact.paths):
        check.path(place, path)
    check.groups(contact, mode)
    if contact.external_urls is not None:
        check.external_urls(listed(contact.external_urls))
    if contact.custom_fields is not None:
        check.custom_fields([item.name for item in listed(contact.custom_fields)])
    write = ContactWrite(
        input=contact,
        mode=mode,
        if_missing=if_missing,
        targets_named=targets_named,
        targets=targets,
        email=email,
        phone=phone,
        invalid=frozenset(check.invalid),
        invalid_items=frozenset(check.invalid_items),
        at=at,
        default_country=region,
    )
    return write, check.problems


def _is_https(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:  # such as an unclosed [ in front of an IPv6 address
        return False
    return parts.scheme == "https" and bool(parts.netloc)


def _is_printable(value: Any) -> bool:
    """Whether all texts in it can surely be sent, as most can: then no paths are needed."""
    parts = [value]
    for part in parts:  # which grow while they are gone over
        held = part.value if type(part) is Some else part
        kind = type(held)
        if kind is str:
            if not held.isprintable():
                return False
        elif kind is list:
            parts += held
        elif is_dataclass(kind):
            parts += [one for one in vars(held).values() if one is not None]
    return True


def _set_as_well(name: str, *, replaces: bool) -> str:
    """What is wrong with a difference of groups beside the whole set."""
    if replaces:
        return f"A REPLACE sets the whole membership: give groupsName, not {name}."
    return f"{name} and groupsName contradict each other: give one of them."


def listed(given: Maybe[list[T] | None]) -> list[T]:
    """The items of a list in the input; none where it is absent or null."""
    return [] if given is None else list(given.value or [])


class Check:
    """Collects the problems of one input."""

    def __init__(self, at: tuple[str, ...]) -> None:
        self.at = at
        self.problems: list[Problem] = []
        self.invalid: set[str] = set()
        self.invalid_items: set[tuple[str, int, str]] = set()

    def wrong(
        self, path: Iterable[str | int], message: str, code: ProblemCode = ProblemCode.INVALID
    ) -> None:
        """Note a problem; its path starts with the name of the field.

        A list of which one item is wrong keeps the others, and an item its other parts, so that
        what is wrong with those is told as well.
        """
        parts = [str(part) for part in path]
        if parts[0] in LISTS and len(parts) > 1:
            self.invalid_items.add((parts[0], int(parts[1]), "".join(parts[2:3])))
        else:
            self.invalid.add(parts[0])
        self.problems.append(
            Problem(code=code, message=message, field=[*self.at, *map(input_name, parts)])
        )

    def read(self, name: str, given: Maybe[Any], reader: Callable[[str], Any]) -> Maybe[Any]:
        """A field read by `reader`; absent when it has a problem."""
        if given is None or given.value is None or name in self.invalid:
            return given if name not in self.invalid else None
        value = self.one((name,), given.value, reader)
        return None if value is None else Some(value)

    def one(self, path: tuple[str | int, ...], text: str, reader: Callable[[str], Any]) -> Any:
        """One value, or None when it has a problem."""
        try:
            return reader(text)
        except ValueError as error:
            self.wrong(path, str(error))
            return None

    @staticmethod
    def items(given: Maybe[Any]) -> Iterable[tuple[int, Any]]:
        """The places and items of a list that may be absent."""
        return () if given is None else enumerate(given.value or ())

    def characters(self, path: tuple[str | int, ...], value: Any) -> None:
        """Texts can be sent and stored.

        JSON may write half of a character, which no encoding has, and control characters, of which
        no database takes NUL and no text means the others; tabs and line ends may be.
        """
        if _is_printable(value):
            return
        if isinstance(value, Some):
            value = value.value
        if isinstance(value, str):
            self.unprintable(path, value)
        elif isinstance(value, list):
            for place, item in enumerate(value):
                self.characters((*path, place), item)
        else:
            for name, item in vars(value).items():
                self.characters((*path, name), item)

    def unprintable(self, path: tuple[str | int, ...], text: str) -> None:
        """What of a text can be neither sent nor stored; what is only not seen may be."""
        if control := CONTROL.search(text):
            name = "character NUL" if control[0] == "\0" else f"control character {control[0]!r}"
            self.wrong(path, f"{text!r} holds the {name}: leave it out.")
        try:
            text.encode()
        except UnicodeEncodeError:
            self.wrong(path, f"{text!r} holds half of a character: send it whole.")

    def texts(self, holder: Any, names: Mapping[str, str], at: tuple[str | int, ...] = ()) -> None:
        """Texts that are there have something in them; `at` is where their holder stands.

        `names` tell what would work in place of an empty one.
        """
        held = vars(holder)
        for name in names:
            given = held[name]
            if given is not None and given.value is not None and not given.value.strip():
                self.wrong((*at, name), f"{input_name(name)} is empty: {names[name]}.")

    def once(self, name: str, part: str, keys: Iterable[str]) -> None:
        """A keyed list names each key once."""
        counted = Counter(keys)
        for key in (key for key, count in counted.items() if count > 1):
            self.wrong(
                (name,),
                f"{input_name(name)} has the {part} {key!r} several times: give it once.",
            )

    def custom_fields(self, names: list[str]) -> None:
        """Each custom field is named once; whether two spellings are one field, its list tells."""
        seen: set[str] = set()
        for place, name in enumerate(names):
            if name in seen:
                self.wrong(
                    ("custom_fields", place, "name"),
                    f"customFields has the name {name!r} a second time: give it once.",
                )
            seen.add(name)

    def address(self, at: tuple[str | int, ...], address: AddressInput) -> None:
        """One postal address."""
        self.texts(address, ADDRESS_TEXTS, at)
        if address.country_code and address.country_code.value is not None:
            self.one((*at, "country_code"), address.country_code.value, read_country)
        points = [
            ("latitude", address.latitude, LATITUDE),
            ("longitude", address.longitude, LONGITUDE),
        ]
        for name, given, limit in points:
            if given and given.value is not None and not -limit <= given.value <= limit:
                self.wrong(
                    (*at, name),
                    f"{given.value} is no {name}: give degrees from {-limit:g} to {limit:g}.",
                )
        (_, latitude, _), (_, longitude, _) = points
        if (latitude is None) != (longitude is None) or (
            latitude and longitude and (latitude.value is None) != (longitude.value is None)
        ):
            self.wrong(
                (*at, "longitude" if longitude is None else "latitude"),
                "latitude and longitude are given together, or cleared together.",
            )

    def path(self, place: int, path: PathInput) -> None:
        """One delivery path, as far as it can be judged without the backend's paths."""
        given = {
            name: said.value
            for name, said in (("path_id", path.path_id), ("prompt", path.prompt))
            if said is not None and said.value is not None
        }
        for name, text in given.items():
            if not text.strip():
                self.wrong(
                    ("paths", place, name),
                    f"{input_name(name)} is empty: leave it out, or give a value.",
                )
        if not given:
            self.wrong(
                ("paths", place, "prompt"),
                "A path needs a pathId or a prompt: see contactPaths for those that exist.",
                ProblemCode.REQUIRED,
            )
        if not path.value.strip():
            self.wrong(
                ("paths", place, "value"),
                "A path's value is empty: leave the path out of the list to remove it.",
            )
        self.texts(path, {"extension": CLEARED}, ("paths", place))
        if path.country_code and path.country_code.value is not None:
            self.one(("paths", place, "country_code"), path.country_code.value, read_country)
        for number, frame in self.items(path.quiet_time_frames):
            self.frame(("paths", place, "quiet_time_frames", number), frame)

    def frame(self, at: tuple[str | int, ...], frame: QuietTimeFrameInput) -> None:
        """One quiet time frame."""
        self.texts(frame, {"name": CLEARED}, at)
        if not frame.days:
            self.wrong((*at, "days"), "A quiet time frame needs at least one day.")
        for name, value, last in (
            ("from_hour", frame.from_hour, LAST_HOUR),
            ("from_minute", frame.from_minute, LAST_MINUTE),
            ("to_hour", frame.to_hour, LAST_HOUR),
            ("to_minute", frame.to_minute, LAST_MINUTE),
        ):
            if not 0 <= value <= last:
                self.wrong((*at, name), f"{input_name(name)} is {value}: give 0 to {last}.")

    def groups(self, contact: ContactInput, mode: WriteMode) -> None:
        """A set, said by groupsName, and a difference, said by the other two, exclude each other."""
        adding, removing = listed(contact.add_groups_name), listed(contact.remove_groups_name)
        if not (adding or removing):
            return
        replaces = mode is WriteMode.REPLACE
        if replaces or contact.groups_name is not None:
            for name, names in (("add_groups_name", adding), ("remove_groups_name", removing)):
                if names:
                    self.wrong((name,), _set_as_well(input_name(name), replaces=replaces))
        if not (adding and removing):
            return
        left = set(removing)
        for group in adding:
            if group in left:  # two spellings may be two groups, which their list tells
                self.wrong(("remove_groups_name",), f"{group!r} is to be joined and left at once.")

    def external_urls(self, urls: list[ExternalUrlInput]) -> None:
        """Links are https, and each ref is given once."""
        self.once("external_urls", "ref", (item.ref for item in urls))
        for place, item in enumerate(urls):
            if not item.ref.strip():
                self.wrong(("external_urls", place, "ref"), "A link's ref is empty: give its key.")
            self.texts(item, {"label": CLEARED}, ("external_urls", place))
            url = item.url.value if item.url else None
            if url is not None and not _is_https(url):
                self.wrong(
                    ("external_urls", place, "url"),
                    f"{url!r} is not an https link: give one such as https://example.com/profile.",
                )
