"""Delivery paths: `paths`, and the unified email and phone that live in two of them.

A stored path is found by its pathId. What the input leaves out of a path stays as it is stored:
wait time, extension, quiet times, and whatever the gateway does not know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.backends.everbridge.organization import Part, meaning
from gateway.backends.everbridge.path_values import (
    EMAILS,
    PHONES,
    is_without_country,
    over_again,
    same,
    unified,
    value_of,
)
from gateway.backends.everbridge.quiet_times import KEY as QUIET_TIMES
from gateway.backends.everbridge.quiet_times import laid_frames
from gateway.entries import CatalogName, Entry
from gateway.names import Wanted
from gateway.results import ProblemCode
from gateway.values import Phone
from gateway.write import input_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.backends.everbridge.organization import Organization
    from gateway.backends.everbridge.path_values import Value
    from gateway.model import PathInput
    from gateway.names import Resolution
    from gateway.write import ContactWrite

UNIFIED = ("email", "phone")
_WHICH = ("path_id", "prompt")
"""What says which path is meant: with a problem there nothing can be said of the rest."""

NEW_PATH = {"waitTime": 0, "skipValidation": False}
"""What the vendor's examples say of every path, and its batch schema requires."""


def wanted_paths(write: ContactWrite, organization: Organization) -> list[Wanted]:
    """The prompts that need a pathId."""
    wanted: list[Wanted] = []
    for place, path in write.sound("paths", *_WHICH):
        prompt = path.prompt.value if path.prompt and not _path_id(path) else None
        where = tuple(write.field_path("paths", place, "prompt"))
        wanted.append(
            Wanted(
                catalog=CatalogName.PATHS,
                name=prompt,
                field=where if prompt else (),
                entry_id=_path_id(path),
            )
        )
    all_paths = write.get("paths") is not None
    for name in UNIFIED:
        prompt = organization.prompt_of(name)
        if prompt is not None and (all_paths or write.get(name) is not None):
            where = write.fixed_path(name)
            setting = f"GATEWAY_EVERBRIDGE_{name.upper()}_PATH"
            wanted.append(
                Wanted(catalog=CatalogName.PATHS, name=prompt, field=where, setting=setting)
            )
    return wanted


def laid_paths(
    write: ContactWrite,
    resolution: Resolution,
    organization: Organization,
    stored: Sequence[dict[str, Any]],
    *,
    new: bool,
) -> Part:
    """The contact's paths as the write wants them; for a `new` contact every given field changes."""
    part = Part(rows=list(stored))
    ids = {
        name: resolution.id(CatalogName.PATHS, prompt)
        for name in UNIFIED
        if (prompt := organization.prompt_of(name)) is not None
    }
    part.ignored += [name for name in UNIFIED if name not in ids and write.given(name) is not None]
    wish = write.get("paths")
    if wish is not None:
        named = _given(write, resolution, stored, part)
        _refuse_contradictions(write, ids, named, stored, part)
        part.rows = named or _kept_by_absence(write, ids, stored)
    for name, path_id in ids.items():
        # A prompt that is not known is told elsewhere.
        if path_id is None or write.get(name) is None:
            continue
        rows = _with_unified(name, path_id, write, part.rows, stored, wish is not None)
        if rows is part.rows and wish is None:
            continue  # the stored value means the same
        part.rows = rows
        if _held(rows, path_id) != _held(stored, path_id):
            part.changed.append(name)
    if wish is not None and (_by_paths(write, ids, part, stored) or (new and wish.value)):
        part.changed.append("paths")
    return part


def _by_paths(
    write: ContactWrite,
    ids: dict[str, str | None],
    part: Part,
    stored: Sequence[dict[str, Any]],
) -> bool:
    """Whether `paths` changes more than the unified email and phone alone would."""
    alone = list(stored)
    for name, path_id in ids.items():
        if path_id is not None:
            alone = _with_unified(name, path_id, write, alone, stored, False)
    return meaning(part.rows) not in (meaning(alone), meaning(list(stored)))


def _given(
    write: ContactWrite, resolution: Resolution, stored: Sequence[dict[str, Any]], part: Part
) -> list[dict[str, Any]]:
    """The paths that the input lists, each laid over the stored one, in the input's order.

    One that the contact holds several times may be given as often, as it is held.
    """
    rows: list[dict[str, Any]] = []
    said: set[str] = set()
    left = list(stored)
    for place, path in write.sound("paths", *_WHICH):
        entry = _entry(write, resolution, place, path, stored, part)
        if entry is None:
            continue
        held = _said_again(path, write, left, entry)
        if held is None:
            if entry.id in said:
                part.wrong(
                    write.field_path("paths", place, "pathId" if _path_id(path) else "prompt"),
                    f"The contact path {entry.name!r} is given twice: a contact has it once.",
                )
                continue
            held = _first(left, entry.id)
        said.add(entry.id)
        left = [row for row in left if row is not held]
        row = _laid(write, entry, place, path, held, part)
        if row is not None:
            rows.append(row)
    return rows


def _said_again(
    path: PathInput, write: ContactWrite, stored: Sequence[dict[str, Any]], entry: Entry
) -> dict[str, Any] | None:
    """The stored path, of those with that pathId, that holds what is given."""
    for row in stored:
        if str(row.get("pathId")) == entry.id and over_again(
            path, write, row, digits=entry.kind in PHONES
        ):
            return row
    return None


def _entry(
    write: ContactWrite,
    resolution: Resolution,
    place: int,
    path: PathInput,
    stored: Sequence[dict[str, Any]],
    part: Part,
) -> Entry | None:
    """The contact path that is meant; pathId wins over prompt.

    One that the contact has may have left the list since: with its stored value it stays.
    """
    prompt = path.prompt.value if path.prompt else None
    path_id = _path_id(path)
    if path_id is None:
        return resolution.found.get((CatalogName.PATHS, prompt or ""))
    entry = resolution.entry(CatalogName.PATHS, path_id)
    if entry is None:
        held = _first(stored, path_id)
        if held is not None and over_again(path, write, held):
            return Entry(id=path_id, name=prompt or path_id)
        part.wrong(
            write.field_path("paths", place, "pathId"),
            f"Everbridge has no contact path with the id {path_id!r}: see contactPaths for those "
            "that exist.",
            ProblemCode.NOT_FOUND,
        )
    elif prompt is not None and entry not in resolution.catalogs[CatalogName.PATHS].matches(prompt):
        part.ignored.append(f"paths.{place}.prompt")
    return entry


def _laid(
    write: ContactWrite,
    entry: Entry,
    place: int,
    path: PathInput,
    stored: dict[str, Any] | None,
    part: Part,
) -> dict[str, Any] | None:
    """One path of the input laid over the stored one; None where its value is wrong."""
    if write.is_wrong("paths", place, "value", "country_code"):
        return None  # which is told already
    row = _new(entry.id) if stored is None else dict(stored)
    try:
        value = value_of(entry.kind, path, write, stored)
    except ValueError as error:
        part.wrong(write.field_path("paths", place, "value"), str(error))
        return None
    if entry.kind in EMAILS and path.country_code is not None and path.country_code.value:
        part.ignored.append(f"paths.{place}.countryCode")  # an e-mail path has none
    row = _with_value(row, value)
    if path.extension is not None:
        row = _with(row, "phoneExt", path.extension.value)
    frames = path.quiet_time_frames
    if frames is not None:
        before = row.get(QUIET_TIMES) or []
        after = laid_frames(frames.value or [], before)
        if after != before or not after:
            row[QUIET_TIMES] = after  # an empty list clears, also what was not read
    return row


def _refuse_contradictions(
    write: ContactWrite,
    ids: dict[str, str | None],
    named: list[dict[str, Any]],
    stored: Sequence[dict[str, Any]],
    part: Part,
) -> None:
    """`paths` and the unified email or phone must not say different things of one path."""
    for name, path_id in ids.items():
        row = _first(named, path_id) if path_id else None
        wish = write.given(name)
        if row is None or wish is None:
            continue
        value = unified(name, wish.value, write, _first(stored, path_id))
        if name == "phone" and is_without_country(row, write):
            continue  # the same text; a phoneCountryCode reads it here, too
        if value is None or not same(row, value):
            part.wrong(
                write.field_path(name),
                f"{input_name(name)} ({_shown(wish.value)}) and paths ({row.get('value')}) give "
                "different values for one contact path: give it in one of them, or the same in "
                "both.",
            )


def _shown(value: str | Phone | None) -> str:
    """A unified value as a message shows it."""
    return value.e164 if isinstance(value, Phone) else str(value or "null")


def _kept_by_absence(
    write: ContactWrite, ids: dict[str, str | None], stored: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """What stays when a REPLACE leaves `paths` out: the e-mail, a key, and a phone that is given."""
    if not write.cleared_by_absence("paths"):
        return []
    phone = write.given("phone")
    kept = {ids.get("email"), ids.get("phone") if phone and phone.value else None} - {None}
    return [path for path in stored if str(path.get("pathId")) in kept]


def _with_unified(
    name: str,
    path_id: str,
    write: ContactWrite,
    rows: list[dict[str, Any]],
    stored: Sequence[dict[str, Any]],
    whole: bool,
) -> list[dict[str, Any]]:
    """The paths with the unified email or phone in its path; `whole`: `paths` is set as well."""
    wish = write.get(name)
    if wish is None:
        return rows
    value = unified(name, wish.value, write, _first(stored, path_id))
    if value is None:
        if whole and write.cleared_by_absence(name):
            # The list names the path itself, or has already dropped it.
            return rows
        return [row for row in rows if str(row.get("pathId")) != path_id]
    held = _first(rows, path_id)
    if held is None:
        base = _first(stored, path_id)
        return [*rows, _with_value(_new(path_id) if base is None else dict(base), value)]
    if same(held, value):
        return rows
    changed = _with_value(held, value)
    return [changed if row is held else row for row in rows]


def _with_value(row: dict[str, Any], value: Value) -> dict[str, Any]:
    """The path with another value; one that means the same keeps its stored notation."""
    if row.get("value") is not None and same(row, value):
        return row
    changed = {**row, "value": value.text}
    return changed if value.keeps_country else _with(changed, "countryCode", value.country)


def _with(row: dict[str, Any], key: str, value: str | None) -> dict[str, Any]:
    """The path with a text set, or without it."""
    rest = {name: held for name, held in row.items() if name != key}
    if value is None or not value.strip():
        return rest
    return {**row, key: value}


def _new(path_id: str) -> dict[str, Any]:
    return {"pathId": int(path_id), **NEW_PATH}


def _first(rows: Sequence[dict[str, Any]], path_id: str | None) -> dict[str, Any] | None:
    for row in rows:
        if str(row.get("pathId")) == path_id:
            return row
    return None


def _held(rows: Sequence[dict[str, Any]], path_id: str) -> list[tuple[object, object]]:
    """The values in one path."""
    return [
        (row.get("value"), row.get("countryCode"))
        for row in rows
        if str(row.get("pathId")) == path_id
    ]


def _path_id(path: PathInput) -> str | None:
    return str(path.path_id.value) if path.path_id and path.path_id.value else None
