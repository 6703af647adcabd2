"""Contacts read by a key, as `Stored` records."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gateway.backends.adapter import KeyKind, Stored
from gateway.backends.everbridge.client import (
    PAGE_SIZE,
    read_contact,
    read_contact_by_external_id,
    search_contacts,
    search_contacts_by_id,
)
from gateway.backends.everbridge.envelopes import contact_of, contacts_in, refuse_short, rows_of
from gateway.backends.everbridge.newly_made import NewlyMade
from gateway.backends.joined import AT_ONCE, chunked, side_by_side
from gateway.entries import CatalogName
from gateway.errors import NotWrittenError, RefusedError
from gateway.matching import sorted_by_value
from gateway.model import Backend
from gateway.results import ProblemCode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.calls import Call, Reply
    from gateway.catalogs import Catalogs
    from gateway.errors import BackendFailure
    from gateway.sending.quota import Window
    from gateway.upstream import Exchange, Sender

CONTACT_ID = re.compile(r"[1-9][0-9]{0,15}")
"""At most 16 digits (contract: everbridge section 1.1)."""
LONGEST_EXTERNAL_ID = 80
"""Characters that one may have: 50 by the API's schema, 80 by a support page (contract: everbridge
section 4). The longer one, because what is stored must be found."""
LONGEST_QUERY = 6000
"""Characters of externalIds in one address. ASSUMED: servers commonly take 8000 in all."""


class ContactReader:
    """Reads contacts of one organization; its methods raise BackendFailure.

    A row of a search is taken for the whole contact. ASSUMED from its documented type, and from
    a client in use that PUTs such a row back.
    """

    def __init__(
        self, sender: Sender, catalogs: Catalogs, *, organization_id: str, email_path: str | None
    ) -> None:
        self._sender = sender
        self._catalogs = catalogs
        self._organization_id = organization_id
        self._email_path = email_path
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._a_search = search_contacts(organization_id, ())
        self.made = NewlyMade()

    def quota(self) -> Window | None:
        """What look-ups count against."""
        return self._sender.quota_for(self._a_search)

    async def by_id(self, contact_id: str, exchange: Exchange) -> list[Stored]:
        """The contact with that native id, or none."""
        return await self._one(read_contact(self._organization_id, contact_id), exchange)

    async def by_external_id(self, external_id: str, exchange: Exchange) -> list[Stored]:
        """The contacts that the search brings for that externalId; the caller verifies them.

        ASSUMED: the search splits its values at commas, so that an externalId with a comma is
        asked for by the path instead. "Not found" for it would end in a POST that overwrites.
        """
        if "," in external_id:
            call = read_contact_by_external_id(self._organization_id, external_id)
            return await self._one(call, exchange)
        return await self._rows(KeyKind.EXTERNAL_ID, [external_id], exchange)

    async def look_up(
        self,
        kind: KeyKind,
        values: Sequence[str],
        exchange: Exchange,
        at_once: asyncio.Semaphore | None = None,
    ) -> dict[str, list[Stored] | BackendFailure]:
        """The contacts of many ids or externalIds, 100 to a call.

        What can be no key of Everbridge's is not asked for: it would spoil the call for the others.
        Without a bound of the caller's own, calls of all reads together are AT_ONCE at most.
        """
        if kind is KeyKind.NATIVE_ID:
            wanted = [value for value in values if CONTACT_ID.fullmatch(value)]
            chunks = chunked(wanted, most=PAGE_SIZE)
        else:
            wanted = [value for value in values if 0 < len(value) <= LONGEST_EXTERNAL_ID]
            alone = [value for value in wanted if "," in value]
            chunks = chunked(
                (value for value in wanted if "," not in value),
                most=PAGE_SIZE,
                longest=LONGEST_QUERY,
                each=len("&externalIds="),
            )
            chunks += [[value] for value in alone]

        async def ask(chunk: Sequence[str]) -> dict[str, list[Stored]]:
            rows = await self._rows(kind, chunk, exchange)
            return sorted_by_value(Backend.EVERBRIDGE, kind, chunk, rows)

        nothing: dict[str, list[Stored] | BackendFailure] = {value: [] for value in values}
        return nothing | await side_by_side(chunks, ask, at_once or self._at_once)

    async def _rows(self, kind: KeyKind, values: Sequence[str], exchange: Exchange) -> list[Stored]:
        """The contacts that one call brings."""
        if kind is KeyKind.EXTERNAL_ID and "," in values[0]:
            return await self.by_external_id(values[0], exchange)
        if kind is KeyKind.NATIVE_ID and len(values) == 1:
            return await self.by_id(values[0], exchange)  # no list, which may lag behind
        search = search_contacts_by_id if kind is KeyKind.NATIVE_ID else search_contacts
        read_at = time.monotonic()
        reply = await self._list(search(self._organization_id, values), exchange)
        rows = contacts_in(reply, rows_of(reply))
        if len(rows) < PAGE_SIZE:  # a full page that is one of many did not honour the filter
            refuse_short(reply, len(rows))
        email_id = await self._email_path_id(exchange)
        found = [_stored(row, email_id, read_at) for row in rows]
        if kind is KeyKind.EXTERNAL_ID:
            found += await self._not_shown_yet(values, found, exchange)
        return found

    async def _not_shown_yet(
        self, values: Sequence[str], found: Sequence[Stored], exchange: Exchange
    ) -> list[Stored]:
        """The contacts that were made a moment ago and that a search lacks, by their ids."""
        shown = {stored.external_id for stored in found}
        made: list[Stored] = []
        for value in values:
            contact_id = self.made.id_of(value)
            if contact_id is None:
                continue
            rows = [] if value in shown else await self.by_id(contact_id, exchange)
            own = [stored for stored in rows if stored.external_id == value]
            if not own:
                self.made.forget(value)
            made += own
        return made

    async def _list(self, call: Call, exchange: Exchange) -> Reply:
        """A search's answer. Its 404 is about no contact: a list is there, however empty it is."""
        try:
            return await self._sender.send(call, exchange)
        except RefusedError as refusal:
            if refusal.problem.code is not ProblemCode.NOT_FOUND:
                raise
            problem = replace(refusal.problem, code=ProblemCode.BACKEND_ERROR, retryable=True)
            raise NotWrittenError(problem) from refusal

    async def _one(self, call: Call, exchange: Exchange) -> list[Stored]:
        read_at = time.monotonic()
        try:
            reply = await self._sender.send(call, exchange)
        except RefusedError as refusal:
            if refusal.problem.code is ProblemCode.NOT_FOUND:
                return []
            raise
        return [_stored(contact_of(reply), await self._email_path_id(exchange), read_at)]

    async def _email_path_id(self, exchange: Exchange) -> str | None:
        """The pathId of the contact path that the unified e-mail lives in."""
        if self._email_path is None:
            return None
        paths = await self._catalogs.read(CatalogName.PATHS, exchange)
        entries = paths.matches(self._email_path)
        return entries[0].id if len(entries) == 1 else None


def _stored(contact: Mapping[str, Any], email_path_id: str | None, read_at: float) -> Stored:
    external_id = contact.get("externalId")
    return Stored(
        id=str(contact.get("id")),
        external_id=str(external_id) if external_id else None,
        email=email_of(contact, email_path_id),
        raw=contact,
        read_at=read_at,
    )


def email_of(contact: Mapping[str, Any], email_path_id: str | None) -> str | None:
    """The value of the contact's e-mail path."""
    for path in contact.get("paths") or ():
        if email_path_id is not None and str(path.get("pathId")) == email_path_id:
            return str(path["value"]) if path.get("value") else None
    return None
