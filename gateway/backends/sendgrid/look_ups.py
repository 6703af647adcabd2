"""Asking SendGrid for contacts by e-mail or external id, and which writes need it."""

from __future__ import annotations

import time
import uuid
from functools import partial
from typing import TYPE_CHECKING

from gateway.backends.adapter import Key, KeyKind, Stored
from gateway.backends.sendgrid.client import get_batch, search_emails, search_identifiers
from gateway.backends.sendgrid.identifiers import MAX_LENGTH
from gateway.backends.sendgrid.refusals import unreadable
from gateway.joined import chunked, side_by_side
from gateway.matching import sorted_by_value
from gateway.model import Backend, MissingPolicy
from gateway.values import folded_email, read_email

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping, Sequence

    from gateway.backends.sendgrid.identifiers import Identifier
    from gateway.calls import Call, Reply
    from gateway.errors import BackendFailure
    from gateway.upstream import Exchange, Sender
    from gateway.write import ContactWrite

LONGEST_SEARCHED = 100
"""Characters of an address that the search by e-mails takes; the other search takes all."""
MOST_KEYS = 100
"""Keys that one look-up takes (contract: sendgrid section 6)."""

_CALLS: Mapping[KeyKind, Callable[[Sequence[str]], Call]] = {
    KeyKind.NATIVE_ID: get_batch,
    KeyKind.EXTERNAL_ID: partial(search_identifiers, "external_id"),
    KeyKind.EMAIL: partial(search_identifiers, "email"),
}


def needs_read(write: ContactWrite, identifier: Identifier) -> bool:
    """Whether a write must know what SendGrid holds before it can be planned."""
    removing = write.given("remove_groups_name")
    return (
        identifier == "external_id"  # every identifier that the contact holds must be sent
        or write.replaces
        or write.if_missing is MissingPolicy.SKIP
        or any(write.given(name) is not None for name in ("groups_name", "sendgrid.list_ids"))
        or bool(removing is not None and removing.value)
        or any(_is_null(write, name) for name in ("custom_fields", "sendgrid.custom_fields"))
        or any(write.mentions(f"sendgrid.{name}") for name in ("phone_number_id", "anonymous_id"))
    )


def _is_null(write: ContactWrite, name: str) -> bool:
    given = write.given(name)
    return given is not None and given.value is None


async def look_up(sender: Sender, key: Key, exchange: Exchange) -> list[Stored]:
    """The contacts that a key means; each is still to be verified.

    The search by e-mails also answers with a contact that has the address as an alternate one.
    That is no match, and it may hide one: then the search that minds only the main address decides.
    """
    if key.kind is KeyKind.EXTERNAL_ID:
        return await _rows(sender, search_identifiers("external_id", [key.value]), exchange)
    by_main_address = search_identifiers("email", [key.value])
    if len(key.value) > LONGEST_SEARCHED:
        return await _rows(sender, by_main_address, exchange)
    rows = await _rows(sender, search_emails([key.value]), exchange)
    if any(_is_alternate(row, key.value) for row in rows):
        return await _rows(sender, by_main_address, exchange)
    return rows


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
        found = result
    elif isinstance(result, dict):
        rows = [item.get("contact") if isinstance(item, dict) else None for item in result.values()]
        found = [row for row in rows if row is not None]
    else:
        return []
    if not all(isinstance(row, dict) and row.get("id") for row in found):
        raise unreadable(reply)
    return [
        Stored(
            id=str(row["id"]),
            external_id=row.get("external_id") or None,
            email=row.get("email") or None,
            raw=row,
            read_at=read_at,
        )
        for row in found
    ]


def _is_alternate(row: Stored, email: str) -> bool:
    """Whether a contact was found by an alternate address, its own being another."""
    alternates = {folded_email(text) for text in row.raw.get("alternate_emails") or []}
    mine = row.email is not None and folded_email(row.email) == folded_email(email)
    return not mine and folded_email(email) in alternates
