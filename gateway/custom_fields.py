"""Custom fields: values given as text, read by the definition of the field that they go to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.entries import CatalogName, CustomFieldType, Entry, folded
from gateway.model import title
from gateway.names import Wanted, whole
from gateway.record_values import shown_values
from gateway.results import Problem, ProblemCode
from gateway.values import read_boolean, read_date, read_number
from gateway.write import input_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date

    from gateway.entries import FieldInfo, Option
    from gateway.model import Backend, CustomFieldByIdInput, CustomFieldInput
    from gateway.names import Resolution
    from gateway.write import Write

_TAKES = {
    CustomFieldType.TEXT: "text",
    CustomFieldType.NUMBER: "a number",
    CustomFieldType.DATE: "a date",
    CustomFieldType.BOOLEAN: "true or false",
    CustomFieldType.CHOICE: "one of its options",
    CustomFieldType.MULTIPLE_CHOICE: "any of its options",
}

MOST_WHOLE = 1e18
"""From here on a number with a point or an exponent stands for no whole number that JSON holds."""


class Setting(NamedTuple):
    """One custom field that a write sets or clears."""

    entry: Entry
    values: tuple[str | int | float | bool | date, ...]
    """Read by the field's type; options by their value. Empty clears the field."""
    label: str
    """How the receipt names it: customFields.Shift, or everbridge.attributes.123."""
    path: tuple[str, ...]


@dataclass(kw_only=True)
class Settings:
    """The custom fields of a write in one backend."""

    settings: list[Setting] = field(default_factory=list)
    clear_others: bool = False
    """Whether fields that are not named are cleared: null, or a REPLACE."""
    by_absence: bool = False
    """Whether they are cleared only because a REPLACE leaves customFields, or them, out."""
    kept: set[str] = field(default_factory=set)
    """The ids of fields that are named with just what they hold."""
    ignored: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def asked(self) -> bool:
        """Whether the write says anything of custom fields here."""
        return bool(self.settings) or self.clear_others

    def named(self) -> set[str]:
        """The ids of the fields that are named."""
        return {setting.entry.id for setting in self.settings} | self.kept


def wanted_custom_fields(
    write: Write,
    native: str,
    catalog: CatalogName = CatalogName.CUSTOM_FIELDS,
    *,
    shared: bool = True,
) -> list[Wanted]:
    """The field names, and the definitions that ids and clearing are checked against.

    `shared` says whether another target may know a name instead.
    """
    wanted = [named.wanted for named in write.once(_by_name)]
    if catalog is not CatalogName.CUSTOM_FIELDS or not shared:
        wanted = [want._replace(catalog=catalog, shared=shared) for want in wanted]
    by_id = write.given(native)
    speaks_by_id = by_id is not None and by_id.value != []
    if speaks_by_id or write.get("custom_fields") is not None:
        wanted += [
            Wanted(catalog=catalog, entry_id=str(item.id), options=_options(item))
            for item in write.items(native)
        ] or [whole(catalog)]
    return wanted


def custom_fields(
    write: Write,
    resolution: Resolution,
    backend: Backend,
    native: str,
    catalog: CatalogName = CatalogName.CUSTOM_FIELDS,
    *,
    held: Callable[[Entry], Sequence[Any]] = lambda _: (),
) -> Settings:
    """The write's custom fields for one backend; `native` is the input field of those by id.

    Unknown names are ignored (that no target knows one is told elsewhere). An id wins over a name
    for the same field. `held` are a field's stored values: what a record shows of them can be sent
    back, also when the field's definition would not allow it any more.
    """
    settings = Settings()
    wish = write.get("custom_fields")
    by_id = write.given(native)
    replaces = write.replaces
    if wish is None and by_id is None and not replaces:
        return settings
    cleared = wish is not None and wish.value is None
    native_cleared = by_id is not None and by_id.value is None
    settings.clear_others = cleared or native_cleared or replaces
    settings.by_absence = replaces and not (
        native_cleared or (cleared and not write.cleared_by_absence("custom_fields"))
    )
    for place, item in enumerate(write.items(native)):
        entry = resolution.entry(catalog, str(item.id))
        path = write.fixed_path(native, place)
        if entry is None:
            settings.problems.append(_no_such_field(backend, str(item.id), [*path, "id"]))
            continue
        if entry.id in settings.named():
            settings.problems.append(_given_twice(backend, entry, [*path, "id"], by="id"))
            continue
        if _is_held(item.values, entry, held(entry)):
            settings.kept.add(entry.id)
            continue
        _add(settings, backend, entry, item.values, f"{input_name(native)}.{item.id}", path)
    by_id_named = settings.named() if by_id is not None else ()
    by_name: set[str] = set()
    for item, label, path, _ in write.once(_by_name):
        entry = resolution.found.get((catalog, item.name))
        if entry is None or entry.id in by_id_named:
            settings.ignored.append(label)
            continue
        if entry.id in by_name:
            settings.problems.append(_given_twice(backend, entry, [*path, "name"], by="name"))
            continue
        by_name.add(entry.id)
        if _is_held(item.values, entry, held(entry)):
            settings.kept.add(entry.id)
        else:
            _add(settings, backend, entry, item.values, label, path)
    return settings


def _is_held(texts: Sequence[str], entry: Entry, held: Sequence[Any]) -> bool:
    """Whether a field is given just as a record shows it."""
    if not (texts and held) or entry.field is None or not entry.field.writable:
        return False
    return list(texts) == shown_values(entry.field, held)


def _add(
    settings: Settings,
    backend: Backend,
    entry: Entry,
    texts: Sequence[str],
    label: str,
    path: tuple[str, ...],
) -> None:
    if entry.field is None or not entry.field.writable:
        settings.problems.append(
            Problem(
                backend=backend,
                code=ProblemCode.INVALID,
                message=f"{title(backend)}'s field {entry.name!r} cannot be written.",
                field=list(path),
            )
        )
        return
    values: list[str | int | float | bool | date] = []
    texts = given_texts(texts)
    if len(texts) > 1 and entry.field.type is not CustomFieldType.MULTIPLE_CHOICE:
        settings.problems.append(
            Problem(
                backend=backend,
                code=ProblemCode.TOO_MANY,
                message=f"{title(backend)}'s field {entry.name!r} takes one value, not {len(texts)}.",
                field=[*path, "values"],
            )
        )
        return
    for place, text in enumerate(texts):
        try:
            values.append(read_value(entry.field, text))
        except ValueError as error:
            settings.problems.append(
                Problem(
                    backend=backend,
                    code=ProblemCode.INVALID,
                    message=f"{title(backend)}'s field {entry.name!r} takes "
                    f"{_TAKES.get(entry.field.type, 'other values')}: {error}",
                    field=[*path, "values", str(place)],
                    suggestions=[option.label for option in entry.field.options][:20],
                )
            )
            return
    if entry.field.type is CustomFieldType.MULTIPLE_CHOICE:
        values = list(dict.fromkeys(values))  # two spellings may be one option
    settings.settings.append(Setting(entry=entry, values=tuple(values), label=label, path=path))


def given_texts(texts: Sequence[str]) -> Sequence[str]:
    """The values that an entry gives; an empty text for its only one is none, and clears the field.

    Some backends would keep it, and others have no empty text.
    """
    return () if list(texts) == [""] else texts


def read_text(text: str) -> str:
    """A text with something in it, as everywhere."""
    if not text.strip():
        raise ValueError(f"{text!r} is empty: give a value, or none to clear the field.")
    return text


def read_value(info: FieldInfo, text: str) -> str | int | float | bool | date:
    """A value of a field's type; raises ValueError with what would work."""
    match info.type:
        case CustomFieldType.TEXT:
            return read_text(text)
        case CustomFieldType.NUMBER:
            number = read_number(text)
            return read_whole(number, text) if info.whole else number
        case CustomFieldType.DATE:
            return read_date(text)
        case CustomFieldType.BOOLEAN:
            return read_boolean(text)
        case CustomFieldType.CHOICE | CustomFieldType.MULTIPLE_CHOICE:
            return read_option(info, text)
        case _:
            return text


def read_whole(number: float, text: str) -> int:
    """A number as a whole one; raises ValueError with what would work."""
    if number != int(number):
        raise ValueError(f"{text!r} is not a whole number.")
    if not isinstance(number, int) and abs(number) >= MOST_WHOLE:
        raise ValueError(f"{text!r} has more digits than a whole number can hold: give at most 18.")
    return int(number)


def read_option(info: FieldInfo, text: str) -> str:
    """The value of the option that a text means: exact label, exact value, then ignoring case."""
    for meant in _meant(info.options, text):
        values = {option.value for option in meant}
        if text in values:
            return text
        if len(values) == 1:
            return values.pop()
        if values:
            which = " and ".join(map(_spelled, meant))
            raise ValueError(
                f"{text!r} may mean {which}: give one of them to the letter, or the value in brackets."
            )
    if not info.options:
        raise ValueError(f"{text!r} cannot be chosen, because the field has no options.")
    labels = ", ".join(option.label for option in info.options)
    raise ValueError(f"{text!r} is none of {labels}.")


def _meant(options: Sequence[Option], text: str) -> Iterator[list[Option]]:
    """The options that a text may mean, by one way to read it after the other."""
    yield [option for option in options if option.label == text]
    yield [option for option in options if option.value == text]
    loosely = folded(text)
    yield [option for option in options if folded(option.label) == loosely]
    yield [option for option in options if folded(option.value) == loosely]


def _spelled(option: Option) -> str:
    """An option as messages tell it apart from one that reads alike."""
    same = option.label == option.value
    return repr(option.label) if same else f"{option.label!r} ({option.value})"


def _no_such_field(backend: Backend, field_id: str, path: list[str]) -> Problem:
    return Problem(
        backend=backend,
        code=ProblemCode.NOT_FOUND,
        message=f"{title(backend)} has no custom field with the id {field_id!r}: look at those it "
        "has with the customFields query.",
        field=path,
    )


def _given_twice(backend: Backend, entry: Entry, path: list[str], *, by: str) -> Problem:
    return Problem(
        backend=backend,
        code=ProblemCode.INVALID,
        message=f"{title(backend)}'s field {entry.name!r} is given twice by its {by}: give it once.",
        field=path,
    )


def _options(item: CustomFieldInput | CustomFieldByIdInput) -> tuple[str, ...]:
    """The values that must be options, should the field have any; an empty text clears."""
    return tuple(value for value in item.values if value)


class _Named(NamedTuple):
    """A field that is given by its name."""

    item: CustomFieldInput
    label: str
    """What the receipt calls it."""
    path: tuple[str, ...]
    wanted: Wanted
    """Its name, as most backends want it."""


def _by_name(write: Write) -> list[_Named]:
    named: list[_Named] = []
    for place, item in write.sound("custom_fields"):
        path = write.fixed_path("custom_fields", place)
        want = Wanted(
            catalog=CatalogName.CUSTOM_FIELDS,
            name=item.name,
            field=(*path, "name"),
            shared=True,
            options=_options(item),
        )
        named.append(_Named(item, f"customFields.{item.name}", path, want))
    return named
