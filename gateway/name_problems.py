"""What is told of names: those that nobody knows, and those that fit several things. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.entries import CatalogName
from gateway.model import title
from gateway.results import Problem, ProblemCode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.entries import Entry
    from gateway.model import Backend
    from gateway.names import Resolution, Wanted

_LEAD_OPTIONS = (
    *(CatalogName.LEAD_TYPES, CatalogName.LEAD_STAGES, CatalogName.LEAD_SOURCES),
    *(CatalogName.LEAD_QUALITIES, CatalogName.LEAD_CHANNELS),
    *(CatalogName.INDUSTRIES, CatalogName.OWNERS),
)
_QUERIES = dict.fromkeys(_LEAD_OPTIONS, "leadOptions") | {
    CatalogName.RECORD_TYPES: "recordTypes",
    CatalogName.PATHS: "contactPaths",
    CatalogName.CUSTOM_FIELDS: "customFields",
    CatalogName.COMPANY_FIELDS: "customFields(entity: COMPANY)",
}
"""Which query shows a list, where it is not called as the list is."""


def not_found(want: Wanted, suggestions: list[str], backend: Backend | None) -> Problem:
    """The problem of a name that nobody knows."""
    where = title(backend) if backend else "None of the targets"
    has = f"{where} has no" if backend else f"{where} has"
    kind = want.catalog.value
    hint = (
        f" Did you mean {', '.join(repr(name) for name in suggestions)}?"
        if suggestions
        else f" Look at the names it has with the {_QUERIES.get(want.catalog, kind)} query."
    )
    if want.setting:
        hint = f" {_by_setting(want)}: correct it there.{hint}"
    return Problem(
        backend=backend,
        code=ProblemCode.NAME_NOT_FOUND,
        message=f"{has} {want.name!r} among its {kind}.{hint}",
        field=list(want.field),
        suggestions=suggestions,
    )


def ambiguous(want: Wanted, entries: list[Entry], backend: Backend, id_field: str) -> Problem:
    """The problem of a name that several entries have; `id_field` takes the id instead.

    It stands where the name does: in a lead's contact or company, or in the input itself.
    """
    which = " and ".join(f"{entry.name!r} ({entry.id})" for entry in entries[:SHOWN])
    if len(entries) > SHOWN:
        which += f" and {len(entries) - SHOWN} more"
    part = f"{want.field[0]}." if want.field[:1] in _PARTS else ""
    way_out = f"{_tell_apart(entries)} the id in {part}{id_field} instead of the name."
    if want.setting:
        way_out = f"{_by_setting(want)}: correct it there, or rename one of them."
    return Problem(
        backend=backend,
        code=ProblemCode.NAME_AMBIGUOUS,
        message=(
            f"{title(backend)} has {len(entries)} {want.catalog.value} that {want.name!r} may mean: "
            f"{which}. {way_out}"
        ),
        field=list(want.field),
        suggestions=[entry.id for entry in entries[:SHOWN]],
    )


def _by_setting(want: Wanted) -> str:
    return f"It is the gateway's setting {want.setting} that names it"


def _tell_apart(entries: Sequence[Entry]) -> str:
    """How several entries that one name fits are told apart."""
    spelled = len({entry.name for entry in entries}) == len(entries)
    return "Give one of them as it is spelled here, or" if spelled else "Give"


SHOWN = 5
"""How many of those that a name may mean its problem shows."""
_PARTS = (("contact",), ("company",))
"""The parts of a lead's input that have native sections of their own."""


def nowhere_found(
    wanted: Mapping[Backend, list[Wanted]], resolutions: Mapping[Backend, Resolution]
) -> list[Problem]:
    """Problems of shared names that no target knows.

    While a target's catalog cannot be read, a name that is missing everywhere else may be one of
    that target's: it is no problem of the input then, and the unreadable target fails by itself.
    """
    problems: dict[tuple[str, ...], Problem] = {}
    if not any(resolution.missing for resolution in resolutions.values()):
        return []
    for want in (want for wants in wanted.values() for want in wants if want.shared):
        key = (want.catalog, want.name or "")
        asked = [resolutions[backend] for backend, wants in wanted.items() if want in wants]
        if any(key not in resolution.missing for resolution in asked):
            continue
        suggestions = list(
            dict.fromkeys(name for resolution in asked for name in resolution.missing[key])
        )
        problems[want.field] = not_found(want, suggestions, None)
    return list(problems.values())
