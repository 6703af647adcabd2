"""Which stored record a write means: keys in order, and what speaks against a match.

The order and the conflicts are the same for every backend; asking is the backend's own
(`look_up`), as is the set of keys that it can be asked by.
"""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING

from gateway.backends.adapter import Found, Key, KeyKind, Stored
from gateway.errors import NotWrittenError, RefusedError
from gateway.model import ORDER, title
from gateway.results import Problem, ProblemCode
from gateway.values import folded_email
from gateway.write import input_name, native_id

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence

    from gateway.model import Backend
    from gateway.write import ContactWrite


def keys_of(
    write: ContactWrite, native: str, kinds: Sequence[KeyKind], siblings: Mapping[Backend, Found]
) -> list[Key]:
    """The keys of a write in the order in which they are tried.

    `native` is the input field of the backend's own id, such as ivvy.id. An externalId or e-mail
    of which the input has no value is taken from a sibling's record, when there is no other key.
    """
    keys = []
    for kind in kinds:
        name = _INPUTS.get(kind, native)
        value = write.text(name)
        if value is not None:
            path = write.fixed_path(name)
            keys.append(Key(kind, value, _SOURCES.get(kind, name), path))
    if keys:
        return keys
    borrowed = (borrowed_key(write, kind, siblings) for kind in kinds)
    return [key for key in borrowed if key is not None]


def has_key(write: ContactWrite, native: str, kinds: Sequence[KeyKind]) -> bool:
    """Whether the input has a key of its own; a null is none."""
    return any(write.text(_INPUTS.get(kind, native)) is not None for kind in kinds)


def has_wrong_key(write: ContactWrite, kinds: Sequence[KeyKind]) -> bool:
    """Whether the input has a key that cannot be read, of which is told already."""
    return any(_INPUTS.get(kind) in write.invalid for kind in kinds)


def is_blamed(problems: Iterable[Problem], keys: Collection[Sequence[str]]) -> bool:
    """Whether a check has found fault with one of these keys, by which nobody can be asked then."""
    paths = [list(key) for key in keys]
    return any(problem.field in paths for problem in problems)


def but_required(problems: Iterable[Problem]) -> list[Problem]:
    """What is wrong, but for what is missing: the record that holds it may not have been found."""
    return [problem for problem in problems if problem.code is not ProblemCode.REQUIRED]


def besides(told: Sequence[Problem], others: Iterable[Problem]) -> list[Problem]:
    """What is told, and of the others what does not speak of the same fields once more."""
    fields = [problem.field for problem in told if problem.field]
    return [*told, *(problem for problem in others if problem.field not in fields)]


def borrowed_key(
    write: ContactWrite, kind: KeyKind, siblings: Mapping[Backend, Found]
) -> Key | None:
    """An externalId or e-mail that the input does not have, from the first sibling that holds one.

    A null is a wish to clear it, where that can be done, and no word against a sibling's key.
    """
    if kind is KeyKind.NATIVE_ID:
        return None
    name = _INPUTS[kind]
    if not siblings or write.mentions(name):
        return None
    for backend in ORDER:
        found = siblings.get(backend)
        value = getattr(found.stored, name) if found and found.stored else None
        if value:
            return Key(kind=kind, value=value, source=f"{backend.value}.{kind.value}")
    return None


_INPUTS = {KeyKind.EXTERNAL_ID: "external_id", KeyKind.EMAIL: "email"}
_SOURCES = {kind: input_name(name) for kind, name in _INPUTS.items()}
"""The kinds of keys that every backend shares, by input field; the native id has its own."""


async def match(
    backend: Backend,
    keys: Sequence[Key],
    look_up: Callable[[Key], Awaitable[list[Stored]]],
    *,
    native: str | None = None,
) -> Found:
    """The record that the keys mean, or none.

    `native` is what the call names the backend's own id, where it is not as in a contact's call.
    The first key that hits decides. Raises RefusedError for a native id that does not exist
    (NOT_FOUND) and for keys that mean several records (CONFLICT).
    """
    looked_at = time.monotonic()
    native = native or native_id(backend)
    for place, key in enumerate(keys):
        rows = fitting(backend, key, await look_up(key))
        if len(rows) > 1:
            raise RefusedError(_several(backend, key, rows, keys, native))
        if rows:
            await _object(backend, rows[0], keys, place, look_up, native)
            return Found(
                stored=rows[0],
                matched_by=key.source,
                looked_at=looked_at,
                asked_by=tuple(keys),
            )
        if key.kind is KeyKind.NATIVE_ID:
            raise RefusedError(_no_such_id(backend, key, native))
    return Found(looked_at=looked_at, asked_by=tuple(keys))


def fitting(backend: Backend, key: Key, rows: list[Stored]) -> list[Stored]:
    """The rows that fit the key.

    A row whose externalId differs in nothing but case is another record: the backend compares
    without case, and we do not. Raises NotWrittenError for any other row that does not fit: then
    the backend did not honour the filter, and its answer says nothing of whether the record exists.
    """
    fit = [row for row in rows if _fits(key, row)]
    if len(fit) == len(rows):
        return fit
    for row in rows:
        if row not in fit and not _differs_in_case(key, row):
            raise NotWrittenError(
                Problem(
                    backend=backend,
                    code=ProblemCode.BACKEND_ERROR,
                    message=(
                        f"{title(backend)} was asked for the record with this {key.kind.value} and "
                        f"answered with record {row.id}, which has another: it seems not to honour "
                        "the filter, so nothing was written there."
                    ),
                    field=list(key.path),
                    retryable=True,
                )
            )
    return fit


def sorted_by_value(
    backend: Backend, kind: KeyKind, values: Sequence[str], rows: Sequence[Stored]
) -> dict[str, list[Stored]]:
    """The rows of one answer about many values, under the value that each of them fits.

    Raises NotWrittenError for a row that fits none, as `fitting` does.
    """
    wanted = defaultdict(list)
    for value in dict.fromkeys(values):
        wanted[_compared(kind, value)].append(value)
    in_another_case = {form.casefold() for form in wanted}
    found: dict[str, list[Stored]] = {value: [] for value in values}
    for row in rows:
        held = _held(kind, row)
        form = None if held is None else _compared(kind, held)
        if form is not None and form in wanted:
            for value in wanted[form]:
                found[value].append(row)
        elif kind is not KeyKind.EXTERNAL_ID or (form or "").casefold() not in in_another_case:
            raise NotWrittenError(
                Problem(
                    backend=backend,
                    code=ProblemCode.BACKEND_ERROR,
                    message=f"{title(backend)} was asked for records by {kind.value} and answered "
                    f"with record {row.id}, which has none of those asked for: it seems not to "
                    "honour the filter, so its answer tells nothing.",
                    retryable=True,
                )
            )
    return found


def _held(kind: KeyKind, row: Stored) -> str | None:
    """What a record has of a kind of key."""
    match kind:
        case KeyKind.NATIVE_ID:
            return row.id
        case KeyKind.EXTERNAL_ID:
            return row.external_id
        case KeyKind.EMAIL:
            return row.email


def _compared(kind: KeyKind, value: str) -> str:
    """The form in which two keys of a kind are compared."""
    return folded_email(value) if kind is KeyKind.EMAIL else value


def _differs_in_case(key: Key, row: Stored) -> bool:
    return (
        key.kind is KeyKind.EXTERNAL_ID
        and row.external_id is not None
        and row.external_id.casefold() == key.value.casefold()
    )


def _fits(key: Key, row: Stored) -> bool:
    held = _held(key.kind, row)
    if held is None or held == key.value:
        return held is not None
    return _compared(key.kind, held) == _compared(key.kind, key.value)


async def _object(
    backend: Backend,
    row: Stored,
    keys: Sequence[Key],
    place: int,
    look_up: Callable[[Key], Awaitable[list[Stored]]],
    native: str,
) -> None:
    """Raise what speaks against the match of `keys[place]`.

    A later key is looked up only when it is an externalId that the record does not hold. An
    e-mail is a fallback: a record of another externalId is never taken for it.
    """
    key = keys[place]
    external = next((other for other in keys if other.kind is KeyKind.EXTERNAL_ID), None)
    if external is None or external is key or external.value == row.external_id:
        return
    if key.kind is KeyKind.EMAIL:
        if row.external_id:
            raise RefusedError(_shared_mailbox(backend, row, external, native))
        return
    for other in fitting(backend, external, await look_up(external)):
        if other.id != row.id:
            named = native if key.kind is KeyKind.NATIVE_ID else key.source
            raise RefusedError(_two_records(backend, named, row, external, other))


def _shown(key: Key) -> str:
    """A key as messages show it: who writes may not read, so a sibling's value is not said."""
    return f"{key.source} {key.value!r}" if key.path else key.source


def _shared_mailbox(backend: Backend, row: Stored, given: Key, native: str) -> Problem:
    return Problem(
        backend=backend,
        code=ProblemCode.CONFLICT,
        message=(
            f"{title(backend)} holds this e-mail address with record {row.id}, which has another "
            f"externalId than {_shown(given)}: a shared mailbox, or the wrong key. To write to that "
            f"record give its id in {native}."
        ),
        field=list(given.path),
    )


def _several(
    backend: Backend, key: Key, rows: list[Stored], keys: Sequence[Key], native: str
) -> Problem:
    ids = ", ".join(row.id for row in rows)
    external = next((other for other in keys if other.kind is KeyKind.EXTERNAL_ID), None)
    none_of_them = (
        f" None of them has {_shown(external)}; a further record is not made with "
        "an address that they share: give another e-mail for it."
        if external is not None and external is not key
        else ""
    )
    return Problem(
        backend=backend,
        code=ProblemCode.CONFLICT,
        message=(
            f"{title(backend)} holds {len(rows)} records with {_shown(key)}, with the "
            f"ids {ids}: say which one in {native}.{none_of_them}"
        ),
        field=list(key.path),
    )


def _two_records(
    backend: Backend, named: str, row: Stored, other_key: Key, other: Stored
) -> Problem:
    return Problem(
        backend=backend,
        code=ProblemCode.CONFLICT,
        message=(
            f"In {title(backend)}, {named} means record {row.id} and {_shown(other_key)} means "
            f"record {other.id}: give one of the two, or correct one."
        ),
        field=list(other_key.path),
    )


def _no_such_id(backend: Backend, key: Key, native: str) -> Problem:
    return Problem(
        backend=backend,
        code=ProblemCode.NOT_FOUND,
        message=(
            f"{title(backend)} has no record with the id {key.value!r}: leave {native} out to "
            "find the record by externalId, or to create it."
        ),
        field=list(key.path),
    )
