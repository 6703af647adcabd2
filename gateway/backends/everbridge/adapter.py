"""Everbridge's adapter.

How it differs: a contact is written whole, by PUT or by a POST that overwrites, so that every write
starts from the stored contact; leaving a group takes a call of its own. It has no compare-and-set:
what someone outside the gateway changes between our read and our PUT is overwritten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.backends.adapter import Answer, Found, KeyKind
from gateway.backends.everbridge.addresses import check_addresses
from gateway.backends.everbridge.attributes import NATIVE as NATIVE_FIELDS
from gateway.backends.everbridge.batch import Batches
from gateway.backends.everbridge.catalog import ID_FIELDS, fetches
from gateway.backends.everbridge.checks import check_ids
from gateway.backends.everbridge.contact import (
    FIELDS,
    NATIVE_IDS,
    external_id,
    misfits,
    plan_contact,
    wanted_names,
)
from gateway.backends.everbridge.envelopes import is_whole, read_in_part, written_id
from gateway.backends.everbridge.joined_reads import JoinedReads
from gateway.backends.everbridge.organization import Organization
from gateway.backends.everbridge.paths import UNIFIED
from gateway.backends.everbridge.probe import explained, unknown_names
from gateway.backends.everbridge.reader import ContactReader
from gateway.backends.everbridge.reading import RECORD_CATALOGS, ids_shown, read_contact
from gateway.backends.joined import asked
from gateway.catalogs import Catalogs
from gateway.errors import NotWrittenError, RefusedError
from gateway.fields import too_long_fields
from gateway.matching import keys_of, match
from gateway.model import Backend

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gateway.backends.adapter import Key, Plan, Stored
    from gateway.backends.everbridge.client import EverbridgeDialect
    from gateway.calls import Call, Reply
    from gateway.entries import Catalog, CatalogName
    from gateway.errors import BackendFailure
    from gateway.fields import Field
    from gateway.names import Resolution, Wanted
    from gateway.records import ContactRecord
    from gateway.results import ImportJob, Problem
    from gateway.upstream import Exchange, Sender
    from gateway.write import ContactWrite

NATIVE_ID = "everbridge.id"
KEYS = (KeyKind.NATIVE_ID, KeyKind.EXTERNAL_ID)

FRESH_FOR = 0.25
"""Seconds for which a contact that was read may be written back without reading it again."""


class EverbridgeAdapter:
    """One organization of Everbridge.

    `email_path` and `phone_path` are the prompts of the contact paths that the unified e-mail and
    phone go to; `record_type` is the name of the type for new contacts that name none.
    """

    backend = Backend.EVERBRIDGE
    contact_fields: Sequence[Field] = FIELDS
    native_custom_fields = NATIVE_FIELDS
    native_ids: Mapping[str, CatalogName] = NATIVE_IDS
    key_kinds: Sequence[KeyKind] = KEYS
    record_catalogs: Sequence[CatalogName] = RECORD_CATALOGS

    def __init__(
        self,
        sender: Sender,
        dialect: EverbridgeDialect,
        *,
        catalog_ttl: float,
        organization_id: str,
        email_path: str | None = None,
        phone_path: str | None = None,
        record_type: str | None = None,
    ) -> None:
        self.sender = sender
        self.dialect = dialect
        self.catalogs = Catalogs(
            self.backend, fetches(sender, organization_id), ttl=catalog_ttl, id_fields=ID_FIELDS
        )
        self._organization = Organization(
            id=organization_id,
            email_path=email_path,
            phone_path=phone_path,
            record_type=record_type,
        )
        self._reader = ContactReader(
            sender, self.catalogs, organization_id=organization_id, email_path=email_path
        )
        self._reads = JoinedReads(self._reader)
        self._batches = Batches(sender, self._reader)

    def check(self, write: ContactWrite) -> list[Problem]:
        """What is wrong whatever Everbridge holds: ids, lengths, limits of addresses."""
        return [
            *check_ids(write),
            *too_long_fields(FIELDS, write, self.backend),
            *check_addresses(write),
        ]

    def needs_siblings(self, write: ContactWrite) -> bool:
        """Whether the input gives neither key; a null is none."""
        return not (write.mentions(NATIVE_ID) or write.mentions("external_id"))

    async def find(
        self, write: ContactWrite, siblings: Mapping[Backend, Found], exchange: Exchange
    ) -> Found:
        """The contact by everbridge.id, else by externalId, the input's or a sibling's."""
        keys = keys_of(write, NATIVE_ID, KEYS, siblings)

        async def look_up(key: Key) -> list[Stored]:
            return await self._reads.find(key.kind, key.value, exchange)

        found = await match(self.backend, keys, look_up)
        if found.stored is not None and not is_whole(found.stored.raw):
            raise NotWrittenError(read_in_part(found.stored.id))
        return found if keys else Found(keyless=True, looked_at=found.looked_at)

    def wanted(self, write: ContactWrite) -> list[Wanted]:
        """Groups, record type, prompts of paths, and attributes."""
        return wanted_names(write, self._organization)

    def misfits(
        self, write: ContactWrite, resolution: Resolution, found: Found | None
    ) -> list[Problem]:
        """The record type's id, and paths: their ids, and values that are none of their kind."""
        return misfits(write, resolution, self._organization, found)

    def plan(
        self,
        write: ContactWrite,
        found: Found,
        resolution: Resolution,
        siblings: Mapping[Backend, Found],  # noqa: ARG002 - `find` has taken what it needs of them
    ) -> Plan:
        """The PUT or POST, and a DELETE for each membership that must go."""
        return plan_contact(write, found, resolution, self._organization)

    def lock_keys(self, write: ContactWrite, found: Found) -> list[str]:  # noqa: ARG002 - `found` knows
        """The externalId, and where the write changes it, the stored and the new one.

        Not the contact's id: who makes a contact does not know it, and a POST that is sent again
        overwrites what others, who have found the contact since, would have written.
        """
        keys = {external_id(found)}
        if found.stored is not None:
            keys.add(found.stored.external_id)
        named = sorted(f"ext:{key}" for key in keys if key)
        return named if named or found.stored is None else [found.stored.id]

    def fresh_for(self, found: Found) -> float:
        """A moment for a contact that was found; nothing for one that was not."""
        return FRESH_FOR if found.stored is not None else 0.0

    async def send(self, call: Call, exchange: Exchange) -> Reply:
        """The answer to a call of a plan, which leaves with others' where work is gathered."""
        try:
            reply = await self._batches.send(call, exchange)
        except RefusedError:
            self.catalogs.doubt()
            raise
        contact_id = self.read_answer(call, reply).id
        if call.method == "POST" and contact_id is not None:
            self._reader.made.note(call.body["externalId"], contact_id)
        return reply

    def read_answer(self, call: Call, reply: Reply) -> Answer:
        """The contact's id, which POST and PUT answer; a batch's may be left unknown."""
        contact_id = written_id(reply.body) if call.method in {"POST", "PUT"} else None
        return Answer(id=None if contact_id is None else str(contact_id))

    async def look_up(
        self, kind: KeyKind, values: Sequence[str], exchange: Exchange
    ) -> Mapping[str, list[Stored] | BackendFailure]:
        """Contacts by many ids or externalIds; e-mail is nothing that it can be asked by."""
        return await self._reader.look_up(kind, values, exchange)

    def ids_shown(self, stored: Stored) -> Iterable[tuple[CatalogName, str]]:
        """The ids of groups, record type and paths."""
        return ids_shown(stored.raw)

    def read_contact(
        self, stored: Stored, catalogs: Mapping[CatalogName, Catalog]
    ) -> ContactRecord:
        """The contact's record."""
        return read_contact(stored.raw, catalogs, self._organization)

    def holds(self, field: str) -> bool:
        """Whether there is a place for a field; e-mail and phone need the path that is set."""
        if field in UNIFIED and self._organization.prompt_of(field) is None:
            return False
        return any(row.name == field for row in self.contact_fields)

    async def probe(self, exchange: Exchange) -> list[Problem]:
        """Ask for a contact that does not exist; then look whether the settings' names do."""
        organization_id = self._organization.id
        await asked(
            self,
            KeyKind.EXTERNAL_ID,
            exchange,
            lambda problem: explained(problem, organization_id),
        )
        return await unknown_names(self._organization, self.catalogs, exchange)

    async def job(self, job_id: str, exchange: Exchange) -> ImportJob | None:  # noqa: ARG002 - there are none
        """Nothing: Everbridge's calls are done when they are answered."""
        return None
