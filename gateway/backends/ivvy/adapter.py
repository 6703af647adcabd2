"""iVvy's adapter: what is asked of it, and the pure functions that decide."""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gateway.backends.adapter import Answer, Found, Key, KeyKind, Stored
from gateway.backends.ivvy import client
from gateway.backends.ivvy.answers import not_asked
from gateway.backends.ivvy.batch import Batches
from gateway.backends.ivvy.belonging import (
    NATIVE_COMPANIES,
    NATIVE_GROUPS,
    NATIVE_IDS,
    wanted_companies,
)
from gateway.backends.ivvy.catalog import ID_FIELDS, fetches
from gateway.backends.ivvy.contact import (
    KEYS,
    NATIVE_ID,
    field_rows,
    keys,
    lacks_email,
    plan_contact,
)
from gateway.backends.ivvy.custom_values import NATIVE as NATIVE_FIELDS
from gateway.backends.ivvy.external_urls import needs_stored_urls
from gateway.backends.ivvy.ids import ill_formed, is_id
from gateway.backends.ivvy.lead_adapter import IvvyLeads
from gateway.backends.ivvy.made_just_now import create_to_wait_for
from gateway.backends.ivvy.pages import read_rows
from gateway.backends.ivvy.probe import explained
from gateway.backends.ivvy.reading import RECORD_CATALOGS, ids_shown, read_contact
from gateway.backends.joined import AT_ONCE, asked, chunked, side_by_side
from gateway.catalogs import Catalogs
from gateway.custom_fields import wanted_custom_fields
from gateway.errors import NotWrittenError, RefusedError
from gateway.matching import fitting, has_key, match, sorted_by_value
from gateway.memberships import wanted_groups
from gateway.model import Backend
from gateway.results import Problem, ProblemCode
from gateway.values import folded_email

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gateway.backends.adapter import Plan
    from gateway.backends.ivvy.client import IvvyDialect
    from gateway.calls import Call, Reply
    from gateway.entries import Catalog, CatalogName
    from gateway.errors import BackendFailure
    from gateway.fields import Field
    from gateway.names import Resolution, Wanted
    from gateway.records import ContactRecord
    from gateway.results import ImportJob
    from gateway.upstream import Exchange, Sender
    from gateway.write import ContactWrite

ONLY_SINGLY = frozenset({"email_status", "sms_status"})
"""Fields, beside externalUrls, that iVvy shows for a contact read singly and not in lists."""
_WITH_IDS = frozenset({NATIVE_ID, NATIVE_GROUPS, NATIVE_COMPANIES, NATIVE_FIELDS})


class IvvyAdapter:
    """iVvy, for one key.

    How it differs: only what changes is sent, yet a sent list of groups or companies overrides, so
    single groups are joined and left by calls of their own. A contact that is found in a list is
    read once more when the write speaks of something that lists do not show. A new contact is made
    under a lock and with updateIfExists, so that the call may be repeated.
    """

    backend: Backend = Backend.IVVY
    native_custom_fields = NATIVE_FIELDS
    native_ids: Mapping[str, CatalogName] = NATIVE_IDS
    key_kinds: Sequence[KeyKind] = KEYS
    record_catalogs: Sequence[CatalogName] = RECORD_CATALOGS

    def __init__(
        self,
        sender: Sender,
        dialect: IvvyDialect,
        *,
        catalog_ttl: float,
        text_clear: str | None = "",
        lead_fields: Mapping[str, str] | None = None,
        batch_callback_url: str | None = None,
    ) -> None:
        self.sender = sender
        self.dialect = dialect
        self.catalogs = Catalogs(
            Backend.IVVY, fetches(sender, lead_fields or {}), ttl=catalog_ttl, id_fields=ID_FIELDS
        )
        self.contact_fields: Sequence[Field] = field_rows(text_clear)
        self._text_clear = text_clear
        self.leads = IvvyLeads(self, text_clear=text_clear)
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._batches = Batches(sender, dialect, callback_url=batch_callback_url)

    def check(self, write: ContactWrite) -> list[Problem]:
        """Ids that are no iVvy ids."""
        return check_ids(write)

    def needs_siblings(self, write: ContactWrite) -> bool:
        """Whether the input has no key at all."""
        return not has_key(write, NATIVE_ID, KEYS)

    async def find(
        self, write: ContactWrite, siblings: Mapping[Backend, Found], exchange: Exchange
    ) -> Found:
        """The contact by its id, externalId or e-mail address.

        A contact that is not found and has no e-mail address is keyless as long as no sibling gives
        one: a new contact would get it, and must have been looked for by it. iVvy has no look-up of
        many: in a bulk contacts are looked up singly, a few side by side.
        """
        if exchange.gathering is None:
            return await self._find(write, siblings, exchange)
        with exchange.gathering.on_the_way(self.sender):
            async with self._at_once:
                return await self._find(write, siblings, exchange)

    async def _find(
        self, write: ContactWrite, siblings: Mapping[Backend, Found], exchange: Exchange
    ) -> Found:
        known = keys(write, siblings)
        if not known:
            return Found(keyless=True, looked_at=time.monotonic())
        found = await match(
            *(self.backend, known, lambda key: self._look_up(key, exchange)), native=write.id_field
        )
        if found.stored is None and lacks_email(write, known):
            return replace(found, keyless=True)
        singly = found.matched_by == "ivvy.id"
        if found.stored is None or singly or not needs_whole(write):
            return found
        return replace(found, stored=await self._whole(found.stored, exchange))

    async def _look_up(self, key: Key, exchange: Exchange) -> list[Stored]:
        """The contacts that iVvy gives for a key, two at least where there are several."""
        read_at = time.monotonic()
        if key.kind is KeyKind.NATIVE_ID:
            return await self._by_id(key.value, exchange)
        name = key.kind.value
        try:
            rows = await read_rows(
                self.sender,
                lambda start: client.list_contacts(name, key.value, start),
                exchange,
                enough=2,
            )
        except RefusedError as error:
            raise NotWrittenError(not_asked(f"the contact by its {name}", error.problem)) from error
        return [to_stored(row, read_at) for row in rows]

    async def _by_id(self, contact_id: str, exchange: Exchange) -> list[Stored]:
        read_at = time.monotonic()
        try:
            reply = await self.sender.send(client.get_contact(contact_id), exchange)
        except RefusedError as error:
            if error.problem.code is ProblemCode.NOT_FOUND:
                return []
            raise
        return [to_stored(reply.body, read_at)]

    async def _whole(self, listed: Stored, exchange: Exchange) -> Stored:
        """The contact with what lists do not show."""
        key = Key(kind=KeyKind.NATIVE_ID, value=listed.id, source="ivvy.id")
        for stored in fitting(self.backend, key, await self._by_id(listed.id, exchange)):
            return stored
        raise NotWrittenError(
            Problem(
                backend=self.backend,
                code=ProblemCode.CONFLICT,
                message=f"iVvy listed contact {listed.id} and then did not know it: it was removed "
                "meanwhile.",
                retryable=True,
            )
        )

    def wanted(self, write: ContactWrite) -> list[Wanted]:
        """Groups and custom fields, which other backends may have instead, and companies."""
        return [
            *wanted_groups(write, NATIVE_GROUPS),
            *wanted_custom_fields(write, NATIVE_FIELDS),
            *wanted_companies(write),
        ]

    def plan(
        self,
        write: ContactWrite,
        found: Found,
        resolution: Resolution,
        siblings: Mapping[Backend, Found],  # noqa: ARG002 - `find` has taken what it needs of them
    ) -> Plan:
        """The calls of the write."""
        return plan_contact(write, found, resolution, text_clear=self._text_clear)

    def lock_keys(self, write: ContactWrite, found: Found) -> list[str]:
        """For a new contact its e-mail and its externalId, in this order; an update mostly needs no lock.

        An update sends whole lists or single memberships, both of which mean the same whatever was
        written meanwhile. Only one that changes by what a create finds its contact again waits for that.
        """
        if found.stored is not None:
            email = create_to_wait_for(write, found.stored, client.utc_now())
            return [] if email is None else [f"email:{email}"]
        asked = {key.kind: key.value for key in found.asked_by}
        keys: list[str] = []
        if KeyKind.EMAIL in asked:
            keys.append(f"email:{folded_email(asked[KeyKind.EMAIL])}")
        if KeyKind.EXTERNAL_ID in asked:
            keys.append(f"externalId:{asked[KeyKind.EXTERNAL_ID]}")
        return keys

    def fresh_for(self, found: Found) -> float:
        """That a contact does not exist is asked again under the lock; then it is made once."""
        return 0.0 if found.stored is None else math.inf

    async def send(self, call: Call, exchange: Exchange) -> Reply:
        """The answer to a call of a plan, which is a job of a batch where work is gathered."""
        try:
            return await self._batches.send(call, exchange)
        except RefusedError:
            self.catalogs.doubt()
            raise

    def read_answer(self, call: Call, reply: Reply) -> Answer:
        """The contact's id; group calls bring none."""
        if client.action_of(call) in client.GROUP_ACTIONS:
            return Answer()
        return Answer(id=str(reply.body["id"]))

    async def look_up(
        self, kind: KeyKind, values: Sequence[str], exchange: Exchange
    ) -> Mapping[str, list[Stored] | BackendFailure]:
        """Contacts one by one, some side by side, because iVvy has no look-up of many.

        A contact found in a list is read once more, singly, so that its statuses and links are
        there. Several contacts of one e-mail address are left as the list shows them.
        """

        async def ask(chunk: Sequence[str]) -> dict[str, list[Stored]]:
            return {value: await self._read(kind, value, exchange) for value in chunk}

        return await side_by_side(chunked(values, most=1), ask, self._at_once)

    async def _read(self, kind: KeyKind, value: str, exchange: Exchange) -> list[Stored]:
        if kind is KeyKind.NATIVE_ID and not is_id(value):
            return []
        rows = await self._look_up(Key(kind=kind, value=value, source=kind.value), exchange)
        found = sorted_by_value(self.backend, kind, [value], rows)[value]
        if kind is KeyKind.NATIVE_ID or len(found) != 1:
            return found
        return [await self._whole(found[0], exchange)]

    def ids_shown(self, stored: Stored) -> Iterable[tuple[CatalogName, str]]:
        """The ids of groups."""
        return ids_shown(stored.raw)

    def read_contact(
        self, stored: Stored, catalogs: Mapping[CatalogName, Catalog]
    ) -> ContactRecord:
        """The contact's record."""
        return read_contact(stored.raw, catalogs)

    def holds(self, field: str) -> bool:
        """Whether there is a place for a field."""
        return any(row.name == field for row in self.contact_fields)

    async def probe(self, exchange: Exchange) -> list[Problem]:
        """Ask for a contact that does not exist."""
        await asked(self, KeyKind.EXTERNAL_ID, exchange, explained)
        return []

    async def job(self, job_id: str, exchange: Exchange) -> ImportJob | None:  # noqa: ARG002 - there are none
        """Nothing: the calls used here are done when they are answered."""
        return None


def needs_whole(write: ContactWrite) -> bool:
    """Whether the write speaks of something that iVvy shows only for a contact read singly."""
    return needs_stored_urls(write) or not ONLY_SINGLY.isdisjoint(write.wishes)


def to_stored(row: Mapping[str, Any], read_at: float) -> Stored:
    """A contact as iVvy gave it; ids come as numbers or text, and so do externalIds."""
    external = row.get("externalId")
    return Stored(
        id=str(row["id"]),
        external_id=None if external in (None, "") else str(external),
        email=row.get("email") or None,
        raw=row,
        read_at=read_at,
    )


def check_ids(write: ContactWrite) -> list[Problem]:
    """A problem for each id that is not of iVvy's form."""
    problems: list[Problem] = []
    if _WITH_IDS.isdisjoint(write.wishes):
        return problems  # as most writes say nothing of them
    contact = write.given(NATIVE_ID)
    if contact is not None and contact.value is not None:
        problems += ill_formed(write.field_path(NATIVE_ID), contact.value)
    for name in (NATIVE_GROUPS, NATIVE_COMPANIES):
        for place, value in enumerate(write.items(name)):
            problems += ill_formed(write.field_path(name, place), value)
    for place, item in enumerate(write.items(NATIVE_FIELDS)):
        problems += ill_formed(write.field_path(NATIVE_FIELDS, place, "id"), str(item.id))
    return problems
