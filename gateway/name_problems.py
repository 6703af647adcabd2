"""What is told of names: those that nobody knows, and those that fit several things. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.entries import CatalogName
from gateway.model import Backend, title
from gateway.results import Problem, ProblemCode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.entries import Entry
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


def ambiguous(
    want: Wanted, entries: list[Entry], backend: Backend, *, id_field: str | None = None
) -> Problem:
    """The problem of a name that several entries have; `id_field` takes the id instead."""
    which = " and ".join(f"{entry.name!r} ({entry.id})" for entry in entries[:SHOWN])
    if len(entries) > SHOWN:
        which += f" and {len(entries) - SHOWN} more"
    by_id = id_field or _IDS.get((backend, want.catalog), backend.value.lower())
    way_out = f"{_tell_apart(entries)} the id in {by_id} instead of the name."
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
_IDS = {
    (Backend.IVVY, CatalogName.GROUPS): "ivvy.groupIds",
    (Backend.IVVY, CatalogName.COMPANIES): "ivvy.companyIds",
    (Backend.IVVY, CatalogName.CUSTOM_FIELDS): "ivvy.customFields",
    (Backend.EVERBRIDGE, CatalogName.GROUPS): "everbridge.groupIds",
    (Backend.EVERBRIDGE, CatalogName.RECORD_TYPES): "everbridge.recordTypeId",
    (Backend.EVERBRIDGE, CatalogName.PATHS): "pathId",
    (Backend.EVERBRIDGE, CatalogName.CUSTOM_FIELDS): "everbridge.attributes",
    (Backend.SENDGRID, CatalogName.GROUPS): "sendgrid.listIds",
    (Backend.SENDGRID, CatalogName.CUSTOM_FIELDS): "sendgrid.customFields",
}
"""The input field that takes a list's ids; any other list's stand in the backend's section."""


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
