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
from gateway.name_problems import ambiguous, not_found

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gateway.catalogs import Catalogs
    from gateway.model import Backend
    from gateway.results import Problem
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
        if self.entry_id is None and self.child is None and not self.options:
            return True
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
            # Not these loaders: they and each of theirs would be a circle.
            exchange = self._exchange

            async def load(wants: list[Wanted]) -> list[Entry | Exception]:
                return await _looked_up(catalogs, name, wants, exchange)

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
    tally = _Tally(asked=catalogs)
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

    asked: Catalogs
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
                    self.problems.append(not_found(want, answer.suggestions, self.asked.backend))
            case AmbiguousNameError():
                id_field = self.asked.id_field(want.catalog)
                self.problems.append(ambiguous(want, answer.entries, self.asked.backend, id_field))
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
