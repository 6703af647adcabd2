"""Asking SendGrid for contacts by e-mail or external id, and which writes need it.

Who asks at the same time as others asks with them, 100 in a call: items of a bulk when they meet,
others when earlier calls are under way. Who comes alone waits for nobody, and nobody joins a
call that has left: what is read must not be older than the wish to read it.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any

from gateway.backends.adapter import Key, KeyKind, Stored
from gateway.backends.joined import chunked, side_by_side
from gateway.backends.joint_calls import joint_exchange, own_failure
from gateway.backends.sendgrid.client import get_batch, search_emails, search_identifiers
from gateway.backends.sendgrid.identifiers import MAX_LENGTH
from gateway.backends.sendgrid.refusals import unreadable
from gateway.backends.sendgrid.refused_look_up import MAX_REFUSED, parted, undecided
from gateway.errors import BackendFailure, NotWrittenError, RefusedError
from gateway.matching import sorted_by_value
from gateway.model import Backend, MissingPolicy
from gateway.sending.slots import MANY, Slots
from gateway.sending.verdicts import timed_out
from gateway.values import folded_email, read_email

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gateway.backends.sendgrid.identifiers import Identifier
    from gateway.calls import Call, Reply
    from gateway.upstream import Exchange, Sender
    from gateway.write import ContactWrite

LONGEST_SEARCHED = 100
"""Characters of an address that the search by e-mails takes; the other search takes all."""
MOST_KEYS = 100
"""Keys that one look-up takes (contract: sendgrid section 6)."""
AT_ONCE = MANY
"""Calls of one kind that direct writes have under way; who comes then waits for the first to end."""


class Search(Enum):
    """SendGrid's searches that a write uses."""

    EMAILS = "emails"
    MAIN_EMAIL = "identifiers/email"
    EXTERNAL_ID = "identifiers/external_id"


_SEARCHES: Mapping[Search, Callable[[Sequence[str]], Call]] = {
    Search.EMAILS: search_emails,
    Search.MAIN_EMAIL: partial(search_identifiers, "email"),
    Search.EXTERNAL_ID: partial(search_identifiers, "external_id"),
}

_CALLS: Mapping[KeyKind, Callable[[Sequence[str]], Call]] = {
    KeyKind.NATIVE_ID: get_batch,
    KeyKind.EXTERNAL_ID: partial(search_identifiers, "external_id"),
    KeyKind.EMAIL: partial(search_identifiers, "email"),
}


MAY_NEED_READ = frozenset(
    {"groups_name", "remove_groups_name", "sendgrid.list_ids", "sendgrid.custom_fields"}
    | {"sendgrid.phone_number_id", "sendgrid.anonymous_id"}
)
"""Fields by which, as they are given, a write may have to know what SendGrid holds."""


def needs_read(write: ContactWrite, identifier: Identifier) -> bool:
    """Whether a write must know what SendGrid holds before it can be planned."""
    return (
        identifier == "external_id"  # every identifier that the contact holds must be sent
        or write.replaces
        or write.if_missing is MissingPolicy.SKIP
        or _is_null(write, "custom_fields")
        or (write.gives_any(MAY_NEED_READ) and _needs_read(write))
    )


def _needs_read(write: ContactWrite) -> bool:
    """The same, from what most writes do not give."""
    return (
        write.given("groups_name") is not None
        or write.given("sendgrid.list_ids") is not None
        or bool(write.items("remove_groups_name"))
        or _is_null(write, "sendgrid.custom_fields")
        or write.mentions("sendgrid.phone_number_id")
        or write.mentions("sendgrid.anonymous_id")
    )


def _is_null(write: ContactWrite, name: str) -> bool:
    given = write.given(name)
    return given is not None and given.value is None


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """A key that somebody asks for."""

    value: str
    exchange: Exchange


@dataclass(kw_only=True)
class _Course:
    """How what was one call at first has fared."""

    refused: int = 0


Rows = list["Stored"] | BackendFailure


class LookUps:
    """Asks for single contacts, together with whoever else asks."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._together = {search: partial(self._ask_for_all, search) for search in Search}
        quota = partial(sender.quota_for, search_emails(()))
        self._slots: Mapping[Search, Slots[_Asked, list[Stored]]] = {
            search: Slots(together=together, at_once=AT_ONCE, most=MOST_KEYS, quota=quota)
            for search, together in self._together.items()
        }

    async def by_key(self, key: Key, exchange: Exchange) -> list[Stored]:
        """The contacts that a key means; each is still to be verified.

        The search by e-mails also answers with a contact that has the address as an alternate one.
        That is no match, and it may hide one: then the search that minds only the main address
        decides.
        """
        if key.kind is KeyKind.EXTERNAL_ID:
            return await self._rows(Search.EXTERNAL_ID, key.value, exchange)
        if len(key.value) > LONGEST_SEARCHED:
            return await self._rows(Search.MAIN_EMAIL, key.value, exchange)
        rows = await self._rows(Search.EMAILS, key.value, exchange)
        if any(_is_alternate(row, key.value) for row in rows):
            return await self._rows(Search.MAIN_EMAIL, key.value, exchange)
        return rows

    async def by_identifier(self, kind: str, value: str, exchange: Exchange) -> list[Stored]:
        """The contacts with a further identifier; each is still to be verified."""
        return await _rows(self._sender, search_identifiers(kind, [value]), exchange)

    async def by_addresses(
        self, addresses: Sequence[str], exchange: Exchange
    ) -> dict[str, list[Stored] | BackendFailure]:
        """The contacts with these main addresses, given in lower case; none for what is no address."""

        async def one(address: str) -> list[Stored] | BackendFailure:
            if _form(KeyKind.EMAIL, address) is None:
                return []
            try:
                rows = await self._rows(Search.MAIN_EMAIL, address, exchange)
                return sorted_by_value(Backend.SENDGRID, KeyKind.EMAIL, [address], rows)[address]
            except BackendFailure as failure:
                return failure

        found = await asyncio.gather(*map(one, addresses))
        return dict(zip(addresses, found, strict=True))

    async def _rows(self, search: Search, value: str, exchange: Exchange) -> list[Stored]:
        kind = KeyKind.EXTERNAL_ID if search is Search.EXTERNAL_ID else KeyKind.EMAIL
        if _form(kind, value) != value:  # one such key has the whole call refused
            return await _rows(self._sender, _SEARCHES[search]([value]), exchange)
        asked = _Asked(value=value, exchange=exchange)
        try:
            async with asyncio.timeout(exchange.left):
                if exchange.gathering is None:
                    return await self._slots[search].go(asked, exchange.left)
                return await exchange.gathering.meet(
                    ("SENDGRID", search), asked, self._together[search], most=MOST_KEYS
                )
        except TimeoutError:
            message = "SendGrid did not answer a look-up within the request's time."
            raise NotWrittenError(timed_out(Backend.SENDGRID, message)) from None

    async def _ask_for_all(
        self, search: Search, asked: Sequence[_Asked]
    ) -> list[list[Stored] | Exception]:
        """What SendGrid has for each of those who ask."""
        values = list(dict.fromkeys(one.value for one in asked))
        exchange = joint_exchange(one.exchange for one in asked)
        found = await self._ask(search, values, exchange, _Course())
        each = [found[one.value] for one in asked]
        return [own_failure(one) if isinstance(one, BackendFailure) else one for one in each]

    async def _ask(
        self, search: Search, values: Sequence[str], exchange: Exchange, course: _Course
    ) -> dict[str, Rows]:
        """One call, or more where it is refused: a wrong key must not spoil the others' answers."""
        read_at = time.monotonic()
        try:
            reply = await self._sender.send(_SEARCHES[search](values), exchange)
            if len(values) == 1:
                return {values[0]: stored_contacts(reply, read_at)}
        except RefusedError as refusal:
            course.refused += 1
            if len(values) == 1:
                return {values[0]: refusal}
            if course.refused > MAX_REFUSED:
                return dict.fromkeys(values, NotWrittenError(undecided()))
            again = parted(values, refusal.problem.backend_message or "")
            found: dict[str, Rows] = {}
        except BackendFailure as failure:
            return dict.fromkeys(values, failure)
        else:
            found = rows_by_value(reply, values, read_at)
            again = [[value] for value in values if value not in found]
        for part in await asyncio.gather(
            *(self._ask(search, some, exchange, course) for some in again)
        ):
            found |= part
        return found


def rows_by_value(
    reply: Reply, values: Sequence[str], read_at: float
) -> dict[str, list[Stored] | BackendFailure]:
    """The contact under each value that was asked for, if any; all of them are still to be verified.

    A value of which the answer says nothing that can be read is left out. ASSUMED: keys are the
    values, e-mails in any case.
    """
    result = reply.body.get("result") if isinstance(reply.body, dict) else None
    if not isinstance(result, dict):  # its 404
        return {value: [] for value in values}
    folded = {key.lower(): item for key, item in result.items() if "@" in key}
    found: dict[str, list[Stored] | BackendFailure] = {}
    for value in values:
        item: Any = result.get(value) or folded.get(value)
        try:
            row = _row_in(item)
        except ValueError:
            continue
        if item is not None:
            found[value] = [] if row is None else [_stored(row, read_at)]
    return found


def _row_in(item: Any) -> dict[str, Any] | None:
    """The contact under one key of an answer; None where it says that there is none.

    ASSUMED: it says so with the words "not found". Another error says nothing of whether there is
    one, and a contact that is taken for new would keep what the receipt calls cleared. Raises
    ValueError for what tells neither.
    """
    if item is None:
        return None
    if isinstance(item, dict):
        row, error = item.get("contact"), item.get("error")
        if isinstance(row, dict) and row.get("id"):
            return row
        is_none = "not found" in str(error).lower() if error else "contact" in item
        if row is None and is_none:
            return None
    raise ValueError


async def look_up_many(
    sender: Sender,
    kind: KeyKind,
    values: Sequence[str],
    exchange: Exchange,
    at_once: asyncio.Semaphore,
) -> dict[str, list[Stored] | BackendFailure]:
    """The contacts of many ids, external ids or e-mail addresses, 100 to a call.

    Addresses are asked for as identifiers, which minds the main address alone. What cannot be a
    key of SendGrid's is not asked for: one such value has the whole call refused.
    """
    forms = {value: form for value in values if (form := _form(kind, value)) is not None}

    async def ask(chunk: Sequence[str]) -> dict[str, list[Stored]]:
        rows = await _rows(sender, _CALLS[kind](chunk), exchange)
        return sorted_by_value(Backend.SENDGRID, kind, chunk, rows)

    chunks = chunked(forms.values(), most=MOST_KEYS)
    found = await side_by_side(chunks, ask, at_once)
    return {value: found[forms[value]] if value in forms else [] for value in values}


def _form(kind: KeyKind, value: str) -> str | None:
    """A key as SendGrid keeps it; None for one that it cannot have."""
    if kind is KeyKind.EXTERNAL_ID:
        return value if 0 < len(value) <= MAX_LENGTH else None
    try:
        if kind is KeyKind.NATIVE_ID:
            return str(uuid.UUID(value))
        read_email(value)
    except ValueError:
        return None
    return value.strip().lower()


async def _rows(sender: Sender, call: Call, exchange: Exchange) -> list[Stored]:
    read_at = time.monotonic()
    return stored_contacts(await sender.send(call, exchange), read_at)


def stored_contacts(reply: Reply, read_at: float) -> list[Stored]:
    """The contacts in a look-up's answer; none for its 404."""
    result = reply.body.get("result") if isinstance(reply.body, dict) else None
    if isinstance(result, list):  # by id
        items = [{"contact": row} for row in result]
    elif isinstance(result, dict):
        items = list(result.values())
    else:
        return []
    try:
        rows = [row for item in items if (row := _row_in(item)) is not None]
    except ValueError:
        raise unreadable(reply) from None
    return [_stored(row, read_at) for row in rows]


def _stored(row: dict[str, Any], read_at: float) -> Stored:
    return Stored(
        id=str(row["id"]),
        external_id=row.get("external_id") or None,
        email=row.get("email") or None,
        raw=row,
        read_at=read_at,
    )


def _is_alternate(row: Stored, email: str) -> bool:
    """Whether a contact was found by an alternate address, its own being another."""
    alternates = {folded_email(text) for text in row.raw.get("alternate_emails") or []}
    mine = row.email is not None and folded_email(row.email) == folded_email(email)
    return not mine and folded_email(email) in alternates
