"""How the company of a lead is found: by its id, or by its name in the list of companies.

iVvy searches by neither name nor externalId (contract: ivvy section 5.6), so the list is kept.
"""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from gateway.backends.adapter import Found, Key, KeyKind, Stored
from gateway.backends.ivvy import client
from gateway.backends.ivvy.catalog import changed_companies
from gateway.entries import CatalogName, folded
from gateway.errors import RefusedError
from gateway.matching import fitting
from gateway.model import Backend
from gateway.name_problems import ambiguous
from gateway.names import Wanted
from gateway.results import ProblemCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.catalogs import Catalogs
    from gateway.entries import Catalog, Entry
    from gateway.lead_write import CompanyWrite
    from gateway.upstream import Exchange, Sender

MOST_OFF = timedelta(minutes=5)
"""How far iVvy's clock may be from ours: what is further off it refuses."""


class Companies:
    """The companies of one key, as far as leads belong to them."""

    def __init__(self, sender: Sender, catalogs: Catalogs) -> None:
        self._sender = sender
        self._catalogs = catalogs

    async def by_id(self, company_id: str, matched_by: str, exchange: Exchange) -> Found:
        """The company of that id."""
        read_at = time.monotonic()
        try:
            reply = await self._sender.send(client.get_company(company_id), exchange)
        except RefusedError as error:
            if error.problem.code is ProblemCode.NOT_FOUND:
                error.problem.field = ["company", "ivvy", "id"]
            raise
        stored = the_record(company_id, reply.body, read_at)
        return Found(stored=stored, matched_by=matched_by, looked_at=read_at)

    async def by_name(self, write: CompanyWrite, name: str, exchange: Exchange) -> Found:
        """The one company of that name.

        A company that has left since, or has another name by now, is none.
        """
        looked_at = time.monotonic()
        matches = await self._named(name, looked_at, exchange)
        if not matches:
            return Found(looked_at=looked_at)
        if len(matches) > 1:
            path = tuple(write.field_path("name"))
            want = Wanted(catalog=CatalogName.COMPANIES, name=name, field=path)
            problem = ambiguous(want, matches, Backend.IVVY, id_field="company.ivvy.id")
            raise RefusedError(problem)
        try:
            found = await self.by_id(matches[0].id, "name", exchange)
        except RefusedError as error:
            if error.problem.code is ProblemCode.NOT_FOUND:
                return Found(looked_at=looked_at)
            raise
        held = found.stored
        named = held is not None and same_name(held.raw.get("businessName"), name)
        return found if named else Found(looked_at=looked_at)

    async def _named(self, name: str, now: float, exchange: Exchange) -> list[Entry]:
        """The companies of that name; the list is read again when it has none.

        Where it was read a moment ago and is not read again, what has changed since is asked for: a
        company that another gateway has just made would be taken for a new one, and written over.
        """
        catalog = await self._catalogs.read(CatalogName.COMPANIES, exchange)
        if not catalog.matches(name):
            catalog = await self._catalogs.reread(CatalogName.COMPANIES, catalog, exchange)
        if not catalog.matches(name) and catalog.read_at < now:
            catalog = await self._with_changed(catalog, exchange)
        return catalog.matches(name)

    async def _with_changed(self, catalog: Catalog, exchange: Exchange) -> Catalog:
        """The list with the companies that have come or been renamed since it was read."""
        age = timedelta(seconds=time.monotonic() - catalog.read_at)
        since = client.utc_now() - age - MOST_OFF
        try:
            changed = await changed_companies(self._sender, since, exchange)
        except RefusedError:
            return catalog
        return replace(catalog, entries=(*catalog.entries, *changed))


def the_record(record_id: str, row: Mapping[str, Any], read_at: float) -> Stored:
    """The record of that id; raises NotWrittenError for another one."""
    key = Key(kind=KeyKind.NATIVE_ID, value=record_id, source="ivvy.id")
    [stored] = fitting(Backend.IVVY, key, [to_stored(row, read_at)])
    return stored


def to_stored(row: Mapping[str, Any], read_at: float) -> Stored:
    """A lead, company or contact as iVvy gave it; only the id counts here."""
    return Stored(id=str(row["id"]), external_id=None, email=None, raw=row, read_at=read_at)


def same_name(one: Any, other: str) -> bool:
    """Whether a stored name is the one that is looked for, in whatever letters."""
    return one is not None and folded(str(one)) == folded(other)
