"""The ids that a lead and a company point to, given by id or by name, and which are within which.

A row says all of it: where the caller says it, where it goes, in which list it is
looked up, and, for sub types and reasons, whose children they are. Those of leads stand in
`lead_lookups.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gateway.backends.ivvy.ids import is_id
from gateway.entries import Catalog, CatalogName, Entry, folded
from gateway.fields import refuse_clearing
from gateway.memberships import unknown_ids
from gateway.model import Backend
from gateway.names import Wanted
from gateway.results import Problem, ProblemCode
from gateway.write import input_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.fields import Laid
    from gateway.names import Resolution
    from gateway.write import Write


@dataclass(frozen=True, kw_only=True)
class Lookup:
    """One id that is given by id or by name."""

    name: str
    """The input field of the name."""
    native: str
    """The input field of the id; it wins."""
    at: str
    """The key in iVvy's JSON."""
    catalog: CatalogName
    within: str | None = None
    """The key of the lookup whose children these are."""
    word: str = ""
    """For messages about children, such as "sub type"."""
    parent_word: str = ""
    required: bool = False
    """Whether a new lead needs it."""

    def wanted(self, write: Write) -> list[Wanted]:
        """The name to be resolved, or the list that an id or a child is looked up in."""
        by_id, by_name = write.text(self.native), write.text(self.name)
        if self.within is not None and (by_id or by_name) is not None:
            return [Wanted(catalog=self.catalog, child=by_id or by_name)]
        if by_id is not None:
            return [Wanted(catalog=self.catalog, entry_id=by_id)]
        if by_name is None:
            return []
        path = tuple(write.field_path(self.name))
        return [Wanted(catalog=self.catalog, name=by_name, field=path)]


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """What an input says of a lookup."""

    id: str | None = None
    """None where nothing is said, or what is said has a problem."""
    field: str = ""
    """The input field that said it."""
    asked: bool = False
    """Whether the input names something, right or wrong."""


def choose(
    lookup: Lookup,
    write: Write,
    resolution: Resolution,
    laid: Laid,
    stored: str | None,
    *,
    new: bool,
    parent: Entry | None = None,
    shown: bool = True,
    names: Sequence[str] = (),
) -> Chosen:
    """Add the id that the input means to `laid`, where it differs from the `stored` one.

    `new` says that the record is new. `parent` is the entry whose children count. `shown` is False
    for an id that iVvy does not show: then it is sent whenever it is given. `names` are what the
    record calls the stored one, which may have left its list since.
    """
    chosen = _said(lookup, write, resolution, laid, stored, parent)
    if chosen.id is None and _left(lookup, write, resolution, names):
        laid.kept.append(write.field_path(lookup.name))
        chosen = replace(chosen, id=stored)
    if not chosen.asked:
        _clear(lookup, write, laid, stored, new=new, shown=shown)
    elif chosen.id is not None and (chosen.id != stored or not shown or _moves(lookup, laid)):
        laid.values[lookup.at] = int(chosen.id)
        laid.changed.append(input_name(chosen.field))
    return chosen


def _said(
    lookup: Lookup,
    write: Write,
    resolution: Resolution,
    laid: Laid,
    stored: str | None,
    parent: Entry | None,
) -> Chosen:
    by_id, by_name = write.text(lookup.native), write.text(lookup.name)
    if by_id is not None:
        if write.given(lookup.name) is not None:
            laid.ignored.append(input_name(lookup.name))
        if not is_id(by_id):  # of which the check has told
            return Chosen(field=lookup.native, asked=True)
        if by_id != stored or _moves(lookup, laid):  # its own may have left the list since
            problems = _id_problems(lookup, write, resolution, by_id, parent)
            laid.problems += problems
            if problems:
                return Chosen(field=lookup.native, asked=True)
        return Chosen(id=by_id, field=lookup.native, asked=True)
    if by_name is None:
        return Chosen(asked=lookup.name in write.invalid)
    found = resolution.id(lookup.catalog, by_name)
    if lookup.within is not None:
        found = _child(lookup, write, resolution, laid, by_name, parent)
    return Chosen(id=found, field=lookup.name, asked=True)


def _left(lookup: Lookup, write: Write, resolution: Resolution, names: Sequence[str]) -> bool:
    """Whether the name is none of the list's, and that of what is stored."""
    name = write.text(lookup.name)
    if name is None or (lookup.catalog, name) not in resolution.missing:
        return False
    return folded(name) in map(folded, names)


def _moves(lookup: Lookup, laid: Laid) -> bool:
    """Whether the type or stage that it is within changes: then the stored one goes (ASSUMED)."""
    return lookup.within in laid.values


def _clear(
    lookup: Lookup, write: Write, laid: Laid, stored: str | None, *, new: bool, shown: bool
) -> None:
    """Report a null, or what a REPLACE leaves out: iVvy says of no id how it is cleared.

    A sub type or reason goes with its type or stage (ASSUMED), so that a null is fulfilled when
    that changes. A new record has nothing to clear; but for an id that is not shown a null is told
    then as well, because the same call could not be carried out a second time.
    """
    given, native = write.given(lookup.name), write.given(lookup.native)
    absent = write.cleared_by_absence(lookup.name)
    if (given is None and native is None and not absent) or (new and (shown or absent)):
        return
    if absent and lookup.required:
        return  # a REPLACE that lacks it is told so
    if (shown and stored is None) or _moves(lookup, laid):
        return
    name = lookup.native if given is None and native is not None else lookup.name
    refuse_clearing(name, write, Backend.IVVY, laid, unseen=not shown)


def _id_problems(
    lookup: Lookup, write: Write, resolution: Resolution, by_id: str, parent: Entry | None
) -> list[Problem]:
    """The problem of an id that is in no list, or not among the children that count."""
    if lookup.within is None:
        unknown = unknown_ids(
            write, resolution, Backend.IVVY, lookup.catalog, lookup.native, [by_id]
        )
        for problem in unknown:
            problem.field = write.field_path(lookup.native)
        return unknown
    if parent is None or by_id in {child.id for child in parent.children}:
        return []
    return [_not_within(lookup, write.field_path(lookup.native), by_id, parent, by="id")]


def _child(
    lookup: Lookup,
    write: Write,
    resolution: Resolution,
    laid: Laid,
    name: str,
    parent: Entry | None,
) -> str | None:
    """The id of the child of `parent` that has this name."""
    if parent is None:
        return None
    children = Catalog(entries=parent.children)
    found = children.matches(name)
    if len(found) == 1:
        return found[0].id
    path = write.field_path(lookup.name)
    if found:
        laid.problems.append(_several(lookup, path, name, found))
    elif _elsewhere(resolution.catalogs.get(lookup.catalog), name):
        laid.problems.append(_not_within(lookup, path, name, parent, by="name"))
    else:
        laid.problems.append(_no_child(lookup, path, name, parent, children.like(name)))
    return None


def _elsewhere(catalog: Catalog | None, name: str) -> bool:
    """Whether some other entry has a child of that name."""
    return any(
        folded(child.name) == folded(name)
        for entry in (catalog.entries if catalog else ())
        for child in entry.children
    )


def _several(lookup: Lookup, path: list[str], name: str, found: list[Entry]) -> Problem:
    which = " and ".join(f"{entry.name!r} ({entry.id})" for entry in found)
    return Problem(
        backend=Backend.IVVY,
        code=ProblemCode.NAME_AMBIGUOUS,
        message=f"iVvy has several of the {lookup.word} {name!r}: {which}. Give the id in "
        f"{input_name(lookup.native)}.",
        field=path,
        suggestions=[entry.id for entry in found],
    )


def _not_within(lookup: Lookup, path: list[str], given: str, parent: Entry, *, by: str) -> Problem:
    return Problem(
        backend=Backend.IVVY,
        code=ProblemCode.INVALID,
        message=f"{given!r} is no {lookup.word} of the {lookup.parent_word} {parent.name!r}"
        f"{_which(parent)}",
        field=path,
        suggestions=[child.id if by == "id" else child.name for child in parent.children],
    )


def _no_child(
    lookup: Lookup, path: list[str], name: str, parent: Entry, like: list[str]
) -> Problem:
    return Problem(
        backend=Backend.IVVY,
        code=ProblemCode.NAME_NOT_FOUND,
        message=f"iVvy's {lookup.parent_word} {parent.name!r} has no {lookup.word} {name!r}"
        f"{_which(parent)}",
        field=path,
        suggestions=like or [child.name for child in parent.children],
    )


def _which(parent: Entry) -> str:
    known = ", ".join(f"{child.name!r} ({child.id})" for child in parent.children)
    return f": it has {known}." if known else ": it has none, so leave this out."


def needs_child(
    lookup: Lookup, write: Write, parent: Entry | None, chosen: Chosen, *, why: str
) -> list[Problem]:
    """The problem of a missing child where the parent has any."""
    if parent is None or not parent.children or chosen.asked:
        return []
    return [
        Problem(
            backend=Backend.IVVY,
            code=ProblemCode.REQUIRED,
            message=f"{input_name(lookup.name)} is required: {why}{_which(parent)}",
            field=write.field_path(lookup.name),
            suggestions=[child.name for child in parent.children],
        )
    ]


def stored_id(raw: Mapping[str, Any] | None, *keys: str) -> str | None:
    """An id of a stored record, such as typeId, or id within ownerUser; always as text."""
    value: Any = raw
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return None if value in (None, "", 0, "0") else str(value)


INDUSTRY = Lookup(
    name="industry_name",
    native="ivvy.industry_id",
    at="industryId",
    catalog=CatalogName.INDUSTRIES,
)
