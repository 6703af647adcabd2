"""The field tables: where each unified field goes in a backend, and how the rows are applied.

A row says what a move or a conversion needs. What a row cannot say (memberships, addresses,
delivery paths) is a named function of that backend; its row then stands in the table for the
documentation and has `by_function` set.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from gateway.model import title
from gateway.results import Problem, ProblemCode
from gateway.write import input_name

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from gateway.model import Backend
    from gateway.write import Write


@dataclass(frozen=True, kw_only=True)
class Clear:
    """What clearing a field looks like on the wire."""

    says: str
    """For the documentation."""
    possible: bool = True
    left_out: bool = False
    """Whether the key is left out of the body."""
    value: Any = None
    """What is sent otherwise."""


IMPOSSIBLE = Clear(says="cannot be cleared", possible=False)
LEFT_OUT = Clear(says="left out", left_out=True)
EMPTY_TEXT = Clear(says='`""`', value="")
EMPTY_LIST = Clear(says="`[]`", value=[])
NULL = Clear(says="`null`")


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True, kw_only=True)
class Field:
    """Where one unified field goes in one backend."""

    name: str
    """The attribute of the input: first_name, or everbridge.topic_ids."""
    at: str
    """The key in the backend's JSON; for `by_function` rows a word for the reader."""
    clear: Clear
    to: Callable[[Any], Any] = _same
    """From the unified value to the backend's."""
    compared: Callable[[Any], Any] = _same
    """The form in which the backend's own values are compared; both sides go through it."""
    max_length: int | None = None
    """Characters that the backend keeps."""
    by_function: bool = False
    defaulted: bool = False
    """Whether the backend gives a new record a value of its own, where none is sent."""
    note: str = ""
    """For the documentation."""


class Table(tuple[Field, ...]):  # noqa: SLOT001 - what is kept needs a place
    """The rows of one kind of record in one backend; what every write asks of them is kept."""

    def __new__(cls, *rows: Field) -> Self:
        """The table of these rows."""
        return super().__new__(cls, rows)

    @classmethod
    def of(cls, rows: Sequence[Field]) -> Table:
        """The rows as a table."""
        return rows if isinstance(rows, Table) else cls(*rows)

    @cached_property
    def placed(self) -> frozenset[str]:
        """The fields that are not ignored: those that have a row, and what only reads a number."""
        return frozenset(row.name for row in self) | {"phone_country_code"}

    @cached_property
    def moved(self) -> tuple[Field, ...]:
        """The rows that say all that is to be done."""
        return tuple(row for row in self if not row.by_function)

    @cached_property
    def limited(self) -> tuple[Field, ...]:
        """The rows whose texts may be too long."""
        return tuple(row for row in self if row.max_length is not None)


@dataclass(kw_only=True)
class Laid:
    """What a write's simple fields come to in one backend's JSON."""

    values: dict[str, Any] = field(default_factory=dict)
    """What is to be sent, by the backend's key."""
    left_out: list[str] = field(default_factory=list)
    """The backend's keys that are cleared by leaving them out of a full replace."""
    changed: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    kept: list[list[str]] = field(default_factory=list)
    """Paths of names that have left their lists and still name what is stored: no problems."""


def to_backend(
    rows: Sequence[Field],
    write: Write,
    backend: Backend,
    stored: Mapping[str, Any] | None,
    *,
    read: bool = True,
    but: Collection[str] = (),
) -> Laid:
    """The write's simple fields in the backend's words, as far as they differ from what is stored.

    `stored` is None for a record that is new; `read` is False when the backend was not asked, and
    then every field is sent. Fields in `but` are left to the caller. Fields without a row are
    reported as ignored. Pure.
    """
    table = Table.of(rows)
    laid = Laid(ignored=unsupported(table, write))
    for row in table.moved:
        wish = write.wishes.get(row.name)
        if wish is None or row.name in but:
            continue
        if wish.value is None:
            if stored is not None or not read:
                _clear(row, write, backend, stored, laid)
            elif row.defaulted:
                refuse_clearing(row.name, write, backend, laid)
            continue
        value = wish.value if row.to is _same else row.to(wish.value)
        if row.max_length is not None and len(value) > row.max_length:
            laid.problems.append(_too_long(row, write, backend, value))
        held = None if stored is None else stored.get(row.at)
        if stored is None or (held != value and row.compared(held) != row.compared(value)):
            laid.values[row.at] = value
            laid.changed.append(input_name(row.name))
    return laid


def _clear(
    row: Field,
    write: Write,
    backend: Backend,
    stored: Mapping[str, Any] | None,
    laid: Laid,
) -> None:
    if stored is not None and stored.get(row.at) in (None, "", []):
        return
    if not row.clear.possible:
        refuse_clearing(row.name, write, backend, laid)
        return
    if row.clear.left_out:
        laid.left_out.append(row.at)
    else:
        laid.values[row.at] = row.clear.value
    laid.changed.append(input_name(row.name))


def refuse_clearing(
    name: str,
    write: Write,
    backend: Backend,
    laid: Laid,
    *,
    shown: str | None = None,
    unseen: bool = False,
) -> None:
    """Report a field that the backend cannot clear.

    A problem where the caller asked this backend by name to clear it; otherwise, and for what a
    REPLACE leaves out, an ignored field. `shown` names a part, such as customFields.Shift. `unseen`
    says that the backend does not show the field, so that there may be nothing to clear.
    """
    label = shown or input_name(name)
    if write.targets_named and not write.cleared_by_absence(name) and shown is None:
        path = write.field_path(name)
        label += " and does not show what it holds" if unseen else ""
        laid.problems.append(cannot_clear(label, path, backend, chosen=write.targets_chosen))
    else:
        laid.ignored.append(label)


def cannot_clear(label: str, path: list[str], backend: Backend, *, chosen: bool = True) -> Problem:
    """The problem of a null that a backend cannot carry out; `chosen` as in `Write.targets_chosen`."""
    name = title(backend)
    instead = f", give a value, or leave {name} out of targets." if chosen else ", or give a value."
    return Problem(
        backend=backend,
        code=ProblemCode.CANNOT_CLEAR,
        message=f"{name} has no way to clear {label}: leave it out{instead}",
        field=path,
    )


def _too_long(row: Field, write: Write, backend: Backend, value: str) -> Problem:
    return Problem(
        backend=backend,
        code=ProblemCode.TOO_LONG,
        message=(
            f"{input_name(row.name)} has {len(value)} characters, and {title(backend)} keeps at "
            f"most {row.max_length}: shorten {value!r}."
        ),
        field=write.field_path(row.name),
    )


def too_long_fields(rows: Sequence[Field], write: Write, backend: Backend) -> list[Problem]:
    """The problems of all given texts that are longer than the backend keeps. Pure."""
    problems: list[Problem] = []
    for row in Table.of(rows).limited:
        given = write.given(row.name)
        if given is None or given.value is None:
            continue
        value = given.value if row.to is _same else row.to(given.value)
        if len(value) > (row.max_length or 0):
            problems.append(_too_long(row, write, backend, value))
    return problems


def unsupported(table: Table, write: Write) -> list[str]:
    """The given fields that have no row, by their input names."""
    return [input_name(name) for name in write.given_names() if name not in table.placed]


def required(names: Sequence[str], write: Write, backend: Backend, why: str) -> list[Problem]:
    """A problem for each field that must have a value and has none."""
    return [
        Problem(
            backend=backend,
            code=ProblemCode.REQUIRED,
            message=f"{input_name(name)} is required: {why}",
            field=write.field_path(name),
        )
        for name in names
        if not write.mentions(name)
    ]
