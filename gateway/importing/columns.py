"""What the columns of a table mean: the header names input fields of a contact.

A column is called as the field is in GraphQL, with a dot for what lies within: `email`,
`groupsName`, `addresses.0.line1`, `customFields.Shift`, `externalUrls.profile`, `ivvy.id`. What
there is, and of what type, is read off the schema.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLList,
    get_named_type,
    get_nullable_type,
)
from rapidfuzz.process import extract

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


SEPARATOR = "|"
"""Between the values of one cell, where a field takes several."""
KEYS = ("name", "id", "ref")
"""Fields by which the items of a list are told apart; a column then names the item by it."""
VALUES = ("values", "url")
"""What such an item holds; one that has neither is named by its place, whatever it is called."""
WORTH = 70
"""How alike, of 100, a name must be to be suggested."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """Where the cells of a column go."""

    name: str
    steps: tuple[str | int, ...]
    """Field names, and places in lists; an item that is told apart by its key stands as that key."""
    type: Any
    """Of what a cell is read as."""
    keyed_by: str | None = None
    """The field that tells the item apart, where the last list on the way has such items."""

    def read(self, cell: str, null: str) -> Any:
        """The value of a cell that is not empty; raises ValueError when it is none of the type."""
        kind = get_nullable_type(self.type)
        if cell == null:
            # The values of a custom field cannot be null: none of them clear it.
            must_be_list = isinstance(kind, GraphQLList) and kind is not self.type
            return [] if must_be_list else None
        if isinstance(kind, GraphQLList):
            parts = [part.strip() for part in cell.split(SEPARATOR)]
            return [_scalar(part, kind.of_type) for part in parts if part]
        return _scalar(cell, kind)


def read_header(
    names: Sequence[str], contact: GraphQLInputObjectType
) -> tuple[list[Column | None], list[str]]:
    """A column for each name, None where it says nothing, and what is wrong with the header."""
    problems = [
        f"The column {name!r} stands {count} times."
        for name, count in Counter(name.strip() for name in names).items()
        if count > 1 and name
    ]
    columns: list[Column | None] = []
    for name in (name.strip() for name in names):
        column = None
        if name:
            try:
                column = _column(name, contact)
            except ValueError as error:
                problems.append(str(error))
        columns.append(column)
    return columns, problems


def lay_out(cells: Iterable[tuple[Column, Any]]) -> dict[str, Any]:
    """The input that a row's values make."""
    laid: dict[str, Any] = {}
    lists: dict[tuple[str | int, ...], dict[str | int, Any]] = {}
    for column, value in cells:
        _lay(laid, lists, column, value)
    for path, items in lists.items():
        holder = laid
        for step in path[:-1]:
            holder = holder.setdefault(str(step), {})
        holder[str(path[-1])] = [
            items[key] for key in sorted(items, key=lambda key: key if isinstance(key, int) else 0)
        ]
    return laid


def _lay(
    laid: dict[str, Any],
    lists: dict[tuple[str | int, ...], dict[str | int, Any]],
    column: Column,
    value: Any,
) -> None:
    """Lay one value in its place; lists are put in order once all of them are there."""
    holder = laid
    for place, step in enumerate(column.steps[:-1]):
        following = column.steps[place + 1]
        if isinstance(following, int) or (column.keyed_by and place + 3 == len(column.steps)):
            items = lists.setdefault(column.steps[: place + 1], {})
            item = items.setdefault(following, {})
            if column.keyed_by:
                item[column.keyed_by] = following
            item[str(column.steps[-1])] = value
            return
        holder = holder.setdefault(str(step), {})
    holder[str(column.steps[-1])] = value


def _column(name: str, contact: GraphQLInputObjectType) -> Column:
    """The column of a name; raises ValueError with what would work."""
    kind: Any = contact
    steps: list[str | int] = []
    parts = name.split(".")
    for place, part in enumerate(parts):
        kind = get_nullable_type(kind)
        if isinstance(kind, GraphQLList):
            item: Any = get_named_type(kind)
            key = _key_of(item)
            if key is not None:
                return _of_item(name, steps, ".".join(parts[place:]), item, key)
            if not part.isdecimal():
                raise ValueError(
                    f"The column {name!r} needs a place in its list: "
                    f"{'.'.join([*parts[:place], '0', *parts[place:]])}."
                )
            steps.append(int(part))
            kind = item
            continue
        if not isinstance(kind, GraphQLInputObjectType) or part not in kind.fields:
            raise ValueError(_unknown(name, part, kind))
        steps.append(part)
        kind = kind.fields[part].type
        if _has_items(kind) and any(isinstance(step, int) for step in steps):
            raise ValueError(
                f"The column {name!r} is a list within a list, which a table cannot hold: send such "
                "contacts as JSON Lines."
            )
    last = get_named_type(kind)
    if isinstance(last, GraphQLInputObjectType):
        raise ValueError(
            f"The column {name!r} has fields of its own: name one of them, such as "
            f"{_example(name, kind)}."
        )
    return Column(name=name, steps=tuple(steps), type=kind)


def _has_items(kind: Any) -> bool:
    """Whether a type is a list whose items have fields."""
    is_list = isinstance(get_nullable_type(kind), GraphQLList)
    return is_list and isinstance(get_named_type(kind), GraphQLInputObjectType)


def _key_of(item: GraphQLInputObjectType) -> str | None:
    """The field that tells a list's items apart; None where their places do."""
    if not any(value in item.fields for value in VALUES):
        return None
    return next((key for key in KEYS if key in item.fields), None)


def _of_item(
    name: str, steps: list[str | int], said: str, item: GraphQLInputObjectType, key: str
) -> Column:
    """A column of an item that is told apart by its key: customFields.Shift, externalUrls.cv.label."""
    value = next(value for value in VALUES if value in item.fields)
    stem, dot, field = said.rpartition(".")
    if dot and field in item.fields and field != key:
        said, value = stem, field
    return Column(
        name=name,
        steps=(*steps, said, value),
        type=item.fields[value].type,
        keyed_by=key,
    )


def _example(name: str, kind: Any) -> str:
    item: Any = get_named_type(kind)
    first = next(iter(item.fields))
    if not _has_items(kind):
        return f"{name}.{first}"
    return f"{name}.0.{first}" if _key_of(item) is None else f"{name}.Shift"


def _unknown(name: str, part: str, kind: Any) -> str:
    known = list(kind.fields) if isinstance(kind, GraphQLInputObjectType) else []
    meant = [found for found in known if found.lower() == _squeezed(part)]
    close = meant or [
        found
        for found, score, _ in extract(part, known, processor=_squeezed, limit=3)
        if score >= WORTH
    ]
    hint = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
    return f"The column {name!r} is no field of a contact.{hint}"


def _squeezed(name: str) -> str:
    """A name as people compare them: `First Name`, `first_name` and `FIRSTNAME` are the same."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _scalar(text: str, kind: Any) -> Any:
    """A cell, or one of several values in it, as the field's type has it."""
    named = get_named_type(kind)
    if isinstance(named, GraphQLEnumType):
        if text not in named.values:
            raise ValueError(f"{text!r} is none of {', '.join(named.values)}")
        return text
    if named.name == "Boolean":
        if text.lower() not in {"true", "false"}:
            raise ValueError(f"{text!r} is neither true nor false")
        return text.lower() == "true"
    if named.name in {"Int", "Float"}:
        try:
            return named.parse_value(float(text) if named.name == "Float" else int(text))
        except (ValueError, GraphQLError):
            raise ValueError(f"{text!r} is no number that fits") from None
    return text
