"""Contacts read by a key, as `Stored` records."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from gateway.backends.adapter import Stored
from gateway.backends.everbridge.client import (
    contact_of,
    read_contact,
    read_contact_by_external_id,
    rows_of,
    search_contacts,
)
from gateway.entries import CatalogName
from gateway.errors import RefusedError
from gateway.results import ProblemCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.calls import Call
    from gateway.catalogs import Catalogs
    from gateway.upstream import Exchange, Sender


class ContactReader:
    """Reads contacts of one organization; both methods raise BackendFailure.

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
        read_at = time.monotonic()
        reply = await self._sender.send(
            search_contacts(self._organization_id, [external_id]), exchange
        )
        email_id = await self._email_path_id(exchange)
        return [_stored(row, email_id, read_at) for row in rows_of(reply)]

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
