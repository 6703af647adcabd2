"""SendGrid's adapter.

How it differs: a contact is known by one identifier type, an e-mail or an external id, and never
by SendGrid's own id. A plain patch is one upsert without a read; SendGrid answers it with a job,
and says neither whether the contact was new nor when it is stored. Lists are joined with the
upsert and left by calls of their own, and what has been accepted cannot be read for a while.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from gateway.backends.adapter import Answer, Found, Key, KeyKind
from gateway.backends.joined import AT_ONCE, asked
from gateway.backends.sendgrid.catalog import ID_FIELDS, fetches
from gateway.backends.sendgrid.changed_address import addresses_to_ask, may_create_new, tellers
from gateway.backends.sendgrid.checks import check_write
from gateway.backends.sendgrid.client import lists_left
from gateway.backends.sendgrid.contact import fields_for, plan_contact
from gateway.backends.sendgrid.gone_lists import GoneLists
from gateway.backends.sendgrid.identifiers import held_by
from gateway.backends.sendgrid.job import Jobs, accepted_job
from gateway.backends.sendgrid.look_ups import LookUps, look_up_many, needs_read
from gateway.backends.sendgrid.memory import NOTHING, by_id, by_identifier
from gateway.backends.sendgrid.new_fields import too_new
from gateway.backends.sendgrid.probe import explained
from gateway.backends.sendgrid.reading import RECORD_CATALOGS, ids_shown, read_contact
from gateway.backends.sendgrid.refusals import INPUT_PATHS
from gateway.backends.sendgrid.remembering import Remembering
from gateway.backends.sendgrid.sought import Sought
from gateway.backends.sendgrid.taken import refuse_taken
from gateway.backends.sendgrid.writes import Writes, written_by
from gateway.catalogs import Catalogs
from gateway.custom_fields import wanted_custom_fields
from gateway.entries import CatalogName
from gateway.errors import BackendFailure, NotWrittenError, RefusedError
from gateway.matching import keys_of, match
from gateway.memberships import wanted_groups
from gateway.model import Backend

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gateway.backends.adapter import Plan, Stored
    from gateway.backends.sendgrid.client import SendGridDialect
    from gateway.backends.sendgrid.identifiers import Identifier
    from gateway.backends.sendgrid.shared_memory import KeepsNotes
    from gateway.calls import Call, Reply
    from gateway.entries import Catalog
    from gateway.fields import Field
    from gateway.names import Resolution, Wanted
    from gateway.records import ContactRecord
    from gateway.results import BackendResult, ImportJob, Problem
    from gateway.upstream import Exchange, Sender
    from gateway.write import ContactWrite

FRESH_FOR = 30.0
"""Seconds that a look-up is relied on: SendGrid's reads are that old anyway."""

READ_BY: Mapping[Identifier, tuple[KeyKind, ...]] = {
    "email": (KeyKind.NATIVE_ID, KeyKind.EMAIL),
    "external_id": (KeyKind.NATIVE_ID, KeyKind.EXTERNAL_ID, KeyKind.EMAIL),
}
"""What a read asks by, by the account's identifier; external ids mean nothing where that is e-mail."""


class SendGridAdapter:
    """SendGrid, for one API key."""

    backend = Backend.SENDGRID
    native_custom_fields = "sendgrid.custom_fields"
    native_ids: Mapping[str, CatalogName] = {"sendgrid.list_ids": CatalogName.GROUPS}
    record_catalogs: Sequence[CatalogName] = RECORD_CATALOGS

    def __init__(
        self,
        sender: Sender,
        dialect: SendGridDialect,
        *,
        catalog_ttl: float,
        identifier: Identifier,
        window: float = 0.0,
    ) -> None:
        """An upsert waits `window` seconds for others to leave with; with 0 each leaves alone."""
        self.sender = sender
        self.dialect = dialect
        self.catalogs = Catalogs(
            self.backend, fetches(sender), ttl=catalog_ttl, id_fields=ID_FIELDS
        )
        self.contact_fields: Sequence[Field] = fields_for(identifier)
        self._identifier = identifier
        self._kind = KeyKind.EMAIL if identifier == "email" else KeyKind.EXTERNAL_ID
        self.key_kinds: Sequence[KeyKind] = READ_BY[identifier]
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._look_ups = LookUps(sender)
        self._jobs = Jobs(sender)
        self._remembering = Remembering(self._jobs, identifier, self._now)
        self.memory = self._remembering.memory
        self._writes = Writes(sender, identifier, window=window)
        self._gone = GoneLists(sender)
        sender.on_refusal = self._learn

    @staticmethod
    def _now() -> float:
        return time.monotonic()

    def share(self, notes: KeepsNotes, account: str) -> None:
        """Tell other processes what SendGrid has accepted, and learn it from them."""
        self._remembering.share(notes, account)

    def check(self, write: ContactWrite) -> list[Problem]:
        """What is wrong whatever is stored: identifiers, list ids, lengths, too many."""
        return check_write(write, self._identifier)

    def needs_siblings(self, write: ContactWrite) -> bool:
        """Whether the key must be borrowed, or whether a sibling holds another e-mail."""
        if not write.mentions(self._identifier):
            return True
        if self._identifier != "email":
            return False
        return may_create_new(write) or bool(write.once(tellers))

    async def find(
        self, write: ContactWrite, siblings: Mapping[Backend, Found], exchange: Exchange
    ) -> Found:
        """The stored contact, where the write needs to know it.

        Raises RefusedError for an identifier that another contact has, NotWrittenError when SendGrid
        cannot tell.
        """
        now = time.monotonic()
        keys = keys_of(write, "", (self._kind,), siblings)
        if not keys:
            return Sought(keyless=True, looked_at=now)
        key = keys[0]
        if self._identifier == "email" and (lower := key.value.strip().lower()) != key.value:
            key = key._replace(value=lower)
        # Only siblings tell of another address.
        holders = await self._holders(write, siblings, exchange) if siblings else {}
        if not needs_read(write, self._identifier):
            borrowed = None if key.path else key.source
            return Sought(
                looked=False,
                key=key.value,
                matched_by=borrowed,
                looked_at=now,
                holders=holders,
                asked_by=(key,),
            )
        return replace(await self._read(write, key, exchange), holders=holders)

    async def _read(self, write: ContactWrite, key: Key, exchange: Exchange) -> Sought:
        """The contact as it is shown, with what was accepted since laid over its lists."""
        subject = by_identifier(self._identifier, key.value)
        await self._remembering.renew(subject, exchange)
        leaving = self._writes.under_way(key.value)
        read_at = time.monotonic()
        found = await self._match(key, exchange)
        subjects = [subject, *([by_id(found.stored.id)] if found.stored else [])]
        # What other gateways were told meanwhile shows neither in the notes from before nor in the read.
        await self._remembering.learn(subjects, exchange)
        # What a job did shows in a read that began after its end, so a second one is needed where
        # only the first one told which contact to ask for.
        if found.stored and await self._remembering.settle(subjects[-1], exchange):
            read_at = time.monotonic()
            found = await self._match(key, exchange)
            subjects = [subject, *([by_id(found.stored.id)] if found.stored else [])]
            await self._remembering.learn(subjects, exchange)
        now = time.monotonic()
        accepted = self.memory.recall(subjects, now, read_at=read_at)
        for call in (*leaving, *self._writes.under_way(key.value)):
            joined, identifiers = written_by(call)
            accepted = (accepted or NOTHING).also(joined, identifiers, now)
        stored = found.stored
        if stored and accepted:
            lists = accepted.overlay(stored.raw.get("list_ids") or [])
            stored = replace(stored, raw={**stored.raw, "list_ids": lists})
        elif stored is None and accepted is None:
            await refuse_taken(write, self._identifier, self._look_ups, exchange)
        return Sought(
            stored=stored,
            matched_by=found.matched_by,
            looked=stored is not None or accepted is None,
            looked_at=found.looked_at,
            key=key.value,
            asked_by=(key,),
            accepted=accepted,
            readable_in=accepted.readable_in(now) if accepted else 1.0,
        )

    async def read_back(self, found: Found, exchange: Exchange) -> Found:
        """The contact as SendGrid shows it now, whatever is remembered of accepted writes."""
        key = found.key if isinstance(found, Sought) else None
        if key is None:
            return found
        source = Key(kind=self._kind, value=key, source=self._kind.value)
        shown = await self._match(source, exchange)
        return Sought(stored=shown.stored, looked_at=shown.looked_at, key=key)

    def may_be_overwritten(self, result: BackendResult, found: Found) -> bool:
        """Whether its jobs may have written it, by when it was written last."""
        held = found.stored
        return held is not None and self._jobs.may_have_written(result.jobs, held.raw)

    def must_be_seen(self, result: BackendResult) -> bool:
        """Whether it left a list: that was reported as accepted, with nothing changed."""
        return bool(lists_left(result))

    def is_seen(self, result: BackendResult, found: Found) -> bool:
        """Whether the contact is on none of the lists that it was to leave."""
        held = found.stored.raw.get("list_ids") if found.stored else None
        return lists_left(result).isdisjoint(held or ())

    async def _match(self, key: Key, exchange: Exchange) -> Found:
        return await match(self.backend, [key], lambda key: self._look_ups.by_key(key, exchange))

    async def _holders(
        self, write: ContactWrite, siblings: Mapping[Backend, Found], exchange: Exchange
    ) -> dict[str, str | None]:
        """Who has the addresses that tell whether a write makes a second contact."""
        asked_for = addresses_to_ask(write, siblings) if self._identifier == "email" else ()
        if not asked_for:
            return {}
        found = await self._look_ups.by_addresses(asked_for, exchange)
        subjects = [by_identifier("email", address) for address in asked_for]
        await self._remembering.learn(subjects, exchange)
        now = time.monotonic()
        holders: dict[str, str | None] = {}
        for address, rows in found.items():
            subject = by_identifier("email", address)
            if rows and not isinstance(rows, BackendFailure):
                holders[address] = f"the contact {rows[0].id}"
            elif self.memory.recall([subject], now) or self._writes.under_way(address):
                holders[address] = "a contact that it has accepted"
            elif not rows:
                holders[address] = None
        return holders

    def wanted(self, write: ContactWrite) -> list[Wanted]:
        """The names of lists and custom fields."""
        return [
            *wanted_groups(write, "sendgrid.list_ids"),
            *wanted_custom_fields(write, self.native_custom_fields),
        ]

    def plan(
        self,
        write: ContactWrite,
        found: Found,
        resolution: Resolution,
        siblings: Mapping[Backend, Found],
    ) -> Plan:
        """The upsert and the removals; pure.

        Raises NotWrittenError for a contact that must leave a list and cannot be read yet.
        """
        return plan_contact(
            write, self._sought(write, found), resolution, siblings, identifier=self._identifier
        )

    def lock_keys(self, write: ContactWrite, found: Found) -> list[str]:
        """The identifier, for a write that starts from what was read.

        Without it, two exact sets of lists written at once would add up to their union.
        """
        sought = self._sought(write, found)
        reads = sought.looked or sought.accepted is not None
        return [by_identifier(self._identifier, sought.key)] if reads and sought.key else []

    def _learn(self, call: Call, problem: Problem) -> None:
        """Read names anew after a write with an id that SendGrid has not, or no more."""
        if call.method == "PUT" and problem.field == list(INPUT_PATHS["custom_fields"]):
            self.catalogs.expire(CatalogName.CUSTOM_FIELDS)
        if call.method == "PUT" and problem.field == list(INPUT_PATHS["list_ids"]):
            self.catalogs.expire(CatalogName.GROUPS)

    def fresh_for(self, found: Found) -> float:  # noqa: ARG002 - the protocol's parameter
        """Seconds for which a look-up may be relied on under the lock."""
        return FRESH_FOR

    async def send(self, call: Call, exchange: Exchange) -> Reply:
        """The answer to a call of a plan, which may leave with those of others.

        That to a removal from a list that is no more is a 404: nobody is on it. What is accepted is
        remembered until its job is seen to have ended.
        """
        try:
            reply = await self._writes.send(call, exchange)
        except RefusedError as refusal:
            if refusal.reply is not None and await self._gone.caused(call, refusal, exchange):
                self.catalogs.expire(CatalogName.GROUPS)
                return refusal.reply
            problem = refusal.problem
            if later := await too_new(call, problem, self.catalogs, exchange):
                raise NotWrittenError(later) from refusal
            if problem.field == list(INPUT_PATHS["list_ids"]):
                there = problem.field if "list_ids" in (call.body or {}) else []
                problem.field = call.carries[0].split(".") if call.carries else there
            raise
        await self._remembering.accepted(call, reply, exchange)
        return reply

    def read_answer(self, call: Call, reply: Reply) -> Answer:
        """The job that the call has become; none where there was nothing to do."""
        gone = reply.status == HTTPStatus.NOT_FOUND
        return Answer() if gone else Answer(jobs=(accepted_job(call, reply),))

    async def look_up(
        self, kind: KeyKind, values: Sequence[str], exchange: Exchange
    ) -> Mapping[str, list[Stored] | BackendFailure]:
        """Contacts as SendGrid shows them now; writes that it has only accepted are not in them."""
        return await look_up_many(self.sender, kind, values, exchange, self._at_once)

    def ids_shown(self, stored: Stored) -> Iterable[tuple[CatalogName, str]]:
        """The ids of lists."""
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
        await asked(self, self._kind, exchange, explained)
        return []

    async def job(self, job_id: str, exchange: Exchange) -> ImportJob | None:
        """How a job stands, at most a second ago; None when SendGrid knows none by that id."""
        return await self._jobs.status(job_id, exchange, time.monotonic())

    def _sought(self, write: ContactWrite, found: Found) -> Sought:
        """What `find` brought; its own look-ups always bring a Sought."""
        if isinstance(found, Sought):
            return found
        given = write.given(self._identifier)
        key = held_by(found.stored.raw).get(self._identifier) if found.stored else None
        if given is not None and given.value is not None:
            key = str(given.value).lower() if self._identifier == "email" else str(given.value)
        return Sought(
            stored=found.stored,
            matched_by=found.matched_by,
            looked=found.looked,
            keyless=found.keyless,
            looked_at=found.looked_at,
            key=key,
        )
