"""Names to ids: what a write asks for, joined through dataloaders made for one request."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from aiodataloader import DataLoader

from gateway.entries import Catalog, CatalogName, Entry
from gateway.errors import BackendFailure, GatewayError
from gateway.fixed import fixed
from gateway.model import Backend, title
from gateway.results import Problem, ProblemCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gateway.catalogs import Catalogs
    from gateway.upstream import Exchange


class Wanted(NamedTuple):
    """A name to be resolved, or, without a name, a catalog that a plan needs as a whole."""

    catalog: CatalogName
    name: str | None = None
    field: tuple[str, ...] = ()
    """Where the name stands in the call."""
    shared: bool = False
    """Whether it is enough that one of the targets knows the name."""
    setting: str = ""
    """The setting that gives the name, where the caller does not."""
    entry_id: str | None = None
    """An id that the plan looks up in the catalog."""
    child: str | None = None
    """The id or name of a child that the plan looks up in it, whichever entry's it is."""
    options: tuple[str, ...] = ()
    """Options of the entry that the plan chooses."""

    def known(self, read: Catalog) -> bool:
        """Whether the catalog has what the plan looks up by itself."""
        entries = read.matches(self.name) if self.options and self.name is not None else []
        if self.entry_id is not None:
            entry = read.by_id.get(self.entry_id)
            if entry is None:
                return False
            entries = [entry]
        offered = all(entry.offers(option) for entry in entries for option in self.options)
        return offered and (self.child is None or read.has_child(self.child))


@cache
def whole(catalog: CatalogName) -> Wanted:
    """A catalog as a whole."""
    return Wanted(catalog=catalog)


class UnknownNameError(GatewayError):
    """A catalog has no entry of that name; `suggestions` are close ones."""

    def __init__(self, suggestions: list[str]) -> None:
        super().__init__()
        self.suggestions = suggestions


class AmbiguousNameError(GatewayError):
    """A catalog has several entries of that name."""

    def __init__(self, entries: list[Entry]) -> None:
        super().__init__()
        self.entries = entries


@fixed
class Resolution:
    """What one backend's catalogs say of a write's names."""

    found: Mapping[tuple[CatalogName, str], Entry] = field(default_factory=dict)
    missing: Mapping[tuple[CatalogName, str], list[str]] = field(default_factory=dict)
    """Names that the backend does not know, with suggestions."""
    catalogs: Mapping[CatalogName, Catalog] = field(default_factory=dict)
    """The catalogs that were read, whole."""
    problems: tuple[Problem, ...] = ()
    """Names that are ambiguous, and unshared names that are unknown."""
    unreadable: BackendFailure | None = None
    """Why a catalog that the write needs could not be read."""

    def id(self, catalog: CatalogName, name: str) -> str | None:
        """The id of a name; None where the backend does not know it."""
        entry = self.found.get((catalog, name))
        return entry.id if entry else None

    def entry(self, catalog: CatalogName, entry_id: str) -> Entry | None:
        """The entry of an id, where the catalog was read."""
        read = self.catalogs.get(catalog)
        return read.by_id.get(entry_id) if read else None


class Loaders:
    """One request's dataloaders: look-ups started together become one read of a catalog."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._loaders: dict[tuple[Backend, CatalogName], DataLoader[Wanted, Entry | Exception]] = {}

    def of(self, catalogs: Catalogs, name: CatalogName) -> DataLoader[Wanted, Entry | Exception]:
        """The loader from names to entries of one catalog."""
        key = (catalogs.backend, name)
        if key not in self._loaders:

            async def load(wants: list[Wanted]) -> list[Entry | Exception]:
                return await _looked_up(catalogs, name, wants, self._exchange)

            self._loaders[key] = DataLoader(load)
        return self._loaders[key]

    async def catalog(
        self, catalogs: Catalogs, name: CatalogName, wants: Sequence[Wanted] = ()
    ) -> Catalog:
        """A catalog as a whole, read again where it lacks what is to be looked up in it."""
        read = await catalogs.read(name, self._exchange)
        if all(want.known(read) for want in wants):
            return read
        return await catalogs.reread(name, read, self._exchange)


async def _looked_up(
    catalogs: Catalogs, catalog: CatalogName, wants: list[Wanted], exchange: Exchange
) -> list[Entry | Exception]:
    """An entry or an error for each name, in their order."""
    read = await catalogs.read(catalog, exchange)
    if not all(read.matches(want.name or "") and want.known(read) for want in wants):
        read = await catalogs.reread(catalog, read, exchange)
    return [_meant(read, want.name or "") for want in wants]


def _meant(catalog: Catalog, name: str) -> Entry | Exception:
    matches = catalog.matches(name)
    if len(matches) == 1:
        return matches[0]
    return AmbiguousNameError(matches) if matches else UnknownNameError(catalog.like(name))


async def resolve(wanted: Iterable[Wanted], catalogs: Catalogs, loaders: Loaders) -> Resolution:
    """Everything that a backend's catalogs say of the names, asked side by side.

    Raises nothing for a name: unknown and ambiguous ones, and an unreadable catalog, are told in
    the resolution.
    """
    asked = list(wanted)
    known = remembered(asked, catalogs)
    if known is not None:
        return known
    named = [want for want in asked if want.name is not None]
    whole: dict[CatalogName, list[Wanted]] = {}
    for want in asked:
        whole.setdefault(want.catalog, []).append(want)
    answers = await asyncio.gather(
        *(loaders.of(catalogs, want.catalog).load(want) for want in named),
        return_exceptions=True,
    )
    # A catalog that could not be read for a name is not asked for again.
    unread = {
        want.catalog
        for want, answer in zip(named, answers, strict=True)
        if isinstance(answer, BackendFailure)
    }
    for name in unread:
        del whole[name]
    read = await asyncio.gather(
        *(loaders.catalog(catalogs, name, wants) for name, wants in whole.items()),
        return_exceptions=True,
    )
    tally = _Tally(backend=catalogs.backend)
    for want, answer in zip(named, answers, strict=True):
        tally.count(want, answer)
    for name, outcome in zip(whole, read, strict=True):
        tally.keep(name, outcome)
    return Resolution(
        found=tally.found,
        missing=tally.missing,
        catalogs=tally.catalogs,
        problems=tuple(tally.problems),
        unreadable=tally.unreadable,
    )


def remembered(wanted: Sequence[Wanted], catalogs: Catalogs) -> Resolution | None:
    """The resolution where fresh catalogs know every name; else None: then it takes more than a look.

    A loader for each name, with its futures and tasks, costs more than the vendor's call that it
    saves once the catalogs are there.
    """
    read: dict[CatalogName, Catalog] = {}
    found: dict[tuple[CatalogName, str], Entry] = {}
    for want in wanted:
        catalog = read.get(want.catalog) or catalogs.fresh(want.catalog)
        if catalog is None or not want.known(catalog):
            return None
        read[want.catalog] = catalog
        if want.name is not None:
            matches = catalog.matches(want.name)
            if len(matches) != 1:
                return None
            found[want.catalog, want.name] = matches[0]
    return Resolution(found=found, catalogs=read)


@dataclass(kw_only=True)
class _Tally:
    """A resolution in the making."""

    backend: Backend
    found: dict[tuple[CatalogName, str], Entry] = field(default_factory=dict)
    missing: dict[tuple[CatalogName, str], list[str]] = field(default_factory=dict)
    catalogs: dict[CatalogName, Catalog] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    unreadable: BackendFailure | None = None

    def count(self, want: Wanted, answer: Entry | BaseException) -> None:
        """Note what became of one name."""
        key = (want.catalog, want.name or "")
        match answer:
            case Entry():
                self.found[key] = answer
            case UnknownNameError():
                self.missing[key] = answer.suggestions
                if not want.shared:
                    self.problems.append(not_found(want, answer.suggestions, self.backend))
            case AmbiguousNameError():
                self.problems.append(ambiguous(want, answer.entries, self.backend))
            case BackendFailure():
                self.unreadable = answer
            case _:
                raise answer

    def keep(self, name: CatalogName, outcome: Catalog | BaseException) -> None:
        """Note one catalog that was read as a whole, or was not."""
        match outcome:
            case Catalog():
                self.catalogs[name] = outcome
            case BackendFailure():
                self.unreadable = outcome
            case _:
                raise outcome


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
        hint = f" It is the gateway's setting {want.setting} that names it: correct it there.{hint}"
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
    return Problem(
        backend=backend,
        code=ProblemCode.NAME_AMBIGUOUS,
        message=(
            f"{title(backend)} has {len(entries)} {want.catalog.value} that {want.name!r} may mean: "
            f"{which}. {_tell_apart(entries)} the id in {by_id} instead of the name."
        ),
        field=list(want.field),
        suggestions=[entry.id for entry in entries[:SHOWN]],
    )


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
